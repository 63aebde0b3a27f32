/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef USER_SENSE_DECODE_H
#define USER_SENSE_DECODE_H

#include <stddef.h>
#include <stdint.h>

#include "user/base/event.h"

/* What a record does not carry and every record of a drain shares. */
struct decode_context {
	uint64_t wall_offset_ns; /* wall clock - CLOCK_BOOTTIME, nanoseconds */
	enum capture_plan plan;
};

/*
 * One record of the ring buffer to an event: rejects, never trusts. 0, or -EPROTO: not a record of this version (wrong
 * size, version, type, or a field out of its range); *ret is then undefined. event->sequence and device_name are not
 * the record's to tell and are left empty.
 */
int decode(const void *data, size_t size, const struct decode_context *context, struct event *ret);

#endif
