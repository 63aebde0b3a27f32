/* SPDX-License-Identifier: BSD-2-Clause */
/* What was learnt, as sections of a policy for a person to review: a comment says what each was learnt from. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "registry/sha256.h"
#include "user/base/arena.h"
#include "user/base/string_map.h"
#include "user/base/visible.h"
#include "user/cli/learn.h"
#include "user/judge/interpreter.h"

/* Ports that the comment above a section tells one by one; the others are counted. */
#define PORTS_TOLD 20

/* Words on one line; a key that is repeated goes on. */
#define WORDS_A_LINE 10

/* A section of more ports is written by numbers: to find names that cover them all takes the square of their number. */
#define SERVICE_PORTS_MAX 64

/* Of a program's name, within the name of a section: "learnt-", "-" and eight digits are added to it, to 64 at most. */
#define NAME_BYTES 40
#define NAME_LEN   (sizeof("learnt--01234567") + NAME_BYTES)

struct section {
	const struct learn_row **rows; /* of one program, by port and transport */
	size_t count, capacity;
};

struct writing {
	const struct registry *registry;
	struct user_cache *users;
	FILE *stream;
	struct section section;
	struct string_map names; /* of the rules that stand already, and of the sections */
	struct arena own_names;  /* of the sections */
	bool begun;
};

static void write_visible(FILE *stream, const char *text)
{
	size_t len = strlen(text);

	while (len) {
		char form[VISIBLE_MAX];
		size_t taken, size = visible_next(text, len, VISIBLE_BACKSLASH, form, &taken);

		(void)fwrite(form, 1, size, stream);
		text += taken;
		len -= taken;
	}
}

/*
 * A text, of which every character shows as itself, as a pattern that matches it and nothing else. A ';' behind a blank
 * begins a comment for some readers of INI files, and a '!' at the beginning would exclude.
 */
static void write_glob(FILE *stream, const char *text)
{
	bool quoted = *text == '!' || strpbrk(text, " \"");

	if (quoted)
		(void)fputc('"', stream);
	for (; *text; text++) {
		if (*text == ';')
			(void)fputs("[;]", stream);
		else if (strchr("*?[]\\", *text))
			(void)fprintf(stream, quoted ? "\\\\%s%c" : "\\%s%c", quoted && *text == '\\' ? "\\" : "",
			              *text);
		else
			(void)fprintf(stream, *text == '"' ? "\\%c" : "%c", *text);
	}
	if (quoted)
		(void)fputc('"', stream);
}

/* One more word of a key: "key = word word", and a line of its own for each WORDS_A_LINE. */
static void begin_word(FILE *stream, const char *key, size_t number)
{
	if (number % WORDS_A_LINE)
		(void)fputc(' ', stream);
	else
		(void)fprintf(stream, "%s%s = ", number ? "\n" : "", key);
}

/* The ports of each transport, those in a row as a range. */
static void write_ports(FILE *stream, const struct section *section)
{
	size_t words = 0;

	for (enum registry_transport transport = 0; transport < REGISTRY_TRANSPORTS; transport++) {
		for (size_t i = 0; i < section->count; i++) {
			uint16_t first = section->rows[i]->port, last = first;

			if (section->rows[i]->transport != transport)
				continue;
			for (size_t next = i + 1; next < section->count && section->rows[next]->port <= last + 1;
			     next++) {
				if (section->rows[next]->transport != transport)
					continue;
				last = section->rows[next]->port;
				i = next;
			}
			begin_word(stream, "port", words++);
			(void)fprintf(stream, "%u", first);
			if (last != first)
				(void)fprintf(stream, "-%u", last);
			(void)fprintf(stream, "/%s", registry_transport_name(transport));
		}
	}
	(void)fputc('\n', stream);
}

static const struct learn_row *find_port(const struct section *section, uint16_t port,
                                         enum registry_transport transport)
{
	for (size_t i = 0; i < section->count; i++)
		if (section->rows[i]->port == port && section->rows[i]->transport == transport)
			return section->rows[i];
	return NULL;
}

static int is_elsewhere(void *context, uint16_t port, enum registry_transport transport)
{
	struct {
		const struct section *section;
		bool elsewhere;
	} *search = context;

	search->elsewhere |= !find_port(search->section, port, transport);
	return search->elsewhere;
}

