/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the facts of the predicates' rows (user/judge/predicate.c) stand in an event. */
#ifndef USER_JUDGE_FACTS_H
#define USER_JUDGE_FACTS_H

#include "user/judge/predicate.h"

/* predicate.flags of patterns, beside GLOB_* */
#define PATTERN_IS_PATH (1U << 8)  /* the text is an absolute path */
#define PATTERN_OR_NONE (1U << 9)  /* the word "none": known to be none */
#define PATTERN_OR_ANY  (1U << 10) /* the word "any": one, whatever it is */

/* sets: facts_port.c, facts_process.c */
void fact_transport(const struct event *event, uint64_t *ret_bits, uint64_t *ret_known);
void fact_class(const struct event *event, uint64_t *ret_bits, uint64_t *ret_known);
void fact_state(const struct event *event, uint64_t *ret_bits, uint64_t *ret_known);
void fact_exposure(const struct event *event, uint64_t *ret_bits, uint64_t *ret_known);
void fact_choice(const struct event *event, uint64_t *ret_bits, uint64_t *ret_known);
void fact_outcome(const struct event *event, uint64_t *ret_bits, uint64_t *ret_known);
void fact_action(const struct event *event, uint64_t *ret_bits, uint64_t *ret_known);
void fact_socket(const struct event *event, uint64_t *ret_bits, uint64_t *ret_known);
void fact_holders(const struct event *event, uint64_t *ret_bits, uint64_t *ret_known);
void fact_pattern(const struct event *event, uint64_t *ret_bits, uint64_t *ret_known);
void fact_exe_flags(const struct event *event, uint64_t *ret_bits, uint64_t *ret_known);
void fact_capability(const struct event *event, uint64_t *ret_bits, uint64_t *ret_known);
void fact_runtime(const struct event *event, uint64_t *ret_bits, uint64_t *ret_known);
void fact_kernel_thread(const struct event *event, uint64_t *ret_bits, uint64_t *ret_known);

/* numbers */
bool fact_error(const struct event *event, uint32_t *ret);
bool fact_user(const struct event *event, uint32_t *ret);
bool fact_effective_user(const struct event *event, uint32_t *ret);
bool fact_login_user(const struct event *event, uint32_t *ret);
bool fact_group(const struct event *event, uint32_t *ret);

/* patterns */
enum fact fact_exe(const struct event *event, size_t index, struct predicate_text *ret);
enum fact fact_package(const struct event *event, size_t index, struct predicate_text *ret);
enum fact fact_comm(const struct event *event, size_t index, struct predicate_text *ret);
enum fact fact_args(const struct event *event, size_t index, struct predicate_text *ret);
enum fact fact_parent(const struct event *event, size_t index, struct predicate_text *ret);
enum fact fact_ancestor(const struct event *event, size_t index, struct predicate_text *ret);
enum fact fact_unit(const struct event *event, size_t index, struct predicate_text *ret);
bool fact_has_own_unit(const struct event *event);
enum fact fact_user_unit(const struct event *event, size_t index, struct predicate_text *ret);
enum fact fact_slice(const struct event *event, size_t index, struct predicate_text *ret);
enum fact fact_container(const struct event *event, size_t index, struct predicate_text *ret);
enum fact fact_image(const struct event *event, size_t index, struct predicate_text *ret);
enum fact fact_pod(const struct event *event, size_t index, struct predicate_text *ret);

/* The number of a name: predicate_number.c. As predicate_kind.read. */
int resolve_error(struct predicate_reader *reader, struct predicate_word *word);
int resolve_user(struct predicate_reader *reader, struct predicate_word *word);
int resolve_login_user(struct predicate_reader *reader, struct predicate_word *word);
int resolve_group(struct predicate_reader *reader, struct predicate_word *word);

#endif
