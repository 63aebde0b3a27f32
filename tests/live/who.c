/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/live/who.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/live/live.h"
#include "user/sense/plan.h"

extern char **environ;

#define FIRST_PORT 20000

int who_start(struct who_test *test, const char *argv0)
{
	const char *plan = getenv("BINDWATCH_TEST_PLAN");
	char error[SENSE_ERROR_LEN], resolved[PATH_MAX], *slash;
	int r;

	*test = (struct who_test){.port = FIRST_PORT, .directory = "/tmp/bindwatch-who-XXXXXX"};
	test->why_not = live_why_not();
	if (test->why_not)
		return 0;
	r = live_program(argv0, test->tool, sizeof(test->tool));
	if (!r && realpath(test->tool, resolved))
		(void)snprintf(test->tool, sizeof(test->tool), "%s", resolved);
	slash = strrchr(test->tool, '/');
	if (r < 0 || !slash || slash - test->tool > (ptrdiff_t)sizeof(test->tool) - 64)
		return -1;
	(void)snprintf(slash, 64, "/tests/live/tool_bind");
	/* before this process is described: the namespace is part of what is told once */
	r = scene_enter_namespace();
	if (r < 0) {
		test->why_not = "no network namespace of its own can be made here";
		return 0;
	}
	r = sense_open(plan ? plan_find(plan) : PLAN_NONE, &test->sense, error);
	if (r < 0) {
		print_error("%s\n", error);
		return -1;
	}
	return mkdtemp(test->directory) && chmod(test->directory, 0755) == 0 ? 0 : -1;
}

void who_stop(struct who_test *test)
{
	char command[128];

	sense_close(test->sense);
	for (size_t i = 0; i < test->told_count; i++)
		who_event_free(&test->told[i]);
	free(test->told);
	if (test->why_not)
		return;
	(void)snprintf(command, sizeof(command), "rm -rf %s", test->directory);
	if (system(command))
		print_error("%s is left\n", test->directory);
}

static int drop(void *context, struct event *event)
{
	(void)context;
	(void)event;
	return 0;
}

void who_ledger(struct who_test *test)
{
	struct sense_totals totals;
	uint64_t accounted;

	sense_detach(test->sense);
	while (sense_read(test->sense, drop, NULL) > 0)
		;
	assert_int_equal(sense_totals(test->sense, &totals), 0);
	accounted = totals.delivered + totals.own;
	for (enum sense_lost cause = LOST_RING_FULL; cause <= LOST_CALL_NOT_KEPT; cause++)
		accounted += totals.lost[cause];
	assert_int_equal(totals.lost[LOST_NOT_UNDERSTOOD], 0);
	assert_int_equal(totals.seen, accounted);
	assert_true(totals.processes > 0);
}

void who_event_free(struct who_event *event)
{
	free(event->texts);
	event->texts = NULL;
}

