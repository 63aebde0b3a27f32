/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A bind or listen under way, from its beginning to its end, by thread: plans 2 and 3. */
#ifndef BPF_CALL_BPF_H
#define BPF_CALL_BPF_H

#include "vmlinux/vmlinux.h"
#include "bpf/bindwatch.h"
#include "bpf/emit.bpf.h"
#include <bpf/bpf_helpers.h>

struct call {
	struct bw_socket record;
	const struct sock *sk; /* plan 2 */
	int fd;                /* plan 3 */
	bool bound;            /* plan 3: record holds what was seen while it was under way; in `asked`: it was told */
	bool refused;          /* plan 3: refused before any socket was asked */
	__u8 pad[2];
};

/*
 * By thread, from the entry of a call to its end, which always comes: also a thread that is killed passes the exit. Not
 * an LRU map, which gives up entries that are in use long before it is full.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, struct call);
} calls SEC(".maps");

/*
 * By thread, of a bind that passes no system call tracepoint (plan 3): what was asked for, from cgroup_bind4/6 to
 * post_bind. Such a bind that fails never comes to its post_bind and leaves its entry, so old ones are pushed out.
 */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct call);
} asked SEC(".maps");

static __always_inline void call_not_kept(void)
{
	struct bw_counters *count = this_cpu_counters();

	if (!count)
		return;
	__sync_fetch_and_add(&count->seen, 1);
	__sync_fetch_and_add(&count->lost_inflight, 1);
}

/*
 * A thread has one call under way. If another is there, its end was left out by the kernel (a kretprobe without a free
 * instance, a program that was skipped): it will never be told. Of a thread that is gone, user/sense/unfinished.c
 * finds it.
 */
static __always_inline void call_begin(const struct call *call)
{
	__u64 thread = bpf_get_current_pid_tgid();

	if (bpf_map_update_elem(&calls, &thread, call, BPF_NOEXIST) == 0)
		return;
	if (bpf_map_lookup_elem(&calls, &thread))
		call_not_kept();
	/* a failure shows at the end of the call, which finds nothing */
	(void)bpf_map_update_elem(&calls, &thread, call, BPF_ANY);
}

static __always_inline struct call *call_under_way(void)
{
	__u64 thread = bpf_get_current_pid_tgid();

	return bpf_map_lookup_elem(&calls, &thread);
}

static __always_inline void call_end(void)
{
	__u64 thread = bpf_get_current_pid_tgid();

	bpf_map_delete_elem(&calls, &thread);
}

#endif
