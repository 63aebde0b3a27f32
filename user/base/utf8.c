/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/base/utf8.h"

size_t utf8_decode(const char *text, size_t len, uint32_t *ret)
{
	/* the least character that needs this many bytes: a smaller one is an overlong form */
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	uint8_t first = (uint8_t)text[0];
	uint32_t character;
	size_t size;

	if (first < 0x80) {
		*ret = first;
		return 1;
	}
	if (first < 0xc2 || first > 0xf4)
		return 0;
	size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	if (size > len)
		return 0;
	character = first & (0x7fU >> size);
	for (size_t i = 1; i < size; i++) {
		uint8_t next = (uint8_t)text[i];

		if ((next & 0xc0) != 0x80)
			return 0;
		character = character << 6 | (next & 0x3f);
	}
	if (character < least[size] || character > 0x10ffff || (character >= 0xd800 && character <= 0xdfff))
		return 0;
	*ret = character;
	return size;
}
