/* SPDX-License-Identifier: BSD-2-Clause */
/* Listens: with and without a bind, refused, by io_uring. */
#include "tests/live/watch/watch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "tests/live/life.h"
#include "tests/live/ring.h"
#include "user/base/ipproto.h"

/* A port that nobody asked for and nobody bound: known when the listen returns. */
static void listen_unbound(int domain, int protocol, const char *name)
{
	const json_t *events[LIFE_EVENTS];
	int fd = life_socket(life, domain, SOCK_STREAM, protocol);

	assert_true(fd >= 0);
	life->taken_before = life_now();
	assert_int_equal(life_listen(life, fd, 7), 0);
	life->taken_after = life_now();
	life_take(life, fd);
	assert_int_equal(life_events(life, &fixture.monitor, events), 1);
	assert_true(json_is_true(live_field(events[0], "bindwatch.ephemeral")));
	assert_non_null(live_field(events[0], "bindwatch.exposure"));
	assert_string_equal(json_string_value(live_field(events[0], "bindwatch.exposure")), "wildcard");
	life_close(life, fd);
	life_assert(life, &fixture.monitor, "lc", name, 0);
}

static void listen_without_bind(void **state)
{
	(void)state;
	FIXTURE_NEEDED(&fixture);
	listen_unbound(AF_INET, 0, "tcp");
	listen_unbound(AF_INET6, 0, "tcp");
}

static void listen_without_bind_mptcp(void **state)
{
	int fd;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);
	SKIP_BECAUSE(fd < 0 ? "this kernel has no MPTCP" : NULL);
	close(fd);
	listen_unbound(AF_INET, IPPROTO_MPTCP, "mptcp");
	listen_unbound(AF_INET6, IPPROTO_MPTCP, "mptcp");
}

/* listen(2): what is more than net.core.somaxconn, or negative, is that. */
static void listen_backlog(void **state)
{
	static const struct {
		int asked, taken;
	} rows[] = {{0, 0}, {1, 1}, {128, 128}, {300, 300}, {301, 300}, {1 << 30, 300}, {-1, 300}};

	(void)state;
	FIXTURE_NEEDED(&fixture);
	assert_int_equal(scene_sysctl("net/core/somaxconn", "300"), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int fd = life_socket(life, AF_INET, SOCK_STREAM, 0);

		assert_int_equal(life_bind(life, fd, "127.0.0.1", 8710), 0);
		assert_int_equal(life_listen(life, fd, rows[i].asked), 0);
		life->backlog = rows[i].taken;
		life_close(life, fd);
		life_assert(life, &fixture.monitor, "blc", "tcp", 0);
	}
	assert_int_equal(scene_sysctl("net/core/somaxconn", "4096"), 0);
}

/* SO_REUSEADDR lets two sockets have the port until one of them listens. */
static void listen_in_use(void **state)
{
	struct sockaddr_storage address;
	socklen_t length = scene_address("127.0.0.1", 8711, &address);
	int one = 1;
	int first, second;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	first = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	second = life_socket(life, AF_INET, SOCK_STREAM, 0);
	assert_int_equal(setsockopt(first, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), 0);
	assert_int_equal(setsockopt(second, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), 0);
	assert_int_equal(bind(first, (struct sockaddr *)&address, length), 0);
	assert_int_equal(life_bind(life, second, "127.0.0.1", 8711), 0);
	assert_int_equal(listen(first, 1), 0);
	assert_int_equal(life_listen(life, second, 2), -EADDRINUSE);
	life->listen_error = EADDRINUSE;
	life_close(life, second);
	close(first);
	life_assert(life, &fixture.monitor, "blc", "tcp", 0);
}

/* What cannot listen is asked of no port. */
static void listen_of_udp(void **state)
{
	int fd;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	fd = life_socket(life, AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(life_bind(life, fd, "127.0.0.1", 8712), 0);
	assert_int_equal(life_listen(life, fd, 1), -EOPNOTSUPP);
	life_close(life, fd);
	life_assert(life, &fixture.monitor, "bc", "udp", 0);
}

/* Only the backlog changes: the socket is listening already. */
static void listen_again(void **state)
{
	int fd;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	fd = life_listener(life, 8713);
	assert_int_equal(listen(fd, 32), 0);
	life_close(life, fd);
	life_assert(life, &fixture.monitor, "blc", "tcp", 0);
}

/* A connected socket cannot listen; nothing of a port was asked, and its own is nobody's bind. */
static void listen_of_client(void **state)
{
	struct sockaddr_storage server;
	socklen_t length = scene_address("127.0.0.1", 8738, &server);
	const json_t *event;
	int listener, client;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	listener = life_listener(life, 8738);
	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(client, (struct sockaddr *)&server, length), 0);
	assert_int_equal(getsockname(client, (struct sockaddr *)&server, &length), 0);
	assert_int_equal(listen(client, 1), -1);
	assert_int_equal(errno, EINVAL);
	close(client);
	assert_int_equal(monitor_sync(&fixture.monitor, 0), 0);
	assert_int_equal(
	        live_find(&fixture.monitor, ACTION_LISTEN, ntohs(((struct sockaddr_in *)&server)->sin_port), &event),
	        0);
	life_close(life, listener);
	life_assert(life, &fixture.monitor, "blc", "tcp", 0);
}

