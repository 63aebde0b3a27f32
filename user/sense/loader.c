/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sense/sense.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/bindwatch.skel.h"
#include "user/base/mountinfo.h"
#include "user/sense/attach.h"
#include "user/sense/decode.h"
#include "user/sense/plan.h"
#include "user/sense/probe.h"

/* The verifier's account of a refusal; only its last lines are of use to a reader. */
#define VERIFIER_LOG_BYTES (1U << 20)

/* Room for the reason why one plan was refused; all of them fit into SENSE_ERROR_LEN. */
#define WHY_LEN 300

struct sense {
	struct bindwatch_bpf *skeleton;
	struct bpf_link *links[PLAN_HOOKS_MAX];
	struct ring_buffer *ring;
	struct plan_choice choice;
	char refusals[(PLAN_COUNT - 1) * WHY_LEN];
	uint32_t netns_inode; /* our own: interface indices of others mean nothing here */
	int cpus;
	struct bw_counters *counters; /* one per possible CPU: what the map's lookup fills */

	/* during sense_read() */
	struct decode_context decode;
	int (*deliver)(void *context, struct event *event);
	void *deliver_context;

	uint64_t delivered, rejected;
};

static uint64_t nanoseconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int on_record(void *context, void *data, size_t size)
{
	struct sense *sense = context;
	struct event event;

	if (decode(data, size, &sense->decode, &event) < 0) {
		sense->rejected++;
		return 0;
	}
	if (event.device && event.netns_inode == sense->netns_inode && !if_indextoname(event.device, event.device_name))
		event.device_name[0] = '\0';
	sense->delivered++;
	return sense->deliver(sense->deliver_context, &event);
}

static int attach_hook(struct sense *sense, const struct plan_hook *hook, int cgroup, int tracefs,
		       struct bpf_link **ret)
{
	const struct bpf_program *program;
	struct bpf_link *link = NULL;

	program = bpf_object__find_program_by_name(sense->skeleton->obj, hook->program);
	switch (hook->attach) {
	case ATTACH_TRACEPOINT:
		return tracepoint_attach(program, tracefs, hook->tracepoint, ret);
	case ATTACH_CGROUP:
		link = bpf_program__attach_cgroup(program, cgroup);
		break;
	case ATTACH_BY_SECTION:
		link = bpf_program__attach(program);
		break;
	}
	if (!link)
		return -errno;
	*ret = link;
	return 0;
}

void sense_detach(struct sense *sense)
{
	for (size_t i = 0; i < PLAN_HOOKS_MAX; i++) {
		bpf_link__destroy(sense->links[i]);
		sense->links[i] = NULL;
	}
}

static void unload(struct sense *sense)
{
	sense_detach(sense);
	ring_buffer__free(sense->ring);
	sense->ring = NULL;
	bindwatch_bpf__destroy(sense->skeleton);
	sense->skeleton = NULL;
}

static void note_refusal(struct sense *sense, const char *why)
{
	size_t used = strlen(sense->refusals);

	snprintf(sense->refusals + used, sizeof(sense->refusals) - used, "%s%s %s", used ? "; " : "",
		 plan_name(sense->choice.plan), why);
}

struct roots {
	int cgroup, tracefs; /* -1: not needed so far */
};

static int attach_one(struct sense *sense, const struct plan_hook *hook, struct roots *roots, struct bpf_link **ret,
		      char why[WHY_LEN])
{
	int r = 0;

	if (hook->attach == ATTACH_CGROUP && roots->cgroup < 0) {
		r = roots->cgroup = cgroup_root_open(MOUNTINFO);
		if (r < 0)
			snprintf(why, WHY_LEN, "needs a cgroup2 file system: %s", strerror(-r));
	} else if (hook->attach == ATTACH_TRACEPOINT && roots->tracefs < 0) {
		r = roots->tracefs = tracefs_open(MOUNTINFO);
		if (r < 0)
			snprintf(why, WHY_LEN, "needs tracefs: %s", strerror(-r));
	}
	if (r < 0)
		return r;
	r = attach_hook(sense, hook, roots->cgroup, roots->tracefs, ret);
	if (r < 0)
		snprintf(why, WHY_LEN, "%s does not attach: %s", hook->program, strerror(-r));
	return r;
}

static int attach(struct sense *sense, char why[WHY_LEN])
{
	struct roots roots = {-1, -1};
	int r = 0;

	for (size_t i = 0; i < sense->choice.count && r >= 0; i++) {
		const struct plan_hook *hook = sense->choice.hooks[i];

		r = attach_one(sense, hook, &roots, &sense->links[i], why);
		if (r < 0 && hook->optional) {
			note_refusal(sense, why);
			r = 0;
		}
	}
	if (roots.cgroup >= 0)
		close(roots.cgroup);
	if (roots.tracefs >= 0)
		close(roots.tracefs);
	return r < 0 ? r : 0;
}

/* The line before the verifier's statistics says what it did not like. `log` is changed. */
static const char *verifier_verdict(char *log)
{
	char *end = strstr(log, "\nprocessed ");
	char *line;

	if (end)
		*end = '\0';
	line = strrchr(log, '\n');
	return line ? line + 1 : log;
}

