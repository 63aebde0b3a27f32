/* SPDX-License-Identifier: BSD-2-Clause */
/* Who made a bind: each fact of the process beside what /proc and stat(2) say of it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/live/live.h"
#include "tests/live/who.h"
#include "user/sense/existing.h"

static struct who_test test;

static int bind_port(uint16_t port)
{
	struct sockaddr_in address = {
	        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)))
		return -errno;
	return fd;
}

static void every_fact_is_the_one_of_proc(void **state)
{
	char *const arguments[] = {"first", "", "third one", NULL};
	const struct who_run run = {.file = test.tool, .arguments = arguments, .stay = true};
	struct who_event event;
	struct who_child child;

	(void)state;
	SKIP_BECAUSE(test.why_not);
	child = who_run(&test, &run);
	who_await(&test, child.port, &event);
	who_compare(&event, child.pid);
	assert_false(event.process.from_proc);
	assert_string_equal(event.process.executable.path, test.tool);
	assert_int_equal(event.process.arguments_count, 3);
	assert_int_equal(event.process.executable.flags & ~(unsigned int)EXECUTABLE_WORLD_WRITABLE, 0);
	assert_int_equal(event.process.executable.flags_known & (EXECUTABLE_MEMFD | EXECUTABLE_DELETED |
	                                                         EXECUTABLE_REPLACED | EXECUTABLE_WORLD_WRITABLE),
	                 EXECUTABLE_MEMFD | EXECUTABLE_DELETED | EXECUTABLE_REPLACED | EXECUTABLE_WORLD_WRITABLE);
	assert_int_equal(event.process.ancestors[0].pid, getpid());
	who_end(&child);
	who_event_free(&event);
}

/* It was reaped before anybody read a record of it. */
static void a_process_that_is_gone_is_as_well_known(void **state)
{
	char *const arguments[] = {"gone", "--now", NULL};
	const struct who_run run = {.file = test.tool, .arguments = arguments};
	struct who_event event;
	struct stat status;
	char directory[4096];

	(void)state;
	SKIP_BECAUSE(test.why_not);
	who_run_and_await(&test, &run, &event);
	assert_int_equal(stat(test.tool, &status), 0);
	who_compare_file(&event.process.executable, &status);
	assert_string_equal(event.process.executable.path, test.tool);
	assert_int_equal(event.process.arguments_length, 11);
	assert_memory_equal(event.process.arguments, "gone\0--now", 11);
	assert_string_equal(event.process.working_directory, getcwd(directory, sizeof(directory)));
	assert_string_equal(event.process.comm, "tool_bind");
	assert_int_equal(event.process.ancestors[0].pid, getpid());
	assert_int_equal(event.event.credentials.effective_uid, geteuid());
	/* what only a look at the living process could tell */
	assert_false(event.process.executable.flags_known & EXECUTABLE_REPLACED);
	who_event_free(&event);
}

#define HOSTILE "\n\t\033[31m\"\\'\xff\xfe \x01$(x)"

static int enter(void *context)
{
	return chdir(context) ? 102 : 0;
}

static void hostile_bytes_stay_what_they_are(void **state)
{
	char directory[256], file[512], every[256];
	char *const arguments[] = {every, HOSTILE, "", NULL};
	const struct who_run run = {
	        .file = file, .arguments = arguments, .stay = true, .prepare = enter, .context = directory};
	struct who_event event;
	struct who_child child;

	(void)state;
	SKIP_BECAUSE(test.why_not);
	for (int i = 0; i < 255; i++)
		every[i] = (char)(i + 1);
	every[255] = '\0';
	(void)snprintf(directory, sizeof(directory), "%s/" HOSTILE, test.directory);
	(void)snprintf(file, sizeof(file), "%s/" HOSTILE, directory);
	assert_int_equal(mkdir(directory, 0755), 0);
	who_install(&test, file, 0755);
	child = who_run(&test, &run);
	who_await(&test, child.port, &event);
	who_compare(&event, child.pid);
	assert_string_equal(event.process.executable.path, file);
	assert_string_equal(event.process.working_directory, directory);
	assert_memory_equal(event.process.arguments, every, sizeof(every));
	assert_memory_equal(event.process.comm, HOSTILE, 15);
	who_end(&child);
	who_event_free(&event);
}

