/* SPDX-License-Identifier: BSD-2-Clause */
/* What was bound before the watch, joined to what is bound after: each socket once, by the one or the other. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/live/live.h"
#include "user/base/ipproto.h"

#define ACTION_EXISTING "existing-socket"

static char program[4096];
static const char *why_not;

static void start(struct monitor *monitor)
{
	const struct monitor_options options = {
	        .program = program, .arguments = ARGUMENTS("--output", "json"), .json = true, .existing = true};

	assert_int_equal(monitor_start(monitor, &options), 0);
	assert_int_equal(monitor_sync(monitor, 0), 0);
}

static uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t length = sizeof(cookie);

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length), 0);
	assert_true(cookie != 0);
	return cookie;
}

/* The events of the socket with this action (NULL: any), and in *ret the last. */
static size_t count_events(const struct monitor *monitor, uint64_t cookie, const char *action, const json_t **ret)
{
	char text[24];
	size_t index, count = 0;
	json_t *event;

	(void)snprintf(text, sizeof(text), "%" PRIu64, cookie);
	json_array_foreach(monitor->events, index, event)
	{
		const char *told = json_string_value(live_field(event, "bindwatch.socket.cookie"));

		if (!told || strcmp(told, text) != 0 || (action && !live_is_action(event, action)))
			continue;
		*ret = event;
		count++;
	}
	return count;
}

static size_t count_holder(const json_t *event, pid_t pid)
{
	const json_t *holders = live_field(event, "bindwatch.holders");
	size_t count = 0;

	for (size_t i = 0; i < json_array_size(holders); i++)
		count += json_integer_value(live_field(json_array_get(holders, i), "pid")) == pid;
	return count;
}

struct before {
	const char *name, *protocol;
	int type, number;
	const char *address;
	uint16_t port;
	bool listens;
};

static const struct before sockets[] = {
        {"tcp, listening", "tcp", SOCK_STREAM, 0, "127.0.0.1", 8810, true},
        {"tcp, bound only", "tcp", SOCK_STREAM, 0, "127.0.0.1", 8811, false},
        {"udp", "udp", SOCK_DGRAM, 0, "127.0.0.1", 8812, false},
        {"udp6", "udp", SOCK_DGRAM, 0, "::1", 8813, false},
        {"mptcp, listening", "mptcp", SOCK_STREAM, IPPROTO_MPTCP, "127.0.0.1", 8814, true},
        {"tcp6, any", "tcp", SOCK_STREAM, 0, "::", 8815, true},
};

#define SOCKETS (sizeof(sockets) / sizeof(sockets[0]))

/* -1: the kernel has no such protocol. */
static int open_socket(const struct before *before)
{
	struct sockaddr_storage address;
	socklen_t length = scene_address(before->address, before->port, &address);
	int fd = socket(address.ss_family, before->type | SOCK_CLOEXEC, before->number);

	if (fd < 0) {
		assert_int_equal(before->number, IPPROTO_MPTCP);
		return -1;
	}
	assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
	if (before->listens)
		assert_int_equal(listen(fd, 4), 0);
	return fd;
}

static void assert_existing(const struct monitor *monitor, const struct before *before, uint64_t cookie)
{
	const json_t *event = NULL;
	size_t all = count_events(monitor, cookie, NULL, &event);

	if (all != 1 || !live_is_action(event, ACTION_EXISTING))
		fail_msg("%s: told %zu times", before->name, all);
	assert_string_equal(json_string_value(live_field(event, "event.kind")), "state");
	assert_string_equal(json_string_value(live_field(event, "bindwatch.socket.protocol")), before->protocol);
	assert_string_equal(json_string_value(live_field(event, "server.ip")), before->address);
	assert_int_equal(json_integer_value(live_field(event, "server.port")), before->port);
	assert_int_equal(json_integer_value(live_field(event, "bindwatch.netns.inode")), scene_namespace());
	assert_int_equal(json_array_size(live_field(event, "bindwatch.holders")), 1);
	assert_int_equal(count_holder(event, getpid()), 1);
	assert_int_equal(json_integer_value(live_field(event, "process.pid")), getpid());
}

