/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The ring buffer, and the counters beside it. */
#ifndef BPF_OUTPUT_BPF_H
#define BPF_OUTPUT_BPF_H

#include "vmlinux/vmlinux.h"
#include "bpf/bindwatch.h"
#include <bpf/bpf_helpers.h>

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, BW_RING_BYTES);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct bw_counters);
} counters SEC(".maps");

static __always_inline struct bw_counters *this_cpu_counters(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&counters, &zero);
}

/*
 * The reader is woken each time that the fill level passes a multiple of BW_RING_WAKEUP_BYTES, and not for each record.
 * Two CPUs at once can both step over the mark without seeing it; the reader's timer, or the next mark, makes up.
 */
static __always_inline __u64 wakeup_flag(__u64 bytes)
{
	__u64 fill = bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA);

	if (fill / BW_RING_WAKEUP_BYTES != (fill + bytes) / BW_RING_WAKEUP_BYTES)
		return BPF_RB_FORCE_WAKEUP;
	return BPF_RB_NO_WAKEUP;
}

#endif
