/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Binds, a listen and releases of our own. Hooks can attach and yet never fire (kernel.ftrace_enabled=0, an LSM that is
 * not in the kernel's list): only a bind that is seen shows that binds are seen.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "user/sense/sense_private.h"

/* What a round makes. A bind of each family, and one socket that listens. */
static const struct {
	int family, type;
} made[CANARY_SOCKETS] = {{AF_INET, SOCK_DGRAM}, {AF_INET6, SOCK_DGRAM}, {AF_INET, SOCK_STREAM}};

static int use_loopback(struct canary *canary, unsigned int slot, int family, int type)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} address = {.any.sa_family = (sa_family_t)family};
	socklen_t length = sizeof(canary->cookies[slot]);
	int r = 0, fd = socket(family, type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (family == AF_INET)
		address.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		address.in6.sin6_addr = in6addr_loopback;
	/* Linux 4.12; asking gives the socket its cookie, before the bind */
	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &canary->cookies[slot], &length) < 0) {
		r = -errno;
	} else {
		/* where the loopback is down the bind fails, and a failed bind must be seen as well */
		canary->missing[slot] = CANARY_BIND;
		if (bind(fd, &address.any, family == AF_INET ? sizeof(address.in) : sizeof(address.in6)) == 0) {
			canary->missing[slot] |= canary->hooks & CANARY_CLOSE;
			if (type == SOCK_STREAM && listen(fd, 1) == 0)
				canary->missing[slot] |= canary->hooks & CANARY_LISTEN;
		}
	}
	close(fd);
	return r;
}

int canary_bind(struct canary *canary)
{
	int r = 0, bound = 0;

	for (unsigned int i = 0; i < CANARY_SOCKETS; i++) {
		unsigned int slot = canary->next++ % CANARY_COOKIES;

		/* nothing is missing of a family that the host lacks */
		canary->cookies[slot] = 0;
		canary->missing[slot] = 0;
		r = use_loopback(canary, slot, made[i].family, made[i].type);
		bound += r == 0;
	}
	return bound ? 0 : r;
}

bool canary_take(struct canary *canary, const struct event *event)
{
	for (unsigned int slot = 0; slot < CANARY_COOKIES; slot++) {
		if (!event->cookie || canary->cookies[slot] != event->cookie)
			continue;
		if (event->action == EVENT_BOUND)
			canary->missing[slot] &= ~CANARY_BIND;
		else if (event->action == EVENT_LISTEN)
			canary->missing[slot] &= ~CANARY_LISTEN;
		else if (event->action == EVENT_CLOSED)
			canary->missing[slot] &= ~CANARY_CLOSE;
		canary->records++;
		return true;
	}
	return false;
}

unsigned int canary_missing(const struct canary *canary)
{
	unsigned int missing = 0;

	if (canary->next < CANARY_SOCKETS)
		return CANARY_BIND;
	for (unsigned int behind = 1; behind <= CANARY_SOCKETS; behind++)
		missing |= canary->missing[(canary->next - behind) % CANARY_COOKIES];
	return missing;
}