/* When it was bound nobody knows: its end has no duration. */
static void assert_closed(const struct monitor *monitor, const struct before *before, uint64_t cookie)
{
	const json_t *event = NULL;

	if (count_events(monitor, cookie, ACTION_CLOSE, &event) != 1 ||
	    count_events(monitor, cookie, NULL, &event) != 2)
		fail_msg("%s: %zu events, %zu of its end", before->name, count_events(monitor, cookie, NULL, &event),
		         count_events(monitor, cookie, ACTION_CLOSE, &event));
	assert_null(live_field(event, "event.duration"));
	assert_int_equal(json_integer_value(live_field(event, "server.port")), before->port);
	assert_string_equal(json_string_value(live_field(event, "bindwatch.socket.protocol")), before->protocol);
}

static void each_is_told_once(void **state)
{
	uint64_t cookies[SOCKETS];
	struct monitor monitor;
	int fds[SOCKETS];

	(void)state;
	SKIP_BECAUSE(why_not);
	for (size_t i = 0; i < SOCKETS; i++) {
		fds[i] = open_socket(&sockets[i]);
		if (fds[i] >= 0)
			cookies[i] = cookie_of(fds[i]);
		else
			print_message("not tried: %s: this kernel has none\n", sockets[i].name);
	}
	start(&monitor);
	for (size_t i = 0; i < SOCKETS; i++)
		if (fds[i] >= 0)
			assert_existing(&monitor, &sockets[i], cookies[i]);
	for (size_t i = 0; i < SOCKETS; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	assert_int_equal(monitor_sync(&monitor, 0), 0);
	for (size_t i = 0; i < SOCKETS; i++)
		if (fds[i] >= 0)
			assert_closed(&monitor, &sockets[i], cookies[i]);
	assert_int_equal(monitor_ledger(&monitor), 0);
	assert_int_equal(monitor.malformed, 0);
	monitor_free(&monitor);
}

static void both_holders_are_told(void **state)
{
	static const struct before before = {"tcp, two holders", "tcp", SOCK_STREAM, 0, "127.0.0.1", 8820, true};
	const json_t *event = NULL;
	struct monitor monitor;
	uint64_t cookie;
	pid_t child;
	int fd;

	(void)state;
	SKIP_BECAUSE(why_not);
	fd = open_socket(&before);
	cookie = cookie_of(fd);
	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			(void)pause();
	}
	start(&monitor);
	assert_int_equal(count_events(&monitor, cookie, NULL, &event), 1);
	assert_true(live_is_action(event, ACTION_EXISTING));
	assert_int_equal(json_array_size(live_field(event, "bindwatch.holders")), 2);
	assert_int_equal(count_holder(event, getpid()), 1);
	assert_int_equal(count_holder(event, child), 1);
	/* the other one holds it still */
	close(fd);
	assert_int_equal(monitor_sync(&monitor, 0), 0);
	assert_int_equal(count_events(&monitor, cookie, NULL, &event), 1);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(monitor_sync(&monitor, 0), 0);
	assert_closed(&monitor, &before, cookie);
	assert_int_equal(monitor_ledger(&monitor), 0);
	monitor_free(&monitor);
}

/* What the rules expect is this program; "sleep" has the socket, too. */
static void start_judging(struct monitor *monitor, const char *policy)
{
	char self[PATH_MAX] = "", argument[64];
	const struct monitor_options options = {.program = program,
	                                        .arguments = ARGUMENTS("--output", "json", argument),
	                                        .json = true,
	                                        .existing = true};
	FILE *file = fopen(policy, "we");

	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	assert_non_null(file);
	assert_true(fprintf(file, "[expect ours]\nexe = %s\n[alert other]\nexe = /**\nseverity = low\n", self) > 0);
	assert_int_equal(fclose(file), 0);
	(void)snprintf(argument, sizeof(argument), "--policy=%s", policy);
	assert_int_equal(monitor_start(monitor, &options), 0);
	assert_int_equal(monitor_sync(monitor, 0), 0);
}

/* A worker of this program, or another one that inherits the socket. */
static pid_t start_holder(int fd, bool other)
{
	pid_t child = fork();

	assert_true(child >= 0);
	if (child)
		return child;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (other && dup(fd) >= 0)
		(void)execlp("sleep", "sleep", "60", (char *)NULL);
	for (;;)
		(void)pause();
}

