/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The contract between bpf/inventory.bpf.c and user/sense/socket_iterator.c: what the iterator over all descriptors of
 * all processes writes, row behind row; and between bpf/unheld.bpf.c and user/sense/unheld.c. As bpf/bindwatch.h it includes nothing; the flags of a socket are BW_SOCKET_*
 * of that file.
 *
 * A change of any size, offset or meaning below raises BW_INVENTORY_VERSION.
 */
#ifndef BW_INVENTORY_H
#define BW_INVENTORY_H

#define BW_INVENTORY_VERSION 3

/* TASK_COMM_LEN of the kernel (include/linux/sched.h), the terminating NUL included. */
#define BW_INVENTORY_COMM_LEN 16

/* bw_inventory_row.state: the kernel's own numbers (include/net/tcp_states.h), of SCTP and DCCP too */
#define BW_INVENTORY_CLOSE  7
#define BW_INVENTORY_LISTEN 10

/* One socket with a port, in one process. A process with two descriptors of it, or of two tables, shows twice. */
struct bw_inventory_row {
	__u16 version;                 /* BW_INVENTORY_VERSION */
	__u16 size;                    /* of this row, bytes */
	__u32 pid;                     /* the process (thread group), in the reader's pid namespace */
	__u64 inode;                   /* of the socket, in sockfs */
	__u64 cookie;                  /* SO_COOKIE; 0: none so far */
	__u64 start_ns;                /* of the process: CLOCK_BOOTTIME, nanoseconds; as in bw_socket, so exec_id */
	__u32 exec_id;                 /* counts the execs; low 32 bits */
	__u32 uid;                     /* of the socket's owner, in the first user namespace */
	__u32 netns_inode;             /* of the socket's network namespace */
	__u32 unprivileged_port_start; /* net.ipv4.ip_unprivileged_port_start of that namespace */
	__u32 bound_dev_if;            /* SO_BINDTODEVICE: interface index in that namespace; 0: none */
	__u32 socket_flags;            /* BW_SOCKET_* */
	__u16 family;                  /* AF_INET or AF_INET6 */
	__u16 type;                    /* SOCK_STREAM and so on */
	__u16 protocol;                /* IPPROTO_*; IPPROTO_MPTCP is 262 */
	__u16 port;                    /* host order, never 0 */
	__u8 state;                    /* BW_INVENTORY_CLOSE: no peer, and it does not listen; BW_INVENTORY_LISTEN */
	__u8 pad[7];
	__u8 address[16];                 /* network order; AF_INET uses the first 4 bytes, the others are 0 */
	char comm[BW_INVENTORY_COMM_LEN]; /* of the process's first thread; any bytes, NUL-terminated */
};

_Static_assert(sizeof(struct bw_inventory_row) == 104, "bw_inventory_row");

/* A socket that waits for peers, of bpf/unheld.bpf.c. */
struct bw_unheld_row {
	__u64 cookie;  /* SO_COOKIE; 0: none so far */
	__u32 version; /* BW_INVENTORY_VERSION */
	__u32 kernel;  /* 1: the kernel opened it for itself; 0: it has a file, so somebody may hold it */
};

_Static_assert(sizeof(struct bw_unheld_row) == 16, "bw_unheld_row");

#endif
