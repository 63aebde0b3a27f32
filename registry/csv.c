/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IANA's official CSV file of the registry, service-names-port-numbers.csv.
 *
 * The state of a port is not a column: it is in the description, or in the notes, in the words that its editors
 * chose over 30 years. What is read as what stands in the tables below.
 */
#include "registry/table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/csv_reader.h"
#include "registry/resolve.h"
#include "registry/text.h"

enum column {
	COLUMN_NAME,
	COLUMN_PORT,
	COLUMN_TRANSPORT,
	COLUMN_DESCRIPTION,
	COLUMN_ASSIGNEE,
	COLUMN_CONTACT,
	COLUMN_REGISTERED,
	COLUMN_MODIFIED,
	COLUMN_REFERENCE,
	COLUMN_SERVICE_CODE,
	COLUMN_UNAUTHORIZED,
	COLUMN_NOTES,
};

static const char *const titles[CSV_COLUMNS] = {
    [COLUMN_NAME] = "Service Name",
    [COLUMN_PORT] = "Port Number",
    [COLUMN_TRANSPORT] = "Transport Protocol",
    [COLUMN_DESCRIPTION] = "Description",
    [COLUMN_ASSIGNEE] = "Assignee",
    [COLUMN_CONTACT] = "Contact",
    [COLUMN_REGISTERED] = "Registration Date",
    [COLUMN_MODIFIED] = "Modification Date",
    [COLUMN_REFERENCE] = "Reference",
    [COLUMN_SERVICE_CODE] = "Service Code",
    [COLUMN_UNAUTHORIZED] = "Unauthorized Use Reported",
    [COLUMN_NOTES] = "Assignment Notes",
};

/* What the column was called until 2014 at least. */
#define TITLE_UNAUTHORIZED_OLD "Known Unauthorized Uses"

/*
 * The state of a port that bears no name, by the beginning of its description. Any other description tells what an
 * unnamed assignment is for (24, "any private mail system").
 */
static const struct {
	const char *beginning;
	enum registry_state state;
} descriptions[] = {
    {"Unassigned", REGISTRY_UNASSIGNED},    {"(unassigned)", REGISTRY_UNASSIGNED},
    {"Reserved", REGISTRY_RESERVED},	    {"IANA Reserved", REGISTRY_RESERVED},
    {"Removed", REGISTRY_DEASSIGNED},	    {"De-assigned", REGISTRY_DEASSIGNED},
    {"De-registered", REGISTRY_DEASSIGNED}, {"De-commissioned", REGISTRY_DEASSIGNED},
    {"Decomissioned", REGISTRY_DEASSIGNED}, {"Deprecated", REGISTRY_DEASSIGNED},
};

/* How the notes of a reserved port say that it was de-assigned; the date follows. */
static const char *const removals[] = {"De-assigned on ", "De-registered on ", "removed on "};

/* How the notes of a name say that it is historic, kept beside its successor (RFC 6335, section 10.1). */
#define ALIAS_NOTE "is an alias to "

static int check_header(struct input *input, const struct csv_record *record, char error[REGISTRY_ERROR_LEN])
{
	for (unsigned int i = 0; i < CSV_COLUMNS; i++) {
		if (strcmp(record->fields[i], titles[i]) == 0)
			continue;
		if (i == COLUMN_UNAUTHORIZED && strcmp(record->fields[i], TITLE_UNAUTHORIZED_OLD) == 0)
			continue;
		return input_fault(input, record->line, error, "column %u is \"%s\"; IANA's file has \"%s\" there",
				   i + 1, text_quote(record->fields[i]).text, titles[i]);
	}
	return 0;
}

static int parse_date(struct input *input, const struct csv_record *record, enum column column, uint32_t *ret,
		      char error[REGISTRY_ERROR_LEN])
{
	const char *text = record->fields[column];

	if (text_date(text, ret) == 0)
		return 0;
	return input_fault(input, record->line, error, "%s \"%s\"; YYYY-MM-DD, YYYY-MM or nothing is wanted",
			   titles[column], text_quote(text).text);
}