/* The lowest pid is the expected program's; with it are its workers, and at last another program. */
static void the_gravest_holder_is_told(void **state)
{
	static const struct before before = {"tcp, many holders", "tcp", SOCK_STREAM, 0, "127.0.0.1", 8821, true};
	char policy[] = "/tmp/test_watch_existing.XXXXXX";
	const json_t *event = NULL;
	pid_t children[8];
	uint64_t cookie;
	int fd, made;

	(void)state;
	SKIP_BECAUSE(why_not);
	made = mkstemp(policy);
	assert_true(made >= 0);
	close(made);
	fd = open_socket(&before);
	cookie = cookie_of(fd);
	fflush(NULL);
	for (size_t last = 0; last < 2; last++) {
		struct monitor monitor;

		for (size_t i = 0; i < 8; i++)
			children[i] = start_holder(fd, last && i == 7);
		(void)usleep(200000); /* its exec */
		start_judging(&monitor, policy);
		assert_int_equal(count_events(&monitor, cookie, NULL, &event), 1);
		assert_int_equal(json_array_size(live_field(event, "bindwatch.holders")), 9);
		assert_string_equal(json_string_value(live_field(event, "bindwatch.policy.verdict")),
		                    last ? "alert" : "expect");
		assert_int_equal(json_integer_value(live_field(event, "process.pid")), last ? children[7] : getpid());
		monitor_free(&monitor);
		for (size_t i = 0; i < 8; i++) {
			assert_int_equal(kill(children[i], SIGKILL), 0);
			assert_int_equal(waitpid(children[i], NULL, 0), children[i]);
		}
	}
	close(fd);
	(void)unlink(policy);
}

/* Leaves the socket in the queue of another, and nowhere else. */
static void send_away(int channel, int fd)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
	struct cmsghdr *header = (struct cmsghdr *)control;
	struct iovec byte = {.iov_base = (char[]){"y"}, .iov_len = 1};
	struct msghdr message = {
	        .msg_iov = &byte, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};

	*header =
	        (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	assert_int_equal(sendmsg(channel, &message, 0), 1);
	close(fd);
}

static int fetch_back(int channel)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
	char byte;
	struct iovec part = {.iov_base = &byte, .iov_len = 1};
	struct msghdr message = {
	        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	int fd;

	assert_int_equal(recvmsg(channel, &message, MSG_CMSG_CLOEXEC), 1);
	memcpy(&fd, CMSG_DATA((struct cmsghdr *)control), sizeof(fd));
	return fd;
}

/* Nobody could give it a cookie, so it cannot be kept; its listen takes a port all the same, and is judged. */
static void assert_unknown_listen_judged(struct monitor *monitor, int fd)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t length = sizeof(address);
	const json_t *event;

	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	assert_int_equal(monitor_sync(monitor, 0), 0);
	assert_int_equal(live_find(monitor, ACTION_LISTEN, ntohs(address.sin_port), &event), 1);
	assert_true(json_is_true(live_field(event, "bindwatch.ephemeral")));
	assert_non_null(live_field(event, "bindwatch.policy.verdict"));
	close(fd);
}

