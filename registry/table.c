/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "registry/text.h"

/* IANA lists every port below 49152 today; the file of 2014 forgets 757 and 11023. */
#define GAPS_MAX 16

/* The last port that IANA assigns (RFC 6335, section 6), and the last row with a port in the file. */
#define LAST_LISTED 49151

/* Slots of a hash to begin with: the registry of 2026 has 14,000 strings, 9,000 entries. A power of two. */
#define SLOTS_FIRST 32768

struct table_string {
	uint32_t hash, offset, len;
};

static uint32_t hash_bytes(const void *data, size_t len)
{
	const uint8_t *bytes = data;
	uint32_t hash = 2166136261U; /* FNV-1a */

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ bytes[i]) * 16777619U;
	return hash ^ hash >> 15;
}

/* Makes room for one more element behind count of *size. 0 or -ENOMEM. */
static int grow(void *array, size_t *size, size_t wanted, size_t element)
{
	void **pointer = array, *bigger;
	size_t new_size = *size;

	if (wanted <= new_size)
		return 0;
	while (new_size < wanted)
		new_size = new_size ? new_size * 2 : 1024;
	bigger = reallocarray(*pointer, new_size, element);
	if (!bigger)
		return -ENOMEM;
	*pointer = bigger;
	*size = new_size;
	return 0;
}

/* A string's slot: the one that holds it, or the free one where it belongs (len UINT32_MAX). */
static struct table_string *string_slot(const struct table_builder *builder, uint32_t hash, const char *bytes,
					size_t len)
{
	size_t mask = builder->string_slots_count - 1;

	for (size_t i = hash & mask;; i = (i + 1) & mask) {
		struct table_string *slot = &builder->string_slots[i];

		if (slot->len == UINT32_MAX)
			return slot;
		if (bytes && slot->hash == hash && slot->len == len &&
		    memcmp(builder->strings + slot->offset, bytes, len) == 0)
			return slot;
	}
}

