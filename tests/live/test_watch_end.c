/* SPDX-License-Identifier: BSD-2-Clause */
/* How `bindwatch watch` says that it is ready, and each way in which it ends. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/live/live.h"

static char program[4096];
static const char *why_not;

static void start(struct monitor *monitor, const char *const *arguments)
{
	const struct monitor_options options = {.program = program, .arguments = arguments, .json = true};

	assert_int_equal(monitor_start(monitor, &options), 0);
}

static void ends_after_seconds(void **state)
{
	int64_t begin = live_now_ms();
	struct monitor monitor;

	(void)state;
	SKIP_BECAUSE(why_not);
	assert_int_equal(monitor_run(&monitor, program, ARGUMENTS("--for", "1")), 0);
	assert_true(live_now_ms() - begin >= 1000);
	monitor_free(&monitor);
}

static void ends_after_count(void **state)
{
	static const uint16_t ports[] = {8401, 8402, 8403, 8404, 8405};
	struct monitor monitor;

	(void)state;
	SKIP_BECAUSE(why_not);
	start(&monitor, ARGUMENTS("--output", "json", "--count", "3"));
	assert_int_equal(live_bind_ports(AF_INET, SOCK_STREAM, ports, 5), 0);
	assert_int_equal(monitor_finish(&monitor, 0), 0);
	assert_int_equal(live_lines(&monitor.output), 3);
	assert_int_equal(json_array_size(monitor.events), 3);
	monitor_free(&monitor);
}

static void set_notify_socket(const void *context)
{
	setenv("NOTIFY_SOCKET", context, 1);
}

/* sd_notify(3): a datagram to the path, or to the abstract name where the path begins with '@'. */
static void ready_is_told(const char *path)
{
	static const char *const arguments[] = {"watch", "--output", "json", NULL};
	const struct monitor_options options = {
	    .program = program, .arguments = arguments, .before_exec = set_notify_socket, .context = path};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = strlen(path);
	struct monitor monitor;
	struct pollfd wait;
	char message[256];
	ssize_t size;

	memcpy(address.sun_path, path, length);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	wait = (struct pollfd){.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), .events = POLLIN};
	assert_int_equal(
	    bind(wait.fd, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)),
	    0);
	assert_int_equal(monitor_start(&monitor, &options), 0);
	assert_int_equal(poll(&wait, 1, LIVE_WAIT_MS), 1);
	size = recv(wait.fd, message, sizeof(message) - 1, 0);
	assert_true(size > 0);
	message[size] = '\0';
	assert_memory_equal(message, "READY=1", 7);
	assert_true(message[7] == '\0' || message[7] == '\n');
	assert_int_equal(monitor_finish(&monitor, SIGTERM), 0);
	monitor_free(&monitor);
	close(wait.fd);
}

static void ready_to_path(void **state)
{
	char directory[] = "/tmp/bindwatch-test-XXXXXX";
	char path[64];

	(void)state;
	SKIP_BECAUSE(why_not);
	assert_non_null(mkdtemp(directory));
	(void)snprintf(path, sizeof(path), "%s/notify", directory);
	ready_is_told(path);
	unlink(path);
	rmdir(directory);
}

static void ready_to_abstract_name(void **state)
{
	char name[64];

	(void)state;
	SKIP_BECAUSE(why_not);
	(void)snprintf(name, sizeof(name), "@bindwatch-test-%d", getpid());
	ready_is_told(name);
}

/* `bindwatch watch | head`: the reader has had enough, and that is no error. */
static void reader_goes_away(void **state)
{
	static const char *const arguments[] = {"watch", "--output", "json", NULL};
	static const uint16_t ports[] = {8430, 8431, 8432};
	struct monitor_options options = {.program = program, .arguments = arguments};
	struct monitor monitor;
	int ends[2];

	(void)state;
	SKIP_BECAUSE(why_not);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	options.out = ends[1];
	assert_int_equal(monitor_start(&monitor, &options), 0);
	close(ends[1]);
	close(ends[0]);
	assert_int_equal(live_bind_ports(AF_INET, SOCK_STREAM, ports, 3), 0);
	assert_int_equal(monitor_finish(&monitor, 0), 0);
	assert_null(strstr(monitor.message.data, "roken pipe"));
	assert_null(strstr(monitor.message.data, "EPIPE"));
	monitor_free(&monitor);
}

