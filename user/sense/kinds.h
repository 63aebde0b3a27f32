/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which of a socket's holders are of another kind than those before: of another program, user, or unit. A server's
 * workers are hundreds of one kind; a program that inherited the socket, or that ran another and kept it, is a second.
 */
#ifndef USER_SENSE_KINDS_H
#define USER_SENSE_KINDS_H

#include <stdbool.h>
#include <stdint.h>

#include "user/sense/process_read.h"

struct kinds;

/* 0, -ENOMEM, or -errno: the kernel gave no random bytes. *ret is freed with kinds_free(), which allows NULL. */
int kinds_new(struct kinds **ret);
void kinds_free(struct kinds *kinds);

/* The next socket begins: no kind was met so far. */
void kinds_begin(struct kinds *kinds);

/*
 * Is this process's kind met for the first time at this socket? Where no memory is to be had it is, too: rather told
 * twice than not. start_ns: by which it was read, 0: by the pid alone.
 */
bool kinds_meet(struct kinds *kinds, const struct process_reading *reading, uint64_t start_ns);

/* The same of one that was met at another socket, without reading it again. false: it was not, *ret is untouched. */
bool kinds_meet_again(struct kinds *kinds, uint32_t pid, uint64_t start_ns, bool *ret);

/* Of which kind each process is: it may become another. */
void kinds_forget(struct kinds *kinds);

#endif
