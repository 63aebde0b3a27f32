/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Debian's own servers, started on their own ports where they disturb nobody: in namespaces of networks and mounts of
 * the caller's. Their files come from the machine where they are installed, else from the folder that
 * `packaging/deps programs` filled, which is laid over /usr.
 */
#ifndef TESTS_LIVE_DEBIAN_H
#define TESTS_LIVE_DEBIAN_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define DEBIAN_PORTS 6

struct debian_server {
	const char *name;
	const char *path;          /* a glob(7); the first match is run */
	const char *user;          /* whom it is run as; NULL: root */
	const char *configuration; /* written to DEBIAN_FOLDER/NAME.conf, if it is not NULL */
	const char *prepare;       /* for sh(1), in DEBIAN_FOLDER, before the first start */
	const char *arguments[16];
	const char *executable; /* a glob(7) for the path that the kernel tells: links are resolved */
	/* what it must be seen to bind; transport NULL: no more */
	struct {
		const char *transport;
		uint16_t port;
	} ports[DEBIAN_PORTS];
};

/* Where they keep what they write: a file system of its own in memory, gone with the last process in the namespace. */
#define DEBIAN_FOLDER "/run/servers"

extern const struct debian_server debian_servers[];
extern const size_t debian_servers_count;

/*
 * Moves this process into a mount namespace of its own in which the servers' programs and users are there. 0; -errno,
 * with what was wrong printed.
 */
int debian_enter(void);

/* Gives this network namespace 192.0.2.1, as a host has an address beside the loopback's. 0 or -errno. */
int debian_network(void);

/* Can it be started here? 0; -ENOENT: the program is not there. */
int debian_find(const struct debian_server *server, char *path, size_t size);

/* The process, or -errno. It ends with the caller. */
pid_t debian_start(const struct debian_server *server);

/* Asks it to end, and waits until it did. */
void debian_stop(pid_t pid);

#endif
