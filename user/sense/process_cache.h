/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who the processes are that made calls, by pid and start time. A process stands in it from its first call on, also
 * when it is gone: events of it may still be under way. It goes when its place is needed, whoever was not asked for the
 * longest first, and among the oldest few those that have ended before those that live.
 */
#ifndef USER_SENSE_PROCESS_CACHE_H
#define USER_SENSE_PROCESS_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/base/process.h"

/* Ten times the processes that bind ports on a busy host; and what they take with all texts at their longest. */
#define PROCESS_CACHE_ENTRIES 8192
#define PROCESS_CACHE_BYTES   (64U << 20)

struct process_cache;

struct process_cache_options {
	size_t entries, bytes; /* at most; entries is not 0 */
	/* Does the process live? It is asked when a place is needed. NULL: it is not known of any. */
	bool (*lives)(void *context, const struct process *process);
	/* This process is not in the cache any more. May be NULL. */
	void (*forgotten)(void *context, const struct process *process);
	void *context;
};

struct process_entry {
	struct process process; /* owned by the cache, with its texts */
	uint64_t examined_ns;   /* the caller's: 0 at first */
	bool enriched;          /* the caller's: false at first */
};

/* 0, or -ENOMEM. *ret is freed with process_cache_free(), which allows NULL; then no process is reported forgotten. */
int process_cache_new(const struct process_cache_options *options, struct process_cache **ret);
void process_cache_free(struct process_cache *cache);

/*
 * Keeps a copy, and forgets what was known of the process's earlier execs, and of this one. But what knows of no
 * executable does not take the place of what does, of the same exec: it was told while the process was exiting.
 * What the cache has of the process now, or NULL: no memory. Valid until the next process_cache_add(), unless pinned.
 */
struct process_entry *process_cache_add(struct process_cache *cache, const struct process *process);

/* This exec of this process, or NULL. Valid as that of process_cache_add(). */
struct process_entry *process_cache_find(struct process_cache *cache, uint32_t pid, uint64_t start_ns,
                                         uint32_t exec_id);

/* It stays where it is, also when the process is forgotten, until it was unpinned as often. NULL is allowed. */
void process_cache_pin(const struct process *process);
void process_cache_unpin(const struct process *process);

#endif