/* unix(7): in flight. Nobody holds it, and the kernel did not open it. */
static void in_flight_is_an_alert(void **state)
{
	const struct monitor_options options = {.program = program,
	                                        .arguments = ARGUMENTS("--output", "json"),
	                                        .json = true,
	                                        .existing = true,
	                                        .vendor_policy = true};
	static const struct {
		struct before before;
		const char *kind;
	} table[] = {
	        {{"tcp, in flight", "tcp", SOCK_STREAM, 0, "0.0.0.0", 8840, true}, "alert"},
	        {{"udp6, in flight", "udp", SOCK_DGRAM, 0, "::", 8841, false}, "alert"},
	        {{"tcp, in flight, loopback", "tcp", SOCK_STREAM, 0, "127.0.0.1", 8842, true}, "state"},
	};
	uint64_t cookies[3];
	struct monitor monitor;
	int channel[2];

	(void)state;
	SKIP_BECAUSE(why_not);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel), 0);
	/* the first that comes back: bound to nothing */
	send_away(channel[0], socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	for (size_t i = 0; i < 3; i++) {
		int fd = open_socket(&table[i].before);

		cookies[i] = cookie_of(fd);
		send_away(channel[0], fd);
	}
	assert_int_equal(monitor_start(&monitor, &options), 0);
	assert_int_equal(monitor_sync(&monitor, 0), 0);
	for (size_t i = 0; i < 3; i++) {
		const json_t *event = NULL, *holders;

		assert_int_equal(count_events(&monitor, cookies[i], ACTION_EXISTING, &event), 1);
		holders = live_field(event, "bindwatch.holders");
		SKIP_BECAUSE(holders ? NULL : "not every process can be looked at here");
		assert_int_equal(json_array_size(holders), 0);
		assert_true(json_is_false(live_field(event, "bindwatch.socket.kernel")));
		assert_string_equal(json_string_value(live_field(event, "event.kind")), table[i].kind);
		if (strcmp(table[i].kind, "alert") == 0)
			assert_string_equal(json_string_value(live_field(event, "rule.name")), "unheld-socket");
	}
	assert_unknown_listen_judged(&monitor, fetch_back(channel[1]));
	close(channel[0]);
	close(channel[1]);
	assert_int_equal(monitor_sync(&monitor, 0), 0);
	assert_int_equal(monitor_ledger(&monitor), 0);
	monitor_free(&monitor);
}

/* Made before the monitor was there, bound after; and bound before, listening after: by its number, so no autobind. */
static void made_before_and_bound_after(void **state)
{
	static const char *const actions[] = {ACTION_BIND, ACTION_LISTEN, ACTION_CLOSE};
	struct sockaddr_storage late, early;
	socklen_t length = scene_address("127.0.0.1", 8791, &late);
	int first = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int second = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	uint64_t first_cookie, second_cookie;
	struct monitor monitor;
	const json_t *event;

	(void)state;
	SKIP_BECAUSE(why_not);
	/* before 5.12 nothing but its owner gives a cookie to a socket that is bound and does not listen */
	second_cookie = cookie_of(second);
	(void)scene_address("127.0.0.1", 8792, &early);
	assert_int_equal(bind(second, (struct sockaddr *)&early, length), 0);
	start(&monitor);
	assert_int_equal(bind(first, (struct sockaddr *)&late, length), 0);
	assert_int_equal(listen(first, 1), 0);
	assert_int_equal(listen(second, 1), 0);
	/* asked for only now: the socket had none of the test's making when it was bound */
	first_cookie = cookie_of(first);
	close(first);
	close(second);
	assert_int_equal(monitor_sync(&monitor, 0), 0);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(count_events(&monitor, first_cookie, actions[i], &event), 1);
	assert_int_equal(count_events(&monitor, second_cookie, ACTION_EXISTING, &event), 1);
	assert_int_equal(count_events(&monitor, second_cookie, ACTION_LISTEN, &event), 1);
	assert_false(json_is_true(live_field(event, "bindwatch.ephemeral")));
	assert_int_equal(count_events(&monitor, second_cookie, ACTION_CLOSE, &event), 1);
	assert_int_equal(monitor_ledger(&monitor), 0);
	monitor_free(&monitor);
}

/* Of a socket that has no port yet there is nothing to tell, but its end is to be known by then. */
static void made_before_and_listens(void **state)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct monitor monitor;
	const json_t *event;
	uint64_t cookie;

	(void)state;
	SKIP_BECAUSE(why_not);
	SKIP_BECAUSE(live_kernel_has(5, 12) ? NULL : "before 5.12 nothing but its owner gives such a socket a cookie");
	start(&monitor);
	assert_int_equal(listen(fd, 1), 0);
	cookie = cookie_of(fd);
	close(fd);
	assert_int_equal(monitor_sync(&monitor, 0), 0);
	assert_int_equal(count_events(&monitor, cookie, ACTION_EXISTING, &event), 0);
	assert_int_equal(count_events(&monitor, cookie, ACTION_LISTEN, &event), 1);
	assert_true(json_is_true(live_field(event, "bindwatch.ephemeral")));
	assert_int_equal(count_events(&monitor, cookie, ACTION_CLOSE, &event), 1);
	assert_int_equal(monitor_ledger(&monitor), 0);
	monitor_free(&monitor);
}

