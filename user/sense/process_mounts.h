/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whose mounts a process's paths lead through. In a user namespace of his own everybody can mount what he likes at
 * /usr/sbin, and run it from outside by way of /proc/PID/root: the path reads as the true program's. So it is believed
 * only where its mount belongs to a mount namespace that root made, or the process's own user namespace; is_attached()
 * of bpf/path.bpf.h asks the same in the kernel.
 */
#ifndef USER_SENSE_PROCESS_MOUNTS_H
#define USER_SENSE_PROCESS_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A host of many containers has more: the ones that were read first are then read again. */
#define PROCESS_MOUNTS_VIEWS 64

/* The mounts that a process sees from its root. */
struct mounts_view {
	uint32_t mntns;                  /* 0: free */
	int fd;                          /* of it: as long as it is open, no other gets that number */
	uint64_t root_mount, root_inode; /* of a chroot(2) only a part of the namespace's mounts is seen */
	uint32_t userns;                 /* whom the mount namespace belongs to; 0: not known */
	uint64_t read_ns;                /* CLOCK_BOOTTIME */
	int *ids;                        /* sorted */
	size_t count, capacity;
};

/* Zeroed at first. It keeps mount namespaces alive: to be freed when the processes of the moment were read. */
struct process_mounts {
	struct mounts_view views[PROCESS_MOUNTS_VIEWS];
	unsigned int next; /* the one that is given up next */
};

/* Leaves it as at first. */
void process_mounts_free(struct process_mounts *mounts);

/*
 * May the path of this link ("exe", "cwd", "root") be believed? proc: a descriptor of /proc/PID, root: one of /proc;
 * userns: the inode of the user namespace of the process that is described, which of an ancestor is not its own. The
 * mount is looked for in what the process sees, those above it, and process 1: one that changed its root or mount
 * namespace since its exec does not see it itself. false also where that cannot be known.
 */
bool process_mounts_lead(struct process_mounts *mounts, int root, int proc, const char *link, uint32_t userns);

#endif
