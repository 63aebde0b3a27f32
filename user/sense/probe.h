/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef USER_SENSE_PROBE_H
#define USER_SENSE_PROBE_H

#include "user/sense/plan.h"

#define PROBE_ERROR_LEN 256

/*
 * Looks at this kernel and at the rights of this process, without loading anything.
 * 0, or -errno with one sentence in error that says what is missing: -EPERM a capability, -ENOSYS a kernel older than
 * KERNEL_OLDEST, -ENOENT a kernel without BTF.
 */
int probe_kernel(struct plan_probe *ret, char error[PROBE_ERROR_LEN]);

/* "5.10.0-46-cloud-amd64" as KERNEL_RELEASE(5, 10); 0 where it does not begin like a release. */
uint32_t probe_release(const char *release);

/* May programs read kernel memory by its address? Needs the capabilities that watching needs. */
bool probe_reads(void);

/* The effective capabilities of this process, bit n: capability n; 0 where the kernel does not tell. */
uint64_t probe_capabilities(void);

/*
 * Which of the capabilities that watching needs a set of effective ones lacks (bit n: capability n,
 * linux/capability.h), as text for a person: "CAP_BPF, CAP_PERFMON"; "" where none is missing.
 */
void probe_missing_capabilities(uint64_t effective, char *text, size_t size);

#endif
