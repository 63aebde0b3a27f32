/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The shipped policy on an ordinary server: Debian's own programs on their own ports raise no alert, neither as they
 * start nor for a monitor that comes later; what takes their ports does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/live/command.h"
#include "tests/live/debian.h"
#include "tests/live/live.h"
#include "tests/live/server.h"

/* A database that is made first, with the sanitizers in the monitor and a busy machine, takes seconds. */
#define START_MS 60000

static char program[SERVER_PATH_LEN];
static const char *why_not;
static struct monitor monitor = {.out = -1, .err = -1};
static pid_t *started; /* of each of debian_servers; 0: not running */

static int start_monitor(struct monitor *ret, bool existing)
{
	static const char *const arguments[] = {"watch", "--output", "json", NULL};
	const struct monitor_options options = {
	        .program = program, .arguments = arguments, .json = true, .existing = existing, .vendor_policy = true};

	return monitor_start(ret, &options);
}

static int start(void **state)
{
	int result;

	(void)state;
	why_not = live_why_not();
	if (why_not)
		return 0;
	started = calloc(debian_servers_count, sizeof(*started));
	if (!started)
		return -ENOMEM;
	result = debian_enter();
	if (result == -EPERM || result == -ENOSYS) {
		why_not = "no mount namespace of its own can be made here";
		return 0;
	}
	if (!result)
		result = start_monitor(&monitor, false);
	if (result)
		return result;
	result = scene_enter_namespace();
	if (result == -EPERM || result == -EINVAL || result == -ENOSYS) {
		why_not = "no network namespace of its own can be made here";
		return 0;
	}
	return result ? result : debian_network();
}

static void stop_server(const char *name)
{
	for (size_t i = 0; started && i < debian_servers_count; i++) {
		if (!started[i] || (name && strcmp(debian_servers[i].name, name) != 0))
			continue;
		debian_stop(started[i]);
		started[i] = 0;
	}
}

static int end(void **state)
{
	(void)state;
	stop_server(NULL);
	free(started);
	monitor_free(&monitor);
	return 0;
}

static const char *text_of(const json_t *event, const char *path)
{
	const char *text = json_string_value(live_field(event, path));

	return text ? text : "";
}

static bool is_here(const json_t *event)
{
	return json_integer_value(live_field(event, "bindwatch.netns.inode")) == scene_namespace() &&
	       !monitor_is_sentinel(event);
}

/*
 * Reads what was told so far, and forgets what happened elsewhere: a host where much is bound would fill the memory
 * while a server starts.
 */
static int read_on(void)
{
	int result = monitor_sync(&monitor, 0);
	json_t *kept = json_array();
	json_t *event;
	size_t index;

	if (!kept)
		return -ENOMEM;
	json_array_foreach(monitor.events, index, event)
	{
		if (is_here(event))
			json_array_append(kept, event);
	}
	json_decref(monitor.events);
	monitor.events = kept;
	return result;
}

/* The last bind of this port by a program of this name, NULL: none was told. */
static const json_t *find_bind(const char *transport, uint16_t port, const char *executable)
{
	const json_t *found = NULL;
	json_t *event;
	size_t index;

	json_array_foreach(monitor.events, index, event)
	{
		if (is_here(event) && live_is_action(event, ACTION_BIND) &&
		    json_integer_value(live_field(event, "server.port")) == port &&
		    strcmp(text_of(event, "network.transport"), transport) == 0 &&
		    fnmatch(executable, text_of(event, "process.executable"), FNM_PATHNAME) == 0)
			found = event;
	}
	return found;
}

/* Until all its ports were told. What is missing then is what the caller finds missing. */
static void wait_for(const struct debian_server *server, pid_t pid)
{
	int64_t deadline = live_now_ms() + START_MS;

	for (size_t i = 0; i < DEBIAN_PORTS && server->ports[i].transport; i++) {
		while (!find_bind(server->ports[i].transport, server->ports[i].port, server->executable)) {
			int status;

			if (waitpid(pid, &status, WNOHANG) == pid)
				fail_msg("%s ended: %x", server->name, (unsigned int)status);
			if (live_now_ms() > deadline)
				return;
			assert_int_equal(read_on(), 0);
		}
	}
}

