/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef USER_ENCODE_SENTENCE_H
#define USER_ENCODE_SENTENCE_H

#include <stddef.h>

#include "user/base/event.h"
#include "user/encode/writer.h"

/* Bytes told of one service name: IANA's longest has 15 (RFC 6335, section 5.1), a site's file may have any. */
#define NAME_MAX_BYTES 64

/* The bytes of text up to max, without half a character at the end. */
size_t text_bounded(const char *text, size_t max);

/* What happened, for a person: "nginx (pid 4711) bound tcp 0.0.0.0:80 (http)". Hostile bytes are made visible. */
void write_sentence(struct writer *writer, const struct event *event);

#endif
