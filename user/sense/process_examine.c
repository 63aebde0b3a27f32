/* SPDX-License-Identifier: BSD-2-Clause */
/* What became of a process's executable since its exec, and whether the process is still there. */
#include <errno.h>
#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "user/sense/process_look.h"
#include "user/sense/process_proc.h"
#include "user/sense/process_read.h"

bool process_lives(const struct process_source *source, uint32_t pid, uint64_t start_ns)
{
	struct proc_stat stat;
	int proc = proc_open(source->proc, pid);
	bool lives = proc >= 0 && proc_stat(proc, &stat) == 0 && proc_is_started(&stat, start_ns);

	if (proc >= 0)
		close(proc);
	return lives;
}

/* What the path leads to now, beside the file that runs: both as stat(2) tells it, which need not be what a hook read.
 */
static void compare(struct process *process, int proc)
{
	struct executable *executable = &process->executable;
	struct statx running, named;
	int r;

	if (!executable->path || executable->path_truncated || (executable->flags & EXECUTABLE_MEMFD) ||
	    process_look_running(proc, &running) < 0)
		return;
	r = process_look(proc, process, executable->path, &named);
	if (r < 0 && r != -ENOENT && r != -ENOTDIR)
		return;
	executable->flags &= ~(EXECUTABLE_REPLACED | EXECUTABLE_DELETED);
	if (r < 0)
		executable->flags |= EXECUTABLE_DELETED;
	else if (!process_is_same_file(&running, &named))
		executable->flags |= EXECUTABLE_REPLACED | (running.stx_nlink == 0 ? EXECUTABLE_DELETED : 0);
	executable->flags_known |= EXECUTABLE_REPLACED | EXECUTABLE_DELETED;
}

/*
 * The file that a hook described, linked to its name again. Of btrfs and overlayfs the device is not what stat(2) tells
 * (struct executable): there the rest must do. The time of the last change of status is that of the link.
 */
static bool is_described(const struct statx *named, const struct executable *executable)
{
	bool same_device = makedev(named->stx_dev_major, named->stx_dev_minor) == executable->device;

	return executable->has_inode && named->stx_ino == executable->inode &&
	       process_nanoseconds(&named->stx_mtime) == executable->mtime_ns &&
	       (same_device || named->stx_dev_major == 0);
}

/*
 * The process is gone, and a hook saw that its file had been removed by then. Where it had our own mounts, its path
 * tells whether another one stands there now. Of its root nothing is asked: paths count from that of the namespace.
 */
static void compare_gone(const struct process_source *source, struct process *process)
{
	struct executable *executable = &process->executable;
	struct statx named;
	int r, root;

	if (!executable->path || executable->path_truncated || (executable->flags & EXECUTABLE_MEMFD) ||
	    !(executable->flags & executable->flags_known & EXECUTABLE_DELETED) ||
	    (executable->flags_known & EXECUTABLE_REPLACED) || !process->mntns_inode ||
	    process->mntns_inode != source->mntns_inode)
		return;
	root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	r = root < 0 ? -errno : process_look_below(root, executable->path, &named);
	if (root >= 0)
		close(root);
	if (r < 0 && r != -ENOENT && r != -ENOTDIR)
		return;
	executable->flags |= r == 0 && !is_described(&named, executable) ? EXECUTABLE_REPLACED : 0;
	executable->flags_known |= EXECUTABLE_REPLACED;
}

void process_examine(const struct process_source *source, struct process *process)
{
	struct proc_stat stat;
	int proc = process->kernel_thread ? -1 : proc_open(source->proc, process->pid);

	if (proc >= 0 && proc_stat(proc, &stat) == 0 && proc_is_started(&stat, process->start_ns))
		compare(process, proc);
	else if (!process->kernel_thread)
		compare_gone(source, process);
	if (proc >= 0)
		close(proc);
}
