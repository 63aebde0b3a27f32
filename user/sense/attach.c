/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sense/attach.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "user/base/number.h"

/* mountinfo writes space, tab, line break and backslash of a path as three octal digits: undone in place. */
static void unescape_path(char *path)
{
	char *out = path;

	for (; *path; path++, out++) {
		if (path[0] == '\\' && path[1] >= '0' && path[1] <= '3' && path[2] >= '0' && path[2] <= '7' &&
		    path[3] >= '0' && path[3] <= '7') {
			*out = (char)((path[1] - '0') << 6 | (path[2] - '0') << 3 | (path[3] - '0'));
			path += 3;
		} else {
			*out = *path;
		}
	}
	*out = '\0';
}

/*
 * Opens the first mount of this type whose root is the file system's own root; others show a part of it only.
 * proc(5): ID PARENT MAJOR:MINOR ROOT MOUNTPOINT OPTIONS [TAG...] - TYPE SOURCE OPTIONS
 */
static int mount_open(const char *mountinfo, const char *type)
{
	char *line = NULL;
	size_t size = 0;
	int fd = -ENOENT;
	FILE *file = fopen(mountinfo, "re");

	if (!file)
		return -errno;
	while (fd < 0 && getline(&line, &size, file) > 0) {
		char root[PATH_MAX], point[PATH_MAX], found[64];
		const char *separator = strstr(line, " - ");

		/* 4095: PATH_MAX without the NUL */
		if (!separator || sscanf(line, "%*u %*u %*s %4095s %4095s", root, point) != 2 ||
		    sscanf(separator, " - %63s", found) != 1)
			continue;
		if (strcmp(found, type) != 0 || strcmp(root, "/") != 0)
			continue;
		unescape_path(point);
		fd = open(point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			fd = -errno;
	}
	free(line);
	fclose(file);
	return fd;
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
