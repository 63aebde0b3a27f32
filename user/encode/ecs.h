/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef USER_ENCODE_ECS_H
#define USER_ENCODE_ECS_H

#include "user/encode/encode.h"

/*
 * One object of the Elastic Common Schema 9.4 a line, with what that schema has no field for under `bindwatch`.
 * What is not known is absent. As struct encoder's event().
 */
int ecs_event(const struct encode_host *host, const struct event *event, struct encode_buffer *buffer);

#endif
