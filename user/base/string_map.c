/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/base/string_map.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_MIN 64

/* FNV-1a. The texts are the administrator's: nobody gains by making them collide. */
static uint32_t hash_of(const char *text)
{
	uint32_t hash = 2166136261U;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 16777619U;
	return hash;
}

/* The slot of the text, or the free one where it belongs. map->size is not 0. */
static struct string_map_slot *find(const struct string_map *map, const char *text, uint32_t hash)
{
	size_t i = hash & (map->size - 1);

	while (map->slots[i].text && (map->slots[i].hash != hash || strcmp(map->slots[i].text, text) != 0))
		i = (i + 1) & (map->size - 1);
	return &map->slots[i];
}

static bool grow(struct string_map *map)
{
	struct string_map larger = {.size = map->size ? map->size * 2 : SLOTS_MIN, .used = map->used};

	larger.slots = calloc(larger.size, sizeof(*larger.slots));
	if (!larger.slots)
		return false;
	for (size_t i = 0; i < map->size; i++) {
		if (map->slots[i].text)
			*find(&larger, map->slots[i].text, map->slots[i].hash) = map->slots[i];
	}
	free(map->slots);
	*map = larger;
	return true;
}

uint32_t *string_map_put(struct string_map *map, const char *text, bool *ret_new)
{
	uint32_t hash = hash_of(text);
	struct string_map_slot *slot;

	if (map->used * 2 >= map->size && !grow(map))
		return NULL;
	slot = find(map, text, hash);
	*ret_new = !slot->text;
	if (!slot->text) {
		*slot = (struct string_map_slot){.text = text, .hash = hash};
		map->used++;
	}
	return &slot->value;
}

const uint32_t *string_map_get(const struct string_map *map, const char *text)
{
	const struct string_map_slot *slot = map->size ? find(map, text, hash_of(text)) : NULL;

	return slot && slot->text ? &slot->value : NULL;
}

void string_map_free(struct string_map *map)
{
	free(map->slots);
	*map = (struct string_map){0};
}
