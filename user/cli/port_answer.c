/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/cli/port.h"

#include <string.h>

#include "user/judge/classify.h"

bool port_entry_equal(const struct registry_entry *a, const struct registry_entry *b)
{
	const char *left = a->names, *right = b->names;

	if (a == b)
		return true;
	if (a->state != b->state || a->flags != b->flags || a->registered != b->registered ||
	    a->modified != b->modified || a->removed != b->removed || a->names_count != b->names_count ||
	    strcmp(a->title, b->title) != 0)
		return false;
	for (unsigned int i = 0; i < a->names_count; i++) {
		if (strcmp(left, right) != 0)
			return false;
		left = registry_next_name(left);
		right = registry_next_name(right);
	}
	return true;
}

size_t port_rows(const struct registry *registry, uint16_t port, unsigned int mask,
		 struct port_row rows[REGISTRY_TRANSPORTS])
{
	size_t count = 0;

	for (unsigned int transport = 0; transport < REGISTRY_TRANSPORTS; transport++) {
		const struct registry_entry *entry;
		size_t row = 0;

		if (!(mask & 1U << transport))
			continue;
		entry = registry_lookup(registry, port, (enum registry_transport)transport);
		while (row < count && !port_entry_equal(rows[row].entry, entry))
			row++;
		if (row == count)
			rows[count++] = (struct port_row){.entry = entry};
		rows[row].transports |= 1U << transport;
	}
	return count;
}

size_t port_next_socket(const struct port_answer *answer, size_t from, uint16_t port, struct event *ret)
{
	const struct inventory *inventory = answer->inventory;
	size_t low = from, high = inventory->sockets_count;

	/* they are sorted by port */
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (inventory->sockets[middle].address.port < port)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < inventory->sockets_count; low++) {
		const struct inventory_socket *socket = &inventory->sockets[low];

		if (port && socket->address.port != port)
			return inventory->sockets_count;
		inventory_event(inventory, socket, ret);
		classify(answer->registry, ret);
		if (ret->facts.has_transport && answer->ports->ports[socket->address.port] & 1U << ret->facts.transport)
			return low;
	}
	return low;
}

void port_date_format(uint32_t date, char text[PORT_DATE_LEN])
{
	unsigned int year = date / 10000, month = date / 100 % 100, day = date % 100;

	if (!date || year > 9999)
		text[0] = '\0';
	else if (!month)
		(void)snprintf(text, PORT_DATE_LEN, "%04u", year);
	else if (!day)
		(void)snprintf(text, PORT_DATE_LEN, "%04u-%02u", year, month);
	else
		(void)snprintf(text, PORT_DATE_LEN, "%04u-%02u-%02u", year, month, day);
}
