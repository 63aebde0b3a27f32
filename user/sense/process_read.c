/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sense/process_read.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <linux/openat2.h>

#include "user/base/mountinfo.h"
#include "user/sense/attach.h"
#include "user/sense/process_look.h"
#include "user/sense/process_proc.h"

_Static_assert(PATH_MAX == 4096, "PROCESS_READ_TEXTS");

#define DELETED " (deleted)" /* what d_path() of fs/d_path.c puts behind a name that is gone */

#define PROC_CGROUP_INIT_INO 0xeffffffbU /* include/linux/proc_ns.h */

struct process_source process_source_open(void)
{
	int cgroup = cgroup_root_open(MOUNTINFO);
	struct stat mounts, cgroups;

	return (struct process_source){
	        .mntns_inode = stat("/proc/self/ns/mnt", &mounts) == 0 ? (uint32_t)mounts.st_ino : 0,
	        .proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
	        .cgroup = cgroup < 0 ? -1 : cgroup,
	        .cgroup_paths =
	                stat("/proc/self/ns/cgroup", &cgroups) == 0 && cgroups.st_ino == PROC_CGROUP_INIT_INO,
	};
}

void process_source_close(struct process_source *source)
{
	if (source->proc >= 0)
		close(source->proc);
	if (source->cgroup >= 0)
		close(source->cgroup);
	process_mounts_free(&source->mounts);
	*source = (struct process_source){.proc = -1, .cgroup = -1};
}

static char *room(struct process_reading *reading)
{
	return reading->texts + reading->used;
}

static const char *keep(struct process_reading *reading, size_t length)
{
	const char *text = room(reading);

	reading->used += length + 1;
	return text;
}

/* The target of a link in /proc/PID; NULL: it cannot be read, or is no path. */
static const char *read_link(struct process_reading *reading, int proc, const char *name)
{
	ssize_t n = readlinkat(proc, name, room(reading), PATH_MAX);

	if (n <= 0 || room(reading)[0] != '/')
		return NULL;
	room(reading)[n] = '\0';
	return keep(reading, (size_t)n);
}

/* What DELETED behind the name leaves open: a file may be called so. */
static void strip_deleted(struct process_reading *reading, int proc, const struct statx *running)
{
	struct executable *ret = &reading->process.executable;
	char *end = (char *)(uintptr_t)ret->path + strlen(ret->path);
	struct statx named;

	if (end - ret->path <= (ptrdiff_t)strlen(DELETED) || strcmp(end - strlen(DELETED), DELETED) != 0)
		return;
	if (process_look(proc, &reading->process, ret->path, &named) == 0 && process_is_same_file(running, &named))
		return;
	end[-(ptrdiff_t)strlen(DELETED)] = '\0';
	ret->flags |= EXECUTABLE_DELETED;
}

/* Not known where neither the file's mode nor the directory's says so, and the directory cannot be looked at. */
static void read_world_writable(struct process_reading *reading, int proc, const struct statx *running)
{
	struct executable *executable = &reading->process.executable;
	const char *slash = strrchr(executable->path, '/');
	char directory[PATH_MAX];
	struct statx status;
	bool known;

	(void)snprintf(directory, sizeof(directory), "%.*s", (int)(slash - executable->path + 1), executable->path);
	known = process_look(proc, &reading->process, directory, &status) == 0;
	if ((running->stx_mode & S_IWOTH) || (known && (status.stx_mode & S_IWOTH)))
		executable->flags |= EXECUTABLE_WORLD_WRITABLE;
	if (known || (running->stx_mode & S_IWOTH))
		executable->flags_known |= EXECUTABLE_WORLD_WRITABLE;
}

static bool leads(const struct process_reading *reading, struct process_source *source, int proc, const char *link)
{
	return process_mounts_lead(&source->mounts, source->proc, proc, link, reading->process.userns_inode);
}

/* Of a file without a link: its name is of the kernel's making, and stands in no mount that anybody sees. */
static bool is_memfd(const char *path)
{
	return strncmp(path, "/memfd:", strlen("/memfd:")) == 0;
}

