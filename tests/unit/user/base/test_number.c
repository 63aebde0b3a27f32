/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "user/base/number.h"

static void number_table(void **state)
{
	static const struct {
		const char *text;
		uint64_t min, max;
		int error;
		uint64_t value;
	} table[] = {
	    {"0", 0, 65535, 0, 0},
	    {"65535", 0, 65535, 0, 65535},
	    {"65536", 0, 65535, -ERANGE, 0},
	    {"0", 1, 65535, -ERANGE, 0},
	    {"00080", 0, 65535, 0, 80},
	    {"18446744073709551615", 0, UINT64_MAX, 0, UINT64_MAX},
	    {"18446744073709551616", 0, UINT64_MAX, -ERANGE, 0},
	    {"99999999999999999999999999999999", 0, UINT64_MAX, -ERANGE, 0},
	    {"", 0, 9, -EINVAL, 0},
	    {"-1", 0, 9, -EINVAL, 0},
	    {"+1", 0, 9, -EINVAL, 0},
	    {" 1", 0, 9, -EINVAL, 0},
	    {"1 ", 0, 9, -EINVAL, 0},
	    {"1\n", 0, 9, -EINVAL, 0},
	    {"0x1", 0, 9, -EINVAL, 0},
	    {"1e3", 0, 9000, -EINVAL, 0},
	    {"\xd9\xa1", 0, 9, -EINVAL, 0}, /* U+0661, a digit of another script */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint64_t value = 4711;

		assert_int_equal(number_parse(table[i].text, table[i].min, table[i].max, &value), table[i].error);
		assert_int_equal(value, table[i].error ? 4711 : table[i].value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(number_table)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
