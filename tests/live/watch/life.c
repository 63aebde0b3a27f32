/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of a port: bound, listening, closed; one event each, joined by the socket's cookie. */
#include "tests/live/watch/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/live/life.h"
#include "user/base/ipproto.h"

struct kind {
	int domain, type, protocol;
	const char *address;
	uint16_t port;
	const char *name;
};

static void live_and_die(const struct kind *kind)
{
	int fd = life_socket(life, kind->domain, kind->type, kind->protocol);
	bool listens = kind->type != SOCK_DGRAM;

	assert_true(fd >= 0);
	assert_int_equal(life_bind(life, fd, kind->address, kind->port), 0);
	if (listens)
		assert_int_equal(life_listen(life, fd, 5), 0);
	life_close(life, fd);
	life_assert(life, &fixture.monitor, listens ? "blc" : "bc", kind->name, 0);
}

static void life_of(int type, int protocol, const char *name, const char *missing)
{
	const struct kind kinds[] = {
	        {AF_INET, type, protocol, "127.0.0.1", 8700, name}, {AF_INET6, type, protocol, "::1", 8701, name},
	        {AF_INET6, type, protocol, "::", 8702, name},       {AF_INET, type, protocol, "127.0.0.1", 0, name},
	        {AF_INET6, type, protocol, "::", 0, name},
	};
	int fd;

	FIXTURE_NEEDED(&fixture);
	fd = life_socket(life, AF_INET, type, protocol);
	SKIP_BECAUSE(fd < 0 ? missing : NULL);
	close(fd);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		live_and_die(&kinds[i]);
}

static void life_of_tcp(void **state)
{
	(void)state;
	life_of(SOCK_STREAM, 0, "tcp", "");
}

static void life_of_udp(void **state)
{
	(void)state;
	life_of(SOCK_DGRAM, 0, "udp", "");
}

static void life_of_mptcp(void **state)
{
	(void)state;
	SKIP_BECAUSE(live_locked_down() ? "lockdown=confidentiality: an MPTCP socket has no cookie to know it by"
	                                : NULL);
	life_of(SOCK_STREAM, IPPROTO_MPTCP, "mptcp", "this kernel has no MPTCP");
}

static void life_of_sctp(void **state)
{
	(void)state;
	life_of(SOCK_SEQPACKET, IPPROTO_SCTP, "sctp", "this kernel has no SCTP");
}

static void life_of_udplite(void **state)
{
	(void)state;
	life_of(SOCK_DGRAM, IPPROTO_UDPLITE, "udplite", "this kernel has no UDP-Lite");
}

/* A child that holds a copy of the descriptor until its pipe is closed. Its pid; *ret_gate is closed to end it. */
static pid_t holder(int *ret_gate)
{
	int gate[2];
	pid_t pid;

	assert_int_equal(pipe2(gate, O_CLOEXEC), 0);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		char byte;

		close(gate[1]);
		while (read(gate[0], &byte, 1) < 0 && errno == EINTR)
			;
		_exit(0);
	}
	close(gate[0]);
	*ret_gate = gate[1];
	return pid;
}

static void fd_inherited(void **state)
{
	int gate, fd, status;
	pid_t pid;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	fd = life_listener(life, 8730);
	pid = holder(&gate);
	close(fd);
	life_assert_open(life, &fixture.monitor, 2);
	life->closed_before = life_now();
	close(gate);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	life->closed_after = life_now();
	life_assert(life, &fixture.monitor, "blc", "tcp", 0);
}

static void fd_duplicated(void **state)
{
	int fd, copy;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	fd = life_listener(life, 8731);
	copy = dup(fd);
	close(fd);
	life_assert_open(life, &fixture.monitor, 2);
	life_close(life, copy);
	life_assert(life, &fixture.monitor, "blc", "tcp", 0);
}

