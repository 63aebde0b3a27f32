/* SPDX-License-Identifier: BSD-2-Clause */
/* A word of a closed list: transport, class, exe-flags, capability, ... An event has one of them, or several. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "user/base/nearest.h"
#include "user/judge/predicate.h"

static uint64_t bit_of(const struct predicate *predicate, uint32_t value)
{
	return predicate->words_are_flags ? value : 1ULL << value;
}

static bool is_refused(const struct predicate *predicate, uint32_t value)
{
	return bit_of(predicate, value) & predicate->refused;
}

/* "write tcp, udp, sctp or dccp"; of a long list only what is near. known: there is the word, but it is refused. */
static void say_what_is_right(const struct predicate *predicate, struct predicate_reader *reader, const char *text,
                              bool known)
{
	struct phrase phrase;
	struct nearest nearest;
	const char *word;
	uint32_t value;

	phrase_begin(&phrase, reader->message, sizeof(reader->message));
	nearest_begin(&nearest, text);
	for (size_t i = 0; (word = event_word_at(predicate->words, i, &value)); i++) {
		if (!is_refused(predicate, value))
			nearest_consider(&nearest, word);
	}
	if (known) {
		phrase_format(&phrase, "%s: ", predicate->why_refused);
	} else if (nearest.count) {
		phrase_format(&phrase, "there is no such word: did you mean %s?", nearest.found[0]);
		return;
	}
	phrase_text(&phrase, "write ");
	for (size_t i = 0, told = 0; (word = event_word_at(predicate->words, i, &value)); i++) {
		if (is_refused(predicate, value))
			continue;
		phrase_text(&phrase, told ? ", " : "");
		if (++told > 10) {
			phrase_text(&phrase, "...");
			break;
		}
		phrase_text(&phrase, word);
	}
}

static int set_read(const struct predicate *predicate, struct predicate_reader *reader, struct predicate_word *word)
{
	uint32_t value;
	bool known = event_word_find(predicate->words, word->text, &value);

	if (!known || is_refused(predicate, value)) {
		say_what_is_right(predicate, reader, word->text, known);
		return -EINVAL;
	}
	word->bits = bit_of(predicate, value);
	return 0;
}

static enum fact set_match(const struct predicate *predicate, const struct predicate_word *word,
                           const struct event *event)
{
	uint64_t bits = 0, known = 0;

	predicate->bits(event, &bits, &known);
	if (!(known & word->bits))
		return FACT_UNKNOWN;
	return bits & word->bits ? FACT_YES : FACT_NO;
}

static void set_print(const struct predicate *predicate, const struct event *event, struct phrase *phrase)
{
	uint64_t bits = 0, known = 0, told = 0;
	const char *word;
	uint32_t value;

	predicate->bits(event, &bits, &known);
	for (size_t i = 0; (word = event_word_at(predicate->words, i, &value)); i++) {
		uint64_t bit = bit_of(predicate, value);

		if (!(bits & known & bit & ~told))
			continue;
		phrase_format(phrase, "%s%s", told ? " " : "", word);
		told |= bit;
	}
	if (!told)
		phrase_text(phrase, known ? "none" : "not known");
}

static bool set_covers(const struct predicate_word *wide, const struct predicate_word *narrow)
{
	return wide->bits == narrow->bits;
}

const struct predicate_kind predicate_set = {set_read, set_match, set_print, set_covers};
