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

/* Bytes told of a program's path, of its end; and of the reason of an alert. */
#define PATH_SHOWN_MAX    200
#define MESSAGE_SHOWN_MAX 512

/*
 * What happened, for a person: "nginx (pid 4711, /usr/sbin/nginx, user www-data) bound tcp 0.0.0.0:80 (http)"; behind
 * it, of an alert, why it is one. Hostile bytes are made visible.
 */
void write_sentence(struct writer *writer, const struct encode_host *host, const struct event *event);

/*
 * The path of the program, of a long one its end behind "...", and ", deleted" or ", in memory only" where it is.
 * Returns the characters written: 0 where it is not known.
 */
size_t write_program(struct writer *writer, const struct process *process);

#endif
