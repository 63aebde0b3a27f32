/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/text.h"

#include "tests/unit/registry/fixture.h"

static void dates(void **state)
{
	static const struct {
		const char *text;
		int64_t date; /* -1: refused */
	} table[] = {
	    {"", 0},
	    {"2014-05-23", 20140523},
	    {"2014-05", 20140500},
	    {"2000-02-29", 20000229},
	    {"1900-02-28", -1},
	    {"2100-02-29", -1},
	    {"2024-02-30", -1},
	    {"2014-00", -1},
	    {"2014-13", -1},
	    {"2014-01-00", -1},
	    {"2014-04-31", -1},
	    {"2014-12-31", 20141231},
	    {"2014", -1},
	    {"2014-5-23", -1},
	    {"2014-05-2", -1},
	    {"2014-05-233", -1},
	    {"2014/05/23", -1},
	    {"20140523", -1},
	    {" 2014-05", -1},
	    {"2014-05 ", -1},
	    {"+014-05-23", -1},
	    {"2014-0x-23", -1},
	    {"2014-05-23T00", -1},
	    {"1968-12", -1},
	    {"9999-12-31", 99991231},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		uint32_t date = 42;
		char back[11];
		int r = text_date(table[i].text, &date);

		if ((r == 0) != (table[i].date >= 0) || (r < 0 && date != 42) || (!r && date != table[i].date))
			fail_msg("\"%s\": %d, %u", table[i].text, r, date);
		if (r < 0)
			continue;
		text_date_write(date, back);
		assert_string_equal(back, table[i].text);
	}
}

static void ports(void **state)
{
	static const struct {
		const char *text;
		int first, last; /* -1: refused */
	} table[] = {
	    {"0", 0, 0},
	    {"65535", 65535, 65535},
	    {"6000-6063", 6000, 6063},
	    {"4748-4748", 4748, 4748},
	    {"0-65535", 0, 65535},
	    {"65536", -1, -1},
	    {"1-65536", -1, -1},
	    {"9-3", -1, -1},
	    {"", -1, -1},
	    {"-", -1, -1},
	    {"1-", -1, -1},
	    {"-1", -1, -1},
	    {"00", -1, -1},
	    {"01-2", -1, -1},
	    {"1--2", -1, -1},
	    {"1-2-3", -1, -1},
	    {"80x", -1, -1},
	    {"0x50", -1, -1},
	    {"1 -2", -1, -1},
	    {"123456789012", -1, -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		uint16_t first = 42, last = 42;
		int r = text_ports(table[i].text, &first, &last);

		if (table[i].first < 0 ? r == 0 || first != 42 || last != 42
				       : r < 0 || first != table[i].first || last != table[i].last)
			fail_msg("\"%s\": %d, %u-%u", table[i].text, r, first, last);
	}
}

static void one_line(void **state)
{
	static const char *const table[][2] = {
	    {"", ""}, {" ", ""}, {"\n\t\r ", ""}, {"a", "a"}, {"  a\n      b\t\tc ", "a b c"}, {"a b", "a b"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		char text[32];

		(void)snprintf(text, sizeof(text), "%s", table[i][0]);
		text_one_line(text);
		assert_string_equal(text, table[i][1]);
	}
}

static void quotes_are_short_and_visible(void **state)
{
	char all[256], random[4096];

	(void)state;
	assert_string_equal(text_quote("80x").text, "80x");
	assert_string_equal(text_quote("a\n\x1b[2J\xff").text, "a\\n\\x1b[2J\\xff");
	for (int i = 0; i < 255; i++)
		all[i] = (char)(i + 1);
	all[255] = '\0';
	memset(random, 0x1b, sizeof(random) - 1);
	random[sizeof(random) - 1] = '\0';
	for (size_t i = 0; i < 255; i++) {
		struct text_quote quote = text_quote(all + i);

		assert_int_equal(text_check(quote.text, strlen(quote.text), false), strlen(quote.text));
		assert_true(strlen(quote.text) < TEXT_QUOTE_LEN);
	}
	assert_string_equal(text_quote(random).text + strlen(text_quote(random).text) - 3, "...");
}

static void names(void **state)
{
	char longest[TEXT_NAME_MAX + 2];

	(void)state;
	memset(longest, 'a', sizeof(longest));
	longest[TEXT_NAME_MAX] = '\0';
	assert_true(text_name_valid(longest));
	longest[TEXT_NAME_MAX] = 'a';
	longest[TEXT_NAME_MAX + 1] = '\0';
	assert_false(text_name_valid(longest));
	assert_true(text_name_valid("whois++"));
	assert_true(text_name_valid("a b"));
	assert_false(text_name_valid(""));
	assert_false(text_name_valid(" a"));
	assert_false(text_name_valid("a "));
	assert_false(text_name_valid("a|b"));
	assert_false(text_name_valid("a\tb"));
	assert_false(text_name_valid("\x7f"));
	assert_false(text_name_valid("\xc3\xa9"));
	assert_true(text_equal("HTTP-alt", "http-ALT"));
	assert_false(text_equal("http", "https"));
	assert_false(text_equal("https", "http"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(dates),	cmocka_unit_test(ports),
	    cmocka_unit_test(one_line), cmocka_unit_test(quotes_are_short_and_visible),
	    cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
