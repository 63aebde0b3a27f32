/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files inventory*.c share and nobody else needs. */
#ifndef USER_SENSE_INVENTORY_PARTS_H
#define USER_SENSE_INVENTORY_PARTS_H

#include "user/sense/inventory.h"

/* A protocol that the kernel is asked for; bit n of inventory.not_listed is number n of the table. */
struct inventory_protocol {
	uint16_t number, type;
	uint32_t states;  /* SOCK_DIAG_* */
	bool required;    /* without it an inventory would mislead */
	const char *name; /* in outputs */
	const char *v4;   /* in /proc/net/protocols; its absence says that no such socket can be */
	const char *module;
};

#define INVENTORY_PROTOCOLS 6
extern const struct inventory_protocol inventory_protocols[INVENTORY_PROTOCOLS];

/*
 * Makes one of what is one socket, in place, and returns how many are left, in no order that matters:
 *
 * - What the iterator saw and what the kernel listed: by cookie, or where one has none by network namespace, inode and
 *   protocol. The iterator looked last, and its word counts.
 * - What was listed twice: a dump goes from bucket to bucket by counting, so a socket may come again where others
 * vanish.
 * - An MPTCP socket and the TCP socket that stands in for it, which has the same inode (mptcp_subflow_create_socket(),
 *   Linux 5.6).
 */
size_t inventory_unite(struct inventory_socket *sockets, size_t count);

/* Sorts by port, then this namespace first, the other namespaces, protocol, family, address, device, cookie. */
void inventory_sort(struct inventory_socket *sockets, size_t count, uint32_t own_netns_inode);

#endif
