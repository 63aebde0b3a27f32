/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Appends to a buffer, or not at all: the first append that does not fit sets `overflow`, every later one is ignored,
 * and writer_end() leaves the buffer as writer_begin() found it. So a writer need not look at each step.
 */
#ifndef USER_ENCODE_WRITER_H
#define USER_ENCODE_WRITER_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "user/encode/encode.h"

struct writer {
	char *at, *end;
	bool overflow;
};

static inline void writer_begin(struct writer *writer, const struct encode_buffer *buffer)
{
	*writer = (struct writer){.at = buffer->data + buffer->used, .end = buffer->data + buffer->size};
}

/* 0: buffer->used counts what was written; -ENOBUFS: it did not fit, the buffer counts what it did before. */
static inline int writer_end(const struct writer *writer, struct encode_buffer *buffer)
{
	if (writer->overflow)
		return -ENOBUFS;
	buffer->used = (size_t)(writer->at - buffer->data);
	return 0;
}

static inline bool writer_reserve(struct writer *writer, size_t len)
{
	if ((size_t)(writer->end - writer->at) >= len)
		return true;
	writer->overflow = true;
	writer->end = writer->at;
	return false;
}

static inline void writer_bytes(struct writer *writer, const char *data, size_t len)
{
	if (!writer_reserve(writer, len))
		return;
	memcpy(writer->at, data, len);
	writer->at += len;
}

static inline void writer_char(struct writer *writer, char c)
{
	if (writer_reserve(writer, 1))
		*writer->at++ = c;
}

/* text: a NUL-terminated string of our own; it is not escaped. */
static inline void writer_text(struct writer *writer, const char *text)
{
	writer_bytes(writer, text, strlen(text));
}

/* In decimal. */
void writer_u64(struct writer *writer, uint64_t value);

/* In decimal with leading zeros; value < 10^digits, digits <= 20. */
void writer_digits(struct writer *writer, uint64_t value, unsigned int digits);

/* In lower-case hexadecimal without leading zeros. */
void writer_hex(struct writer *writer, uint64_t value);

/* Hostile text as user/base/visible.h shows it, backslashes escaped. Returns the characters written, for alignment. */
size_t writer_visible(struct writer *writer, const char *text, size_t len);

#endif
