/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/user/judge/glob_reference.h"
#include "user/judge/glob.h"

static void glob_table(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool path, any; /* whether it matches as a path, and with GLOB_ANY */
	} table[] = {
	        {"/usr/sbin/sshd", "/usr/sbin/sshd", true, true},
	        {"/usr/sbin/sshd", "/usr/sbin/sshd2", false, false},
	        {"/usr/sbin/sshd", "/usr/sbin/ssh", false, false},
	        {"", "", true, true},
	        {"", "a", false, false},
	        {"*", "", true, true},
	        {"*", "sshd", true, true},
	        {"*", "usr/sshd", false, true},
	        {"**", "/usr/sbin/sshd", true, true},
	        {"***", "/usr/sbin/sshd", true, true},
	        {"/usr/*/sshd", "/usr/sbin/sshd", true, true},
	        {"/usr/*/sshd", "/usr/local/sbin/sshd", false, true},
	        {"/usr/**/sshd", "/usr/local/sbin/sshd", true, true},
	        {"/usr/**/sshd", "/usr/sshd", false, false},
	        {"**/sshd", "/usr/sbin/sshd", true, true},
	        {"**/sshd", "sshd", false, false},
	        {"/opt/*/bin/*", "/opt/a/bin/b", true, true},
	        {"/opt/*/bin/*", "/opt/a/b/bin/b", false, true},
	        {"/opt/*/bin/*", "/opt/a/bin/b/c", false, true},
	        {"**/a*b", "/a/xb/ayb", true, true},
	        {"**a*b", "a/ab", true, true},
	        {"**a*b", "a/a/b", false, true},
	        {"*a*/b", "xax/b", true, true},
	        {"*b/c", "bxb/c", true, true},
	        {"/usr/bin/python?", "/usr/bin/python3", true, true},
	        {"/usr/bin/python?", "/usr/bin/python", false, false},
	        {"/usr?bin", "/usr/bin", false, true},
	        {"/usr[/]bin", "/usr/bin", false, true},
	        {"/usr[!a]bin", "/usr/bin", false, true},
	        {"python3.[0-9]", "python3.9", true, true},
	        {"python3.[0-9]", "python3.x", false, false},
	        {"[!0-9]", "a", true, true},
	        {"[^0-9]", "1", false, false},
	        {"[]a]", "]", true, true},
	        {"[!]a]", "]", false, false},
	        {"[a-]", "-", true, true},
	        {"[\\]]", "]", true, true},
	        {"[a\\-z]", "m", false, false},
	        {"\\*", "*", true, true},
	        {"\\*", "a", false, false},
	        {"\\\\", "\\", true, true},
	        {"\xff*", "\xff\xfe", true, true},
	        {"[\x80-\xff]", "\xc3", true, true},
	        {"?", "\xc3\xa9", false, false}, /* bytes, not characters */
	        {"a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		size_t len = strlen(table[i].text);

		print_message("%s ~ %s\n", table[i].pattern, table[i].text);
		assert_null(glob_check(table[i].pattern));
		assert_int_equal(glob_match(table[i].pattern, table[i].text, len, 0), table[i].path);
		assert_int_equal(glob_match(table[i].pattern, table[i].text, len, GLOB_ANY), table[i].any);
	}
}

static void glob_arguments_are_joined(void **state)
{
	static const char arguments[] = "python3\0-m\0http.server";

	(void)state;
	assert_true(glob_match("python3 -m *", arguments, sizeof(arguments) - 1, GLOB_ANY | GLOB_NUL_IS_BLANK));
	assert_false(glob_match("python3 -m *", arguments, sizeof(arguments) - 1, GLOB_ANY));
	/* a class and a ? see the blank, too */
	assert_true(glob_match("python3[ ]-m?*", arguments, sizeof(arguments) - 1, GLOB_ANY | GLOB_NUL_IS_BLANK));
}

