/* SPDX-License-Identifier: BSD-2-Clause */
/* A reader that cannot keep up: what is lost is told in the stream, with its count, its cause and its time. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <linux/types.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/bindwatch.h"
#include "tests/live/links.h"
#include "tests/live/live.h"

#define RING_CAUSE "ring-buffer-full"

/* More than the ring buffer holds, were each record as short as the record itself. */
#define FLOOD (BW_RING_BYTES / sizeof(struct bw_socket) + 2000)

/* "2026-01-31T23:59:59.123456789Z", as events have it: the order of two is that of their bytes. */
#define TIME_LEN 40

static char program[4096];
static const char *why_not;

static void time_now(char text[TIME_LEN])
{
	struct timespec now;
	struct tm utc;
	size_t used;

	clock_gettime(CLOCK_REALTIME, &now);
	assert_non_null(gmtime_r(&now.tv_sec, &utc));
	used = strftime(text, TIME_LEN, "%Y-%m-%dT%H:%M:%S", &utc);
	(void)snprintf(text + used, TIME_LEN - used, ".%09ldZ", now.tv_nsec);
}

static void flood(struct scene *scene, void *context)
{
	const unsigned int *count = context;
	struct sockaddr_storage address;
	socklen_t length = scene_address("127.0.0.1", 0, &address);

	(void)scene;
	for (unsigned int i = 0; i < *count; i++) {
		int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

		if (fd < 0 || bind(fd, (struct sockaddr *)&address, length))
			_exit(1);
		close(fd);
	}
}

struct totals {
	unsigned long long seen, shown, alerts, lost;
};

static void read_totals(const struct monitor *monitor, struct totals *ret)
{
	const char *at = monitor->message.data ? strstr(monitor->message.data, " seen, ") : NULL;

	assert_non_null(at);
	while (at > monitor->message.data && at[-1] != '\n')
		at--;
	assert_int_equal(sscanf(at, "bindwatch: %llu %*s seen, %llu shown, %llu alerts, %llu lost", &ret->seen,
	                        &ret->shown, &ret->alerts, &ret->lost),
	                 4);
	/* to its end: nothing was left unread or unwritten */
	assert_null(strstr(at, "not read"));
	assert_null(strstr(at, "not written"));
}

/* The sum of what the "lost" events of the cause say (NULL: of any), and in *ret the first of them. */
static uint64_t lost_in_stream(const struct monitor *monitor, const char *cause, const json_t **ret)
{
	uint64_t sum = 0;
	json_t *event;
	size_t index;

	*ret = NULL;
	json_array_foreach(monitor->events, index, event)
	{
		const char *of = json_string_value(live_field(event, "bindwatch.lost.cause"));

		if (!live_is_action(event, "lost"))
			continue;
		assert_non_null(of);
		if (cause && strcmp(of, cause) != 0)
			continue;
		assert_true(json_integer_value(live_field(event, "bindwatch.lost.count")) > 0);
		sum += (uint64_t)json_integer_value(live_field(event, "bindwatch.lost.count"));
		if (!*ret)
			*ret = event;
	}
	return sum;
}

static void start(struct monitor *monitor, bool counts_only)
{
	const struct monitor_options options = {.program = program,
	                                        .arguments = ARGUMENTS("--output", "json"),
	                                        .json = true,
	                                        .counts_only = counts_only};

	assert_int_equal(monitor_start(monitor, &options), 0);
}

static void flood_beyond_the_ring(void **state)
{
	unsigned int count = FLOOD;
	char before[TIME_LEN], after[TIME_LEN];
	const char *begin, *end;
	struct totals totals;
	struct monitor monitor;
	const json_t *event;
	uint64_t lost;

	(void)state;
	SKIP_BECAUSE(why_not);
	start(&monitor, true);
	assert_int_equal(monitor_sync(&monitor, 0), 0);
	assert_int_equal(kill(monitor.pid, SIGSTOP), 0);
	time_now(before);
	assert_int_equal(scene_child(flood, NULL, &count), 0);
	time_now(after);
	assert_int_equal(kill(monitor.pid, SIGCONT), 0);
	/* what is read first frees the ring: this one is told, behind all that was kept */
	(void)usleep(200000);
	assert_int_equal(monitor_sync(&monitor, 0), 0);
	assert_int_equal(monitor_finish(&monitor, SIGINT), 0);
	assert_int_equal(monitor.malformed, 0);

	read_totals(&monitor, &totals);
	lost = lost_in_stream(&monitor, NULL, &event);
	print_message("%llu seen, %llu shown, %llu lost\n", totals.seen, totals.shown, totals.lost);
	assert_true(lost > 0);
	assert_int_equal(lost, totals.lost);
	assert_int_equal(totals.shown, monitor.told);
	assert_int_equal(totals.seen, totals.shown + totals.lost);
	/* each bind of the flood was seen, and each release of a socket that held its port */
	assert_true(totals.seen >= 2 * (unsigned long long)FLOOD);

	assert_int_equal(lost_in_stream(&monitor, RING_CAUSE, &event), lost);
	begin = json_string_value(live_field(event, "event.start"));
	end = json_string_value(live_field(event, "event.end"));
	assert_non_null(begin);
	assert_non_null(end);
	if (strcmp(begin, before) > 0 || strcmp(end, after) < 0)
		fail_msg("lost from %s to %s, not around %s to %s", begin, end, before, after);
	assert_string_equal(json_string_value(live_field(event, "event.kind")), "pipeline_error");
	assert_true(live_says(&monitor.message, RING_CAUSE));
	monitor_free(&monitor);
}

