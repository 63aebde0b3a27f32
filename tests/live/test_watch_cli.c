/* SPDX-License-Identifier: BSD-2-Clause */
/* `bindwatch watch` as a command: what it refuses and how, and what its options choose. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "tests/live/live.h"

#define NOBODY 65534

static char program[4096];
static const char *why_not;

static void start(struct monitor *monitor, const char *const *arguments)
{
	const struct monitor_options options = {.program = program, .arguments = arguments, .json = true};

	assert_int_equal(monitor_start(monitor, &options), 0);
}

static void start_text(struct monitor *monitor, const char *const *arguments)
{
	const struct monitor_options options = {.program = program, .arguments = arguments};

	assert_int_equal(monitor_start(monitor, &options), 0);
}

static void help_and_version(void **state)
{
	struct monitor monitor;

	(void)state;
	assert_int_equal(monitor_run(&monitor, program, ARGUMENTS("--help")), 0);
	assert_true(live_says(&monitor.output, "--output"));
	assert_true(live_says(&monitor.output, "--count"));
	assert_null(monitor.message.data && *monitor.message.data ? monitor.message.data : NULL);
	monitor_free(&monitor);
	assert_int_equal(monitor_run(&monitor, program, ARGUMENTS("--version")), 0);
	assert_true(live_says(&monitor.output, "bindwatch "));
	monitor_free(&monitor);
}

/* What was not understood: exit code 2, and the reader learns which option it was and what would be right. */
static void usage_errors(void **state)
{
	static const struct {
		const char *arguments[3];
		const char *names, *range;
	} rows[] = {
	        {{"--port", "0"}, "--port", "1-65535"},
	        {{"--port", "65536"}, "--port", "1-65535"},
	        {{"--port", "80x"}, "--port", "80x"},
	        {{"--port", "9-3"}, "--port", "9-3"},
	        {{"--port", "-1"}, "--port", "-1"},
	        {{"--port", "80,"}, "--port", "comma"},
	        {{"--port", ""}, "--port", "1-65535"},
	        {{"--port", "80/icmp"}, "--port", "icmp"},
	        {{"--for", "0"}, "--for", "1"},
	        {{"--for", "x"}, "--for", "x"},
	        {{"--for", "-1"}, "--for", "-1"},
	        {{"--for", "99999999999999999999"}, "--for", "99999999999999999999"},
	        {{"--count", "0"}, "--count", "1"},
	        {{"--count", "-1"}, "--count", "-1"},
	        {{"--count", "3 "}, "--count", "3 "},
	        {{"--pid", "0"}, "--pid", "1"},
	        {{"--pid", "x"}, "--pid", "x"},
	        {{"--plan", "nonsense"}, "--plan", "tracepoint"},
	        {{"--output", "xml"}, "--output", "json"},
	        {{"--no-such-option"}, "--no-such-option", "--help"},
	        {{"extra"}, "extra", "--help"},
	        {{"--port"}, "--port", "--help"},
	};
	struct monitor monitor;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int code = monitor_run(&monitor, program, ARGUMENTS(rows[i].arguments[0], rows[i].arguments[1]));

		if (code != 2)
			fail_msg("%s %s: exit code %d, stderr: %s", rows[i].arguments[0], rows[i].arguments[1], code,
			         monitor.message.data);
		assert_true(live_says(&monitor.message, rows[i].names));
		assert_true(live_says(&monitor.message, rows[i].range));
		assert_int_equal(monitor.output.used, 0);
		monitor_free(&monitor);
	}
}

/* An argument is shown, never obeyed. */
static void hostile_argument(void **state)
{
	struct monitor monitor;

	(void)state;
	assert_int_equal(monitor_run(&monitor, program, ARGUMENTS("--port", "\x1b[31m\nbindwatch: watching\xff")), 2);
	for (size_t i = 0; i < monitor.message.used; i++) {
		unsigned char byte = (unsigned char)monitor.message.data[i];

		assert_false((byte < 0x20 && byte != '\n') || byte == 0x7f || byte == 0xff);
	}
	assert_null(strstr(monitor.message.data, "\nbindwatch: watching"));
	monitor_free(&monitor);
}

static void become_nobody(const void *context)
{
	(void)context;
	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
		_exit(126);
}