static void glob_check_table(void **state)
{
	static const struct {
		const char *pattern;
		bool good, literal;
	} table[] = {
	        {"/usr/sbin/sshd", true, true}, {"/usr/*", true, false}, {"a?", true, false},   {"[ab]", true, false},
	        {"[ab", false, false},          {"[]", false, false},    {"[!]", false, false}, {"a\\", false, false},
	        {"[a\\", false, false},         {"[z-a]", false, false}, {"\\[", true, false},  {"]", true, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		print_message("%s\n", table[i].pattern);
		assert_int_equal(glob_check(table[i].pattern) == NULL, table[i].good);
		if (table[i].good)
			assert_int_equal(glob_is_literal(table[i].pattern), table[i].literal);
	}
}

static uint32_t next(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/* What matches has the ends of the pattern, one behind the other. */
static void assert_ends(const char *pattern, const char *text, size_t len)
{
	uint16_t prefix, suffix;

	glob_ends(pattern, &prefix, &suffix);
	assert_true((size_t)prefix + suffix <= len);
	assert_memory_equal(pattern, text, prefix);
	assert_memory_equal(pattern + strlen(pattern) - suffix, text + len - suffix, suffix);
}

static void glob_ends_table(void **state)
{
	static const struct {
		const char *pattern;
		uint16_t prefix, suffix;
	} table[] = {
	        {"", 0, 0},
	        {"/usr/sbin/sshd", 14, 0},
	        {"*", 0, 0},
	        {"/usr/*", 5, 0},
	        {"*.service", 0, 8},
	        {"/a/**/b", 3, 2},
	        {"a[*]b", 1, 1},
	        {"a\\\\b", 1, 1},
	        {"a*b\\*", 1, 0},
	        {"a?b[]c]d\\\\", 1, 0},
	        {"a[b\\\\]*]cd", 1, 3},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint16_t prefix, suffix;

		print_message("%s\n", table[i].pattern);
		glob_ends(table[i].pattern, &prefix, &suffix);
		assert_int_equal(prefix, table[i].prefix);
		assert_int_equal(suffix, table[i].suffix);
	}
}

/* Of so few letters that many match, and the stars must be taken back. */
static void glob_agrees_with_the_reference(void **state)
{
	static const char *const pieces[] = {"a", "b", "/", "*", "**", "?", "[ab]", "[!a]", "a", "/"};
	uint32_t seed = 20261122, matched = 0;

	(void)state;
	for (unsigned int round = 0; round < 300000; round++) {
		char pattern[64] = "", text[16];
		size_t count = next(&seed) % 8, len = next(&seed) % 12;

		for (size_t i = 0; i < count; i++)
			strcat(pattern, pieces[next(&seed) % (sizeof(pieces) / sizeof(pieces[0]))]);
		for (size_t i = 0; i < len; i++)
			text[i] = "ab/"[next(&seed) % 3];
		text[len] = '\0';
		for (unsigned int any = 0; any < 2; any++) {
			struct glob_reference_text all = {text, len, any ? GLOB_ANY : 0};
			bool expected = glob_reference(pattern, all);

			matched += expected;
			if (expected)
				assert_ends(pattern, text, len);
			if (glob_match(pattern, text, len, any ? GLOB_ANY : 0) != expected)
				fail_msg("\"%s\" and \"%s\"%s: should%s match", pattern, text, any ? " (any)" : "",
				         expected ? "" : " not");
		}
	}
	assert_true(matched > 10000);
}

/* Any bytes as a pattern: what glob_check() takes, glob_match() can read to its end. The sanitizers look on. */
static void glob_takes_any_bytes(void **state)
{
	uint32_t seed = 7, good = 0;

	(void)state;
	for (unsigned int round = 0; round < 200000; round++) {
		char pattern[24], text[24];
		size_t len = next(&seed) % sizeof(pattern);

		for (size_t i = 0; i < len; i++)
			pattern[i] = (char)("[]!^-\\*?/a"[next(&seed) % 10] ^ (next(&seed) % 50 ? 0 : 0x80));
		pattern[len] = '\0';
		for (size_t i = 0; i < sizeof(text); i++)
			text[i] = (char)(next(&seed) % 4 ? "[]-\\/a"[next(&seed) % 6] : (char)next(&seed));
		if (glob_check(pattern))
			continue;
		good++;
		(void)glob_match(pattern, text, next(&seed) % sizeof(text), next(&seed) % 4);
	}
	assert_true(good > 10000);
}

/*
 * What makes a careless matcher run for years: this test ends. (The text is as long as a path can be, the patterns are
 * of the worst kinds.)
 */
static void glob_is_bounded(void **state)
{
	static const char *const patterns[] = {"**a*a*a*a*a*a*a*a*a*a*a*a*a*b", "*a*a*a*a*a*a*a*a*a*b",
	                                       "**a**a**a**a**a**a**a**b",      "**/*/*/*/*/*/*/*/*/*/*/*/*b",
	                                       "**a*/a*/a*/a*/a*/a*/a*/a*/a*b", "**?*?*?*?*?*?*?*?*?*b",
	                                       "**[ab]*[ab]*[ab]*[ab]*/*[ab]*c"};
	static const char *const units[] = {"a", "a/", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/", "/", "ab"};
	char text[4096];

	(void)state;
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		for (size_t j = 0; j < sizeof(units) / sizeof(units[0]); j++) {
			for (size_t k = 0; k < sizeof(text); k++)
				text[k] = units[j][k % strlen(units[j])];
			text[sizeof(text) - 1] = '/';
			assert_false(glob_match(patterns[i], text, sizeof(text), 0));
			assert_false(glob_match(patterns[i], text, sizeof(text), GLOB_ANY));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(glob_table),           cmocka_unit_test(glob_arguments_are_joined),
	        cmocka_unit_test(glob_check_table),
	        cmocka_unit_test(glob_ends_table),     cmocka_unit_test(glob_agrees_with_the_reference),
	        cmocka_unit_test(glob_takes_any_bytes), cmocka_unit_test(glob_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