static void send_descriptor(int channel, int fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
	struct iovec byte = {.iov_base = "", .iov_len = 1};
	struct msghdr message = {
	        .msg_iov = &byte, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	assert_int_equal(sendmsg(channel, &message, 0), 1);
}

/* In the child: takes the descriptor, says so, and closes it when it is told to. Does not return. */
static void receive_and_close(int channel)
{
	char control[CMSG_SPACE(sizeof(int))];
	char byte;
	struct iovec vector = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {
	        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	int fd;

	if (recvmsg(channel, &message, MSG_CMSG_CLOEXEC) != 1 || !CMSG_FIRSTHDR(&message))
		_exit(1);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	if (write(channel, "", 1) != 1 || read(channel, &byte, 1) != 1)
		_exit(2);
	life_close(life, fd);
	_exit(0);
}

/* unix(7): in flight, then with another process, which did not bind it and closes it last. */
static void fd_passed(void **state)
{
	int channel[2], fd, status;
	char byte;
	pid_t pid;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel), 0);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(channel[0]);
		receive_and_close(channel[1]);
	}
	close(channel[1]);
	fd = life_listener(life, 8732);
	send_descriptor(channel[0], fd);
	close(fd);
	life_assert_open(life, &fixture.monitor, 2);
	assert_int_equal(read(channel[0], &byte, 1), 1);
	life_assert_open(life, &fixture.monitor, 2);
	assert_int_equal(write(channel[0], "", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(channel[0]);
	life_assert(life, &fixture.monitor, "blc", "tcp", 0);
}

/* Does not return. No assertion: a failure would go on with the tests of the parent. */
static void listen_and_be_killed(void)
{
	int fd = life_socket(life, AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || life_bind(life, fd, "127.0.0.1", 8733) || life_listen(life, fd, 16))
		_exit(1);
	kill(getpid(), SIGKILL);
	_exit(2);
}

static void process_killed(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		listen_and_be_killed();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	life->closed_before = life->taken_after;
	life->closed_after = life_now();
	life_assert(life, &fixture.monitor, "blc", "tcp", pid);
}

static void exit_without_close(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		int fd = life_socket(life, AF_INET6, SOCK_DGRAM, 0);

		_exit(fd < 0 || life_bind(life, fd, "::1", 8734) ? 1 : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	life->closed_before = life->taken_after;
	life->closed_after = life_now();
	life_assert(life, &fixture.monitor, "bc", "udp", pid);
}

/* A second is long enough to tell a wrong unit or a wrong clock. */
static void duration(void **state)
{
	const struct timespec second = {.tv_sec = 1};
	int fd;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	fd = life_listener(life, 8735);
	nanosleep(&second, NULL);
	life_close(life, fd);
	assert_true(life->closed_before - life->taken_after >= 1000000000);
	life_assert(life, &fixture.monitor, "blc", "tcp", 0);
}

static size_t count_closed(void)
{
	size_t index, count = 0;
	json_t *event;

	json_array_foreach(fixture.monitor.events, index, event) count +=
	        live_is_action(event, ACTION_CLOSE) && !monitor_is_sentinel(event) &&
	        json_integer_value(live_field(event, "bindwatch.netns.inode")) == scene_namespace();
	return count;
}

/* Their ports are the kernel's choice, or the listener's: nobody bound them. */
static void clients_and_accepted(void **state)
{
	struct sockaddr_storage server, any;
	socklen_t length = sizeof(server);
	int listener, one = 1;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	listener = life_listener(life, 8736);
	scene_address("127.0.0.1", 0, &any);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&server, &length), 0);
	for (int i = 0; i < 5; i++) {
		int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		int datagram = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		int accepted;

		if (i == 4) {
			/* an address without a port (90c337da1524) */
			assert_int_equal(setsockopt(client, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one)), 0);
			assert_int_equal(bind(client, (struct sockaddr *)&any, length), 0);
		}
		assert_int_equal(connect(client, (struct sockaddr *)&server, length), 0);
		accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		assert_true(accepted >= 0);
		assert_int_equal(sendto(datagram, "x", 1, 0, (struct sockaddr *)&server, length), 1);
		close(client);
		close(accepted);
		close(datagram);
	}
	life_assert_open(life, &fixture.monitor, 2);
	assert_int_equal(count_closed(), 0);
	life_close(life, listener);
	life_assert(life, &fixture.monitor, "blc", "tcp", 0);
}

static void bind_refused_has_no_end(void **state)
{
	int fd;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	fd = life_socket(life, AF_INET, SOCK_STREAM, 0);
	assert_int_equal(life_bind(life, fd, "192.0.2.1", 8737), -EADDRNOTAVAIL);
	close(fd);
	assert_int_equal(monitor_sync(&fixture.monitor, 0), 0);
	assert_int_equal(count_closed(), 0);
	json_array_clear(fixture.monitor.events);
}

/*
 * A port that the kernel chose goes back as soon as the socket is shut down (tcp_set_state()), before its release: the
 * close is told all the same, and of which port.
 */
