/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hostile text made fit for a terminal or a line of a log: what could move the cursor, break the line, reorder it or
 * hide in it is shown as an escape.
 *
 *   \n \t \r              as in C
 *   \x1b                  another control byte below 0x20, 0x7f, or a byte that is not valid UTF-8
 *   \u202e \U000e0001     a C1 control, a line or paragraph separator, a bidirectional or other invisible character
 *   \\                    a backslash, where VISIBLE_BACKSLASH is given: then no two texts look alike
 *
 * Every other character passes as it is.
 */
#ifndef USER_BASE_VISIBLE_H
#define USER_BASE_VISIBLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The longest form of one character: "\U0010ffff". */
#define VISIBLE_MAX 10

#define VISIBLE_BACKSLASH (1U << 0)

/* Does this character, not of ASCII, show as itself and leave its neighbours as they are? */
bool visible_character(uint32_t character);

/*
 * Writes what stands for the first character of text (len bytes, len > 0) to out, without a NUL. Returns the bytes
 * written, 1..VISIBLE_MAX, and in *ret_taken the bytes of text that they stand for, 1..4.
 */
size_t visible_next(const char *text, size_t len, unsigned int flags, char out[VISIBLE_MAX], size_t *ret_taken);

#endif
