/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bindwatch learn against servers that run: this program itself, under names and in places of which some must be learnt
 * and some must be refused. What else runs on this machine shows, too, and is not looked at.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/live/command.h"
#include "tests/live/live.h"
#include "tests/live/server.h"
#include "user/sense/attach.h"

#define PATH_LEN 4096
#define FILE_LEN (PATH_LEN + 64)

static char program[PATH_LEN];
static char place[PATH_LEN];       /* a directory of our own where nobody else may write */
static char alerts[PATH_LEN + 16]; /* a policy that alerts on everything */
static char learnt[PATH_LEN + 16]; /* where a test puts what was learnt */
static const char *why_not;

/* --- the command --- */

#define LEARN(...) learn((char *const[]){"bindwatch", "learn", __VA_ARGS__, NULL})

static struct run learn(char *const *arguments)
{
	return command_run(0, -1, program, arguments);
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* The section of this program, from its comment to the next empty line; the caller frees it. NULL: there is none. */
static char *section_of(const char *text, const char *path)
{
	const char *start, *end;
	char *mark;

	assert_true(asprintf(&mark, "\n# %s:\n", path) > 0);
	start = strstr(text, mark);
	free(mark);
	if (!start)
		return NULL;
	end = strstr(start + 1, "\n\n");
	return end ? strndup(start + 1, (size_t)(end - start)) : strdup(start + 1);
}

static void path_in_place(char path[FILE_LEN], const char *name)
{
	(void)snprintf(path, FILE_LEN, "%s/%s", place, name);
}

/* --- tests --- */

static void what_runs_is_learnt(void **state)
{
	char path[FILE_LEN], wanted[2 * PATH_LEN], *section;
	struct run run;
	pid_t pid;

	(void)state;
	SKIP_BECAUSE(why_not);
	path_in_place(path, "server one");
	server_copy(path);
	pid = server_start(path, -1, SERVE("tcp", "27901", "udp", "27901", "tcp-loopback", "27902", "tcp-chosen", "1"));
	run = LEARN("--policy", alerts);
	command_child_end(pid);
	assert_int_equal(run.status, 0);
	section = section_of(run.out, path);
	assert_non_null(section);
	/* the port that the kernel chose shows only where the kernel tells that it did */
	(void)snprintf(wanted, sizeof(wanted), "\nexe = \"%s\"\n", path);
	assert_non_null(strstr(section, wanted));
	assert_null(strstr(section, "27902"));
	assert_non_null(strstr(section, "27901/tcp: 1 bind by root, "));
	assert_non_null(strstr(section, "27901/udp: 1 bind by root, "));
	if (!strstr(run.err, "iterator"))
		assert_non_null(strstr(section, "\nport = 27901/tcp 27901/udp\n"));
	free(section);
	command_free(&run);
}

static void a_restart_adds_nothing(void **state)
{
	char path[FILE_LEN], *section;
	struct run run;
	pid_t pid;

	(void)state;
	SKIP_BECAUSE(why_not);
	path_in_place(path, "server [two]*");
	server_copy(path);
	pid = server_start(path, -1, SERVE("tcp", "27903", "udp", "514"));
	run = LEARN("--policy", alerts);
	command_child_end(pid);
	assert_int_equal(run.status, 0);
	section = section_of(run.out, path);
	assert_non_null(section);
	write_file(learnt, run.out);
	free(section);
	command_free(&run);
	run = command_run(0, -1, program, (char *const[]){"bindwatch", "check", "--policy", learnt, NULL});
	if (run.status)
		fail_msg("what was learnt is refused: %s%s", run.out, run.err);
	command_free(&run);

	pid = server_start(path, -1, SERVE("udp", "514", "tcp", "27903"));
	/* the first rule that matches wins: what was learnt goes before what alerts */
	run = LEARN("--policy", learnt, "--policy", alerts);
	command_child_end(pid);
	if (run.status)
		fail_msg("what was learnt is no policy: %s", run.err);
	assert_null(section_of(run.out, path));
	assert_null(strstr(run.err, path));
	command_free(&run);

	/* and one more port is all that is new */
	pid = server_start(path, -1, SERVE("udp", "514", "tcp", "27903", "tcp", "27904"));
	run = LEARN("--policy", learnt, "--policy", alerts);
	command_child_end(pid);
	section = section_of(run.out, path);
	assert_non_null(section);
	assert_non_null(strstr(section, "\nport = 27904/tcp\n"));
	free(section);
	command_free(&run);
}

/* One refused program: nothing learnt of it, and one line that names it and says why. */
static void check_refused(const char *path, const char *const *serve, int fd, const char *name, const char *why)
{
	char *line, *end;
	struct run run;
	pid_t pid = server_start(path, fd, serve);

	run = LEARN("--policy", alerts);
	command_child_end(pid);
	assert_int_equal(run.status, 0);
	assert_null(strstr(run.out, "27905"));
	line = strstr(run.err, name);
	if (!line)
		fail_msg("%s is not named in %s", name, run.err);
	end = strchr(line, '\n');
	*end = '\0';
	if (!strstr(line, why) || !strstr(line, " run by root, on 27905/tcp: "))
		fail_msg("'%s' does not say '%s'", line, why);
	command_free(&run);
}

static void what_is_suspicious_is_refused(void **state)
{
	char path[FILE_LEN], open_place[] = "/tmp/bindwatch-test-XXXXXX", beside[64];
	struct run run;
	pid_t pid;
	int fd;

	(void)state;
	SKIP_BECAUSE(why_not);
	assert_non_null(mkdtemp(open_place));
	(void)snprintf(beside, sizeof(beside), "%s/server", open_place);
	server_copy(beside);
	check_refused(beside, SERVE("tcp", "27905"), -1, beside, "everybody may write where the program stands");
	fd = open(beside, O_RDONLY | O_CLOEXEC);
	assert_int_equal(unlink(beside), 0);
	(void)close(fd);
	assert_int_equal(rmdir(open_place), 0);

	path_in_place(path, "python3.99");
	server_copy(path);
	check_refused(path, SERVE("tcp", "27905"), -1, path, "an interpreter of no unit may be any program");

	path_in_place(path, "memory");
	server_copy(path);
	fd = memfd_create("hidden", 0);
	{
		int from = open(path, O_RDONLY | O_CLOEXEC);
		struct stat status;

		assert_int_equal(fstat(from, &status), 0);
		for (off_t done = 0; done < status.st_size;)
			assert_true(sendfile(fd, from, &done, (size_t)(status.st_size - done)) > 0);
		(void)close(from);
	}
	check_refused(path, SERVE("tcp", "27905"), fd, "hidden", "the program exists in memory only");
	(void)close(fd);

	path_in_place(path, "deleted");
	server_copy(path);
	pid = server_start(path, -1, SERVE("tcp", "27906"));
	assert_int_equal(unlink(path), 0);
	run = LEARN("--policy", alerts);
	command_child_end(pid);
	assert_null(strstr(run.out, "27906"));
	assert_non_null(strstr(run.err, "the program's file was deleted"));
	command_free(&run);
}

static bool can_make_userns(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(unshare(CLONE_NEWUSER) < 0);
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Who made it could have mounted this program over any other's path. */
static void a_user_namespace_of_its_own_is_refused(void **state)
{
	char path[FILE_LEN];

	(void)state;
	SKIP_BECAUSE(why_not);
	SKIP_BECAUSE(can_make_userns() ? NULL : "no namespace of users can be made here");
	path_in_place(path, "userns");
	server_copy(path);
	check_refused(path, SERVE("tcp-userns", "27905"), -1, path, "it runs in a user namespace of its own");
}

/* Puts the process into the cgroup of this path, made where it is not there. 0 or -errno. */
static int enter_cgroup(int root, const char *path, pid_t pid)
{
	char part[256], number[16];
	int processes, len = snprintf(number, sizeof(number), "%d", pid), r = 0;

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		(void)snprintf(part, sizeof(part), "%.*s", (int)(slash - path), path);
		(void)mkdirat(root, part, 0755);
	}
	if (mkdirat(root, path, 0755) < 0 && errno != EEXIST)
		return -errno;
	(void)snprintf(part, sizeof(part), "%.200s/cgroup.procs", path);
	processes = openat(root, part, O_WRONLY | O_CLOEXEC);
	if (processes < 0 || write(processes, number, (size_t)len) != len)
		r = -errno;
	if (processes >= 0)
		(void)close(processes);
	return r;
}

/* The processes in it are gone; those above it go where nobody else has use for them. */
static void remove_cgroup(int root, const char *path)
{
	char part[256];

	(void)snprintf(part, sizeof(part), "%s", path);
	for (char *slash = part; slash; slash = strrchr(part, '/')) {
		if (slash != part)
			*slash = '\0';
		/* a process that was killed a moment ago may still count */
		for (unsigned int tries = 0; unlinkat(root, part, AT_REMOVEDIR) < 0 && errno == EBUSY && tries < 100;
		     tries++)
			(void)usleep(10000);
	}
}

/* A unit is part of the rule, and lets an interpreter pass; a container is any container, for the next has another id.
 */
static void units_and_containers(void **state)
{
#define OTHER_ID "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define ID       "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	static const struct {
		const char *name, *cgroup, *restarted_in, *wanted;
	} table[] = {
	        {"unit-server", "bindwatch-test.slice/bindwatch-test.service",
	         "bindwatch-test.slice/bindwatch-test.service", "\nunit = bindwatch-test.service\nport = 27910/tcp\n"},
	        {"python3.98", "bindwatch-test.slice/bindwatch-test.service",
	         "bindwatch-test.slice/bindwatch-test.service", "\nunit = bindwatch-test.service\nport = 27910/tcp\n"},
	        {"container-server", "bindwatch-test.slice/docker-" ID ".scope",
	         "bindwatch-test.slice/docker-" OTHER_ID ".scope", "\ncontainer = any\nport = 27910/tcp\n"},
	};
	int root;

