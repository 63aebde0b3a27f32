/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef USER_BASE_MOUNTINFO_H
#define USER_BASE_MOUNTINFO_H

#include <stdbool.h>

/* The mounts that this process sees. */
#define MOUNTINFO "/proc/self/mountinfo"

/* One line of mountinfo (proc(5)). The strings are pieces of that line, their escapes (\040) resolved. */
struct mountinfo {
	int id;             /* STATX_MNT_ID of statx(2) */
	const char *root;  /* which part of the file system is mounted: "/" is all of it */
	const char *point; /* where */
	const char *type;
};

/* Takes a line apart, in place. false: it is not of the form that proc(5) gives; the line is then of no use. */
bool mountinfo_parse(char *line, struct mountinfo *ret);

/*
 * Calls visit() for each mount of the file, in its order, until it returns non-zero; lines that are not of the form are
 * passed over. 0, what visit() returned, or -errno: the file cannot be read.
 */
int mountinfo_each(const char *file, int (*visit)(void *context, const struct mountinfo *mount), void *context);

#endif
