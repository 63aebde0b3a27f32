/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/live/life.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "user/encode/encode.h"

struct life *life_new(void)
{
	void *memory = mmap(NULL, sizeof(struct life), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

void life_free(struct life *life)
{
	if (life)
		munmap(life, sizeof(*life));
}

int64_t life_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

void life_take(struct life *life, int fd)
{
	socklen_t length = sizeof(life->name);

	(void)getsockname(fd, (struct sockaddr *)&life->name, &length);
	length = sizeof(life->cookie);
	(void)getsockopt(fd, SOL_SOCKET, SO_COOKIE, &life->cookie, &length);
}

int life_socket(struct life *life, int domain, int type, int protocol)
{
	memset(life, 0, sizeof(*life));
	return socket(domain, type | SOCK_CLOEXEC, protocol);
}

int life_bind(struct life *life, int fd, const char *text, uint16_t port)
{
	struct sockaddr_storage address;
	socklen_t length = scene_address(text, port, &address);
	int error;

	life->taken_before = life_now();
	error = bind(fd, (struct sockaddr *)&address, length) ? errno : 0;
	life->taken_after = life_now();
	life_take(life, fd);
	return -error;
}

int life_listen(struct life *life, int fd, int backlog)
{
	life->backlog = backlog;
	return listen(fd, backlog) ? -errno : 0;
}

void life_close(struct life *life, int fd)
{
	life->closed_before = life_now();
	close(fd);
	life->closed_after = life_now();
}

int life_listener(struct life *life, uint16_t port)
{
	int fd = life_socket(life, AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(life_bind(life, fd, "127.0.0.1", port), 0);
	assert_int_equal(life_listen(life, fd, 16), 0);
	return fd;
}

size_t life_events(const struct life *life, struct monitor *monitor, const json_t *ret[LIFE_EVENTS])
{
	char cookie[24];
	json_t *event;
	size_t index, count = 0;

	assert_int_equal(monitor_sync(monitor, 0), 0);
	assert_int_equal(monitor->malformed, 0);
	(void)snprintf(cookie, sizeof(cookie), "%" PRIu64, life->cookie);
	json_array_foreach(monitor->events, index, event)
	{
		const char *told = json_string_value(live_field(event, "bindwatch.socket.cookie"));

		if (told && strcmp(told, cookie) == 0 && count < LIFE_EVENTS)
			ret[count++] = event;
	}
	return count;
}

static const char *action_of_letter(char letter)
{
	return letter == 'b' ? ACTION_BIND : letter == 'l' ? ACTION_LISTEN : ACTION_CLOSE;
}

static void assert_server(const struct life *life, const json_t *event)
{
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&life->name;
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)&life->name;
	bool is_v6 = life->name.ss_family == AF_INET6;
	char text[INET6_ADDRSTRLEN];

	assert_non_null(inet_ntop(life->name.ss_family, is_v6 ? (const void *)&v6->sin6_addr : &v4->sin_addr, text,
	                          sizeof(text)));
	assert_string_equal(json_string_value(live_field(event, "server.ip")), text);
	assert_int_equal(json_integer_value(live_field(event, "server.port")),
	                 ntohs(is_v6 ? v6->sin6_port : v4->sin_port));
	assert_int_equal(json_integer_value(live_field(event, "bindwatch.netns.inode")), scene_namespace());
}

/* SCTP changes its state first and sets its backlog then: it is known only where the end of listen(2) is seen. */
static bool has_backlog(const json_t *event)
{
	const char *protocol = json_string_value(live_field(event, "bindwatch.socket.protocol"));
	const char *plan = json_string_value(live_field(event, "bindwatch.capture.plan"));

	return !protocol || !plan || strcmp(protocol, "sctp") != 0 || strcmp(plan, "tracepoint") == 0;
}

/* Of a listen: its backlog, as the kernel took it, and its result. */
static void assert_listen(const struct life *life, const json_t *event)
{
	const json_t *backlog = live_field(event, "bindwatch.backlog");

	if (has_backlog(event))
		assert_int_equal(json_integer_value(backlog), life->backlog);
	else
		assert_null(backlog);
	assert_string_equal(json_string_value(live_field(event, "event.outcome")),
	                    life->listen_error ? "failure" : "success");
	if (life->listen_error)
		assert_string_equal(json_string_value(live_field(event, "error.code")), errno_name(life->listen_error));
	else
		assert_null(live_field(event, "error"));
	/* what was to say of the port was said when it was bound */
	assert_string_equal(json_string_value(live_field(event, "event.kind")), "event");
	assert_null(live_field(event, "rule"));
}

static void assert_close(const struct life *life, const json_t *event)
{
	int64_t duration = json_integer_value(live_field(event, "event.duration"));
	int64_t least = life->closed_before - life->taken_after, most = life->closed_after - life->taken_before;

	if (duration < least || duration > most)
		fail_msg("held for %" PRId64 " ns, not %" PRId64 " to %" PRId64, duration, least, most);
	assert_string_equal(json_string_value(live_field(event, "event.kind")), "event");
	assert_null(live_field(event, "rule"));
	assert_null(live_field(event, "error"));
}

void life_assert(const struct life *life, struct monitor *monitor, const char *letters, const char *protocol, pid_t pid)
{
	const json_t *events[LIFE_EVENTS];
	size_t count = life_events(life, monitor, events);

	for (size_t i = 0; i < count && i < strlen(letters); i++) {
		const json_t *event = events[i];
		const char *type = json_string_value(json_array_get(live_field(event, "event.type"), 0));

		assert_string_equal(json_string_value(live_field(event, "event.action")), action_of_letter(letters[i]));
		assert_string_equal(type, letters[i] == 'c' ? "end" : "start");
		assert_string_equal(json_string_value(live_field(event, "bindwatch.socket.protocol")), protocol);
		assert_string_equal(json_string_value(live_field(event, "bindwatch.capture.plan")), monitor->plan);
		assert_server(life, event);
		if (i == 0)
			assert_int_equal(json_integer_value(live_field(event, "process.pid")), pid ? pid : getpid());
		if (letters[i] == 'l')
			assert_listen(life, event);
		if (letters[i] == 'c')
			assert_close(life, event);
	}
	if (count != strlen(letters))
		fail_msg("%zu events of the socket, not %zu (%s)", count, strlen(letters), letters);
	json_array_clear(monitor->events);
}

void life_assert_open(const struct life *life, struct monitor *monitor, size_t count)
{
	const json_t *events[LIFE_EVENTS];

	assert_int_equal(life_events(life, monitor, events), count);
	for (size_t i = 0; i < count; i++)
		assert_false(live_is_action(events[i], ACTION_CLOSE));
}
