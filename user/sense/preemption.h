/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef USER_SENSE_PREEMPTION_H
#define USER_SENSE_PREEMPTION_H

#include <stdbool.h>
#include <stdint.h>

/* What a kernel tells of its preemption model. Each text may be "": it could not be read. */
struct preemption {
	uint32_t release;    /* KERNEL_RELEASE() */
	const char *version; /* uname(2): "#1 SMP PREEMPT_DYNAMIC ..." */
	const char *model;   /* /sys/kernel/debug/sched/preempt: "none voluntary (full) lazy" */
	const char *command_line; /* /proc/cmdline: may hold preempt=MODEL */
	const char *built;   /* the kernel's configuration: its line CONFIG_PREEMPT...=y that names the model */
};

/*
 * Can a task be preempted within this kernel? Where a kernel that lets its model be chosen does not tell which one was:
 * yes, since that is the case in which hooks can be skipped.
 */
bool preemption_is_possible(const struct preemption *preemption);

/* The same of the running kernel. */
bool preemption_probe(uint32_t release, const char *release_text, const char *version);

#endif
