/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A bind or listen under way, from its beginning to its end, by thread: plans 2 and 3. */
#ifndef BPF_CALL_BPF_H
#define BPF_CALL_BPF_H

#include "vmlinux/vmlinux.h"
#include "bpf/bindwatch.h"
#include "bpf/emit.bpf.h"
#include <bpf/bpf_helpers.h>

/*
 * CLOCK_BOOTTIME since when all hooks are there, nanoseconds; 0: not yet, or not any more. A call that begins before or
 * ends behind is seen by one of its hooks only, and that is no loss. Written by user space.
 */
volatile __u64 complete_ns = 0;

/*
 * By thread, from the entry of a call to its end. The end comes even where the thread is killed, but the kernel can leave
 * our program out there, and then the entry stays. Not an LRU map, which gives up entries that are in use long before it
 * is full.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, struct bw_call);
} calls SEC(".maps");

/*
 * By thread, of a bind that passes no system call tracepoint (plan 3): what was asked for, from cgroup_bind4/6 to
 * post_bind. Such a bind that fails never comes to its post_bind and leaves its entry, so old ones are pushed out.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct bw_call);
} asked SEC(".maps");

static __always_inline void call_not_kept(void)
{
	struct bw_counters *count = this_cpu_counters();

	if (!count || !complete_ns)
		return;
	__sync_fetch_and_add(&count->seen, 1);
	__sync_fetch_and_add(&count->lost_inflight, 1);
}

/*
 * A thread has one call under way. If another is there, its end was left out by the kernel (a kretprobe without a free
 * instance, a program that was skipped): it will never be told. Of a thread that makes no other call,
 * user/sense/unfinished.c finds it. false: there is no room.
 */
static __always_inline bool call_begin(struct bw_call *call)
{
	__u64 thread = bpf_get_current_pid_tgid();
	const struct bw_call *before;

	call->begun_ns = bpf_ktime_get_boot_ns();
	if (bpf_map_update_elem(&calls, &thread, call, BPF_NOEXIST) == 0)
		return true;
	before = bpf_map_lookup_elem(&calls, &thread);
	if (before && !before->told && before->begun_ns >= complete_ns)
		call_not_kept();
	return before && bpf_map_update_elem(&calls, &thread, call, BPF_EXIST) == 0;
}

/* NULL: none of this kind. What an end without a beginning finds may be of another call. */
static __always_inline struct bw_call *call_under_way(enum bw_record_type kind)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct bw_call *call = bpf_map_lookup_elem(&calls, &thread);

	return call && call->kind == kind ? call : NULL;
}

static __always_inline void call_end(void)
{
	__u64 thread = bpf_get_current_pid_tgid();

	bpf_map_delete_elem(&calls, &thread);
}

#endif
