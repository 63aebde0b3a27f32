/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of users and groups by their number, as the system's name service (NSS) gives them, each asked for once in a
 * while: a lookup may go over the network and take milliseconds. Of fixed size; it forgets a name when another number
 * needs its place.
 */
#ifndef USER_BASE_USER_CACHE_H
#define USER_BASE_USER_CACHE_H

#include <stdbool.h>
#include <stdint.h>

/* Two sets of service accounts of a full host; a power of two. */
#define USER_CACHE_ENTRIES 128

/* LOGIN_NAME_MAX is 256 on Linux, useradd(8) allows 32: a longer name is shown by its number. */
#define USER_CACHE_NAME_LEN 33

/* An account that is made, renamed or removed is noticed within this time. */
#define USER_CACHE_SECONDS 300

struct user_cache_entry {
	uint32_t id;
	bool used;
	int64_t until;                  /* CLOCK_MONOTONIC, seconds */
	char name[USER_CACHE_NAME_LEN]; /* "": it has no name */
};

/* How long a name is waited for; then the number must do, and the name is there for whoever asks later. */
#define USER_CACHE_WAIT_MS 20

/* Of each second the waits take so much in all: who comes with ever new numbers does not hold up the monitor. */
#define USER_CACHE_WAIT_SHARE_MS 100

/* All zeros is an empty cache that waits for NSS as long as it takes. */
struct user_cache {
	struct worker *worker; /* NULL: none */
	int64_t wait_second;   /* CLOCK_MONOTONIC, seconds */
	uint64_t waited_ns;    /* within it */
	struct user_cache_entry users[USER_CACHE_ENTRIES], groups[USER_CACHE_ENTRIES];
};

/*
 * From now on NSS is asked by a thread, and waited for USER_CACHE_WAIT_MS at most: for a monitor, which must not stand
 * still while a directory server does. 0, or -errno with the cache as it was.
 */
int user_cache_begin_thread(struct user_cache *cache);

/* Ends the thread, if there is one; what is in the cache stays. */
void user_cache_end_thread(struct user_cache *cache);

/*
 * The name, or NULL where the user or group has none, or NSS cannot tell. It lives until the next call. The bytes are
 * NSS's, and not to be trusted on a terminal.
 */
const char *user_cache_name(struct user_cache *cache, uint32_t uid);
const char *user_cache_group(struct user_cache *cache, uint32_t gid);

#endif
