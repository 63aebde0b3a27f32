/* SPDX-License-Identifier: BSD-2-Clause */
/* What a pattern means (user/judge/glob.h), put plainly: every way that the stars can be taken, one after the other. */
#ifndef TESTS_UNIT_USER_JUDGE_GLOB_REFERENCE_H
#define TESTS_UNIT_USER_JUDGE_GLOB_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "user/judge/glob.h"

struct glob_reference_text {
	const char *at;
	size_t left;
	unsigned int flags;
};

/* The class behind '[', as a set of bytes. Returns what stands behind its ']'. */
static inline const char *glob_reference_class(const char *at, bool set[256])
{
	bool negated = *at == '!' || *at == '^';
	const char *first = at + negated;

	memset(set, 0, 256 * sizeof(*set));
	for (at = first; *at != ']' || at == first;) {
		unsigned char from, to;

		at += *at == '\\';
		from = to = (unsigned char)*at++;
		if (at[0] == '-' && at[1] != ']') {
			at++;
			at += *at == '\\';
			to = (unsigned char)*at++;
		}
		for (unsigned int byte = from; byte <= to; byte++)
			set[byte] = true;
	}
	for (unsigned int byte = 0; negated && byte < 256; byte++)
		set[byte] = !set[byte];
	return at + 1;
}

/* As slow as it gets: a text of up to about 20 bytes. pattern: one that glob_check() finds good. */
static inline bool glob_reference(const char *pattern, struct glob_reference_text text)
{
	bool any = text.flags & GLOB_ANY, set[256] = {false};
	struct glob_reference_text rest = {text.at + 1, text.left - 1, text.flags};
	unsigned char byte;

	if (!*pattern)
		return !text.left;
	if (*pattern == '*') {
		if (glob_reference(pattern + 1, text))
			return true;
		return text.left && (any || pattern[1] == '*' || *text.at != '/') && glob_reference(pattern, rest);
	}
	if (!text.left)
		return false;
	byte = (unsigned char)*text.at;
	if ((*pattern == '?' || *pattern == '[') && byte == '/' && !any)
		return false;
	if (!byte && text.flags & GLOB_NUL_IS_BLANK)
		byte = ' ';
	if (*pattern == '?') {
		set[byte] = true;
		pattern++;
	} else if (*pattern == '[') {
		pattern = glob_reference_class(pattern + 1, set);
	} else {
		pattern += *pattern == '\\';
		set[(unsigned char)*pattern++] = true;
	}
	return set[byte] && glob_reference(pattern, rest);
}

#endif
