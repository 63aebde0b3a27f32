/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/cli/event_json_value.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "user/base/number.h"

/* Longer than any path that is asked for. */
#define PATH_LEN 80

void document_refuse(struct document *document, const char *path, const char *what)
{
	if (document->failed)
		return;
	document->failed = -EINVAL;
	(void)snprintf(document->error, document->error_size, "%s: %s", path, what);
}

const json_t *document_find(const json_t *object, const struct document *document, const char *path)
{
	const json_t *value = object ? object : document->root;

	while (value && *path) {
		size_t len = strcspn(path, ".");
		char key[PATH_LEN];

		if (len >= sizeof(key))
			return NULL;
		memcpy(key, path, len);
		key[len] = '\0';
		value = json_object_get(value, key);
		path += len + (path[len] == '.');
	}
	return value;
}

const char *document_text(struct document *document, const json_t *object, const char *path)
{
	const json_t *value = document_find(object, document, path);

	if (!value || document->failed)
		return NULL;
	if (!json_is_string(value))
		document_refuse(document, path, "it must be a text");
	return json_string_value(value);
}

/* 0-15, or -1 */
static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = c ? strchr(digits, c) : NULL;

	return found ? (int)(found - digits) : -1;
}

/* What the encoder escaped, unescaped. Bytes written, or -1: this is no text of it. */
static ssize_t unescape(const char *text, size_t len, char *out)
{
	size_t used = 0;

	for (size_t i = 0; i < len; i++) {
		int high, low;

		if (text[i] != '\\') {
			out[used++] = text[i];
			continue;
		}
		if (i + 1 < len && text[i + 1] == '\\') {
			out[used++] = '\\';
			i++;
			continue;
		}
		if (i + 3 >= len || text[i + 1] != 'x')
			return -1;
		high = hex_digit(text[i + 2]);
		low = hex_digit(text[i + 3]);
		if (high < 0 || low < 0 || !(high | low))
			return -1;
		out[used++] = (char)(high << 4 | low);
		i += 3;
	}
	return (ssize_t)used;
}

const char *document_bytes_of(struct document *document, const json_t *value, const char *path, size_t *ret_len)
{
	const char *text = json_string_value(value);
	size_t len = json_string_length(value);
	ssize_t used;
	char *bytes;

	if (document->failed)
		return NULL;
	if (!text) {
		document_refuse(document, path, "it must be a text");
		return NULL;
	}
	bytes = arena_alloc(&document->arena, len + 1);
	if (!bytes) {
		document->failed = -ENOMEM;
		return NULL;
	}
	used = unescape(text, len, bytes);
	if (used < 0) {
		document_refuse(document, path, "a backslash stands for itself as \\\\, for a byte as \\x1b");
		return NULL;
	}
	bytes[used] = '\0';
	if (ret_len)
		*ret_len = (size_t)used;
	return bytes;
}

const char *document_bytes(struct document *document, const json_t *object, const char *path, size_t *ret_len)
{
	const json_t *value = document_find(object, document, path);

	return value ? document_bytes_of(document, value, path, ret_len) : NULL;
}

bool document_number(struct document *document, const json_t *object, const char *path, uint64_t max, uint64_t *ret)
{
	const json_t *value = document_find(object, document, path);
	uint64_t number = 0;
	bool good;

	if (!value || document->failed)
		return false;
	if (json_is_string(value)) {
		good = number_parse(json_string_value(value), 0, max, &number) == 0;
	} else {
		good = json_is_integer(value) && json_integer_value(value) >= 0 &&
		       (uint64_t)json_integer_value(value) <= max;
		number = (uint64_t)json_integer_value(value);
	}
	if (!good) {
		document_refuse(document, path, "it must be a number, and not so large");
		return false;
	}
	*ret = number;
	return true;
}

bool document_u32(struct document *document, const json_t *object, const char *path, uint32_t *ret)
{
	uint64_t number;

	if (!document_number(document, object, path, UINT32_MAX, &number))
		return false;
	*ret = (uint32_t)number;
	return true;
}

bool document_bool(struct document *document, const json_t *object, const char *path, bool *ret)
{
	const json_t *value = document_find(object, document, path);

	if (!value || document->failed)
		return false;
	if (!json_is_boolean(value)) {
		document_refuse(document, path, "it must be true or false");
		return false;
	}
	*ret = json_is_true(value);
	return true;
}

bool document_word(struct document *document, const json_t *object, const char *path, enum event_words words,
                   uint32_t *ret)
{
	const char *text = document_text(document, object, path);

	if (!text)
		return false;
	if (event_word_find(words, text, ret))
		return true;
	document_refuse(document, path, "there is no such word");
	return false;
}

const json_t *document_array(struct document *document, const json_t *object, const char *path)
{
	const json_t *value = document_find(object, document, path);

	if (!value || document->failed)
		return NULL;
	if (!json_is_array(value)) {
		document_refuse(document, path, "it must be an array");
		return NULL;
	}
	return value;
}
