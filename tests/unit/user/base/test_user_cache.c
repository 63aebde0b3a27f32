/* SPDX-License-Identifier: BSD-2-Clause */
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "user/base/user_cache.h"

/* A user database of our own: the linker puts this function before the C library's. */
static unsigned int asked;

int getpwuid_r(uid_t uid, struct passwd *passwd, char *buffer, size_t size, struct passwd **ret)
{
	static char longest[] = "name-of-exactly-32-bytes-01234567", longer[] = "one-byte-more-than-fits-012345678";
	static char root[] = "root", alice[] = "alice";

	(void)buffer;
	(void)size;
	longest[32] = '\0';
	asked++;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(user_names),
	    cmocka_unit_test(user_is_asked_for_once),
	    cmocka_unit_test(user_takes_the_place_of_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
