/* SPDX-License-Identifier: BSD-2-Clause */
/* A number, a range or a name that stands for a number: users, groups, errors. */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/errno_name.h"
#include "user/base/number.h"
#include "user/judge/facts.h"

/* The strings of one entry; a group of very many members has more, and is then asked for with more. */
#define ENTRY_BYTES     4096
#define ENTRY_BYTES_MAX (1U << 20)

/* Of string_map: no host has it (PROCESS_UNSET). */
#define NOBODY UINT32_MAX

__attribute__((format(printf, 2, 3))) static int refuse(struct predicate_reader *reader, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(reader->message, sizeof(reader->message), format, arguments);
	va_end(arguments);
	return -EINVAL;
}

/* "1000", "1000-59999"; text: digits and '-' only */
static int read_numbers(struct predicate_reader *reader, struct predicate_word *word)
{
	char text[2 * 11 + 2];
	uint64_t first, last;
	char *dash;

	(void)snprintf(text, sizeof(text), "%s", word->text);
	dash = strchr(text, '-');
	if (dash)
		*dash = '\0';
	if (strlen(word->text) >= sizeof(text) || number_parse(text, 0, NOBODY - 1, &first) ||
	    number_parse(dash ? dash + 1 : text, 0, NOBODY - 1, &last))
		return refuse(reader, "write a number or a range, 1000 or 1000-59999, within 0-%u", NOBODY - 1);
	if (first > last)
		return refuse(reader, "the range ends before it begins: write %u-%u", (unsigned int)last,
		              (unsigned int)first);
	word->number.first = (uint32_t)first;
	word->number.last = (uint32_t)last;
	return 0;
}

static int number_read(const struct predicate *predicate, struct predicate_reader *reader, struct predicate_word *word)
{
	/* a name may have digits and hyphens in it, but not these alone */
	bool digits = word->text[0] && !word->text[strspn(word->text, "0123456789-")];

	if (digits && predicate->resolve != resolve_error)
		return read_numbers(reader, word);
	return predicate->resolve(reader, word);
}

static enum fact number_match(const struct predicate *predicate, const struct predicate_word *word,
                              const struct event *event)
{
	uint32_t number;

	if (!predicate->number(event, &number))
		return FACT_UNKNOWN;
	if (word->other == OTHER_NEVER)
		return FACT_NO;
	return number >= word->number.first && number <= word->number.last ? FACT_YES : FACT_NO;
}

static void number_print(const struct predicate *predicate, const struct event *event, struct phrase *phrase)
{
	uint32_t number;

	if (!predicate->number(event, &number))
		phrase_text(phrase, "not known");
	else if (predicate->resolve == resolve_error)
		phrase_text(phrase, number ? errno_name((int)number) : "none");
	else if (number == PROCESS_UNSET)
		phrase_text(phrase, "unset");
	else
		phrase_format(phrase, "%u", number);
}

static bool number_covers(const struct predicate_word *wide, const struct predicate_word *narrow)
{
	return wide->other == narrow->other && wide->number.first <= narrow->number.first &&
	       wide->number.last >= narrow->number.last;
}

const struct predicate_kind predicate_number = {number_read, number_match, number_print, number_covers};

int resolve_error(struct predicate_reader *reader, struct predicate_word *word)
{
	int error = errno_find(word->text);

	if (!error)
		return refuse(reader, "there is no such error: write its name, EADDRINUSE or EACCES");
	word->number.first = word->number.last = (uint32_t)error;
	return 0;
}

static int ask_user(const char *name, char *strings, size_t size, uint32_t *ret)
{
	struct passwd passwd, *found = NULL;
	int error = getpwnam_r(name, &passwd, strings, size, &found);

	*ret = found ? found->pw_uid : NOBODY;
	return error;
}

static int ask_group(const char *name, char *strings, size_t size, uint32_t *ret)
{
	struct group group, *found = NULL;
	int error = getgrnam_r(name, &group, strings, size, &found);

	*ret = found ? found->gr_gid : NOBODY;
	return error;
}

/* *ret: NOBODY where no such name is known. 0 or -ENOMEM. */
static int ask(int (*question)(const char *, char *, size_t, uint32_t *), const char *name, uint32_t *ret)
{
	int error = ERANGE;

	*ret = NOBODY;
	for (size_t size = ENTRY_BYTES; error == ERANGE && size <= ENTRY_BYTES_MAX; size *= 4) {
		char *strings = malloc(size);

		if (!strings)
			return -ENOMEM;
		error = question(name, strings, size, ret);
		free(strings);
	}
	return 0;
}

static int resolve_name(struct predicate_reader *reader, struct string_map *names, const char *what,
                        int (*question)(const char *, char *, size_t, uint32_t *), struct predicate_word *word)
{
	bool is_new;
	uint32_t *number = string_map_put(names, word->text, &is_new);

	if (!number)
		return -ENOMEM;
	if (is_new && ask(question, word->text, number) < 0)
		return -ENOMEM;
	word->number.first = word->number.last = *number;
	if (*number != NOBODY)
		return 0;
	word->other = OTHER_NEVER;
	(void)snprintf(reader->warning, sizeof(reader->warning),
	               "there is no such %s here: the word matches nothing until there is, and the policy is read anew",
	               what);
	return 0;
}

int resolve_user(struct predicate_reader *reader, struct predicate_word *word)
{
	return resolve_name(reader, &reader->users, "user", ask_user, word);
}

int resolve_login_user(struct predicate_reader *reader, struct predicate_word *word)
{
	if (strcmp(word->text, "unset") != 0)
		return resolve_user(reader, word);
	word->number.first = word->number.last = PROCESS_UNSET;
	return 0;
}

int resolve_group(struct predicate_reader *reader, struct predicate_word *word)
{
	return resolve_name(reader, &reader->groups, "group", ask_group, word);
}
