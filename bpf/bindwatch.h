/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The contract between the kernel side (bpf/) and the user side (user/sense/).
 *
 * Everything that crosses the ring buffer or a map is defined here and nowhere else. Integers are of fixed
 * width, padding is named, and both sides assert the sizes, so that two compilers cannot disagree. The file
 * includes nothing: the kernel side has __u8 and its kin from vmlinux.h, the user side from <linux/types.h>.
 *
 * A change of any size, offset or meaning below raises BW_ABI_VERSION.
 */
#ifndef BW_BINDWATCH_H
#define BW_BINDWATCH_H

#define BW_ABI_VERSION 4

/* TASK_COMM_LEN of the kernel (include/linux/sched.h), the terminating NUL included. */
#define BW_COMM_LEN 16

/* sizeof(struct sockaddr_in6): the longest address that a port can be asked for with. */
#define BW_SOCKADDR_LEN 28

/*
 * Bytes of the ring buffer. A power of two and a multiple of the page size (bpf(2)). 4 MiB hold about 17,000
 * binds: a second of the fastest bind storm that one core of a current server makes.
 */
#define BW_RING_BYTES (4U << 20)

/* The reader is woken when this much waits for it; below, its own timer finds the records. */
#define BW_RING_WAKEUP_BYTES (BW_RING_BYTES / 8)

/* Sockets whose release is waited for. A hundred times what a busy host holds; 100 bytes each, taken at the start. */
#define BW_HELD_SOCKETS 65536

enum bw_record_type {
	BW_RECORD_BIND = 1,    /* a bind has ended */
	BW_RECORD_LISTEN = 2,  /* a listen has ended */
	BW_RECORD_CLOSE = 3,   /* a socket that held a port is released */
	BW_RECORD_PROCESS = 4, /* who makes the next record: once per exec, struct bw_process */
};

/* The hook that made the record. A new one is added at the end; user/sense/plan.c names it. */
enum bw_hook {
	BW_HOOK_NONE = 0,
	BW_HOOK_FEXIT_INET_BIND_SK,
	BW_HOOK_FEXIT_INET6_BIND_SK,
	BW_HOOK_FEXIT_INET_BIND,
	BW_HOOK_FEXIT_INET6_BIND,
	BW_HOOK_KRETPROBE_INET_BIND_SK,
	BW_HOOK_KRETPROBE_INET6_BIND_SK,
	BW_HOOK_KRETPROBE_INET_BIND,
	BW_HOOK_KRETPROBE_INET6_BIND,
	BW_HOOK_SYS_EXIT_BIND,
	BW_HOOK_CGROUP_POST_BIND4,
	BW_HOOK_CGROUP_POST_BIND6,
	BW_HOOK_FEXIT_LISTEN_START,
	BW_HOOK_KRETPROBE_LISTEN_START,
	BW_HOOK_SYS_EXIT_LISTEN,
	BW_HOOK_SET_STATE_SCTP,
	BW_HOOK_SET_STATE_LISTEN,
	BW_HOOK_FENTRY_INET_RELEASE,
	BW_HOOK_KPROBE_INET_RELEASE,
	BW_HOOK_CGROUP_SOCK_RELEASE,
	BW_HOOK_COUNT,
};

/* bw_socket.socket_flags: the socket as it stood when the call ended */
#define BW_SOCKET_V6ONLY      (1U << 0) /* IPV6_V6ONLY */
#define BW_SOCKET_REUSEADDR   (1U << 1) /* SO_REUSEADDR */
#define BW_SOCKET_REUSEPORT   (1U << 2) /* SO_REUSEPORT */
#define BW_SOCKET_FREEBIND    (1U << 3) /* IP_FREEBIND, IPV6_FREEBIND */
#define BW_SOCKET_TRANSPARENT (1U << 4) /* IP_TRANSPARENT, IPV6_TRANSPARENT */
#define BW_SOCKET_KERNEL      (1U << 5) /* opened by the kernel for itself (sock_create_kern) */
#define BW_SOCKET_AUTOBOUND   (1U << 6) /* BW_RECORD_LISTEN: the first told of a port that the kernel chose: it took it */
#define BW_SOCKET_PORT_ASKED  (1U << 7) /* the port was bound by its number (SOCK_BINDPORT_LOCK) */