/* Starts a monitor whose output fills a pipe that nobody reads; the reading end, once there is no room left in it. */
static int start_and_fill(struct monitor *monitor)
{
	static const char *const arguments[] = {"watch", "--output", "json", NULL};
	struct monitor_options options = {.program = program, .arguments = arguments};
	int64_t deadline = live_now_ms() + LIVE_WAIT_MS;
	uint16_t ports[200];
	int ends[2], waiting;

	for (uint16_t i = 0; i < 200; i++)
		ports[i] = 9000 + i;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	options.out = ends[1];
	assert_int_equal(monitor_start(monitor, &options), 0);
	close(ends[1]);
	assert_int_equal(live_bind_ports(AF_INET, SOCK_DGRAM, ports, 200), 0);
	/* pipe(7): 16 pages, each of which holds whole lines only, two at the least: of 200 events, fewer than 100 */
	do {
		assert_true(live_now_ms() < deadline);
		(void)monitor_read(monitor, 10);
		assert_int_equal(ioctl(ends[0], FIONREAD, &waiting), 0);
	} while (waiting < 32768);
	return ends[0];
}

static void reader_stops_and_goes_away(void **state)
{
	struct monitor monitor;
	int reader;

	(void)state;
	SKIP_BECAUSE(why_not);
	reader = start_and_fill(&monitor);
	close(reader);
	assert_int_equal(monitor_finish(&monitor, 0), 0);
	assert_null(strstr(monitor.message.data, "roken pipe"));
	monitor_free(&monitor);
}

/* It must not hang on a pipe that nobody reads, nor pretend that everything was written. */
static void told_to_stop_while_nobody_reads(void **state)
{
	struct monitor monitor;
	int reader;

	(void)state;
	SKIP_BECAUSE(why_not);
	reader = start_and_fill(&monitor);
	assert_int_equal(monitor_finish(&monitor, SIGTERM), 1);
	assert_true(live_says(&monitor.message, "not written"));
	close(reader);
	monitor_free(&monitor);
}

static void ends_by_sigterm(void **state)
{
	static const uint16_t ports[] = {8440};
	struct monitor monitor;
	const char *totals;

	(void)state;
	SKIP_BECAUSE(why_not);
	start(&monitor, ARGUMENTS("--output", "json"));
	/* no sentinel: what was bound before the signal is told, drained at the end */
	assert_int_equal(live_bind_ports(AF_INET, SOCK_STREAM, ports, 1), 0);
	assert_int_equal(monitor_finish(&monitor, SIGTERM), 0);
	assert_non_null(strstr(monitor.output.data, "\"port\":8440"));
	totals = strchr(monitor.message.data, '\n');
	assert_true(totals && strlen(totals) > 1);
	monitor_free(&monitor);
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
	    cmocka_unit_test(ends_after_seconds),
	    cmocka_unit_test(ends_after_count),
	    cmocka_unit_test(ready_to_path),
	    cmocka_unit_test(ready_to_abstract_name),
	    cmocka_unit_test(reader_goes_away),
	    cmocka_unit_test(reader_stops_and_goes_away),
	    cmocka_unit_test(told_to_stop_while_nobody_reads),
	    cmocka_unit_test(ends_by_sigterm),
	};

	if (argc < 1 || live_program(argv[0], program, sizeof(program))) {
		fprintf(stderr, "run this as B/tests/live/NAME: B/bindwatch is what it tests\n");
		return 1;
	}
	return cmocka_run_group_tests_name("watch, ready and at its end", tests, setup, NULL);
}
