/* SPDX-License-Identifier: BSD-2-Clause */
/* For a person: what the registry says, then who is bound. */
#include <errno.h>
#include <string.h>

#include "user/cli/port.h"
#include "user/cli/socket_cells.h"
#include "user/cli/table.h"
#include "user/encode/names.h"

#define ALL_TRANSPORTS ((1U << REGISTRY_TRANSPORTS) - 1)

/* The longest a name here can be is 15 bytes; three names and their blanks are a full line. */
#define NAMES_LEN 200

/* One run of ports of which the registry says the same. */
struct run {
	uint16_t first, last;
	struct port_row rows[REGISTRY_TRANSPORTS];
	size_t count;
};

/* That a transport is not listed is worth a line only where it was asked for by name, or nothing else is known. */
static void find_rows(const struct port_answer *answer, uint16_t port, struct run *ret)
{
	unsigned int mask = answer->ports->ports[port];
	size_t kept = 0;

	*ret = (struct run){.first = port, .last = port};
	ret->count = port_rows(answer->registry, port, mask, ret->rows);
	if (mask != ALL_TRANSPORTS || ret->count < 2)
		return;
	for (size_t i = 0; i < ret->count; i++) {
		if (ret->rows[i].entry->state != REGISTRY_NOT_LISTED)
			ret->rows[kept++] = ret->rows[i];
	}
	ret->count = kept;
}

static bool run_continues(const struct run *run, const struct run *next)
{
	if (next->first != run->last + 1 || next->count != run->count ||
	    registry_range(next->first) != registry_range(run->first))
		return false;
	for (size_t i = 0; i < run->count; i++) {
		if (next->rows[i].transports != run->rows[i].transports ||
		    !port_entry_equal(next->rows[i].entry, run->rows[i].entry))
			return false;
	}
	return true;
}

static void cell(struct cli_table *table, const char *text)
{
	cli_table_cell(table, text, strlen(text), 0);
}

static void cell_transports(struct cli_table *table, unsigned int transports)
{
	char text[64];
	size_t used = 0;

	text[0] = '\0';
	for (unsigned int i = 0; i < REGISTRY_TRANSPORTS; i++) {
		if (transports & 1U << i)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", used ? " " : "",
			                         registry_transport_name((enum registry_transport)i));
	}
	cell(table, text);
}

static void cell_names(struct cli_table *table, const struct registry_entry *entry)
{
	const char *name = entry->names;
	char text[NAMES_LEN];
	size_t used = 0;

	text[0] = '\0';
	for (unsigned int i = 0; i < entry->names_count; i++) {
		int len = snprintf(text + used, sizeof(text) - used, "%s%s", i ? " " : "", name);

		if (len < 0 || used + (size_t)len >= sizeof(text)) {
			text[used] = '\0'; /* the JSON form has them all */
			break;
		}
		used += (size_t)len;
		name = registry_next_name(name);
	}
	cell(table, text);
}

static void cell_note(struct cli_table *table, const struct registry_entry *entry)
{
	char removed[PORT_DATE_LEN];

	port_date_format(entry->removed, removed);
	cli_table_format(table, "%s%s%s%s%s%s",
	                 entry->flags & REGISTRY_UNAUTHORIZED_USE ? "unauthorized use known" : "",
	                 entry->flags & REGISTRY_UNAUTHORIZED_USE && entry->flags & REGISTRY_SITE ? ", " : "",
	                 entry->flags & REGISTRY_SITE ? "named by this site" : "",
	                 entry->flags && removed[0] ? ", " : "", removed[0] ? "removed " : "", removed);
}

static void add_run(struct cli_table *table, const struct run *run)
{
	for (size_t i = 0; i < run->count; i++) {
		const struct registry_entry *entry = run->rows[i].entry;
		char date[PORT_DATE_LEN];

		if (i)
			cell(table, "");
		else if (run->first == run->last)
			cli_table_format(table, "%u", run->first);
		else
			cli_table_format(table, "%u-%u", run->first, run->last);
		cell(table, i ? "" : registry_range_name(registry_range(run->first)));
		cell_transports(table, run->rows[i].transports);
		cell(table, registry_state_name((enum registry_state)entry->state));
		cell_names(table, entry);
		port_date_format(entry->registered, date);
		cell(table, date);
		port_date_format(entry->modified, date);
		cell(table, date);
		cell_note(table, entry);
		cell(table, entry->title);
	}
}

static int print_registry(const struct port_answer *answer, FILE *stream)
{
	static const char *const titles[] = {"PORT",       "RANGE",    "TRANSPORT", "STATE", "SERVICE",
	                                     "REGISTERED", "MODIFIED", "NOTE",      "TITLE"};
	struct cli_table table = {.columns = sizeof(titles) / sizeof(titles[0])};
	struct run run = {0}, next;
	int err;

	for (size_t i = 0; i < table.columns; i++)
		cell(&table, titles[i]);
	for (unsigned int port = 1; port <= UINT16_MAX; port++) {
		if (!answer->ports->ports[port])
			continue;
		find_rows(answer, (uint16_t)port, &next);
		if (run.first && run_continues(&run, &next)) {
			run.last = (uint16_t)port;
			continue;
		}
		if (run.first)
			add_run(&table, &run);
		run = next;
	}
	if (run.first)
		add_run(&table, &run);
	err = cli_table_print(&table, stream);
	cli_table_free(&table);
	return err;
}

static void add_socket(struct cli_table *table, const struct port_answer *answer, const struct inventory_socket *socket,
                       const struct event *event)
{
	const char *protocol = name_of_protocol(socket->protocol);
	size_t shown = 0;

	do {
		bool first = shown == 0;

		if (first) {
			cell(table, protocol ? protocol : "");
			cell_server(table, event);
			cell(table, cell_state(socket));
		} else {
			for (int i = 0; i < 3; i++)
				cell(table, "");
		}
		shown = cell_processes(table, event, shown);
		if (first)
			cell_owner(table, answer->inventory, socket, answer->users);
		else
			for (int i = 0; i < 2; i++)
				cell(table, "");
	} while (shown < event->holders_count);
}

static int print_sockets(const struct port_answer *answer, FILE *stream)
{
	static const char *const titles[] = {"PROTO", "ADDRESS:PORT",     "STATE", "PROCESS", "PID",
	                                     "USER",  "NETWORK NAMESPACE"};
	struct cli_table table = {.columns = sizeof(titles) / sizeof(titles[0])};
	const struct inventory *inventory = answer->inventory;
	struct event event;
	size_t found = 0;
	int err = 0;

	for (size_t i = 0; i < table.columns; i++)
		cell(&table, titles[i]);
	for (size_t i = port_next_socket(answer, 0, 0, &event); i < inventory->sockets_count;
	     i = port_next_socket(answer, i + 1, 0, &event)) {
		add_socket(&table, answer, &inventory->sockets[i], &event);
		found++;
	}
	if (found) {
		(void)fputs("\nBound on this host now\n", stream);
		err = cli_table_print(&table, stream);
	} else {
		(void)fputs("\nBound on this host now: no socket\n", stream);
	}
	cli_table_free(&table);
	return err;
}

int port_text(const struct port_answer *answer, FILE *stream)
{
	int err;

	(void)fprintf(stream, "Registry of %s\n", registry_date(answer->registry));
	err = print_registry(answer, stream);
	if (!err && answer->inventory)
		err = print_sockets(answer, stream);
	return err;
}