/* As much as the ring holds is not lost, however long nobody reads. */
static void flood_within_the_ring(void **state)
{
	/* two records each, each a little longer for the ring's own header (8 bytes, aligned) */
	unsigned int count = BW_RING_BYTES / (sizeof(struct bw_socket) + 8) / 2 - 500;
	struct monitor monitor;

	(void)state;
	SKIP_BECAUSE(why_not);
	start(&monitor, true);
	assert_int_equal(kill(monitor.pid, SIGSTOP), 0);
	assert_int_equal(scene_child(flood, NULL, &count), 0);
	assert_int_equal(kill(monitor.pid, SIGCONT), 0);
	assert_int_equal(monitor_sync(&monitor, 0), 0);
	assert_true(monitor.told >= 2 * (uint64_t)count);
	assert_int_equal(monitor_ledger(&monitor), 0);
	monitor_free(&monitor);
}

#define STARTS 2

/* Binds again and again, no faster than anybody reads, until it is ended or the test is. */
static void bind_for_ever(pid_t parent)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
		_exit(1);
	for (;;) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 1))
			_exit(1);
		close(fd);
		(void)usleep(2000); /* leaves a single CPU to the monitor too */
	}
}

static pid_t start_binder(void)
{
	pid_t parent = getpid(), binder = fork();

	assert_true(binder >= 0);
	if (binder == 0)
		bind_for_ever(parent);
	return binder;
}

static void end_binder(pid_t binder)
{
	kill(binder, SIGKILL);
	assert_int_equal(waitpid(binder, NULL, 0), binder);
}

/* Of the process's sockets: how many a bind or a listen was told of, and no close. */
static size_t without_end(const struct monitor *monitor, pid_t pid, size_t *ret_told)
{
	json_t *open = json_object(), *event;
	size_t index, count;

	*ret_told = 0;
	json_array_foreach(monitor->events, index, event)
	{
		bool ends = live_is_action(event, ACTION_CLOSE);
		const char *cookie = json_string_value(live_field(event, "bindwatch.socket.cookie"));

		if (json_integer_value(live_field(event, "process.pid")) != pid ||
		    !(ends || live_is_action(event, ACTION_BIND) || live_is_action(event, ACTION_LISTEN)))
			continue;
		assert_non_null(cookie);
		*ret_told += !ends;
		if (ends)
			(void)json_object_del(open, cookie);
		else
			assert_int_equal(json_object_set_new(open, cookie, json_true()), 0);
	}
	count = json_object_size(open);
	json_decref(open);
	return count;
}

/*
 * A call that a start or a stop cuts in two is seen by one hook of two: that is no loss. The kernel takes one hook off
 * after the other, and needs some 100 ms for all, but what was told has its end told: the binder has one socket at a
 * time, and of this one alone the end may come too late.
 */
static void starts_and_stops_lose_nothing(void **state)
{
	pid_t binder;

	(void)state;
	SKIP_BECAUSE(why_not);
	binder = start_binder();
	for (int i = 0; i < STARTS; i++) {
		struct monitor monitor;
		size_t told, open;
		int result;

		start(&monitor, false);
		(void)usleep(300000);
		result = monitor_ledger(&monitor);
		if (result)
			end_binder(binder);
		assert_int_equal(result, 0);
		open = without_end(&monitor, binder, &told);
		print_message("%zu binds and listens told, %zu sockets without an end\n", told, open);
		assert_true(told > 10);
		assert_true(open <= 1 || live_kernel_skips(monitor.plan));
		monitor_free(&monitor);
	}
	end_binder(binder);
}

/* Writes losses of two causes into the monitor's own counters, all on the first CPU. */
static void add_losses(pid_t monitor, uint64_t ring, uint64_t untracked)
{
	int map = links_map(monitor, "counters"), cpus = libbpf_num_possible_cpus();
	struct bw_counters *counters;
	uint32_t zero = 0;

	assert_true(map >= 0 && cpus > 0);
	counters = test_calloc((size_t)cpus, sizeof(*counters));
	assert_int_equal(bpf_map_lookup_elem(map, &zero, counters), 0);
	counters[0].seen += ring;
	counters[0].lost_ring += ring;
	counters[0].untracked += untracked;
	assert_int_equal(bpf_map_update_elem(map, &zero, counters, BPF_ANY), 0);
	test_free(counters);
	close(map);
}

static void each_cause_has_its_own_cpus(void **state)
{
	struct monitor monitor;

	(void)state;
	SKIP_BECAUSE(why_not);
	start(&monitor, false);
	add_losses(monitor.pid, 5, 3);
	assert_int_equal(monitor_finish(&monitor, SIGINT), 0);
	assert_true(live_says(&monitor.message, "lost so far: 5, ring-buffer-full: cpu0 5\n"));
	assert_true(live_says(&monitor.message, "lost so far: 3, release-not-tracked: cpu0 3\n"));
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
	        cmocka_unit_test(flood_beyond_the_ring),
	        cmocka_unit_test(flood_within_the_ring),
	        cmocka_unit_test(starts_and_stops_lose_nothing),
	        cmocka_unit_test(each_cause_has_its_own_cpus),
	};

	if (argc < 1 || live_program(argv[0], program, sizeof(program))) {
		fprintf(stderr, "run this as B/tests/live/NAME: B/bindwatch is what it tests\n");
		return 1;
	}
	return cmocka_run_group_tests_name("watch, what is lost", tests, setup, NULL);
}
