/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Plan 3, tracepoint, of bindwatch.bpf.c: programs of a cgroup see what is bound, the tracepoints of the system call
 * what came of it.
 */
#ifndef BPF_TRACEPOINT_BPF_H
#define BPF_TRACEPOINT_BPF_H

#include "vmlinux/vmlinux.h"
#include "bpf/bindwatch.h"
#include "bpf/call.bpf.h"
#include "bpf/compat.bpf.h"
#include "bpf/emit.bpf.h"
#include "bpf/listen.bpf.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#define S_IFMT               0170000
#define S_IFSOCK             0140000
#define SOCKADDR_STORAGE_LEN 128 /* longer, or negative, never reaches a socket: move_addr_to_kernel() */
#define EBADF                9
#define EFAULT               14
#define ENOTSOCK             88
#define EOPNOTSUPP           95

/* The socket behind a descriptor of the current process, by the same path that fdget() takes; NULL: none. */
static __always_inline const struct sock *socket_of(int fd)
{
	const struct task_struct *task = (const void *)bpf_get_current_task();
	const struct fdtable *table = BPF_CORE_READ(task, files, fdt);
	const struct socket *socket;
	const struct file *file = NULL;

	if ((__u32)fd >= BPF_CORE_READ(table, max_fds))
		return NULL;
	bpf_probe_read_kernel(&file, sizeof(file), BPF_CORE_READ(table, fd) + fd);
	if (!file || (BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return NULL;
	socket = BPF_CORE_READ(file, private_data);
	return BPF_CORE_READ(socket, sk);
}

SEC("tracepoint/syscalls/sys_enter_bind")
int sys_enter_bind(struct trace_event_raw_sys_enter *ctx)
{
	struct bw_call call = {.kind = BW_RECORD_BIND, .fd = ctx->args[0]};
	__u32 length = ctx->args[2];

	call.refused = length > SOCKADDR_STORAGE_LEN;
	if (length > BW_SOCKADDR_LEN)
		length = BW_SOCKADDR_LEN;
	if (bpf_probe_read_user(call.record.requested, length, (const void *)ctx->args[1]) == 0)
		call.record.requested_len = length;
	call_begin(&call);
	return 0;
}

/*
 * What the socket layer was asked for, out of the kernel's own copy: another thread cannot change it any more, and a
 * bind by io_uring, which passes no system call tracepoint, comes by here too.
 */
static __always_inline struct bw_call *call_at_socket(struct bpf_sock_addr *ctx)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct bw_call *call = call_under_way(BW_RECORD_BIND);
	struct bw_call fresh = {.kind = BW_RECORD_BIND};

	bpf_get_socket_cookie(ctx); /* as in cgroup_cookie4() */
	if (call) {
		/* as it is before the bind, which is how a bind that fails leaves it; by way of the map it is a number
		 * to the verifier, which allows no arithmetic on what it knows as a socket */
		volatile __u64 *sk = &call->sk;

		*sk = (__u64)ctx->sk;
		if (!fill_socket(&call->record, (const struct sock *)*sk, false))
			call->sk = 0;
		return call;
	}
	(void)bpf_map_update_elem(&asked, &thread, &fresh, BPF_ANY);
	return bpf_map_lookup_elem(&asked, &thread);
}

/* The socket's family chose the program, not the address's, which is looked at only behind it: inet_bind_sk(). */
SEC("cgroup/bind4")
int cgroup_bind4(struct bpf_sock_addr *ctx)
{
	struct bw_call *call = call_at_socket(ctx);

	if (!call || (ctx->user_family != AF_INET && ctx->user_family != AF_UNSPEC))
		return 1;
	__builtin_memset(call->record.requested, 0, sizeof(call->record.requested));
	*(__u16 *)&call->record.requested[0] = AF_INET;
	*(__u16 *)&call->record.requested[2] = ctx->user_port;
	*(__u32 *)&call->record.requested[4] = ctx->user_ip4;
	call->record.requested_len = 16;
	return 1;
}

SEC("cgroup/bind6")
int cgroup_bind6(struct bpf_sock_addr *ctx)
{
	struct bw_call *call = call_at_socket(ctx);

	if (!call || ctx->user_family != AF_INET6)
		return 1;
	__builtin_memset(call->record.requested, 0, sizeof(call->record.requested));
	*(__u16 *)&call->record.requested[0] = AF_INET6;
	*(__u16 *)&call->record.requested[2] = ctx->user_port;
	*(__u32 *)&call->record.requested[8] = ctx->user_ip6[0];
	*(__u32 *)&call->record.requested[12] = ctx->user_ip6[1];
	*(__u32 *)&call->record.requested[16] = ctx->user_ip6[2];
	*(__u32 *)&call->record.requested[20] = ctx->user_ip6[3];
	call->record.requested_len = BW_SOCKADDR_LEN;
	return 1;
}

/*
 * What the programs before this one made of the bind: all are run, whatever one of them says, and those of the
 * process's own cgroup before those of the root (bpf_prog_run_array_cg()).
 */
static __always_inline int cgroup_result(void)
{
	return cgroup_retval ? bpf_get_retval() : 0;
}

/* Of the socket that cgroup_bind4/6 saw a moment ago only this is new: an address of IPv6 sets IPV6_V6ONLY by itself.
 */
static __always_inline bool fill_bound(struct bw_call *call, const struct sock *sk)
{
	if (call->sk != (__u64)sk)
		return fill_socket(&call->record, sk, false);
	call->record.bound_port = BPF_CORE_READ(sk, __sk_common.skc_num);
	if (BITFIELD(false, sk, __sk_common.skc_ipv6only))
		call->record.socket_flags |= BW_SOCKET_V6ONLY;
	read_address(call->record.bound_address, call->record.family, sk, false);
	return true;
}

/*
 * The port is taken. Within bind(2) the outcome is still open (a program of the root that stands behind this one may
 * refuse), so it is kept for the exit, unless the exit may never be seen: better such a refusal is missed than a bind.
 * Any other way to here (io_uring, 32-bit socketcall, the kernel itself) has no exit that is seen.
 *
 * The context of a post_bind program is the struct sock itself; the verifier shows it as struct bpf_sock, but lets a
 * program that may read kernel memory read it by its true type.
 */
static __always_inline int port_taken(struct bpf_sock *ctx, enum bw_hook hook)
{
	__u64 thread = bpf_get_current_pid_tgid();
	const struct sock *sk = (const void *)ctx;
	struct bw_call *call = call_under_way(BW_RECORD_BIND);
	struct bw_call *asked_for;
	struct bw_socket alone = {};

	if (call && !exit_skipped) {
		call->bound = fill_bound(call, sk);
		/* not while the end of the call may have no hook yet, or no more: nobody would tell it */
		call->kept = complete_ns && call->bound && hold_untold(&call->record);
		return 1;
	}
	if (call) {
		if (fill_bound(call, sk))
			emit(&call->record, BW_RECORD_BIND, cgroup_result(), hook);
		call->told = true;
		return 1;
	}
	asked_for = bpf_map_lookup_elem(&asked, &thread);
	if (asked_for)
		alone = asked_for->record;
	if (fill_socket(&alone, sk, false))
		emit(&alone, BW_RECORD_BIND, cgroup_result(), hook);
	if (asked_for)
		asked_for->bound = true;
	return 1;
}

SEC("cgroup/post_bind4")
int cgroup_post_bind4(struct bpf_sock *ctx)
{
	return port_taken(ctx, BW_HOOK_CGROUP_POST_BIND4);
}

SEC("cgroup/post_bind6")
int cgroup_post_bind6(struct bpf_sock *ctx)
{
	return port_taken(ctx, BW_HOOK_CGROUP_POST_BIND6);
}

/*
 * A bind whose entry was not seen or not kept. It is lost if it came to a socket, which then was asked for it, and
 * post_bind did not tell it like one that has no entry. What seccomp refused has an end and no entry, too.
 */
static __always_inline void end_alone(void)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct bw_call *call = bpf_map_lookup_elem(&asked, &thread);

	if (!call)
		return;
	if (!call->bound)
		call_not_kept();
	(void)bpf_map_delete_elem(&asked, &thread);
}

