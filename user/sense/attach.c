/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sense/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "user/base/mountinfo.h"
#include "user/base/number.h"

/* The root of a kernfs is its first node, and a node's number is its inode's: fs/kernfs/dir.c, kernfs_create_root(). */
#define KERNFS_ROOT_INO 1

struct wanted_mount {
	const char *type;
	int (*check)(int fd, const struct mountinfo *mount); /* 0: it is the one, or -errno */
	int fd; /* -ENOENT as long as none was found; or why the last one was not taken */
};

static int visit_mount(void *context, const struct mountinfo *mount)
{
	struct wanted_mount *wanted = context;
	int r, fd;

	if (strcmp(mount->type, wanted->type) != 0)
		return 0;
	fd = open(mount->point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = fd < 0 ? -errno : wanted->check(fd, mount);
	if (r == 0) {
		wanted->fd = fd;
		return 1;
	}
	if (fd >= 0)
		close(fd);
	/* that a part was found says more than that something else could not be opened */
	if (wanted->fd != -EXDEV)
		wanted->fd = r;
	return 0;
}

static int mount_open(const char *mountinfo, const char *type, int (*check)(int fd, const struct mountinfo *mount))
{
	struct wanted_mount wanted = {type, check, -ENOENT};
	int r = mountinfo_each(mountinfo, visit_mount, &wanted);

	return r < 0 ? r : wanted.fd;
}

/*
 * The path in mountinfo counts from the root of the reader's cgroup namespace: "/" may be a part of the hierarchy, and
 * "/.." all of it. And another file system may stand upon the mount by now.
 */
static int check_cgroup_root(int fd, const struct mountinfo *mount)
{
	struct statfs system;
	struct stat status;

	(void)mount;
	if (fstatfs(fd, &system) < 0 || fstat(fd, &status) < 0)
		return -errno;
	if (system.f_type != CGROUP2_SUPER_MAGIC)
		return -ENOENT;
	return status.st_ino == KERNFS_ROOT_INO ? 0 : -EXDEV;
}

int cgroup_root_open(const char *mountinfo)
{
	return mount_open(mountinfo, "cgroup2", check_cgroup_root);
}

const char *cgroup_root_why_not(int error)
{
	if (error == -EXDEV)
		return "only a part of it is mounted here, as in a cgroup namespace: run bindwatch in the host's";
	return error == -ENOENT ? "it is not mounted" : strerror(-error);
}

/* A mount of a part is one of a directory within. */
static int check_whole(int fd, const struct mountinfo *mount)
{
	(void)fd;
	return strcmp(mount->root, "/") == 0 ? 0 : -ENOENT;
}

int tracefs_open(const char *mountinfo)
{
	int context, mount, fd = mount_open(mountinfo, "tracefs", check_whole);

	if (fd != -ENOENT)
		return fd;
	/* fsopen(2), fsmount(2): Linux 5.2. Mounted for this descriptor alone, nothing changes for anybody else. */
	context = (int)syscall(SYS_fsopen, "tracefs", FSOPEN_CLOEXEC);
	if (context < 0)
		return -errno;
	if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0) {
		mount = -errno;
	} else {
		mount = (int)syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0);
		if (mount < 0)
			mount = -errno;
	}
	close(context);
	return mount;
}

/* The number that perf_event_open(2) knows the tracepoint by; negative: -errno. */
static int tracepoint_id(int tracefs, const char *tracepoint)
{
	char path[128], text[32];
	uint64_t id;
	ssize_t n;
	int fd, r;

	snprintf(path, sizeof(path), "events/%s/id", tracepoint);
	fd = openat(tracefs, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	r = n < 0 ? -errno : 0;
	close(fd);
	if (r < 0)
		return r;
	text[n] = '\0';
	text[strcspn(text, "\n")] = '\0';
	r = number_parse(text, 1, INT_MAX, &id);
	return r < 0 ? r : (int)id;
}

int tracepoint_attach(const struct bpf_program *program, int tracefs, const char *tracepoint, struct bpf_link **ret)
{
	struct perf_event_attr attr = {
	    .type = PERF_TYPE_TRACEPOINT,
	    .size = sizeof(attr),
	    .sample_period = 1,
	};
	struct bpf_link *link;
	int fd, id = tracepoint_id(tracefs, tracepoint);

	if (id < 0)
		return id;
	attr.config = id;
	/* any process, on CPU 0: a BPF program on a tracepoint runs on every CPU, whichever one its event names */
	fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return -errno;
	link = bpf_program__attach_perf_event(program, fd);
	if (!link) {
		int r = -errno;

		close(fd);
		return r;
	}
	*ret = link;
	return 0;
}