/* One argument of so many bytes that all together, with their NULs, are `total`. */
static void run_with_arguments(size_t total, struct who_event *ret)
{
	static char longest[65536];
	char *const arguments[] = {"a", longest, "z", NULL};
	const struct who_run run = {.file = test.tool, .arguments = arguments, .stay = true};
	struct who_child child;

	assert_true(total > 5 && total - 5 < sizeof(longest));
	for (size_t i = 0; i < total - 5; i++)
		longest[i] = (char)('A' + i % 26);
	longest[total - 5] = '\0';
	child = who_run(&test, &run);
	who_await(&test, child.port, ret);
	who_compare(ret, child.pid);
	who_end(&child);
}

static void long_arguments_are_cut_and_marked(void **state)
{
	static const struct {
		size_t total;
		bool truncated;
		size_t count;
	} rows[] = {{4095, false, 3}, {4096, false, 3}, {4097, true, 2},
	            {4098, true, 2},  {5000, true, 1},  {60000, true, 1}};

	(void)state;
	SKIP_BECAUSE(test.why_not);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct who_event event;

		run_with_arguments(rows[i].total, &event);
		assert_int_equal(event.process.arguments_truncated, rows[i].truncated);
		assert_int_equal(event.process.arguments_count, rows[i].count);
		who_event_free(&event);
	}
}

static void each_exec_is_described(void **state)
{
	char second[128];
	const struct who_run run = {.file = test.tool, .next = second};
	struct who_event before, after;
	struct who_child child;

	(void)state;
	SKIP_BECAUSE(test.why_not);
	(void)snprintf(second, sizeof(second), "%s/second", test.directory);
	who_install(&test, second, 0755);
	child = who_run(&test, &run);
	who_end(&child);
	who_await(&test, child.port, &before);
	who_await(&test, child.port + 1, &after);
	assert_int_equal(before.event.pid, child.pid);
	assert_int_equal(after.event.pid, child.pid);
	assert_int_equal(after.process.start_ns, before.process.start_ns);
	assert_int_equal(after.process.exec_id, before.process.exec_id + 1);
	assert_string_equal(before.process.executable.path, test.tool);
	assert_string_equal(after.process.executable.path, second);
	assert_string_equal(before.process.comm, "tool_bind");
	assert_string_equal(after.process.comm, "second");
	who_event_free(&before);
	who_event_free(&after);
}

static uint64_t processes_told(void)
{
	struct sense_totals totals;

	assert_int_equal(sense_totals(test.sense, &totals), 0);
	return totals.processes;
}

static void a_process_is_described_once(void **state)
{
	struct who_event event;
	uint64_t before, after;
	uint16_t port = who_port(&test);
	int fd;

	(void)state;
	SKIP_BECAUSE(test.why_not);
	fd = bind_port(port);
	assert_true(fd >= 0);
	who_await(&test, port, &event);
	who_event_free(&event);
	close(fd);
	before = processes_told();
	for (int i = 0; i < 100; i++) {
		fd = bind_port(port);
		assert_true(fd >= 0);
		close(fd);
	}
	after = processes_told();
	/* others on this machine may begin to bind meanwhile */
	assert_in_range(after - before, 0, 50);
}

/* A process can move without an exec: each bind is told from where it was made. */
static void what_moves_between_two_binds_is_told(void **state)
{
	const uint16_t ports[] = {who_port(&test), who_port(&test)};
	struct who_event before, after;
	char here[128], there[128];
	int status;
	pid_t pid;

	(void)state;
	SKIP_BECAUSE(test.why_not);
	(void)snprintf(here, sizeof(here), "%s/here", test.directory);
	(void)snprintf(there, sizeof(there), "%s/there", test.directory);
	assert_int_equal(mkdir(here, 0755) | mkdir(there, 0755), 0);
	pid = fork();
	if (pid == 0) {
		if (chdir(here) || bind_port(ports[0]) < 0 || chdir(there) || unshare(CLONE_NEWNS) ||
		    bind_port(ports[1]) < 0)
			_exit(1);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	who_await(&test, ports[0], &before);
	who_await(&test, ports[1], &after);
	assert_string_equal(before.process.working_directory, here);
	assert_string_equal(after.process.working_directory, there);
	assert_int_not_equal(before.process.mntns_inode, after.process.mntns_inode);
	assert_string_equal(before.process.executable.path, after.process.executable.path);
	assert_int_equal(before.process.exec_id, after.process.exec_id);
	who_event_free(&before);
	who_event_free(&after);
	assert_int_equal(rmdir(here) | rmdir(there), 0);
}

static int mount_own(void *context)
{
	char file[256];

	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", context, "tmpfs", 0, "mode=0755"))
		return 102;
	(void)snprintf(file, sizeof(file), "%s/tool", (const char *)context);
	who_install(&test, file, 0755);
	return 0;
}

/* Once the process runs what is mounted there. */
static void detach_in(pid_t pid, const char *directory)
{
	char path[64], comm[16] = "";
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	for (int i = 0; i < 500 && strcmp(comm, "tool\n") != 0; i++) {
		memset(comm, 0, sizeof(comm));
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || read(fd, comm, sizeof(comm) - 1) < 0)
			_exit(2);
		close(fd);
		(void)poll(NULL, 0, 10);
	}
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	_exit(fd < 0 || setns(fd, CLONE_NEWNS) || umount2(directory, MNT_DETACH));
}

