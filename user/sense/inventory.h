/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is bound to which port on this host now: the sockets that the kernel lists (NETLINK_SOCK_DIAG), over all network
 * namespaces that this process may enter, and the processes that hold them.
 *
 * Listed are what waits for peers and what could: TCP, MPTCP, SCTP and DCCP sockets that listen, TCP sockets that are
 * bound and idle (Linux 6.8 and later), UDP and UDP-Lite sockets that are bound and not connected. Not listed: a socket
 * with a peer, for its port is mostly a client's automatic one; an SCTP or DCCP socket that is bound only, which the
 * kernel does not tell; all but the first address of an SCTP socket with several. An MPTCP socket that is bound only
 * shows as the TCP socket that stands in for it.
 *
 * To have no gap between what was bound before and what a monitor sees: attach the monitor first, then take the
 * inventory, and leave out what both have by inventory_socket.cookie (of MPTCP by subflow_cookie too).
 */
#ifndef USER_SENSE_INVENTORY_H
#define USER_SENSE_INVENTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/base/event.h"
#include "user/sense/holders.h"
#include "user/sense/netns.h"

/* A hundred times what a busy host holds. About 100 bytes each. */
#define INVENTORY_SOCKETS_MAX (1U << 20)

/* Longest message and note that any function here writes, NUL included. */
#define INVENTORY_TEXT_LEN 256

enum inventory_state {
	INVENTORY_LISTEN, /* takes connections */
	INVENTORY_BOUND,  /* datagrams: takes what arrives; else: holds the port and does not listen */
};

struct inventory_socket {
	struct endpoint address; /* has_port and has_address are always true; port is not 0 */
	uint16_t family;	 /* AF_INET, AF_INET6 */
	uint16_t type;		 /* SOCK_STREAM and so on; 0 for SCTP, where the kernel does not tell */
	uint16_t protocol;	 /* IPPROTO_*; IPPROTO_MPTCP is 262 */
	enum inventory_state state;
	uint32_t socket_flags; /* BW_SOCKET_V6ONLY, _FREEBIND, _TRANSPARENT (the latter two since Linux 5.10) */
	uint32_t device;       /* SO_BINDTODEVICE: interface index in the socket's network namespace, 0: none */
	uint32_t uid;	       /* of the socket's owner, in our user namespace */
	uint32_t netns_inode;
	uint64_t inode;		 /* 0: no file belongs to it */
	uint64_t cookie;	 /* SO_COOKIE, 0: none */
	uint64_t subflow_cookie; /* MPTCP: of its first TCP socket, which is the one that a bind hook sees; 0: none */
	size_t holders;		 /* index of its first in inventory.holders.list */
	size_t holders_count;	 /* 0: no process (the kernel's own, or in flight between two), or none we may see */
};

struct inventory_netns {
	uint32_t inode;
	char name[NETNS_NAME_LEN]; /* "" where it has none; hostile bytes */
};

struct inventory {
	struct inventory_socket *sockets; /* by port, then our own namespace first, protocol, family, address */
	size_t sockets_count, sockets_capacity;
	struct inventory_netns *netns; /* those that were read; [0] is our own */
	size_t netns_count, netns_capacity;
	struct holders holders;

	/* what could not be seen; inventory_note() puts it into words */
	size_t netns_refused;	 /* namespaces that we found and may not enter */
	size_t netns_denied;	 /* processes whose namespace we may not look at */
	unsigned int not_listed; /* bit n: the kernel has protocol n of the table in inventory.c and does not list it */
	bool changed;		 /* a table kept changing while it was read */
	bool holders_searched;
};

/*
 * Lists the sockets of every port p with ports[p] != 0 (an array of 65536; NULL: of all ports).
 * *ret is freed with inventory_free(). 0, or -errno with one line in error and *ret untouched: -EOPNOTSUPP: the kernel
 * cannot list TCP or UDP; -E2BIG: more than a limit named here; -ENOTRECOVERABLE: the calling thread was left in
 * another network namespace and the program must end; -ENOMEM and others.
 */
int inventory_take(const uint8_t *ports, struct inventory **ret, char error[INVENTORY_TEXT_LEN]);

/* Finds the processes that hold the sockets. 0, or -errno with one line in error; then no socket has any. */
int inventory_find_holders(struct inventory *inventory, char error[INVENTORY_TEXT_LEN]);

/* NULL is allowed. */
void inventory_free(struct inventory *inventory);

/*
 * What this inventory may lack, and which capability or kernel option would show it: number 0, 1, ... until it returns
 * false. One line, without a full stop at its end.
 */
bool inventory_note(const struct inventory *inventory, unsigned int number, char text[INVENTORY_TEXT_LEN]);

/*
 * The bind that made this socket, as far as the socket still tells: *ret is all zero (no time, no process) but for
 * family, type, protocol, bound, uid, cookie, netns_inode, socket_flags, device and its name.
 */
void inventory_event(const struct inventory *inventory, const struct inventory_socket *socket, struct event *ret);

/* The name of the mount of this network namespace, "" where it has none or is our own. Lives as the inventory does. */
const char *inventory_netns_name(const struct inventory *inventory, uint32_t inode);

#endif
