/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The words that rules are written with and that outputs use, each with its number: one table for both ways, so that
 * what an event says can be written into a rule as it stands there.
 */
#ifndef USER_BASE_EVENT_WORDS_H
#define USER_BASE_EVENT_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EVENT_CLASS_PRIVILEGED 31U        /* beside the ranges of RFC 6335 */
#define EVENT_SOCKET_DEVICE    (1U << 31) /* the socket is bound to a device */

enum event_words {
	WORDS_ACTION,          /* enum event_action */
	WORDS_VERDICT,         /* enum verdict, VERDICT_NONE has no word */
	WORDS_SEVERITY,        /* enum severity, SEVERITY_NONE has no word */
	WORDS_EXPOSURE,        /* enum exposure, EXPOSURE_UNKNOWN has no word */
	WORDS_EXECUTABLE_FLAG, /* EXECUTABLE_* */
	WORDS_PATTERN,         /* PATTERN_* */
	WORDS_RUNTIME,         /* enum container_runtime, without RUNTIME_NONE and RUNTIME_UNKNOWN */
	WORDS_CAPABILITY,      /* the number of the capability, linux/capability.h */
	WORDS_TRANSPORT,       /* enum registry_transport */
	WORDS_STATE,           /* enum registry_state */
	WORDS_CLASS,           /* enum registry_range, and EVENT_CLASS_PRIVILEGED */
	WORDS_CHOICE,          /* 1 if the kernel chose the port, else 0 */
	WORDS_OUTCOME,         /* 1 if it failed, else 0 */
	WORDS_SOCKET_FLAG,     /* BW_SOCKET_*, and EVENT_SOCKET_DEVICE */
	WORDS_ANSWER,          /* 1: yes, 0: no */
	WORDS_HOLDERS,         /* 1 if a process holds it, else 0 */
	EVENT_WORDS,
};

/* false: the table has no such word; *ret is then untouched. */
bool event_word_find(enum event_words words, const char *word, uint32_t *ret);

/* NULL: the number has no word. */
const char *event_word_name(enum event_words words, uint32_t value);

/* The words of a table, one after the other: *ret_value is its number. NULL: there is none at this index. */
const char *event_word_at(enum event_words words, size_t index, uint32_t *ret_value);

#endif