/* What could not be read, and whose bits above then say nothing. */
#define BW_SOCKET_INET_UNKNOWN   (1U << 8)  /* BW_SOCKET_FREEBIND, BW_SOCKET_TRANSPARENT */
#define BW_SOCKET_KERNEL_UNKNOWN (1U << 9)  /* BW_SOCKET_KERNEL */
#define BW_SOCKET_REUSE_UNKNOWN  (1U << 10) /* BW_SOCKET_REUSEADDR, BW_SOCKET_REUSEPORT; never of a bw_socket */
#define BW_SOCKET_UNKNOWN        (BW_SOCKET_INET_UNKNOWN | BW_SOCKET_KERNEL_UNKNOWN | BW_SOCKET_REUSE_UNKNOWN)

/* BW_RECORD_LISTEN: the first that is told of the port, though somebody may have bound it: by sctp_bindx(3) */
#define BW_SOCKET_UNTOLD (1U << 11)

#define BW_BACKLOG_UNKNOWN 0xffffffffU

/* bw_socket.caller: which of the caller's fields could be read */
#define BW_CALLER_PROCESS     (1U << 0) /* start_ns, exec_id */
#define BW_CALLER_CREDENTIALS (1U << 1) /* effective ids, groups, capabilities, login uid, session */

/* The login uid and session of a process that nobody logged in for, and of a kernel without audit. */
#define BW_AUDIT_UNSET 0xffffffffU

struct bw_record_header {
	__u16 version;  /* BW_ABI_VERSION */
	__u16 type;     /* enum bw_record_type */
	__u32 size;     /* of the whole record, header included, bytes */
	__u64 boot_ns;  /* CLOCK_BOOTTIME, nanoseconds */
	__u64 sequence; /* of this CPU, from 1; a gap is a record that was lost on the way; BW_RECORD_PROCESS: 0 */
	__u32 cpu;
	__u32 pad;
};

/* One bind, listen or release of a socket that has a port, or the attempt of one. */
struct bw_socket {
	struct bw_record_header header;
	__u64 cookie;               /* SO_COOKIE of the socket; 0: the kernel gave none here */
	__u64 held_ns;              /* BW_RECORD_CLOSE: since the port was taken, nanoseconds */
	__u64 start_ns;             /* of the process: CLOCK_BOOTTIME, nanoseconds; with the pid it names the process */
	__u64 effective, permitted; /* capabilities, bit n is capability n (linux/capability.h) */
	__u64 cgroup_id;            /* of the cgroup v2 hierarchy */
	__u32 exec_id;              /* counts the execs; low 32 bits */
	__u32 caller;               /* BW_CALLER_* */
	__u32 effective_uid, effective_gid; /* in the first user namespace */
	__u32 groups_count;                 /* supplementary groups */
	__u32 login_uid, session;           /* of audit; BW_AUDIT_UNSET */
	__u32 pid;                          /* the process (thread group), in the first pid namespace */
	__u32 tid;
	__u32 uid; /* real ids, in the first user namespace */
	__u32 gid;
	__u32 pidns_pid;               /* the process in its own pid namespace */
	__u32 pidns_inode;             /* of that namespace */
	__s32 result;                  /* of the call: 0, or -errno */
	__u32 netns_inode;             /* of the socket's network namespace */
	__u32 unprivileged_port_start; /* net.ipv4.ip_unprivileged_port_start of that namespace */
	__u32 bound_dev_if;            /* SO_BINDTODEVICE: interface index in that namespace; 0: none */
	__u32 backlog;                 /* BW_RECORD_LISTEN; BW_BACKLOG_UNKNOWN: the hook comes before it is set */
	__u32 socket_flags;            /* BW_SOCKET_* */
	__u16 family;                  /* AF_INET or AF_INET6: the socket's, not the address's */
	__u16 type;                    /* SOCK_STREAM and so on */
	__u16 protocol;                /* IPPROTO_*; IPPROTO_MPTCP (262) where a subflow was bound for it */
	__u16 bound_port;              /* host order; of a failed call what the socket had before, mostly 0 */
	__u8 bound_address[16];        /* network order; AF_INET uses the first 4 bytes, the others are 0 */
	__u16 hook;                    /* enum bw_hook */
	__u16 requested_len;           /* BW_RECORD_BIND: valid bytes of requested, 0..BW_SOCKADDR_LEN; 0: not known */
	__u8 requested[BW_SOCKADDR_LEN]; /* the sockaddr that was asked for, as it was passed */
	char comm[BW_COMM_LEN];          /* of the thread; any bytes, NUL-terminated */
	__u32 pad;
};

