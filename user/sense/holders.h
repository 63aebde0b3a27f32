/* SPDX-License-Identifier: BSD-2-Clause */
/* Which processes hold a descriptor of a socket. */
#ifndef USER_SENSE_HOLDERS_H
#define USER_SENSE_HOLDERS_H

#include <stddef.h>
#include <stdint.h>

#include "user/base/event.h"

/* 4 million processes on one host's sockets; each takes 40 bytes. A host with more is under attack. */
#define HOLDERS_MAX (4U << 20)

struct holder {
	uint64_t inode;    /* of the socket, in sockfs */
	uint64_t start_ns; /* of the process: CLOCK_BOOTTIME, nanoseconds; 0: not known, for /proc was searched */
	uint32_t exec_id;  /* counts the process's execs; valid if start_ns is not 0 */
	uint32_t pid;      /* in the pid namespace of /proc */
	char comm[EVENT_COMM_LEN];
};

struct holders {
	struct holder *list; /* by inode, then pid; each pair once */
	size_t count, capacity;
	size_t denied; /* processes whose descriptors we may not read (CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH) */
};

/*
 * Looks through /proc/PID/fd of every process once for sockets whose inode is one of inodes[count], sorted. A process
 * that ends meanwhile is passed over. Threads that do not share their process's descriptors are not seen.
 * *ret is freed with holders_free(). 0; -ENOMEM; -E2BIG: more than HOLDERS_MAX; -errno: /proc cannot be read.
 */
int holders_find(const uint64_t *inodes, size_t count, struct holders *ret);

/*
 * To fill it from elsewhere: adds one, in any order and more than once, to what is zeroed at first; then sorts, and
 * leaves each pair once. 0; -ENOMEM; -E2BIG: more than HOLDERS_MAX.
 */
int holders_add(struct holders *holders, const struct holder *holder);
void holders_sort(struct holders *holders);

/* Frees what is in it, not the struct. NULL and a zeroed struct are allowed. */
void holders_free(struct holders *holders);

/* The inode in "socket:[123]", the form of a descriptor's link in /proc; 0 where the text is anything else. */
uint64_t holders_parse_link(const char *link);

#endif
