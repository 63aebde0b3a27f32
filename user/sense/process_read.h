/* SPDX-License-Identifier: BSD-2-Clause */
/* Who a process is, as /proc tells it now: for those that no hook has described. */
#ifndef USER_SENSE_PROCESS_READ_H
#define USER_SENSE_PROCESS_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/base/process.h"
#include "user/sense/process_mounts.h"

/* Where processes are read. Descriptors of directories, -1 where there is none. */
struct process_source {
	int proc;             /* /proc */
	int cgroup;           /* the root of the cgroup v2 hierarchy */
	bool cgroup_paths;    /* /proc tells them from that root: we are in the first cgroup namespace */
	uint32_t mntns_inode; /* our own mount namespace; 0: not known */
	struct process_mounts mounts;
};

/* What this host has; closed by process_source_close(). */
struct process_source process_source_open(void);
void process_source_close(struct process_source *source);

/* Room for five paths or argument lists of 4,096 bytes and the ancestors' paths, each with a NUL. */
#define PROCESS_READ_TEXTS (5 * (4096 + 1) + PROCESS_ANCESTORS_MAX * (4096 + 1))

struct process_reading {
	struct process process; /* its texts stand in `texts` */
	struct credentials credentials;
	uint32_t uid, gid; /* real ids */
	char texts[PROCESS_READ_TEXTS];
	size_t used;
};

/*
 * Reads /proc/PID. start_ns: the process that was started then (CLOCK_BOOTTIME, nanoseconds), or 0 for whichever has
 * this pid; as /proc knows it to 10 ms only, so much is compared. ret->process.start_ns is the given one, or what /proc
 * tells, a multiple of 10 ms. exec_id is 0, for /proc does not tell it.
 *
 * What cannot be read is left as not known; a path whose mount may be another user's is cut (process_mounts.h). 0;
 * -ESRCH: no such process (any more); -errno: /proc cannot be read.
 */
int process_read(struct process_source *source, uint32_t pid, uint64_t start_ns, struct process_reading *ret);

/* Is this process still there? */
bool process_lives(const struct process_source *source, uint32_t pid, uint64_t start_ns);

/*
 * What may have become of a process's executable since its exec, seen from now: EXECUTABLE_DELETED and
 * EXECUTABLE_REPLACED of *process, by what its path leads to. Left as they are where that cannot be known. Of a process
 * that is gone only that is asked whether another file stands at the path of one that a hook saw removed.
 */
void process_examine(const struct process_source *source, struct process *process);

#endif
