/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The one way out of the kernel: from a struct sock to a record in the ring buffer. Every hook is a wrapper on this. */
#ifndef BPF_EMIT_BPF_H
#define BPF_EMIT_BPF_H

#include "vmlinux/vmlinux.h"
#include "bpf/bindwatch.h"
#include "bpf/compat.bpf.h"
#include "bpf/output.bpf.h"
#include "bpf/process.bpf.h"
#include "bpf/socket.bpf.h"
#include <bpf/bpf_helpers.h>

enum { E2BIG = 7, EEXIST = 17 };

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, BW_HELD_SOCKETS);
	__type(key, __u64); /* cookie */
	__type(value, struct bw_held);
} held SEC(".maps");

/* Without probe reads nothing is known of the MPTCP socket that the subflow belongs to. */
static __always_inline void fill_subflow_typed(struct bw_socket *record)
{
	record->protocol = IPPROTO_MPTCP;
	record->cookie = 0;
	/* the subflow is always the kernel's own */
	record->socket_flags &= ~BW_SOCKET_KERNEL;
	record->socket_flags |= BW_SOCKET_KERNEL_UNKNOWN;
}

/* Everything that the socket itself tells. false: not a socket with ports; *record is then of no use. */
static __always_inline bool fill_socket(struct bw_socket *record, const struct sock *sk, const bool typed)
{
	const struct sock *owner = NULL;
	struct net *net;

	record->family = FIELD(typed, sk, __sk_common.skc_family);
	record->type = FIELD(typed, sk, sk_type);
	record->protocol = FIELD(typed, sk, sk_protocol);
	if (!has_ports(record->family, record->type, record->protocol))
		return false;

	if (record->protocol == IPPROTO_TCP)
		owner = mptcp_socket_of(sk);
	if (owner)
		record->protocol = IPPROTO_MPTCP;
	record->cookie = owner ? BPF_CORE_READ(owner, __sk_common.skc_cookie.counter)
	                       : FIELD(typed, sk, __sk_common.skc_cookie.counter);
	record->bound_port = FIELD(typed, sk, __sk_common.skc_num);
	record->bound_dev_if = FIELD(typed, sk, __sk_common.skc_bound_dev_if);
	record->socket_flags = socket_flags(sk, owner, typed);
	if (typed && !probe_reads && record->protocol == IPPROTO_TCP && is_subflow_typed(sk))
		fill_subflow_typed(record);
	read_address(record->bound_address, record->family, sk, typed);
	net = FIELD(typed, sk, __sk_common.skc_net.net);
	record->netns_inode = FIELD(typed, net, ns.inum);
	record->unprivileged_port_start = FIELD(typed, net, ipv4.sysctl_ip_prot_sock);
	return true;
}

/*
 * By typed loads: family and port, which stand at the same place for both families, and what is an IPv4 address. The
 * verifier knows the pointer as a struct sockaddr, which ends before an IPv6 address does.
 */
static __always_inline void fill_requested_typed(struct bw_socket *record, const struct sockaddr_in *address, __u64 n)
{
	struct sockaddr_in *requested = (struct sockaddr_in *)record->requested;

	requested->sin_family = address->sin_family;
	requested->sin_port = address->sin_port;
	requested->sin_addr = address->sin_addr; /* of AF_UNSPEC it counts as well; of AF_INET6 it is the flow label */
	record->requested_len = n < sizeof(*requested) ? n : sizeof(*requested);
}

/* The address that was asked for, out of kernel memory. A length that the kernel refuses is cut, never trusted. */
static __always_inline void fill_requested(struct bw_socket *record, const void *address, int length)
{
	__u64 n = (__u32)length;

	if (n > BW_SOCKADDR_LEN)
		n = BW_SOCKADDR_LEN;
	barrier_var(n); /* or the compiler checks one register and uses another */
	if (!probe_reads)
		fill_requested_typed(record, address, n);
	else if (bpf_probe_read_kernel(record->requested, n, address) == 0)
		record->requested_len = n;
}

