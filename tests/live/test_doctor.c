/* SPDX-License-Identifier: BSD-2-Clause */
/* `bindwatch doctor`: what it says is held against what this test finds out by itself. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "tests/live/diagnosis.h"
#include "tests/live/links.h"
#include "tests/live/live.h"
#include "tests/live/ring.h"
#include "user/base/ipproto.h"

/* A hook can be taken off too late; one of so many runs will be early enough. */
#define RACES 20

static char program[4096];
static const char *why_not;

/* One run that most tests look at: a report costs an emulated CPU its seconds. */
static struct {
	json_t *report;
	int code;
	size_t messages; /* bytes on stderr */
} healthy;

static bool has_socket(int domain, int type, int protocol)
{
	int fd = socket(domain, type | SOCK_CLOEXEC, protocol);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool has_ipv6_loopback(void)
{
	const uint16_t port = 8830;

	return live_bind_ports(AF_INET6, SOCK_DGRAM, &port, 1) == 0;
}

/* Two programs for two forms of one kernel function have one name in events: fexit_listen_start(_backlog). */
static void assert_hook_attached(const json_t *report, const char *hook)
{
	const json_t *rows = live_field(report, "hooks");
	bool attached = false;

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *one = json_array_get(rows, i);
		const char *name = json_string_value(live_field(one, "name"));

		attached |= strncmp(name, hook, strlen(hook)) == 0 && json_is_true(live_field(one, "attached"));
	}
	if (!attached)
		fail_msg("seen by %s, which is not attached", hook);
}

/* Seen where it exists, by a hook that is attached; else it says why not. */
static void assert_path(const json_t *report, const char *name, bool exists)
{
	const json_t *canary = diagnosis_row(report, "canary", name);
	const char *state = json_string_value(live_field(canary, "state"));
	const char *hook = json_string_value(live_field(canary, "hook"));
	json_int_t record = json_integer_value(live_field(canary, "record_us"));
	json_int_t reader = json_integer_value(live_field(canary, "reader_us"));

	if (strcmp(state, exists ? "seen" : "none") != 0)
		fail_msg("%s: %s", name, state);
	if (!exists) {
		assert_true(strlen(json_string_value(live_field(canary, "detail"))) > 0);
		return;
	}
	assert_non_null(hook);
	assert_hook_attached(report, hook);
	assert_true(json_is_integer(live_field(canary, "record_us")));
	/* on an emulated CPU a call takes some milliseconds; a wrong unit or clock is far off */
	if (record > reader || reader > 2000000)
		fail_msg("%s: recorded after %d us, read after %d us", name, (int)record, (int)reader);
}

static void every_path_is_seen(void **state)
{
	bool tracepoint, v6 = has_ipv6_loopback(), ring = ring_why_not() == NULL;
	const json_t *report = healthy.report;

	(void)state;
	SKIP_BECAUSE(why_not);
	assert_path(report, "bind tcp v4", true);
	assert_path(report, "bind udp v4", true);
	assert_path(report, "bind tcp v6", v6);
	assert_path(report, "bind udp v6", v6);
	assert_path(report, "listen", true);
	assert_path(report, "listen without bind", true);
	assert_path(report, "close", true);
	assert_path(report, "bind mptcp", has_socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP));
	assert_path(report, "bind sctp", access("/proc/net/sctp", F_OK) == 0);
	assert_path(report, "io_uring bind", ring);
	assert_path(report, "io_uring listen", ring);
	tracepoint = strcmp(json_string_value(live_field(report, "plan")), "tracepoint") == 0;
	assert_path(report, "io_uring listen without bind", ring && !tracepoint);
	assert_int_equal(json_array_size(live_field(report, "canary")), 12);
	assert_true(json_is_true(live_field(report, "healthy")));
	assert_int_equal(healthy.code, 0);
	assert_int_equal(healthy.messages, 0);
}

static void the_host_is_told(void **state)
{
	static const char *const capabilities[] = {"CAP_BPF", "CAP_PERFMON", "CAP_NET_ADMIN", "CAP_SYS_ADMIN",
	                                           "CAP_SYS_PTRACE"};
	struct utsname system;
	const json_t *report = healthy.report;

	(void)state;
	SKIP_BECAUSE(why_not);
	assert_int_equal(uname(&system), 0);
	assert_string_equal(diagnosis_text(report, "host", "kernel", "detail"), system.release);
	assert_string_equal(diagnosis_text(report, "host", "kernel", "state"), "ok");
	assert_string_equal(diagnosis_text(report, "host", "BTF", "state"), "ok");
	for (size_t i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]); i++)
		assert_non_null(diagnosis_text(report, "host", capabilities[i], "state"));
	if (access("/sys/kernel/security/lockdown", R_OK) == 0)
		assert_string_not_equal(diagnosis_text(report, "host", "lockdown", "state"), "none");
	assert_non_null(diagnosis_text(report, "host", "tracefs", "detail"));
	assert_non_null(diagnosis_text(report, "host", "cgroup v2", "detail"));
}

