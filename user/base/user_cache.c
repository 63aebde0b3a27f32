/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/base/user_cache.h"

#include <grp.h>
#include <pwd.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

/*
 * Room for the strings of one entry. Of a user sysconf(_SC_GETPW_R_SIZE_MAX) suggests 1024; a group's have its members,
 * and the name of one with thousands is not worth a larger buffer.
 */
#define STRINGS_BYTES 16384

static void ask_user(struct user_cache_entry *entry, char strings[STRINGS_BYTES])
{
	struct passwd passwd, *found = NULL;

	if (getpwuid_r(entry->id, &passwd, strings, STRINGS_BYTES, &found) == 0 && found &&
	    strlen(found->pw_name) < sizeof(entry->name))
		memcpy(entry->name, found->pw_name, strlen(found->pw_name) + 1);
}

static void ask_group(struct user_cache_entry *entry, char strings[STRINGS_BYTES])
{
	struct group group, *found = NULL;

	if (getgrgid_r(entry->id, &group, strings, STRINGS_BYTES, &found) == 0 && found &&
	    strlen(found->gr_name) < sizeof(entry->name))
		memcpy(entry->name, found->gr_name, strlen(found->gr_name) + 1);
}

static const char *look_up(struct user_cache_entry entries[USER_CACHE_ENTRIES], uint32_t id,
                           void (*ask)(struct user_cache_entry *entry, char *strings))
{
	struct user_cache_entry *entry = &entries[id % USER_CACHE_ENTRIES];
	char strings[STRINGS_BYTES];
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	if (!entry->used || entry->id != id || now.tv_sec >= entry->until) {
		*entry = (struct user_cache_entry){.id = id, .used = true, .until = now.tv_sec + USER_CACHE_SECONDS};
		ask(entry, strings);
	}
	return entry->name[0] ? entry->name : NULL;
}

const char *user_cache_name(struct user_cache *cache, uint32_t uid)
{
	return look_up(cache->users, uid, ask_user);
}

const char *user_cache_group(struct user_cache *cache, uint32_t gid)
{
	return look_up(cache->groups, gid, ask_group);
}
