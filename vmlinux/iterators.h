/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The kernel types and fields that bpf/inventory.bpf.c and bpf/unheld.bpf.c read beyond vmlinux.h: of iterators, and of
 * the way from a process's descriptor to its socket. What is behind three underscores CO-RE ignores; here it keeps these types apart
 * from the ones of the same name in vmlinux.h, which have other members.
 */
#ifndef VMLINUX_ITERATORS_H
#define VMLINUX_ITERATORS_H

#include "vmlinux/vmlinux.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct upid___inventory {
	int nr;
};

struct pid___inventory {
	unsigned int level;
	struct upid___inventory numbers[1];
};

struct files_struct___inventory;

struct task_struct___inventory {
	int pid;
	int tgid;
	char comm[16];
	__u64 start_boottime;
	__u64 self_exec_id;
	struct task_struct___inventory *group_leader;
	struct pid___inventory *thread_pid;
	struct files_struct___inventory *files;
};

struct inode___inventory {
	umode_t i_mode;
	unsigned long i_ino;
};

struct file___inventory {
	void *private_data;
	struct inode___inventory *f_inode;
};

/* Context of an iterator over the descriptors of all tasks: 5.8 (eaaacd23910f). Its pointers have types. */
struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct___inventory *task;
	__u32 fd;
	struct file___inventory *file;
};

typedef struct {
	__u32 val;
} kuid_t___inventory;

struct sock_common___inventory {
	unsigned char skc_state;
};

struct socket___inventory;

struct sock___inventory {
	struct sock_common___inventory __sk_common;
	kuid_t___inventory sk_uid;
	struct socket___inventory *sk_socket;
};

struct socket___inventory {
	struct file___inventory *file;
	struct sock *sk;
};

/* Contexts of the iterators over the sockets of a network namespace: 5.9 (52d87d5f6418, 5788b3a07fc5). */
struct bpf_iter__tcp {
	struct bpf_iter_meta *meta;
	struct sock_common___inventory *sk_common;
};

struct udp_sock;

struct bpf_iter__udp {
	struct bpf_iter_meta *meta;
	struct udp_sock *udp_sk;
};

#pragma clang attribute pop

#endif
