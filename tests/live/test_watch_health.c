/* SPDX-License-Identifier: BSD-2-Clause */
/* Hooks that are taken off or made silent under a running watch: each is an alert of its own. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "bpf/bindwatch.h"
#include "tests/live/links.h"
#include "tests/live/live.h"

/* --health 1: the next look, a second for the canary, and room for a busy machine */
#define TOLD_WITHIN_MS 5000

/* Two looks, in which nothing may be told a second time, and the second for the canary of the first. */
#define QUIET_MS 2500

#define ALERT    "hook-silent"
#define DETACHED "it was detached"

static char program[4096];
static const char *why_not;

static size_t count_alerts(const struct monitor *monitor, const char *hook, const char *cause, const json_t **ret)
{
	size_t index, count = 0;
	json_t *event;

	json_array_foreach(monitor->events, index, event)
	{
		const char *rule = json_string_value(live_field(event, "rule.name"));
		const char *of = json_string_value(live_field(event, "bindwatch.capture.hook"));
		const char *why = json_string_value(live_field(event, "bindwatch.silent.cause"));

		if (!rule || strcmp(rule, ALERT) != 0 || !why || strcmp(why, cause) != 0)
			continue;
		if ((hook == NULL) != (of == NULL) || (hook && strcmp(hook, of) != 0))
			continue;
		*ret = event;
		count++;
	}
	return count;
}

/* Reads for so long, or until so many are told. monitor_sync() parses what was read. */
static size_t wait_alerts(struct monitor *monitor, const char *hook, const char *cause, size_t wanted, int64_t ms,
                          const json_t **ret)
{
	int64_t deadline = live_now_ms() + ms;
	size_t count;

	do {
		assert_true(monitor_read(monitor, 100) >= 0);
		assert_int_equal(monitor_sync(monitor, 0), 0);
		count = count_alerts(monitor, hook, cause, ret);
	} while (count < wanted && live_now_ms() < deadline);
	return count;
}

/* Without a sentinel, which would not be seen by hooks that are silent. */
static void wait_message(struct monitor *monitor, const char *line, unsigned int times)
{
	int64_t deadline = live_now_ms() + TOLD_WITHIN_MS;
	unsigned int count = 0;

	while (count < times && live_now_ms() < deadline) {
		assert_true(monitor_read(monitor, 100) >= 0);
		count = 0;
		for (const char *at = monitor->message.data; at && (at = strstr(at, line)); at++)
			count++;
	}
	if (count != times)
		fail_msg("%u times in place of %u on stderr: %s; %s", count, times, line,
		         monitor->message.data ? monitor->message.data : "");
}

static void assert_said_once(struct monitor *monitor, const char *hook, const char *cause)
{
	char line[160];

	(void)snprintf(line, sizeof(line), "the hook %s reports nothing any more: %s", hook, cause);
	wait_message(monitor, line, 1);
}

/* In the stream and on stderr. */
static void assert_told(struct monitor *monitor, const char *hook, const char *cause)
{
	const json_t *event = NULL;

	if (wait_alerts(monitor, hook, cause, 1, TOLD_WITHIN_MS, &event) != 1)
		fail_msg("%s: not told within %d ms: %s", hook, TOLD_WITHIN_MS, cause);
	assert_string_equal(json_string_value(live_field(event, "event.kind")), "alert");
	assert_string_equal(json_string_value(live_field(event, "event.action")), ALERT);
	assert_true(json_integer_value(live_field(event, "event.severity")) > 0);
	assert_string_equal(json_string_value(live_field(event, "bindwatch.capture.plan")), monitor->plan);
	assert_said_once(monitor, hook, cause);
}

/* Only once for as long as it lasts: nothing more is told of a hook that was told of. */
static void assert_not_told_again(struct monitor *monitor, const char *const *hooks, size_t count, const char *cause)
{
	const json_t *event;

	(void)wait_alerts(monitor, hooks[0], cause, 2, QUIET_MS, &event);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(count_alerts(monitor, hooks[i], cause, &event), 1);
		assert_said_once(monitor, hooks[i], cause);
	}
}

static void start(struct monitor *monitor)
{
	const struct monitor_options options = {
	        .program = program, .arguments = ARGUMENTS("--output", "json", "--health", "1"), .json = true};

	assert_int_equal(monitor_start(monitor, &options), 0);
}

static void finish(struct monitor *monitor)
{
	assert_int_equal(monitor_finish(monitor, SIGINT), 0);
	assert_int_equal(monitor->malformed, 0);
	monitor_free(monitor);
}

static void healthy_is_not_told(void **state)
{
	const json_t *event;
	struct monitor monitor;

	(void)state;
	SKIP_BECAUSE(why_not);
	start(&monitor);
	assert_int_equal(wait_alerts(&monitor, NULL, "a bind of our own was not seen", 1, QUIET_MS, &event), 0);
	assert_null(strstr(monitor.message.data, "reports nothing"));
	/* the canaries are nobody's events: only the sentinels are in the stream */
	for (size_t i = 0; i < json_array_size(monitor.events); i++) {
		const json_t *one = json_array_get(monitor.events, i);

		if (json_integer_value(live_field(one, "process.pid")) == monitor.pid)
			fail_msg("told of its own canary");
	}
	/* and they are not in the totals: what was seen was shown */
	assert_int_equal(monitor_ledger(&monitor), 0);
	monitor_free(&monitor);
}

