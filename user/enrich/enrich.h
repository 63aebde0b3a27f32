/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of this host add to the description of a process: the image of its container (user/enrich/image.h),
 * the package that its executable is of, and, where it was asked for, the SHA-256 and whether the package's file was
 * modified since.
 *
 * A file can hang for ever, on a network's file system or on one that its own user serves (FUSE), and any user can run
 * such a file. So a thread reads, one executable at a time, and is waited for ENRICH_WAIT_MS at most, in a second
 * ENRICH_WAIT_SHARE_MS in all: a program of some megabytes is read by then, so that the first event that it makes, and
 * the judgement of it, have the answer. Who comes too late gets it for the next process of the same file. A file is
 * read once as long as it stays the same: the answers to the last ENRICH_FILES files are kept, and so are those to the
 * last ENRICH_CONTAINERS containers. A thread that hangs is replaced (user/enrich/inspectors.h).
 *
 * Only the described inode is read: by /proc/PID/exe while the process lives, else by its path, and only where device,
 * inode and times are those of the description. The package is that of the path on this host: a file of the same path
 * in a container is another inode.
 */
#ifndef USER_ENRICH_ENRICH_H
#define USER_ENRICH_ENRICH_H

#include <stdbool.h>

#include "user/base/process.h"
#include "user/enrich/inspectors.h"

#define ENRICH_FILES      512
#define ENRICH_CONTAINERS 512

/* A larger file is not hashed: the largest programs that bind ports (static binaries, runtimes) have some 100 MB. */
#define ENRICH_HASH_BYTES_MAX (128U << 20)

/* The largest file that is hashed comes from a slow disk in it; of what is slower the answer comes late. */
#define ENRICH_PATIENCE_MS 3000

#define ENRICH_WAIT_MS       100
#define ENRICH_WAIT_SHARE_MS 200

struct enrich;

/*
 * root: as dpkg_open(); "" but for tests. hash: read the executables and not only their packages. 0, or -errno: no
 * thread, no memory.
 */
int enrich_open(const char *root, bool hash, struct enrich **ret);

/* The names of packages and images in processes that were enriched are gone with it. NULL is fine. */
void enrich_close(struct enrich *enrich);

/*
 * Sets what can be known of has_sha256 and sha256, package_known, package and package_version, EXECUTABLE_MODIFIED, and
 * the cgroup's image. The texts are enrich's. To be called when a process is first described. false: the answer is not
 * there yet; to call again later may give it. true: there will be no more.
 */
bool enrich_process(struct enrich *enrich, struct process *process);

/* What could not be read in time: not known, of any process that it is said of. */
struct inspectors_hung enrich_hung(const struct enrich *enrich);

#endif