static int load(struct sense *sense, char why[WHY_LEN])
{
	char *log = calloc(1, VERIFIER_LOG_BYTES);
	LIBBPF_OPTS(bpf_object_open_opts, options, .kernel_log_buf = log, .kernel_log_size = VERIFIER_LOG_BYTES);
	struct bpf_program *program;
	int r = -ENOMEM;

	if (!log)
		goto out;
	sense->skeleton = bindwatch_bpf__open_opts(&options);
	if (!sense->skeleton) {
		r = -errno;
		goto out;
	}
	bpf_object__for_each_program(program, sense->skeleton->obj)
	{
		bool wanted = false;

		for (size_t i = 0; i < sense->choice.count && !wanted; i++)
			wanted = strcmp(bpf_program__name(program), sense->choice.hooks[i]->program) == 0;
		bpf_program__set_autoload(program, wanted);
	}
	r = bindwatch_bpf__load(sense->skeleton);
out:
	if (r < 0)
		snprintf(why, WHY_LEN, "does not load: %s%s%.200s", strerror(-r), log && *log ? ": " : "",
			 log && *log ? verifier_verdict(log) : "");
	free(log);
	return r;
}

/* Load and attach of one plan, whole or not at all. */
static int try_plan(struct sense *sense, char why[WHY_LEN])
{
	int r = load(sense, why);

	if (r == 0)
		r = attach(sense, why);
	if (r == 0) {
		sense->ring = ring_buffer__new(bpf_map__fd(sense->skeleton->maps.events), on_record, sense, NULL);
		if (!sense->ring) {
			r = -errno;
			snprintf(why, WHY_LEN, "no ring buffer: %s", strerror(-r));
		}
	}
	if (r < 0)
		unload(sense);
	return r;
}

static int choose_and_try(struct sense *sense, struct plan_probe *probe, enum capture_plan forced,
			  char error[SENSE_ERROR_LEN])
{
	char why[WHY_LEN];
	int r;

	while (plan_choose(probe, forced, &sense->choice) == 0) {
		r = try_plan(sense, why);
		if (r == 0)
			return 0;
		probe->refused[sense->choice.plan] = r;
		note_refusal(sense, why);
	}
	snprintf(error, SENSE_ERROR_LEN, "this kernel allows no %s%s hooks: %s", plan_name(forced),
		 forced == PLAN_NONE ? "bind" : "",
		 sense->refusals[0] ? sense->refusals : "it has none of the functions that they hook");
	return -ENOTSUP;
}

int sense_open(enum capture_plan forced, struct sense **ret, char error[SENSE_ERROR_LEN])
{
	struct sense *sense;
	struct plan_probe probe;
	struct stat netns;
	int r;

	/* libbpf's own messages go to stderr and are made for its developers; refusals are told in a sentence each */
	libbpf_set_print(NULL);
	r = probe_kernel(&probe, error);
	if (r < 0)
		return r;
	sense = calloc(1, sizeof(*sense));
	if (!sense)
		goto no_memory;
	sense->cpus = libbpf_num_possible_cpus();
	sense->counters = calloc(sense->cpus > 0 ? sense->cpus : 1, sizeof(*sense->counters));
	if (sense->cpus <= 0 || !sense->counters)
		goto no_memory;
	if (stat("/proc/self/ns/net", &netns) == 0)
		sense->netns_inode = netns.st_ino;
	r = choose_and_try(sense, &probe, forced, error);
	if (r < 0) {
		sense_close(sense);
		return r;
	}
	*ret = sense;
	return 0;

no_memory:
	sense_close(sense);
	snprintf(error, SENSE_ERROR_LEN, "out of memory");
	return -ENOMEM;
}

void sense_close(struct sense *sense)
{
	if (!sense)
		return;
	unload(sense);
	free(sense->counters);
	free(sense);
}

enum capture_plan sense_plan(const struct sense *sense)
{
	return sense->choice.plan;
}

const char *sense_refusals(const struct sense *sense)
{
	return sense->refusals;
}

int sense_fd(const struct sense *sense)
{
	return ring_buffer__epoll_fd(sense->ring);
}

int sense_read(struct sense *sense, int (*deliver)(void *context, struct event *event), void *context)
{
	int r;

	sense->decode.plan = sense->choice.plan;
	sense->decode.wall_offset_ns = nanoseconds(CLOCK_REALTIME) - nanoseconds(CLOCK_BOOTTIME);
	sense->deliver = deliver;
	sense->deliver_context = context;
	r = ring_buffer__consume(sense->ring);
	return r > 0 ? 0 : r;
}

static int read_counters(const struct sense *sense)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(bpf_map__fd(sense->skeleton->maps.counters), &zero, sense->counters);
}

int sense_totals(const struct sense *sense, struct sense_totals *ret)
{
	struct sense_totals totals = {.rejected = sense->rejected, .delivered = sense->delivered};
	int r = read_counters(sense);

	if (r < 0)
		return r;
	for (int cpu = 0; cpu < sense->cpus; cpu++) {
		totals.seen += sense->counters[cpu].seen;
		totals.lost_ring += sense->counters[cpu].lost_ring;
		totals.lost_inflight += sense->counters[cpu].lost_inflight;
	}
	*ret = totals;
	return 0;
}

int sense_losses_by_cpu(const struct sense *sense, char *text, size_t size)
{
	size_t used = 0;
	int r = read_counters(sense);

	if (r < 0)
		return r;
	text[0] = '\0';
	for (int cpu = 0; cpu < sense->cpus && used < size; cpu++) {
		uint64_t lost = sense->counters[cpu].lost_ring + sense->counters[cpu].lost_inflight;

		if (lost)
			used += snprintf(text + used, size - used, "%scpu%d %llu", used ? ", " : "", cpu,
					 (unsigned long long)lost);
	}
	return 0;
}