/* A name of the port's that means ports of this section only; NULL: there is none. */
static const char *exact_name(const struct registry *registry, const struct section *section,
                              const struct learn_row *row)
{
	const struct registry_entry *entry = registry_lookup(registry, row->port, row->transport);
	const char *name = entry->names;

	for (unsigned int i = 0; i < entry->names_count; i++, name = registry_next_name(name)) {
		struct {
			const struct section *section;
			bool elsewhere;
		} search = {.section = section};

		if (name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.+")])
			continue;
		if (registry_find_service(registry, name, is_elsewhere, &search) && !search.elsewhere)
			return name;
	}
	return NULL;
}

/* By the names of services if those say exactly which ports, transports too. */
static bool write_services(FILE *stream, const struct registry *registry, const struct section *section)
{
	const char *names[SERVICE_PORTS_MAX];
	size_t words = 0;

	if (section->count > SERVICE_PORTS_MAX)
		return false;
	for (size_t i = 0; i < section->count; i++) {
		names[i] = exact_name(registry, section, section->rows[i]);
		if (!names[i])
			return false;
	}
	for (size_t i = 0; i < section->count; i++) {
		size_t same = 0;

		while (strcmp(names[same], names[i]) != 0)
			same++;
		if (same < i)
			continue;
		begin_word(stream, "service", words++);
		(void)fputs(names[i], stream);
	}
	(void)fputc('\n', stream);
	return true;
}

static void write_predicates(FILE *stream, const struct registry *registry, const struct section *section)
{
	const struct learn_program *program = &section->rows[0]->program;

	(void)fputs("exe = ", stream);
	write_glob(stream, program->exe);
	/* nothing else is learnt, and in any other everybody can put what he likes at this path */
	(void)fputs("\nuserns = host\n", stream);
	if (program->unit) {
		(void)fputs("unit = ", stream);
		write_glob(stream, program->unit);
		(void)fputc('\n', stream);
	}
	if (program->in_container || program->not_in_container)
		(void)fprintf(stream, "container = %s\n", program->in_container ? "any" : "none");
	if (!write_services(stream, registry, section))
		write_ports(stream, section);
}

static void write_time(FILE *stream, uint64_t time_ns)
{
	time_t seconds = (time_t)(time_ns / 1000000000);
	struct tm tm;
	char text[32] = "";

	if (gmtime_r(&seconds, &tm))
		(void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	(void)fputs(text, stream);
}

static int compare_users(const void *a, const void *b)
{
	const uint32_t *left = a, *right = b;

	return (*left > *right) - (*left < *right);
}

static void write_users(struct writing *writing, const struct learn_row *row)
{
	uint32_t users[LEARN_USERS];

	memcpy(users, row->users, sizeof(users));
	qsort(users, row->users_count, sizeof(users[0]), compare_users);
	for (unsigned int i = 0; i < row->users_count; i++) {
		const char *name = user_cache_name(writing->users, users[i]);

		(void)fputs(i ? ", " : " by ", writing->stream);
		if (name)
			write_visible(writing->stream, name);
		else
			(void)fprintf(writing->stream, "%u", users[i]);
	}
	if (row->more_users)
		(void)fputs(" and others", writing->stream);
}

/* "#   22/tcp ssh: 2 binds by root, 2026-11-22T04:27:34Z" */
static void write_port_comment(struct writing *writing, const struct learn_row *row)
{
	const struct registry_entry *entry = registry_lookup(writing->registry, row->port, row->transport);
	FILE *stream = writing->stream;

	(void)fprintf(stream, "#   %u/%s", row->port, registry_transport_name(row->transport));
	if (entry->state == REGISTRY_ASSIGNED && entry->names_count) {
		(void)fputc(' ', stream);
		write_visible(stream, entry->names);
	}
	(void)fprintf(stream, ": %llu bind%s", (unsigned long long)row->binds, row->binds == 1 ? "" : "s");
	write_users(writing, row);
	(void)fputs(", ", stream);
	write_time(stream, row->first_ns);
	if (row->last_ns / 1000000000 != row->first_ns / 1000000000) {
		(void)fputs(" to ", stream);
		write_time(stream, row->last_ns);
	}
	(void)fputc('\n', stream);
}

static void write_comment(struct writing *writing)
{
	const struct section *section = &writing->section;
	const struct learn_program *program = &section->rows[0]->program;

	(void)fputs("\n# ", writing->stream);
	write_visible(writing->stream, program->exe);
	if (program->unit) {
		(void)fputs(" of ", writing->stream);
		write_visible(writing->stream, program->unit);
	}
	(void)fprintf(writing->stream, "%s:\n", program->in_container ? ", in a container" : "");
	for (size_t i = 0; i < section->count && i < PORTS_TOLD; i++)
		write_port_comment(writing, section->rows[i]);
	if (section->count > PORTS_TOLD)
		(void)fprintf(writing->stream, "#   and %zu more ports\n", section->count - PORTS_TOLD);
	if (learn_note(program->exe))
		(void)fprintf(writing->stream, "# %s\n", learn_note(program->exe));
	if (learn_file_note(program))
		(void)fprintf(writing->stream, "# %s\n", learn_file_note(program));
	if (interpreter_is_at(program->exe))
		(void)fputs("# An interpreter: belongs into a file before the rules that alert on those, as 16-learnt.conf.\n",
		            writing->stream);
}

/*
 * "learnt-sshd-0a1b2c3d". The digits stand for what the section says: what is learnt later, from the same program, has
 * another name. attempt: 0, and up while what came of it is the name of another rule.
 */
static void make_name(const char *exe, const char *predicates, unsigned int attempt, char ret[NAME_LEN])
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
	const char *file = strrchr(exe, '/') + 1;
	char name[NAME_BYTES + 1], digits[SHA256_TEXT_LEN];
	struct sha256 sha;
	size_t bytes = 0;

	sha256_begin(&sha);
	sha256_add(&sha, predicates, strlen(predicates));
	if (attempt)
		sha256_add(&sha, &attempt, sizeof(attempt));
	sha256_text(&sha, digits);
	for (; file[bytes] && bytes < NAME_BYTES; bytes++)
		name[bytes] = strchr(plain, file[bytes]) ? file[bytes] : '_';
	name[bytes] = '\0';
	(void)snprintf(ret, NAME_LEN, "learnt-%s-%.8s", name, digits);
}

/* A name that no other rule has; it lives as long as writing. NULL: out of memory. */
static const char *new_name(struct writing *writing, const char *predicates)
{
	const char *exe = writing->section.rows[0]->program.exe, *kept;
	unsigned int attempt = 0;
	char name[NAME_LEN];
	bool is_new;

	do {
		make_name(exe, predicates, attempt++, name);
	} while (string_map_get(&writing->names, name));
	kept = arena_copy(&writing->own_names, name, strlen(name));
	return kept && string_map_put(&writing->names, kept, &is_new) ? kept : NULL;
}

static int write_section(struct writing *writing)
{
	char *predicates = NULL;
	const char *name;
	size_t size = 0;
	FILE *memory;

	if (!writing->section.count)
		return 0;
	memory = open_memstream(&predicates, &size);
	if (!memory)
		return -ENOMEM;
	write_predicates(memory, writing->registry, &writing->section);
	name = fclose(memory) == 0 ? new_name(writing, predicates) : NULL;
	if (!name) {
		free(predicates);
		return -ENOMEM;
	}
	if (!writing->begun)
		(void)fputs("# Learnt by bindwatch. Read it before you use it: what stands here raises no alert any "
		            "more.\n",
		            writing->stream);
	writing->begun = true;
	write_comment(writing);
	(void)fprintf(writing->stream, "[expect %s]\n%s", name, predicates);
	free(predicates);
	writing->section.count = 0;
	return 0;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static bool same_program(const struct learn_program *a, const struct learn_program *b)
{
	return same_text(a->exe, b->exe) && same_text(a->unit, b->unit) && a->in_container == b->in_container &&
	       a->not_in_container == b->not_in_container;
}

static int add_row(void *context, const struct learn_row *row)
{
	struct writing *writing = context;
	struct section *section = &writing->section;
	int r = 0;

	if (section->count && !same_program(&section->rows[0]->program, &row->program))
		r = write_section(writing);
	if (r < 0)
		return r;
	if (section->count == section->capacity) {
		size_t capacity = section->capacity ? 2 * section->capacity : 64;
		const struct learn_row **rows = reallocarray(section->rows, capacity, sizeof(*rows));

		if (!rows)
			return -ENOMEM;
		section->rows = rows;
		section->capacity = capacity;
	}
	section->rows[section->count++] = row;
	return 0;
}

/* The names of the policy's rules. */
static int take_names(struct string_map *names, const struct policy *policy)
{
	bool is_new;

	for (size_t i = 0; policy && i < policy_rules(policy); i++)
		if (!string_map_put(names, policy_rule_name(policy, i), &is_new))
			return -ENOMEM;
	return 0;
}

int learn_write(const struct learn *learn, const struct registry *registry, const struct policy *policy,
                struct user_cache *users, FILE *stream)
{
	struct writing writing = {.registry = registry, .users = users, .stream = stream};
	int r = take_names(&writing.names, policy);

	if (r == 0)
		r = learn_each_row(learn, add_row, &writing);
	if (r == 0)
		r = write_section(&writing);
	free(writing.section.rows);
	string_map_free(&writing.names);
	arena_free(&writing.own_names);
	errno = 0;
	if (r == 0 && (fflush(stream) != 0 || ferror(stream)))
		r = errno ? -errno : -EIO;
	return r;
}
