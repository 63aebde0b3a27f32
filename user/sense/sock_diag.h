/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's own list of its sockets: NETLINK_SOCK_DIAG, as sock_diag(7) describes it. */
#ifndef USER_SENSE_SOCK_DIAG_H
#define USER_SENSE_SOCK_DIAG_H

#include <stddef.h>
#include <stdint.h>

#include "user/base/event.h"

/* States that a dump can ask for: 1 << the kernel's own number (include/net/tcp_states.h). */
#define SOCK_DIAG_CLOSE	 (1U << 7)
#define SOCK_DIAG_LISTEN (1U << 10)
/*
 * A TCP socket that is bound and neither listens nor connects. Since Linux 6.8 (commit 91051f003948); an older kernel
 * does not know the bit and lists no such socket.
 */
#define SOCK_DIAG_BOUND_INACTIVE (1U << 13)

/* One socket, as the kernel told it. */
struct sock_diag_socket {
	struct endpoint address; /* has_port, has_address always */
	uint8_t state;		 /* the kernel's number: 7 CLOSE, 10 LISTEN */
	uint32_t socket_flags;	 /* BW_SOCKET_V6ONLY, and since Linux 5.10 _FREEBIND and _TRANSPARENT */
	uint32_t device;	 /* interface index in the socket's network namespace, 0: none */
	uint32_t uid;		 /* in the reader's user namespace */
	uint64_t inode;		 /* in sockfs, one for all network namespaces; 0: the socket has no file any more */
	uint64_t cookie;	 /* SO_COOKIE; 0: none */
};

typedef int (*sock_diag_found)(void *context, const struct sock_diag_socket *socket);

/*
 * Calls found(context, ...) for each socket of this family (AF_INET, AF_INET6), protocol (IPPROTO_*) and states
 * (SOCK_DIAG_*) in the network namespace that the NETLINK_SOCK_DIAG socket fd belongs to. Blocks until the kernel has
 * told all, at most some seconds for each part.
 *
 * 0; what found() returned, where that was not 0; -ENOENT: this kernel does not list this protocol; -EAGAIN: the table
 * changed while it was read (NLM_F_DUMP_INTR) or the receive buffer ran over: what was found may be incomplete, ask
 * again; -EBADMSG: an answer that is not of the form of sock_diag(7); -ETIMEDOUT; or another error of the socket calls.
 */
int sock_diag_dump(int fd, uint16_t family, uint16_t protocol, uint32_t states, sock_diag_found found, void *context);

/*
 * Reads one datagram of the kernel's answer to request number `sequence`. 1: the dump is at its end; 0: there is more
 * to come; else as above. *interrupted is set to 1 where the kernel says that its table changed, else left alone.
 */
int sock_diag_read(const void *data, size_t len, uint32_t sequence, sock_diag_found found, void *context,
		   int *interrupted);

#endif
