/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/base/user_cache.h"

#include <pwd.h>
#include <stddef.h>
#include <string.h>

/* Room for the strings of one passwd entry: what sysconf(_SC_GETPW_R_SIZE_MAX) suggests is 1024. */
#define PASSWD_BYTES 4096

static void look_up(struct user_cache_entry *entry, uint32_t uid)
{
	char strings[PASSWD_BYTES];
	struct passwd passwd, *found = NULL;

	*entry = (struct user_cache_entry){.uid = uid, .used = true};
	if (getpwuid_r(uid, &passwd, strings, sizeof(strings), &found) != 0 || !found)
		return;
	if (strlen(found->pw_name) < sizeof(entry->name))
		memcpy(entry->name, found->pw_name, strlen(found->pw_name) + 1);
}

const char *user_cache_name(struct user_cache *cache, uint32_t uid)
{
	struct user_cache_entry *entry = &cache->entries[uid % USER_CACHE_ENTRIES];

	if (!entry->used || entry->uid != uid)
		look_up(entry, uid);
	return entry->name[0] ? entry->name : NULL;
}
