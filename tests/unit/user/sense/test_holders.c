/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "user/sense/holders.h"

#define HOSTILE "\x1b[31m\n\xff\\"

static void holders_links(void **state)
{
	static const struct {
		const char *link;
		uint64_t inode;
	} table[] = {
	    {"socket:[1]", 1},
	    {"socket:[18446744073709551615]", UINT64_MAX},
	    {"socket:[18446744073709551616]", 0},
	    {"socket:[0]", 0},
	    {"socket:[]", 0},
	    {"socket:[12", 0},
	    {"socket:[12]x", 0},
	    {"socket:[-1]", 0},
	    {"socket:[1 ]", 0},
	    {"socket:", 0},
	    {"pipe:[12]", 0},
	    {"/tmp/socket:[12]", 0},
	    {"socket:[111111111111111111111111111111111111111111]", 0},
	    {"", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (holders_parse_link(table[i].link) != table[i].inode)
			fail_msg("'%s'", table[i].link);
	}
}

static uint64_t inode_of(int fd)
{
	struct stat status;

	assert_int_equal(fstat(fd, &status), 0);
	return status.st_ino;
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

/* Two processes hold one socket, one of them by two descriptors; another socket is ours alone; a third nobody wants. */
static void holders_found(void **state)
{
	int shared = socket(AF_INET, SOCK_DGRAM, 0), twin = dup(shared), ready[2];
	int own = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), other = socket(AF_INET, SOCK_DGRAM, 0);
	uint64_t inodes[] = {inode_of(shared), inode_of(own), 1};
	struct holders holders = {0};
	size_t of_shared = 0, of_own = 0;
	char byte;
	pid_t child;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		(void)close(own);
		(void)prctl(PR_SET_NAME, HOSTILE);
		(void)!write(ready[1], "y", 1);
		(void)pause();
		_exit(0);
	}
	assert_true(child > 0);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	qsort(inodes, 3, sizeof(inodes[0]), compare_u64);
	assert_int_equal(holders_find(inodes, 3, &holders), 0);
	(void)kill(child, SIGKILL);
	(void)waitpid(child, NULL, 0);
	for (size_t i = 0; i < holders.count; i++) {
		const struct holder *holder = &holders.list[i];

		assert_int_not_equal(holder->inode, inode_of(other));
		if (i)
			assert_true(holders.list[i - 1].inode < holder->inode || holders.list[i - 1].pid < holder->pid);
		of_shared += holder->inode == inode_of(shared);
		of_own += holder->inode == inode_of(own);
		if (holder->inode == inode_of(own))
			assert_int_equal(holder->pid, getpid());
		if (holder->pid == (uint32_t)child)
			assert_string_equal(holder->comm, HOSTILE);
	}
	assert_int_equal(of_shared, 2);
	assert_int_equal(of_own, 1);
	assert_int_equal(holders.count, 3);
	holders_free(&holders);
	holders_free(&holders);
	holders_free(NULL);
	for (int *fd = (int[]){shared, twin, own, other, ready[0], ready[1], -1}; *fd >= 0; fd++)
		(void)close(*fd);
}

static void holders_of_nothing(void **state)
{
	struct holders holders = {0};

	(void)state;
	assert_int_equal(holders_find(NULL, 0, &holders), 0);
	assert_int_equal(holders.count, 0);
	holders_free(&holders);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(holders_links),
	    cmocka_unit_test(holders_found),
	    cmocka_unit_test(holders_of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