static const char *text_of(const json_t *event, const char *field)
{
	const char *text = json_string_value(live_field(event, field));

	if (!text)
		fail_msg("%s: no %s", json_string_value(live_field(event, "event.action")), field);
	return text;
}

static void bind_and_listen(int fd, uint16_t port)
{
	struct sockaddr_storage address;
	socklen_t length = scene_address("127.0.0.1", port, &address);

	if (bind(fd, (struct sockaddr *)&address, length) || listen(fd, 1))
		_exit(1);
}

/* Binds one of them, and the other as soon as it is told to; answers each time. It makes no other call that is told. */
static pid_t start_server(const int fds[2], int channel)
{
	pid_t child = fork();
	char byte;

	assert_true(child >= 0);
	if (child)
		return child;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	bind_and_listen(fds[0], 8830);
	if (write(channel, "y", 1) != 1 || read(channel, &byte, 1) != 1)
		_exit(1);
	bind_and_listen(fds[1], 8831);
	if (write(channel, "y", 1) != 1)
		_exit(1);
	for (;;)
		(void)pause();
}

/* Read from /proc before, told by the kernel after: one process all the same. */
static void who_it_is_stays_the_same(void **state)
{
	static const char *const fields[] = {"process.entity_id", "process.start", "process.executable",
	                                     "bindwatch.cgroup.id"};
	const json_t *existing = NULL, *bound = NULL;
	struct monitor monitor;
	uint64_t cookies[2];
	int fds[2], channel[2];
	pid_t server;
	char byte;

	(void)state;
	SKIP_BECAUSE(why_not);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel), 0);
	for (size_t i = 0; i < 2; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		cookies[i] = cookie_of(fds[i]);
	}
	fflush(NULL);
	server = start_server(fds, channel[1]);
	close(fds[0]);
	close(fds[1]);
	close(channel[1]);
	assert_int_equal(read(channel[0], &byte, 1), 1);
	start(&monitor);
	assert_int_equal(write(channel[0], "y", 1), 1);
	assert_int_equal(read(channel[0], &byte, 1), 1);
	assert_int_equal(monitor_sync(&monitor, 0), 0);
	assert_int_equal(kill(server, SIGKILL), 0);
	assert_int_equal(waitpid(server, NULL, 0), server);
	close(channel[0]);
	assert_int_equal(monitor_sync(&monitor, 0), 0);
	assert_int_equal(count_events(&monitor, cookies[0], ACTION_EXISTING, &existing), 1);
	assert_int_equal(count_events(&monitor, cookies[1], ACTION_BIND, &bound), 1);
	assert_int_equal(json_integer_value(live_field(existing, "process.pid")), server);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		assert_string_equal(text_of(existing, fields[i]), text_of(bound, fields[i]));
	assert_int_equal(monitor_ledger(&monitor), 0);
	monitor_free(&monitor);
}

/* A binder that does not wait for the monitor to be there. */
#define STORM_MAX 1600

struct storm {
	_Atomic unsigned int count;
	_Atomic bool fast, stop;
	struct {
		uint64_t cookie;
		bool kept;
	} bound[STORM_MAX];
};

/* Every third is closed at once. Does not return. */
static void bind_storm(struct storm *storm)
{
	struct sockaddr_storage address;
	socklen_t length = scene_address("127.0.0.1", 0, &address);

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (unsigned int i = 0; i < STORM_MAX && !storm->stop; i++) {
		bool stream = i % 2;
		int fd = socket(AF_INET, (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
		socklen_t size = sizeof(uint64_t);

		if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_COOKIE, &storm->bound[i].cookie, &size) ||
		    bind(fd, (struct sockaddr *)&address, length))
			_exit(1);
		storm->bound[i].kept = i % 3;
		storm->count = i + 1;
		if (i % 3 == 0)
			close(fd);
		/* the second half is kept for what comes after, however long the monitor takes to start; slow enough to
		   leave a single CPU to it */
		if (!storm->fast)
			(void)usleep(i < STORM_MAX / 2 ? 500 : 10000);
	}
	while (!storm->stop)
		(void)usleep(1000);
	/* the descriptors stay until it is killed */
	for (;;)
		(void)pause();
}

