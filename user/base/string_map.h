/* SPDX-License-Identifier: BSD-2-Clause */
/* Texts to numbers, in memory that grows with them. */
#ifndef USER_BASE_STRING_MAP_H
#define USER_BASE_STRING_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zeros is an empty map. */
struct string_map {
	struct string_map_slot {
		const char *text; /* NULL: free */
		uint32_t hash, value;
	} * slots;
	size_t size, used;
};

/*
 * Where the number of this text stands; *ret_new tells that the text was not there and its number is 0 now. The text is
 * borrowed for the life of the map. The place moves with the next text. NULL: out of memory.
 */
uint32_t *string_map_put(struct string_map *map, const char *text, bool *ret_new);

/* NULL: the text is not there. */
const uint32_t *string_map_get(const struct string_map *map, const char *text);

void string_map_free(struct string_map *map);

#endif