/* PATH_MAX: the longest path or arguments that are told, bytes without a terminator. */
#define BW_TEXT_MAX 4096

/* What is told of an ancestor's executable: the last bytes of its path. */
#define BW_ANCESTOR_TEXT_MAX 255
#define BW_ANCESTORS_MAX     8

/* Room for every text at its longest: executable, arguments, directory, root, cgroup, ancestors. */
#define BW_PROCESS_TEXTS_MAX (5 * BW_TEXT_MAX + BW_ANCESTORS_MAX * (BW_ANCESTOR_TEXT_MAX + 1))

/* A text that was read, and may be empty; else there is none and offset and length are 0. */
#define BW_TEXT_KNOWN (1U << 0)
/* The beginning of a path is missing; of the arguments, and of a cgroup's path, the end, of the latter maybe all. */
#define BW_TEXT_CUT (1U << 1)

/* Bytes behind bw_process, any value, without a terminator. */
struct bw_text {
	__u16 offset; /* from the end of struct bw_process */
	__u16 length; /* bytes */
	__u16 flags;  /* BW_TEXT_* */
	__u16 pad;
};

/* bw_process.flags */
#define BW_PROCESS_KERNEL_THREAD (1U << 0) /* has no executable, arguments and directories */
#define BW_PROCESS_EXITING       (1U << 1) /* what an exit takes away first was gone: memory, directories */

/* bw_process.executable_flags, and of executable_known: the bits that could be told */
#define BW_EXECUTABLE_MEMFD          (1U << 0) /* memfd_create(2) */
#define BW_EXECUTABLE_DELETED        (1U << 1) /* has no link, or not under the name that it was called by */
#define BW_EXECUTABLE_OVERLAY_UPPER  (1U << 2) /* overlayfs has it in its upper layer */
#define BW_EXECUTABLE_WORLD_WRITABLE (1U << 3) /* mode o+w, of the file or of the directory that it stands in */
#define BW_EXECUTABLE_INODE          (1U << 4) /* device, inode, mtime_ns, ctime_ns could be read */

/* From the parent (number 0) upwards, up to the first process. */
struct bw_ancestor {
	__u64 start_ns; /* CLOCK_BOOTTIME, nanoseconds */
	__u32 pid;      /* the process (thread group), in the first pid namespace */
	__u32 pad;
	struct bw_text executable;
	char comm[BW_COMM_LEN]; /* any bytes, NUL-terminated */
};

/*
 * Who makes a call: comes before the first record of a process that has the same pid, start_ns and exec_id. Followed by
 * up to BW_PROCESS_TEXTS_MAX bytes of texts; header.size counts them. A path is the way down from the root of its mount
 * namespace, "/" for that root itself.
 */