/*
 * The port is taken from now on: its release is of interest. The first call that took it counts. true: the socket held
 * another one, *ret_before, which it gave back by no call that a hook sees: shutdown(2) of what listens, connect(2) to
 * AF_UNSPEC. A socket that is bound cannot be bound once more, so that is what each further bind shows.
 */
static __always_inline bool hold(struct bw_socket *record, struct bw_counters *count, struct bw_held *ret_before)
{
	struct bw_held value = {.since_ns = record->header.boot_ns, .port = record->bound_port};
	/*
	 * pad is 0, which the verifier does not know. It knows each bit of the flags on each way to here, and a branch
	 * on one would make it go all of these ways to the end, for ten times as long.
	 */
	bool kernel = (record->socket_flags ^ (__u32)count->pad) & BW_SOCKET_KERNEL;
	const struct bw_held *found;
	bool before = false;
	int r = -E2BIG; /* 5.10 calls the map directly, and of its int only these bits are the result */

	__builtin_memcpy(value.address, record->bound_address, sizeof(value.address));
	if (record->cookie && !(release_skips_kernel && kernel))
		r = bpf_map_update_elem(&held, &record->cookie, &value, BPF_NOEXIST);
	if (r == -EEXIST) {
		found = bpf_map_lookup_elem(&held, &record->cookie);
		before = found && (record->header.type == BW_RECORD_BIND || found->port != value.port);
		if (before) {
			*ret_before = *found;
			r = bpf_map_update_elem(&held, &record->cookie, &value, BPF_ANY);
		}
	}
	/*
	 * The listen came first, and nobody asked for the port by its number: the listen took it. Not so with SCTP,
	 * where sctp_bindx(3) takes a port past every hook on a bind, and no mark tells of whom it asked. Of a port that
	 * cannot be kept nobody knows whether it was told: it is better judged twice than never.
	 */
	if ((r == 0 || r == -E2BIG) && record->header.type == BW_RECORD_LISTEN) {
		bool asked = record->socket_flags & BW_SOCKET_PORT_ASKED;

		record->socket_flags |=
		        record->protocol == IPPROTO_SCTP || asked ? BW_SOCKET_UNTOLD : BW_SOCKET_AUTOBOUND;
	}
	if (r == -E2BIG)
		__sync_fetch_and_add(&count->untracked, 1);
	return before;
}

/*
 * The counters are exact. The sequence number is a hint: another task may preempt this one here, and atomic operations
 * that return the value (BPF_FETCH, 5.12) are refused by 5.10 even where they are never reached.
 */
static __always_inline void submit(struct bw_socket *record, struct bw_counters *count)
{
	__sync_fetch_and_add(&count->seen, 1);
	record->header.sequence = count->seen;
	if (bpf_ringbuf_output(&events, record, sizeof(*record), wakeup_flag(sizeof(*record))) == 0)
		__sync_fetch_and_add(&count->submitted, 1);
	else
		__sync_fetch_and_add(&count->lost_ring, 1);
}

/* The end of a port that was given back, before the event of the one that the socket has now. */
static __always_inline void tell_given_back(const struct bw_socket *record, const struct bw_held *before,
                                            struct bw_counters *count)
{
	struct bw_socket *close;

	__sync_fetch_and_add(&count->seen, 1);
	close = bpf_ringbuf_reserve(&events, sizeof(*close), 0);
	if (!close) {
		__sync_fetch_and_add(&count->lost_ring, 1);
		return;
	}
	*close = *record;
	close->header.sequence = count->seen;
	close->header.type = BW_RECORD_CLOSE;
	close->requested_len = close->backlog = 0;
	close->bound_port = before->port;
	__builtin_memcpy(close->bound_address, before->address, sizeof(before->address));
	close->held_ns = before->since_ns ? record->header.boot_ns - before->since_ns : 0;
	__sync_fetch_and_add(&count->submitted, 1);
	bpf_ringbuf_submit(close, wakeup_flag(sizeof(*close)));
}