/* The columns of fixed form. */
static int parse_forms(struct input *input, const struct csv_record *record, struct resolve_row *row,
		       char error[REGISTRY_ERROR_LEN])
{
	const char *name = record->fields[COLUMN_NAME], *port = record->fields[COLUMN_PORT];
	const char *transport = record->fields[COLUMN_TRANSPORT];
	enum registry_transport number;
	int r;

	if (*name && !text_name_valid(name))
		return input_fault(input, record->line, error,
				   "service name \"%s\"; 1 to %d printable ASCII characters without '|' are wanted",
				   text_quote(name).text, TEXT_NAME_MAX);
	if (*port && text_ports(port, &row->first, &row->last) < 0)
		return input_fault(input, record->line, error,
				   "port \"%s\"; a number of 0-65535 or a range of them that does not fall is wanted",
				   text_quote(port).text);
	row->transports = TEXT_ALL_TRANSPORTS;
	row->every_transport = !*transport;
	if (*transport) {
		if (text_transport(transport, &number) < 0)
			return input_fault(input, record->line, error,
					   "transport \"%s\"; tcp, udp, sctp, dccp or nothing is wanted",
					   text_quote(transport).text);
		row->transports = (uint8_t)(1U << number);
	}
	r = parse_date(input, record, COLUMN_REGISTERED, &row->registered, error);
	return r < 0 ? r : parse_date(input, record, COLUMN_MODIFIED, &row->modified, error);
}

/*
 * True where the notes say that the port was removed; *ret is the date they give, or untouched. "Previously removed"
 * and the like speak of an assignment before the present one.
 */
static bool notes_removal(const char *notes, uint32_t *ret)
{
	for (size_t i = 0; i < sizeof(removals) / sizeof(*removals); i++) {
		const char *found = text_find(notes, removals[i]), *earlier = text_find(notes, "previously");
		char date[11] = "";

		if (!found || (earlier && earlier < found))
			continue;
		(void)snprintf(date, sizeof(date), "%s", found + strlen(removals[i]));
		(void)text_date(date, ret);
		return true;
	}
	return false;
}

/* What the row says of the port. `description` and `notes` are one line each. */
static void classify_row(const char *name, const char *description, const char *notes, struct resolve_row *row)
{
	row->state = REGISTRY_ASSIGNED;
	for (size_t i = 0; i < sizeof(descriptions) / sizeof(*descriptions); i++) {
		/* with a name the whole text must say it: 5349 is assigned, and "Reserved for a future ..." */
		if (*name && (descriptions[i].state != REGISTRY_DEASSIGNED ||
			      !text_equal(description, descriptions[i].beginning)))
			continue;
		if (!text_begins(description, descriptions[i].beginning))
			continue;
		row->state = (uint8_t)descriptions[i].state;
		break;
	}
	if (row->state == REGISTRY_DEASSIGNED || row->state == REGISTRY_RESERVED) {
		uint32_t removed = row->modified;

		if (notes_removal(notes, &removed))
			row->state = REGISTRY_DEASSIGNED;
		if (row->state == REGISTRY_DEASSIGNED)
			row->removed = removed;
	}
	row->alias = text_find(notes, ALIAS_NOTE) != NULL;
}

/* A description that says the state and no more is no title: the state says it. */
static bool is_title(const char *name, const char *description)
{
	if (*name)
		return true;
	for (size_t i = 0; i < sizeof(descriptions) / sizeof(*descriptions); i++)
		if (text_equal(description, descriptions[i].beginning))
			return false;
	return true;
}

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The next port or range in the text, from *at on; false: there is none. "krb524" and "[RFC4146]" name no port. */
static bool next_ports(const char *text, const char **at, uint16_t *ret_first, uint16_t *ret_last)
{
	const char *begin = *at;

	for (;;) {
		char word[12];
		size_t len;

		while (*begin && (*begin < '0' || *begin > '9' || (begin > text && is_word(begin[-1]))))
			begin++;
		if (!*begin)
			return false;
		len = strspn(begin, "0123456789-");
		*at = begin + len;
		if (len < sizeof(word) && !is_word(begin[len])) {
			memcpy(word, begin, len);
			word[len] = '\0';
			if (text_ports(word, ret_first, ret_last) == 0)
				return true;
		}
		begin = *at;
	}
}

