/* SPDX-License-Identifier: BSD-2-Clause */
/* What `bindwatch port` found, and the forms that it is told in. */
#ifndef USER_CLI_PORT_H
#define USER_CLI_PORT_H

#include <stdbool.h>
#include <stdio.h>

#include "registry/registry.h"
#include "user/base/event.h"
#include "user/base/user_cache.h"
#include "user/cli/cli.h"
#include "user/sense/inventory.h"

struct port_answer {
	const struct registry *registry;
	const struct portlist *ports;
	const struct inventory *inventory; /* of these ports; NULL: it could not be taken, error says why */
	const char *error;
	struct user_cache *users;
};

/* What the registry says of one port, transports of which it says the same in one row. */
struct port_row {
	unsigned int transports; /* bit (1 << transport) */
	const struct registry_entry *entry;
};

/* The rows of a port for the transports in mask, by their first transport. Returns how many. */
size_t port_rows(const struct registry *registry, uint16_t port, unsigned int mask,
                 struct port_row rows[REGISTRY_TRANSPORTS]);

/* Whether two entries say the same. */
bool port_entry_equal(const struct registry_entry *a, const struct registry_entry *b);

/*
 * The index of the first socket at or behind `from` that is of this port (0: of any) and of a transport asked for, with
 * *ret as the event of its bind, facts included; sockets_count where there is none.
 */
size_t port_next_socket(const struct port_answer *answer, size_t from, uint16_t port, struct event *ret);

/* A date of the registry (YYYYMMDD, month and day 0 where not known) as "2026-08-17", "2026-08", "2026", or "". */
#define PORT_DATE_LEN 16
void port_date_format(uint32_t date, char text[PORT_DATE_LEN]);

/* Two tables. 0, or -errno: -ENOMEM, or the stream's error. */
int port_text(const struct port_answer *answer, FILE *stream);

/* One JSON document for each port, each on a line. 0, or -errno as above; -E2BIG: a document of over 256 MiB. */
int port_json(const struct port_answer *answer, FILE *stream);

#endif
