/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef USER_BASE_NUMBER_H
#define USER_BASE_NUMBER_H

#include <stdint.h>

/*
 * A whole decimal number, digits only: no sign, no space, no other base, nothing behind it.
 * 0; -EINVAL: not such a number; -ERANGE: outside of min..max. *ret is written on success only.
 */
int number_parse(const char *text, uint64_t min, uint64_t max, uint64_t *ret);

#endif
