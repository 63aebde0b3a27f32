/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sense/process_proc.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PF_KTHREAD 0x00200000 /* include/linux/sched.h */

int proc_open(int root, uint32_t pid)
{
	char name[16];
	int fd;

	(void)snprintf(name, sizeof(name), "%" PRIu32, pid);
	fd = openat(root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? fd : errno == ENOENT ? -ESRCH : -errno;
}

ssize_t proc_file(int proc, const char *name, char *text, size_t size)
{
	size_t used = 0;
	ssize_t n = 0;
	int fd = openat(proc, name, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	/* a read gives a page at most */
	while (used < size - 1 && (n = read(fd, text + used, size - 1 - used)) > 0)
		used += (size_t)n;
	if (n < 0)
		n = -errno;
	close(fd);
	text[used] = '\0';
	return n < 0 ? n : (ssize_t)used;
}

bool proc_parse_stat(const char *line, struct proc_stat *ret)
{
	const char *open = strchr(line, '('), *close = strrchr(line, ')');
	uint64_t flags, ticks;
	size_t length;

	*ret = (struct proc_stat){0};
	if (!open || !close || close < open)
		return false;
	/* state ppid pgrp session tty tpgid flags; minflt ... itrealvalue; starttime */
	if (sscanf(close + 1,
	           " %*c %" SCNu32 " %*d %*d %*d %*d %" SCNu64
	           " %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %" SCNu64,
	           &ret->parent, &flags, &ticks) != 3)
		return false;
	length = (size_t)(close - open - 1);
	memcpy(ret->comm, open + 1, length < sizeof(ret->comm) ? length : sizeof(ret->comm) - 1);
	ret->kernel_thread = flags & PF_KTHREAD;
	ret->start_ns = ticks * PROC_TICK_NS;
	return true;
}

int proc_stat(int proc, struct proc_stat *ret)
{
	char line[1024];
	ssize_t n = proc_file(proc, "stat", line, sizeof(line));

	if (n < 0)
		return n == -ENOENT ? -ESRCH : (int)n;
	return proc_parse_stat(line, ret) ? 0 : -EBADMSG;
}

bool proc_is_started(const struct proc_stat *stat, uint64_t start_ns)
{
	return start_ns / PROC_TICK_NS == stat->start_ns / PROC_TICK_NS;
}

uint32_t proc_namespace(int proc, const char *name)
{
	struct stat status;

	return fstatat(proc, name, &status, 0) == 0 ? (uint32_t)status.st_ino : 0;
}

const char *proc_status(const char *text, const char *name)
{
	size_t length = strlen(name);

	for (const char *line = text; line && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
		if (strncmp(line, name, length) == 0 && line[length] == ':' && line[length + 1] == '\t')
			return line + length + 2;
	return NULL;
}
