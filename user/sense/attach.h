/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef USER_SENSE_ATTACH_H
#define USER_SENSE_ATTACH_H

struct bpf_link;
struct bpf_program;

/*
 * The root of the cgroup v2 hierarchy, found in a mountinfo file (/proc/self/mountinfo; proc(5)), wherever it is
 * mounted. A descriptor that the caller closes, or -errno; -ENOENT: it is mounted nowhere; -EXDEV: a part of it is, and
 * programs there would see what is in that part only.
 */
int cgroup_root_open(const char *mountinfo);

/* The -errno of cgroup_root_open() in words, and what to do. */
const char *cgroup_root_why_not(int error);

/*
 * The directory of tracefs: where it is mounted, or else, where this process may, a mount of its own that no one else
 * sees and that ends with the descriptor. A descriptor that the caller closes, or -errno.
 */
int tracefs_open(const char *mountinfo);

/* Attaches to "category/name" below tracefs. 0, or -errno. *ret is freed with bpf_link__destroy(). */
int tracepoint_attach(const struct bpf_program *program, int tracefs, const char *tracepoint, struct bpf_link **ret);

#endif
