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

/* All zeros is an empty cache. */
struct user_cache {
	struct user_cache_entry users[USER_CACHE_ENTRIES], groups[USER_CACHE_ENTRIES];
};

/*
 * The name, or NULL where the user or group has none, or NSS cannot tell. It lives until the next call. The bytes are
 * NSS's, and not to be trusted on a terminal.
 */
const char *user_cache_name(struct user_cache *cache, uint32_t uid);
const char *user_cache_group(struct user_cache *cache, uint32_t gid);

#endif
