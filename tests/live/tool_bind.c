/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Binds UDP ports of the loopback, to be run from odd places under odd names. What it does is in the environment, so
 * that its arguments are free:
 *
 *   BIND_PORT  the port
 *   BIND_WAIT  first reads a byte from stdin
 *   BIND_STAY  then waits for the end of stdin
 *   BIND_NEXT  then executes this program, which binds the port behind
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	const char *port = getenv("BIND_PORT"), *next = getenv("BIND_NEXT");
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	char byte, behind[16];
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)argc;
	if (!port || fd < 0)
		return 2;
	address.sin_port = htons((uint16_t)strtoul(port, NULL, 10));
	if (getenv("BIND_WAIT") && read(STDIN_FILENO, &byte, 1) < 0)
		return 3;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)))
		return 4;
	if (next) {
		(void)snprintf(behind, sizeof(behind), "%lu", strtoul(port, NULL, 10) + 1);
		if (setenv("BIND_PORT", behind, 1) || unsetenv("BIND_NEXT"))
			return 5;
		execv(next, argv);
		return 6;
	}
	while (getenv("BIND_STAY") && read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}
