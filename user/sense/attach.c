/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sense/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "user/base/mountinfo.h"
#include "user/base/number.h"

struct wanted_mount {
	const char *type;
	int fd; /* -ENOENT as long as none was found */
};

/* The first mount whose root is the file system's own root; others show a part of it only. */
static int visit_mount(void *context, const struct mountinfo *mount)
{
	struct wanted_mount *wanted = context;

	if (strcmp(mount->type, wanted->type) != 0 || strcmp(mount->root, "/") != 0)
		return 0;
	wanted->fd = open(mount->point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (wanted->fd < 0)
		wanted->fd = -errno;
	return wanted->fd >= 0;
}

static int mount_open(const char *mountinfo, const char *type)
{
	struct wanted_mount wanted = {type, -ENOENT};
	int r = mountinfo_each(mountinfo, visit_mount, &wanted);

	return r < 0 ? r : wanted.fd;
}

int cgroup_root_open(const char *mountinfo)
{
	return mount_open(mountinfo, "cgroup2");
}

int tracefs_open(const char *mountinfo)
{
	int context, mount, fd = mount_open(mountinfo, "tracefs");

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
