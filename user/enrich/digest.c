/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/enrich/digest.h"

#include <errno.h>
#include <nettle/md5.h>
#include <nettle/sha2.h>
#include <unistd.h>

/* Read at once: fits the stack of a thread, and a larger one reads no faster. */
#define PIECE_BYTES 65536

int digest_read(int fd, uint64_t max_bytes, struct digest *ret)
{
	struct sha256_ctx sha256;
	struct md5_ctx md5;
	uint8_t piece[PIECE_BYTES];
	uint64_t total = 0;

	sha256_init(&sha256);
	md5_init(&md5);
	for (;;) {
		ssize_t n = read(fd, piece, sizeof(piece));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		total += (uint64_t)n;
		if (total > max_bytes)
			return -EFBIG;
		sha256_update(&sha256, (size_t)n, piece);
		md5_update(&md5, (size_t)n, piece);
	}
	sha256_digest(&sha256, sizeof(ret->sha256), ret->sha256);
	md5_digest(&md5, sizeof(ret->md5), ret->md5);
	return 0;
}
