/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef USER_SENSE_EXISTING_H
#define USER_SENSE_EXISTING_H

#include "user/sense/inventory.h"
#include "user/sense/sense.h"

/*
 * Tells deliver() of every socket that held a port before the hooks were there (EVENT_EXISTING), without a gap and
 * without a double to what sense_read() tells next: each port is told once, by the one or by the other. To be called
 * once, between sense_open() and the first sense_read(). The release of these sockets is told as that of others.
 *
 * A socket whose holders differ is handed over once for each kind of them, one right behind the other
 * (event.more_holders): the caller picks what he tells.
 *
 * 0; what deliver() returned, where negative: it stopped there; or -errno with one line in error: the inventory could
 * not be taken, and nothing was told. The event is valid during the call only.
 */
int existing_tell(struct sense *sense, int (*deliver)(void *context, struct event *event), void *context,
                  char error[INVENTORY_TEXT_LEN]);

#endif
