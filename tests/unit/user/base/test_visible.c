/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "user/base/visible.h"

#define TEXT_MAX 64

static size_t show(const char *text, size_t len, unsigned int flags, char *out)
{
	size_t used = 0;

	while (len) {
		size_t taken;

		used += visible_next(text, len, flags, out + used, &taken);
		assert_in_range(taken, 1, 4);
		assert_true(taken <= len);
		text += taken;
		len -= taken;
	}
	out[used] = '\0';
	return used;
}

static void visible_table(void **state)
{
	static const struct {
		const char *text, *shown;
	} table[] = {
	    {"nginx", "nginx"},
	    {"Web Content", "Web Content"},
	    {"caf\xc3\xa9 \xf0\x9f\x98\x80", "caf\xc3\xa9 \xf0\x9f\x98\x80"},
	    {"\x1b[31m", "\\x1b[31m"},
	    {"a\nb\tc\rd", "a\\nb\\tc\\rd"},
	    {"\x01\x1f\x7f", "\\x01\\x1f\\x7f"},
	    {"a\\b", "a\\\\b"},
	    {"\\x1b", "\\\\x1b"},
	    {"\xff\xc0\x80", "\\xff\\xc0\\x80"},
	    {"\xc2\x85", "\\u0085"}, /* NEL breaks the line on some terminals */
	    {"\xc2\x9b"
	     "31m",
	     "\\u009b31m"}, /* CSI in one character */
	    {"\xc2\xa0", "\xc2\xa0"},
	    {"\xe2\x80\x8b", "\\u200b"},
	    {"\xe2\x80\x8e\xe2\x80\x8f", "\\u200e\\u200f"},
	    {"\xe2\x80\xa8\xe2\x80\xa9", "\\u2028\\u2029"},
	    {"\xe2\x80\xaa\xe2\x80\xae", "\\u202a\\u202e"},
	    {"\xe2\x81\xa6\xe2\x81\xa9", "\\u2066\\u2069"},
	    {"\xef\xbb\xbf", "\\ufeff"},
	    {"\xf3\xa0\x80\x81", "\\U000e0001"},
	    {"\xed\xa0\x80", "\\xed\\xa0\\x80"},
	    {"\xe2\x82", "\\xe2\\x82"},
	};
	char shown[TEXT_MAX * VISIBLE_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		show(table[i].text, strlen(table[i].text), VISIBLE_BACKSLASH, shown);
		assert_string_equal(shown, table[i].shown);
	}
	show("\0", 1, 0, shown);
	assert_string_equal(shown, "\\x00");
}

/* A message that shows an escape already keeps it. */
static void visible_keeps_a_backslash_if_asked(void **state)
{
	char shown[TEXT_MAX * VISIBLE_MAX + 1];

	(void)state;
	show("a\\x1b\x1b", 6, 0, shown);
	assert_string_equal(shown, "a\\x1b\\x1b");
}

static size_t put_utf8(uint32_t c, char *out)
{
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* The inverse that visible.h implies. */
static size_t hide(const char *shown, char *out)
{
	size_t used = 0;

	while (*shown) {
		char digits[9] = "";

		if (*shown != '\\') {
			out[used++] = *shown++;
			continue;
		}
		switch (shown[1]) {
		case 'x':
			memcpy(digits, shown + 2, 2);
			out[used++] = (char)strtoul(digits, NULL, 16);
			shown += 4;
			break;
		case 'u':
			memcpy(digits, shown + 2, 4);
			used += put_utf8((uint32_t)strtoul(digits, NULL, 16), out + used);
			shown += 6;
			break;
		case 'U':
			memcpy(digits, shown + 2, 8);
			used += put_utf8((uint32_t)strtoul(digits, NULL, 16), out + used);
			shown += 10;
			break;
		default:
			out[used++] = shown[1] == 'n' ? '\n' : shown[1] == 't' ? '\t' : shown[1] == 'r' ? '\r' : '\\';
			shown += 2;
		}
	}
	return used;
}

/* No two texts look alike, for each can be had back. */
static void visible_is_reversible(void **state)
{
	static const char pieces[] = "\\\\xu0\n\t\x1b\x7f\xc2\x80\x9b\xe2\x80\xae\xa8\xf3\xa0\x81\xff\xed a";
	char text[TEXT_MAX], back[TEXT_MAX * VISIBLE_MAX], shown[TEXT_MAX * VISIBLE_MAX + 1];

	(void)state;
	srandom(1);
	for (unsigned int round = 0; round < 100000; round++) {
		size_t len = (size_t)random() % TEXT_MAX;

		for (size_t i = 0; i < len; i++)
			text[i] = round % 2 ? (char)random() : pieces[(size_t)random() % (sizeof(pieces) - 1)];
		show(text, len, VISIBLE_BACKSLASH, shown);
		for (const char *c = shown; *c; c++)
			assert_true((uint8_t)*c >= 0x20 && *c != 0x7f);
		assert_int_equal(hide(shown, back), len);
		assert_memory_equal(back, text, len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(visible_table),
	    cmocka_unit_test(visible_keeps_a_backslash_if_asked),
	    cmocka_unit_test(visible_is_reversible),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