SEC("tracepoint/syscalls/sys_exit_bind")
int sys_exit_bind(struct trace_event_raw_sys_exit *ctx)
{
	struct bw_call *call = call_under_way(BW_RECORD_BIND);
	const struct sock *sk;
	int result = ctx->ret;

	if (!call) {
		end_alone();
		return 0;
	}
	if (call->told) {
		call_end();
		return 0;
	}
	/*
	 * A failed bind, or SCTP, which takes its port outside of the code that calls the programs of a cgroup; or one
	 * of these was taken off. By now another thread may have put something else behind the descriptor.
	 */
	if (!call->bound && !call->refused && result != -EFAULT && result != -EBADF && result != -ENOTSOCK) {
		bool known = call->sk && result < 0;

		sk = known ? NULL : socket_of(call->fd);
		call->bound = known || (sk && fill_socket(&call->record, sk, false));
		if (!known && !sk)
			call_not_kept();
	}
	if (call->bound)
		emit_holding(&call->record, BW_RECORD_BIND, result, BW_HOOK_SYS_EXIT_BIND, !call->kept);
	if (call->kept)
		hold_told(&call->record, result);
	call_end();
	return 0;
}

SEC("tracepoint/syscalls/sys_enter_listen")
int sys_enter_listen(struct trace_event_raw_sys_enter *ctx)
{
	const struct sock *sk = socket_of(ctx->args[0]);
	struct bw_call call = {.kind = BW_RECORD_LISTEN, .fd = ctx->args[0]};

	if (sk) {
		__u64 cookie = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);

		call.kept = bpf_map_lookup_elem(&held, &cookie) != NULL;
	}
	/* a socket that listens already only gets another backlog; one that is connected is refused: neither is about a
	 * port */
	call.refused = !sk || BPF_CORE_READ(sk, __sk_common.skc_state) != TCP_CLOSE;
	if (!call_begin(&call))
		call_not_kept();
	return 0;
}

