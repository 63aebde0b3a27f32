/* SPDX-License-Identifier: BSD-2-Clause */
/* A policy as it stands in memory: what is written once by policy_load() and read by all who judge by it. */
#ifndef USER_JUDGE_POLICY_RULE_H
#define USER_JUDGE_POLICY_RULE_H

#include <stdarg.h>

#include "user/base/arena.h"
#include "user/judge/policy.h"
#include "user/judge/predicate.h"

/* What a rule without `action` is about: a port was taken, or is found taken. */
bool event_takes_port(const struct event *event);

struct policy_file {
	const char *path; /* as messages name it */
	bool vendor;
};

struct rule {
	struct condition *conditions;
	uint32_t count;
	bool any_action; /* it has a condition on the action */
	enum verdict verdict;
	enum severity severity;
	unsigned int line; /* of its heading */
	uint64_t keys;     /* bit n: it has a condition of predicate number n */
	const char *name;
	const char *message, *techniques; /* NULL: none */
	const struct policy_file *file;
};

/*
 * Most rules name a few ports. Such a rule stands in the lists of these; the others are asked of every event.
 */
struct policy_index {
	uint32_t *starts; /* of the list of port p: by_port[starts[p]] to by_port[starts[p + 1]] */
	uint32_t *by_port;
	uint32_t *others;
	size_t others_count;
};

struct policy {
	struct arena arena;
	struct policy_file *files;
	size_t files_count;
	struct rule *rules;
	size_t rules_count, rules_size;
	struct policy_index index;
};

/* The rules that may match an event, in their order. */
struct policy_candidates {
	const uint32_t *port, *port_end, *other, *other_end;
};

/* 0 or -ENOMEM. */
int policy_index_build(struct policy *policy);
void policy_index_free(struct policy_index *index);

void policy_candidates_begin(const struct policy *policy, const struct event *event, struct policy_candidates *ret);

/* NULL: there are no more. */
const struct rule *policy_candidates_next(const struct policy *policy, struct policy_candidates *candidates);

/* NULL: it matches. */
const struct condition *rule_first_failure(const struct rule *rule, const struct event *event);

/* The condition of a key, or NULL. */
const struct condition *rule_condition(const struct rule *rule, const char *key);

/* Adds a problem; file may be NULL, line 0. -EINVAL, or -ENOMEM where it could not be kept. */
int policy_problem(struct policy_problems *problems, bool warning, const char *file, unsigned int line,
                   const char *format, ...) __attribute__((format(printf, 5, 6)));

#endif
