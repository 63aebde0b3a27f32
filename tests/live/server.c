/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/live/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "tests/live/command.h"

/* A socket, or -1. */
static int serve_one(const char *kind, uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	bool stream = strncmp(kind, "tcp", 3) == 0;
	int fd = socket(AF_INET, stream ? SOCK_STREAM : SOCK_DGRAM, 0), on = 1;

	if (strstr(kind, "userns") && unshare(CLONE_NEWUSER) < 0)
		return -1;
	if (strstr(kind, "loopback"))
		address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (strstr(kind, "chosen"))
		address.sin_port = 0;
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (strstr(kind, "share"))
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || (stream && listen(fd, 1) < 0))
		return -1;
	return fd;
}

bool server_is_meant(int argc, char **argv)
{
	return argc > 1 && strcmp(argv[1], "--serve") == 0;
}

/* Binds all of them, says so with a byte on stdout, and waits to be ended. */
int server_run(char **argv)
{
	char **arguments = argv + 2;

	(void)alarm(120);
	for (; arguments[0] && arguments[1]; arguments += 2)
		if (serve_one(arguments[0], (uint16_t)strtoul(arguments[1], NULL, 10)) < 0)
			return 1;
	(void)!write(STDOUT_FILENO, "y", 1);
	for (;;)
		(void)pause();
}

void server_copy(const char *path)
{
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC),
	    to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	struct stat status;

	assert_true(from >= 0 && to >= 0);
	assert_int_equal(fstat(from, &status), 0);
	for (off_t done = 0; done < status.st_size;)
		assert_true(sendfile(to, from, &done, (size_t)(status.st_size - done)) > 0);
	(void)close(from);
	(void)close(to);
}

/* Nothing is learnt of a program that stands where everybody may write: a tree that was built there is no place. */
static bool is_temporary(const char *path)
{
	return strncmp(path, "/tmp/", 5) == 0 || strncmp(path, "/var/tmp/", 9) == 0 ||
	       strncmp(path, "/dev/shm/", 9) == 0;
}

int server_place(char place[SERVER_PATH_LEN])
{
	const char *home = getenv("HOME");
	char self[SERVER_PATH_LEN] = "";
	const char *base;

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return -errno;
	base = is_temporary(self) ? (home ? home : "/root") : dirname(self);
	(void)snprintf(place, SERVER_PATH_LEN, "%.4000s/place-XXXXXX", base);
	return mkdtemp(place) ? 0 : -errno;
}

pid_t server_start(const char *path, int fd, const char *const *arguments)
{
	char said = 'n';
	int ready[2];
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		(void)dup2(ready[1], STDOUT_FILENO);
		if (fd >= 0)
			(void)fexecve(fd, (char *const *)arguments, environ);
		else
			(void)execv(path, (char *const *)arguments);
		_exit(127);
	}
	(void)close(ready[1]);
	(void)!read(ready[0], &said, 1);
	(void)close(ready[0]);
	if (said != 'y') {
		command_child_end(pid);
		fail_msg("%s does not serve", path);
	}
	return pid;
}
