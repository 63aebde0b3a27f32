/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bind of our own. Hooks can attach and yet never fire (kernel.ftrace_enabled=0, an LSM that is not in the kernel's
 * list): only a bind that is seen shows that binds are seen.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "user/sense/sense_private.h"

static int bind_loopback(int family, uint64_t *ret_cookie)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} address = {.any.sa_family = (sa_family_t)family};
	socklen_t length = sizeof(*ret_cookie);
	int r = 0, fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (family == AF_INET)
		address.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		address.in6.sin6_addr = in6addr_loopback;
	/* Linux 4.12; asking gives the socket its cookie, before the bind */
	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, ret_cookie, &length) < 0)
		r = -errno;
	/* where the loopback is down the bind fails, and a failed bind must be seen as well */
	else
		(void)bind(fd, &address.any, family == AF_INET ? sizeof(address.in) : sizeof(address.in6));
	close(fd);
	return r;
}

int canary_bind(struct canary *canary)
{
	static const int families[] = {AF_INET, AF_INET6};
	int r = 0, bound = 0;

	for (unsigned int i = 0; i < 2; i++) {
		unsigned int slot = canary->next++ % CANARY_COOKIES;

		canary->cookies[slot] = 0;
		canary->seen[slot] = false;
		r = bind_loopback(families[i], &canary->cookies[slot]);
		if (r == 0)
			bound++;
		else
			canary->seen[slot] = true; /* a family that the host lacks */
	}
	return bound ? 0 : r;
}

bool canary_take(struct canary *canary, const struct event *event)
{
	for (unsigned int slot = 0; slot < CANARY_COOKIES; slot++) {
		if (!event->cookie || canary->cookies[slot] != event->cookie)
			continue;
		if (event->action == EVENT_BOUND)
			canary->seen[slot] = true;
		canary->records++;
		return true;
	}
	return false;
}

bool canary_seen(const struct canary *canary)
{
	/* next has passed the two of the last round */
	return canary->next >= 2 && canary->seen[(canary->next - 1) % CANARY_COOKIES] &&
	       canary->seen[(canary->next - 2) % CANARY_COOKIES];
}