static void expects(void **state)
{
	const struct debian_server *server = *state;
	char path[256];
	pid_t pid;

	SKIP_BECAUSE(why_not);
	if (debian_find(server, path, sizeof(path))) {
		print_message("skipped: no %s here; packaging/deps programs fetches it\n", server->path);
		skip();
	}
	pid = debian_start(server);
	assert_true(pid > 0);
	started[server - debian_servers] = pid;
	wait_for(server, pid);
	for (size_t i = 0; i < DEBIAN_PORTS && server->ports[i].transport; i++) {
		const json_t *event = find_bind(server->ports[i].transport, server->ports[i].port, server->executable);

		if (!event)
			fail_msg("no bind of %u/%s by %s was told", server->ports[i].port, server->ports[i].transport,
			         server->executable);
		assert_string_equal(text_of(event, "bindwatch.policy.verdict"), "expect");
		print_message("%u/%s by %s: %s\n", server->ports[i].port, server->ports[i].transport,
		              text_of(event, "process.executable"), text_of(event, "bindwatch.policy.rule"));
	}
}

/* The binds and old sockets of this namespace that alert, or that no rule speaks of; each is printed. */
static size_t count_noise(const struct monitor *of, const char *action, size_t *ret_looked_at)
{
	size_t noise = 0;
	json_t *event;
	size_t index;

	*ret_looked_at = 0;
	json_array_foreach(of->events, index, event)
	{
		const char *verdict = text_of(event, "bindwatch.policy.verdict");
		bool judged = live_is_action(event, action);

		if (!is_here(event))
			continue;
		*ret_looked_at += judged;
		if (strcmp(text_of(event, "event.kind"), "alert") != 0 &&
		    (!judged || strcmp(verdict, "expect") == 0 || strcmp(verdict, "ignore") == 0))
			continue;
		print_error("%s: %s (%s by %s)\n", text_of(event, "message"), text_of(event, "event.reason"), verdict,
		            text_of(event, "bindwatch.policy.rule"));
		noise++;
	}
	return noise;
}

static size_t count_running(void)
{
	size_t running = 0;

	for (size_t i = 0; i < debian_servers_count; i++)
		running += started[i] != 0;
	return running;
}

static void no_alert_as_they_start(void **state)
{
	size_t binds;

	(void)state;
	SKIP_BECAUSE(why_not);
	if (!count_running())
		SKIP_BECAUSE("no server runs");
	assert_int_equal(read_on(), 0);
	assert_int_equal(count_noise(&monitor, ACTION_BIND, &binds), 0);
	print_message("%zu binds of %zu servers\n", binds, count_running());
	assert_true(binds >= count_running());
}

static void no_alert_of_what_was_there(void **state)
{
	struct monitor later = {.out = -1, .err = -1};
	size_t sockets = 0;
	size_t noise = 0;
	int result;

	(void)state;
	SKIP_BECAUSE(why_not);
	if (!count_running())
		SKIP_BECAUSE("no server runs");
	result = start_monitor(&later, true);
	if (!result)
		result = monitor_sync(&later, 0);
	if (!result)
		noise = count_noise(&later, "existing-socket", &sockets);
	monitor_free(&later);
	assert_int_equal(result, 0);
	assert_int_equal(noise, 0);
	print_message("%zu sockets of %zu servers\n", sockets, count_running());
	assert_true(sockets >= count_running());
}

/* Fails unless the bind of this port by this program was an alert by this rule. */
static void assert_alert(uint16_t port, const char *executable, const char *rule, const char *reason)
{
	const json_t *event;

	assert_int_equal(read_on(), 0);
	event = find_bind("tcp", port, executable);
	if (!event)
		fail_msg("no bind of %u/tcp by %s was told", port, executable);
	assert_string_equal(text_of(event, "event.kind"), "alert");
	assert_string_equal(text_of(event, "rule.name"), rule);
	print_message("%s: %s\n", rule, text_of(event, "event.reason"));
	if (!strstr(text_of(event, "event.reason"), reason))
		fail_msg("it does not say \"%s\"", reason);
}

