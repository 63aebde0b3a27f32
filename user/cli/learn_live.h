/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef USER_CLI_LEARN_LIVE_H
#define USER_CLI_LEARN_LIVE_H

#include <stdint.h>

#include "user/base/event.h"

/*
 * Tells deliver() what is bound now, and what happens for so many seconds, or until SIGINT, SIGTERM or SIGHUP. Stops
 * where deliver() returns -ECANCELED. CLI_OK, also then; CLI_FAILURE after it said why. What was lost meanwhile is told
 * on stderr.
 */
int learn_live(uint64_t seconds, int (*deliver)(void *context, struct event *event), void *context);

/* The same of what is bound now only, without hooks. What could not be seen is told on stderr. */
int learn_inventory(int (*deliver)(void *context, struct event *event), void *context);

#endif
