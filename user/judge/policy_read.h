/* SPDX-License-Identifier: BSD-2-Clause */
/* The form of a policy file, as inih reads it: headings, and keys with their values, each with its line. */
#ifndef USER_JUDGE_POLICY_READ_H
#define USER_JUDGE_POLICY_READ_H

#include <stddef.h>

/* Longer than any path, and than any list that a person reads. */
#define POLICY_LINE_MAX 8192

/*
 * What is found in a file, in its order. Each returns 0, or -ENOMEM, which ends the reading. Texts are the reader's,
 * and may be written to until the callback returns.
 */
struct policy_read_handler {
	/* text: what stands between [ and ], without blanks at its end; NULL: it is not understood, and that was told
	 */
	int (*heading)(void *context, unsigned int line, char *text);
	/* goes_on: value is more of the value of the line before */
	int (*value)(void *context, unsigned int line, const char *key, char *value, int goes_on);
	/* a line that is neither; quote: what is wrong, or NULL; what: why, and what would be right */
	int (*error)(void *context, unsigned int line, const char *quote, const char *what);
};

/* text: len bytes, any. 0 or -ENOMEM. */
int policy_read(const char *text, size_t len, const struct policy_read_handler *handler, void *context);

#endif
