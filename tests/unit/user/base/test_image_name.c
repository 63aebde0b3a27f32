/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "user/base/image_name.h"

#define HEX32 "0123456789abcdef0123456789abcdef"
#define ID    "sha256:" HEX32 HEX32

/* clang-format off */
static const struct {
	const char *text, *name, *tag, *digest;
} names[] = {
	{"nginx",                           "nginx",                     NULL,    NULL},
	{"nginx:1.27",                      "nginx",                     "1.27",  NULL},
	{"docker.io/library/nginx:1.27",    "docker.io/library/nginx",   "1.27",  NULL},
	{"localhost:5000/nginx",            "localhost:5000/nginx",      NULL,    NULL},
	{"localhost:5000/a/nginx:x_y-z",    "localhost:5000/a/nginx",    "x_y-z", NULL},
	{"[::1]:5000/nginx:1",              "[::1]:5000/nginx",          "1",     NULL},
	{"nginx@" ID,                       "nginx",                     NULL,    ID},
	{"r.io:5000/nginx:1.27@" ID,        "r.io:5000/nginx",           "1.27",  ID},
	{"r.io:5000/nginx@" ID,             "r.io:5000/nginx",           NULL,    ID},
	{ID,                                ID,                          NULL,    NULL},
	{"sha256:1.0",                      "sha256",                    "1.0",   NULL},
	/* no names */
	{"",                                "",                          NULL,    NULL},
	{":",                               ":",                         NULL,    NULL},
	{":1",                              ":1",                        NULL,    NULL},
	{"a:",                              "a:",                        NULL,    NULL},
	{"@" ID,                            "@sha256",                   HEX32 HEX32, NULL},
	{"a@",                              "a@",                        NULL,    NULL},
	{"a:@b",                            "a:",                        NULL,    "b"},
	{"a@b@c:d",                         "a",                         NULL,    "b@c:d"},
	{"a:b:c",                           "a:b",                       "c",     NULL},
};
/* clang-format on */

#define NAMES (sizeof(names) / sizeof(names[0]))

static void assert_part(const char *what, const char *text, const char *part, size_t length, const char *expected)
{
	if (!part != !expected || (part && (strlen(expected) != length || memcmp(part, expected, length) != 0)))
		fail_msg("%s: the %s is %.*s", text, what, part ? (int)length : 4, part ? part : "none");
}

static void image_name_has_parts(void **state)
{
	(void)state;
	for (size_t i = 0; i < NAMES; i++) {
		struct image_name parts = image_name_split(names[i].text);

		assert_part("name", names[i].text, parts.name, parts.name_length, names[i].name);
		assert_part("tag", names[i].text, parts.tag, parts.tag_length, names[i].tag);
		assert_part("digest", names[i].text, parts.digest, parts.digest_length, names[i].digest);
	}
}

static void assert_joins(const char *text)
{
	struct image_name parts = image_name_split(text);
	char joined[128];

	(void)snprintf(joined, sizeof(joined), "%.*s%s%.*s%s%.*s", (int)parts.name_length, parts.name,
	               parts.tag ? ":" : "", (int)parts.tag_length, parts.tag ? parts.tag : "", parts.digest ? "@" : "",
	               (int)parts.digest_length, parts.digest ? parts.digest : "");
	assert_string_equal(joined, text);
	assert_true(!parts.tag || parts.tag_length);
	assert_true(!parts.digest || parts.digest_length);
}

/* Whatever it is: what was written as parts is read back as the same. */
static void image_name_is_its_parts(void **state)
{
	static const char bytes[] = "ab:/@";
	char text[8];

	(void)state;
	for (unsigned int n = 0; n < 5 * 5 * 5 * 5 * 5 * 5; n++) {
		unsigned int rest = n;

		for (size_t i = 0; i < 6; i++, rest /= 5)
			text[i] = bytes[rest % 5];
		for (size_t length = 0; length <= 6; length++) {
			text[length] = '\0';
			assert_joins(text);
			text[length] = bytes[(n >> length) % 5];
		}
	}
}

static void image_name_is_sound_or_not(void **state)
{
	char longest[IMAGE_NAME_MAX + 1];

	(void)state;
	for (size_t i = 0; i < NAMES; i++)
		assert_int_equal(image_name_is_sound(names[i].text), names[i].text[0] != '\0');
	assert_false(image_name_is_sound("a b"));
	assert_false(image_name_is_sound("a\n"));
	assert_false(image_name_is_sound("a\\b"));
	assert_false(image_name_is_sound("a\"b"));
	assert_false(image_name_is_sound("\x1b[2J"));
	assert_false(image_name_is_sound("caf\xc3\xa9"));
	memset(longest, 'a', sizeof(longest));
	longest[IMAGE_NAME_MAX] = '\0';
	assert_false(image_name_is_sound(longest));
	longest[IMAGE_NAME_MAX - 1] = '\0';
	assert_true(image_name_is_sound(longest));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(image_name_has_parts),
	        cmocka_unit_test(image_name_is_its_parts),
	        cmocka_unit_test(image_name_is_sound_or_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
