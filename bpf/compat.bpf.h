/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * One getter per difference between kernels, each with the change that made it.
 *
 * `typed` is a constant at every call: true where the verifier knows the pointer's type (fexit) and the program may
 * load through it; false where it must read by bpf_probe_read_kernel().
 */
#ifndef BPF_COMPAT_BPF_H
#define BPF_COMPAT_BPF_H

#include "vmlinux/vmlinux.h"
#include "bpf/bindwatch.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

/*
 * false: the kernel refuses bpf_probe_read_kernel() (lockdown=confidentiality). Then typed loads tell what they can,
 * and the rest is left out: the verifier does not look at a branch that a constant of .rodata closes.
 */
const volatile bool probe_reads = true;

/*
 * true: the programs of a system call's tracepoints can be skipped. From 7.0 on the task can be preempted within them,
 * and until it runs again every other task of the CPU passes them unseen (bpf_prog_inc_misses_counter()). Programs of a
 * cgroup are never skipped.
 */
const volatile bool exit_skipped = false;

/* true: bpf_get_retval() is there for every kind of cgroup program (b44123b4a3dc, 5.18, and what followed until 6.0). */
const volatile bool cgroup_retval = false;

/* true: the end of a socket of the kernel's own is not seen: inet_release() runs programs of a cgroup for others only. */
const volatile bool release_skips_kernel = false;

/*
 * Where in an overlayfs inode its struct inode stands, and the pointer to the file's dentry in the upper layer; -1: not
 * known. Overlayfs is mostly a module, and the loader looks for a module's types only with CAP_SYS_ADMIN: so
 * user/sense/probe.c looks them up.
 */
const volatile int overlay_inode_offset = -1;
const volatile int overlay_upper_offset = -1;

#define FIELD(typed, pointer, field) ((typed) ? (pointer)->field : BPF_CORE_READ(pointer, field))

#define BITFIELD(typed, pointer, field)                                                                                \
	((typed) ? BPF_CORE_READ_BITFIELD(pointer, field) : BPF_CORE_READ_BITFIELD_PROBED(pointer, field))

/* Bits of inet_sock.inet_flags: an anonymous enum of the kernel, so CO-RE cannot look their values up. */
enum { INET_FLAGS_FREEBIND = 11, INET_FLAGS_TRANSPARENT = 15 };

/* Bitfields of their own until 6.6; bits of inet_flags since (3f7e753206bb, 4bd0623f04ee). */
static __always_inline bool inet_sock_freebind(const struct sock *sk)
{
	const struct inet_sock *inet = (const void *)sk;
	const struct inet_sock___before_6_6 *old = (const void *)sk;

	if (!probe_reads)
		return false;
	if (bpf_core_field_exists(inet->inet_flags))
		return BPF_CORE_READ(inet, inet_flags) & (1UL << INET_FLAGS_FREEBIND);
	return BPF_CORE_READ_BITFIELD_PROBED(old, freebind);
}

static __always_inline bool inet_sock_transparent(const struct sock *sk)
{
	const struct inet_sock *inet = (const void *)sk;
	const struct inet_sock___before_6_6 *old = (const void *)sk;

	if (!probe_reads)
		return false;
	if (bpf_core_field_exists(inet->inet_flags))
		return BPF_CORE_READ(inet, inet_flags) & (1UL << INET_FLAGS_TRANSPARENT);
	return BPF_CORE_READ_BITFIELD_PROBED(old, transparent);
}

/*
 * The MPTCP socket that a TCP subflow belongs to; NULL: it is no subflow. A kernel without MPTCP has neither field
 * (CONFIG_MPTCP; tcp_sock.is_mptcp came with f870fa0b5768, 5.6).
 */
static __always_inline const struct sock *mptcp_socket_of(const struct sock *sk)
{
	const struct tcp_sock *tcp = (const void *)sk;
	const struct inet_connection_sock *icsk = (const void *)sk;
	const struct mptcp_subflow_context *subflow = NULL;

	if (!probe_reads || !bpf_core_field_exists(tcp->is_mptcp) || !bpf_core_field_exists(subflow->conn))
		return NULL;
	if (!BPF_CORE_READ(tcp, is_mptcp))
		return NULL;
	subflow = BPF_CORE_READ(icsk, icsk_ulp_data);
	return BPF_CORE_READ(subflow, conn);
}

/* --- without probe reads: what the verifier lets a typed pointer of another type be had for ----------------------- */

/*
 * A TCP socket that is an MPTCP subflow; its own type comes from a helper of 5.9 (478cfbdf5f13). Its MPTCP socket
 * cannot be had: bpf_skc_to_mptcp_sock() takes no pointer that comes from an argument of the kernel's function.
 */
