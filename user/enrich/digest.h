/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef USER_ENRICH_DIGEST_H
#define USER_ENRICH_DIGEST_H

#include <stdint.h>

struct digest {
	uint8_t sha256[32];
	uint8_t md5[16]; /* what dpkg's database has of each file: tells an accident or a patch, not an attack on MD5 */
};

/*
 * Both of a file's bytes from where fd stands, in one pass. 0; -EFBIG: there are more than max_bytes; or -errno of
 * read(2). *ret is set on 0 only.
 */
int digest_read(int fd, uint64_t max_bytes, struct digest *ret);

#endif