static void a_script_on_the_port_of_ssh(void **state)
{
	static const char script[] = "import socket\n"
	                             "s = socket.socket()\n"
	                             "s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n"
	                             "s.bind(('0.0.0.0', 22))\n";
	char *const arguments[] = {"python3", "-c", (char *)script, NULL};
	struct run run;

	(void)state;
	SKIP_BECAUSE(why_not);
	if (access("/usr/bin/python3", X_OK) != 0)
		SKIP_BECAUSE("no /usr/bin/python3 here");
	stop_server("sshd");
	run = command_run(0, -1, "/usr/bin/python3", arguments);
	print_message("%s", run.err);
	assert_int_equal(run.status, 0);
	command_free(&run);
	assert_alert(22, "/usr/bin/python3*", "interpreter-on-privileged-port", "tcp/22 is ssh");
}

/* Copies of this program, in places of their own. */
static void impostors(void **state)
{
	static const struct {
		const char *folder;
		mode_t mode;
		const char *name;
		const char *kind, *port;
		const char *rule;
	} table[] = {
	        {DEBIAN_FOLDER "/own", 0755, "nginx", "tcp", "81", "privileged-port"},
	        {DEBIAN_FOLDER "/own", 0755, "other", "tcp", "80", "takeover"},
	        {DEBIAN_FOLDER "/own", 0755, "postgres", "tcp", "5433", "registered-port"},
	        {DEBIAN_FOLDER "/open", 0777, "x", "tcp", "8123", "world-writable-program"},
	        {"/tmp/bindwatch-vendor", 0755, "x", "tcp", "8124", "temporary-directory-program"},
	};
	bool web = false;

	(void)state;
	SKIP_BECAUSE(why_not);
	for (size_t i = 0; i < debian_servers_count; i++)
		web |= started[i] && strcmp(debian_servers[i].name, "nginx") == 0;
	stop_server("nginx");
	(void)mkdir("/tmp/bindwatch-vendor", 0755);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint16_t port = (uint16_t)strtoul(table[i].port, NULL, 10);
		char path[256];
		pid_t pid;

		(void)mkdir(table[i].folder, table[i].mode);
		assert_int_equal(chmod(table[i].folder, table[i].mode), 0);
		(void)snprintf(path, sizeof(path), "%s/%s", table[i].folder, table[i].name);
		server_copy(path);
		pid = server_start(path, -1, SERVE(table[i].kind, table[i].port));
		/* without the web server nobody let go of its port */
		assert_alert(port, path, port == 80 && !web ? "privileged-port" : table[i].rule, path);
		command_child_end(pid);
		(void)unlink(path);
	}
	(void)rmdir("/tmp/bindwatch-vendor");
}

static void a_program_in_memory(void **state)
{
	char path[64];
	pid_t pid;
	int fd;

	(void)state;
	SKIP_BECAUSE(why_not);
	fd = memfd_create("sshd", 0);
	assert_true(fd >= 0);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	server_copy(path);
	pid = server_start(NULL, fd, SERVE("tcp", "8125"));
	assert_alert(8125, "/memfd:sshd*", "memory-only-program", "");
	command_child_end(pid);
	close(fd);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest others[] = {
	        cmocka_unit_test(no_alert_as_they_start),      cmocka_unit_test(no_alert_of_what_was_there),
	        cmocka_unit_test(a_script_on_the_port_of_ssh), cmocka_unit_test(impostors),
	        cmocka_unit_test(a_program_in_memory),
	};
	struct CMUnitTest tests[32] = {{NULL, NULL, NULL, NULL, NULL}};
	size_t count = 0;

	if (server_is_meant(argc, argv))
		return server_run(argv);
	if (live_program(argv[0], program, sizeof(program)))
		return 1;
	for (; count < debian_servers_count; count++)
		tests[count] = (struct CMUnitTest){.name = debian_servers[count].name,
		                                   .test_func = expects,
		                                   .initial_state = (void *)&debian_servers[count]};
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		tests[count++] = others[i];
	return _cmocka_run_group_tests("tests", tests, count, start, end);
}
