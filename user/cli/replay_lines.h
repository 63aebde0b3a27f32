/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef USER_CLI_REPLAY_LINES_H
#define USER_CLI_REPLAY_LINES_H

#include <stdint.h>

#include "user/base/event.h"

struct replay_lines {
	uint64_t events; /* told */
	uint64_t bad;    /* lines that are no events of ours */
};

/*
 * Reads the file ("-": stdin) that `watch --output json` wrote, line by line, and tells deliver() of each event, its
 * facts as they were recorded. A line that cannot be read is told on stderr with FILE:LINE, the
 * first few, and passed over. Of any size in a fixed room. 0; a negative number that deliver() returned: it stopped
 * there; or -errno after it said why. The event is valid during the call only.
 */
int replay_lines(const char *command, const char *path,
                 int (*deliver)(void *context, struct event *event, uint64_t line), void *context,
                 struct replay_lines *ret);

#endif
