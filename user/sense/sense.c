/* SPDX-License-Identifier: BSD-2-Clause */
/* What is read from the hooks that loader.c attached: events, counters, their own state of health. */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/bindwatch.h"
#include "bpf/bindwatch.skel.h"
#include "user/sense/decode_process.h"
#include "user/sense/sense_private.h"
#include "user/sense/who.h"

/*
 * Records taken in one call. A flood that outpaces the reader would keep it in the ring buffer for ever, deaf to
 * signals and timers; this many take a few milliseconds.
 */
#define READ_MAX 2048

static uint64_t nanoseconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

uint64_t sense_boot_ns(void)
{
	return nanoseconds(CLOCK_BOOTTIME);
}

int sense_on_record(void *context, void *data, size_t size)
{
	struct sense *sense = context;
	struct event event;
	int r;

	sense->read++;
	if (decode_is_process(data, size)) {
		if (who_on_record(sense->who, data, size) < 0)
			sense->processes_rejected++;
		r = 0;
	} else if (decode(data, size, &sense->decode, &event) < 0) {
		sense->rejected++;
		r = 0;
	} else if (canary_take(&sense->canary, &event)) {
		r = 0;
	} else {
		if (event.device && event.netns_inode == sense->netns_inode &&
		    !if_indextoname(event.device, event.device_name))
			event.device_name[0] = '\0';
		who_made(sense->who, &event);
		sense->delivered++;
		r = sense->deliver(sense->deliver_context, &event);
	}
	/* libbpf counts a record as read also where its callback stops here */
	return r < 0 ? r : sense->read >= READ_MAX ? -EAGAIN : 0;
}

static int read_ring(struct sense *sense, int (*deliver)(void *context, struct event *event), void *context)
{
	int r;

	sense->decode.plan = sense->choice.plan;
	sense->decode.wall_offset_ns = nanoseconds(CLOCK_REALTIME) - nanoseconds(CLOCK_BOOTTIME);
	sense->deliver = deliver;
	sense->deliver_context = context;
	sense->read = 0;
	r = ring_buffer__consume(sense->ring);
	if (r == -EAGAIN)
		return 1;
	return r > 0 ? 0 : r;
}

