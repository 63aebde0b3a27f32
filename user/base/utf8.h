/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef USER_BASE_UTF8_H
#define USER_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/*
 * Reads the character at the beginning of text (len bytes, len > 0) by RFC 3629: no overlong form, no surrogate,
 * nothing above U+10FFFF. Returns how many bytes it takes, 1..4, or 0 where no whole, valid character stands; *ret is
 * then untouched.
 */
size_t utf8_decode(const char *text, size_t len, uint32_t *ret);

#endif
