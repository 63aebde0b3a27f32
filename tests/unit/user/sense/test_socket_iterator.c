/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "user/base/ipproto.h"
#include "user/sense/socket_iterator.h"

/* the contract with the kernel side needs <linux/types.h>, which the header above brings */
#include "bpf/bindwatch.h"

#define ROWS_MAX 4096

struct rows {
	struct bw_inventory_row list[ROWS_MAX];
	size_t count;
	uint32_t pid;   /* 0: of any process */
	uint64_t inode; /* 0: of any socket */
};

static int keep(void *context, const struct bw_inventory_row *row)
{
	struct rows *rows = context;

	if ((rows->pid && row->pid != rows->pid) || (rows->inode && row->inode != rows->inode))
		return 0;
	assert_true(rows->count < ROWS_MAX);
	rows->list[rows->count++] = *row;
	return 0;
}

static const struct bw_inventory_row good = {
        .version = BW_INVENTORY_VERSION,
        .size = sizeof(good),
        .pid = 7,
        .inode = 8,
        .netns_inode = 9,
        .family = AF_INET6,
        .type = SOCK_STREAM,
        .protocol = IPPROTO_TCP,
        .port = 80,
        .state = BW_INVENTORY_LISTEN,
        .address = {[15] = 1},
        .comm = "httpd",
};

static struct rows rows;

static void parse_whole_rows(void **state)
{
	struct bw_inventory_row two[2] = {good, good};
	size_t used = 99;

	(void)state;
	two[1].port = 81;
	for (size_t len = 0; len <= sizeof(two); len++) {
		rows = (struct rows){.count = 0};
		assert_int_equal(socket_iterator_parse(two, len, &used, keep, &rows), 0);
		assert_int_equal(rows.count, len / sizeof(two[0]));
		assert_int_equal(used, rows.count * sizeof(two[0]));
		assert_memory_equal(rows.list, two, used);
	}
}

static void version(struct bw_inventory_row *row)
{
	row->version++;
}

static void size(struct bw_inventory_row *row)
{
	row->size--;
}

static void no_process(struct bw_inventory_row *row)
{
	row->pid = 0;
}

static void no_inode(struct bw_inventory_row *row)
{
	row->inode = 0;
}

static void no_netns(struct bw_inventory_row *row)
{
	row->netns_inode = 0;
}

static void family(struct bw_inventory_row *row)
{
	row->family = AF_UNIX;
}

static void long_ipv4(struct bw_inventory_row *row)
{
	row->family = AF_INET;
}

static void no_port(struct bw_inventory_row *row)
{
	row->port = 0;
}

static void state_of_a_client(struct bw_inventory_row *row)
{
	row->state = 1;
}

static void padding(struct bw_inventory_row *row)
{
	row->pad[2] = 1;
}

static void endless_name(struct bw_inventory_row *row)
{
	memset(row->comm, 'x', sizeof(row->comm));
}

static void parse_refuses(void **state)
{
	static void (*const damages[])(struct bw_inventory_row *) = {
	        version,   size,    no_process, no_inode,          no_netns,     family,
	        long_ipv4, no_port, padding,    state_of_a_client, endless_name,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		struct bw_inventory_row row = good;
		size_t used = 99;

		damages[i](&row);
		rows = (struct rows){.count = 0};
		if (socket_iterator_parse(&row, sizeof(row), &used, keep, &rows) != -EBADMSG || rows.count ||
		    used != 99)
			fail_msg("damage %zu was taken", i);
	}
}

static int stop(void *context, const struct bw_inventory_row *row)
{
	(void)row;
	++*(unsigned int *)context;
	return -ECANCELED;
}

static void parse_stops(void **state)
{
	struct bw_inventory_row two[2] = {good, good};
	unsigned int calls = 0;
	size_t used = 99;

	(void)state;
	assert_int_equal(socket_iterator_parse(two, sizeof(two), &used, stop, &calls), -ECANCELED);
	assert_int_equal(calls, 1);
	assert_int_equal(used, 99);
}

static uint64_t inode_of(int fd)
{
	struct stat status;

	assert_int_equal(fstat(fd, &status), 0);
	return status.st_ino;
}

/* A TCP socket bound to a port of ::1. */
static int bound(uint16_t *ret_port)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) < 0) {
		print_message("no IPv6 socket here: %s\n", strerror(errno));
		skip();
	}
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	*ret_port = ntohs(address.sin6_port);
	return fd;
}

