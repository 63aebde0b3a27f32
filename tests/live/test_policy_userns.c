/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program that stands at the path of another: anybody can have it so in namespaces of his own, and the shipped policy
 * believes nothing of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/live/command.h"
#include "tests/live/live.h"
#include "tests/live/server.h"

#define NOBODY 65534
#define SHOWN  "/usr/sbin/nginx"

static char program[SERVER_PATH_LEN];
static const char *why_not;
static struct monitor monitor = {.out = -1, .err = -1};

/* 0 or -errno */
static int write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), result = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		result = -errno;
	(void)close(fd);
	return result;
}

/* No unit, slice or container speaks for the process. Where there is no such file, it is so already or cannot be had.
 */
static void leave_cgroup(void)
{
	(void)write_text("/sys/fs/cgroup/cgroup.procs", "0");
	(void)write_text("/sys/fs/cgroup/unified/cgroup.procs", "0");
}

/* As `unshare -rUm` of nobody, with this program at the path of another. 0 or -errno. */
static int hide(void)
{
	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY) ||
	    prctl(PR_SET_DUMPABLE, 1) || unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return -errno;
	if (write_text("/proc/self/setgroups", "deny") || write_text("/proc/self/uid_map", "0 65534 1") ||
	    write_text("/proc/self/gid_map", "0 65534 1"))
		return -EPERM;
	if (mount("none", "/usr/sbin", "tmpfs", 0, "mode=755"))
		return -errno;
	server_copy(SHOWN);
	return 0;
}

/* The hidden server, or -1: it does not serve. Its parent's death ends it. */
static pid_t hidden_server(const char *port)
{
	const char *const *arguments = SERVE("tcp", port);
	char said = 'n';
	int ready[2];
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		leave_cgroup();
		if (hide() || prctl(PR_SET_PDEATHSIG, SIGKILL))
			_exit(126);
		(void)dup2(ready[1], STDOUT_FILENO);
		(void)execv(SHOWN, (char *const *)arguments);
		_exit(127);
	}
	(void)close(ready[1]);
	(void)!read(ready[0], &said, 1);
	(void)close(ready[0]);
	if (said == 'y')
		return pid;
	command_child_end(pid);
	return -1;
}

static const char *text_of(const json_t *event, const char *path)
{
	const char *text = json_string_value(live_field(event, path));

	return text ? text : "";
}

static void a_path_of_ones_own(void **state)
{
	/* a web server is expected on each; one will be free */
	static const char *const ports[] = {"8080", "8000", "8008", "8081", "8443", "8888"};
	const json_t *event = NULL;
	pid_t pid = -1;

	(void)state;
	SKIP_BECAUSE(why_not);
	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]) && !event; i++) {
		pid = hidden_server(ports[i]);
		if (pid < 0)
			continue;
		assert_int_equal(monitor_sync(&monitor, 0), 0);
		assert_int_equal(live_find(&monitor, ACTION_BIND, (uint16_t)strtoul(ports[i], NULL, 10), &event), 1);
		command_child_end(pid);
	}
	if (!event)
		SKIP_BECAUSE("no namespace of users can be made here, or every port is taken");
	if (*text_of(event, "bindwatch.cgroup.slice") || live_field(event, "container"))
		SKIP_BECAUSE("this runs in a unit or a container that cannot be left");
	print_message("%s\n", text_of(event, "event.reason"));
	assert_string_equal(text_of(event, "process.executable"), SHOWN);
	assert_string_equal(text_of(event, "event.kind"), "alert");
	assert_string_equal(text_of(event, "rule.name"), "own-namespace-program");
}

static int start_monitor(struct monitor *started, bool existing)
{
	static const char *const arguments[] = {"watch", "--output", "json", NULL};
	const struct monitor_options options = {.program = program,
	                                        .arguments = arguments,
	                                        .json = true,
	                                        .vendor_policy = true,
	                                        .existing = existing};

	return monitor_start(started, &options);
}

/* Who only makes the namespaces, and stays in them; -1: he cannot. */
static pid_t hidden_place(void)
{
	char said = 'n';
	int ready[2];
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		if (hide() || prctl(PR_SET_PDEATHSIG, SIGKILL) || write(ready[1], "y", 1) != 1)
			_exit(126);
		for (;;)
			(void)pause();
	}
	(void)close(ready[1]);
	(void)!read(ready[0], &said, 1);
	(void)close(ready[0]);
	if (said == 'y')
		return pid;
	command_child_end(pid);
	return -1;
}

static void assert_cut(const struct monitor *watched, const char *action, uint16_t port)
{
	const json_t *event = NULL;

	assert_int_equal(live_find(watched, action, port, &event), 1);
	print_message("%s\n", text_of(event, "event.reason"));
	assert_true(json_is_true(live_field(event, "bindwatch.executable.path_truncated")));
	assert_string_equal(text_of(event, "event.kind"), "alert");
	assert_string_not_equal(text_of(event, "bindwatch.policy.verdict"), "expect");
}

/* From outside, by way of /proc/PID/root, in the host's namespaces: seen as it binds, and found bound. */
static void the_same_from_outside(void **state)
{
	struct monitor restarted = {.out = -1, .err = -1};
	char path[64];
	pid_t place, server;

	(void)state;
	SKIP_BECAUSE(why_not);
	place = hidden_place();
	if (place < 0)
		SKIP_BECAUSE("no namespace of users can be made here");
	(void)snprintf(path, sizeof(path), "/proc/%d/root" SHOWN, place);
	server = server_start(path, -1, SERVE("tcp", "8008"));
	assert_int_equal(monitor_sync(&monitor, 0), 0);
	assert_cut(&monitor, ACTION_BIND, 8008);
	assert_int_equal(start_monitor(&restarted, true), 0);
	assert_int_equal(monitor_sync(&restarted, 0), 0);
	assert_cut(&restarted, "existing-socket", 8008);
	monitor_free(&restarted);
	command_child_end(server);
	command_child_end(place);
}

static int start(void **state)
{
	struct stat first, own;

	(void)state;
	why_not = live_why_not();
	if (why_not)
		return 0;
	if (stat("/proc/1/ns/net", &first) == 0 && stat("/proc/self/ns/net", &own) == 0 && first.st_ino != own.st_ino) {
		why_not = "this is not the network of process 1";
		return 0;
	}
	return start_monitor(&monitor, false);
}

static int end(void **state)
{
	(void)state;
	monitor_free(&monitor);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_path_of_ones_own),
	        cmocka_unit_test(the_same_from_outside),
	};

	if (server_is_meant(argc, argv))
		return server_run(argv);
	if (live_program(argv[0], program, sizeof(program)))
		return 1;
	return cmocka_run_group_tests_name("policy, namespaces of users", tests, start, end);
}
