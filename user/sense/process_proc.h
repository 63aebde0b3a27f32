/* SPDX-License-Identifier: BSD-2-Clause */
/* The files below /proc/PID, read through a descriptor of that directory: it never leads to another process. */
#ifndef USER_SENSE_PROCESS_PROC_H
#define USER_SENSE_PROCESS_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* sysconf(_SC_CLK_TCK) of every Linux in use: the unit of /proc/PID/stat. */
#define PROC_TICK_NS 10000000ULL

struct proc_stat {
	char comm[16];
	uint32_t parent;
	uint64_t start_ns; /* CLOCK_BOOTTIME, a multiple of PROC_TICK_NS */
	bool kernel_thread;
};

/* The directory of a process: a descriptor that the caller closes, or -ESRCH, -errno. root: a descriptor of /proc. */
int proc_open(int root, uint32_t pid);

/* A file's first bytes, with a NUL behind them. How many, or -errno. */
ssize_t proc_file(int proc, const char *name, char *text, size_t size);

/* Takes the line of /proc/PID/stat apart (proc(5)); a comm may hold any byte. false: it is not of that form. */
bool proc_parse_stat(const char *line, struct proc_stat *ret);

/* 0, or -errno; -ESRCH: the process is gone. */
int proc_stat(int proc, struct proc_stat *ret);

/* Was the process started then? /proc knows it to the tick only, so much is compared. */
bool proc_is_started(const struct proc_stat *stat, uint64_t start_ns);

/* The inode of "ns/net" and its like; 0: not known. */
uint32_t proc_namespace(int proc, const char *name);

/* The value behind "Name:\t" in the text of /proc/PID/status; NULL where it has none. Not ended by a NUL. */
const char *proc_status(const char *text, const char *name);

#endif
