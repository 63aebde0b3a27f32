/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sense/netns.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

/* setns() acts on the thread, so "our own" is the thread's, not the process's. */
#define OWN_NETNS "/proc/thread-self/ns/net"

struct walk {
	uint64_t *seen; /* sorted */
	size_t count, capacity;
	int (*visit)(void *context, const struct netns *netns);
	void *context;
	struct netns_walk result;
};

/* Where inode stands in seen, or would. */
static size_t seen_position(const struct walk *walk, uint64_t inode)
{
	size_t low = 0, high = walk->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (walk->seen[middle] < inode)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool seen_has(const struct walk *walk, uint64_t inode)
{
	size_t at = seen_position(walk, inode);

	return at < walk->count && walk->seen[at] == inode;
}

static int seen_add(struct walk *walk, uint64_t inode)
{
	size_t at = seen_position(walk, inode);

	if (walk->count == NETNS_MAX)
		return -E2BIG;
	if (walk->count == walk->capacity) {
		size_t capacity = walk->capacity ? walk->capacity * 2 : 64;
		uint64_t *grown = reallocarray(walk->seen, capacity, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		walk->seen = grown;
		walk->capacity = capacity;
	}
	memmove(&walk->seen[at + 1], &walk->seen[at], (walk->count - at) * sizeof(*walk->seen));
	walk->seen[at] = inode;
	walk->count++;
	return 0;
}

static int visit_own(struct walk *walk)
{
	struct netns netns = {.fd = -1};
	struct stat status;
	int err;

	if (stat(OWN_NETNS, &status) < 0)
		return -errno;
	netns.inode = status.st_ino;
	err = seen_add(walk, netns.inode);
	return err ? err : walk->visit(walk->context, &netns);
}

/* A path that may lead to a namespace: it may be gone, or be something else by now. */
static int visit_path(struct walk *walk, int directory, const char *path, const char *name)
{
	struct netns netns = {.fd = -1};
	struct statfs file_system;
	struct stat status;
	int err = 0;

	netns.fd = openat(directory, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (netns.fd < 0)
		return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? -errno : 0;
	if (fstat(netns.fd, &status) < 0 || fstatfs(netns.fd, &file_system) < 0 || file_system.f_type != NSFS_MAGIC)
		goto out;
	netns.inode = status.st_ino;
	if (seen_has(walk, netns.inode))
		goto out;
	err = seen_add(walk, netns.inode);
	if (err)
		goto out;
	(void)snprintf(netns.name, sizeof(netns.name), "%s", name);
	err = walk->visit(walk->context, &netns);
out:
	(void)close(netns.fd);
	return err;
}

/* One field of mountinfo, its escapes of the form \040 resolved. True: it was whole and fits. */
static bool unescape(const char *text, size_t len, char *ret, size_t size)
{
	size_t used = 0;

	while (len) {
		char c = *text;
		size_t taken = 1;

		if (c == '\\') {
			if (len < 4 || text[1] < '0' || text[1] > '3' || text[2] < '0' || text[2] > '7' ||
			    text[3] < '0' || text[3] > '7')
				return false;
			c = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0'));
			taken = 4;
		}
		if (!c || used + 1 >= size)
			return false;
		ret[used++] = c;
		text += taken;
		len -= taken;
	}
	ret[used] = '\0';
	return used > 0;
}

bool netns_mount_parse(const char *line, char *path, size_t size)
{
	const char *field = line;
	size_t len;

	for (int skip = 0; skip < 3; skip++) { /* mount, parent, device; the fourth is the root within nsfs */
		field = strchr(field, ' ');
		if (!field)
			return false;
		field++;
	}
	if (strncmp(field, "net:[", 5) != 0)
		return false;
	field = strchr(field, ' ');
	if (!field || !strstr(field, " - nsfs "))
		return false;
	field++;
	len = strcspn(field, " ");
	return unescape(field, len, path, size);
}

static int visit_mounts(struct walk *walk)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	char *line = NULL, path[PATH_MAX];
	size_t size = 0;
	int err = 0;

	if (!file)
		return -errno;
	while (!err && getline(&line, &size, file) >= 0) {
		const char *slash;

		if (!netns_mount_parse(line, path, sizeof(path)))
			continue;
		slash = strrchr(path, '/');
		err = visit_path(walk, AT_FDCWD, path, slash ? slash + 1 : path);
	}
	if (!err && ferror(file))
		err = -EIO;
	free(line);
	(void)fclose(file);
	return err;
}

static int visit_processes(struct walk *walk)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int err = 0;

	if (!proc)
		return -errno;
	while (!err && (entry = readdir(proc))) {
		char path[sizeof(entry->d_name) + sizeof("/ns/net")];
		struct stat status;

		if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
			continue;
		(void)snprintf(path, sizeof(path), "%s/ns/net", entry->d_name);
		/* most processes share a namespace, so look before opening */
		if (fstatat(dirfd(proc), path, &status, 0) < 0) {
			walk->result.denied += errno == EACCES || errno == EPERM;
			continue;
		}
		if (!seen_has(walk, status.st_ino))
			err = visit_path(walk, dirfd(proc), path, "");
	}
	(void)closedir(proc);
	return err;
}

int netns_walk(int (*visit)(void *context, const struct netns *netns), void *context, struct netns_walk *ret)
{
	struct walk walk = {.visit = visit, .context = context};
	int err;

	err = visit_own(&walk);
	if (!err)
		err = visit_mounts(&walk); /* before the processes: here a namespace has a name */
	if (!err)
		err = visit_processes(&walk);
	free(walk.seen);
	if (!err)
		*ret = walk.result;
	return err;
}

int netns_socket(const struct netns *netns, int family, int type, int protocol)
{
	int own, fd;

	if (netns->fd < 0) {
		fd = socket(family, type, protocol);
		return fd < 0 ? -errno : fd;
	}
	own = open(OWN_NETNS, O_RDONLY | O_CLOEXEC);
	if (own < 0)
		return -errno;
	if (setns(netns->fd, CLONE_NEWNET) < 0) {
		fd = -errno;
		goto out;
	}
	fd = socket(family, type, protocol);
	if (fd < 0)
		fd = -errno;
	if (setns(own, CLONE_NEWNET) < 0) {
		if (fd >= 0)
			(void)close(fd);
		fd = -ENOTRECOVERABLE;
	}
out:
	(void)close(own);
	return fd;
}
