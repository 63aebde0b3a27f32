/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/judge/service_index.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A pair of port and transport that bears a name; the pairs of a name are chained, the last one first. */
struct pair {
	uint32_t next; /* number of the pair + 1; 0: it is the first one */
	uint16_t port;
	uint8_t transport;
};

struct service_index {
	struct arena names;    /* in lower case */
	struct string_map map; /* to the number of the name's last pair + 1 */
	struct pair *pairs;
	size_t pairs_count, pairs_size;
	struct port_range *found;
	size_t found_size;
};

static void lower(char *text)
{
	for (; *text; text++)
		*text = (char)tolower((unsigned char)*text);
}

static int add_name(struct service_index *index, const char *name, uint16_t port, uint8_t transport)
{
	char *copy = arena_copy(&index->names, name, strlen(name));
	uint32_t *last;
	bool is_new;

	if (!copy)
		return -ENOMEM;
	lower(copy);
	last = string_map_put(&index->map, copy, &is_new);
	if (!last)
		return -ENOMEM;
	if (index->pairs_count == index->pairs_size) {
		size_t size = index->pairs_size ? index->pairs_size * 2 : 16384;
		struct pair *pairs = realloc(index->pairs, size * sizeof(*pairs));

		if (!pairs)
			return -ENOMEM;
		index->pairs = pairs;
		index->pairs_size = size;
	}
	index->pairs[index->pairs_count++] = (struct pair){.next = *last, .port = port, .transport = transport};
	*last = (uint32_t)index->pairs_count;
	return 0;
}

static int fill(struct service_index *index, const struct registry *registry)
{
	/* downwards: a chain then goes upwards */
	for (uint32_t port = UINT16_MAX; port >= 1; port--) {
		for (unsigned int transport = REGISTRY_TRANSPORTS; transport-- > 0;) {
			const struct registry_entry *entry =
			        registry_lookup(registry, (uint16_t)port, (enum registry_transport)transport);
			const char *name = entry->names;

			for (unsigned int i = 0; i < entry->names_count; i++, name = registry_next_name(name)) {
				int r = add_name(index, name, (uint16_t)port, (uint8_t)transport);

				if (r < 0)
					return r;
			}
		}
	}
	return 0;
}

int service_index_open(const struct registry *registry, struct service_index **ret)
{
	struct service_index *index = calloc(1, sizeof(*index));
	int r = index ? fill(index, registry) : -ENOMEM;

	if (r < 0) {
		service_index_free(index);
		return r;
	}
	*ret = index;
	return 0;
}

void service_index_free(struct service_index *index)
{
	if (!index)
		return;
	arena_free(&index->names);
	string_map_free(&index->map);
	free(index->pairs);
	free(index->found);
	free(index);
}

static int add_found(struct service_index *index, size_t *count, const struct pair *pair)
{
	struct port_range *before = *count ? &index->found[*count - 1] : NULL;
	uint8_t transport = (uint8_t)(1U << pair->transport);

	if (before && before->first == pair->port) {
		before->transports |= transport;
		return 0;
	}
	if (*count == index->found_size) {
		size_t size = index->found_size ? index->found_size * 2 : 64;
		struct port_range *found = realloc(index->found, size * sizeof(*found));

		if (!found)
			return -ENOMEM;
		index->found = found;
		index->found_size = size;
	}
	index->found[(*count)++] = (struct port_range){pair->port, pair->port, transport};
	return 0;
}

/* Neighbours of the same transports become one range. Returns how many are left. */
static size_t join(struct port_range *ranges, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (kept && ranges[kept - 1].last + 1 == ranges[i].first &&
		    ranges[kept - 1].transports == ranges[i].transports)
			ranges[kept - 1].last = ranges[i].last;
		else
			ranges[kept++] = ranges[i];
	}
	return kept;
}

int service_index_find(struct service_index *index, const char *name, const struct port_range **ret, size_t *ret_count)
{
	char *lowered = strdup(name);
	const uint32_t *last;
	size_t count = 0;

	if (!lowered)
		return -ENOMEM;
	lower(lowered);
	last = string_map_get(&index->map, lowered);
	free(lowered);
	if (!last)
		return -ENOENT;
	for (uint32_t number = *last; number; number = index->pairs[number - 1].next) {
		int r = add_found(index, &count, &index->pairs[number - 1]);

		if (r < 0)
			return r;
	}
	*ret = index->found;
	*ret_count = join(index->found, count);
	return 0;
}

void service_index_nearest(const struct service_index *index, struct nearest *nearest)
{
	for (size_t i = 0; i < index->map.size; i++) {
		if (index->map.slots[i].text)
			nearest_consider(nearest, index->map.slots[i].text);
	}
}
