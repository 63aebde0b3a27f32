/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which hooks to attach on this kernel: a pure function from what a probe found to a list of programs. A new hook is
 * one wrapper in bpf/bindwatch.bpf.c and one row of the table in plan.c.
 */
#ifndef USER_SENSE_PLAN_H
#define USER_SENSE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>

#include "bpf/bindwatch.h"
#include "user/base/event.h"

/* Kernel functions whose presence in BTF decides; bits of plan_probe.functions */
#define KERNEL_INET_BIND            (1U << 0)
#define KERNEL_INET6_BIND           (1U << 1)
#define KERNEL_INET_BIND_SK         (1U << 2)
#define KERNEL_INET6_BIND_SK        (1U << 3)
#define KERNEL_LISTEN_START         (1U << 4) /* inet_csk_listen_start(sk) */
#define KERNEL_LISTEN_START_BACKLOG (1U << 5) /* inet_csk_listen_start(sk, backlog) */
#define KERNEL_INET_RELEASE         (1U << 6)

#define KERNEL_RELEASE(major, minor) ((uint32_t)(major) << 16 | (uint32_t)(minor))

/* The oldest kernel with the ring buffer (5.8), bpf_ktime_get_boot_ns (5.8) and BTF in Debian's build. */
#define KERNEL_OLDEST KERNEL_RELEASE(5, 10)

/* From here on only the preemptible models are left where lazy preemption is supported, x86-64 and arm64 among them. */
#define KERNEL_PREEMPTIBLE KERNEL_RELEASE(7, 0)

/*
 * The oldest one measured that has room for ten calls in each kretprobe at least. Before, an unpreemptible kernel has as
 * many as there are processors, and a bind that sleeps keeps one.
 */
#define KERNEL_KRETPROBES KERNEL_RELEASE(6, 1)

/* Byte offsets in a struct ovl_inode of the kernel; -1: not known. */
struct overlay_offsets {
	int inode; /* vfs_inode */
	int upper; /* __upperdentry */
};

/* What was found out about this kernel, by sense/probe.c and by trying. */
struct plan_probe {
	uint32_t release;   /* KERNEL_RELEASE() */
	bool preemptible;   /* a task can be preempted within the kernel */
	bool btf;           /* /sys/kernel/btf/vmlinux is there and readable */
	uint32_t functions; /* KERNEL_* */
	bool probe_reads;   /* false: lockdown=confidentiality refuses programs that read kernel memory by address */
	struct overlay_offsets overlay;
	bool ipv6;          /* the kernel has IPv6 sockets: a plan that cannot hook them would be half blind */
	/* of each plan: 0 as long as it was not tried, or -errno of its last load or attach */
	int refused[PLAN_COUNT];
};

enum plan_attach {
	ATTACH_BY_SECTION, /* as libbpf reads it from the program's section */
	ATTACH_CGROUP,     /* to the root of the cgroup v2 hierarchy */
	ATTACH_TRACEPOINT, /* by its id in tracefs */
};

struct plan_hook {
	enum capture_plan plan;
	const char *program; /* in bpf/bindwatch.bpf.c */
	enum plan_attach attach;
	const char *tracepoint; /* ATTACH_TRACEPOINT: "category/name" */
	uint32_t needs;         /* KERNEL_*: left out where the kernel lacks one of them; 0: needs none */
	uint32_t instead;  /* KERNEL_*: left out where the kernel has it, since another row is then the right one */
	bool paired;       /* begins or ends what another hook ends or began: where one is skipped, the other tells */
	bool optional;     /* the plan is whole without it */
	enum bw_hook hook; /* what its records carry; BW_HOOK_NONE: it makes none */
};

#define PLAN_HOOKS_MAX 16

struct plan_choice {
	enum capture_plan plan;
	size_t count;
	const struct plan_hook *hooks[PLAN_HOOKS_MAX]; /* into the static table, in the order to attach */
};

/*
 * The best plan that this kernel may still allow (trampoline, kprobe, tracepoint; plan.c says where another order is the
 * right one), without those that the probe says were refused or for which the kernel has no function to hook. forced: only this one;
 * PLAN_NONE: any. 0, or -ENOENT: none is left.
 */
int plan_choose(const struct plan_probe *probe, enum capture_plan forced, struct plan_choice *ret);

/* "trampoline", ...; "" for PLAN_NONE and values out of range. */
const char *plan_name(enum capture_plan plan);

/* PLAN_NONE where no plan has this name. */
enum capture_plan plan_find(const char *name);

/* What the records of a hook tell, of TCP among others; 0: nothing of TCP, or it makes none. */
enum bw_record_type plan_hook_tells(enum bw_hook hook);

/*
 * When to take a hook off, from 0, and, from the last turn on, when to attach it: off first what tells of a port, on
 * first what tells of its end, for the kernel takes some 100 ms for all. Else a bind that is told meanwhile would have no
 * end; or, without what gives sockets their cookies, could have none.
 */
#define PLAN_TURNS 4
unsigned int plan_hook_turn(const struct plan_hook *hook);

/* The program that made a record, "" for a value that no row carries. */
const char *plan_hook_name(unsigned int hook);

#endif
