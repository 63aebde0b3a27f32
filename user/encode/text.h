/* SPDX-License-Identifier: BSD-2-Clause */
/* Aligned columns for people. As struct encoder's event() and header(). */
#ifndef USER_ENCODE_TEXT_H
#define USER_ENCODE_TEXT_H

#include "user/encode/encode.h"

int text_event(const struct encode_host *host, const struct event *event, struct encode_buffer *buffer);
int text_header(const struct encode_host *host, struct encode_buffer *buffer);

#endif
