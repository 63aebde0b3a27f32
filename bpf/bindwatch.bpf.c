// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The hooks, by plan. Only one plan's programs are loaded at a time; user/sense/plan.c names them and says which kernel
 * has which. Every hook is a thin wrapper on bpf/emit.bpf.h.
 */
#include "vmlinux/vmlinux.h"
#include "bpf/bindwatch.h"
#include "bpf/call.bpf.h"
#include "bpf/compat.bpf.h"
#include "bpf/emit.bpf.h"
#include "bpf/listen.bpf.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/*
 * --- every plan -----------------------------------------------------------------------------------------------------
 *
 * A socket has a cookie only once somebody asks for it, and no tracing program may ask on every kernel (fexit:
 * from 5.12; kprobes and tracepoints: never). So it is asked for when the socket is made, and can be read from then on.
 */
SEC("cgroup/sock_create")
int cgroup_sock_create(struct bpf_sock *ctx)
{
	bpf_get_socket_cookie(ctx);
	return 1;
}

/* A socket that was made before we watched gets its cookie at its bind; of MPTCP only the subflow does. */
SEC("cgroup/bind4")
int cgroup_cookie4(struct bpf_sock_addr *ctx)
{
	bpf_get_socket_cookie(ctx);
	return 1;
}

SEC("cgroup/bind6")
int cgroup_cookie6(struct bpf_sock_addr *ctx)
{
	bpf_get_socket_cookie(ctx);
	return 1;
}

/* --- plan 1, trampoline: the end of the kernel's bind has it all in one place ----------------------------------- */

static __always_inline int bind_returned(struct sock *sk, const void *address, int length, int result,
                                         enum bw_hook hook)
{
	struct bw_socket record = {};

	if (!sk || !fill_socket(&record, sk, true))
		return 0;
	fill_requested(&record, address, length);
	emit(&record, BW_RECORD_BIND, result, hook);
	return 0;
}

SEC("fexit/inet_bind_sk")
int BPF_PROG(fexit_inet_bind_sk, struct sock *sk, void *address, int length, int result)
{
	return bind_returned(sk, address, length, result, BW_HOOK_FEXIT_INET_BIND_SK);
}

SEC("fexit/inet6_bind_sk")
int BPF_PROG(fexit_inet6_bind_sk, struct sock *sk, void *address, int length, int result)
{
	return bind_returned(sk, address, length, result, BW_HOOK_FEXIT_INET6_BIND_SK);
}

SEC("fexit/inet_bind")
int BPF_PROG(fexit_inet_bind, struct socket *socket, void *address, int length, int result)
{
	return bind_returned(socket->sk, address, length, result, BW_HOOK_FEXIT_INET_BIND);
}

SEC("fexit/inet6_bind")
int BPF_PROG(fexit_inet6_bind, struct socket *socket, void *address, int length, int result)
{
	return bind_returned(socket->sk, address, length, result, BW_HOOK_FEXIT_INET6_BIND);
}

SEC("fexit/inet_csk_listen_start")
int BPF_PROG(fexit_listen_start, struct sock *sk, int result)
{
	return listen_returned(sk, result, true, BW_HOOK_FEXIT_LISTEN_START);
}

SEC("fexit/inet_csk_listen_start")
int BPF_PROG(fexit_listen_start_backlog, struct sock *sk, int backlog, int result)
{
	return listen_returned(sk, result, true, BW_HOOK_FEXIT_LISTEN_START);
}

/* SCTP listens by code of its own, in a module; its change of state is told by the one tracepoint of all. */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(set_state_sctp, const struct sock *sk, int before, int after)
{
	if (after != TCP_LISTEN || sk->sk_protocol != IPPROTO_SCTP)
		return 0;
	return listen_returned(sk, 0, true, BW_HOOK_SET_STATE_SCTP);
}