/* What is left of its path would be that of a program of the host's: /tool. */
static void a_detached_mount_has_no_path(void **state)
{
	char directory[128], file[256];
	const struct who_run run = {.file = file, .wait = true, .prepare = mount_own, .context = directory};
	struct who_event event;
	struct who_child child;
	pid_t helper;
	int status;

	(void)state;
	SKIP_BECAUSE(test.why_not);
	(void)snprintf(directory, sizeof(directory), "%s/own-mount", test.directory);
	(void)snprintf(file, sizeof(file), "%s/tool", directory);
	assert_int_equal(mkdir(directory, 0755), 0);
	child = who_run(&test, &run);
	helper = fork();
	if (helper == 0)
		detach_in(child.pid, directory);
	assert_int_equal(waitpid(helper, &status, 0), helper);
	assert_int_equal(status, 0);
	who_go(&child);
	who_end(&child);
	who_await(&test, child.port, &event);
	assert_true(!event.process.executable.path || event.process.executable.path_truncated);
	assert_true(event.process.executable.has_inode);
	who_event_free(&event);
	assert_int_equal(rmdir(directory), 0);
}

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		_exit(1);
	close(fd);
}

/* Makes a user's own mount namespace with a tool in it, says so, and stays. */
static void own_user_namespace(const char *directory, int said)
{
	char file[256];

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS))
		_exit(1);
	write_text("/proc/self/setgroups", "deny");
	write_text("/proc/self/uid_map", "0 0 1");
	write_text("/proc/self/gid_map", "0 0 1");
	if (mount("none", directory, "tmpfs", 0, "mode=0755"))
		_exit(1);
	(void)snprintf(file, sizeof(file), "%s/tool", directory);
	who_install(&test, file, 0755);
	(void)!write(said, "x", 1);
	for (;;)
		(void)pause();
}

/* Run from outside by way of /proc/PID/root, its path counts from a root that the user made. */
static void a_path_of_another_users_mounts_is_none(void **state)
{
	char directory[128], file[256], byte = 0;
	const struct who_run run = {.file = file};
	struct who_event event;
	int said[2];
	pid_t pid;

	(void)state;
	SKIP_BECAUSE(test.why_not);
	(void)snprintf(directory, sizeof(directory), "%s/own-user", test.directory);
	assert_int_equal(mkdir(directory, 0755), 0);
	assert_int_equal(pipe2(said, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0)
		own_user_namespace(directory, said[1]);
	close(said[1]);
	if (read(said[0], &byte, 1) == 1) {
		(void)snprintf(file, sizeof(file), "/proc/%d/root%s/tool", pid, directory);
		who_run_and_await(&test, &run, &event);
		assert_true(!event.process.executable.path || event.process.executable.path_truncated);
		assert_true(event.process.executable.has_inode);
		who_event_free(&event);
	}
	close(said[0]);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(rmdir(directory), 0);
	SKIP_BECAUSE(byte ? NULL : "no user namespace with mounts of its own can be made here");
}

static void *bind_in_thread(void *context)
{
	(void)prctl(PR_SET_NAME, "a thread");
	return (void *)(intptr_t)bind_port(*(const uint16_t *)context);
}

static void a_thread_is_its_process(void **state)
{
	struct who_event event;
	uint16_t port = who_port(&test);
	pthread_t thread;
	void *fd;

	(void)state;
	SKIP_BECAUSE(test.why_not);
	assert_int_equal(pthread_create(&thread, NULL, bind_in_thread, &port), 0);
	assert_int_equal(pthread_join(thread, &fd), 0);
	assert_true((intptr_t)fd >= 0);
	who_await(&test, port, &event);
	assert_int_not_equal(event.event.tid, event.event.pid);
	assert_string_equal(event.event.comm, "a thread");
	assert_string_equal(event.process.comm, "test_watch_who");
	who_compare(&event, getpid());
	who_event_free(&event);
	close((int)(intptr_t)fd);
}

#define GENERATIONS 10

/* Each the parent of the next, and under a name of its own; the last one executes. */
static int descend(void *context)
{
	int *pids = context;

	for (int i = 0; i < GENERATIONS; i++) {
		int status;
		pid_t pid = fork();

		if (pid > 0) {
			_exit(waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 103);
		} else if (pid < 0) {
			return 104;
		} else {
			char name[16];

			(void)snprintf(name, sizeof(name), "level %d", i);
			(void)prctl(PR_SET_NAME, name);
			pids[i] = getpid();
		}
	}
	return 0;
}

static void eight_ancestors_are_told(void **state)
{
	int *pids = who_shared(GENERATIONS * sizeof(int));
	const struct who_run run = {.file = test.tool, .stay = true, .prepare = descend, .context = pids};
	struct who_event event;
	struct who_child child;

	(void)state;
	SKIP_BECAUSE(test.why_not);
	assert_non_null(pids);
	child = who_run(&test, &run);
	who_await(&test, child.port, &event);
	assert_int_equal(event.event.pid, pids[GENERATIONS - 1]);
	who_compare(&event, pids[GENERATIONS - 1]);
	assert_int_equal(event.process.ancestors_count, 8);
	for (int i = 0; i < 8; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "level %d", GENERATIONS - 2 - i);
		assert_int_equal(event.process.ancestors[i].pid, pids[GENERATIONS - 2 - i]);
		assert_string_equal(event.process.ancestors[i].comm, name);
	}
	who_end(&child);
	who_event_free(&event);
}

