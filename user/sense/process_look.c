/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sense/process_look.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

/* File systems that answer by themselves: no other host and no user's program is asked. */
static bool is_local(int fd)
{
	struct statfs status;

	if (fstatfs(fd, &status) < 0)
		return false;
	switch ((unsigned long)status.f_type) {
	case EXT4_SUPER_MAGIC:
	case XFS_SUPER_MAGIC:
	case BTRFS_SUPER_MAGIC:
	case F2FS_SUPER_MAGIC:
	case TMPFS_MAGIC:
	case RAMFS_MAGIC:
		return true;
	default:
		return false;
	}
}

/* The last name of a path, by its directory, which is in the caches as long as a file in it runs. The descriptor. */
static int look_in_directory(int root, const char *path, uint64_t resolve)
{
	struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = resolve};
	const char *name = strrchr(path, '/') + 1;
	char directory[PATH_MAX];
	int at, fd = -1;

	if ((size_t)(name - path) >= sizeof(directory)) {
		errno = EAGAIN;
		return -1;
	}
	(void)snprintf(directory, sizeof(directory), "%.*s", (int)(name - path), path);
	at = (int)syscall(SYS_openat2, root, directory, &how, sizeof(how));
	if (at < 0)
		return -1;
	if (is_local(at))
		fd = openat(at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	else
		errno = EAGAIN;
	close(at);
	return fd;
}

/* A process that changed its root or mount namespace since it was described: its paths lead elsewhere now. */
static bool stands_where_described(int proc, const struct process *process)
{
	char root[PATH_MAX];
	struct statx mntns;
	ssize_t n = readlinkat(proc, "root", root, sizeof(root) - 1);

	if (n <= 0)
		return false;
	root[n] = '\0';
	return strcmp(root, process->root_directory) == 0 &&
	       (!process->mntns_inode ||
	        (statx(proc, "ns/mnt", 0, STATX_INO, &mntns) == 0 && mntns.stx_ino == process->mntns_inode));
}

/*
 * A file or directory below this root. The file system may be one that a user serves (FUSE), or a server that does not
 * answer: only what the kernel has in its caches is looked at (RESOLVE_CACHED, Linux 5.12; before, all is), and of a
 * file system of this host's own disks and memory the directory too. 0, or -errno; -EAGAIN: not known.
 */
int process_look_below(int root, const char *path, struct statx *ret)
{
	struct open_how how = {.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT | RESOLVE_CACHED};
	int r = 0, fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));

	if (fd < 0 && errno == EINVAL) {
		how.resolve = RESOLVE_IN_ROOT;
		fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
	}
	/* a name that is gone is often in no cache */
	if (fd < 0 && errno == EAGAIN)
		fd = look_in_directory(root, path, how.resolve);
	if (fd < 0 || statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_BASIC_STATS, ret) < 0)
		r = -errno;
	if (fd >= 0)
		close(fd);
	return r;
}

/*
 * By a path of the process's. Its paths count from the root of the mount namespace, and /proc/PID/root is that of a
 * chroot(2). Returns as process_look_below().
 */
int process_look(int proc, const struct process *process, const char *path, struct statx *ret)
{
	const char *chroot = process->root_directory;
	size_t skip = chroot && strcmp(chroot, "/") != 0 ? strlen(chroot) : 0;
	int r, root;

	if (!chroot || !path || process->executable.path_truncated || strncmp(path, chroot, skip) != 0 ||
	    path[skip] != '/')
		return -EAGAIN;
	if (!stands_where_described(proc, process))
		return -EAGAIN;
	root = openat(proc, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -EAGAIN;
	r = process_look_below(root, path + skip, ret);
	close(root);
	return r;
}

/* The link leads there itself, and not by its text. */
int process_look_running(int proc, struct statx *ret)
{
	return statx(proc, "exe", AT_STATX_DONT_SYNC, STATX_BASIC_STATS, ret) < 0 ? -errno : 0;
}

bool process_is_same_file(const struct statx *a, const struct statx *b)
{
	return a->stx_ino == b->stx_ino && a->stx_dev_major == b->stx_dev_major && a->stx_dev_minor == b->stx_dev_minor;
}

int64_t process_nanoseconds(const struct statx_timestamp *time)
{
	return time->tv_sec * 1000000000 + time->tv_nsec;
}
