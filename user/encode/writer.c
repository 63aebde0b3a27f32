/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/encode/writer.h"

#include "user/base/visible.h"

/* UINT64_MAX has 20 digits. */
#define DECIMAL_MAX 20

void writer_digits(struct writer *writer, uint64_t value, unsigned int digits)
{
	if (!writer_reserve(writer, digits))
		return;
	for (unsigned int i = digits; i--; value /= 10)
		writer->at[i] = (char)('0' + value % 10);
	writer->at += digits;
}

void writer_u64(struct writer *writer, uint64_t value)
{
	char text[DECIMAL_MAX];
	size_t at = sizeof(text);

	do {
		text[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	writer_bytes(writer, text + at, sizeof(text) - at);
}

void writer_hex(struct writer *writer, uint64_t value)
{
	char text[16];
	size_t at = sizeof(text);

	do {
		text[--at] = "0123456789abcdef"[value & 0xf];
		value >>= 4;
	} while (value);
	writer_bytes(writer, text + at, sizeof(text) - at);
}

size_t writer_visible(struct writer *writer, const char *text, size_t len)
{
	size_t characters = 0;

	while (len) {
		char form[VISIBLE_MAX];
		size_t taken, size = visible_next(text, len, VISIBLE_BACKSLASH, form, &taken);

		writer_bytes(writer, form, size);
		/* an escape is ASCII, what passed unchanged is one character */
		characters += form[0] == '\\' ? size : 1;
		text += taken;
		len -= taken;
	}
	return characters;
}
