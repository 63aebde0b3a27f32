/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "user/base/errno_name.h"

/* glibc's own table, from 2.32 on */
static void errno_agrees_with_the_library(void **state)
{
#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 32)
	(void)state;
	for (int error = 1; error < 600; error++) {
		const char *expected = strerrorname_np(error);

		if (error != 524)
			assert_string_equal(errno_name(error), expected ? expected : "");
	}
#else
	(void)state;
	print_message("skipped: this C library has no strerrorname_np()\n");
	skip();
#endif
}

static void errno_table(void **state)
{
	(void)state;
	assert_string_equal(errno_name(EADDRINUSE), "EADDRINUSE");
	assert_string_equal(errno_name(EACCES), "EACCES");
	assert_string_equal(errno_name(EADDRNOTAVAIL), "EADDRNOTAVAIL");
	assert_string_equal(errno_name(EPERM), "EPERM");
	assert_string_equal(errno_name(EHWPOISON), "EHWPOISON");
	assert_string_equal(errno_name(524), "ENOTSUPP");
	assert_string_equal(errno_name(0), "");
	assert_string_equal(errno_name(41), ""); /* a number that Linux left out */
	assert_string_equal(errno_name(-EPERM), "");
	assert_string_equal(errno_name(EHWPOISON + 1), "");
	assert_string_equal(errno_name(INT_MAX), "");
	assert_string_equal(errno_name(INT_MIN), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(errno_agrees_with_the_library),
	    cmocka_unit_test(errno_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