/* The hooks of a cgroup, in this order; the first is all that the plans but tracepoint have of them. */
static void each_detached_hook_is_told(void **state)
{
	static const char *const hooks[] = {"cgroup_sock_create", "cgroup_post_bind6", "cgroup_post_bind4",
	                                    "cgroup_sock_release"};
	static const enum bpf_attach_type types[] = {BPF_CGROUP_INET_SOCK_CREATE, BPF_CGROUP_INET6_POST_BIND,
	                                             BPF_CGROUP_INET4_POST_BIND, BPF_CGROUP_INET_SOCK_RELEASE};
	struct monitor monitor;
	size_t count;

	(void)state;
	SKIP_BECAUSE(why_not);
	start(&monitor);
	count = strcmp(monitor.plan, "tracepoint") == 0 ? sizeof(hooks) / sizeof(hooks[0]) : 1;
	for (size_t i = 0; i < count; i++) {
		if (!links_detach(monitor.pid, types[i])) {
			monitor_free(&monitor);
			if (count == 1)
				SKIP_BECAUSE("this plan attaches nothing to a cgroup here");
			fail_msg("%s: plan tracepoint has no such link", hooks[i]);
		}
		assert_told(&monitor, hooks[i], DETACHED);
	}
	assert_not_told_again(&monitor, hooks, count, DETACHED);
	/* what is left sees binds still */
	assert_int_equal(monitor_sync(&monitor, 0), 0);
	finish(&monitor);
}

/* Threads that there are not: their entries stay, and no other call finds room. */
#define NO_THREAD 0xffffffff00000000ULL

static void fill_calls(int map)
{
	struct bpf_map_info info = {0};
	__u32 size = sizeof(info);
	struct bw_call *value;
	int r = 0;

	assert_int_equal(bpf_obj_get_info_by_fd(map, &info, &size), 0);
	assert_int_equal(info.value_size, sizeof(*value));
	value = test_calloc(1, info.value_size);
	value->begun_ns = UINT64_MAX; /* or the monitor would take them out: of threads that are gone */
	for (uint64_t i = 0; r == 0 && i <= 2 * info.max_entries; i++) {
		uint64_t key = NO_THREAD + i;

		r = bpf_map_update_elem(map, &key, value, BPF_ANY);
	}
	test_free(value);
	assert_int_equal(r, -E2BIG);
}

static void empty_calls(int map)
{
	struct bpf_map_info info = {0};
	__u32 size = sizeof(info);

	assert_int_equal(bpf_obj_get_info_by_fd(map, &info, &size), 0);
	for (uint64_t i = 0; i <= 2 * info.max_entries; i++) {
		uint64_t key = NO_THREAD + i;

		(void)bpf_map_delete_elem(map, &key);
	}
}

/*
 * Attached, and blind: the system call's hooks have no room to keep a call in, and those of the cgroup are gone. The
 * binds of our own do not come through, whatever the links say.
 */
static void silent_hooks_are_told(void **state)
{
	static const char cause[] = "a bind of our own was not seen";
	static const char line[] = "the hook of this plan reports nothing any more: a bind of our own was not seen";
	const json_t *event = NULL;
	struct monitor monitor;
	int map;

	(void)state;
	SKIP_BECAUSE(why_not);
	start(&monitor);
	map = links_map(monitor.pid, "calls");
	if (strcmp(monitor.plan, "tracepoint") != 0 || map < 0) {
		monitor_free(&monitor);
		SKIP_BECAUSE("only the hooks of plan tracepoint can be made silent from outside");
	}
	assert_true(links_detach(monitor.pid, BPF_CGROUP_INET4_POST_BIND));
	assert_true(links_detach(monitor.pid, BPF_CGROUP_INET6_POST_BIND));
	fill_calls(map);
	wait_message(&monitor, line, 1);
	/* it sees again: that is told by the sentinel; and then silent again: a second alert */
	empty_calls(map);
	assert_int_equal(monitor_sync(&monitor, 0), 0);
	assert_int_equal(count_alerts(&monitor, NULL, cause, &event), 1);
	assert_string_equal(json_string_value(live_field(event, "event.kind")), "alert");
	assert_int_equal(wait_alerts(&monitor, NULL, cause, 2, QUIET_MS, &event), 1);
	fill_calls(map);
	wait_message(&monitor, line, 2);
	empty_calls(map);
	close(map);
	assert_int_equal(monitor_sync(&monitor, 0), 0);
	assert_int_equal(count_alerts(&monitor, NULL, cause, &event), 2);
	/* the calls that were not kept are a loss, and told as such */
	assert_true(live_says(&monitor.message, "call-not-kept"));
	finish(&monitor);
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
	        cmocka_unit_test(healthy_is_not_told),
	        cmocka_unit_test(each_detached_hook_is_told),
	        cmocka_unit_test(silent_hooks_are_told),
	};

	if (argc < 1 || live_program(argv[0], program, sizeof(program))) {
		fprintf(stderr, "run this as B/tests/live/NAME: B/bindwatch is what it tests\n");
		return 1;
	}
	return cmocka_run_group_tests_name("watch, the health of its hooks", tests, setup, NULL);
}
