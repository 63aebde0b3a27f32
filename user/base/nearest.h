/* SPDX-License-Identifier: BSD-2-Clause */
/* What a mistyped word was perhaps meant to be. */
#ifndef USER_BASE_NEAREST_H
#define USER_BASE_NEAREST_H

#include <stddef.h>

#define NEAREST_MAX      3
#define NEAREST_WORD_LEN 64 /* longer words are not compared */

struct nearest {
	const char *word;
	size_t count;
	const char *found[NEAREST_MAX]; /* the nearest first; borrowed */
	size_t distance[NEAREST_MAX];
};

/* word: the mistyped one, borrowed. */
void nearest_begin(struct nearest *nearest, const char *word);

/* Keeps the candidate if it begins with the word, or no more than a third of the word's letters differ; case apart. */
void nearest_consider(struct nearest *nearest, const char *candidate);

#endif