	(void)state;
	SKIP_BECAUSE(why_not);
	root = cgroup_root_open("/proc/self/mountinfo");
	SKIP_BECAUSE(root < 0 ? "the cgroup v2 hierarchy is mounted nowhere" : NULL);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char path[FILE_LEN], wanted[FILE_LEN + 256];
		struct run run;
		pid_t pid;
		int r;

		path_in_place(path, table[i].name);
		server_copy(path);
		pid = server_start(path, -1, SERVE("tcp", "27910"));
		r = enter_cgroup(root, table[i].cgroup, pid);
		if (r == 0)
			run = LEARN("--policy", alerts);
		command_child_end(pid);
		remove_cgroup(root, table[i].cgroup);
		SKIP_BECAUSE(r < 0 ? "no cgroup can be made here" : NULL);
		(void)snprintf(wanted, sizeof(wanted), "\nexe = %s\nuserns = host%s", path, table[i].wanted);
		if (!strstr(run.out, wanted))
			fail_msg("'%s' is not in %s%s", wanted, run.out, run.err);
		write_file(learnt, run.out);
		command_free(&run);

		pid = server_start(path, -1, SERVE("tcp", "27910"));
		assert_int_equal(enter_cgroup(root, table[i].restarted_in, pid), 0);
		run = LEARN("--policy", learnt, "--policy", alerts);
		command_child_end(pid);
		remove_cgroup(root, table[i].restarted_in);
		assert_null(strstr(run.out, path));
		assert_null(strstr(run.err, path));
		command_free(&run);
		(void)unlink(path);
	}
	(void)close(root);
}

