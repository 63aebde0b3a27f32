/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A fixed number of slots, of which the one not used for the longest time is given away when all are taken. A slot is
 * an index into the caller's own array; here are only the two keys that it is found by, as hashes. Memory is taken
 * once, and touched as slots are taken: an idle host pays for none of it.
 */
#ifndef USER_JUDGE_RECENT_H
#define USER_JUDGE_RECENT_H

#include <stdint.h>

#define RECENT_KEYS 2
#define RECENT_NONE UINT32_MAX

struct recent;

/* capacity: 1 to 2^24 slots. 0 or -ENOMEM; *ret is freed with recent_free(), which allows NULL. */
int recent_open(uint32_t capacity, struct recent **ret);
void recent_free(struct recent *recent);

/*
 * A slot that is free, or else the one least recently used, which is dropped: what it was found by leads nowhere any
 * more. It is found by these hashes from now on, and the most recently used.
 */
uint32_t recent_take(struct recent *recent, const uint64_t hashes[RECENT_KEYS]);

/*
 * The slot taken last under this hash as key number `key`, and then the one before it; RECENT_NONE where there is none.
 * Two keys may have one hash: the caller compares.
 */
uint32_t recent_find(const struct recent *recent, unsigned int key, uint64_t hash);
uint32_t recent_next(const struct recent *recent, unsigned int key, uint32_t slot);

/* It is in use: the most recently used one. */
void recent_touch(struct recent *recent, uint32_t slot);

/* It is free. */
void recent_drop(struct recent *recent, uint32_t slot);

#endif
