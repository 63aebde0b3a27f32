/* SPDX-License-Identifier: BSD-2-Clause */
/* A value of a policy file, taken apart into words. */
#ifndef USER_JUDGE_POLICY_WORDS_H
#define USER_JUDGE_POLICY_WORDS_H

#include <stdbool.h>

struct policy_word {
	char *text; /* without quotes, '!' and escapes */
	bool excludes;
};

/*
 * The next word of *at, in place. Words are separated by blanks; one in double quotes may hold them, and \" and \\
 * within it stand for " and \. A '!' before a word, outside of the quotes, excludes.
 * 1: *ret is a word, *at behind it; 0: there is none; -EINVAL: *ret_error says what is wrong.
 */
int policy_word_next(char **at, struct policy_word *ret, const char **ret_error);

#endif
