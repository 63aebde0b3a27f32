/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is bound to which port on this host now, over all network namespaces: what the kernel lists (NETLINK_SOCK_DIAG,
 * in each namespace that this process may enter), what its iterator over all descriptors sees
 * (sense/socket_iterator.h), and the processes that hold them, by the iterator or, where the kernel refuses it, by
 * /proc.
 *
 * Listed are what waits for peers and what could: TCP, MPTCP, SCTP and DCCP sockets that listen or are bound and idle,
 * UDP and UDP-Lite sockets that are bound and not connected. Not listed: a socket with a peer, for its port is mostly a
 * client's automatic one; all but the first address of an SCTP socket with several.
 *
 * Without the iterator these are not seen either: what is bound and idle, but for TCP since Linux 6.8 and SCTP (MPTCP
 * then shows as the TCP socket that stands in for it), and what is in a namespace that we cannot enter or find. With
 * it, what is bound and idle is not seen while no process has a descriptor of it (in flight in a message, held by an
 * io_uring only, or the kernel's own).
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
#include "user/sense/socket_iterator.h"

/* A hundred times what a busy host holds. About 100 bytes each. */
#define INVENTORY_SOCKETS_MAX (1U << 20)

/* Longest message and note that any function here writes, NUL included. */
#define INVENTORY_TEXT_LEN 256

enum inventory_state {
	INVENTORY_LISTEN, /* takes connections */
	INVENTORY_BOUND,  /* datagrams: takes what arrives; else: holds the port and does not listen */
};

/* inventory_socket.seen_by */
#define INVENTORY_BY_LIST     (1U << 0) /* NETLINK_SOCK_DIAG */
#define INVENTORY_BY_ITERATOR (1U << 1)

struct inventory_socket {
	struct endpoint address; /* has_port and has_address are always true; port is not 0 */
	uint16_t family;         /* AF_INET, AF_INET6 */
	uint16_t type;           /* SOCK_STREAM and so on; 0 for SCTP without the iterator: the kernel does not tell */
	uint16_t protocol;       /* IPPROTO_*; IPPROTO_MPTCP is 262 */
	enum inventory_state state;
	uint32_t seen_by;      /* INVENTORY_BY_* */
	uint32_t socket_flags; /* BW_SOCKET_*; without the iterator V6ONLY, FREEBIND, TRANSPARENT only */
	uint32_t device;       /* SO_BINDTODEVICE: interface index in the socket's network namespace, 0: none */
	uint32_t uid;          /* of the socket's owner, in our user namespace */
	uint32_t netns_inode;
	uint64_t inode;          /* 0: no file belongs to it */
	uint64_t cookie;         /* SO_COOKIE, 0: none so far */
	uint64_t subflow_cookie; /* MPTCP: of its first TCP socket, which is the one that a bind hook sees; 0: none */
	size_t holders;          /* index of its first in inventory.holders.list */
	size_t holders_count;    /* 0: no process (the kernel's own, or in flight between two), or none we may see */
};

struct inventory_netns {
	uint32_t inode;
	uint32_t unprivileged_port_start;
	char name[NETNS_NAME_LEN]; /* "" where it has none; hostile bytes */
};

struct inventory {
	struct inventory_socket *sockets; /* by port, then our own namespace first, protocol, family, address */
	size_t sockets_count, sockets_capacity;
	struct inventory_netns *netns; /* those that were read or met in a socket; [0] is our own */
	size_t netns_count, netns_capacity;
	struct holders holders;
	struct event_holder *processes; /* the same, index by index, as an event has them */
	uint64_t time_ns, boot_ns;      /* when it was taken: wall clock, CLOCK_BOOTTIME; nanoseconds */

	/* what could not be seen; inventory_note() puts it into words */
	size_t netns_refused;    /* namespaces that we found and may not enter */
	size_t netns_denied;     /* processes whose namespace we may not look at */
	unsigned int not_listed; /* bit n: the kernel has protocol n of the table in inventory.c and does not list it */
	bool changed;            /* a table kept changing while it was read */
	bool holders_searched;
	bool holders_known; /* no process can have been overlooked */
	bool iterated; /* the iterator was read; else iterator_refusal says why not, in one line */
	char iterator_refusal[SOCKET_ITERATOR_WHY_LEN];
	struct socket_iterator *iterator; /* what it was read by; NULL: by none, or it was passed on */
};

/*
 * Lists the sockets of every port p with ports[p] != 0 (an array of 65536; NULL: of all ports). before: NULL, or an
 * earlier inventory, of which the loaded iterator is taken over: to load it is most of the work.
 * *ret is freed with inventory_free(). 0, or -errno with one line in error and *ret untouched: -EOPNOTSUPP: the kernel
 * cannot list TCP or UDP, nor be iterated; -E2BIG: more than a limit named here; -ENOTRECOVERABLE: the calling thread
 * was left in another network namespace and the program must end; -ENOMEM and others.
 */
int inventory_take(const uint8_t *ports, struct inventory *before, struct inventory **ret, char error[INVENTORY_TEXT_LEN]);

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
 * The socket as an event: EVENT_EXISTING, at the time of the inventory, its boot_ns different for each socket. pid and
 * comm are of its first holder, 0 and "" where none is known, and so is the process's start, known by the iterator
 * only; its holders live as the inventory does. What made it, and when, is not known: no thread, no group, no address
 * that was asked for; but port 0 was where it is known that the kernel chose the port.
 */
void inventory_event(const struct inventory *inventory, const struct inventory_socket *socket, struct event *ret);

/* Makes it about its holder number `index` (below socket->holders_count), in place of the first. */
void inventory_event_holder(const struct inventory *inventory, const struct inventory_socket *socket, size_t index,
                            struct event *event);

/* The name of the mount of this network namespace, "" where it has none or is our own. Lives as the inventory does. */
const char *inventory_netns_name(const struct inventory *inventory, uint32_t inode);

#endif
