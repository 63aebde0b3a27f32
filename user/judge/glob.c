/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pattern is pieces with stars between them. Each piece is put where it first fits behind the one before: to put it
 * further back cannot help what follows, for
 *
 *   - behind **, whatever is skipped is skipped by the ** before it;
 *   - behind *, which stays between two slashes, the next star reaches as far from the nearer place as from the farther
 *     one; and a piece with a slash in it has one place at most, where its first slash meets the next of the text.
 *
 * So where a piece behind * fits nowhere before the next slash, only another place for what stands behind the last **
 * can help; and where it fits nowhere before the end of the text, nothing can. What stands behind ** is then tried
 * behind the first slash that the last try has consumed: a try that begins before it meets the same slashes, and the
 * same failure. So each byte of the text is looked at by no more tries than the pattern has slashes, and one.
 */
#include "user/judge/glob.h"

#include <string.h>

struct text {
	const char *at, *end;
	unsigned int flags;
};

/* Behind the class that begins at pattern, which points to its '['; NULL: it has no end. */
static const char *class_end(const char *pattern)
{
	const char *at = pattern + 1;

	if (*at == '!' || *at == '^')
		at++;
	if (*at == ']')
		at++;
	for (; *at != ']'; at++) {
		if (*at == '\\')
			at++;
		if (!*at)
			return NULL;
	}
	return at + 1;
}

/* The byte of a class at *at, a quoting '\' taken off; *at is then behind it. */
static unsigned char class_byte(const char **at)
{
	if (**at == '\\')
		(*at)++;
	return (unsigned char)*(*at)++;
}

static bool is_range(const char *at, const char *end)
{
	return at[0] == '-' && at + 1 < end;
}

/* pattern points to '[', end to the ']' of it */
static bool class_has(const char *pattern, const char *end, unsigned char byte)
{
	const char *at = pattern + 1;
	bool negated = *at == '!' || *at == '^', has = false;

	at += negated;
	while (at < end) {
		unsigned char first = class_byte(&at), last = first;

		if (is_range(at, end)) {
			at++;
			last = class_byte(&at);
		}
		has |= byte >= first && byte <= last;
	}
	return has != negated;
}

static const char *check_class(const char *pattern, const char *end)
{
	const char *at = pattern + 1;

	at += *at == '!' || *at == '^';
	while (at < end) {
		unsigned char first = class_byte(&at);

		if (!is_range(at, end))
			continue;
		at++;
		if (class_byte(&at) < first)
			return "a range in [] ends before it begins";
	}
	return NULL;
}

const char *glob_check(const char *pattern)
{
	while (*pattern) {
		if (*pattern == '\\' && !pattern[1])
			return "a \\ with nothing behind it";
		if (*pattern == '[') {
			const char *end = class_end(pattern), *error;

			if (!end)
				return "a [ without its ]";
			error = check_class(pattern, end - 1);
			if (error)
				return error;
			pattern = end;
			continue;
		}
		pattern += *pattern == '\\' ? 2 : 1;
	}
	return NULL;
}

bool glob_is_literal(const char *pattern)
{
	return !pattern[strcspn(pattern, "*?[\\")];
}

void glob_ends(const char *pattern, uint16_t *ret_prefix, uint16_t *ret_suffix)
{
	const char *at = pattern + strcspn(pattern, "*?[\\"), *end = at;

	*ret_prefix = (uint16_t)(at - pattern);
	/* behind the last wildcard, whole classes and quoted bytes among them */
	while (*at) {
		const char *next = *at == '[' ? class_end(at) : at + (*at == '\\' ? 2 : 1);

		if (strchr("*?[\\", *at))
			end = next;
		at = next;
	}
	*ret_suffix = (uint16_t)(at - end);
	if (end == pattern + *ret_prefix)
		*ret_suffix = 0;
}

static bool is_slash(const struct text *text, const char *at)
{
	return *at == '/' && !(text->flags & GLOB_ANY);
}

/* One byte of the text against what stands at *pattern, which is no star; if it fits, both go on. */
static bool step(const char **pattern, struct text *text)
{
	const char *at = *pattern, *next = at + 1;
	unsigned char byte;
	bool fits;

	if (!*at || text->at == text->end)
		return false;
	byte = (unsigned char)*text->at;
	if (!byte && text->flags & GLOB_NUL_IS_BLANK)
		byte = ' ';
	if (*at == '?') {
		fits = !is_slash(text, text->at);
	} else if (*at == '[') {
		next = class_end(at);
		fits = !is_slash(text, text->at) && class_has(at, next - 1, byte);
	} else {
		if (*at == '\\')
			at++, next++;
		fits = (unsigned char)*at == byte;
	}
	if (!fits)
		return false;
	*pattern = next;
	text->at++;
	return true;
}

/* Behind the stars at pattern. *ret_any: one of them is **. */
static const char *skip_stars(const char *pattern, unsigned int flags, bool *ret_any)
{
	*ret_any = flags & GLOB_ANY;
	for (; *pattern == '*'; pattern++)
		*ret_any |= pattern[1] == '*';
	return pattern;
}

/* A place to go on from when a piece does not fit: what stands behind the star, and where it was tried last. */
struct retry {
	const char *pattern; /* NULL: there was no such star yet */
	const char *text;
};

static const char *first_slash(const struct text *text, const char *from)
{
	const char *slash = memchr(from, '/', (size_t)(text->end - from));

	return slash ? slash : text->end;
}

/* Goes back to the nearest star that can take more. false: none can. */
static bool go_back(struct retry *any, struct retry *star, const char **pattern, struct text *text)
{
	if (star->pattern) {
		if (star->text == text->end)
			return false;
		if (!is_slash(text, star->text)) {
			*pattern = star->pattern;
			text->at = ++star->text;
			return true;
		}
		if (!any->pattern)
			return false;
		any->text = first_slash(text, any->text) + 1;
	} else {
		if (!any->pattern || any->text == text->end)
			return false;
		any->text++;
	}
	star->pattern = NULL;
	*pattern = any->pattern;
	text->at = any->text;
	return true;
}

bool glob_match(const char *pattern, const char *bytes, size_t len, unsigned int flags)
{
	struct text text = {bytes, bytes + len, flags};
	struct retry any = {NULL, NULL}, star = {NULL, NULL};

	for (;;) {
		if (*pattern == '*') {
			bool crosses;

			pattern = skip_stars(pattern, flags, &crosses);
			if (crosses && !*pattern)
				return true;
			star = (struct retry){NULL, NULL};
			*(crosses ? &any : &star) = (struct retry){pattern, text.at};
			continue;
		}
		if (!*pattern && text.at == text.end)
			return true;
		if (!step(&pattern, &text) && !go_back(&any, &star, &pattern, &text))
			return false;
	}
}
