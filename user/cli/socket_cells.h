/* SPDX-License-Identifier: BSD-2-Clause */
/* The cells that tables of sockets have in common. */
#ifndef USER_CLI_SOCKET_CELLS_H
#define USER_CLI_SOCKET_CELLS_H

#include <stddef.h>

#include "user/base/event.h"
#include "user/base/user_cache.h"
#include "user/cli/table.h"
#include "user/sense/inventory.h"

/* "*:80": one cell */
void cell_server(struct cli_table *table, const struct event *event);

/* "listening", "bound" (of datagrams: takes what arrives), "bound, not listening" */
const char *cell_state(const struct inventory_socket *socket);

/* Whether it takes what peers send it: it listens, or is of datagrams. */
bool socket_receives(const struct inventory_socket *socket);

/*
 * Name and numbers of processes: two cells. Those of the same name as holder number `from` stand together. Returns the
 * first holder that is not told so far; holders_count where all are, and where there is none ("-").
 */
size_t cell_processes(struct cli_table *table, const struct event *event, size_t from);

/* The user, and the network namespace where it is not ours: two cells. */
void cell_owner(struct cli_table *table, const struct inventory *inventory, const struct inventory_socket *socket,
                struct user_cache *users);

#endif