void *who_shared(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

uint16_t who_port(struct who_test *test)
{
	test->port += 2; /* BIND_NEXT takes the one behind */
	return test->port;
}

/* Others on this machine bind ports, too: only what is bound in this network namespace is kept. */
static int keep(void *context, struct event *event)
{
	struct who_test *test = context;
	struct who_event *kept;

	if (event->action != EVENT_BOUND || event->netns_inode != scene_namespace())
		return 0;
	test->told = reallocarray(test->told, test->told_count + 1, sizeof(*test->told));
	assert_non_null(test->told);
	kept = &test->told[test->told_count++];
	*kept = (struct who_event){.event = *event};
	if (!event->process)
		return 0;
	kept->texts = malloc(process_texts_size(event->process) + 1);
	assert_non_null(kept->texts);
	process_copy(event->process, &kept->process, kept->texts);
	return 0;
}

static bool take(struct who_test *test, uint16_t port, struct who_event *ret)
{
	for (size_t i = 0; i < test->told_count; i++) {
		if (test->told[i].event.requested.port != port)
			continue;
		*ret = test->told[i];
		ret->event.process = ret->texts ? &ret->process : NULL;
		test->told[i] = test->told[--test->told_count];
		return true;
	}
	return false;
}

void who_await(struct who_test *test, uint16_t port, struct who_event *ret)
{
	int64_t end = live_now_ms() + LIVE_WAIT_MS;

	while (!take(test, port, ret)) {
		if (live_now_ms() > end)
			fail_msg("the bind of port %u was not told", port);
		assert_true(sense_read(test->sense, keep, test) >= 0);
		(void)poll(NULL, 0, 2);
	}
	if (!ret->event.process)
		fail_msg("the bind of port %u was told without its process", port);
}

static void run_in_child(const struct who_run *run, uint16_t port, int in)
{
	char *const alone[] = {(char *)(uintptr_t)(run->file ? run->file : "by descriptor"), NULL};
	char text[16];
	int r;

	(void)snprintf(text, sizeof(text), "%u", port);
	(void)setenv("BIND_PORT", text, 1);
	if (run->wait)
		(void)setenv("BIND_WAIT", "1", 1);
	if (run->stay)
		(void)setenv("BIND_STAY", "1", 1);
	if (run->next)
		(void)setenv("BIND_NEXT", run->next, 1);
	if (dup2(in, STDIN_FILENO) < 0)
		_exit(100);
	r = run->prepare ? run->prepare(run->context) : 0;
	if (r)
		_exit(r);
	if (!run->file)
		(void)fexecve(run->fd, run->arguments ? run->arguments : alone, environ);
	else
		(void)execveat(run->directory ? run->directory : AT_FDCWD, run->file,
		               run->arguments ? run->arguments : alone, environ, 0);
	print_error("exec of %s: %s\n", run->file ? run->file : "a descriptor", strerror(errno));
	_exit(101);
}

struct who_child who_run(struct who_test *test, const struct who_run *run)
{
	struct who_child child = {.port = who_port(test)};
	int in[2];

	if (access(test->tool, X_OK))
		fail_msg("%s: %s", test->tool, strerror(errno));
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	child.pid = fork();
	assert_true(child.pid >= 0);
	if (child.pid == 0) {
		close(in[1]); /* or it would never see the end of it, if it has children */
		run_in_child(run, child.port, in[0]);
	}
	close(in[0]);
	child.in = in[1];
	return child;
}

void who_go(const struct who_child *child)
{
	assert_int_equal(write(child->in, "g", 1), 1);
}

void who_end(struct who_child *child)
{
	int status;

	close(child->in);
	assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

void who_run_and_await(struct who_test *test, const struct who_run *run, struct who_event *ret)
{
	struct who_child child = who_run(test, run);

	who_end(&child);
	who_await(test, child.port, ret);
	assert_int_equal(ret->event.pid, child.pid);
	assert_false(ret->process.from_proc);
}

void who_copy(const struct who_test *test, int to)
{
	int from = open(test->tool, O_RDONLY | O_CLOEXEC);
	struct stat status;
	ssize_t n = 1;

	if (from < 0 || fstat(from, &status))
		fail_msg("%s: %s", test->tool, strerror(errno));
	while (n > 0)
		n = sendfile(to, from, NULL, (size_t)status.st_size);
	assert_int_equal(n, 0);
	close(from);
}

void who_install_at(const struct who_test *test, int directory, const char *name, mode_t mode)
{
	int to = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	if (to < 0 || fchmod(to, mode))
		fail_msg("%s: %s", name, strerror(errno));
	who_copy(test, to);
	close(to);
}

void who_install(const struct who_test *test, const char *path, mode_t mode)
{
	who_install_at(test, AT_FDCWD, path, mode);
}

/* --- what /proc says, read by code of this file ------------------------------------------------------------------ */

void who_link(pid_t pid, const char *name, char *ret, size_t size)
{
	char path[64];
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	n = readlink(path, ret, size - 1);
	if (n < 0)
		fail_msg("%s: %s", path, strerror(errno));
	ret[n] = '\0';
}

static size_t read_file(pid_t pid, const char *name, char *ret, size_t size)
{
	char path[64];
	FILE *file;
	size_t n;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	file = fopen(path, "re");
	if (!file)
		return 0;
	n = fread(ret, 1, size - 1, file);
	ret[n] = '\0';
	(void)fclose(file);
	return n;
}

/* Field number `field` of /proc/PID/stat (proc(5)), from 3 on. */
static uint64_t stat_field(pid_t pid, int field)
{
	char line[1024], *at;

	assert_true(read_file(pid, "stat", line, sizeof(line)) > 0);
	at = strrchr(line, ')');
	assert_non_null(at);
	for (int i = 2; i < field; i++) {
		at = strchr(at + 1, ' ');
		assert_non_null(at);
	}
	return strtoull(at, NULL, 10);
}

static uint64_t status_number(const char *text, const char *name, int index, int base)
{
	const char *at = strstr(text, name);
	char *end = NULL;
	uint64_t number = 0;

	if (!at)
		fail_msg("no %s in /proc/PID/status", name);
	at += strlen(name);
	for (int i = 0; i <= index; i++, at = end)
		number = strtoull(at, &end, base);
	return number;
}

static size_t words(const char *text, const char *name)
{
	const char *at = strstr(text, name) + strlen(name);
	size_t count = 0;

	for (; *at && *at != '\n'; at++)
		count += *at != ' ' && *at != '\t' && (at[1] == ' ' || at[1] == '\n');
	return count;
}

static uint32_t unset_or_number(pid_t pid, const char *name)
{
	char text[32];

	return read_file(pid, name, text, sizeof(text)) ? (uint32_t)strtoul(text, NULL, 10) : PROCESS_UNSET;
}

static void compare_credentials(const struct event *event, pid_t pid)
{
	static char text[65536];

	assert_true(read_file(pid, "status", text, sizeof(text)) > 0);
	assert_true(event->credentials.known);
	assert_int_equal(event->uid, status_number(text, "\nUid:", 0, 10));
	assert_int_equal(event->credentials.effective_uid, status_number(text, "\nUid:", 1, 10));
	assert_int_equal(event->gid, status_number(text, "\nGid:", 0, 10));
	assert_int_equal(event->credentials.effective_gid, status_number(text, "\nGid:", 1, 10));
	assert_int_equal(event->credentials.groups_count, words(text, "\nGroups:"));
	assert_int_equal(event->credentials.permitted, status_number(text, "\nCapPrm:", 0, 16));
	assert_int_equal(event->credentials.effective, status_number(text, "\nCapEff:", 0, 16));
	assert_int_equal(event->credentials.login_uid, unset_or_number(pid, "loginuid"));
	assert_int_equal(event->credentials.session, unset_or_number(pid, "sessionid"));
}

static int64_t nanoseconds(const struct timespec *time)
{
	return time->tv_sec * 1000000000LL + time->tv_nsec;
}

void who_compare_file(const struct executable *executable, const struct stat *status)
{
	assert_true(executable->has_inode);
	assert_int_equal(executable->device, status->st_dev);
	assert_int_equal(executable->inode, status->st_ino);
	assert_int_equal(executable->mtime_ns, nanoseconds(&status->st_mtim));
	assert_int_equal(executable->ctime_ns, nanoseconds(&status->st_ctim));
}

static uint32_t namespace_inode(pid_t pid, const char *name)
{
	char path[64];
	struct stat status;

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, name);
	assert_int_equal(stat(path, &status), 0);
	return (uint32_t)status.st_ino;
}

static void compare_arguments(const struct process *process, pid_t pid)
{
	static char text[1 << 20];
	size_t n = read_file(pid, "cmdline", text, sizeof(text)), count = 0;

	assert_non_null(process->arguments);
	if (n > 4096) {
		assert_true(process->arguments_truncated);
		assert_in_range(process->arguments_length, 4096, 4097);
		assert_memory_equal(process->arguments, text, 4096);
		return;
	}
	assert_false(process->arguments_truncated);
	assert_int_equal(process->arguments_length, n);
	assert_memory_equal(process->arguments, text, n);
	for (size_t i = 0; i < n; i++)
		count += text[i] == '\0';
	assert_int_equal(process->arguments_count, count);
}

static void compare_cgroup(const struct event *event, pid_t pid)
{
	char text[8192];
	const char *line;

	assert_true(read_file(pid, "cgroup", text, sizeof(text)) > 0);
	line = strncmp(text, "0::", 3) == 0 ? text : strstr(text, "\n0::");
	if (!line) /* the hierarchy is mounted nowhere, and all are in its root */
		line = "0::/\n";
	line = strchr(line, '/');
	assert_non_null(event->process->cgroup.path);
	assert_int_equal(strlen(event->process->cgroup.path), strcspn(line, "\n"));
	assert_memory_equal(event->process->cgroup.path, line, strcspn(line, "\n"));
	assert_true(event->cgroup_id != 0);
	assert_int_equal(event->process->cgroup.id, event->cgroup_id);
}

static void compare_ancestors(const struct process *process, pid_t pid)
{
	size_t count = 0;

	for (pid_t parent = (pid_t)stat_field(pid, 4); parent && count < PROCESS_ANCESTORS_MAX;
	     parent = (pid_t)stat_field(parent, 4), count++) {
		const struct ancestor *ancestor = &process->ancestors[count];
		char text[4096], path[64];
		ssize_t n;

		assert_true(count < process->ancestors_count);
		assert_int_equal(ancestor->pid, parent);
		assert_int_equal(ancestor->start_ns / 10000000, stat_field(parent, 22));
		text[read_file(parent, "comm", text, sizeof(text)) - 1] = '\0';
		assert_string_equal(ancestor->comm, text);
		(void)snprintf(path, sizeof(path), "/proc/%d/exe", parent);
		n = readlink(path, text, sizeof(text) - 1);
		if (n < 0 && errno == ENOENT)
			assert_null(ancestor->executable);
		if (n < 0) /* one that is none of our business: EACCES */
			continue;
		text[n] = '\0';
		if (strstr(text, " (deleted)")) /* not said of an ancestor */
			*strstr(text, " (deleted)") = '\0';
		assert_non_null(ancestor->executable);
		assert_int_equal(ancestor->executable_truncated, strlen(text) > 255);
		assert_string_equal(ancestor->executable, strlen(text) > 255 ? text + strlen(text) - 255 : text);
	}
	assert_int_equal(process->ancestors_count, count);
}

void who_compare(const struct who_event *seen, pid_t pid)
{
	const struct event *event = &seen->event;
	const struct process *process = &seen->process;
	char text[8192], path[64];
	struct stat status;

	assert_int_equal(event->pid, pid);
	assert_int_equal(process->pid, pid);
	assert_true(event->has_process_start);
	assert_int_equal(process->start_ns, event->process_start_ns);
	assert_int_equal(process->exec_id, event->process_exec_id);
	assert_int_equal(process->start_ns / 10000000, stat_field(pid, 22));
	text[read_file(pid, "comm", text, sizeof(text)) - 1] = '\0';
	assert_string_equal(process->comm, text);
	assert_false(process->kernel_thread);

	who_link(pid, "exe", text, sizeof(text));
	assert_string_equal(process->executable.path, text);
	assert_false(process->executable.path_truncated);
	(void)snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	assert_int_equal(stat(path, &status), 0);
	who_compare_file(&process->executable, &status);

	compare_arguments(process, pid);
	who_link(pid, "cwd", text, sizeof(text));
	assert_string_equal(process->working_directory, text);
	who_link(pid, "root", text, sizeof(text));
	assert_string_equal(process->root_directory, text);
	compare_ancestors(process, pid);
	assert_int_equal(process->pidns_inode, namespace_inode(pid, "pid"));
	assert_int_equal(process->mntns_inode, namespace_inode(pid, "mnt"));
	assert_int_equal(process->userns_inode, namespace_inode(pid, "user"));
	assert_int_equal(process->netns_inode, namespace_inode(pid, "net"));
	compare_credentials(event, pid);
	compare_cgroup(event, pid);
}