static void count_cookie(json_t *counts, const json_t *event)
{
	const char *cookie = json_string_value(live_field(event, "bindwatch.socket.cookie"));

	if (cookie)
		json_object_set_new(counts, cookie,
		                    json_integer(json_integer_value(json_object_get(counts, cookie)) + 1));
}

static void assert_storm(const struct monitor *monitor, const struct storm *storm)
{
	json_t *existing = json_object(), *bound = json_object(), *event;
	unsigned int before = 0, after = 0;
	size_t index;
	char cookie[24];

	json_array_foreach(monitor->events, index, event)
	{
		if (live_is_action(event, ACTION_EXISTING))
			count_cookie(existing, event);
		else if (live_is_action(event, ACTION_BIND))
			count_cookie(bound, event);
	}
	for (unsigned int i = 0; i < storm->count; i++) {
		json_int_t as_existing, as_bound;

		(void)snprintf(cookie, sizeof(cookie), "%" PRIu64, storm->bound[i].cookie);
		as_existing = json_integer_value(json_object_get(existing, cookie));
		as_bound = json_integer_value(json_object_get(bound, cookie));
		if (as_existing + as_bound > 1 || (storm->bound[i].kept && as_existing + as_bound != 1))
			fail_msg("socket %u (%s): told %d times as existing, %d times as bound", i,
			         storm->bound[i].kept ? "kept" : "closed at once", (int)as_existing, (int)as_bound);
		before += as_existing > 0;
		after += as_bound > 0;
	}
	print_message("%u sockets: %u told as existing, %u as bound\n", storm->count, before, after);
	/* or the storm was not around the start */
	assert_true(before > 0);
	assert_true(after > 0);
	json_decref(existing);
	json_decref(bound);
}

static void none_is_missed_while_it_starts(void **state)
{
	const struct monitor_options options = {
	        .program = program, .arguments = ARGUMENTS("--output", "json"), .json = true, .existing = true};
	struct rlimit files = {STORM_MAX + 100, STORM_MAX + 100};
	struct storm *storm;
	struct monitor monitor;
	pid_t child;

	(void)state;
	SKIP_BECAUSE(why_not);
	storm = mmap(NULL, sizeof(*storm), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(storm, MAP_FAILED);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		bind_storm(storm);
	while (storm->count < 100)
		assert_int_equal(waitpid(child, NULL, WNOHANG), 0);
	assert_int_equal(monitor_start(&monitor, &options), 0);
	/* it takes its list now: more is bound meanwhile than it reads at once */
	storm->fast = true;
	assert_int_equal(monitor_sync(&monitor, 0), 0);
	storm->stop = true;
	(void)usleep(100000);
	assert_int_equal(waitpid(child, NULL, WNOHANG), 0);
	assert_int_equal(monitor_sync(&monitor, 0), 0);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(monitor_sync(&monitor, 0), 0);
	assert_storm(&monitor, storm);
	assert_int_equal(monitor_ledger(&monitor), 0);
	monitor_free(&monitor);
	munmap(storm, sizeof(*storm));
}

static int setup(void **state)
{
	int result;

	(void)state;
	why_not = live_why_not();
	if (why_not)
		return 0;
	result = scene_enter_namespace();
	if (result == -EPERM || result == -EINVAL || result == -ENOSYS)
		why_not = "no network namespace of its own can be made here";
	else if (result)
		return result;
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(each_is_told_once),           cmocka_unit_test(both_holders_are_told),
	        cmocka_unit_test(the_gravest_holder_is_told),  cmocka_unit_test(in_flight_is_an_alert),
	        cmocka_unit_test(made_before_and_bound_after), cmocka_unit_test(made_before_and_listens),
	        cmocka_unit_test(who_it_is_stays_the_same),    cmocka_unit_test(none_is_missed_while_it_starts),
	};

	if (argc < 1 || live_program(argv[0], program, sizeof(program))) {
		fprintf(stderr, "run this as B/tests/live/NAME: B/bindwatch is what it tests\n");
		return 1;
	}
	return cmocka_run_group_tests_name("watch, what was bound before", tests, setup, NULL);
}
