/* SPDX-License-Identifier: BSD-2-Clause */
/* For a program: one JSON document a port, each on a line. */
#include <errno.h>
#include <linux/types.h> /* before the contract with the kernel side, which includes nothing */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "bpf/bindwatch.h"
#include "user/base/address.h"
#include "user/cli/port.h"
#include "user/encode/json.h"
#include "user/encode/names.h"

/* Enough for most ports; one with more sockets makes it grow. */
#define DOCUMENT_SIZE 16384

/* A million sockets, or processes, at one port. */
#define DOCUMENT_MAX (256UL << 20)

static void write_date(struct json *json, const char *key, uint32_t date)
{
	char text[PORT_DATE_LEN];

	port_date_format(date, text);
	if (!text[0])
		return;
	json_key(json, key);
	json_text(json, text);
}

static void write_row(struct json *json, const struct port_row *row)
{
	const struct registry_entry *entry = row->entry;
	const char *name = entry->names;

	json_object_begin(json);
	json_key(json, "transports");
	json_array_begin(json);
	for (unsigned int i = 0; i < REGISTRY_TRANSPORTS; i++) {
		if (row->transports & 1U << i)
			json_text(json, registry_transport_name((enum registry_transport)i));
	}
	json_array_end(json);
	json_key(json, "state");
	json_text(json, registry_state_name((enum registry_state)entry->state));
	json_key(json, "service");
	json_array_begin(json);
	for (unsigned int i = 0; i < entry->names_count; i++) {
		json_text(json, name);
		name = registry_next_name(name);
	}
	json_array_end(json);
	if (entry->title[0]) {
		json_key(json, "title");
		json_text(json, entry->title);
	}
	write_date(json, "registered", entry->registered);
	write_date(json, "modified", entry->modified);
	write_date(json, "removed", entry->removed);
	json_key(json, "unauthorized_use");
	json_bool(json, entry->flags & REGISTRY_UNAUTHORIZED_USE);
	json_key(json, "site");
	json_bool(json, entry->flags & REGISTRY_SITE);
	json_object_end(json);
}

static void write_netns(struct json *json, const struct inventory *inventory, uint32_t inode)
{
	const char *name = inventory_netns_name(inventory, inode);

	json_key(json, "netns");
	json_object_begin(json);
	json_key(json, "inode");
	json_u64(json, inode);
	json_key(json, "own");
	json_bool(json, inode == inventory->netns[0].inode);
	if (name[0]) {
		json_key(json, "name");
		json_hostile_string(json, name, strlen(name));
	}
	json_object_end(json);
}

static void write_device(struct json *json, const struct event *event)
{
	if (!event->device)
		return;
	json_key(json, "device");
	json_object_begin(json);
	json_key(json, "index");
	json_u64(json, event->device);
	if (event->device_name[0]) {
		json_key(json, "name");
		json_hostile_string(json, event->device_name, strnlen(event->device_name, sizeof(event->device_name)));
	}
	json_object_end(json);
}

static void write_processes(struct json *json, const struct inventory *inventory, const struct inventory_socket *socket)
{
	json_key(json, "processes");
	json_array_begin(json);
	for (size_t i = 0; i < socket->holders_count; i++) {
		const struct holder *holder = &inventory->holders.list[socket->holders + i];

		json_object_begin(json);
		json_key(json, "pid");
		json_u64(json, holder->pid);
		json_key(json, "name");
		json_hostile_string(json, holder->comm, strnlen(holder->comm, sizeof(holder->comm)));
		json_object_end(json);
	}
	json_array_end(json);
}

static void write_socket(struct json *json, const struct inventory *inventory, const struct inventory_socket *socket,
			 const struct event *event)
{
	const char *protocol = name_of_protocol(socket->protocol);
	char address[ADDRESS_TEXT_MAX];
	size_t len = address_format(&socket->address, address);

	json_object_begin(json);
	json_key(json, "transport");
	json_text(json, protocol ? protocol : "");
	json_key(json, "ip");
	json_text_len(json, address, len);
	json_key(json, "port");
	json_u64(json, socket->address.port);
	json_key(json, "state");
	json_text(json, socket->state == INVENTORY_LISTEN ? "listen" : "bound");
	if (socket->family == AF_INET6) {
		json_key(json, "v6only");
		json_bool(json, socket->socket_flags & BW_SOCKET_V6ONLY);
	}
	write_device(json, event);
	write_netns(json, inventory, socket->netns_inode);
	json_key(json, "user");
	json_object_begin(json);
	json_key(json, "id");
	json_u64_string(json, socket->uid);
	json_object_end(json);
	write_processes(json, inventory, socket);
	json_object_end(json);
}

static void write_sockets(struct json *json, const struct port_answer *answer, uint16_t port)
{
	const struct inventory *inventory = answer->inventory;
	struct event event;

	json_key(json, "sockets");
	json_array_begin(json);
	for (size_t i = port_next_socket(answer, 0, port, &event); i < inventory->sockets_count;
	     i = port_next_socket(answer, i + 1, port, &event))
		write_socket(json, inventory, &inventory->sockets[i], &event);
	json_array_end(json);
}

static void write_notes(struct json *json, const struct port_answer *answer)
{
	char note[INVENTORY_TEXT_LEN];

	json_key(json, "notes");
	json_array_begin(json);
	if (!answer->inventory)
		json_text(json, answer->error);
	for (unsigned int i = 0; answer->inventory && inventory_note(answer->inventory, i, note); i++)
		json_text(json, note);
	json_array_end(json);
}

/* One document. 0, or -ENOBUFS with the buffer as it was. */
static int write_port(const struct port_answer *answer, uint16_t port, struct encode_buffer *buffer)
{
	struct port_row rows[REGISTRY_TRANSPORTS];
	size_t count = port_rows(answer->registry, port, answer->ports->ports[port], rows);
	struct json json;

	json_begin(&json, buffer);
	json_object_begin(&json);
	json_key(&json, "port");
	json_u64(&json, port);
	json_key(&json, "range");
	json_text(&json, registry_range_name(registry_range(port)));
	json_key(&json, "registry");
	json_array_begin(&json);
	for (size_t i = 0; i < count; i++)
		write_row(&json, &rows[i]);
	json_array_end(&json);
	json_key(&json, "registry_snapshot");
	json_text(&json, registry_date(answer->registry));
	if (answer->inventory)
		write_sockets(&json, answer, port);
	write_notes(&json, answer);
	json_object_end(&json);
	json_line_end(&json);
	return json_end(&json);
}

/* Makes room for a document twice as long. */
static int buffer_grow(struct encode_buffer *buffer)
{
	size_t size = buffer->size ? buffer->size * 2 : DOCUMENT_SIZE;
	char *data;

	if (size > DOCUMENT_MAX)
		return -E2BIG;
	data = realloc(buffer->data, size);
	if (!data)
		return -ENOMEM;
	buffer->data = data;
	buffer->size = size;
	return 0;
}

int port_json(const struct port_answer *answer, FILE *stream)
{
	struct encode_buffer buffer = {0};
	int err = buffer_grow(&buffer);

	for (unsigned int port = 1; !err && port <= UINT16_MAX; port++) {
		if (!answer->ports->ports[port])
			continue;
		buffer.used = 0;
		while (!err && write_port(answer, (uint16_t)port, &buffer) == -ENOBUFS)
			err = buffer_grow(&buffer);
		errno = 0;
		if (!err && fwrite(buffer.data, 1, buffer.used, stream) != buffer.used)
			err = errno ? -errno : -EIO;
	}
	free(buffer.data);
	return err;
}