struct existing {
	uint16_t port;
	bool found;
};

static int on_existing(void *context, struct event *event)
{
	struct existing *existing = context;

	if (event->bound.port != existing->port)
		return 0;
	assert_int_equal(event->action, EVENT_EXISTING);
	assert_non_null(event->process);
	if (!existing->found) {
		struct who_event copy = {.event = *event, .process = *event->process};

		copy.event.process = &copy.process;
		existing->found = true;
		assert_true(copy.process.from_proc);
		/* /proc tells neither */
		copy.event.cgroup_id = copy.process.cgroup.id = 1;
		copy.process.start_ns = event->process_start_ns;
		who_compare(&copy, (pid_t)event->pid);
	}
	return 0;
}

/* By a monitor that begins only now. */
static void who_bound_before_is_read_from_proc(void **state)
{
	char *const arguments[] = {"was", "here", "before", NULL};
	const struct who_run run = {.file = test.tool, .arguments = arguments, .stay = true};
	struct existing existing = {0};
	struct who_event event;
	struct who_child child;
	struct sense *sense;
	char error[SENSE_ERROR_LEN], why[INVENTORY_TEXT_LEN];

	(void)state;
	SKIP_BECAUSE(test.why_not);
	child = who_run(&test, &run);
	who_await(&test, child.port, &event);
	who_event_free(&event);
	existing.port = child.port;
	assert_int_equal(sense_open(sense_plan(test.sense), &sense, error), 0);
	assert_int_equal(existing_tell(sense, on_existing, &existing, why), 0);
	assert_true(existing.found);
	sense_close(sense);
	who_end(&child);
}

static void the_ledger_agrees(void **state)
{
	(void)state;
	SKIP_BECAUSE(test.why_not);
	who_ledger(&test);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_fact_is_the_one_of_proc),
	        cmocka_unit_test(a_process_that_is_gone_is_as_well_known),
	        cmocka_unit_test(hostile_bytes_stay_what_they_are),
	        cmocka_unit_test(long_arguments_are_cut_and_marked),
	        cmocka_unit_test(each_exec_is_described),
	        cmocka_unit_test(what_moves_between_two_binds_is_told),
	        cmocka_unit_test(a_detached_mount_has_no_path),
	        cmocka_unit_test(a_path_of_another_users_mounts_is_none),
	        cmocka_unit_test(a_process_is_described_once),
	        cmocka_unit_test(a_thread_is_its_process),
	        cmocka_unit_test(eight_ancestors_are_told),
	        cmocka_unit_test(who_bound_before_is_read_from_proc),
	        cmocka_unit_test(the_ledger_agrees),
	};
	int failed;

	if (argc < 1 || who_start(&test, argv[0]))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	who_stop(&test);
	return failed;
}
