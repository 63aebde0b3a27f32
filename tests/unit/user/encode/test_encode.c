/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "user/encode/encode.h"

static void encoder_table(void **state)
{
	(void)state;
	assert_string_equal(encoder_find("json")->name, "json");
	assert_null(encoder_find("json")->header);
	assert_string_equal(encoder_find("text")->name, "text");
	assert_non_null(encoder_find("text")->header);
	assert_null(encoder_find("JSON"));
	assert_null(encoder_find(""));
	assert_null(encoder_find("jso"));
}

static void host_is_this_one(void **state)
{
	struct encode_host host;
	char name[65] = "", boot_id[64] = "";
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "r");

	(void)state;
	assert_non_null(file);
	assert_non_null(fgets(boot_id, sizeof(boot_id), file));
	(void)fclose(file);
	boot_id[strcspn(boot_id, "\n")] = '\0';
	assert_int_equal(gethostname(name, sizeof(name)), 0);

	memset(&host, 0xff, sizeof(host));
	assert_int_equal(encode_host_init(&host, "2026-08-17"), 0);
	assert_string_equal(host.hostname, name);
	assert_string_equal(host.boot_id, boot_id);
	assert_string_equal(host.registry_date, "2026-08-17");
	assert_null(host.users);
	assert_false(host.color || host.local_time);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(encoder_table),
	    cmocka_unit_test(host_is_this_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
