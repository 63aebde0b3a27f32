/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/base/user_cache.h"

#include <grp.h>
#include <pwd.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include "user/base/worker.h"

/*
 * Room for the strings of one entry. Of a user sysconf(_SC_GETPW_R_SIZE_MAX) suggests 1024; a group's have its members,
 * and the name of one with thousands is not worth a larger buffer.
 */
#define STRINGS_BYTES 16384

struct question {
	bool of_group;
	uint32_t id;
	char name[USER_CACHE_NAME_LEN]; /* the answer; "": it has none */
};

static void keep_name(struct question *question, const char *name)
{
	if (strlen(name) < sizeof(question->name))
		memcpy(question->name, name, strlen(name) + 1);
}

static void ask(void *context, void *job)
{
	struct question *question = job;
	char strings[STRINGS_BYTES];
	struct passwd passwd, *user = NULL;
	struct group entry, *group = NULL;

	(void)context;
	if (question->of_group) {
		if (getgrgid_r(question->id, &entry, strings, sizeof(strings), &group) == 0 && group)
			keep_name(question, group->gr_name);
	} else if (getpwuid_r(question->id, &passwd, strings, sizeof(strings), &user) == 0 && user) {
		keep_name(question, user->pw_name);
	}
}

static struct user_cache_entry *find_entry(struct user_cache *cache, const struct question *question)
{
	return &(question->of_group ? cache->groups : cache->users)[question->id % USER_CACHE_ENTRIES];
}

static void keep(struct user_cache *cache, const struct question *question, int64_t now)
{
	struct user_cache_entry *entry = find_entry(cache, question);

	*entry = (struct user_cache_entry){.id = question->id, .used = true, .until = now + USER_CACHE_SECONDS};
	memcpy(entry->name, question->name, sizeof(entry->name));
}

static void collect(struct user_cache *cache, unsigned int milliseconds, int64_t now)
{
	struct question answered;

	if (worker_collect(cache->worker, milliseconds, &answered))
		keep(cache, &answered, now);
}

static bool is_fresh(const struct user_cache_entry *entry, uint32_t id, int64_t now)
{
	return entry->used && entry->id == id && now < entry->until;
}

static uint64_t nanoseconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void wait_a_while(struct user_cache *cache, int64_t now)
{
	uint64_t begin = nanoseconds();

	if (cache->wait_second != now) {
		cache->wait_second = now;
		cache->waited_ns = 0;
	}
	collect(cache, cache->waited_ns < USER_CACHE_WAIT_SHARE_MS * 1000000ULL ? USER_CACHE_WAIT_MS : 0, now);
	cache->waited_ns += nanoseconds() - begin;
}

static void renew(struct user_cache *cache, struct question *question, int64_t now)
{
	if (!cache->worker) {
		ask(NULL, question);
		keep(cache, question, now);
		return;
	}
	/* what came too late for whoever asked for it */
	collect(cache, 0, now);
	if (!is_fresh(find_entry(cache, question), question->id, now) && worker_give(cache->worker, question))
		wait_a_while(cache, now);
}

static const char *look_up(struct user_cache *cache, struct question question)
{
	struct user_cache_entry *entry = find_entry(cache, &question);
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	if (!is_fresh(entry, question.id, now.tv_sec))
		renew(cache, &question, now.tv_sec);
	/* a name that is old is better than none */
	return entry->used && entry->id == question.id && entry->name[0] ? entry->name : NULL;
}

const char *user_cache_name(struct user_cache *cache, uint32_t uid)
{
	return look_up(cache, (struct question){.id = uid});
}

const char *user_cache_group(struct user_cache *cache, uint32_t gid)
{
	return look_up(cache, (struct question){.of_group = true, .id = gid});
}

int user_cache_begin_thread(struct user_cache *cache)
{
	const struct worker_task task = {.work = ask, .job_bytes = sizeof(struct question)};

	return worker_open(&task, &cache->worker);
}

void user_cache_end_thread(struct user_cache *cache)
{
	worker_close(cache->worker);
	cache->worker = NULL;
}
