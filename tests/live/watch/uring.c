/* SPDX-License-Identifier: BSD-2-Clause */
/* Binds by io_uring, which pass no system call of their own: told of the process that submitted them. */
#include "tests/live/watch/watch.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/live/ring.h"
#include "user/base/ipproto.h"
#include "user/base/number.h"

/* One bind by io_uring, written down. 0 or -errno. */
static int bind_by_ring(struct ring *ring, int domain, int type, int protocol, const char *text, uint16_t port)
{
	int fd = socket(domain, type | SOCK_CLOEXEC, protocol);
	struct sockaddr_storage address;
	socklen_t length = scene_address(text, port, &address);
	struct bind_record *record;
	int result;

	assert_true(fd >= 0);
	record = scene_before(fixture.scene, fd, &address, length);
	result = ring_bind(ring, fd, &address, length);
	record->no_system_call = true;
	scene_after(record, fd, -result);
	close(fd);
	return result;
}

static void io_uring_bind(void **state)
{
	struct ring ring;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	SKIP_BECAUSE(ring_why_not());
	assert_null(ring_open(&ring, 0));
	assert_int_equal(bind_by_ring(&ring, AF_INET, SOCK_STREAM, 0, "127.0.0.1", 8105), 0);
	assert_int_equal(bind_by_ring(&ring, AF_INET6, SOCK_STREAM, 0, "::1", 8106), 0);
	assert_int_equal(bind_by_ring(&ring, AF_INET, SOCK_DGRAM, 0, "127.0.0.1", 0), 0);
	/* and a system call of the same thread behind it */
	close(scene_socket(fixture.scene, AF_INET, SOCK_STREAM, 0, "127.0.0.1", 8107));
	ring_close(&ring);
	watch_assert_scene("io_uring");
}

static void io_uring_bind_mptcp(void **state)
{
	struct ring ring;
	int fd;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	SKIP_BECAUSE(ring_why_not());
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);
	SKIP_BECAUSE(fd < 0 ? "this kernel has no MPTCP" : NULL);
	close(fd);
	assert_null(ring_open(&ring, 0));
	assert_int_equal(bind_by_ring(&ring, AF_INET, SOCK_STREAM, IPPROTO_MPTCP, "127.0.0.1", 8108), 0);
	assert_int_equal(bind_by_ring(&ring, AF_INET6, SOCK_STREAM, IPPROTO_MPTCP, "::1", 0), 0);
	ring_close(&ring);
	watch_assert_scene("io_uring, MPTCP");
}

/* The thread of this process that the kernel made for the ring: its id, and its name. 0: there is none. */
static pid_t polling_thread(char comm[16])
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *entry;
	pid_t found = 0;

	while (tasks && !found && (entry = readdir(tasks))) {
		uint64_t tid = 0;
		char path[64];
		FILE *file;

		if (number_parse(entry->d_name, 1, INT32_MAX, &tid))
			continue;
		(void)snprintf(path, sizeof(path), "/proc/self/task/%d/comm", (int)tid);
		file = fopen(path, "re");
		if (file && fgets(comm, 16, file) && strncmp(comm, "iou-sqp-", 8) == 0) {
			comm[strcspn(comm, "\n")] = '\0';
			found = (pid_t)tid;
		}
		if (file)
			fclose(file);
	}
	if (tasks)
		closedir(tasks);
	return found;
}

/* Written down as io_uring_bind_sqpoll expects it: the process is the submitter's, the thread the kernel's. */
static void bind_by_polled_ring(struct ring *ring, int domain, const char *text, uint16_t port)
{
	struct bind_record *record = &fixture.scene->records[fixture.scene->used];
	char expected[16], comm[16];

	assert_int_equal(bind_by_ring(ring, domain, SOCK_STREAM, 0, text, port), 0);
	record->tid = polling_thread(comm);
	assert_true(record->tid > 0);
	/* by the thread that made the ring (io_sq_thread()) */
	(void)snprintf(expected, sizeof(expected), "iou-sqp-%d", (int)syscall(SYS_gettid));
	assert_string_equal(comm, expected);
	memcpy(record->comm, comm, sizeof(comm));
}

static void io_uring_bind_sqpoll(void **state)
{
	const char *why_not;
	struct ring ring;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	SKIP_BECAUSE(ring_why_not());
	why_not = ring_open(&ring, IORING_SETUP_SQPOLL);
	SKIP_BECAUSE(why_not);
	bind_by_polled_ring(&ring, AF_INET, "127.0.0.1", 8109);
	bind_by_polled_ring(&ring, AF_INET6, "::1", 8110);
	bind_by_polled_ring(&ring, AF_INET, "127.0.0.1", 0);
	ring_close(&ring);
	watch_assert_scene("io_uring, SQPOLL");
}

static void io_uring_bind_refused(void **state)
{
	struct ring ring;
	int first;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	SKIP_BECAUSE(ring_why_not());
	SKIP_BECAUSE(strcmp(fixture.monitor.plan, "tracepoint") == 0
	                     ? "plan tracepoint has no hook at the end of a bind by io_uring that fails"
	                     : NULL);
	assert_null(ring_open(&ring, 0));
	first = scene_socket(fixture.scene, AF_INET, SOCK_STREAM, 0, "127.0.0.1", 8111);
	assert_true(first >= 0);
	assert_int_equal(bind_by_ring(&ring, AF_INET, SOCK_STREAM, 0, "127.0.0.1", 8111), -EADDRINUSE);
	assert_int_equal(bind_by_ring(&ring, AF_INET, SOCK_STREAM, 0, "192.0.2.1", 8112), -EADDRNOTAVAIL);
	assert_int_equal(bind_by_ring(&ring, AF_INET6, SOCK_DGRAM, 0, "2001:db8::1", 0), -EADDRNOTAVAIL);
	close(first);
	ring_close(&ring);
	watch_assert_scene("io_uring, refused");
}

/* What a bind that failed unseen left behind must not colour the next one of the same thread. */
static void io_uring_refused_then_bound(void **state)
{
	struct ring ring;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	SKIP_BECAUSE(ring_why_not());
	assert_null(ring_open(&ring, 0));
	for (uint16_t i = 0; i < 8; i++) {
		struct sockaddr_storage address;
		socklen_t length = scene_address("192.0.2.1", 8120 + i, &address);
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		assert_true(fd >= 0);
		assert_int_equal(ring_bind(&ring, fd, &address, length), -EADDRNOTAVAIL);
		close(fd);
		if (strcmp(fixture.monitor.plan, "tracepoint") != 0) {
			/* told by this plan, and the business of io_uring_bind_refused */
			assert_int_equal(monitor_sync(&fixture.monitor, 0), 0);
			json_array_clear(fixture.monitor.events);
		}
		if (i % 2)
			assert_int_equal(bind_by_ring(&ring, AF_INET, SOCK_STREAM, 0, "127.0.0.1", 8130 + i), 0);
		else
			close(scene_socket(fixture.scene, AF_INET6, SOCK_DGRAM, 0, "::1", 8130 + i));
		watch_assert_scene("io_uring, refused, then bound");
	}
	ring_close(&ring);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(io_uring_bind),
        cmocka_unit_test(io_uring_bind_mptcp),
        cmocka_unit_test(io_uring_bind_sqpoll),
        cmocka_unit_test(io_uring_bind_refused),
        cmocka_unit_test(io_uring_refused_then_bound),
};

const struct watch_group watch_uring = {"uring", tests, sizeof(tests) / sizeof(tests[0])};
