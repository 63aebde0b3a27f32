/* SPDX-License-Identifier: BSD-2-Clause */
/* What a database of packages says of a file. */
#ifndef USER_ENRICH_PACKAGE_H
#define USER_ENRICH_PACKAGE_H

#include <stdint.h>

#define PACKAGE_TEXT_MAX 128

/* Of the bytes that were installed. */
enum package_digest {
	PACKAGE_DIGEST_NONE, /* the database has none: a file that is meant to be changed */
	PACKAGE_DIGEST_MD5,
	PACKAGE_DIGEST_SHA256,
};

struct package_owner {
	char package[PACKAGE_TEXT_MAX]; /* without its architecture */
	char version[PACKAGE_TEXT_MAX]; /* as the package manager writes it; "": not known */
	enum package_digest digest_kind;
	uint8_t digest[32]; /* of MD5 the first 16 */
};

#endif
