/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/judge/policy_words.h"

#include <errno.h>
#include <string.h>

#define BLANKS " \t"

/* at: behind the opening quote. Behind the closing one, or NULL. */
static char *take_quoted(char *at)
{
	char *out = at;

	for (; *at && *at != '"'; at++) {
		if (*at == '\\' && (at[1] == '"' || at[1] == '\\'))
			at++;
		*out++ = *at;
	}
	if (!*at)
		return NULL;
	*out = '\0';
	return at + 1;
}

int policy_word_next(char **at, struct policy_word *ret, const char **ret_error)
{
	char *start = *at + strspn(*at, BLANKS), *end;

	if (!*start)
		return 0;
	ret->excludes = *start == '!';
	start += ret->excludes;
	if (*start == '"') {
		end = take_quoted(++start);
		if (!end || (*end && !strchr(BLANKS, *end))) {
			*ret_error = end ? "a blank belongs behind the closing quote" : "the closing quote is missing";
			return -EINVAL;
		}
	} else {
		end = start + strcspn(start, BLANKS);
		if (end == start) {
			*ret_error = "a word belongs behind the '!', without a blank between";
			return -EINVAL;
		}
	}
	if (*end)
		*end++ = '\0';
	if (!*start) {
		*ret_error = "there is nothing between the quotes";
		return -EINVAL;
	}
	ret->text = start;
	*at = end;
	return 1;
}