static void read_executable(struct process_reading *reading, struct process_source *source, int proc)
{
	struct executable *ret = &reading->process.executable;
	struct statx running;

	ret->path = read_link(reading, proc, "exe");
	if (!ret->path)
		return;
	ret->path_truncated = !leads(reading, source, proc, "exe");
	if (process_look_running(proc, &running) < 0)
		return;
	if (running.stx_nlink == 0 && is_memfd(ret->path)) {
		ret->flags = EXECUTABLE_MEMFD;
		ret->path_truncated = false;
	}
	ret->has_inode = true;
	ret->device = makedev(running.stx_dev_major, running.stx_dev_minor);
	ret->inode = running.stx_ino;
	ret->mtime_ns = process_nanoseconds(&running.stx_mtime);
	ret->ctime_ns = process_nanoseconds(&running.stx_ctime);
	ret->flags_known = EXECUTABLE_MEMFD | EXECUTABLE_DELETED;
	strip_deleted(reading, proc, &running);
	if (running.stx_nlink == 0)
		ret->flags |= EXECUTABLE_DELETED;
	if (!(ret->flags & EXECUTABLE_MEMFD))
		read_world_writable(reading, proc, &running);
}

static void read_arguments(struct process_reading *reading, int proc)
{
	struct process *process = &reading->process;
	char *arguments = room(reading);
	ssize_t n = proc_file(proc, "cmdline", arguments, PATH_MAX + 1);
	bool open;

	if (n < 0 || process->kernel_thread)
		return;
	process->arguments_truncated = n == PATH_MAX;
	open = n && arguments[n - 1] != '\0';
	process->arguments = keep(reading, (size_t)n);
	process->arguments_length = (size_t)n + open;
	for (size_t i = 0; i < process->arguments_length; i++)
		process->arguments_count += arguments[i] == '\0';
	if (open && process->arguments_truncated)
		process->arguments_count--;
}

/*
 * The inode's number, which is the cgroup's id where numbers of inodes have 64 bits: kernfs_id_ino() of
 * include/linux/kernfs.h. 0: there is no such directory, or none below the root that we see.
 */
static uint64_t cgroup_id(int root, const char *path)
{
	struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
	                       .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV};
	const char *below = path + strspn(path, "/");
	int fd = (int)syscall(SYS_openat2, root, *below ? below : ".", &how, sizeof(how));
	struct stat status;
	uint64_t id = fd >= 0 && fstat(fd, &status) == 0 ? status.st_ino : 0;

	if (fd >= 0)
		close(fd);
	return id;
}

/* The lines of a dozen hierarchies of version 1, and one path of any length. */
#define CGROUP_LINES_MAX (4 * PATH_MAX)

/* The line of the v2 hierarchy: "0::/path" (cgroups(7)). A path of PATH_MAX bytes is refused by the kernel. */
static void read_cgroup(struct process_reading *reading, int root, int proc)
{
	struct process_cgroup *ret = &reading->process.cgroup;
	char text[CGROUP_LINES_MAX];
	ssize_t n = proc_file(proc, "cgroup", text, sizeof(text));
	const char *line;
	size_t length;

	ret->path_truncated = n == -ENAMETOOLONG;
	if (n < 0)
		return;
	line = strncmp(text, "0::/", 4) == 0 ? text : strstr(text, "\n0::/");
	if (!line)
		return;
	line = strchr(line, '/');
	length = strcspn(line, "\n");
	if (line[length] != '\n' || length >= PATH_MAX)
		return;
	memcpy(room(reading), line, length);
	room(reading)[length] = '\0';
	ret->path = keep(reading, length);
	ret->id = cgroup_id(root, ret->path);
}

/* Without what is put behind the name of a file that is gone; of one that was only renamed over it is left there. */
static void read_ancestor_executable(struct process_reading *reading, struct process_source *source, int proc,
                                     struct ancestor *ret)
{
	const char *path = read_link(reading, proc, "exe");
	size_t length = path ? strlen(path) : 0;
	struct statx running;
	bool gone = length > strlen(DELETED) && strcmp(path + length - strlen(DELETED), DELETED) == 0 &&
	            process_look_running(proc, &running) == 0 && running.stx_nlink == 0;

	if (gone)
		reading->texts[path - reading->texts + (ptrdiff_t)(length - strlen(DELETED))] = '\0';
	ret->executable = path;
	ret->executable_truncated = path && !(gone && is_memfd(path)) && !leads(reading, source, proc, "exe");
}

