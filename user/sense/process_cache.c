/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sense/process_cache.h"

#include <errno.h>
#include <stdlib.h>

/* Of the oldest entries, how many are asked whether they have ended; each question is a look into /proc. */
#define OLDEST_ASKED 8

struct slot {
	struct process_entry entry; /* first: what is handed out leads back to the slot */
	struct slot *next;          /* of its bucket */
	struct slot *older, *newer; /* by when it was last asked for */
	size_t size;
	unsigned int pins;
	bool forgotten; /* in neither list; freed with its last pin */
	char texts[];
};

struct process_cache {
	struct process_cache_options options;
	struct slot **buckets;
	size_t buckets_count; /* a power of two */
	struct slot *oldest, *newest;
	size_t entries, bytes;
};

static struct slot **bucket_of(const struct process_cache *cache, uint32_t pid, uint64_t start_ns)
{
	uint64_t hash = (start_ns ^ pid) * 0x9e3779b97f4a7c15ULL;

	return &cache->buckets[(hash >> 32) & (cache->buckets_count - 1)];
}

/* The place of the pointer to the slot of this process; *place is NULL where there is none. */
static struct slot **find_place(const struct process_cache *cache, uint32_t pid, uint64_t start_ns)
{
	struct slot **place = bucket_of(cache, pid, start_ns);

	while (*place && ((*place)->entry.process.pid != pid || (*place)->entry.process.start_ns != start_ns))
		place = &(*place)->next;
	return place;
}

static void unlink_age(struct process_cache *cache, struct slot *slot)
{
	*(slot->older ? &slot->older->newer : &cache->oldest) = slot->newer;
	*(slot->newer ? &slot->newer->older : &cache->newest) = slot->older;
	slot->older = slot->newer = NULL;
}

static void link_newest(struct process_cache *cache, struct slot *slot)
{
	slot->older = cache->newest;
	*(cache->newest ? &cache->newest->newer : &cache->oldest) = slot;
	cache->newest = slot;
}

/* Takes it out of the cache; the memory goes with the last pin. */
static void drop(struct process_cache *cache, struct slot *slot)
{
	const struct process *process = &slot->entry.process;

	*find_place(cache, process->pid, process->start_ns) = slot->next;
	unlink_age(cache, slot);
	cache->entries--;
	cache->bytes -= slot->size;
	slot->forgotten = true;
	if (!slot->pins)
		free(slot);
}

static bool lives(const struct process_cache *cache, const struct slot *slot)
{
	return cache->options.lives && cache->options.lives(cache->options.context, &slot->entry.process);
}

static void forget_one(struct process_cache *cache)
{
	struct slot *slot = cache->oldest;

	for (unsigned int i = 0; slot && i < OLDEST_ASKED && lives(cache, slot); i++)
		slot = slot->newer;
	if (!slot || slot == cache->newest)
		slot = cache->oldest;
	if (cache->options.forgotten)
		cache->options.forgotten(cache->options.context, &slot->entry.process);
	drop(cache, slot);
}

static void make_room(struct process_cache *cache, size_t size)
{
	while (cache->oldest &&
	       (cache->entries >= cache->options.entries || cache->bytes + size > cache->options.bytes))
		forget_one(cache);
}

int process_cache_new(const struct process_cache_options *options, struct process_cache **ret)
{
	struct process_cache *cache = calloc(1, sizeof(*cache));

	if (!cache)
		return -ENOMEM;
	cache->options = *options;
	cache->buckets_count = 1;
	while (cache->buckets_count < options->entries)
		cache->buckets_count *= 2;
	cache->buckets = calloc(cache->buckets_count, sizeof(struct slot *));
	if (!cache->buckets) {
		free(cache);
		return -ENOMEM;
	}
	*ret = cache;
	return 0;
}

void process_cache_free(struct process_cache *cache)
{
	if (!cache)
		return;
	while (cache->oldest)
		drop(cache, cache->oldest);
	free(cache->buckets);
	free(cache);
}

struct process_entry *process_cache_add(struct process_cache *cache, const struct process *process)
{
	struct slot *old = *find_place(cache, process->pid, process->start_ns), *slot;
	size_t texts = process_texts_size(process);

	if (old && old->entry.process.exec_id == process->exec_id && old->entry.process.executable.path &&
	    !process->executable.path)
		return &old->entry;
	slot = calloc(1, sizeof(*slot) + texts);
	if (!slot)
		return NULL;
	process_copy(process, &slot->entry.process, slot->texts);
	slot->size = sizeof(*slot) + texts;
	if (old)
		drop(cache, old);
	make_room(cache, slot->size);
	slot->next = *bucket_of(cache, process->pid, process->start_ns);
	*bucket_of(cache, process->pid, process->start_ns) = slot;
	link_newest(cache, slot);
	cache->entries++;
	cache->bytes += slot->size;
	return &slot->entry;
}

struct process_entry *process_cache_find(struct process_cache *cache, uint32_t pid, uint64_t start_ns, uint32_t exec_id)
{
	struct slot *slot = *find_place(cache, pid, start_ns);

	if (!slot || slot->entry.process.exec_id != exec_id)
		return NULL;
	unlink_age(cache, slot);
	link_newest(cache, slot);
	return &slot->entry;
}

void process_cache_pin(const struct process *process)
{
	if (process)
		((struct slot *)(uintptr_t)process)->pins++;
}

void process_cache_unpin(const struct process *process)
{
	struct slot *slot = (struct slot *)(uintptr_t)process;

	if (slot && --slot->pins == 0 && slot->forgotten)
		free(slot);
}
