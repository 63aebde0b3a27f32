/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/cli/socket_cells.h"

#include <stdio.h>
#include <string.h>

#include "user/base/ipproto.h"
#include "user/base/visible.h"
#include "user/encode/names.h"

/* A server has hundreds of workers on one socket: more process numbers than this are counted, not listed. */
#define PIDS_SHOWN 4

static void cell_hostile(struct cli_table *table, const char *text, size_t len)
{
	cli_table_cell(table, text, len, VISIBLE_BACKSLASH);
}

void cell_server(struct cli_table *table, const struct event *event)
{
	char data[256]; /* an address of 39 bytes, a device of 16 bytes at six each, a port, and brackets */
	struct encode_buffer buffer = {.data = data, .size = sizeof(data)};
	struct writer writer;

	writer_begin(&writer, &buffer);
	(void)write_server(&writer, event);
	if (writer_end(&writer, &buffer))
		buffer.used = 0;
	cli_table_cell(table, data, buffer.used, 0);
}

static bool is_datagram(const struct inventory_socket *socket)
{
	return socket->protocol == IPPROTO_UDP || socket->protocol == IPPROTO_UDPLITE;
}

bool socket_receives(const struct inventory_socket *socket)
{
	return socket->state == INVENTORY_LISTEN || is_datagram(socket);
}

const char *cell_state(const struct inventory_socket *socket)
{
	if (socket->state == INVENTORY_LISTEN)
		return "listening";
	return is_datagram(socket) ? "bound" : "bound, not listening";
}

size_t cell_processes(struct cli_table *table, const struct event *event, size_t from)
{
	const struct event_holder *list = event->holders;
	size_t used = 0, to = from;
	char pids[128];

	if (!event->holders_count) {
		cell_hostile(table, "-", 1);
		cell_hostile(table, "-", 1);
		return 0;
	}
	for (; to < event->holders_count && memcmp(list[to].comm, list[from].comm, EVENT_COMM_LEN) == 0; to++) {
		if (to - from < PIDS_SHOWN)
			used += (size_t)snprintf(pids + used, sizeof(pids) - used, "%s%u", used ? " " : "",
			                         list[to].pid);
	}
	if (to - from > PIDS_SHOWN)
		(void)snprintf(pids + used, sizeof(pids) - used, " and %zu more", to - from - PIDS_SHOWN);
	cell_hostile(table, list[from].comm, strnlen(list[from].comm, EVENT_COMM_LEN));
	cli_table_format(table, "%s", pids);
	return to;
}

void cell_owner(struct cli_table *table, const struct inventory *inventory, const struct inventory_socket *socket,
                struct user_cache *users)
{
	const char *user = user_cache_name(users, socket->uid),
	           *name = inventory_netns_name(inventory, socket->netns_inode);

	if (user)
		cell_hostile(table, user, strlen(user));
	else
		cli_table_format(table, "%u", socket->uid);
	if (socket->netns_inode == inventory->netns[0].inode)
		cell_hostile(table, "", 0);
	else if (name[0])
		cell_hostile(table, name, strlen(name));
	else
		cli_table_format(table, "net:[%u]", socket->netns_inode);
}
