/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "user/sense/netns.h"

struct seen {
	size_t count, stop_at;
	uint64_t first, wanted;
	bool has_wanted;
};

static int visit(void *context, const struct netns *netns)
{
	struct seen *seen = context;

	if (!seen->count)
		seen->first = netns->inode;
	assert_int_equal(netns->fd < 0, seen->count == 0);
	seen->has_wanted = seen->has_wanted || netns->inode == seen->wanted;
	seen->count++;
	return seen->count == seen->stop_at ? -ECANCELED : 0;
}

static uint64_t own_inode(void)
{
	struct stat status;

	assert_int_equal(stat("/proc/self/ns/net", &status), 0);
	return status.st_ino;
}

static void netns_own_first(void **state)
{
	struct seen seen = {0}, stopped = {.stop_at = 1};
	struct netns_walk walk;

	(void)state;
	assert_int_equal(netns_walk(visit, &seen, &walk), 0);
	assert_int_equal(seen.first, own_inode());
	assert_int_equal(netns_walk(visit, &stopped, &walk), -ECANCELED);
	assert_int_equal(stopped.count, 1);
}

/* In a namespace of its own until it is killed. ready: one byte is written when it is there. */
static pid_t child_in_netns(int ready)
{
	pid_t pid = fork();

	if (pid == 0) {
		char ok = unshare(CLONE_NEWNET) == 0 ? 'y' : 'n';

		(void)!write(ready, &ok, 1);
		(void)pause();
		_exit(0);
	}
	return pid;
}

static int open_there(void *context, const struct netns *netns)
{
	struct seen *seen = context;
	char name[16];
	int fd;

	if (netns->inode != seen->wanted)
		return 0;
	seen->has_wanted = true;
	fd = netns_socket(netns, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	/* a fresh namespace has its loopback down, and we have not moved */
	assert_int_equal(connect(fd, (struct sockaddr *)&(struct sockaddr){.sa_family = AF_UNSPEC}, sizeof(name)), 0);
	(void)close(fd);
	return 0;
}

static void netns_enters_and_returns(void **state)
{
	uint64_t own = own_inode();
	struct seen seen = {0};
	struct netns_walk walk;
	struct stat status;
	char path[64], ok = 0;
	int ready[2], result;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	pid = child_in_netns(ready[1]);
	assert_true(pid > 0);
	assert_int_equal(read(ready[0], &ok, 1), 1);
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	if (ok == 'y') {
		assert_int_equal(stat(path, &status), 0);
		seen.wanted = status.st_ino;
	}
	result = ok == 'y' ? netns_walk(open_there, &seen, &walk) : 0;
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	(void)close(ready[0]);
	(void)close(ready[1]);
	if (ok != 'y') {
		print_message("unshare(CLONE_NEWNET) is refused here: it takes root\n");
		skip();
	}
	assert_int_equal(result, 0);
	assert_int_not_equal(seen.wanted, own);
	assert_true(seen.has_wanted);
	assert_int_equal(own_inode(), own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(netns_own_first),
	    cmocka_unit_test(netns_enters_and_returns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
