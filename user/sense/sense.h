/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel side as the rest of the program sees it: open it, wait on its descriptor, read events, close it.
 */
#ifndef USER_SENSE_SENSE_H
#define USER_SENSE_SENSE_H

#include <stddef.h>
#include <stdint.h>

#include "user/base/event.h"

struct sense;

#define SENSE_ERROR_LEN 1024

/*
 * What became of the binds that the kernel saw:
 * seen == delivered + lost_ring + rejected + what still waits in the ring buffer.
 */
struct sense_totals {
	uint64_t seen;		/* by the hooks */
	uint64_t lost_ring;	/* not written: the ring buffer was full */
	uint64_t lost_inflight; /* not seen to their end: beginning not kept; not counted in seen */
	uint64_t rejected;	/* written, but not a record of this version */
	uint64_t delivered;	/* handed to the caller */
};

/*
 * Loads and attaches the best plan that this kernel allows (or only `forced`, where it is not PLAN_NONE): tries one
 * after the other until one loads and attaches whole. 0, or -errno with the reason in error: one sentence for what is
 * missing, or for each plan why it was refused. *ret must be closed with sense_close().
 */
int sense_open(enum capture_plan forced, struct sense **ret, char error[SENSE_ERROR_LEN]);

/* Takes the hooks off: the counters stand still from then on, and what waits can still be read. */
void sense_detach(struct sense *sense);

/* NULL is allowed. Detaches everything. */
void sense_close(struct sense *sense);

enum capture_plan sense_plan(const struct sense *sense);

/* Why better plans were not taken: "trampoline: Operation not permitted; ..."; "" where the first one was. */
const char *sense_refusals(const struct sense *sense);

/* Becomes readable when much is waiting. What is less than that must be fetched on a timer. */
int sense_fd(const struct sense *sense);

/*
 * Hands every event that waits to deliver(); the event is valid during the call only. Stops where deliver() returns a
 * negative number, and the rest stays for the next call. 0, or that number, or -errno.
 */
int sense_read(struct sense *sense, int (*deliver)(void *context, struct event *event), void *context);

/* The ledger so far. 0, or -errno. */
int sense_totals(const struct sense *sense, struct sense_totals *ret);

/*
 * What was lost on each CPU that lost anything, as text: "cpu0 12, cpu3 1"; "" for nothing. 0, or -errno.
 */
int sense_losses_by_cpu(const struct sense *sense, char *text, size_t size);

#endif
