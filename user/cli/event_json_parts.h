/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef USER_CLI_EVENT_JSON_PARTS_H
#define USER_CLI_EVENT_JSON_PARTS_H

#include "user/cli/event_json.h"
#include "user/cli/event_json_value.h"

/* Who did it: the ids and the process of the event, which has its action already. */
void event_json_read_process(struct document *document, struct event_json *json);

#endif