static void without_capabilities(void **state)
{
	static const char *const arguments[] = {"watch", "--for", "1", NULL};
	const struct monitor_options options = {
	        .program = program, .arguments = arguments, .before_exec = become_nobody};
	struct monitor monitor;
	int code;

	(void)state;
	SKIP_BECAUSE(geteuid() == 0 ? NULL : "needs root, to give it up");
	assert_int_equal(monitor_spawn(&monitor, &options), 0);
	code = monitor_finish(&monitor, 0);
	if (code == 127) {
		monitor_free(&monitor);
		SKIP_BECAUSE("nobody may not run the program where it lies");
	}
	assert_int_equal(code, 1);
	assert_true(live_says(&monitor.message, "CAP_"));
	assert_int_equal(live_lines(&monitor.message), 1);
	assert_int_equal(monitor.output.used, 0);
	monitor_free(&monitor);
}

/* The binds in this network namespace that are not sentinels, as "PORT/TRANSPORT " each. */
static void list_events(const struct monitor *monitor, char *ret, size_t size)
{
	size_t used = 0;
	json_t *event;
	size_t index;

	*ret = '\0';
	json_array_foreach(monitor->events, index, event)
	{
		json_int_t netns = json_integer_value(live_field(event, "bindwatch.netns.inode"));

		if (monitor_is_sentinel(event) || !live_is_action(event, ACTION_BIND) || netns != scene_namespace() ||
		    used >= size)
			continue;
		used += (size_t)snprintf(ret + used, size - used, "%d/%s ",
		                         (int)json_integer_value(live_field(event, "server.port")),
		                         json_string_value(live_field(event, "network.transport")));
	}
}

static void port_filter(void **state)
{
	static const uint16_t ports[] = {8410, 8411, 8412, 8413};
	struct monitor monitor;
	char list[256];

	(void)state;
	SKIP_BECAUSE(why_not);
	start(&monitor, ARGUMENTS("--output", "json", "--port", "8410,8412-8413/udp,20001"));
	assert_int_equal(live_bind_ports(AF_INET, SOCK_STREAM, ports, 4), 0);
	assert_int_equal(live_bind_ports(AF_INET6, SOCK_DGRAM, ports, 4), 0);
	assert_int_equal(monitor_sync(&monitor, 0), 0);
	list_events(&monitor, list, sizeof(list));
	assert_string_equal(list, "8410/tcp 8410/udp 8412/udp 8413/udp ");
	assert_int_equal(monitor_finish(&monitor, SIGINT), 0);
	monitor_free(&monitor);
}

static void port_filter_by_name(void **state)
{
	static const uint16_t ports[] = {443, 444, 8080};
	struct monitor monitor;
	char list[256];

	(void)state;
	SKIP_BECAUSE(why_not);
	start(&monitor, ARGUMENTS("--output", "json", "--port", "https/tcp,http-alt,20001"));
	assert_int_equal(live_bind_ports(AF_INET, SOCK_STREAM, ports, 3), 0);
	assert_int_equal(live_bind_ports(AF_INET, SOCK_DGRAM, ports, 3), 0);
	assert_int_equal(monitor_sync(&monitor, 0), 0);
	list_events(&monitor, list, sizeof(list));
	assert_string_equal(list, "443/tcp 8080/tcp 8080/udp ");
	assert_int_equal(monitor_finish(&monitor, SIGINT), 0);
	monitor_free(&monitor);
}

static void bind_in_child(struct scene *scene, void *context)
{
	(void)scene;
	if (live_bind_ports(AF_INET, SOCK_STREAM, context, 1))
		_exit(1);
}

static void pid_filter(void **state)
{
	uint16_t mine = 8420, of_child = 8421;
	struct monitor monitor;
	char list[256];
	char pid[16];

	(void)state;
	SKIP_BECAUSE(why_not);
	(void)snprintf(pid, sizeof(pid), "%d", getpid());
	start(&monitor, ARGUMENTS("--output", "json", "--pid", pid));
	assert_int_equal(scene_child(bind_in_child, NULL, &of_child), 0);
	assert_int_equal(live_bind_ports(AF_INET, SOCK_STREAM, &mine, 1), 0);
	assert_int_equal(monitor_sync(&monitor, 0), 0);
	list_events(&monitor, list, sizeof(list));
	assert_string_equal(list, "8420/tcp ");
	assert_int_equal(monitor_finish(&monitor, SIGINT), 0);
	monitor_free(&monitor);
}

