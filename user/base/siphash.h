/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef USER_BASE_SIPHASH_H
#define USER_BASE_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

/*
 * SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012): 64 bits of a text that stand for it,
 * where whoever chooses the text must not be able to make two that are alike. The key is secret and random.
 */
uint64_t siphash(const uint64_t key[2], const void *data, size_t size);

#endif
