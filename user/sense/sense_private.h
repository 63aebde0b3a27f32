/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files behind sense.h share: loader.c builds it, sense.c reads from it, canary.c tests it. */
#ifndef USER_SENSE_SENSE_PRIVATE_H
#define USER_SENSE_SENSE_PRIVATE_H

#include <linux/types.h>

#include "bpf/bindwatch.h"
#include "user/sense/decode.h"
#include "user/sense/plan.h"
#include "user/sense/sense.h"

struct bindwatch_bpf;
struct bpf_link;
struct ring_buffer;
struct who;

/* Room for the reason why one plan was refused; all of them fit into SENSE_ERROR_LEN. */
#define WHY_LEN 300

/* Sockets of one canary; those of the last three are remembered, since their records are our own business. */
#define CANARY_SOCKETS 3
#define CANARY_COOKIES 9

/* What a hook must tell of a canary. */
#define CANARY_BIND   (1U << 0)
#define CANARY_LISTEN (1U << 1)
#define CANARY_CLOSE  (1U << 2)

struct canary {
	unsigned int hooks;               /* CANARY_LISTEN and CANARY_CLOSE where the plan has a hook that tells them */
	uint64_t cookies[CANARY_COOKIES]; /* a ring; 0: none */
	unsigned int missing[CANARY_COOKIES]; /* CANARY_*: not told yet */
	unsigned int next;
	uint64_t records; /* of canaries: binds, listens and releases */
};

struct sense {
	struct bindwatch_bpf *skeleton;
	struct bpf_link *links[PLAN_HOOKS_MAX]; /* as choice.hooks; NULL: an optional one that did not attach */
	struct ring_buffer *ring;
	struct plan_choice choice;
	char refusals[PLAN_COUNT * WHY_LEN];
	uint32_t netns_inode; /* our own: interface indices of others mean nothing here */
	int cpus;
	struct bw_counters *counters; /* one per possible CPU: what the map's lookup fills */
	struct canary canary;
	struct who *who;

	/* sense_read_ahead() keeps them for sense_read() */
	struct event *pending;
	size_t pending_count, pending_capacity, pending_next;

	/* during sense_read() */
	struct decode_context decode;
	int (*deliver)(void *context, struct event *event);
	void *deliver_context;
	unsigned int read; /* records of this call */

	uint64_t complete_ns; /* CLOCK_BOOTTIME since when all hooks are there; 0: they are not */
	uint64_t delivered, rejected, unfinished;
	uint64_t not_held;           /* sockets bound before the watch whose release will not be told */
	uint64_t processes_rejected; /* process records that were no sound ones, or found no memory */
};

/* The process is not known any more: its next call describes it again. */
void sense_forgotten(void *sense, const struct process *process);

/* Forgets what was read ahead. */
void sense_drop_pending(struct sense *sense);

/* CLOCK_BOOTTIME, nanoseconds. */
uint64_t sense_boot_ns(void);

/* ring_buffer__new()'s callback: a record to an event, to sense->deliver. */
int sense_on_record(void *sense, void *data, size_t size);

/*
 * Binds a UDP port of the loopback of each IP family that the host has, listens on a TCP port, closes all, and
 * remembers the sockets' cookies: their records do not reach the caller of sense_read(). 0, or -errno: no socket is to
 * be had.
 */
int canary_bind(struct canary *canary);

/* true: the event is a canary's, and is counted here. */
bool canary_take(struct canary *canary, const struct event *event);

/* CANARY_*: what of the last canary_bind() was not told; CANARY_BIND where there was none. */
unsigned int canary_missing(const struct canary *canary);

#endif
