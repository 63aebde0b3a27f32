/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/judge/recent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct link {
	uint32_t next, previous; /* RECENT_NONE: there is none */
};

struct slot {
	uint64_t hashes[RECENT_KEYS];
	struct link chains[RECENT_KEYS]; /* of those in one bucket */
	struct link age;                 /* next: used before this one. Of a free slot: the next free one */
};

struct recent {
	uint32_t capacity, mask; /* mask: buckets - 1 */
	uint32_t newest, oldest, free, untouched;
	uint32_t *buckets[RECENT_KEYS];
	struct slot *slots;
};

int recent_open(uint32_t capacity, struct recent **ret)
{
	struct recent *recent = calloc(1, sizeof(*recent));
	uint32_t buckets = 1;

	if (!recent)
		return -ENOMEM;
	while (buckets < capacity)
		buckets *= 2;
	recent->capacity = capacity;
	recent->mask = buckets - 1;
	recent->newest = recent->oldest = recent->free = RECENT_NONE;
	/* not cleared: a slot is written when it is taken, and pages that nobody wrote cost nothing */
	recent->slots = malloc(capacity * sizeof(*recent->slots));
	for (unsigned int key = 0; key < RECENT_KEYS; key++)
		recent->buckets[key] = malloc(buckets * sizeof(*recent->buckets[key]));
	if (!recent->slots || !recent->buckets[0] || !recent->buckets[1]) {
		recent_free(recent);
		return -ENOMEM;
	}
	for (unsigned int key = 0; key < RECENT_KEYS; key++)
		memset(recent->buckets[key], 0xff, buckets * sizeof(*recent->buckets[key]));
	*ret = recent;
	return 0;
}

void recent_free(struct recent *recent)
{
	if (!recent)
		return;
	for (unsigned int key = 0; key < RECENT_KEYS; key++)
		free(recent->buckets[key]);
	free(recent->slots);
	free(recent);
}

static uint32_t *bucket_of(const struct recent *recent, unsigned int key, uint64_t hash)
{
	return &recent->buckets[key][(uint32_t)(hash >> 32) & recent->mask];
}

static void chain_in(struct recent *recent, unsigned int key, uint32_t index)
{
	struct slot *slot = &recent->slots[index];
	uint32_t *bucket = bucket_of(recent, key, slot->hashes[key]);

	slot->chains[key] = (struct link){.next = *bucket, .previous = RECENT_NONE};
	if (*bucket != RECENT_NONE)
		recent->slots[*bucket].chains[key].previous = index;
	*bucket = index;
}

static void chain_out(struct recent *recent, unsigned int key, uint32_t index)
{
	const struct link *link = &recent->slots[index].chains[key];

	if (link->previous == RECENT_NONE)
		*bucket_of(recent, key, recent->slots[index].hashes[key]) = link->next;
	else
		recent->slots[link->previous].chains[key].next = link->next;
	if (link->next != RECENT_NONE)
		recent->slots[link->next].chains[key].previous = link->previous;
}

static void age_in(struct recent *recent, uint32_t index)
{
	recent->slots[index].age = (struct link){.next = recent->newest, .previous = RECENT_NONE};
	if (recent->newest == RECENT_NONE)
		recent->oldest = index;
	else
		recent->slots[recent->newest].age.previous = index;
	recent->newest = index;
}

static void age_out(struct recent *recent, uint32_t index)
{
	const struct link *age = &recent->slots[index].age;

	if (age->previous == RECENT_NONE)
		recent->newest = age->next;
	else
		recent->slots[age->previous].age.next = age->next;
	if (age->next == RECENT_NONE)
		recent->oldest = age->previous;
	else
		recent->slots[age->next].age.previous = age->previous;
}

void recent_drop(struct recent *recent, uint32_t slot)
{
	for (unsigned int key = 0; key < RECENT_KEYS; key++)
		chain_out(recent, key, slot);
	age_out(recent, slot);
	recent->slots[slot].age.next = recent->free;
	recent->free = slot;
}

uint32_t recent_take(struct recent *recent, const uint64_t hashes[RECENT_KEYS])
{
	uint32_t index;

	if (recent->free == RECENT_NONE && recent->untouched == recent->capacity)
		recent_drop(recent, recent->oldest);
	index = recent->free;
	if (index == RECENT_NONE)
		index = recent->untouched++;
	else
		recent->free = recent->slots[index].age.next;
	for (unsigned int key = 0; key < RECENT_KEYS; key++) {
		recent->slots[index].hashes[key] = hashes[key];
		chain_in(recent, key, index);
	}
	age_in(recent, index);
	return index;
}

static uint32_t same_hash(const struct recent *recent, unsigned int key, uint32_t index, uint64_t hash)
{
	while (index != RECENT_NONE && recent->slots[index].hashes[key] != hash)
		index = recent->slots[index].chains[key].next;
	return index;
}

uint32_t recent_find(const struct recent *recent, unsigned int key, uint64_t hash)
{
	return same_hash(recent, key, *bucket_of(recent, key, hash), hash);
}

uint32_t recent_next(const struct recent *recent, unsigned int key, uint32_t slot)
{
	return same_hash(recent, key, recent->slots[slot].chains[key].next, recent->slots[slot].hashes[key]);
}

void recent_touch(struct recent *recent, uint32_t slot)
{
	age_out(recent, slot);
	age_in(recent, slot);
}