/* What happens while it watches is learnt with what was there before; SIGINT ends it, and it writes. */
static void what_happens_is_learnt(void **state)
{
	char path[FILE_LEN], *section;
	const char *arguments[] = {"learn", "--for", "600", "--policy", alerts, NULL};
	struct monitor monitor;
	int64_t deadline;
	pid_t before, meanwhile;

	(void)state;
	SKIP_BECAUSE(why_not);
	SKIP_BECAUSE(live_why_not());
	path_in_place(path, "live");
	server_copy(path);
	before = server_start(path, -1, SERVE("tcp", "27907"));
	assert_int_equal(monitor_spawn(&monitor, &(struct monitor_options){.program = program, .arguments = arguments}),
	                 0);
	for (deadline = live_now_ms() + LIVE_WAIT_MS;
	     !(monitor.message.data && strstr(monitor.message.data, "watching for")) && live_now_ms() < deadline;)
		assert_true(monitor_read(&monitor, 100) >= 0);
	meanwhile = server_start(path, -1, SERVE("udp", "27908"));
	command_child_end(meanwhile); /* gone before anybody looks: its identity is the hook's */
	assert_int_equal(monitor_finish(&monitor, SIGINT), 0);
	command_child_end(before);
	assert_non_null(monitor.output.data);
	section = section_of(monitor.output.data, path);
	assert_non_null(section);
	assert_non_null(strstr(section, "\nport = 27907/tcp 27908/udp\n"));
	free(section);
	monitor_free(&monitor);
}