static __always_inline bool is_subflow_typed(const struct sock *sk)
{
	const struct tcp_sock *tcp = (const void *)bpf_skc_to_tcp_sock((void *)sk);

	return tcp && bpf_core_field_exists(tcp->is_mptcp) && tcp->is_mptcp;
}

/* The process (thread group) in the pid namespace that it lives in; kernel/pid.c, pid_nr_ns(). */
static __always_inline void current_pidns(__u32 *pid, __u32 *inode)
{
	const struct task_struct *task = (const void *)bpf_get_current_task();
	const struct pid_namespace *ns;
	const struct upid *upid;
	const struct pid *tgid;

	if (!probe_reads)
		return;
	tgid = BPF_CORE_READ(task, signal, pids[1]); /* PIDTYPE_TGID */
	upid = (const void *)tgid + bpf_core_field_offset(tgid->numbers) +
	       BPF_CORE_READ(tgid, level) * bpf_core_type_size(struct upid);
	*pid = BPF_CORE_READ(upid, nr);
	ns = BPF_CORE_READ(upid, ns);
	*inode = BPF_CORE_READ(ns, ns.inum);
}

/* Two words of 32 bits until 6.3, one of 64 since (f122a08b197d): the same bytes on the little-endian machines we run
 * on. */
#define read_capabilities(set)                                                                                         \
	({                                                                                                             \
		__u64 bits_ = 0;                                                                                       \
		bpf_core_read(&bits_, sizeof(bits_), set);                                                             \
		bits_;                                                                                                 \
	})

static __always_inline __s64 nanoseconds(const struct timespec64 *time)
{
	return time->tv_sec * 1000000000 + time->tv_nsec;
}

/* A timespec64 until 6.11 (3aa63a569c64), under another name until 6.7 (12cd44023651). */
static __always_inline __s64 inode_mtime_ns(const struct inode *inode)
{
	const struct inode___before_6_11 *old = (const void *)inode;
	const struct inode___before_6_7 *older = (const void *)inode;
	struct timespec64 time = {};

	if (bpf_core_field_exists(inode->i_mtime_sec)) {
		time.tv_sec = BPF_CORE_READ(inode, i_mtime_sec);
		time.tv_nsec = BPF_CORE_READ(inode, i_mtime_nsec);
	} else if (bpf_core_field_exists(old->__i_mtime)) {
		bpf_core_read(&time, sizeof(time), &old->__i_mtime);
	} else {
		bpf_core_read(&time, sizeof(time), &older->i_mtime);
	}
	return nanoseconds(&time);
}

/* Bit of i_ctime_nsec that is no part of the time: 6.13, 4e40eff0b573. */
#define I_CTIME_QUERIED (1U << 31)

/* A timespec64 until 6.11 (3aa63a569c64), under another name until 6.6 (13bc24457850). */
static __always_inline __s64 inode_ctime_ns(const struct inode *inode)
{
	const struct inode___before_6_11 *old = (const void *)inode;
	const struct inode___before_6_6 *older = (const void *)inode;
	struct timespec64 time = {};

	if (bpf_core_field_exists(inode->i_ctime_sec)) {
		time.tv_sec = BPF_CORE_READ(inode, i_ctime_sec);
		time.tv_nsec = BPF_CORE_READ(inode, i_ctime_nsec) & ~I_CTIME_QUERIED;
	} else if (bpf_core_field_exists(old->__i_ctime)) {
		bpf_core_read(&time, sizeof(time), &old->__i_ctime);
	} else {
		bpf_core_read(&time, sizeof(time), &older->i_ctime);
	}
	return nanoseconds(&time);
}

/* `parent` until 6.15 (633488947ef6). */
static __always_inline const struct kernfs_node *kernfs_parent(const struct kernfs_node *node)
{
	const struct kernfs_node___before_6_15 *old = (const void *)node;

	if (bpf_core_field_exists(node->__parent))
		return BPF_CORE_READ(node, __parent);
	return BPF_CORE_READ(old, parent);
}

/* Without CONFIG_AUDIT nobody has one. */
static __always_inline __u32 task_login_uid(const struct task_struct *task)
{
	return bpf_core_field_exists(task->loginuid) ? BPF_CORE_READ(task, loginuid.val) : BW_AUDIT_UNSET;
}

static __always_inline __u32 task_session(const struct task_struct *task)
{
	return bpf_core_field_exists(task->sessionid) ? BPF_CORE_READ(task, sessionid) : BW_AUDIT_UNSET;
}

#endif
