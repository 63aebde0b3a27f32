/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a bind costs more while it is watched: as the binder feels it (rounds with and without a monitor, in turn), and
 * as the kernel accounts it to each program (BPF_ENABLE_STATS, which costs time itself and so has a round of its own).
 * A port is bound in this program's own network namespace; the monitor writes JSON to /dev/null.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "tests/live/live.h"
#include "user/base/number.h"

#define ROUNDS	      15  /* each with and without */
#define BATCHES	      10  /* of a round */
#define BATCH_SOCKETS 500 /* below the usual limit of 1024 descriptors */
#define FIRST_PORT    40000
#define ROUND_BINDS   (BATCHES * BATCH_SOCKETS) /* the ring buffer holds more than twice as many */
#define PROGRAMS_MAX  16

enum span { SPAN_BIND, SPAN_ALL, SPANS };
enum state { PLAIN, WATCHED, STATES };

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* Nanoseconds that the binds alone took, and those with their socket() and close(). 0 or -errno. */
static int run_batch(int64_t took[SPANS])
{
	static int fds[BATCH_SOCKETS];
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int64_t begin = now_ns(), bind_begin, bind_end;

	for (int i = 0; i < BATCH_SOCKETS; i++) {
		fds[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (fds[i] < 0)
			return -errno;
	}
	bind_begin = now_ns();
	for (int i = 0; i < BATCH_SOCKETS; i++) {
		address.sin_port = htons((uint16_t)(FIRST_PORT + i));
		if (bind(fds[i], (struct sockaddr *)&address, sizeof(address)))
			return -errno;
	}
	bind_end = now_ns();
	for (int i = 0; i < BATCH_SOCKETS; i++)
		close(fds[i]);
	took[SPAN_BIND] += bind_end - bind_begin;
	took[SPAN_ALL] += now_ns() - begin;
	return 0;
}

static int run_round(double per_bind[SPANS])
{
	int64_t took[SPANS] = {0};

	for (int i = 0; i < BATCHES; i++) {
		int result = run_batch(took);

		if (result)
			return result;
	}
	for (int i = 0; i < SPANS; i++)
		per_bind[i] = (double)took[i] / ROUND_BINDS;
	return 0;
}

static int start(struct monitor *monitor, const char *program, int null)
{
	static const char *const arguments[] = {"watch", "--output", "json", NULL};
	const struct monitor_options options = {.program = program, .arguments = arguments, .out = null};

	return monitor_start(monitor, &options);
}

/* Ends the monitor; what it lost would make the figures too good. 0 or -errno. */
static int stop(struct monitor *monitor)
{
	int code = monitor_finish(monitor, SIGINT);
	bool whole = code == 0 && strstr(monitor->message.data, " 0 lost");

	if (!whole)
		fprintf(stderr, "bench_bind: the monitor ended with %d and did not see everything:\n%s\n", code,
			monitor->message.data);
	monitor_free(monitor);
	return whole ? 0 : -EIO;
}

static int watched_round(const char *program, int null, double per_bind[SPANS])
{
	struct monitor monitor;
	int result = start(&monitor, program, null);

	if (!result)
		result = run_round(per_bind);
	if (!result)
		return stop(&monitor);
	monitor_free(&monitor);
	return result;
}

static int compare_doubles(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

static double median(double values[ROUNDS])
{
	qsort(values, ROUNDS, sizeof(values[0]), compare_doubles);
	return values[ROUNDS / 2];
}

static int bench_loop(const char *program, int null)
{
	static const char *const names[SPANS] = {[SPAN_BIND] = "bind", [SPAN_ALL] = "socket + bind + close"};
	static double rounds[STATES][SPANS][ROUNDS];
	double per_bind[SPANS];

	for (int round = 0; round < ROUNDS; round++) {
		/* now the one first, now the other: a machine that gets slower must not favour either */
		for (int i = 0; i < STATES; i++) {
			enum state state = (round + i) % 2 ? WATCHED : PLAIN;
			int result = state == WATCHED ? watched_round(program, null, per_bind) : run_round(per_bind);

			if (result)
				return result;
			for (int span = 0; span < SPANS; span++)
				rounds[state][span][round] = per_bind[span];
		}
	}
	printf("UDP, 127.0.0.1: %d binds a round, median of %d rounds each, in turn\n\n", ROUND_BINDS, ROUNDS);
	printf("%-22s %12s %12s %10s %8s\n", "", "without ns", "watched ns", "added ns", "ratio");
	for (int span = 0; span < SPANS; span++) {
		double plain = median(rounds[PLAIN][span]), watched = median(rounds[WATCHED][span]);

		printf("%-22s %12.0f %12.0f %10.0f %8.2f\n", names[span], plain, watched, watched - plain,
		       watched / plain);
	}
	return 0;
}

struct program {
	uint32_t id;
	struct bpf_prog_info before, after;
};

static int program_info(uint32_t id, struct bpf_prog_info *ret)
{
	uint32_t size = sizeof(*ret);
	int fd = bpf_prog_get_fd_by_id(id);
	int result;

	if (fd < 0)
		return -errno;
	memset(ret, 0, sizeof(*ret));
	result = bpf_obj_get_info_by_fd(fd, ret, &size) ? -errno : 0;
	close(fd);
	return result;
}

/* The id behind "prog_id:" in the description of a descriptor; 0: it is not a BPF program. */
static uint32_t program_id(const char *path)
{
	FILE *file = fopen(path, "re");
	char line[128];
	uint64_t id = 0;

	while (file && fgets(line, sizeof(line), file)) {
		static const char key[] = "prog_id:\t";

		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, key, sizeof(key) - 1) == 0)
			(void)number_parse(line + sizeof(key) - 1, 1, UINT32_MAX, &id);
	}
	if (file)
		fclose(file);
	return (uint32_t)id;
}

