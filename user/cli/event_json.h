/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An event, back from the line that `bindwatch watch --output json` wrote of it (user/encode/ecs.c): all that a policy
 * can ask, so that it judges the line as it judged the event. The facts are those of the line, not of this host.
 */
#ifndef USER_CLI_EVENT_JSON_H
#define USER_CLI_EVENT_JSON_H

#include <stddef.h>

#include "user/base/event.h"

#define EVENT_JSON_ERROR_LEN 256

/* A line is longer than any that is written: it is refused. */
#define EVENT_JSON_LINE_MAX (1U << 20)

/*
 * The event, with process, registry entry, holders and verdict as far as the line has them; all it points to is the
 * object's. event.sequence, .time_ns and .cookie are the line's too.
 */
struct event_json {
	struct event event;
	struct process process;
	struct event_holder holders[EVENT_HOLDERS_MAX];
	struct registry_entry registry;
	struct event_json_texts *texts;
};

/*
 * Reads one line (len bytes, any), with or without its line break. 0, and *ret is freed by event_json_free(); -EINVAL:
 * it is no such line, error tells in one line what is wrong; -ENOMEM. Of a failure *ret is untouched.
 */
int event_json_read(const char *line, size_t len, struct event_json **ret, char error[EVENT_JSON_ERROR_LEN]);

/* NULL is allowed. */
void event_json_free(struct event_json *json);

#endif