static void listen_by_ring(uint32_t flags, int protocol, const char *name)
{
	struct ring ring;
	int fd;

	assert_null(ring_open(&ring, flags));
	fd = life_socket(life, AF_INET, SOCK_STREAM, protocol);
	assert_true(fd >= 0);
	assert_int_equal(life_bind(life, fd, "127.0.0.1", 8720), 0);
	life->backlog = 9;
	assert_int_equal(ring_listen(&ring, fd, 9), 0);
	life_close(life, fd);
	ring_close(&ring);
	/* the thread that polls the ring lets go of the socket when it comes to it */
	if (flags & IORING_SETUP_SQPOLL) {
		const json_t *events[LIFE_EVENTS];
		int64_t deadline = live_now_ms() + LIVE_WAIT_MS;

		while (life_events(life, &fixture.monitor, events) < 3 && live_now_ms() < deadline)
			;
		life->closed_after = life_now();
	}
	life_assert(life, &fixture.monitor, "blc", name, 0);
}

static void io_uring_listen(void **state)
{
	(void)state;
	FIXTURE_NEEDED(&fixture);
	SKIP_BECAUSE(ring_why_not());
	listen_by_ring(0, 0, "tcp");
}

static void io_uring_listen_mptcp(void **state)
{
	int fd;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	SKIP_BECAUSE(ring_why_not());
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);
	SKIP_BECAUSE(fd < 0 ? "this kernel has no MPTCP" : NULL);
	close(fd);
	listen_by_ring(0, IPPROTO_MPTCP, "mptcp");
}

static void io_uring_listen_sqpoll(void **state)
{
	const char *why_not;
	struct ring ring;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	SKIP_BECAUSE(ring_why_not());
	why_not = ring_open(&ring, IORING_SETUP_SQPOLL);
	SKIP_BECAUSE(why_not);
	ring_close(&ring);
	listen_by_ring(IORING_SETUP_SQPOLL, 0, "tcp");
}

static void io_uring_listen_without_bind(void **state)
{
	struct ring ring;
	int fd;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	SKIP_BECAUSE(ring_why_not());
	SKIP_BECAUSE(strcmp(fixture.monitor.plan, "tracepoint") == 0
	                     ? "plan tracepoint has no hook behind a listen by io_uring that takes its port itself"
	                     : NULL);
	assert_null(ring_open(&ring, 0));
	fd = life_socket(life, AF_INET, SOCK_STREAM, 0);
	life->backlog = 9;
	life->taken_before = life_now();
	assert_int_equal(ring_listen(&ring, fd, 9), 0);
	life->taken_after = life_now();
	life_take(life, fd);
	life_close(life, fd);
	ring_close(&ring);
	life_assert(life, &fixture.monitor, "lc", "tcp", 0);
}

/* What a bind that failed unseen left behind must not hide the listen of the same thread. */
static void io_uring_listen_after_refused_bind(void **state)
{
	struct sockaddr_storage address;
	socklen_t length = scene_address("192.0.2.1", 8721, &address);
	struct ring ring;
	int fd, other;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	SKIP_BECAUSE(ring_why_not());
	assert_null(ring_open(&ring, 0));
	fd = life_socket(life, AF_INET, SOCK_STREAM, 0);
	assert_int_equal(life_bind(life, fd, "127.0.0.1", 8722), 0);
	other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(ring_bind(&ring, other, &address, length), -EADDRNOTAVAIL);
	close(other);
	life->backlog = 9;
	assert_int_equal(ring_listen(&ring, fd, 9), 0);
	life_close(life, fd);
	ring_close(&ring);
	life_assert(life, &fixture.monitor, "blc", "tcp", 0);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(listen_without_bind),
        cmocka_unit_test(listen_without_bind_mptcp),
        cmocka_unit_test(listen_backlog),
        cmocka_unit_test(listen_in_use),
        cmocka_unit_test(listen_of_udp),
        cmocka_unit_test(listen_again),
        cmocka_unit_test(listen_of_client),
        cmocka_unit_test(io_uring_listen),
        cmocka_unit_test(io_uring_listen_mptcp),
        cmocka_unit_test(io_uring_listen_sqpoll),
        cmocka_unit_test(io_uring_listen_without_bind),
        cmocka_unit_test(io_uring_listen_after_refused_bind),
};

const struct watch_group watch_listen = {"listen", tests, sizeof(tests) / sizeof(tests[0])};