static int keep(void *context, struct event *event)
{
	struct sense *sense = context;

	if (sense->pending_count == sense->pending_capacity) {
		size_t capacity = sense->pending_capacity ? 2 * sense->pending_capacity : 64;
		struct event *grown = reallocarray(sense->pending, capacity, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		sense->pending = grown;
		sense->pending_capacity = capacity;
	}
	who_keep(event);
	sense->pending[sense->pending_count++] = *event;
	return 0;
}

void sense_drop_pending(struct sense *sense)
{
	for (size_t i = sense->pending_next; i < sense->pending_count; i++)
		who_release(&sense->pending[i]);
	sense->pending_count = sense->pending_next = 0;
}

/* Rounds of READ_MAX records: four times what the ring buffer holds. Who fills it faster than that is read is left. */
#define READ_AHEAD_ROUNDS (4 * BW_RING_BYTES / sizeof(struct bw_socket) / READ_MAX + 1)

int sense_read_ahead(struct sense *sense)
{
	int r = 1;

	for (size_t round = 0; r > 0 && round < READ_AHEAD_ROUNDS; round++)
		r = read_ring(sense, keep, sense);
	return r < 0 ? r : 0;
}

int sense_read(struct sense *sense, int (*deliver)(void *context, struct event *event), void *context)
{
	int r;

	while (sense->pending_next < sense->pending_count) {
		struct event *event = &sense->pending[sense->pending_next++];
		const struct event kept = *event;

		r = deliver(context, event);
		who_release(&kept);
		if (r < 0)
			return r;
	}
	return read_ring(sense, deliver, context);
}

const struct event *sense_pending(const struct sense *sense, size_t *ret_count)
{
	*ret_count = sense->pending_count - sense->pending_next;
	return sense->pending + sense->pending_next;
}

void sense_enrich(struct sense *sense, struct enrich *enrich)
{
	who_enrich(sense->who, enrich);
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

int sense_hold(struct sense *sense, uint64_t cookie, const struct endpoint *address)
{
	struct bw_held value = {.port = address->port};
	int r;

	if (!cookie)
		return -EINVAL;
	memcpy(value.address, address->address, sizeof(value.address));
	r = bpf_map_update_elem(bpf_map__fd(sense->skeleton->maps.held), &cookie, &value, BPF_NOEXIST);
	sense->not_held += r < 0 && r != -EEXIST;
	return r == -EEXIST ? 0 : r;
}

void sense_let_go(struct sense *sense, uint64_t cookie)
{
	(void)bpf_map_delete_elem(bpf_map__fd(sense->skeleton->maps.held), &cookie);
}

int sense_tell(struct sense *sense, const struct inventory *inventory, const struct inventory_socket *socket,
               bool holders_known, int (*deliver)(void *context, struct event *event), void *context)
{
	return who_tell(sense->who, inventory, socket, holders_known, deliver, context);
}

void sense_tell_end(struct sense *sense)
{
	who_tell_end(sense->who);
}

void sense_forgotten(void *context, const struct process *process)
{
	const struct sense *sense = context;
	const struct bw_process_key key = {.start_ns = process->start_ns, .pid = process->pid};

	if (sense->skeleton)
		(void)bpf_map_delete_elem(bpf_map__fd(sense->skeleton->maps.described), &key);
}

static int read_counters(const struct sense *sense)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(bpf_map__fd(sense->skeleton->maps.counters), &zero, sense->counters);
}

/*
 * bpf_link_info of a kprobe link, as it is since 6.7 (bpf_link_info.perf_event.kprobe.missed): the headers that this is
 * built with may be older. A kernel that knows less fills less.
 */
struct kprobe_link_info {
	__u32 type, id, program, pad;
	__u32 event, pad2;
	__u64 function;
	__u32 function_length, offset;
	__u64 address, missed, cookie;
};

#define PERF_EVENT_KPROBE    3
#define PERF_EVENT_KRETPROBE 4

/* kprobes that did not run: nested in another, or more returns outstanding at once than maxactive allows. */
static uint64_t missed_by_link(const struct bpf_link *link)
{
	struct kprobe_link_info info = {0};
	__u32 size = sizeof(info);

	if (!link || bpf_obj_get_info_by_fd(bpf_link__fd(link), &info, &size) != 0)
		return 0;
	if (info.type != BPF_LINK_TYPE_PERF_EVENT ||
	    (info.event != PERF_EVENT_KPROBE && info.event != PERF_EVENT_KRETPROBE))
		return 0;
	return info.missed;
}

/* Runs that the kernel left out because the program was running on this CPU already; Linux 5.12, 0 before. */
static uint64_t missed_by_program(const struct bpf_program *program)
{
	struct bpf_prog_info info = {0};
	__u32 size = sizeof(info);
	int fd = bpf_program__fd(program);

	return fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &size) == 0 ? info.recursion_misses : 0;
}

/* Runs that the kernel left out, of the hooks whose place no other takes. */
static uint64_t missed_runs(const struct sense *sense)
{
	uint64_t missed = 0;

	for (size_t i = 0; i < sense->choice.count; i++) {
		const struct plan_hook *hook = sense->choice.hooks[i];

		if (hook->paired)
			continue;
		missed += missed_by_link(sense->links[i]) +
		          missed_by_program(bpf_object__find_program_by_name(sense->skeleton->obj, hook->program));
	}
	return missed;
}

/* Other causes are counted in user space, or by the kernel for all CPUs as one. */
static uint64_t counted(const struct bw_counters *counters, enum sense_lost cause)
{
	switch (cause) {
	case LOST_RING_FULL:
		return counters->lost_ring;
	case LOST_CALL_NOT_KEPT:
		return counters->lost_inflight;
	case LOST_NOT_TRACKED:
		return counters->untracked;
	default:
		return 0;
	}
}

