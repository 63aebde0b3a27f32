/* SPDX-License-Identifier: BSD-2-Clause */
/* SHA-256 (FIPS 180-4), to say which file a registry was made from. Not for secrets: it is not constant-time. */
#ifndef REGISTRY_SHA256_H
#define REGISTRY_SHA256_H

#include <stddef.h>
#include <stdint.h>

/* 64 lower-case hexadecimal digits and NUL */
#define SHA256_TEXT_LEN 65

struct sha256 {
	uint32_t state[8];
	uint64_t bytes;
	uint8_t block[64];
};

void sha256_begin(struct sha256 *sha);
void sha256_add(struct sha256 *sha, const void *data, size_t len);

/* Ends the sum; sha must be begun again before another. */
void sha256_text(struct sha256 *sha, char ret[SHA256_TEXT_LEN]);

#endif