/* A monitor must not go blind for a bad data file: it says where the file is wrong and goes on with its own. */
static void watch_with_registry(const char *path, const char *says)
{
	static const uint16_t ports[] = {8450};
	struct monitor monitor;
	char list[64];

	start(&monitor, ARGUMENTS("--output", "json", "--port", "8450,20001", "--registry", path));
	assert_true(live_says(&monitor.message, path));
	assert_true(live_says(&monitor.message, says));
	assert_int_equal(live_bind_ports(AF_INET, SOCK_STREAM, ports, 1), 0);
	assert_int_equal(monitor_sync(&monitor, 0), 0);
	list_events(&monitor, list, sizeof(list));
	assert_string_equal(list, "8450/tcp ");
	assert_non_null(live_field(json_array_get(monitor.events, 0), "bindwatch.registry.state"));
	assert_int_equal(monitor_finish(&monitor, SIGINT), 0);
	monitor_free(&monitor);
}

static void registry_that_is_missing(void **state)
{
	(void)state;
	SKIP_BECAUSE(why_not);
	watch_with_registry("/nonexistent/registry.csv", "No such file");
}

static void registry_that_is_bad(void **state)
{
	static const char text[] = "Service Name,Port Number\n\x1b[31mnonsense,99999999\n";
	char path[] = "/tmp/bindwatch-test-XXXXXX";
	char line[64];
	int fd;

	(void)state;
	SKIP_BECAUSE(why_not);
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	close(fd);
	(void)snprintf(line, sizeof(line), "%s:1", path);
	watch_with_registry(path, line);
	unlink(path);
}

/* The number before a word of the totals on stderr; 0: it is not there. */
static unsigned long long total_of(const struct monitor *monitor, const char *word)
{
	const char *at = strstr(monitor->message.data, word);

	while (at > monitor->message.data && strchr("0123456789", at[-1]))
		at--;
	return at ? strtoull(at, NULL, 10) : 0;
}

/* One bind that alerts by the port, one that the kernel chose the port of: the second is left out, and counted so. */
static void alerts_only(void **state)
{
	static const uint16_t ports[] = {8430, 0};
	struct monitor monitor;
	unsigned told = 0;
	json_t *event;
	size_t index;

	(void)state;
	SKIP_BECAUSE(why_not);
	start(&monitor, ARGUMENTS("--output", "json", "--alerts", "--no-existing"));
	assert_int_equal(live_bind_ports(AF_INET, SOCK_STREAM, ports, 2), 0);
	assert_int_equal(monitor_sync(&monitor, 0), 0);
	json_array_foreach(monitor.events, index, event)
	{
		assert_string_equal(json_string_value(live_field(event, "event.kind")), "alert");
		told += json_integer_value(live_field(event, "server.port")) == 8430;
	}
	assert_int_equal(told, 1);
	assert_int_equal(monitor_finish(&monitor, SIGINT), 0);
	/* the bind of port 0, and the releases of both */
	assert_true(total_of(&monitor, " left out") >= 3);
	assert_int_equal(total_of(&monitor, " shown") + total_of(&monitor, " left out"),
	                 total_of(&monitor, " events seen"));
	monitor_free(&monitor);
}

static void alerts_only_as_text(void **state)
{
	static const uint16_t ports[] = {8430, 0};
	struct monitor monitor;

	(void)state;
	SKIP_BECAUSE(why_not);
	start_text(&monitor, ARGUMENTS("--alerts", "--no-existing", "--for", "2"));
	assert_int_equal(live_bind_ports(AF_INET, SOCK_STREAM, ports, 2), 0);
	assert_int_equal(monitor_finish(&monitor, 0), 0);
	assert_true(live_says(&monitor.output, "127.0.0.1:8430"));
	assert_null(strstr(monitor.output.data, "(ephemeral)"));
	assert_true(total_of(&monitor, " left out") >= 3);
	monitor_free(&monitor);
}

