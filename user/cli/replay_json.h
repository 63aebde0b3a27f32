/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef USER_CLI_REPLAY_JSON_H
#define USER_CLI_REPLAY_JSON_H

#include <stdint.h>
#include <stdio.h>

#include "user/base/event.h"

/*
 * Writes one event as an object on a line of its own: where it was recorded (`line`), what it was about, the verdict
 * as `now`, and what it is compared with as `was`, if that is not NULL. 0, or the stream's -errno.
 */
int replay_json(const struct event_verdict *was, const struct event *event, uint64_t line, FILE *stream);

#endif
