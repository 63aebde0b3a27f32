/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef USER_ENCODE_TIMESTAMP_H
#define USER_ENCODE_TIMESTAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "user/encode/writer.h"

/* time_ns: nanoseconds since 1970, UTC. Always 30 bytes: "2026-11-22T04:27:34.123456789Z", RFC 3339. */
void timestamp_write_utc(struct writer *writer, uint64_t time_ns);

/* The time of day, always 12 bytes: "04:27:34.123"; in the time zone of the process if `local`, else UTC. */
void timestamp_write_clock(struct writer *writer, uint64_t time_ns, bool local);

#endif
