/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of users by their number, as the system's name service (NSS) gives them, each asked for once: a lookup may go
 * over the network and take milliseconds. Of fixed size; it forgets a name when another number needs its place.
 */
#ifndef USER_BASE_USER_CACHE_H
#define USER_BASE_USER_CACHE_H

#include <stdbool.h>
#include <stdint.h>

/* Two sets of service accounts of a full host; a power of two. */
#define USER_CACHE_ENTRIES 128

/* LOGIN_NAME_MAX is 256 on Linux, useradd(8) allows 32: a longer name is shown by its number. */
#define USER_CACHE_NAME_LEN 33

/* All zeros is an empty cache. */
struct user_cache {
	struct user_cache_entry {
		uint32_t uid;
		bool used;
		char name[USER_CACHE_NAME_LEN]; /* "": the user has no name */
	} entries[USER_CACHE_ENTRIES];
};

/*
 * The name, or NULL where the user has none, or NSS cannot tell. It lives until the next call. The bytes are NSS's, and
 * not to be trusted on a terminal.
 */
const char *user_cache_name(struct user_cache *cache, uint32_t uid);

#endif