/*
 * Of every protocol; and a port that the listen itself took is known now. If the descriptor leads to another socket by
 * now, what was seen when the socket's state changed is told instead.
 */
SEC("tracepoint/syscalls/sys_exit_listen")
int sys_exit_listen(struct trace_event_raw_sys_exit *ctx)
{
	struct bw_call *call = call_under_way(BW_RECORD_LISTEN);
	struct bw_socket record = {};
	const struct sock *sk;
	bool found, holds;

	/* refused by seccomp, or its entry found no room, and was counted there */
	if (!call)
		return 0;
	if (call->told) {
		call_end();
		return 0;
	}
	sk = call->refused ? NULL : socket_of(call->fd);
	found = sk && fill_socket(&record, sk, false);
	if (call->bound && (!found || record.cookie != call->record.cookie)) {
		emit_holding(&call->record, BW_RECORD_LISTEN, ctx->ret, BW_HOOK_SYS_EXIT_LISTEN, false);
	} else if (found && ctx->ret != -EOPNOTSUPP) {
		/* what cannot listen at all was asked of no port: UDP */
		record.backlog = listen_backlog(sk, false);
		/* what was held when it began, and is not any more, was closed by another thread meanwhile */
		holds = !call->kept || bpf_map_lookup_elem(&held, &record.cookie);
		emit_holding(&record, BW_RECORD_LISTEN, ctx->ret, BW_HOOK_SYS_EXIT_LISTEN, holds);
	}
	call_end();
	return 0;
}

struct bw_call told_listen = {.kind = BW_RECORD_LISTEN, .told = true};

/*
 * A listen that passes no system call tracepoint (io_uring, 32-bit socketcall, the kernel itself). Its outcome is not
 * seen, nor a port that the listen itself takes. MPTCP changes the state of the subflow and of the socket: the subflow
 * is taken, which leads to the socket.
 */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(set_state_listen, const struct sock *sk, int before, int after)
{
	__u64 thread = bpf_get_current_pid_tgid();
	struct bw_call *call;

	if (after != TCP_LISTEN || sk->sk_protocol == IPPROTO_MPTCP)
		return 0;
	call = call_under_way(BW_RECORD_LISTEN);
	if (!call) {
		/* by its system call, whose entry was skipped: its end has nothing to add */
		if (exit_skipped)
			(void)bpf_map_update_elem(&calls, &thread, &told_listen, BPF_ANY);
		return listen_returned(sk, 0, true, BW_HOOK_SET_STATE_LISTEN);
	}
	call->bound = fill_socket(&call->record, sk, true);
	call->record.backlog = listen_backlog(sk, true);
	return 0;
}

/* The context is the struct sock, as in port_taken(). */
SEC("cgroup/sock_release")
int cgroup_sock_release(struct bpf_sock *ctx)
{
	released((const void *)ctx, false, BW_HOOK_CGROUP_SOCK_RELEASE);
	return 1;
}

#endif
