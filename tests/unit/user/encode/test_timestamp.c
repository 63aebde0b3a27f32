/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "user/encode/timestamp.h"

static const char *utc(uint64_t time_ns)
{
	static char text[32];
	struct encode_buffer buffer = {.data = text, .size = sizeof(text) - 1};
	struct writer writer;

	writer_begin(&writer, &buffer);
	timestamp_write_utc(&writer, time_ns);
	assert_int_equal(writer_end(&writer, &buffer), 0);
	assert_int_equal(buffer.used, 30);
	text[buffer.used] = '\0';
	return text;
}

static void timestamp_table(void **state)
{
	(void)state;
	assert_string_equal(utc(0), "1970-01-01T00:00:00.000000000Z");
	assert_string_equal(utc(1795321654123456789), "2026-11-22T04:27:34.123456789Z");
	assert_string_equal(utc(951782399999999999), "2000-02-28T23:59:59.999999999Z");
	assert_string_equal(utc(951782400000000000), "2000-02-29T00:00:00.000000000Z");
	assert_string_equal(utc(4107542400000000000), "2100-03-01T00:00:00.000000000Z");
	assert_string_equal(utc(UINT64_MAX), "2554-07-21T23:34:33.709551615Z");
}

/* Each day up to 2554, and random nanoseconds. */
static void timestamp_agrees_with_the_library(void **state)
{
	(void)state;
	srandom(6);
	for (uint64_t day = 0; day < UINT64_MAX / 86400000000000U; day++) {
		uint64_t time_ns =
		    day * 86400000000000U + (uint64_t)random() % 86400 * 1000000000U + (uint64_t)random() % 1000000000U;
		time_t seconds = (time_t)(time_ns / 1000000000U);
		char expected[64];
		struct tm parts;
		size_t len;

		assert_non_null(gmtime_r(&seconds, &parts));
		len = strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S", &parts);
		(void)snprintf(expected + len, sizeof(expected) - len, ".%09uZ", (unsigned int)(time_ns % 1000000000U));
		assert_string_equal(utc(time_ns), expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(timestamp_table),
	    cmocka_unit_test(timestamp_agrees_with_the_library),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
