/* SPDX-License-Identifier: BSD-2-Clause */
/* The BPF links and maps that one process has open, and no other's: found by its descriptors (proc(5), fdinfo). */
#ifndef TESTS_LIVE_LINKS_H
#define TESTS_LIVE_LINKS_H

#include <stdbool.h>
#include <sys/types.h>
#include <linux/bpf.h>

/* Detaches the process's link of this kind from its cgroup. false: it has none, or is gone. */
bool links_detach(pid_t pid, enum bpf_attach_type type);

/* The process's map of this name, a descriptor that the caller closes; -1: it has none. */
int links_map(pid_t pid, const char *name);

#endif
