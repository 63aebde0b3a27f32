/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose events these are: the processes that the hooks have described, and /proc where they have not. */
#ifndef USER_SENSE_WHO_H
#define USER_SENSE_WHO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/base/event.h"
#include "user/sense/inventory.h"

struct enrich;
struct who;

/*
 * 0, or -ENOMEM. forgotten(), if not NULL: the hooks must describe this process again when it makes its next call.
 * *ret is freed with who_free(), which allows NULL.
 */
int who_new(void (*forgotten)(void *context, const struct process *process), void *context, struct who **ret);
void who_free(struct who *who);

/* From now on what is described is enriched. Borrowed; outlives the events of who. */
void who_enrich(struct who *who, struct enrich *enrich);

/* A process record of the ring buffer. 0; -EPROTO: it is not a sound one; -ENOMEM. */
int who_on_record(struct who *who, const void *data, size_t size);

/*
 * event->process of an event that a hook made: as it was told, or else as /proc has it if the process is still there.
 * It lives until the next call of any function here, or while it is held.
 */
void who_made(struct who *who, struct event *event);

/*
 * The same of an event that no hook made, by its pid, and event->credentials: EVENT_EXISTING. Where it has the process's
 * start, only that process is described, and found again by who_made(). Where it has none, it gets the one that /proc
 * tells, to 10 ms: of one process the same in each such event, but not what the hooks say.
 */
void who_holds(struct who *who, struct event *event);

/*
 * Hands deliver() the socket's event once for each kind of its holders (user/sense/kinds.h), described as by
 * who_holds(); once also where it has none. holders_known false: not every process was looked at. The event is valid during the call
 * only. 0, or what deliver() returned where that is negative: it stopped there.
 */
int who_tell(struct who *who, const struct inventory *inventory, const struct inventory_socket *socket,
             bool holders_known, int (*deliver)(void *context, struct event *event), void *context);

/* No more is asked for now: what was read of mounts is let go, and with it the namespaces of processes. */
void who_tell_end(struct who *who);

/* The event is kept: its process stays. To be undone by who_release(), once. */
void who_keep(const struct event *event);
void who_release(const struct event *event);

#endif
