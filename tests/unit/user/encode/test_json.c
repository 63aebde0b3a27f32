/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>

#include "user/encode/json.h"

static char data[4096];

static void write_document(struct json *json)
{
	json_object_begin(json);
	json_key(json, "a");
	json_array_begin(json);
	json_u64(json, UINT64_MAX);
	json_i64(json, INT64_MIN);
	json_i64(json, -1);
	json_i64(json, INT64_MAX);
	json_u64(json, 0);
	json_object_begin(json);
	json_object_end(json);
	json_array_begin(json);
	json_array_end(json);
	json_bool(json, true);
	json_array_end(json);
	json_key(json, "b");
	json_object_begin(json);
	json_key(json, "c");
	json_bool(json, false);
	json_key(json, "d");
	json_text(json, "");
	json_object_end(json);
	json_key(json, "e");
	json_u64_string(json, UINT64_MAX);
	json_object_end(json);
	json_line_end(json);
}

static const char document[] = "{\"a\":[18446744073709551615,-9223372036854775808,-1,9223372036854775807,0,{},[],true],"
			       "\"b\":{\"c\":false,\"d\":\"\"},\"e\":\"18446744073709551615\"}\n";

static void json_nests_and_sets_commas(void **state)
{
	struct encode_buffer buffer = {.data = data, .size = sizeof(data)};
	struct json json;

	(void)state;
	for (unsigned int i = 1; i <= 2; i++) {
		json_begin(&json, &buffer);
		write_document(&json);
		assert_int_equal(json_end(&json), 0);
		assert_int_equal(buffer.used, i * strlen(document));
		assert_memory_equal(data + (i - 1) * strlen(document), document, strlen(document));
	}
}

/* At every size that is too small: nothing counts as written, and nothing is written past the end (AddressSanitizer).
 */
static void json_too_small_leaves_the_buffer(void **state)
{
	static const char before[] = "before\n";
	size_t whole = sizeof(before) - 1 + strlen(document);

	(void)state;
	for (size_t size = sizeof(before) - 1; size <= whole; size++) {
		struct encode_buffer buffer = {.data = malloc(size), .size = size, .used = sizeof(before) - 1};
		struct json json;

		assert_non_null(buffer.data);
		memcpy(buffer.data, before, sizeof(before) - 1);
		json_begin(&json, &buffer);
		write_document(&json);
		assert_int_equal(json_end(&json), size < whole ? -ENOBUFS : 0);
		assert_int_equal(buffer.used, size < whole ? sizeof(before) - 1 : whole);
		assert_memory_equal(buffer.data, before, sizeof(before) - 1);
		free(buffer.data);
	}
}

static size_t encode(void (*write)(struct json *json, const char *text, size_t len), const char *text, size_t len)
{
	struct encode_buffer buffer = {.data = data, .size = sizeof(data) - 1};
	struct json json;

	json_begin(&json, &buffer);
	write(&json, text, len);
	assert_int_equal(json_end(&json), 0);
	data[buffer.used] = '\0';
	return buffer.used;
}

static void json_string_table(void **state)
{
	static const struct {
		const char *text, *own, *hostile; /* hostile NULL: the same */
	} table[] = {
	    {"", "\"\"", NULL},
	    {"nginx", "\"nginx\"", NULL},
	    {"a\"b", "\"a\\\"b\"", NULL},
	    {"a\\b", "\"a\\\\b\"", "\"a\\\\\\\\b\""},
	    {"\\xff", "\"\\\\xff\"", "\"\\\\\\\\xff\""},
	    {"\xff", "\"\\\\xff\"", "\"\\\\xff\""},
	    {"\n\x1b\x7f", "\"\\u000a\\u001b\\u007f\"", NULL},
	    {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"", NULL},
	    {"\xc0\x80", "\"\\\\xc0\\\\x80\"", NULL},
	    {"\xed\xa0\x80", "\"\\\\xed\\\\xa0\\\\x80\"", NULL},
	    {"\xf4\x90\x80\x80", "\"\\\\xf4\\\\x90\\\\x80\\\\x80\"", NULL},
	    {"ab\xe2\x82", "\"ab\\\\xe2\\\\x82\"", NULL},
	    /* the line may be shown on a terminal */
	    {"\xc2\x9b", "\"\\u009b\"", NULL},
	    {"\xe2\x80\xae", "\"\\u202e\"", NULL},
	    {"\xe2\x80\xa8", "\"\\u2028\"", NULL},
	    {"\xf3\xa0\x80\x81", "\"\\udb40\\udc01\"", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		encode(json_text_len, table[i].text, strlen(table[i].text));
		assert_string_equal(data, table[i].own);
		encode(json_hostile_string, table[i].text, strlen(table[i].text));
		assert_string_equal(data, table[i].hostile ? table[i].hostile : table[i].own);
	}
}

/* The inverse that json.h documents. */
static size_t decode(const char *value, size_t len, char *out)
{
	size_t used = 0;

	for (size_t i = 0; i < len; i++) {
		if (value[i] != '\\') {
			out[used++] = value[i];
		} else if (value[++i] == '\\') {
			out[used++] = '\\';
		} else {
			char digits[3] = {value[i + 1], value[i + 2], '\0'};

			assert_int_equal(value[i], 'x');
			out[used++] = (char)strtoul(digits, NULL, 16);
			i += 2;
		}
	}
	return used;
}

static void json_hostile_string_is_reversible(void **state)
{
	static const char pieces[] = "\\\\\"xu00f/\b\n\x01\x7f\xc2\x80\xe2\x80\xae\xf3\xa0\x80\x81\xe2\x82\xac\xed\xa0\xf0\x9f\x98\xf4\xff{}[]:, a";
	char text[64], back[256];

	(void)state;
	srandom(3);
	for (unsigned int round = 0; round < 100000; round++) {
		size_t len = (size_t)random() % sizeof(text);
		json_t *value;

		for (size_t i = 0; i < len; i++)
			text[i] = round % 2 ? (char)random() : pieces[(size_t)random() % (sizeof(pieces) - 1)];
		assert_true(encode(json_hostile_string, text, len) <= 6 * len + 2);
		value = json_loads(data, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
		assert_non_null(value);
		assert_int_equal(decode(json_string_value(value), json_string_length(value), back), len);
		assert_memory_equal(back, text, len);
		json_decref(value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(json_nests_and_sets_commas),
	    cmocka_unit_test(json_too_small_leaves_the_buffer),
	    cmocka_unit_test(json_string_table),
	    cmocka_unit_test(json_hostile_string_is_reversible),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
