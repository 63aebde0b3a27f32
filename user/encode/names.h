/* SPDX-License-Identifier: BSD-2-Clause */
/* The words that more than one encoder has for an event. Strings are static or the event's; NULL: there is no word. */
#ifndef USER_ENCODE_NAMES_H
#define USER_ENCODE_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "user/base/event.h"
#include "user/encode/writer.h"

const char *name_of_protocol(uint16_t protocol);   /* "tcp", "mptcp"; IPPROTO_* */
const char *name_of_socket_type(uint16_t type);    /* "stream", "dgram"; SOCK_* */
const char *name_of_exposure(enum exposure value); /* "loopback" */
const char *name_of_plan(enum capture_plan plan);  /* "trampoline" */

const char *name_of_action(enum event_action action); /* "bound-socket" */

const char *name_of_verdict(enum verdict verdict);           /* "alert"; NULL of VERDICT_NONE */
const char *name_of_pattern(uint32_t pattern);               /* "sweep"; one of PATTERN_* */
const char *name_of_runtime(enum container_runtime runtime); /* "docker"; NULL where it is not known */
const char *name_of_capability(unsigned int number);         /* "CAP_NET_BIND_SERVICE"; linux/capability.h */

/*
 * What stands for the service of an event: its main name in the registry ("http"), or in parentheses why it has none:
 * "(ephemeral)", "(dynamic)", "(unassigned)". "-": the port or the transport is not known.
 */
const char *name_of_service(const struct event *event);

/*
 * "0.0.0.0:80", "[::1]:80"; "*:80" for the wildcard of both families; "0.0.0.0%eth0:67" where the socket is bound to a
 * device; "?" for a part that is not known, "-" where neither is. Hostile bytes are made visible.
 * Returns the characters written.
 */
size_t write_server(struct writer *writer, const struct event *event);

/* EVENT_LOST, EVENT_SILENT: what it means, as a sentence without a full stop. Returns the characters written. */
size_t write_health(struct writer *writer, const struct event *event);

/* The name of the error, or "error 999" where it has none. Returns the characters written. */
size_t write_error(struct writer *writer, int error);

#endif
