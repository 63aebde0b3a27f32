/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "user/base/utf8.h"

/* The boundaries of RFC 3629, section 4, and what lies just outside of them. */
static void utf8_table(void **state)
{
	static const struct {
		const char *text;
		size_t size;
		uint32_t character;
	} table[] = {
	    {"a", 1, 'a'},
	    {"\x7f", 1, 0x7f},
	    {"\xc2\x80", 2, 0x80},
	    {"\xdf\xbf", 2, 0x7ff},
	    {"\xe0\xa0\x80", 3, 0x800},
	    {"\xed\x9f\xbf", 3, 0xd7ff},
	    {"\xee\x80\x80", 3, 0xe000},
	    {"\xef\xbf\xbf", 3, 0xffff},
	    {"\xf0\x90\x80\x80", 4, 0x10000},
	    {"\xf4\x8f\xbf\xbf", 4, 0x10ffff},
	    {"\x80", 0, 0},	    /* a continuation alone */
	    {"\xc0\x80", 0, 0},	    /* overlong NUL */
	    {"\xc1\xbf", 0, 0},	    /* overlong 0x7f */
	    {"\xe0\x9f\xbf", 0, 0}, /* overlong 0x7ff */
	    {"\xf0\x8f\xbf\xbf", 0, 0},
	    {"\xed\xa0\x80", 0, 0}, /* surrogates */
	    {"\xed\xbf\xbf", 0, 0},
	    {"\xf4\x90\x80\x80", 0, 0}, /* above U+10FFFF */
	    {"\xf5\x80\x80\x80", 0, 0},
	    {"\xff", 0, 0},
	    {"\xc3", 0, 0}, /* truncated */
	    {"\xe2\x82", 0, 0},
	    {"\xf0\x9f\x98", 0, 0},
	    {"\xc3(", 0, 0},
	    {"\xe2\x82(", 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint32_t character = 0;

		assert_int_equal(utf8_decode(table[i].text, strlen(table[i].text), &character), table[i].size);
		assert_int_equal(character, table[i].character);
	}
}

/* The bytes behind len are not text. */
static void utf8_stops_at_the_end(void **state)
{
	uint32_t character;

	(void)state;
	assert_int_equal(utf8_decode("\xe2\x82\xac", 2, &character), 0);
	assert_int_equal(utf8_decode("\xe2\x82\xac", 3, &character), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(utf8_table),
	    cmocka_unit_test(utf8_stops_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
