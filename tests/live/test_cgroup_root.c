/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hooks of a cgroup see what is below it. Where the root of the hierarchy is not to be had, a bind of our own is
 * seen and others' are not: that must be said, and nobody may call it healthy.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/live/diagnosis.h"
#include "user/base/mountinfo.h"
#include "user/sense/attach.h"

static char program[4096];
static const char *why_not;

/* Empty directories, and what the program finds there; the cgroup that it runs in. */
static char part[] = "/tmp/bindwatch-test-XXXXXX", whole[] = "/tmp/bindwatch-test-XXXXXX";
static char cgroup[64];
static int root = -1;

/* One of the mounts of the hierarchy, but not ours. */
static int unmount(void *context, const struct mountinfo *mount)
{
	(void)context;
	if (strcmp(mount->type, "cgroup2") != 0 || strcmp(mount->point, part) == 0 || strcmp(mount->point, whole) == 0)
		return 0;
	return umount2(mount->point, MNT_DETACH) == 0;
}

static void enter_mounts(void)
{
	if (unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		_exit(120);
}

static void unmount_all(void)
{
	int r;

	while ((r = mountinfo_each(MOUNTINFO, unmount, NULL)) > 0)
		;
	if (r < 0)
		_exit(121);
}

/* A cgroup namespace of its own: what is mounted in it shows the cgroup that it was made in, as its root. */
static void enter_cgroup(void)
{
	int processes, fd = openat(root, cgroup, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	processes = openat(fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	if (processes < 0 || write(processes, "0", 1) != 1 || unshare(CLONE_NEWCGROUP) ||
	    mount("none", part, "cgroup2", 0, NULL))
		_exit(122);
	close(processes);
	close(fd);
}

static void see_a_part(const void *context)
{
	(void)context;
	enter_mounts();
	enter_cgroup();
	unmount_all();
}

static void see_both(const void *context)
{
	char path[32];
	int fd;

	(void)context;
	enter_mounts();
	fd = cgroup_root_open(MOUNTINFO);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	enter_cgroup();
	/* the part stands before it in mountinfo */
	if (mount(path, whole, NULL, MS_BIND, NULL))
		_exit(123);
	close(fd);
	unmount_all();
}

static void see_nothing(const void *context)
{
	(void)context;
	enter_mounts();
	unmount_all();
}

static int spawn_and_finish(struct monitor *monitor, const char *const *arguments, void (*before)(const void *context))
{
	const struct monitor_options options = {.program = program, .arguments = arguments, .before_exec = before};

	assert_int_equal(monitor_spawn(monitor, &options), 0);
	return monitor_finish(monitor, 0);
}

/* The doctor's report from there; a new reference. */
static json_t *diagnose(void (*before)(const void *context), int *ret_code)
{
	const char *plan = getenv("BINDWATCH_TEST_PLAN");
	struct monitor monitor;
	json_t *report;

	*ret_code = spawn_and_finish(
	        &monitor, plan ? DOCTOR("--output", "json", "--plan", plan) : DOCTOR("--output", "json"), before);
	report = diagnosis_parse(&monitor);
	monitor_free(&monitor);
	return report;
}

/* Nothing there may be called healthy; of the tracepoint plan the reason is known. */
static void assert_ill(void (*before)(const void *context), const char *reason)
{
	json_t *report;
	int code;

	report = diagnose(before, &code);
	assert_string_equal(diagnosis_text(report, "host", "cgroup v2", "state"), "no");
	assert_non_null(strstr(diagnosis_text(report, "host", "cgroup v2", "detail"), reason));
	assert_true(json_is_false(live_field(diagnosis_row(report, "plans", "tracepoint"), "works")));
	/* where it has all functions for it: not without probe reads */
	if (!live_locked_down())
		assert_non_null(strstr(diagnosis_text(report, "plans", "tracepoint", "detail"), reason));
	/* a plan that needs no cgroup: the socket of an ordinary process has no cookie, so its end cannot be told */
	if (live_field(report, "plan"))
		assert_string_equal(diagnosis_text(report, "canary", "close", "state"), "not-seen");
	assert_true(json_is_false(live_field(report, "healthy")));
	assert_int_equal(code, 1);
	json_decref(report);
}

static void a_part_is_not_the_root(void **state)
{
	struct monitor monitor;

	(void)state;
	SKIP_BECAUSE(why_not);
	assert_int_equal(spawn_and_finish(&monitor, ARGUMENTS("--plan", "tracepoint"), see_a_part), 1);
	assert_int_equal(live_lines(&monitor.message), 1);
	assert_true(live_says(&monitor.message, live_locked_down() ? "tracepoint" : "run bindwatch in the host's"));
	monitor_free(&monitor);
}

static void mounted_nowhere(void **state)
{
	struct monitor monitor;

	(void)state;
	SKIP_BECAUSE(why_not);
	assert_int_equal(spawn_and_finish(&monitor, ARGUMENTS("--plan", "tracepoint"), see_nothing), 1);
	assert_int_equal(live_lines(&monitor.message), 1);
	assert_true(live_says(&monitor.message, live_locked_down() ? "tracepoint" : "not mounted"));
	monitor_free(&monitor);
}

static void the_doctor_calls_it_ill(void **state)
{
	(void)state;
	SKIP_BECAUSE(why_not);
	assert_ill(see_a_part, "cgroup namespace: run bindwatch in the host's");
}

/* The root is taken where it is, and a bind outside of the monitor's cgroup is told. */
static void root_beside_a_part(void **state)
{
	const struct monitor_options options = {
	        .program = program, .arguments = ARGUMENTS("--output", "json"), .json = true, .before_exec = see_both};
	struct monitor monitor;

	(void)state;
	SKIP_BECAUSE(why_not);
	assert_int_equal(monitor_start(&monitor, &options), 0);
	assert_int_equal(monitor_sync(&monitor, 0), 0);
	assert_int_equal(monitor_ledger(&monitor), 0);
	monitor_free(&monitor);
}

static const char *make_place(void)
{
	if (scene_enter_namespace() != 0)
		return "no network namespace of its own can be made here";
	if (unshare(CLONE_NEWNS) != 0)
		return "no mount namespace of its own can be made here";
	root = cgroup_root_open(MOUNTINFO);
	if (root < 0)
		return "the root of the cgroup v2 hierarchy is mounted nowhere";
	(void)snprintf(cgroup, sizeof(cgroup), "bindwatch-test-%d", getpid());
	return mkdirat(root, cgroup, 0755) ? "no cgroup can be made here" : NULL;
}

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(part) || !mkdtemp(whole))
		return -1;
	why_not = live_why_not();
	if (!why_not)
		why_not = make_place();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (root >= 0) {
		(void)unlinkat(root, cgroup, AT_REMOVEDIR);
		close(root);
	}
	(void)rmdir(whole);
	return rmdir(part);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_part_is_not_the_root),
	        cmocka_unit_test(mounted_nowhere),
	        cmocka_unit_test(the_doctor_calls_it_ill),
	        cmocka_unit_test(root_beside_a_part),
	};

	if (argc < 1 || live_program(argv[0], program, sizeof(program))) {
		fprintf(stderr, "run this as B/tests/live/NAME: B/bindwatch is what it tests\n");
		return 1;
	}
	return cmocka_run_group_tests_name("the root of the cgroups", tests, setup, teardown);
}