/* The rules are read before a hook is loaded: what is wrong is all that is said. */
static void policy_that_is_bad(void **state)
{
	static const char text[] = "[alert a]\nport = 80\nseverity = severe\n[expect b]\nport = 0\n";
	char path[] = "/tmp/bindwatch-test-XXXXXX", option[64], line[128];
	struct monitor monitor;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	close(fd);
	(void)snprintf(option, sizeof(option), "--policy=%s", path);
	assert_int_equal(monitor_run(&monitor, program, ARGUMENTS(option)), 1);
	unlink(path);
	(void)snprintf(line, sizeof(line), "bindwatch: %s:3: \"severe\": write informational, low,", path);
	assert_true(live_says(&monitor.message, line));
	(void)snprintf(line, sizeof(line), "bindwatch: %s:5: \"0\": ports are 1-65535", path);
	assert_true(live_says(&monitor.message, line));
	assert_int_equal(live_lines(&monitor.message), 2);
	assert_null(strstr(monitor.message.data, "watching"));
	assert_int_equal(monitor.output.used, 0);
	monitor_free(&monitor);
}

static void plan_that_the_kernel_refuses(void **state)
{
	static const char *const plans[] = {"trampoline", "kprobe", "tracepoint"};
	int refused = 0;

	(void)state;
	SKIP_BECAUSE(why_not);
	for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
		struct monitor monitor;
		int code = monitor_run(&monitor, program, ARGUMENTS("--plan", plans[i], "--for", "1"));

		assert_true(live_says(&monitor.message, plans[i]));
		if (code != 0) {
			refused++;
			assert_int_equal(code, 1);
			/* one sentence, and no plan that was not asked for */
			assert_null(strstr(monitor.message.data, "watching"));
			assert_int_equal(live_lines(&monitor.message), 1);
		}
		monitor_free(&monitor);
	}
	assert_true(refused < 3);
	SKIP_BECAUSE(refused ? NULL : "this kernel refuses no plan");
}

/* --- text for a terminal --- */

static void bind_under_hostile_name(struct scene *scene, void *context)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(*(const uint16_t *)context)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)scene;
	inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
	prctl(PR_SET_NAME, "\x1b[31m\nX\xff\\");
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)))
		_exit(1);
}

/* Counts the lines with this text, and behind it on the same line the other. */
static size_t lines_with(const struct live_text *text, const char *needle, const char *behind)
{
	const char *at = text->data;
	size_t count = 0;

	while (at && (at = strstr(at, needle))) {
		const char *end = strchr(at, '\n');

		count += end && memmem(at, (size_t)(end - at), behind, strlen(behind)) != NULL;
		at = end;
	}
	return count;
}

static void hostile_name_in_text(void **state)
{
	const struct monitor_options options = {.program = program, .arguments = ARGUMENTS("--output", "text")};
	struct monitor monitor;
	uint16_t port = 8301;

	(void)state;
	SKIP_BECAUSE(why_not);
	assert_int_equal(monitor_start(&monitor, &options), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(scene_child(bind_under_hostile_name, NULL, &port), 0);
	assert_int_equal(monitor_sync(&monitor, 0), 0);
	assert_int_equal(lines_with(&monitor.output, "127.0.0.1:8301", " bound"), 3);
	for (size_t i = 0; i < monitor.output.used; i++) {
		unsigned char byte = (unsigned char)monitor.output.data[i];

		if ((byte < 0x20 && byte != '\n') || byte >= 0x7f)
			fail_msg("byte 0x%02x at %zu of the text", byte, i);
	}
	assert_int_equal(monitor_finish(&monitor, SIGINT), 0);
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
	        cmocka_unit_test(help_and_version),     cmocka_unit_test(usage_errors),
	        cmocka_unit_test(hostile_argument),     cmocka_unit_test(without_capabilities),
	        cmocka_unit_test(port_filter),          cmocka_unit_test(port_filter_by_name),
	        cmocka_unit_test(pid_filter),           cmocka_unit_test(registry_that_is_missing),
	        cmocka_unit_test(registry_that_is_bad), cmocka_unit_test(plan_that_the_kernel_refuses),
	        cmocka_unit_test(alerts_only),          cmocka_unit_test(alerts_only_as_text),
	        cmocka_unit_test(policy_that_is_bad),   cmocka_unit_test(hostile_name_in_text),
	};

	if (argc < 1 || live_program(argv[0], program, sizeof(program))) {
		fprintf(stderr, "run this as B/tests/live/NAME: B/bindwatch is what it tests\n");
		return 1;
	}
	return cmocka_run_group_tests_name("watch, the command", tests, setup, NULL);
}
