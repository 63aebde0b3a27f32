/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inih tells what kind of line it has read. The rest is not left to it, for it depends on how it was built: most builds
 * cut a line after 200 bytes and a section's name after 49, take what is behind " ;" for a comment, tell no line's
 * number and nothing of a section without keys. So the lines are handed to it one by one, by a reader that counts them
 * and keeps the whole of the line at hand; inih gets the beginning of it, in which the key stands, and the value is
 * taken from the whole.
 */
#include "user/judge/policy_read.h"

#include <errno.h>
#include <ini.h>
#include <stdbool.h>
#include <string.h>

#define BLANKS " \t"

#define KEY_MAX 64

struct reader {
	const struct policy_read_handler *handler;
	void *context;
	const char *at, *end; /* of the text */
	unsigned int line;    /* number of the line at hand */
	char whole[POLICY_LINE_MAX + 1];
	char key[KEY_MAX]; /* of the last key in the section; "": there was none yet */
	bool understood;   /* the line at hand was told, or has nothing to tell */
	int error;
};

static void tell_error(struct reader *reader, const char *quote, const char *what)
{
	if (!reader->error)
		reader->error = reader->handler->error(reader->context, reader->line, quote, what);
	reader->understood = true;
}

static void trim_end(char *text)
{
	size_t len = strlen(text);

	while (len && strchr(BLANKS, text[len - 1]))
		text[--len] = '\0';
}

/* Takes the next line of the text into reader->whole. false: it cannot be read as a line, which is told. */
static bool take_line(struct reader *reader)
{
	const char *newline = memchr(reader->at, '\n', (size_t)(reader->end - reader->at));
	const char *start = reader->at, *end = newline ? newline : reader->end;
	size_t len = (size_t)(end - start);

	reader->at = newline ? newline + 1 : reader->end;
	reader->line++;
	reader->understood = false;
	if (len && start[len - 1] == '\r')
		len--;
	if (len > POLICY_LINE_MAX) {
		tell_error(reader, NULL,
		           "the line is longer than 8192 bytes: a key may be repeated, or go on in a "
		           "line that begins with a blank");
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		if (((unsigned char)start[i] < 0x20 && start[i] != '\t') || start[i] == 0x7f) {
			tell_error(reader, NULL, "there is a control byte in the line: it must be plain text");
			return false;
		}
	}
	memcpy(reader->whole, start, len);
	reader->whole[len] = '\0';
	trim_end(reader->whole);
	return true;
}

static void take_heading(struct reader *reader)
{
	char *end = strrchr(reader->whole, ']');
	bool good = end && !end[1];

	reader->key[0] = '\0';
	if (good) {
		*end = '\0';
		trim_end(reader->whole);
	} else {
		tell_error(reader, reader->whole,
		           "a heading ends with ]: write [expect NAME], [ignore NAME] or [alert NAME], and comments in "
		           "lines of their own");
	}
	reader->understood = true;
	if (!reader->error)
		reader->error =
		        reader->handler->heading(reader->context, reader->line, good ? reader->whole + 1 : NULL);
}

/* As fgets(3), for inih: each call means that it is done with the line before. */
static char *next_line(char *line, int size, void *stream)
{
	struct reader *reader = stream;
	size_t len, room = (size_t)size - 2;
	const char *start;

	if (!reader->understood)
		tell_error(reader, reader->whole,
		           "write KEY = VALUE, or a heading: [expect NAME], [ignore NAME] or "
		           "[alert NAME]");
	do {
		if (reader->error || reader->at == reader->end)
			return NULL;
	} while (!take_line(reader));

	start = reader->whole + strspn(reader->whole, BLANKS);
	if (!*start || *start == '#' || *start == ';') {
		reader->understood = true;
		start = "";
	} else if (reader->whole[0] == '[') {
		take_heading(reader);
		start = "[rule]";
	} else {
		start = reader->whole;
	}
	len = strlen(start);
	len = len < room ? len : room;
	memcpy(line, start, len);
	memcpy(line + len, "\n", 2);
	return line;
}

/* A line that begins with a blank goes on with the value of the one before, if that had a key. */
static void take_continuation(struct reader *reader)
{
	char *value = reader->whole + strspn(reader->whole, BLANKS);
	size_t word = strspn(value, "abcdefghijklmnopqrstuvwxyz0123456789-");

	if (value[word + strspn(value + word, BLANKS)] == '=') {
		tell_error(reader, value,
		           "a line that begins with a blank goes on with the value of the line before: "
		           "begin this one with its key");
		return;
	}
	reader->error = reader->handler->value(reader->context, reader->line, reader->key, value, true);
}

static int take_value(void *user, const char *section, const char *name, const char *value)
{
	struct reader *reader = user;
	char *key = reader->whole + strspn(reader->whole, BLANKS), *separator;
	(void)section;
	(void)value;

	reader->understood = true;
	if (reader->error)
		return 0;
	if (key > reader->whole && reader->key[0]) {
		/* a build of inih that knows no continuation has read something else */
		if (strncmp(name, reader->key, strlen(name)) != 0)
			tell_error(reader, key, "begin the line with its key");
		else
			take_continuation(reader);
		return 1;
	}
	separator = strpbrk(key, "=:");
	if (!separator || *separator == ':') {
		tell_error(reader, key, "write KEY = VALUE");
		return 1;
	}
	*separator = '\0';
	trim_end(key);
	if (strlen(key) >= sizeof(reader->key)) {
		tell_error(reader, key, "there is no such key: bindwatch-policy(5) has them all");
		return 1;
	}
	memcpy(reader->key, key, strlen(key) + 1);
	separator++;
	reader->error = reader->handler->value(reader->context, reader->line, key,
	                                       separator + strspn(separator, BLANKS), false);
	return 1;
}

int policy_read(const char *text, size_t len, const struct policy_read_handler *handler, void *context)
{
	struct reader reader = {.handler = handler, .context = context, .understood = true};

	/* a mark of UTF-8 at the beginning */
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	reader.at = text;
	reader.end = text + len;
	/* what it returns is told already, line by line */
	if (ini_parse_stream(next_line, &reader, take_value, &reader) == -2)
		return -ENOMEM;
	return reader.error;
}
