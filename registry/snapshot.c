/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/snapshot.h"

#include <errno.h>
#include <string.h>

#include "registry/table.h"
#include "registry/text.h"
#include "user/base/number.h"

#define FIRST_LINE   "bindwatch-registry 1"
#define COLUMNS_LINE "ports\ttransports\tstate\tregistered\tmodified\tremoved\tflags\tnames\ttitle"
#define ALL	     "all"
#define UNAUTHORIZED "unauthorized"

/* A title comes from one field of the CSV, the names are at most TABLE_NAMES_MAX. */
#define LINE_SIZE 32768

enum column {
	COLUMN_PORTS,
	COLUMN_TRANSPORTS,
	COLUMN_STATE,
	COLUMN_REGISTERED,
	COLUMN_MODIFIED,
	COLUMN_REMOVED,
	COLUMN_FLAGS,
	COLUMN_NAMES,
	COLUMN_TITLE,
	COLUMNS,
};

/* --- reading ---------------------------------------------------------------------------------------------------- */

static int take_line(struct input *input, char line[LINE_SIZE], char error[REGISTRY_ERROR_LEN])
{
	uint32_t number = input->line;
	bool ended;
	size_t len, bad;
	int r = input_line(input, line, LINE_SIZE, &ended, error);

	if (r < 0)
		return r;
	if (!r)
		return input_fault(input, number, error,
				   "the file is cut off: its last line is \"end\" and the number of rows");
	if (!ended)
		return input_fault(input, number, error, "the file is cut off: each line ends in a line feed");
	len = strlen(line);
	for (size_t at = 0; at < len; at += bad + 1) {
		bad = text_check(line + at, len - at, false);
		if (at + bad < len && line[at + bad] != '\t')
			return input_fault(input, number, error,
					   "the byte 0x%02x begins no character that this file may hold; it is UTF-8 "
					   "without control characters",
					   (unsigned char)line[at + bad]);
	}
	return 0;
}

static int read_header(struct input *input, struct table_builder *builder, char line[LINE_SIZE],
		       char error[REGISTRY_ERROR_LEN])
{
	const char *date = line + strlen("date "), *digest = line + strlen("source-sha256 ");
	uint32_t ignored;
	int r = take_line(input, line, error);

	if (r < 0)
		return r;
	if (strcmp(line, FIRST_LINE) != 0)
		return input_fault(input, 1, error, "\"%s\"; this program reads \"" FIRST_LINE "\"",
				   text_quote(line).text);
	r = take_line(input, line, error);
	if (r < 0)
		return r;
	if (strncmp(line, "date ", strlen("date ")) != 0 || strlen(date) != 10 || text_date(date, &ignored) < 0)
		return input_fault(input, 2, error, "\"%s\"; \"date YYYY-MM-DD\" is wanted", text_quote(line).text);
	memcpy(builder->date, date, sizeof(builder->date));
	r = take_line(input, line, error);
	if (r < 0)
		return r;
	if (strncmp(line, "source-sha256 ", strlen("source-sha256 ")) != 0 || strlen(digest) != 64 ||
	    strspn(digest, "0123456789abcdef") != 64)
		return input_fault(input, 3, error, "\"%s\"; \"source-sha256\" and 64 hexadecimal digits are wanted",
				   text_quote(line).text);
	memcpy(builder->digest, digest, sizeof(builder->digest));
	r = take_line(input, line, error);
	if (r < 0)
		return r;
	if (strcmp(line, COLUMNS_LINE) != 0)
		return input_fault(input, 4, error, "\"%s\"; the line that names the %d columns is wanted",
				   text_quote(line).text, COLUMNS);
	return 0;
}

/* The transports must stand in their order, each once: so a set has one form. */
static int parse_transports(char *text, uint8_t *ret)
{
	uint8_t mask = 0;

	if (strcmp(text, ALL) == 0) {
		*ret = TEXT_ALL_TRANSPORTS;
		return 0;
	}
	while (text) {
		char *name = strsep(&text, ",");
		enum registry_transport transport;

		if (text_transport(name, &transport) < 0 || mask >> transport)
			return -EINVAL;
		mask |= (uint8_t)(1U << transport);
	}
	*ret = mask;
	return 0;
}

static int parse_names(struct table_builder *builder, char *text, struct table_entry *entry)
{
	const char *names[TABLE_NAMES_MAX];
	size_t count = 0;

	while (text && *text) {
		char *name = strsep(&text, "|");

		if (count == TABLE_NAMES_MAX || !text_name_valid(name) || (text && !*text))
			return -EINVAL;
		names[count++] = name;
	}
	entry->names_count = (uint8_t)count;
	return table_names(builder, names, count, &entry->names);
}