/* holds: the port is to be kept, if one was taken. */
static __always_inline void emit_holding(struct bw_socket *record, enum bw_record_type type, int result,
                                         enum bw_hook hook, bool holds)
{
	struct bw_counters *count = this_cpu_counters();
	struct bw_held before = {};

	/* no port was taken: IP_BIND_ADDRESS_NO_PORT, or an address only */
	if (!count || (result == 0 && record->bound_port == 0))
		return;
	record->result = result;
	record->hook = hook;
	fill_caller(record);
	record->header.version = BW_ABI_VERSION;
	record->header.type = type;
	record->header.size = sizeof(*record);
	record->header.boot_ns = bpf_ktime_get_boot_ns();
	record->header.cpu = bpf_get_smp_processor_id();
	tell_process(record, count);
	if (holds && result == 0 && hold(record, count, &before))
		tell_given_back(record, &before, count);
	submit(record, count);
}

static __always_inline void emit(struct bw_socket *record, enum bw_record_type type, int result, enum bw_hook hook)
{
	emit_holding(record, type, result, hook, type != BW_RECORD_CLOSE);
}

/*
 * The port is taken, and will be told when the call ends: from now on its release is of interest. false: not kept,
 * because the socket holds another already, or cannot be known again.
 */
static __always_inline bool hold_untold(const struct bw_socket *record)
{
	struct bw_held value = {.since_ns = bpf_ktime_get_boot_ns(), .port = record->bound_port, .untold = 1};

	if (!record->cookie || !record->bound_port ||
	    (release_skips_kernel && (record->socket_flags & BW_SOCKET_KERNEL)))
		return false;
	__builtin_memcpy(value.address, record->bound_address, sizeof(value.address));
	return bpf_map_update_elem(&held, &record->cookie, &value, BPF_NOEXIST) == 0;
}

/* The bind that hold_untold() was for is told now: of a socket that went meanwhile the end is, too. */
static __always_inline void hold_told(const struct bw_socket *record, int result)
{
	struct bw_counters *count = this_cpu_counters();
	struct bw_held *found = bpf_map_lookup_elem(&held, &record->cookie), value;

	if (!found || !count)
		return;
	if (result < 0) { /* a program of a cgroup refused it in the end */
		(void)bpf_map_delete_elem(&held, &record->cookie);
		return;
	}
	__sync_fetch_and_sub(&found->untold, 1);
	if (!*(volatile __u32 *)&found->gone)
		return;
	value = *found;
	if (bpf_map_delete_elem(&held, &record->cookie) == 0)
		tell_given_back(record, &value, count);
}

/* The socket goes. Nothing to tell unless it held a port that was told of. */
static __always_inline void released(const struct sock *sk, const bool typed, enum bw_hook hook)
{
	__u64 cookie = FIELD(typed, sk, __sk_common.skc_cookie.counter);
	struct bw_socket record = {};
	struct bw_held *found, value;

	if (!cookie)
		return;
	found = bpf_map_lookup_elem(&held, &cookie);
	if (!found)
		return;
	if (found->untold) {
		__sync_fetch_and_add(&found->gone, 1);
		if (*(volatile __u32 *)&found->untold)
			return;
	}
	value = *found;
	/* of two that release at once only one takes it out */
	if (bpf_map_delete_elem(&held, &cookie) != 0 || !fill_socket(&record, sk, typed))
		return;
	record.held_ns = value.since_ns ? bpf_ktime_get_boot_ns() - value.since_ns : 0;
	/* what was told of; by now the socket may have none, or one of the kernel's choice that no call asked for */
	if (record.bound_port != value.port) {
		record.bound_port = value.port;
		__builtin_memcpy(record.bound_address, value.address, sizeof(value.address));
	}
	emit(&record, BW_RECORD_CLOSE, 0, hook);
}

#endif