struct bw_process {
	struct bw_record_header header;
	__u64 start_ns; /* as in bw_socket */
	__u64 cgroup_id;
	__u64 inode;
	__s64 mtime_ns, ctime_ns; /* of the executable: wall clock, nanoseconds since 1970 */
	__u32 device_major, device_minor;
	__u32 executable_flags, executable_known;                  /* BW_EXECUTABLE_* */
	__u32 pid, exec_id;                                        /* as in bw_socket */
	__u32 flags;                                               /* BW_PROCESS_* */
	__u32 pidns_inode, mntns_inode, userns_inode, netns_inode; /* 0: not known */
	__u32 ancestors_count;                                     /* 0..BW_ANCESTORS_MAX */
	struct bw_text executable, arguments, directory, root, cgroup;
	char comm[BW_COMM_LEN]; /* of the first thread; any bytes, NUL-terminated */
	struct bw_ancestor ancestors[BW_ANCESTORS_MAX];
};

/*
 * A socket that holds a port, in the map `held`, by its cookie. The port and address are kept because the kernel takes
 * them from a socket that it chose the port for as soon as that is shut down, before it is released (tcp_set_state()).
 */
struct bw_held {
	__u64 since_ns; /* CLOCK_BOOTTIME, nanoseconds; 0: before we watched */
	__u8 address[16];
	__u16 port; /* host order */
	__u16 pad[3];
	/*
	 * Plan 3, which tells a bind only when the call ends: another thread may close the socket before. Not 0: the
	 * bind is not told yet; not 0: the socket went. Who comes second tells the end. 32 bits: for atomic additions.
	 */
	__u32 untold, gone;
};

/* A bind or listen under way, by its thread, in the map `calls`: plans 2 and 3. */
struct bw_call {
	struct bw_socket record;
	__u64 sk;       /* the socket; plan 3: 0 until it is asked */
	__u64 begun_ns; /* CLOCK_BOOTTIME, nanoseconds */
	__s32 fd;       /* plan 3 */
	__u16 kind;     /* BW_RECORD_BIND or BW_RECORD_LISTEN */
	__u8 bound;     /* plan 3: record holds what was seen while it was under way; in `asked`: it was told */
	__u8 refused;   /* plan 3: refused before any socket was asked */
	__u8 told;      /* plan 3: before its end, which may never be seen */
	__u8 kept;      /* plan 3: `held` has the socket: of a bind since it has the port, of a listen since before */
	__u8 pad[6];
};

/* One per CPU, in the map `counters`. seen == submitted + lost_ring + lost_inflight. */
struct bw_counters {
	__u64 seen;          /* calls on a socket with ports that a hook saw end */
	__u64 submitted;     /* records written to the ring buffer */
	__u64 lost_ring;     /* records lost because the ring buffer was full */
	__u64 lost_inflight; /* calls whose beginning or end was not seen, of those whose other end was */
	__u64 untracked; /* ports taken whose release will not be told: no cookie, or BW_HELD_SOCKETS held already */
	__u64 processes; /* process records written; they are not among seen and submitted */
	__u64 processes_lost; /* process records that found no room; the process is described at its next call */
	__u64 pad;
};

/* A process that was described, in the map `described`; the value is its exec_id. */
struct bw_process_key {
	__u64 start_ns;
	__u32 pid;
	__u32 pad;
};

_Static_assert(sizeof(struct bw_record_header) == 32, "bw_record_header");
_Static_assert(sizeof(struct bw_socket) == 232, "bw_socket");
_Static_assert(sizeof(struct bw_text) == 8, "bw_text");
_Static_assert(sizeof(struct bw_ancestor) == 40, "bw_ancestor");
_Static_assert(sizeof(struct bw_process) == 496, "bw_process");
_Static_assert(sizeof(struct bw_process_key) == 16, "bw_process_key");
_Static_assert(sizeof(struct bw_held) == 40, "bw_held");
_Static_assert(sizeof(struct bw_call) == sizeof(struct bw_socket) + 32, "bw_call");
_Static_assert(sizeof(struct bw_counters) == 64, "bw_counters");

#endif