/* A hash is kept at most half full. */
static int string_slots_grow(struct table_builder *builder)
{
	struct table_string *old = builder->string_slots;
	size_t old_count = builder->string_slots_count;
	size_t count = old_count ? old_count * 2 : SLOTS_FIRST;
	struct table_string *slots;

	if (builder->strings_count * 2 < old_count)
		return 0;
	slots = malloc(count * sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	memset(slots, 0xff, count * sizeof(*slots));
	builder->string_slots = slots;
	builder->string_slots_count = count;
	for (size_t i = 0; i < old_count; i++)
		if (old[i].len != UINT32_MAX)
			*string_slot(builder, old[i].hash, NULL, 0) = old[i];
	free(old);
	return 0;
}

int table_string(struct table_builder *builder, const char *bytes, size_t len, uint32_t *ret)
{
	uint32_t hash = hash_bytes(bytes, len);
	struct table_string *slot;
	int r = string_slots_grow(builder);

	if (r < 0)
		return r;
	slot = string_slot(builder, hash, bytes, len);
	if (slot->len == UINT32_MAX) {
		if (len >= UINT32_MAX - builder->strings_len)
			return -E2BIG;
		r = grow(&builder->strings, &builder->strings_size, builder->strings_len + len + 1, 1);
		if (r < 0)
			return r;
		*slot =
		    (struct table_string){.hash = hash, .offset = (uint32_t)builder->strings_len, .len = (uint32_t)len};
		memcpy(builder->strings + slot->offset, bytes, len);
		builder->strings[slot->offset + len] = '\0';
		builder->strings_len += len + 1;
		builder->strings_count++;
	}
	*ret = slot->offset;
	return 0;
}

int table_names(struct table_builder *builder, const char *const *names, size_t count, uint32_t *ret)
{
	char list[TABLE_NAMES_MAX * (TEXT_NAME_MAX + 1)];
	size_t len = 0;

	for (size_t i = 0; i < count; i++) {
		size_t size = strlen(names[i]) + 1;

		if (size > sizeof(list) - len)
			return -E2BIG;
		memcpy(list + len, names[i], size);
		len += size;
	}
	return table_string(builder, list, len ? len - 1 : 0, ret);
}

static int entry_slots_grow(struct table_builder *builder)
{
	size_t count = builder->entry_slots_count ? builder->entry_slots_count * 2 : SLOTS_FIRST;
	uint32_t *slots;

	if (builder->entries_count * 2 < builder->entry_slots_count)
		return 0;
	slots = calloc(count, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < builder->entries_count; i++) {
		size_t at = hash_bytes(&builder->entries[i], sizeof(*builder->entries));

		while (slots[at & (count - 1)])
			at++;
		slots[at & (count - 1)] = (uint32_t)i + 1;
	}
	free(builder->entry_slots);
	builder->entry_slots = slots;
	builder->entry_slots_count = count;
	return 0;
}

int table_entry(struct table_builder *builder, const struct table_entry *entry, uint16_t *ret)
{
	size_t at = hash_bytes(entry, sizeof(*entry)), mask;
	uint32_t found;
	int r = entry_slots_grow(builder);

	if (r < 0)
		return r;
	mask = builder->entry_slots_count - 1;
	while ((found = builder->entry_slots[at & mask]) != 0 &&
	       memcmp(&builder->entries[found - 1], entry, sizeof(*entry)) != 0)
		at++;
	if (!found) {
		if (builder->entries_count > UINT16_MAX)
			return -E2BIG;
		r = grow(&builder->entries, &builder->entries_size, builder->entries_count + 1, sizeof(*entry));
		if (r < 0)
			return r;
		builder->entries[builder->entries_count++] = *entry;
		found = (uint32_t)builder->entries_count;
		builder->entry_slots[at & mask] = found;
	}
	*ret = (uint16_t)(found - 1);
	return 0;
}

int table_begin(struct table_builder *builder)
{
	const struct table_entry not_listed = {.state = REGISTRY_NOT_LISTED};
	uint32_t empty;
	uint16_t first;
	int r;

	*builder = (struct table_builder){.index = calloc(TABLE_PAIRS, sizeof(*builder->index))};
	if (!builder->index)
		return -ENOMEM;
	r = table_string(builder, "", 0, &empty);
	if (!r)
		r = table_entry(builder, &not_listed, &first);
	if (r < 0)
		table_discard(builder);
	return r;
}

static int copy_entry(struct table_builder *builder, const struct registry_entry *entry, uint16_t *ret)
{
	struct table_entry copy = {.registered = entry->registered,
				   .modified = entry->modified,
				   .removed = entry->removed,
				   .state = entry->state,
				   .flags = entry->flags,
				   .names_count = entry->names_count};
	const char *end = entry->names;
	int r;

	for (unsigned int i = 0; i < entry->names_count; i++)
		end = registry_next_name(end);
	r = table_string(builder, entry->names, end == entry->names ? 0 : (size_t)(end - entry->names) - 1,
			 &copy.names);
	if (!r)
		r = table_string(builder, entry->title, strlen(entry->title), &copy.title);
	return r < 0 ? r : table_entry(builder, &copy, ret);
}

int table_begin_from(struct table_builder *builder, const struct registry *registry)
{
	int r = table_begin(builder);

	if (r < 0)
		return r;
	/* a registry's entries differ from each other, so each gets the number that it had */
	for (size_t i = 0; i < registry->entries_count && !r; i++) {
		uint16_t number;

		r = copy_entry(builder, &registry->entries[i], &number);
	}
	if (r < 0) {
		table_discard(builder);
		return r;
	}
	memcpy(builder->index, registry->index,
	       (size_t)registry->ports * REGISTRY_TRANSPORTS * sizeof(*builder->index));
	memcpy(builder->date, registry->date, sizeof(builder->date));
	memcpy(builder->digest, registry->digest, sizeof(builder->digest));
	return 0;
}

void table_discard(struct table_builder *builder)
{
	if (!builder)
		return;
	free(builder->index);
	free(builder->entries);
	free(builder->entry_slots);
	free(builder->strings);
	free(builder->string_slots);
	*builder = (struct table_builder){0};
}

int table_check_whole(const struct table_builder *builder, const struct input *input, char error[REGISTRY_ERROR_LEN])
{
	unsigned int gaps = 0;
	bool assigned = false;

	for (uint32_t port = 0; port <= LAST_LISTED; port++) {
		bool listed = false;

		for (unsigned int t = 0; t < REGISTRY_TRANSPORTS; t++) {
			uint16_t number = builder->index[TABLE_PAIR(port, t)];

			listed |= number != TABLE_NOT_LISTED;
			assigned |= builder->entries[number].state == REGISTRY_ASSIGNED;
		}
		if (!listed && (++gaps > GAPS_MAX || port == LAST_LISTED))
			return input_fault(
			    input, 0, error,
			    "no row speaks of port %u: not the whole registry, which lists every port of "
			    "0-%u, the unassigned ones too",
			    port, LAST_LISTED);
	}
	if (!assigned)
		return input_fault(input, 0, error, "no port is assigned: not the whole registry");
	return 0;
}

int table_fault(const struct input *input, uint32_t line, int r, char error[REGISTRY_ERROR_LEN])
{
	if (r == -E2BIG)
		return input_fault(input, line, error,
				   "more different entries than a registry can hold (65,535); the official one has "
				   "about 9,000");
	(void)input_fault(input, 0, error, "%s", strerror(-r));
	return r;
}

static void count_pairs(struct registry *registry)
{
	for (unsigned int t = 0; t < REGISTRY_TRANSPORTS; t++)
		registry->counts[t][REGISTRY_NOT_LISTED] = TABLE_PORTS - registry->ports;
	for (uint32_t pair = 0; pair < registry->ports * REGISTRY_TRANSPORTS; pair++)
		registry->counts[pair % REGISTRY_TRANSPORTS][registry->entries[registry->index[pair]].state]++;
}

int table_finish(const struct table_builder *builder, const char *source, struct registry **ret)
{
	struct registry *registry = calloc(1, sizeof(*registry));
	uint32_t pairs = TABLE_PAIRS;

	if (!registry)
		return -ENOMEM;
	/* nothing is listed in the dynamic range (RFC 6335, section 6): that quarter of the index is not kept */
	while (pairs && builder->index[pairs - 1] == TABLE_NOT_LISTED)
		pairs--;
	registry->ports = (pairs + REGISTRY_TRANSPORTS - 1) / REGISTRY_TRANSPORTS;
	pairs = registry->ports * REGISTRY_TRANSPORTS;
	registry->entries_count = builder->entries_count;
	registry->strings_len = builder->strings_len;
	registry->index = malloc(pairs ? pairs * sizeof(*registry->index) : 1);
	registry->entries = malloc(registry->entries_count * sizeof(*registry->entries));
	registry->strings = malloc(registry->strings_len);
	registry->source = strdup(source);
	if (!registry->index || !registry->entries || !registry->strings || !registry->source) {
		registry_free(registry);
		return -ENOMEM;
	}
	memcpy(registry->index, builder->index, pairs * sizeof(*registry->index));
	memcpy(registry->strings, builder->strings, registry->strings_len);
	memcpy(registry->date, builder->date, sizeof(registry->date));
	memcpy(registry->digest, builder->digest, sizeof(registry->digest));
	for (size_t i = 0; i < registry->entries_count; i++) {
		const struct table_entry *entry = &builder->entries[i];

		registry->entries[i] = (struct registry_entry){.names = registry->strings + entry->names,
							       .title = registry->strings + entry->title,
							       .registered = entry->registered,
							       .modified = entry->modified,
							       .removed = entry->removed,
							       .state = entry->state,
							       .flags = entry->flags,
							       .names_count = entry->names_count};
	}
	count_pairs(registry);
	*ret = registry;
	return 0;
}
