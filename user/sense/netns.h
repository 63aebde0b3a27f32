/* SPDX-License-Identifier: BSD-2-Clause */
/* The network namespaces of this host, and sockets in them. */
#ifndef USER_SENSE_NETNS_H
#define USER_SENSE_NETNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NETNS_NAME_LEN 64

/* No host has so many. Each costs eight bytes here and a dozen system calls. */
#define NETNS_MAX 65536

struct netns {
	uint64_t inode;            /* of its file in nsfs: what `ip netns`, lsns(8) and the kernel's records call it */
	int fd;                    /* open while it is visited; -1: our own namespace */
	char name[NETNS_NAME_LEN]; /* of its file where it is mounted, "" where it is not; cut, hostile bytes */
};

/* What a walk could not see. */
struct netns_walk {
	size_t denied; /* processes whose namespace we may not look at (CAP_SYS_PTRACE) */
};

/*
 * Calls visit(context, ...) once for each network namespace that can be found: first our own (of the calling thread),
 * then those mounted as files in our mount namespace (as `ip netns add` and container engines do), then those of all
 * processes in /proc. One that lives only in a descriptor, in a thread that is not the first of its process, or in a
 * socket, is not found: the kernel lists namespaces nowhere.
 *
 * 0; what visit() returned, where not 0; -E2BIG: more than NETNS_MAX; -ENOMEM; -errno: /proc cannot be read.
 */
int netns_walk(int (*visit)(void *context, const struct netns *netns), void *context, struct netns_walk *ret);

/*
 * A socket(2) in another network namespace: the calling thread enters it, opens the socket, and comes back. The caller
 * closes the socket. netns->fd -1 opens it here. Not for two threads that share their nsproxy; threads do not.
 *
 * The descriptor; -EPERM: CAP_SYS_ADMIN is missing, here or in the user namespace that owns the other;
 * -ENOTRECOVERABLE: the thread could not come back and is now in the wrong namespace: the program must end; else
 * -errno.
 */
int netns_socket(const struct netns *netns, int family, int type, int protocol);

/*
 * What act(context) returns, a descriptor or -errno, called by this thread in that namespace. The errors of
 * netns_socket().
 */
int netns_run(const struct netns *netns, int (*act)(const void *context), const void *context);

/* net.ipv4.ip_unprivileged_port_start of a namespace, 0..65536. 0; the errors of netns_socket(); -EBADMSG: it is no
 * such number; -errno: it cannot be read. */
int netns_port_start(const struct netns *netns, uint32_t *ret);

#endif
