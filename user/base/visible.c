/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/base/visible.h"

#include <string.h>

#include "user/base/utf8.h"

/*
 * Characters that show nothing or change how their neighbours show: the categories Cc (C1), Cf, Zl and Zp of the
 * Unicode Character Database 15, the Hangul fillers, which are letters without a shape, and the variation selectors.
 * In ascending order.
 */
static const struct {
	uint32_t first, last;
} invisible[] = {
    {0x0080, 0x009f},	{0x00ad, 0x00ad},   {0x034f, 0x034f},	{0x0600, 0x0605},   {0x061c, 0x061c},
    {0x06dd, 0x06dd},	{0x070f, 0x070f},   {0x0890, 0x0891},	{0x08e2, 0x08e2},   {0x115f, 0x1160},
    {0x17b4, 0x17b5},	{0x180b, 0x180f},   {0x200b, 0x200f},	{0x2028, 0x202e},   {0x2060, 0x206f},
    {0x3164, 0x3164},	{0xfe00, 0xfe0f},   {0xfeff, 0xfeff},	{0xffa0, 0xffa0},   {0xfff0, 0xfffb},
    {0x110bd, 0x110bd}, {0x110cd, 0x110cd}, {0x13430, 0x1343f}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a},
    {0xe0000, 0xe0fff},
};

bool visible_character(uint32_t character)
{
	for (size_t i = 0; i < sizeof(invisible) / sizeof(invisible[0]) && character >= invisible[i].first; i++) {
		if (character <= invisible[i].last)
			return false;
	}
	return true;
}

static size_t escape(char out[VISIBLE_MAX], char letter, uint32_t value, unsigned int digits)
{
	out[0] = '\\';
	out[1] = letter;
	for (unsigned int i = 0; i < digits; i++)
		out[2 + i] = "0123456789abcdef"[value >> 4 * (digits - 1 - i) & 0xf];
	return 2 + digits;
}

static size_t escape_ascii(char out[VISIBLE_MAX], uint8_t byte)
{
	static const char controls[] = "\n\t\r\\", letters[] = "ntr\\";
	const char *control = byte ? strchr(controls, byte) : NULL;

	return control ? escape(out, letters[control - controls], 0, 0) : escape(out, 'x', byte, 2);
}

size_t visible_next(const char *text, size_t len, unsigned int flags, char out[VISIBLE_MAX], size_t *ret_taken)
{
	uint32_t character;
	size_t size = utf8_decode(text, len, &character);

	*ret_taken = size ? size : 1;
	if (!size)
		return escape(out, 'x', (uint8_t)text[0], 2);
	if (character < 0x20 || character == 0x7f || (character == '\\' && (flags & VISIBLE_BACKSLASH)))
		return escape_ascii(out, (uint8_t)character);
	if (!visible_character(character))
		return character > 0xffff ? escape(out, 'U', character, 8) : escape(out, 'u', character, 4);
	memcpy(out, text, size);
	return size;
}
