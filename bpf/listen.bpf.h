/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The end of a listen, by whichever hook: every plan. */
#ifndef BPF_LISTEN_BPF_H
#define BPF_LISTEN_BPF_H

#include "vmlinux/vmlinux.h"
#include "bpf/bindwatch.h"
#include "bpf/compat.bpf.h"
#include "bpf/emit.bpf.h"
#include <bpf/bpf_core_read.h>

/* As the kernel took it. An MPTCP socket listens by its first subflow, and it is that one which has a backlog. */
static __always_inline __u32 listen_backlog(const struct sock *sk, const bool typed)
{
	const struct mptcp_sock *mptcp = (const void *)sk;

	if (probe_reads && bpf_core_field_exists(mptcp->first) && FIELD(typed, sk, sk_protocol) == IPPROTO_MPTCP)
		return BPF_CORE_READ(mptcp, first, sk_max_ack_backlog);
	return FIELD(typed, sk, sk_max_ack_backlog);
}

/*
 * inet_csk_listen_start() is where every listen of TCP and MPTCP ends, by whichever way it came, and where a port that
 * nobody bound is taken. Its backlog argument went away in 5.17 (e7049395b1c3).
 */
static __always_inline int listen_returned(const struct sock *sk, int result, const bool typed, enum bw_hook hook)
{
	struct bw_socket record = {};

	if (!fill_socket(&record, sk, typed))
		return 0;
	/* SCTP changes its state first and sets its backlog then */
	record.backlog = hook == BW_HOOK_SET_STATE_SCTP ? BW_BACKLOG_UNKNOWN : listen_backlog(sk, typed);
	emit(&record, BW_RECORD_LISTEN, result, hook);
	return 0;
}

#endif
