/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cmocka.h>

#include "user/base/user_cache.h"

/* A user database and a clock of our own: the linker puts these functions before the C library's. */
static unsigned int asked;
static sem_t *hanging; /* NULL: it answers at once */
static useconds_t slowness; /* of each answer, microseconds */
static int64_t passed;      /* seconds */

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	int r = (int)syscall(SYS_clock_gettime, clock, ret);

	if (clock == CLOCK_MONOTONIC_COARSE)
		ret->tv_sec += passed;
	return r;
}

int getgrgid_r(gid_t gid, struct group *group, char *buffer, size_t size, struct group **ret)
{
	static char adm[] = "adm", many[] = "many";

	(void)buffer;
	(void)size;
	memset(group, 0, sizeof(*group));
	group->gr_name = gid == 4 ? adm : many;
	*ret = gid == 4 || gid == 5 ? group : NULL;
	return gid == 5 ? ERANGE : 0;
}

int getpwuid_r(uid_t uid, struct passwd *passwd, char *buffer, size_t size, struct passwd **ret)
{
	static char longest[] = "name-of-exactly-32-bytes-01234567", longer[] = "one-byte-more-than-fits-012345678";
	static char root[] = "root", alice[] = "alice";

	(void)buffer;
	(void)size;
	longest[32] = '\0';
	if (hanging)
		sem_wait(hanging);
	if (slowness)
		(void)usleep(slowness);
	__atomic_add_fetch(&asked, 1, __ATOMIC_SEQ_CST);
	memset(passwd, 0, sizeof(*passwd));
	passwd->pw_name = uid == 0 ? root : uid == 1000 ? alice : uid == 7 ? longest : uid == 8 ? longer : NULL;
	*ret = passwd->pw_name ? passwd : NULL;
	return uid == 9 ? 5 : 0;
}

static void user_names(void **state)
{
	struct user_cache cache = {0};

	(void)state;
	assert_string_equal(user_cache_name(&cache, 0), "root");
	assert_string_equal(user_cache_name(&cache, 1000), "alice");
	assert_string_equal(user_cache_name(&cache, 7), "name-of-exactly-32-bytes-0123456");
	assert_null(user_cache_name(&cache, 8));
	assert_null(user_cache_name(&cache, 9));
	assert_null(user_cache_name(&cache, UINT32_MAX));
}

static void user_is_asked_for_once(void **state)
{
	struct user_cache cache = {0};

	(void)state;
	asked = 0;
	for (unsigned int i = 0; i < 10; i++) {
		assert_string_equal(user_cache_name(&cache, 1000), "alice");
		assert_null(user_cache_name(&cache, 1001)); /* who has no name is not asked for again */
	}
	assert_int_equal(asked, 2);
}

static void user_takes_the_place_of_another(void **state)
{
	struct user_cache cache = {0};

	(void)state;
	assert_string_equal(user_cache_name(&cache, 0), "root");
	assert_null(user_cache_name(&cache, USER_CACHE_ENTRIES));
	assert_string_equal(user_cache_name(&cache, 0), "root");
}

static void user_group_names(void **state)
{
	struct user_cache cache = {0};

	(void)state;
	assert_string_equal(user_cache_name(&cache, 0), "root");
	assert_null(user_cache_group(&cache, 0)); /* a number of its own kind */
	assert_string_equal(user_cache_group(&cache, 4), "adm");
	assert_null(user_cache_group(&cache, 5)); /* too many members for the buffer */
}

static void user_is_asked_for_again_after_a_while(void **state)
{
	struct user_cache cache = {0};

	(void)state;
	asked = 0;
	assert_string_equal(user_cache_name(&cache, 1000), "alice");
	assert_null(user_cache_name(&cache, 1001));
	passed += USER_CACHE_SECONDS - 2;
	assert_string_equal(user_cache_name(&cache, 1000), "alice");
	assert_null(user_cache_name(&cache, 1001));
	assert_int_equal(asked, 2);
	passed += 3;
	assert_string_equal(user_cache_name(&cache, 1000), "alice");
	assert_null(user_cache_name(&cache, 1001));
	assert_int_equal(asked, 4);
}

/* The name until the thread that looks it up has it; what it waits for comes with this test's own patience. */
static void assert_name_comes(struct user_cache *cache, uint32_t uid, const char *name)
{
	const char *found = NULL;

	for (unsigned int i = 0; i < 60000 && !found; i++) {
		found = user_cache_name(cache, uid);
		(void)usleep(found ? 0 : 1000);
	}
	assert_non_null(found);
	assert_string_equal(found, name);
}

static void user_is_not_waited_for(void **state)
{
	struct user_cache cache = {0};
	sem_t server;

	(void)state;
	assert_int_equal(sem_init(&server, 0, 0), 0);
	assert_int_equal(user_cache_begin_thread(&cache), 0);
	assert_name_comes(&cache, 0, "root");
	hanging = &server;
	passed += USER_CACHE_SECONDS + 1;
	assert_string_equal(user_cache_name(&cache, 0), "root"); /* out of date, and better than nothing */
	assert_null(user_cache_name(&cache, 1000));
	assert_null(user_cache_name(&cache, 1000));
	for (unsigned int i = 0; i < 10; i++)
		sem_post(&server);
	assert_name_comes(&cache, 1000, "alice");
	assert_name_comes(&cache, 7, "name-of-exactly-32-bytes-0123456");
	user_cache_end_thread(&cache);
	hanging = NULL;
	assert_string_equal(user_cache_name(&cache, 1000), "alice");
	sem_destroy(&server);
}

/* Each answer comes within the wait; all of them together would be four times the share of a second. */
static void user_waits_have_their_share(void **state)
{
	enum { ANSWER_MS = 10, QUESTIONS = 4 * USER_CACHE_WAIT_SHARE_MS / ANSWER_MS };
	struct user_cache cache = {0};
	unsigned int begin, waits = 0;

	(void)state;
	assert_int_equal(user_cache_begin_thread(&cache), 0);
	slowness = ANSWER_MS * 1000;
	for (uint32_t uid = 2000; uid < 2000 + QUESTIONS; uid++) {
		begin = __atomic_load_n(&asked, __ATOMIC_SEQ_CST);
		(void)user_cache_name(&cache, uid);
		waits += __atomic_load_n(&asked, __ATOMIC_SEQ_CST) != begin;
	}
	slowness = 0;
	user_cache_end_thread(&cache);
	assert_true(waits > 0);
	/* a second may begin meanwhile, and one wait begins with what is left */
	assert_true(waits <= 2 * (USER_CACHE_WAIT_SHARE_MS / ANSWER_MS + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(user_names),
	    cmocka_unit_test(user_is_asked_for_once),
	    cmocka_unit_test(user_takes_the_place_of_another),
	    cmocka_unit_test(user_group_names),
	    cmocka_unit_test(user_is_asked_for_again_after_a_while),
	    cmocka_unit_test(user_is_not_waited_for),
	    cmocka_unit_test(user_waits_have_their_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
