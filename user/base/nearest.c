/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/base/nearest.h"

#include <ctype.h>
#include <string.h>

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Levenshtein's: letters added, left out or changed. */
static size_t distance_of(const char *a, size_t a_len, const char *b, size_t b_len)
{
	size_t row[NEAREST_WORD_LEN + 1];

	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t above = row[j];
			size_t same = tolower((unsigned char)a[i - 1]) == tolower((unsigned char)b[j - 1]) ? 0 : 1;

			row[j] = min3(above + 1, row[j - 1] + 1, diagonal + same);
			diagonal = above;
		}
	}
	return row[b_len];
}

void nearest_begin(struct nearest *nearest, const char *word)
{
	*nearest = (struct nearest){.word = word};
}

void nearest_consider(struct nearest *nearest, const char *candidate)
{
	size_t len = strlen(nearest->word), other = strlen(candidate), most = len / 3 ? len / 3 : 1;
	size_t distance, at;

	if (len > NEAREST_WORD_LEN || other > NEAREST_WORD_LEN || len > other + most || other > len + most)
		return;
	distance = distance_of(nearest->word, len, candidate, other);
	if (distance > most)
		return;
	for (at = 0; at < nearest->count; at++)
		if (strcmp(nearest->found[at], candidate) == 0)
			return;
	for (at = 0; at < nearest->count && nearest->distance[at] <= distance; at++)
		;
	if (at == NEAREST_MAX)
		return;
	if (nearest->count < NEAREST_MAX)
		nearest->count++;
	for (size_t i = nearest->count - 1; i > at; i--) {
		nearest->found[i] = nearest->found[i - 1];
		nearest->distance[i] = nearest->distance[i - 1];
	}
	nearest->found[at] = candidate;
	nearest->distance[at] = distance;
}
