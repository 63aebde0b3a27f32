/* SPDX-License-Identifier: BSD-2-Clause */
/* The digest of the executable. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "user/judge/predicate.h"

#define DIGEST_BYTES 32

/* 0-15, or -1 */
static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *found = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;

	return found ? (int)(found - digits) : -1;
}

static int sha256_read(const struct predicate *predicate, struct predicate_reader *reader, struct predicate_word *word)
{
	uint8_t *digest = arena_alloc(reader->arena, DIGEST_BYTES);
	bool good = word->length == 2 * DIGEST_BYTES;

	(void)predicate;
	if (!digest)
		return -ENOMEM;
	for (size_t i = 0; good && i < DIGEST_BYTES; i++) {
		int high = hex_digit(word->text[2 * i]), low = hex_digit(word->text[2 * i + 1]);

		good = high >= 0 && low >= 0;
		if (good)
			digest[i] = (uint8_t)(high << 4 | low);
	}
	if (!good) {
		(void)snprintf(reader->message, sizeof(reader->message),
		               "write 64 hexadecimal digits, as sha256sum prints them");
		return -EINVAL;
	}
	word->sha256 = digest;
	return 0;
}

static enum fact sha256_match(const struct predicate *predicate, const struct predicate_word *word,
                              const struct event *event)
{
	const struct process *process = event->process;

	(void)predicate;
	if (!process || !process->executable.has_sha256)
		return FACT_UNKNOWN;
	return memcmp(process->executable.sha256, word->sha256, DIGEST_BYTES) == 0 ? FACT_YES : FACT_NO;
}

static void sha256_print(const struct predicate *predicate, const struct event *event, struct phrase *phrase)
{
	const struct process *process = event->process;

	(void)predicate;
	if (!process || !process->executable.has_sha256) {
		phrase_text(phrase, "not known");
		return;
	}
	for (size_t i = 0; i < DIGEST_BYTES; i++)
		phrase_format(phrase, "%02x", process->executable.sha256[i]);
}

static bool sha256_covers(const struct predicate_word *wide, const struct predicate_word *narrow)
{
	return memcmp(wide->sha256, narrow->sha256, DIGEST_BYTES) == 0;
}

const struct predicate_kind predicate_sha256 = {sha256_read, sha256_match, sha256_print, sha256_covers};