SEC("fentry/inet_release")
int BPF_PROG(fentry_inet_release, struct socket *socket)
{
	const struct sock *sk = socket->sk;

	if (sk)
		released(sk, true, BW_HOOK_FENTRY_INET_RELEASE);
	return 0;
}

/* --- plan 2, kprobe: the same functions, entry and return ----------------------------------------------------------
 */

static __always_inline int probe_entered(const struct sock *sk, const void *address, int length)
{
	struct bw_call call = {.kind = BW_RECORD_BIND, .sk = (__u64)sk};

	fill_requested(&call.record, address, length);
	call_begin(&call);
	return 0;
}

static __always_inline int probe_returned(int result, enum bw_hook hook)
{
	struct bw_call *call = call_under_way(BW_RECORD_BIND);

	if (!call) {
		call_not_kept();
		return 0;
	}
	if (fill_socket(&call->record, (const struct sock *)call->sk, false))
		emit(&call->record, BW_RECORD_BIND, result, hook);
	call_end();
	return 0;
}

SEC("kprobe/inet_bind_sk")
int BPF_KPROBE(kprobe_inet_bind_sk, struct sock *sk, void *address, int length)
{
	return probe_entered(sk, address, length);
}

SEC("kprobe/inet6_bind_sk")
int BPF_KPROBE(kprobe_inet6_bind_sk, struct sock *sk, void *address, int length)
{
	return probe_entered(sk, address, length);
}

SEC("kprobe/inet_bind")
int BPF_KPROBE(kprobe_inet_bind, struct socket *socket, void *address, int length)
{
	return probe_entered(BPF_CORE_READ(socket, sk), address, length);
}

SEC("kprobe/inet6_bind")
int BPF_KPROBE(kprobe_inet6_bind, struct socket *socket, void *address, int length)
{
	return probe_entered(BPF_CORE_READ(socket, sk), address, length);
}

SEC("kretprobe/inet_bind_sk")
int BPF_KRETPROBE(kretprobe_inet_bind_sk, int result)
{
	return probe_returned(result, BW_HOOK_KRETPROBE_INET_BIND_SK);
}

SEC("kretprobe/inet6_bind_sk")
int BPF_KRETPROBE(kretprobe_inet6_bind_sk, int result)
{
	return probe_returned(result, BW_HOOK_KRETPROBE_INET6_BIND_SK);
}

SEC("kretprobe/inet_bind")
int BPF_KRETPROBE(kretprobe_inet_bind, int result)
{
	return probe_returned(result, BW_HOOK_KRETPROBE_INET_BIND);
}

SEC("kretprobe/inet6_bind")
int BPF_KRETPROBE(kretprobe_inet6_bind, int result)
{
	return probe_returned(result, BW_HOOK_KRETPROBE_INET6_BIND);
}

SEC("kprobe/inet_csk_listen_start")
int BPF_KPROBE(kprobe_listen_start, struct sock *sk)
{
	struct bw_call call = {.kind = BW_RECORD_LISTEN, .sk = (__u64)sk};

	call_begin(&call);
	return 0;
}

SEC("kretprobe/inet_csk_listen_start")
int BPF_KRETPROBE(kretprobe_listen_start, int result)
{
	struct bw_call *call = call_under_way(BW_RECORD_LISTEN);

	if (!call) {
		call_not_kept();
		return 0;
	}
	listen_returned((const struct sock *)call->sk, result, false, BW_HOOK_KRETPROBE_LISTEN_START);
	call_end();
	return 0;
}

SEC("kprobe/inet_release")
int BPF_KPROBE(kprobe_inet_release, struct socket *socket)
{
	const struct sock *sk = BPF_CORE_READ(socket, sk);

	if (sk)
		released(sk, false, BW_HOOK_KPROBE_INET_RELEASE);
	return 0;
}

/* --- plan 3, tracepoint: in a file of its own ----------------------------------------------------------------------- */

#include "bpf/tracepoint.bpf.h"