/* The plan that it takes is the one that watch takes, and the others have a reason. */
static void the_plans_are_told(void **state)
{
	const struct monitor_options options = {.program = program, .arguments = ARGUMENTS("--output", "json")};
	static const char *const plans[] = {"trampoline", "kprobe", "tracepoint"};
	struct monitor watch;
	const json_t *report = healthy.report;
	size_t chosen = 0;

	(void)state;
	SKIP_BECAUSE(why_not);
	assert_int_equal(monitor_start(&watch, &options), 0);
	assert_string_equal(json_string_value(live_field(report, "plan")), watch.plan);
	for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
		const json_t *plan = diagnosis_row(report, "plans", plans[i]);

		chosen += json_is_true(live_field(plan, "chosen"));
		if (strcmp(plans[i], watch.plan) == 0)
			assert_true(json_is_true(live_field(plan, "chosen")));
		if (!json_is_true(live_field(plan, "works")))
			assert_true(strlen(json_string_value(live_field(plan, "detail"))) > 0);
	}
	assert_int_equal(chosen, 1);
	monitor_free(&watch);
}

static void the_ledger_agrees(void **state)
{
	const char *cause;
	json_t *lost, *count;
	json_int_t sum = 0;

	(void)state;
	SKIP_BECAUSE(why_not);
	lost = json_object_get(json_object_get(healthy.report, "ledger"), "lost");
	assert_true(json_object_size(lost) > 0);
	json_object_foreach(lost, cause, count) sum += json_integer_value(count);
	assert_int_equal(sum, 0);
	assert_true(json_is_true(live_field(healthy.report, "ledger.agrees")));
	assert_int_equal(json_integer_value(live_field(healthy.report, "ledger.seen")),
	                 json_integer_value(live_field(healthy.report, "ledger.delivered")) +
	                         json_integer_value(live_field(healthy.report, "ledger.own")));
	assert_true(json_integer_value(live_field(healthy.report, "ledger.delivered")) > 0);
}

/* The hook that tells of a release is taken off before the doctor comes to it: NOT SEEN, and exit code 1. */
static void silence_is_told(void **state)
{
	(void)state;
	SKIP_BECAUSE(why_not);
	for (int i = 0; i < RACES; i++) {
		const struct monitor_options options = {
		        .program = program, .arguments = DOCTOR("--plan", "tracepoint", "--output", "json")};
		struct monitor monitor;
		json_t *report;
		int code;

		assert_int_equal(monitor_spawn(&monitor, &options), 0);
		/* not so often that a machine with one CPU does nothing else */
		while (monitor_read(&monitor, 2) >= 0)
			(void)links_detach(monitor.pid, BPF_CGROUP_INET_SOCK_RELEASE);
		code = monitor_finish(&monitor, 0);
		report = diagnosis_parse(&monitor);
		monitor_free(&monitor);
		if (!live_field(report, "plan")) {
			json_decref(report);
			SKIP_BECAUSE("this kernel refuses plan tracepoint");
		}
		if (strcmp(diagnosis_text(report, "canary", "close", "state"), "seen") == 0) {
			json_decref(report);
			continue;
		}
		assert_string_equal(diagnosis_text(report, "canary", "close", "state"), "not-seen");
		assert_string_equal(diagnosis_text(report, "canary", "close", "detail"), "NOT SEEN");
		assert_true(
		        json_is_false(live_field(diagnosis_row(report, "hooks", "cgroup_sock_release"), "attached")));
		assert_true(json_is_false(live_field(report, "healthy")));
		assert_string_equal(diagnosis_text(report, "canary", "bind tcp v4", "state"), "seen");
		json_decref(report);
		assert_int_equal(code, 1);
		return;
	}
	fail_msg("the hook could not be taken off in time in any of %d runs", RACES);
}

static void plan_that_is_refused(void **state)
{
	static const char *const plans[] = {"trampoline", "kprobe", "tracepoint"};
	const char *refused = NULL;
	struct monitor monitor;

	(void)state;
	SKIP_BECAUSE(why_not);
	for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++)
		if (json_is_false(live_field(diagnosis_row(healthy.report, "plans", plans[i]), "works")))
			refused = plans[i];
	SKIP_BECAUSE(refused ? NULL : "this kernel refuses no plan");
	assert_int_equal(monitor_run(&monitor, program, DOCTOR("--plan", refused)), 1);
	assert_int_equal(live_lines(&monitor.message), 1);
	assert_true(live_says(&monitor.message, refused));
	assert_true(live_says(&monitor.output, "works, not chosen"));
	monitor_free(&monitor);
}

static int setup(void **state)
{
	struct monitor monitor;
	int result;

	(void)state;
	why_not = live_why_not();
	if (why_not)
		return 0;
	result = scene_enter_namespace();
	if (result == -EPERM || result == -EINVAL || result == -ENOSYS)
		why_not = "no network namespace of its own can be made here";
	if (result)
		return why_not ? 0 : result;
	healthy.code = diagnosis_run(program, &monitor, "json");
	healthy.report = diagnosis_parse(&monitor);
	healthy.messages = monitor.message.used;
	monitor_free(&monitor);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	json_decref(healthy.report);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_path_is_seen), cmocka_unit_test(the_host_is_told),
	        cmocka_unit_test(the_plans_are_told), cmocka_unit_test(the_ledger_agrees),
	        cmocka_unit_test(silence_is_told),    cmocka_unit_test(plan_that_is_refused),
	};

	if (argc < 1 || live_program(argv[0], program, sizeof(program))) {
		fprintf(stderr, "run this as B/tests/live/NAME: B/bindwatch is what it tests\n");
		return 1;
	}
	return cmocka_run_group_tests_name("doctor", tests, setup, teardown);
}
