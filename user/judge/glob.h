/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Patterns over paths and names:
 *
 *	*	any bytes but '/', also none
 *	**	any bytes, also none
 *	?	one byte, not '/'
 *	[a-z]	one byte of these, not '/'; [!a-z] and [^a-z]: one of the others, not '/'. A ']' that stands first is
 *meant itself \	the next byte is meant itself
 *
 * The whole text must match. Bytes are compared, whatever the character set.
 */
#ifndef USER_JUDGE_GLOB_H
#define USER_JUDGE_GLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* '/' is a byte as every other: * is **, and ? and [] take it. */
#define GLOB_ANY (1U << 0)

/* A NUL of the text counts as a blank: arguments, joined. */
#define GLOB_NUL_IS_BLANK (1U << 1)

/* NULL: it is a pattern; else, in a few words, what is wrong with it. Static. */
const char *glob_check(const char *pattern);

/* Whether nothing in it stands for other bytes than itself. */
bool glob_is_literal(const char *pattern);

/*
 * How many bytes at the beginning and at the end of a good pattern of up to 65535 bytes are meant themselves: a text
 * that matches has them at its ends. Of a pattern without wildcards all bytes are prefix; otherwise the two do not
 * overlap.
 */
void glob_ends(const char *pattern, uint16_t *ret_prefix, uint16_t *ret_suffix);

/*
 * Whether the text (len bytes, any) matches a pattern that glob_check() found good. At most about
 * len * strlen(pattern)^2 bytes are compared, whatever they are, and no memory is taken.
 */
bool glob_match(const char *pattern, const char *text, size_t len, unsigned int flags);

#endif
