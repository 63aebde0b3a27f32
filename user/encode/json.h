/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An append-only JSON writer (RFC 8259) over struct encode_buffer. It allocates nothing, sets the commas itself and
 * never writes past the buffer; what it writes is valid JSON for any bytes given as strings, as long as the calls nest:
 *
 *	struct json json;
 *
 *	json_begin(&json, buffer);
 *	json_object_begin(&json);
 *	json_key(&json, "port");
 *	json_u64(&json, 80);
 *	json_object_end(&json);
 *	json_line_end(&json);		only where the document is a line of its own
 *	return json_end(&json);		0, or -ENOBUFS with the buffer as it was
 *
 * No name here is one of the Jansson library's, by which the tests read what this writes.
 */
#ifndef USER_ENCODE_JSON_H
#define USER_ENCODE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/encode/encode.h"
#include "user/encode/writer.h"

struct json {
	struct writer out;
	struct encode_buffer *buffer;
	bool comma; /* the next key or element needs a comma before it */
};

void json_begin(struct json *json, struct encode_buffer *buffer);

/* 0; -ENOBUFS: the document did not fit, the buffer is as json_begin() found it. */
int json_end(struct json *json);

void json_object_begin(struct json *json);
void json_object_end(struct json *json);
void json_array_begin(struct json *json);
void json_array_end(struct json *json);

/* key: a literal of the program without '"', '\' or control bytes; it is copied as it is. */
void json_key(struct json *json, const char *key);

/*
 * A string of the program's own or of the registry. '"', '\' and control bytes (below 0x20, 0x7f) are escaped as JSON
 * does it, and so is what is no visible_character(); other valid UTF-8 passes. A byte that is not valid UTF-8 (there
 * should be none) becomes the text \xHH.
 */
void json_text(struct json *json, const char *text);
void json_text_len(struct json *json, const char *text, size_t len);

/* A string as json_key() takes a key: copied as it is. */
void json_literal(struct json *json, const char *text);

/*
 * A string that another process may have chosen: any bytes. The value that a JSON parser gives back holds
 *
 *	\xHH	for a byte that is not part of valid UTF-8 (HH: two lower-case hexadecimal digits)
 *	\\	for a backslash
 *
 * and every other character as itself. So no two byte strings give the same value, and to have the bytes back replace
 * each \\ by a backslash and each \xHH by the byte, from left to right. A character that could move the cursor, reorder
 * the line or hide in it (visible_character()) is written as \uHHHH, for lines are shown on terminals, too.
 * At most six bytes are written for each byte, and the two quotes.
 */
void json_hostile_string(struct json *json, const char *text, size_t len);

/* A JSON number; above 2^53 many parsers lose digits (RFC 8259, section 6): write such a value with json_u64_string().
 */
void json_u64(struct json *json, uint64_t value);
void json_i64(struct json *json, int64_t value);
void json_bool(struct json *json, bool value);

/* The number in decimal, as a string. */
void json_u64_string(struct json *json, uint64_t value);

/* The line break behind a document (newline-delimited JSON). */
void json_line_end(struct json *json);

#endif