int sense_totals(const struct sense *sense, struct sense_totals *ret)
{
	struct sense_totals totals = {.delivered = sense->delivered - (sense->pending_count - sense->pending_next),
	                              .own = sense->canary.records};
	int r = read_counters(sense);

	if (r < 0)
		return r;
	totals.lost[LOST_NOT_UNDERSTOOD] = sense->rejected;
	totals.lost[LOST_NOT_TRACKED] = sense->not_held;
	totals.processes_lost = sense->processes_rejected;
	totals.lost[LOST_MISSED_RUN] = missed_runs(sense);
	for (int cpu = 0; cpu < sense->cpus; cpu++) {
		totals.seen += sense->counters[cpu].seen;
		totals.processes += sense->counters[cpu].processes;
		totals.processes_lost += sense->counters[cpu].processes_lost;
		for (enum sense_lost cause = 0; cause < LOST_CAUSES; cause++)
			totals.lost[cause] += counted(&sense->counters[cpu], cause);
	}
	totals.seen += sense->unfinished;
	totals.lost[LOST_CALL_NOT_KEPT] += sense->unfinished;
	*ret = totals;
	return 0;
}

const char *sense_lost_name(enum sense_lost cause)
{
	static const char *const names[LOST_CAUSES] = {
	        [LOST_RING_FULL] = "ring-buffer-full",      [LOST_CALL_NOT_KEPT] = "call-not-kept",
	        [LOST_MISSED_RUN] = "hook-run-missed",      [LOST_NOT_UNDERSTOOD] = "record-not-understood",
	        [LOST_NOT_TRACKED] = "release-not-tracked",
	};

	return cause < LOST_CAUSES ? names[cause] : "";
}

int sense_losses_by_cpu(const struct sense *sense, enum sense_lost cause, char *text, size_t size)
{
	size_t used = 0;
	int r = read_counters(sense);

	if (r < 0)
		return r;
	text[0] = '\0';
	for (int cpu = 0; cpu < sense->cpus; cpu++) {
		uint64_t lost = counted(&sense->counters[cpu], cause);
		char item[48];
		int length;

		if (!lost)
			continue;
		length = snprintf(item, sizeof(item), "%scpu%d %llu", used ? ", " : "", cpu, (unsigned long long)lost);
		/* a whole item or none: a number that is cut reads as a smaller one */
		if (used + length + sizeof(", ...") > size) {
			snprintf(text + used, size - used, ", ...");
			break;
		}
		memcpy(text + used, item, length + 1);
		used += length;
	}
	return 0;
}

int sense_canary(struct sense *sense)
{
	return canary_bind(&sense->canary);
}

const char *sense_canary_missing(const struct sense *sense)
{
	unsigned int missing = canary_missing(&sense->canary);

	if (missing & CANARY_BIND)
		return "a bind of our own was not seen";
	if (missing & CANARY_LISTEN)
		return "a listen of our own was not seen";
	return missing & CANARY_CLOSE ? "the release of a socket of our own was not seen" : NULL;
}

/* A cgroup link that somebody detached lives on as a descriptor, without a cgroup. Other links cannot be detached so.
 */
static bool was_detached(const struct sense *sense, size_t index)
{
	struct bpf_link_info info = {0};
	__u32 size = sizeof(info);

	return sense->links[index] && sense->choice.hooks[index]->attach == ATTACH_CGROUP &&
	       bpf_obj_get_info_by_fd(bpf_link__fd(sense->links[index]), &info, &size) == 0 &&
	       info.type == BPF_LINK_TYPE_CGROUP && info.cgroup.cgroup_id == 0;
}

bool sense_hook(const struct sense *sense, size_t index, struct sense_hook *ret)
{
	struct bpf_prog_info info = {0};
	__u32 size = sizeof(info);
	int fd;

	if (index >= sense->choice.count)
		return false;
	*ret = (struct sense_hook){.program = sense->choice.hooks[index]->program};
	fd = bpf_program__fd(bpf_object__find_program_by_name(sense->skeleton->obj, ret->program));
	ret->loaded = fd >= 0;
	ret->detached = was_detached(sense, index);
	ret->attached = sense->links[index] && !ret->detached;
	if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &size) == 0)
		ret->runs = info.run_cnt;
	return true;
}
