/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/encode/json.h"

#include "user/base/utf8.h"
#include "user/base/visible.h"

#define HEX "0123456789abcdef"

void json_begin(struct json *json, struct encode_buffer *buffer)
{
	*json = (struct json){.buffer = buffer};
	writer_begin(&json->out, buffer);
}

int json_end(struct json *json)
{
	return writer_end(&json->out, json->buffer);
}

/* What stands before a key, or before a value that has no key. */
static void separate(struct json *json)
{
	if (json->comma)
		writer_char(&json->out, ',');
	json->comma = true;
}

static void bracket_open(struct json *json, char bracket)
{
	separate(json);
	writer_char(&json->out, bracket);
	json->comma = false;
}

static void bracket_close(struct json *json, char bracket)
{
	writer_char(&json->out, bracket);
	json->comma = true;
}

void json_object_begin(struct json *json)
{
	bracket_open(json, '{');
}

void json_object_end(struct json *json)
{
	bracket_close(json, '}');
}

void json_array_begin(struct json *json)
{
	bracket_open(json, '[');
}

void json_array_end(struct json *json)
{
	bracket_close(json, ']');
}

void json_key(struct json *json, const char *key)
{
	size_t len = strlen(key);

	separate(json);
	if (!writer_reserve(&json->out, len + 3))
		return;
	writer_char(&json->out, '"');
	writer_bytes(&json->out, key, len);
	writer_bytes(&json->out, "\":", 2);
	json->comma = false; /* the value follows its key without one */
}

/* ASCII that JSON takes as it is: all that shows but '"' and '\\'. */
static const bool plain[256] = {[0x20 ... 0x21] = true, [0x23 ... 0x5b] = true, [0x5d ... 0x7e] = true};

/* One byte below 0x80 that is not plain. */
static void escape_ascii(struct writer *out, uint8_t byte, bool hostile)
{
	const char form[] = {'\\', 'u', '0', '0', HEX[byte >> 4], HEX[byte & 0xf]};

	if (byte == '"')
		writer_bytes(out, "\\\"", 2);
	else if (byte == '\\')
		writer_bytes(out, "\\\\\\\\", hostile ? 4 : 2);
	else
		writer_bytes(out, form, sizeof(form));
}

/* One byte that is not part of valid UTF-8. */
static void escape_invalid(struct writer *out, uint8_t byte)
{
	const char form[] = {'\\', '\\', 'x', HEX[byte >> 4], HEX[byte & 0xf]};

	writer_bytes(out, form, sizeof(form));
}

static void escape_unit(struct writer *out, uint16_t unit)
{
	const char form[] = {'\\', 'u', HEX[unit >> 12], HEX[unit >> 8 & 0xf], HEX[unit >> 4 & 0xf], HEX[unit & 0xf]};

	writer_bytes(out, form, sizeof(form));
}

/* By UTF-16, RFC 8259, section 7: a reader gets the same character, and a terminal that the line is shown on none. */
static void escape_character(struct writer *out, uint32_t character)
{
	if (character < 0x10000) {
		escape_unit(out, (uint16_t)character);
		return;
	}
	escape_unit(out, (uint16_t)(0xd800 + ((character - 0x10000) >> 10)));
	escape_unit(out, (uint16_t)(0xdc00 + ((character - 0x10000) & 0x3ff)));
}

static void string(struct json *json, const char *text, size_t len, bool hostile)
{
	struct writer *out = &json->out;

	separate(json);
	writer_char(out, '"');
	while (len) {
		size_t taken = 0;
		uint32_t character;

		while (taken < len && plain[(uint8_t)text[taken]])
			taken++;
		if (taken) {
			writer_bytes(out, text, taken);
		} else if ((uint8_t)*text < 0x80) {
			escape_ascii(out, (uint8_t)*text, hostile);
			taken = 1;
		} else {
			taken = utf8_decode(text, len, &character);
			if (taken && visible_character(character)) {
				writer_bytes(out, text, taken);
			} else if (taken) {
				escape_character(out, character);
			} else {
				escape_invalid(out, (uint8_t)*text);
				taken = 1;
			}
		}
		text += taken;
		len -= taken;
	}
	writer_char(out, '"');
}

void json_literal(struct json *json, const char *text)
{
	size_t len = strlen(text);

	separate(json);
	if (!writer_reserve(&json->out, len + 2))
		return;
	writer_char(&json->out, '"');
	writer_bytes(&json->out, text, len);
	writer_char(&json->out, '"');
}

void json_text(struct json *json, const char *text)
{
	string(json, text, strlen(text), false);
}

void json_text_len(struct json *json, const char *text, size_t len)
{
	string(json, text, len, false);
}

void json_hostile_string(struct json *json, const char *text, size_t len)
{
	string(json, text, len, true);
}

void json_u64(struct json *json, uint64_t value)
{
	separate(json);
	writer_u64(&json->out, value);
}

void json_i64(struct json *json, int64_t value)
{
	separate(json);
	if (value < 0)
		writer_char(&json->out, '-');
	/* the magnitude of INT64_MIN does not fit an int64_t */
	writer_u64(&json->out, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void json_bool(struct json *json, bool value)
{
	separate(json);
	writer_text(&json->out, value ? "true" : "false");
}

void json_u64_string(struct json *json, uint64_t value)
{
	separate(json);
	writer_char(&json->out, '"');
	writer_u64(&json->out, value);
	writer_char(&json->out, '"');
}

void json_line_end(struct json *json)
{
	writer_char(&json->out, '\n');
	json->comma = false;
}