static int parse_state(const char *text, uint8_t *ret)
{
	for (unsigned int state = REGISTRY_NOT_LISTED + 1; state < REGISTRY_STATES; state++) {
		if (strcmp(text, registry_state_name((enum registry_state)state)) == 0) {
			*ret = (uint8_t)state;
			return 0;
		}
	}
	return -EINVAL;
}

static int set_pairs(struct input *input, struct table_builder *builder, uint32_t line, uint16_t first, uint16_t last,
		     uint8_t transports, uint16_t number, char error[REGISTRY_ERROR_LEN])
{
	for (uint32_t port = first; port <= last; port++) {
		for (unsigned int t = 0; t < REGISTRY_TRANSPORTS; t++) {
			uint16_t *pair = &builder->index[TABLE_PAIR(port, t)];

			if (!(transports & 1U << t))
				continue;
			if (*pair != TABLE_NOT_LISTED)
				return input_fault(input, line, error, "port %u/%s is in an earlier line already", port,
						   registry_transport_name((enum registry_transport)t));
			*pair = number;
		}
	}
	return 0;
}

static int column_fault(struct input *input, uint32_t line, const char *value, const char *wanted,
			char error[REGISTRY_ERROR_LEN])
{
	return input_fault(input, line, error, "\"%s\"; %s wanted", text_quote(value).text, wanted);
}

static int read_row(struct input *input, struct table_builder *builder, char *line, uint32_t number,
		    uint16_t *least_port, char error[REGISTRY_ERROR_LEN])
{
	static const char a_date[] = "YYYY-MM-DD, YYYY-MM or nothing is";
	struct table_entry entry = {0};
	char *columns[COLUMNS], *rest = line;
	uint16_t first, last, index;
	uint8_t transports;
	int count, r;

	for (count = 0; rest && count < COLUMNS; count++)
		columns[count] = strsep(&rest, "\t");
	if (rest || count != COLUMNS)
		return input_fault(input, number, error, "a row has %d columns, separated by tabs", COLUMNS);
	if (text_ports(columns[COLUMN_PORTS], &first, &last) < 0 || first < *least_port)
		return column_fault(input, number, columns[COLUMN_PORTS],
				    "a port or a range of them, not below the line before, is", error);
	*least_port = first;
	if (parse_transports(columns[COLUMN_TRANSPORTS], &transports) < 0)
		return column_fault(input, number, columns[COLUMN_TRANSPORTS], "transports in their order are", error);
	if (parse_state(columns[COLUMN_STATE], &entry.state) < 0)
		return column_fault(input, number, columns[COLUMN_STATE],
				    "assigned, reserved, de-assigned or unassigned is", error);
	if (text_date(columns[COLUMN_REGISTERED], &entry.registered) < 0)
		return column_fault(input, number, columns[COLUMN_REGISTERED], a_date, error);
	if (text_date(columns[COLUMN_MODIFIED], &entry.modified) < 0)
		return column_fault(input, number, columns[COLUMN_MODIFIED], a_date, error);
	if (text_date(columns[COLUMN_REMOVED], &entry.removed) < 0)
		return column_fault(input, number, columns[COLUMN_REMOVED], a_date, error);
	if (strcmp(columns[COLUMN_FLAGS], UNAUTHORIZED) == 0)
		entry.flags = REGISTRY_UNAUTHORIZED_USE;
	else if (*columns[COLUMN_FLAGS])
		return column_fault(input, number, columns[COLUMN_FLAGS], UNAUTHORIZED " or nothing is", error);
	r = parse_names(builder, columns[COLUMN_NAMES], &entry);
	if (r == -EINVAL)
		return column_fault(input, number, columns[COLUMN_NAMES], "names separated by '|' are", error);
	if (!r)
		r = table_string(builder, columns[COLUMN_TITLE], strlen(columns[COLUMN_TITLE]), &entry.title);
	if (!r)
		r = table_entry(builder, &entry, &index);
	if (r < 0)
		return table_fault(input, number, r, error);
	return set_pairs(input, builder, number, first, last, transports, index, error);
}

/* What stands behind the rows; line is the one that begins with "end". */
static int read_end(struct input *input, const char *line, uint32_t rows, char error[REGISTRY_ERROR_LEN])
{
	uint32_t number = input->line - 1;
	uint64_t told;

	if (number_parse(line + strlen("end "), 0, UINT32_MAX, &told) < 0 || told != rows)
		return input_fault(input, number, error, "\"%s\", but %u rows stand before it", text_quote(line).text,
				   rows);
	if (input_peek(input) >= 0)
		return input_fault(input, number + 1, error, "text behind the line \"end\"");
	return input_ended(input, error);
}

