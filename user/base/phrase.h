/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A text of bounded length, put together piece by piece in a buffer of the caller's. What does not fit is left out, and
 * the text then ends with "..."; it always ends with a NUL.
 */
#ifndef USER_BASE_PHRASE_H
#define USER_BASE_PHRASE_H

#include <stdbool.h>
#include <stddef.h>

struct phrase {
	char *text;
	size_t size, used; /* of text, its NUL not counted in used */
	bool full;
};

/* size: of text, at least 4. */
void phrase_begin(struct phrase *phrase, char *text, size_t size);

/* Text of our own. */
void phrase_text(struct phrase *phrase, const char *text);
void phrase_format(struct phrase *phrase, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Hostile bytes, made fit for a terminal and a line of a log: user/base/visible.h, backslashes escaped. */
void phrase_visible(struct phrase *phrase, const char *text, size_t len);

#endif
