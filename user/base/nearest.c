/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/base/nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#define PREFIX_MIN 3

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t ab = a < b ? a : b;

	return ab < c ? ab : c;
}

static bool same(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Letters added, left out, changed, or two neighbours swapped: the optimal string alignment. */
static size_t distance_of(const char *a, size_t a_len, const char *b, size_t b_len)
{
	uint8_t table[NEAREST_WORD_LEN + 1][NEAREST_WORD_LEN + 1];

	for (size_t i = 0; i <= a_len; i++)
		table[i][0] = (uint8_t)i;
	for (size_t j = 0; j <= b_len; j++)
		table[0][j] = (uint8_t)j;
	for (size_t i = 1; i <= a_len; i++) {
		for (size_t j = 1; j <= b_len; j++) {
			size_t best = min3(table[i - 1][j] + 1U, table[i][j - 1] + 1U,
			                   table[i - 1][j - 1] + (same(a[i - 1], b[j - 1]) ? 0U : 1U));

			if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]) &&
			    table[i - 2][j - 2] + 1U < best)
				best = table[i - 2][j - 2] + 1U;
			table[i][j] = (uint8_t)best;
		}
	}
	return table[a_len][b_len];
}

void nearest_begin(struct nearest *nearest, const char *word)
{
	*nearest = (struct nearest){.word = word};
}

void nearest_consider(struct nearest *nearest, const char *candidate)
{
	size_t len = strlen(nearest->word), other = strlen(candidate), most = len / 3 ? len / 3 : 1;
	size_t distance, at;

	/* the beginning of a long word is as near as one wrong letter */
	if (len >= PREFIX_MIN && strncasecmp(nearest->word, candidate, len) == 0)
		distance = 1;
	else if (len > NEAREST_WORD_LEN || other > NEAREST_WORD_LEN || len > other + most || other > len + most)
		return;
	else
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