int snapshot_read(struct input *input, struct table_builder *builder, char error[REGISTRY_ERROR_LEN])
{
	char line[LINE_SIZE];
	uint16_t least_port = 0;
	uint32_t rows = 0;
	int r = read_header(input, builder, line, error);

	while (!r) {
		r = take_line(input, line, error);
		if (r < 0)
			return r;
		if (strncmp(line, "end ", strlen("end ")) == 0) {
			r = read_end(input, line, rows, error);
			break;
		}
		r = read_row(input, builder, line, input->line - 1, &least_port, error);
		rows++;
	}
	return r < 0 ? r : table_check_whole(builder, input, error);
}

const char *snapshot_digest(const struct registry *registry)
{
	return registry->digest;
}

/* --- writing ---------------------------------------------------------------------------------------------------- */

/* The transports for which the port has the same entry as for t. */
static uint8_t transports_alike(const struct registry *registry, uint32_t port, unsigned int t)
{
	const struct registry_entry *entry = registry_lookup(registry, (uint16_t)port, (enum registry_transport)t);
	uint8_t mask = 0;

	for (unsigned int other = 0; other < REGISTRY_TRANSPORTS; other++)
		if (registry_lookup(registry, (uint16_t)port, (enum registry_transport)other) == entry)
			mask |= (uint8_t)(1U << other);
	return mask;
}

/* True where the port's line for t is the one of the port before. */
static bool goes_on(const struct registry *registry, uint32_t port, unsigned int t)
{
	enum registry_transport transport = (enum registry_transport)t;

	return registry_lookup(registry, (uint16_t)(port - 1), transport) ==
		   registry_lookup(registry, (uint16_t)port, transport) &&
	       transports_alike(registry, port - 1, t) == transports_alike(registry, port, t);
}

static void write_transports(uint8_t mask, FILE *out)
{
	const char *separator = "";

	if (mask == TEXT_ALL_TRANSPORTS) {
		(void)fputs(ALL, out);
		return;
	}
	for (unsigned int t = 0; t < REGISTRY_TRANSPORTS; t++) {
		if (!(mask & 1U << t))
			continue;
		(void)fprintf(out, "%s%s", separator, registry_transport_name((enum registry_transport)t));
		separator = ",";
	}
}

static void write_row(const struct registry_entry *entry, uint32_t first, uint32_t last, uint8_t transports, FILE *out)
{
	char registered[11], modified[11], removed[11];
	const char *name = entry->names;

	if (first == last)
		(void)fprintf(out, "%u\t", first);
	else
		(void)fprintf(out, "%u-%u\t", first, last);
	write_transports(transports, out);
	text_date_write(entry->registered, registered);
	text_date_write(entry->modified, modified);
	text_date_write(entry->removed, removed);
	(void)fprintf(out, "\t%s\t%s\t%s\t%s\t%s\t", registry_state_name((enum registry_state)entry->state), registered,
		      modified, removed, entry->flags & REGISTRY_UNAUTHORIZED_USE ? UNAUTHORIZED : "");
	for (unsigned int i = 0; i < entry->names_count; i++, name = registry_next_name(name))
		(void)fprintf(out, "%s%s", i ? "|" : "", name);
	(void)fprintf(out, "\t%s\n", entry->title);
}

int snapshot_write(const struct registry *registry, const char *date, FILE *out)
{
	uint32_t rows = 0, parsed;

	if (!date)
		date = registry->date;
	if (strlen(date) != 10 || text_date(date, &parsed) < 0)
		return -EINVAL;
	(void)fprintf(out, FIRST_LINE "\ndate %s\nsource-sha256 %s\n" COLUMNS_LINE "\n", date, registry->digest);
	for (uint32_t port = 0; port < TABLE_PORTS; port++) {
		for (unsigned int t = 0; t < REGISTRY_TRANSPORTS; t++) {
			enum registry_transport transport = (enum registry_transport)t;
			const struct registry_entry *entry = registry_lookup(registry, (uint16_t)port, transport);
			uint8_t alike = transports_alike(registry, port, t);
			uint32_t last = port;

			/* the first transport of a set writes its line, at the first port */
			if (entry->state == REGISTRY_NOT_LISTED || alike & ((1U << t) - 1) ||
			    (port && goes_on(registry, port, t)))
				continue;
			while (last + 1 < TABLE_PORTS && goes_on(registry, last + 1, t))
				last++;
			write_row(entry, port, last, alike, out);
			rows++;
		}
	}
	(void)fprintf(out, "end %u\n", rows);
	return fflush(out) != 0 || ferror(out) ? -EIO : 0;
}
