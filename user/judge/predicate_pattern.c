/* SPDX-License-Identifier: BSD-2-Clause */
/* Patterns over texts of the event: paths, names, arguments. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "user/judge/facts.h"
#include "user/judge/glob.h"

static int pattern_read(const struct predicate *predicate, struct predicate_reader *reader, struct predicate_word *word)
{
	const char *error;

	if ((predicate->flags & PATTERN_OR_NONE) && strcmp(word->text, "none") == 0) {
		word->other = OTHER_NONE;
		return 0;
	}
	if ((predicate->flags & PATTERN_OR_ANY) && strcmp(word->text, "any") == 0) {
		word->other = OTHER_ANY;
		return 0;
	}
	error = glob_check(word->text);
	if (error) {
		(void)snprintf(reader->message, sizeof(reader->message),
		               "%s: write \\ before a byte that is meant itself", error);
		return -EINVAL;
	}
	if ((predicate->flags & PATTERN_IS_PATH) && !strchr("/*?[\\", word->text[0])) {
		(void)snprintf(reader->message, sizeof(reader->message),
		               "a path begins with '/': write the whole path, or **/ before it for any directory");
		return -EINVAL;
	}
	glob_ends(word->text, &word->pattern.prefix, &word->pattern.suffix);
	return 0;
}

/* Most texts are told apart by the ends of the pattern: only what has them is matched byte by byte. */
static bool text_matches(const struct predicate *predicate, const struct predicate_word *word,
                         const struct predicate_text *text)
{
	size_t prefix = word->pattern.prefix, suffix = word->pattern.suffix;

	/* a NUL in the text may stand for a blank */
	if (predicate->flags & GLOB_NUL_IS_BLANK)
		return glob_match(word->text, text->bytes, text->len,
		                  predicate->flags & (GLOB_ANY | GLOB_NUL_IS_BLANK));
	if (text->len < prefix + suffix || memcmp(word->text, text->bytes, prefix) != 0 ||
	    memcmp(word->text + word->length - suffix, text->bytes + text->len - suffix, suffix) != 0)
		return false;
	if (prefix == word->length)
		return text->len == prefix;
	return glob_match(word->text + prefix, text->bytes + prefix, text->len - prefix, predicate->flags & GLOB_ANY);
}

static enum fact pattern_match(const struct predicate *predicate, const struct predicate_word *word,
                               const struct event *event)
{
	struct predicate_text text = {NULL, 0};
	bool unknown = false;
	enum fact fact;

	if (word->other != OTHER_NOTHING) {
		fact = predicate->text(event, 0, &text);
		if (fact == FACT_UNKNOWN)
			return FACT_UNKNOWN;
		return (fact == FACT_YES) == (word->other == OTHER_ANY) ? FACT_YES : FACT_NO;
	}
	for (size_t i = 0; (fact = predicate->text(event, i, &text)) != FACT_NO; i++) {
		if (fact == FACT_UNKNOWN || !text.bytes)
			unknown = true;
		else if (text_matches(predicate, word, &text))
			return FACT_YES;
	}
	return unknown ? FACT_UNKNOWN : FACT_NO;
}

static void print_text(const struct predicate *predicate, const struct predicate_text *text, struct phrase *phrase)
{
	const char *at = text->bytes, *end = at + text->len;

	while (at < end) {
		const char *nul = predicate->flags & GLOB_NUL_IS_BLANK ? memchr(at, '\0', (size_t)(end - at)) : NULL;

		phrase_visible(phrase, at, (size_t)((nul ? nul : end) - at));
		if (nul)
			phrase_text(phrase, " ");
		at = nul ? nul + 1 : end;
	}
}

static void pattern_print(const struct predicate *predicate, const struct event *event, struct phrase *phrase)
{
	struct predicate_text text = {NULL, 0};
	enum fact fact;
	size_t i;

	for (i = 0; (fact = predicate->text(event, i, &text)) != FACT_NO; i++) {
		phrase_text(phrase, i ? " " : "");
		if (fact == FACT_UNKNOWN || !text.bytes)
			phrase_text(phrase, "not known");
		else
			print_text(predicate, &text, phrase);
	}
	if (!i)
		phrase_text(phrase, "none");
}

/* How many bytes of a pattern stand for themselves, if only ** comes behind them; 0: it is no such pattern. */
static size_t prefix_of(const struct predicate_word *word)
{
	size_t prefix = strcspn(word->text, "*?[\\");

	return strcmp(word->text + prefix, "**") == 0 ? prefix : 0;
}

static bool pattern_covers(const struct predicate_word *wide, const struct predicate_word *narrow)
{
	size_t prefix;

	if (wide->other == OTHER_ANY)
		return narrow->other != OTHER_NONE;
	if (wide->other != OTHER_NOTHING || narrow->other != OTHER_NOTHING)
		return wide->other == narrow->other;
	if (glob_is_literal(narrow->text))
		return glob_match(wide->text, narrow->text, narrow->length, 0);
	prefix = prefix_of(wide);
	return strcmp(wide->text, "**") == 0 || (prefix && strncmp(wide->text, narrow->text, prefix) == 0);
}

const struct predicate_kind predicate_pattern = {pattern_read, pattern_match, pattern_print, pattern_covers};