/* Reads what is asked for in rows, by this way. Skips where the kernel refuses it. */
static void read_by(unsigned int way)
{
	char why[SOCKET_ITERATOR_WHY_LEN] = "";
	struct socket_iterator *iterator = NULL;
	int err = socket_iterator_open(way, &iterator, why);

	if (!err)
		err = socket_iterator_read(iterator, keep, &rows, why);
	socket_iterator_free(iterator);
	if (err == -ENOTSUP) {
		print_message("the iterator, way %u: %s\n", way, why);
		skip();
	}
	if (err)
		fail_msg("way %u: %s (%d)", way, why, err);
}

/* By the best way that this kernel has, once. */
static int read_once(socket_iterator_found found, void *context, char why[SOCKET_ITERATOR_WHY_LEN])
{
	struct socket_iterator *iterator = NULL;
	int err = socket_iterator_read_best(&iterator, found, context, why);

	socket_iterator_free(iterator);
	return err;
}

/* The same by the best way that this kernel has. */
static void read_best(void)
{
	char why[SOCKET_ITERATOR_WHY_LEN] = "";
	int err = read_once(keep, &rows, why);

	if (err == -ENOTSUP) {
		print_message("the iterator: %s\n", why);
		skip();
	}
	if (err)
		fail_msg("%s (%d)", why, err);
}

/* What /proc has of this process's start: clock ticks since the boot, field 22. */
static uint64_t start_ticks(void)
{
	unsigned long long ticks = 0;
	char line[512];
	FILE *file = fopen("/proc/self/stat", "re");

	assert_non_null(file);
	assert_non_null(fgets(line, sizeof(line), file));
	(void)fclose(file);
	assert_int_equal(sscanf(strrchr(line, ')') + 1,
	                        " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu",
	                        &ticks),
	                 1);
	return ticks;
}

static void iterator_way(void **state)
{
	unsigned int way = (unsigned int)(uintptr_t)*state;
	const struct in6_addr loopback = IN6ADDR_LOOPBACK_INIT;
	const struct bw_inventory_row *row = rows.list;
	char comm[16];
	struct stat netns;
	uint64_t cookie;
	socklen_t len = sizeof(cookie);
	int yes = 1, fd, twin, unbound;
	uint16_t port;

	read_by(way); /* a kernel that refuses it ends the test here, before anything is open */
	fd = bound(&port);
	twin = dup(fd);
	unbound = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)), 0);
	assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &yes, sizeof(yes)), 0);
	rows = (struct rows){.pid = (uint32_t)getpid()};
	read_by(way);
	/* bound and not listening, by two descriptors; what has no port does not show */
	assert_int_equal(rows.count, 2);
	assert_memory_equal(&rows.list[0], &rows.list[1], sizeof(*row));
	assert_int_equal(row->inode, inode_of(fd));
	assert_int_equal(row->port, port);
	assert_int_equal(row->family, AF_INET6);
	assert_int_equal(row->type, SOCK_STREAM);
	assert_int_equal(row->protocol, IPPROTO_TCP);
	assert_int_equal(row->state, BW_INVENTORY_CLOSE);
	assert_memory_equal(row->address, &loopback, sizeof(loopback));
	assert_int_equal(row->uid, geteuid());
	assert_int_equal(stat("/proc/self/ns/net", &netns), 0);
	assert_int_equal(row->netns_inode, netns.st_ino);
	assert_true(row->unprivileged_port_start <= 65536);
	/* a bind to one address of IPv6 makes the socket IPv6-only; without bpf_probe_read FREEBIND is not read */
	assert_int_equal(row->socket_flags,
	                 BW_SOCKET_V6ONLY | BW_SOCKET_REUSEADDR | (way == 1 ? BW_SOCKET_INET_UNKNOWN : BW_SOCKET_FREEBIND));
	(void)prctl(PR_GET_NAME, comm);
	assert_string_equal(row->comm, comm);
	assert_int_equal(row->start_ns / 10000000, start_ticks());
	assert_true(row->exec_id != 0);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len), 0);
	assert_true(row->cookie == cookie || (way == 2 && row->cookie == 0));
	assert_int_equal(listen(fd, 1), 0);
	rows.count = 0;
	read_by(way);
	assert_int_equal(row->state, BW_INVENTORY_LISTEN);
	(void)close(fd);
	(void)close(twin);
	(void)close(unbound);
}

