/* SPDX-License-Identifier: BSD-2-Clause */
/* The files of a process, looked at: the one that runs, and what stands at its path now. */
#ifndef USER_SENSE_PROCESS_LOOK_H
#define USER_SENSE_PROCESS_LOOK_H

#include <stdbool.h>
#include <sys/stat.h>

#include "user/base/process.h"

/* The file that runs, of a descriptor of /proc/PID. 0, or -errno. */
int process_look_running(int proc, struct statx *ret);

/*
 * What stands at a path of this process's, the executable's or one that it leads through. 0, or -errno; -EAGAIN: not
 * known, also where the path is cut.
 */
int process_look(int proc, const struct process *process, const char *path, struct statx *ret);

/* The same below a descriptor of a root. Asks no user's file system and no other host. */
int process_look_below(int root, const char *path, struct statx *ret);

/* Since 1970. */
int64_t process_nanoseconds(const struct statx_timestamp *time);

bool process_is_same_file(const struct statx *a, const struct statx *b);

#endif