static void life_of_a_port_given_back(void **state)
{
	int fd;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	fd = life_socket(life, AF_INET, SOCK_STREAM, 0);
	assert_int_equal(life_bind(life, fd, "127.0.0.1", 0), 0);
	assert_int_equal(life_listen(life, fd, 1), 0);
	assert_int_equal(shutdown(fd, SHUT_RDWR), 0);
	life_close(life, fd);
	life_assert(life, &fixture.monitor, "blc", "tcp", 0);
}

static uint16_t port_of(int fd)
{
	life_take(life, fd);
	return ntohs(((struct sockaddr_in *)&life->name)->sin_port);
}

/* The events of the socket, a letter each as in life_assert(), and the port of each. */
static void assert_ports(const char *letters, const uint16_t *ports)
{
	const json_t *events[LIFE_EVENTS];
	size_t count = life_events(life, &fixture.monitor, events);

	for (size_t i = 0; i < count && letters[i]; i++) {
		const char *action = letters[i] == 'b' ? ACTION_BIND : letters[i] == 'l' ? ACTION_LISTEN : ACTION_CLOSE;

		if (!live_is_action(events[i], action) ||
		    json_integer_value(live_field(events[i], "server.port")) != ports[i])
			fail_msg("event %zu: %s of port %d in place of %s of port %u", i,
			         json_string_value(live_field(events[i], "event.action")),
			         (int)json_integer_value(live_field(events[i], "server.port")), action, ports[i]);
	}
	assert_int_equal(count, strlen(letters));
	/* the second port was held from its own beginning on */
	assert_true(json_integer_value(live_field(events[count - 1], "event.duration")) <=
	            life->closed_after - life->taken_before);
}

/* Nobody else's from now on, so that the kernel chooses another one. */
static int keep_taken(int type, uint16_t port)
{
	struct sockaddr_storage address;
	socklen_t length = scene_address("127.0.0.1", port, &address);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
	return fd;
}

/* By shutdown() a listener loses the port that the kernel chose for it; by the next listen() it gets another. */
static void listener_of_another_port(void **state)
{
	uint16_t first, second;
	int fd, other;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	fd = life_socket(life, AF_INET, SOCK_STREAM, 0);
	assert_int_equal(life_bind(life, fd, "127.0.0.1", 0), 0);
	assert_int_equal(life_listen(life, fd, 1), 0);
	first = port_of(fd);
	assert_int_equal(shutdown(fd, SHUT_RDWR), 0);
	other = keep_taken(SOCK_STREAM, first);
	life->taken_before = life_now();
	assert_int_equal(life_listen(life, fd, 1), 0);
	second = port_of(fd);
	life_close(life, fd);
	close(other);
	assert_int_not_equal(first, second);
	assert_ports("blclc", (const uint16_t[]){first, first, first, second, second});
}

/* The same by connect() to no family, and a second bind. */
static void bound_to_another_port(void **state)
{
	const struct sockaddr none = {.sa_family = AF_UNSPEC};
	struct sockaddr_storage peer;
	socklen_t length = scene_address("127.0.0.1", 9, &peer);
	uint16_t first, second;
	int fd, other;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	fd = life_socket(life, AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(life_bind(life, fd, "127.0.0.1", 0), 0);
	first = port_of(fd);
	assert_int_equal(connect(fd, (struct sockaddr *)&peer, length), 0);
	assert_int_equal(connect(fd, &none, sizeof(none)), 0);
	other = keep_taken(SOCK_DGRAM, first);
	assert_int_equal(life_bind(life, fd, "127.0.0.1", 0), 0);
	second = port_of(fd);
	life_close(life, fd);
	close(other);
	assert_int_not_equal(first, second);
	assert_ports("bcbc", (const uint16_t[]){first, first, second, second});
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(life_of_a_port_given_back),
        cmocka_unit_test(listener_of_another_port),
        cmocka_unit_test(bound_to_another_port),
        cmocka_unit_test(life_of_tcp),
        cmocka_unit_test(life_of_udp),
        cmocka_unit_test(life_of_mptcp),
        cmocka_unit_test(life_of_sctp),
        cmocka_unit_test(life_of_udplite),
        cmocka_unit_test(fd_inherited),
        cmocka_unit_test(fd_duplicated),
        cmocka_unit_test(fd_passed),
        cmocka_unit_test(process_killed),
        cmocka_unit_test(exit_without_close),
        cmocka_unit_test(duration),
        cmocka_unit_test(clients_and_accepted),
        cmocka_unit_test(bind_refused_has_no_end),
};

const struct watch_group watch_life = {"life", tests, sizeof(tests) / sizeof(tests[0])};
