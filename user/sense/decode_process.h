/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef USER_SENSE_DECODE_PROCESS_H
#define USER_SENSE_DECODE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>

#include "bpf/bindwatch.h"
#include "user/base/process.h"

/* Room for the texts of any record, each with a NUL behind it. */
#define DECODE_PROCESS_TEXTS (BW_PROCESS_TEXTS_MAX + 5 + BW_ANCESTORS_MAX)

/* Whether these bytes say that they are a process record; whether they are a sound one is decode_process()'s to say. */
bool decode_is_process(const void *data, size_t size);

/*
 * A process record of the ring buffer: rejects, never trusts. *ret points into texts, which the caller keeps. What the
 * record does not carry is left empty: digest, package, what is in the cgroup's path. 0, or -EPROTO: not a process
 * record of this version (wrong size, version, type, or a field out of its range); *ret is then undefined.
 */
int decode_process(const void *data, size_t size, struct process *ret, char texts[DECODE_PROCESS_TEXTS]);

#endif
