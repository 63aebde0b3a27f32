/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/base/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int notify(const char *state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *name = getenv("NOTIFY_SOCKET");
	socklen_t length;
	int fd, r = 0;

	if (!name || !*name)
		return 0;
	if ((name[0] != '/' && name[0] != '@') || strlen(name) >= sizeof(address.sun_path))
		return -EINVAL;
	memcpy(address.sun_path, name, strlen(name));
	length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
	if (name[0] == '@')
		address.sun_path[0] = '\0'; /* the abstract name space: unix(7) */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address, length) < 0)
		r = -errno;
	close(fd);
	return r;
}