static void add_program(struct program *programs, size_t *count, uint32_t id)
{
	for (size_t i = 0; i < *count; i++) {
		if (programs[i].id == id)
			return;
	}
	if (id && *count < PROGRAMS_MAX)
		programs[(*count)++].id = id;
}

/* The programs that a process holds, by its descriptors of them and of their links. */
static size_t find_programs(pid_t pid, struct program programs[PROGRAMS_MAX])
{
	const struct dirent *entry;
	char path[320];
	size_t count = 0;
	DIR *directory;

	(void)snprintf(path, sizeof(path), "/proc/%d/fdinfo", pid);
	directory = opendir(path);
	while (directory && (entry = readdir(directory))) {
		(void)snprintf(path, sizeof(path), "/proc/%d/fdinfo/%s", pid, entry->d_name);
		add_program(programs, &count, program_id(path));
	}
	if (directory)
		closedir(directory);
	return count;
}

static void print_programs(const struct program *programs, size_t count, const char *plan)
{
	double total = 0;

	printf("\n%-22s %12s %12s %10s\n", "program", "runs a bind", "ns a run", "ns a bind");
	for (size_t i = 0; i < count; i++) {
		const struct program *program = &programs[i];
		double runs = (double)(program->after.run_cnt - program->before.run_cnt);
		double ns = (double)(program->after.run_time_ns - program->before.run_time_ns);

		if (runs == 0)
			continue;
		total += ns / ROUND_BINDS;
		printf("%-22.*s %12.2f %12.0f %10.0f\n", (int)sizeof(program->after.name), program->after.name,
		       runs / ROUND_BINDS, ns / runs, ns / ROUND_BINDS);
	}
	printf("%-22s %12s %12s %10.0f\n", plan, "", "", total);
}

static int bench_programs(const char *program, int null)
{
	struct program programs[PROGRAMS_MAX] = {0};
	struct monitor monitor = {.out = -1, .err = -1};
	double per_bind[SPANS];
	size_t count = 0;
	int result = 0;
	int stats = bpf_enable_stats(BPF_STATS_RUN_TIME);

	if (stats < 0) {
		printf("\nthe kernel's own account: skipped: BPF_ENABLE_STATS: %s\n", strerror(errno));
		return 0;
	}
	result = start(&monitor, program, null);
	if (result)
		goto out;
	count = find_programs(monitor.pid, programs);
	for (size_t i = 0; i < count && !result; i++)
		result = program_info(programs[i].id, &programs[i].before);
	if (!result)
		result = run_round(per_bind);
	for (size_t i = 0; i < count && !result; i++)
		result = program_info(programs[i].id, &programs[i].after);
	if (result)
		goto out;
	print_programs(programs, count, monitor.plan);
	result = stop(&monitor);
out:
	monitor_free(&monitor);
	close(stats);
	return result;
}

int main(int argc, char **argv)
{
	const char *why_not = live_why_not();
	char program[4096];
	int result, null;

	if (why_not) {
		printf("bench_bind: skipped: %s\n", why_not);
		return 0;
	}
	result = argc < 1 ? -EINVAL : live_program(argv[0], program, sizeof(program));
	if (!result)
		result = scene_enter_namespace();
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (!result && null < 0)
		result = -errno;
	if (!result)
		result = bench_loop(program, null);
	if (!result)
		result = bench_programs(program, null);
	if (null >= 0)
		close(null);
	if (result)
		fprintf(stderr, "bench_bind: %s\n", strerror(-result));
	return result ? 1 : 0;
}
