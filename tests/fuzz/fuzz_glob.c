/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A byte of flags, a pattern, a NUL, a text. What glob_check() finds good is matched in no more steps than glob.h
 * promises, and where it is short enough, with the answer of the reference. The ends of a pattern may be
 * compared before it.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/unit/user/judge/glob_reference.h"
#include "user/judge/glob.h"

/* Stars times bytes: the reference tries all ways to lay the ones over the others, some ten thousand here. */
#define REFERENCE_MAX 48

/* Basic blocks for each byte of a pattern that is compared with one of the text: 5 at most by gcc, 2 by clang. */
#define BLOCKS_EACH 12

bool glob_counted_match(const char *pattern, const char *text, size_t len, unsigned int flags);
void __wrap___sanitizer_cov_trace_pc(void);

/* Outside of a match nothing is counted: what a sanitizer does when the program starts is called, too. */
static uint64_t blocks, blocks_max = UINT64_MAX;

/* Called by each basic block of glob_counted.c. It need not come to its end to be too slow. */
void __wrap___sanitizer_cov_trace_pc(void)
{
	FUZZ_REQUIRE(++blocks <= blocks_max, "the matcher needs more than %llu steps", (unsigned long long)blocks_max);
}

static size_t count(const char *text, char byte)
{
	size_t n = 0;

	for (; *text; text++)
		n += *text == byte;
	return n;
}

/* As glob.c says: each byte of the text is looked at by so many tries, in each by no more than the whole pattern. */
static bool match_counted(const char *pattern, const char *text, size_t len, unsigned int flags)
{
	uint64_t tries = flags & GLOB_ANY ? 1 : count(pattern, '/') + 1;
	bool matches;

	blocks = 0;
	blocks_max = BLOCKS_EACH * tries * (strlen(pattern) + 1) * (len + 1);
	matches = glob_counted_match(pattern, text, len, flags);
	FUZZ_REQUIRE(blocks, "the steps are not counted");
	blocks_max = UINT64_MAX;
	return matches;
}

/* A text without the ends of a pattern does not match it, and of one with them only the rest needs to be looked at. */
static void check_ends(const char *pattern, const char *text, size_t len, unsigned int flags, bool matches)
{
	uint16_t prefix, suffix;
	bool has_ends;

	glob_ends(pattern, &prefix, &suffix);
	has_ends = len >= (size_t)prefix + suffix && memcmp(pattern, text, prefix) == 0 &&
	           memcmp(pattern + strlen(pattern) - suffix, text + len - suffix, suffix) == 0;
	FUZZ_REQUIRE(has_ends || !matches, "%s: matches without its ends", pattern);
	if (has_ends)
		FUZZ_REQUIRE(glob_match(pattern + prefix, text + prefix, len - prefix, flags) == matches,
		             "%s: its beginning makes a difference", pattern);
	FUZZ_REQUIRE(!glob_is_literal(pattern) || matches == (has_ends && prefix == len), "%s: is literal", pattern);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned int flags = size ? data[0] % 4 : 0;
	const uint8_t *rest = data + (size != 0);
	size_t len = size - (size != 0);
	char *pattern = fuzz_text(&rest, &len);
	const char *text = (const char *)rest;

	if (!glob_check(pattern)) {
		bool matches = match_counted(pattern, text, len, flags);

		FUZZ_REQUIRE(glob_match(pattern, text, len, flags) == matches, "two answers");
		if (count(pattern, '*') * len <= REFERENCE_MAX)
			FUZZ_REQUIRE(glob_reference(pattern, (struct glob_reference_text){text, len, flags}) == matches,
			             "%s: it is%s", pattern, matches ? "" : " not");
		if (!(flags & GLOB_NUL_IS_BLANK))
			check_ends(pattern, text, len, flags, matches);
	}
	free(pattern);
	return 0;
}