/*
 * Unauthorised use was reported of the ports that the note names, not of the whole range of the row: x11 is
 * 6000-6063, the note says 6003. A note that names none speaks of all of the row's.
 */
static int add_uses(struct resolver *resolver, const char *note, struct resolve_row *row)
{
	const char *at = note;
	uint16_t first, last;
	int r = 0;

	row->uses = (uint32_t)resolver->uses_count;
	while (!r && next_ports(note, &at, &first, &last))
		r = resolve_add_use(resolver, first, last);
	if (!r && *note && row->uses == resolver->uses_count)
		r = resolve_add_use(resolver, row->first, row->last);
	row->uses_count = (uint32_t)(resolver->uses_count - row->uses);
	return r;
}

/*
 * IANA's CSV does not tell its date. IANA writes a date into each row that it adds or changes, so the newest of them is
 * the registry's: that of 2026-08-17 has a row of 2026-08-17.
 */
static void note_date(uint32_t date, struct table_builder *builder)
{
	char text[16];

	if (date % 100 == 0)
		return;
	(void)snprintf(text, sizeof(text), "%04u-%02u-%02u", date / 10000 % 10000, date / 100 % 100, date % 100);
	if (strcmp(text, builder->date) > 0)
		memcpy(builder->date, text, sizeof(builder->date));
}

static int add_record(struct input *input, struct csv_record *record, struct resolver *resolver,
		      struct table_builder *builder, char error[REGISTRY_ERROR_LEN])
{
	struct resolve_row row = {.line = record->line};
	const char *name = record->fields[COLUMN_NAME];
	/* ours to change: the record is read anew for each row */
	char *description = record->text + (record->fields[COLUMN_DESCRIPTION] - record->text);
	char *notes = record->text + (record->fields[COLUMN_NOTES] - record->text);
	int r = parse_forms(input, record, &row, error);

	if (r < 0)
		return r;
	note_date(row.registered, builder);
	note_date(row.modified, builder);
	text_one_line(description);
	text_one_line(notes);
	if (!*name && !*description)
		return input_fault(input, record->line, error, "neither a service name nor a description");
	/* 1,000 services have a name and no port: they are found by DNS-SD (RFC 6763) */
	if (!*record->fields[COLUMN_PORT])
		return 0;
	classify_row(name, description, notes, &row);
	if (!is_title(name, description))
		*description = '\0';
	r = table_string(builder, name, strlen(name), &row.name);
	if (!r)
		r = table_string(builder, description, strlen(description), &row.title);
	if (!r)
		r = add_uses(resolver, record->fields[COLUMN_UNAUTHORIZED], &row);
	if (r < 0)
		return table_fault(input, record->line, r, error);
	r = resolve_add_row(resolver, &row);
	if (r == -EINVAL)
		return input_fault(input, record->line, error,
				   "the rows up to here speak of too many ports: each is in few rows");
	return r < 0 ? table_fault(input, record->line, r, error) : 0;
}

int csv_read(struct input *input, struct table_builder *builder, char error[REGISTRY_ERROR_LEN])
{
	struct csv_record *record = malloc(sizeof(*record));
	struct resolver resolver = {0};
	int r;

	if (!record)
		return table_fault(input, 0, -ENOMEM, error);
	r = csv_next(input, record, error);
	if (r > 0)
		r = check_header(input, record, error);
	while (!r) {
		r = csv_next(input, record, error);
		if (r <= 0)
			break;
		r = add_record(input, record, &resolver, builder, error);
	}
	if (!r)
		r = resolve(&resolver, input, builder, error);
	if (!r)
		r = table_check_whole(builder, input, error);
	if (!r) {
		if (!builder->date[0])
			memcpy(builder->date, input->date, sizeof(builder->date));
		sha256_text(&input->sha, builder->digest);
	}
	resolve_free(&resolver);
	free(record);
	return r;
}