static void the_command_line(void **state)
{
	static const struct {
		const char *first, *second;
		int status;
		const char *says;
	} table[] = {
	        {"--for", "0", 2, "'0' is not a number of seconds from 1 to 31536000"},
	        {"--for", "1h", 2, "'1h' is not a number"},
	        {"--for", NULL, 2, "--for"},
	        {"--for=3", "--from=x", 2, "one of them"},
	        {"file.jsonl", NULL, 2, "a file is named with --from"},
	        {"--nonsense", NULL, 2, "--nonsense"},
	        {"--from", "/nowhere/at/all", 1, "/nowhere/at/all: No such file or directory"},
	        {"--policy", "/nowhere/at/all", 1, "/nowhere/at/all"},
	        {"--registry", "/nowhere/at/all", 1, "/nowhere/at/all"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct run run = LEARN((char *)table[i].first, (char *)table[i].second);

		if (run.status != table[i].status || !strstr(run.err, table[i].says) || *run.out)
			fail_msg("row %zu: exit %d, '%s', '%s'", i, run.status, run.err, run.out);
		command_free(&run);
	}
}

static int start(void **state)
{
	(void)state;
	why_not = geteuid() ? "this takes root: to see whose sockets these are" : NULL;
	if (server_place(place) < 0)
		return -1;
	(void)snprintf(alerts, sizeof(alerts), "%s/alerts.conf", place);
	(void)snprintf(learnt, sizeof(learnt), "%s/learnt.conf", place);
	write_file(alerts, "[alert everything]\naction = bound-socket existing-socket\nseverity = low\n");
	return 0;
}

static int stop(void **state)
{
	static const char *const names[] = {"server one", "server [two]*", "python3.99",  "memory",
	                                    "live",       "userns",        "alerts.conf", "learnt.conf"};
	char path[FILE_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		path_in_place(path, names[i]);
		(void)unlink(path);
	}
	return rmdir(place);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_command_line),       cmocka_unit_test(what_runs_is_learnt),
	        cmocka_unit_test(a_restart_adds_nothing), cmocka_unit_test(what_is_suspicious_is_refused),
	        cmocka_unit_test(units_and_containers),   cmocka_unit_test(what_happens_is_learnt),
	        cmocka_unit_test(a_user_namespace_of_its_own_is_refused),
	};

	if (server_is_meant(argc, argv))
		return server_run(argv);
	if (live_program(argv[0], program, sizeof(program)) < 0)
		return 1;
	return cmocka_run_group_tests_name("learn", tests, start, stop);
}
