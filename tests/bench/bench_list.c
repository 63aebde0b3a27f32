/* SPDX-License-Identifier: BSD-2-Clause */
/* How long `bindwatch list` takes on a host where ten thousand sockets are bound, the start of the program included. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/live/live.h"
#include "user/sense/inventory.h"

#define SOCKETS 10000
#define REPEATS 9

static double now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static int compare_doubles(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

/* One descriptor each, on ports of the kernel's choice. How many there are. */
static size_t open_sockets(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	struct rlimit limit;
	size_t count = 0;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	while (count < SOCKETS) {
		int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

		if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
			break;
		count++;
	}
	return count;
}

/* Milliseconds, or negative: it failed. */
static double run_once(const char *program, const char *form)
{
	double begin = now_ms();
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

		(void)dup2(null, STDOUT_FILENO);
		(void)dup2(null, STDERR_FILENO);
		(void)execl(program, "bindwatch", "list", "--output", form, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status))
		return -1;
	return now_ms() - begin;
}

static int bench_form(const char *program, const char *form, size_t sockets)
{
	double times[REPEATS];

	for (size_t i = 0; i < REPEATS; i++) {
		times[i] = run_once(program, form);
		if (times[i] < 0) {
			(void)fprintf(stderr, "bindwatch list --output %s failed\n", form);
			return 1;
		}
	}
	qsort(times, REPEATS, sizeof(times[0]), compare_doubles);
	printf("list, %-4s of %zu sockets: median %.0f ms, %.0f to %.0f ms\n", form, sockets, times[REPEATS / 2],
	       times[0], times[REPEATS - 1]);
	return 0;
}

/* The part that the kernel and sense/ have in it. */
static int bench_inventory(void)
{
	char error[INVENTORY_TEXT_LEN];
	double times[REPEATS];
	bool iterated = false;

	for (size_t i = 0; i < REPEATS; i++) {
		struct inventory *inventory = NULL;
		double begin = now_ms();

		if (inventory_take(NULL, NULL, &inventory, error) || inventory_find_holders(inventory, error)) {
			(void)fprintf(stderr, "the inventory: %s\n", error);
			inventory_free(inventory);
			return 1;
		}
		times[i] = now_ms() - begin;
		iterated = inventory->iterated;
		inventory_free(inventory);
	}
	qsort(times, REPEATS, sizeof(times[0]), compare_doubles);
	printf("inventory with holders, %s: median %.0f ms\n", iterated ? "by the iterator" : "by /proc",
	       times[REPEATS / 2]);
	return 0;
}

int main(int argc, char **argv)
{
	char program[4096];
	size_t sockets;

	(void)argc;
	if (live_program(argv[0], program, sizeof(program)) < 0) {
		(void)fputs("there is no bindwatch beside this bench\n", stderr);
		return 1;
	}
	sockets = open_sockets();
	if (sockets < SOCKETS)
		printf("only %zu sockets can be opened here: %s\n", sockets, strerror(errno));
	return bench_form(program, "text", sockets) || bench_form(program, "json", sockets) || bench_inventory();
}