/* The same one once more: it begins anew, and sees what has come. */
static void iterator_is_read_again(void **state)
{
	struct socket_iterator *iterator = NULL, *loaded;
	char why[SOCKET_ITERATOR_WHY_LEN];
	uint16_t port;
	int first, second, err;

	(void)state;
	first = bound(&port);
	rows = (struct rows){.pid = (uint32_t)getpid()};
	err = socket_iterator_read_best(&iterator, keep, &rows, why);
	if (err == -ENOTSUP) {
		(void)close(first);
		print_message("the iterator: %s\n", why);
		skip();
	}
	assert_int_equal(err, 0);
	assert_int_equal(rows.count, 1);
	second = bound(&port);
	loaded = iterator;
	rows = (struct rows){.pid = (uint32_t)getpid()};
	assert_int_equal(socket_iterator_read_best(&iterator, keep, &rows, why), 0);
	assert_ptr_equal(iterator, loaded);
	assert_int_equal(rows.count, 2);
	socket_iterator_free(iterator);
	(void)close(first);
	(void)close(second);
}

static void iterator_stops(void **state)
{
	char why[SOCKET_ITERATOR_WHY_LEN];
	unsigned int calls = 0;
	uint16_t port;
	int fd = bound(&port), err = read_once(stop, &calls, why);

	(void)state;
	(void)close(fd);
	if (err == -ENOTSUP) {
		print_message("the iterator: %s\n", why);
		skip();
	}
	assert_int_equal(err, -ECANCELED);
	assert_int_equal(calls, 1);
}

struct away {
	int ready[2], end[2];
	uint64_t inode;
};

/* A thread with descriptors of its own: /proc/PID/fd does not show its socket. */
static void *thread_of_its_own(void *context)
{
	struct away *away = context;
	uint16_t port;
	char byte = 0;
	int fd;

	if (unshare(CLONE_FILES) < 0)
		return NULL;
	fd = bound(&port);
	away->inode = inode_of(fd);
	(void)!write(away->ready[1], "y", 1);
	(void)!read(away->end[0], &byte, 1);
	return NULL;
}

static void iterator_sees_threads_apart(void **state)
{
	struct away away;
	pthread_t thread;
	char byte;

	(void)state;
	assert_int_equal(pipe(away.ready), 0);
	assert_int_equal(pipe(away.end), 0);
	assert_int_equal(pthread_create(&thread, NULL, thread_of_its_own, &away), 0);
	assert_int_equal(read(away.ready[0], &byte, 1), 1);
	rows = (struct rows){.pid = (uint32_t)getpid(), .inode = away.inode};
	read_best();
	assert_int_equal(rows.count, 1);
	assert_int_equal(write(away.end[1], "y", 1), 1);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

/* In a pid namespace of its own a process is shown with the number that it has there. */
static int body_of_namespace(void)
{
	struct rows *own = calloc(1, sizeof(*own));
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	char why[SOCKET_ITERATOR_WHY_LEN];
	struct stat status;
	int err;

	if (!own || getpid() != 1 || fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    fstat(fd, &status) < 0)
		return 2;
	own->inode = status.st_ino;
	err = read_once(keep, own, why);
	if (err)
		return err == -ENOTSUP ? 4 : 3;
	return own->count == 1 && own->list[0].pid == 1 ? 0 : 1;
}

static void iterator_in_pid_namespace(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	rows = (struct rows){.pid = (uint32_t)getpid()};
	read_best();
	pid = (pid_t)syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, NULL);
	if (pid < 0) {
		print_message("no pid namespace can be made here: %s\n", strerror(errno));
		skip();
	}
	if (pid == 0)
		_exit(body_of_namespace());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 4) {
		print_message("lockdown=confidentiality: it could not tell the numbers of processes there\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void iterator_without_privilege(void **state)
{
	char why[SOCKET_ITERATOR_WHY_LEN] = "";
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		if (setgid(65534) < 0 || setuid(65534) < 0)
			_exit(2);
		_exit(read_once(keep, &rows, why) == -ENOTSUP && strstr(why, "CAP_BPF") ? 0 : 1);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 2) {
		print_message("this takes root: to become another user\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	        cmocka_unit_test(parse_whole_rows),
	        cmocka_unit_test(parse_refuses),
	        cmocka_unit_test(parse_stops),
	        {.name = "iterator_asks_and_probes", .test_func = iterator_way, .initial_state = (void *)0},
	        {.name = "iterator_asks_only", .test_func = iterator_way, .initial_state = (void *)1},
	        {.name = "iterator_probes_only", .test_func = iterator_way, .initial_state = (void *)2},
	        cmocka_unit_test(iterator_is_read_again),
	        cmocka_unit_test(iterator_stops),
	        cmocka_unit_test(iterator_sees_threads_apart),
	        cmocka_unit_test(iterator_in_pid_namespace),
	        cmocka_unit_test(iterator_without_privilege),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
