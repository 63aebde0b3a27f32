/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel side as the rest of the program sees it: open it, wait on its descriptor, read events, close it.
 */
#ifndef USER_SENSE_SENSE_H
#define USER_SENSE_SENSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/base/event.h"

struct enrich;
struct inventory;
struct inventory_socket;
struct sense;

#define SENSE_ERROR_LEN 1400

/* What can go missing between the kernel and the caller, and why. */
enum sense_lost {
	LOST_RING_FULL,      /* the reader was too slow: the ring buffer was full */
	LOST_CALL_NOT_KEPT,  /* not seen from its beginning to its end: one of the two was not kept, or left out */
	LOST_MISSED_RUN,     /* the kernel left a run of a hook out */
	LOST_NOT_UNDERSTOOD, /* not a record of this version */
	LOST_NOT_TRACKED,    /* the release of a port that will not be told: too many are held */
	LOST_CAUSES,
};

/*
 * The ledger: seen == delivered + own + lost[LOST_RING_FULL] + lost[LOST_CALL_NOT_KEPT] + lost[LOST_NOT_UNDERSTOOD] +
 * what still waits to be read. What LOST_MISSED_RUN and LOST_NOT_TRACKED count was never seen.
 */
struct sense_totals {
	uint64_t seen;      /* calls that the hooks saw end */
	uint64_t own;       /* records of our own canaries, not handed out */
	uint64_t delivered; /* handed to the caller; what sense_read_ahead() keeps still waits */
	uint64_t lost[LOST_CAUSES];
	/* Descriptions of processes, beside the ledger: a process whose description is lost is described by its next call */
	uint64_t processes, processes_lost;
};

/*
 * Loads and attaches the best plan that this kernel allows (or only `forced`, where it is not PLAN_NONE): tries one
 * after the other until one loads and attaches whole, and a bind of our own comes through it. 0, or -errno with the
 * reason in error: one sentence for what is missing, or for each plan why it was refused. *ret must be closed with
 * sense_close().
 */
int sense_open(enum capture_plan forced, struct sense **ret, char error[SENSE_ERROR_LEN]);

/* Takes the hooks off: the counters stand still from then on, and what waits can still be read. */
void sense_detach(struct sense *sense);

/* From now on processes are enriched (user/enrich/enrich.h) when they are first told. Borrowed; closed after sense. */
void sense_enrich(struct sense *sense, struct enrich *enrich);

/* NULL is allowed. Detaches everything. */
void sense_close(struct sense *sense);

enum capture_plan sense_plan(const struct sense *sense);

/* Why better plans were not taken: "trampoline: Operation not permitted; ..."; "" where the first one was. */
const char *sense_refusals(const struct sense *sense);

/* Becomes readable when much is waiting. What is less than that must be fetched on a timer. */
int sense_fd(const struct sense *sense);

/*
 * Hands what waits to deliver(), but not without end: 1 where more waits, and the caller should look at its signals and
 * come again. The event is valid during the call only. Stops where deliver() returns a negative number, which is then
 * returned; the rest stays for the next call. Else 0, or -errno.
 */
int sense_read(struct sense *sense, int (*deliver)(void *context, struct event *event), void *context);

/*
 * Reads what waits, and keeps it for the next sense_read(): for whoever must know what has happened before he tells of
 * it. 0, or -errno. sense_pending() shows what is kept; valid until the next call of either.
 */
int sense_read_ahead(struct sense *sense);
const struct event *sense_pending(const struct sense *sense, size_t *ret_count);

/*
 * Makes the release of a socket known that was bound before the hooks were there: its cookie and what it is bound to.
 * 0, or -errno. sense_let_go() takes that back, for one that is gone already.
 */
int sense_hold(struct sense *sense, uint64_t cookie, const struct endpoint *address);
void sense_let_go(struct sense *sense, uint64_t cookie);

/*
 * Counts the calls that will never be told because the kernel left their end out, into LOST_CALL_NOT_KEPT. To be called
 * from time to time.
 */
void sense_count_unfinished(struct sense *sense);

/* who_tell() and who_tell_end() of sense/who.h: sockets that no hook saw bound, each with the kinds of its holders. */
int sense_tell(struct sense *sense, const struct inventory *inventory, const struct inventory_socket *socket,
               bool holders_known, int (*deliver)(void *context, struct event *event), void *context);
void sense_tell_end(struct sense *sense);

/* The ledger so far. 0, or -errno. */
int sense_totals(const struct sense *sense, struct sense_totals *ret);

/* "ring-buffer-full", ...; "" for a value out of range. Static. */
const char *sense_lost_name(enum sense_lost cause);

/*
 * What was lost for this cause on each CPU that lost anything by it, as text: "cpu0 12, cpu3 1"; "" for nothing, and
 * for what no CPU counts. 0, or -errno.
 */
int sense_losses_by_cpu(const struct sense *sense, enum sense_lost cause, char *text, size_t size);

/*
 * Are the hooks still there? sense_canary() binds, listens and closes, and once the records had time to be read,
 * sense_canary_missing() tells what of it did not come, in a static sentence; NULL: all came. 0, or -errno: no socket is
 * to be had, and nothing is proven.
 */
int sense_canary(struct sense *sense);
const char *sense_canary_missing(const struct sense *sense);

/* One hook of the plan, as the kernel has it now. */
struct sense_hook {
	const char *program; /* static */
	bool loaded, attached;
	bool detached; /* by somebody else, under our hands */
	uint64_t runs; /* 0 unless the kernel counts them (kernel.bpf_stats_enabled) */
};

/* Hook number `index` of the plan, from 0; false: there are not so many. */
bool sense_hook(const struct sense *sense, size_t index, struct sense_hook *ret);

#endif