static void read_ancestors(struct process_reading *reading, struct process_source *source, uint32_t parent)
{
	struct process *process = &reading->process;

	while (parent && process->ancestors_count < PROCESS_ANCESTORS_MAX) {
		struct ancestor *ancestor = &process->ancestors[process->ancestors_count];
		struct proc_stat stat;
		int proc = proc_open(source->proc, parent);

		if (proc < 0)
			return;
		if (proc_stat(proc, &stat) == 0) {
			ancestor->pid = parent;
			ancestor->start_ns = stat.start_ns;
			memcpy(ancestor->comm, stat.comm, sizeof(ancestor->comm));
			read_ancestor_executable(reading, source, proc, ancestor);
			process->ancestors_count++;
		} else {
			stat.parent = 0;
		}
		close(proc);
		parent = stat.parent;
	}
}

/* A number on a line of its own; PROCESS_UNSET where there is no such file: a kernel without audit. */
static uint32_t read_number(int proc, const char *name)
{
	char text[16];
	uint32_t number;

	return proc_file(proc, name, text, sizeof(text)) > 0 && sscanf(text, "%" SCNu32, &number) == 1 ? number
	                                                                                               : PROCESS_UNSET;
}

static void read_credentials(struct process_reading *reading, int proc)
{
	struct credentials *ret = &reading->credentials;
	const char *uids, *gids, *groups, *permitted, *effective;
	/* 65,536 groups of up to eleven bytes are possible: the line that is looked for behind them is then not found
	 */
	char text[32768];

	if (proc_file(proc, "status", text, sizeof(text)) < 0)
		return;
	uids = proc_status(text, "Uid");
	gids = proc_status(text, "Gid");
	groups = proc_status(text, "Groups");
	permitted = proc_status(text, "CapPrm");
	effective = proc_status(text, "CapEff");
	if (!uids || !gids || !groups || !permitted || !effective)
		return;
	if (sscanf(uids, "%" SCNu32 " %" SCNu32, &reading->uid, &ret->effective_uid) != 2 ||
	    sscanf(gids, "%" SCNu32 " %" SCNu32, &reading->gid, &ret->effective_gid) != 2 ||
	    sscanf(permitted, "%" SCNx64, &ret->permitted) != 1 || sscanf(effective, "%" SCNx64, &ret->effective) != 1)
		return;
	for (; *groups && *groups != '\n'; groups++)
		ret->groups_count += groups[0] != ' ' && (groups[1] == ' ' || groups[1] == '\n');
	ret->login_uid = read_number(proc, "loginuid");
	ret->session = read_number(proc, "sessionid");
	ret->known = true;
}

static void read_paths(struct process_reading *reading, struct process_source *source, int proc)
{
	struct process *process = &reading->process;

	if (leads(reading, source, proc, "root"))
		process->root_directory = read_link(reading, proc, "root");
	read_executable(reading, source, proc);
	process->working_directory = read_link(reading, proc, "cwd");
	process->working_directory_truncated = process->working_directory && !leads(reading, source, proc, "cwd");
}

static void read_all(struct process_reading *reading, struct process_source *source, int proc,
                     const struct proc_stat *stat)
{
	struct process *process = &reading->process;

	memcpy(process->comm, stat->comm, sizeof(process->comm));
	process->from_proc = true;
	process->kernel_thread = stat->kernel_thread;
	process->pidns_inode = proc_namespace(proc, "ns/pid");
	process->mntns_inode = proc_namespace(proc, "ns/mnt");
	process->userns_inode = proc_namespace(proc, "ns/user");
	process->netns_inode = proc_namespace(proc, "ns/net");
	if (!stat->kernel_thread)
		read_paths(reading, source, proc);
	read_arguments(reading, proc);
	if (source->cgroup_paths)
		read_cgroup(reading, source->cgroup, proc);
	if (!stat->kernel_thread)
		read_ancestors(reading, source, stat->parent);
	read_credentials(reading, proc);
}

int process_read(struct process_source *source, uint32_t pid, uint64_t start_ns, struct process_reading *ret)
{
	struct proc_stat stat;
	int r, proc = proc_open(source->proc, pid);

	if (proc < 0)
		return proc;
	ret->process = (struct process){.pid = pid};
	ret->credentials = (struct credentials){0};
	ret->uid = ret->gid = 0;
	ret->used = 0;
	r = proc_stat(proc, &stat);
	if (r == 0 && start_ns && !proc_is_started(&stat, start_ns))
		r = -ESRCH;
	if (r == 0) {
		ret->process.start_ns = start_ns ? start_ns : stat.start_ns;
		read_all(ret, source, proc, &stat);
		/* is what was read the whole process's, or did it end meanwhile? */
		r = proc_stat(proc, &stat);
	}
	close(proc);
	return r;
}
