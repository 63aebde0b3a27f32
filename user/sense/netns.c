/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sense/netns.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "user/base/mountinfo.h"
#include "user/base/number.h"

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

static int visit_mount(void *context, const struct mountinfo *mount)
{
	const char *slash = strrchr(mount->point, '/');

	/* nsfs mounts every kind of namespace: "net:[4026531840]" */
	if (strcmp(mount->type, "nsfs") != 0 || strncmp(mount->root, "net:[", 5) != 0)
		return 0;
	return visit_path(context, AT_FDCWD, mount->point, slash ? slash + 1 : mount->point);
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
		err = mountinfo_each(MOUNTINFO, visit_mount,
		                     &walk); /* before the processes: here a namespace has a name */
	if (!err)
		err = visit_processes(&walk);
	free(walk.seen);
	if (!err)
		*ret = walk.result;
	return err;
}

int netns_run(const struct netns *netns, int (*act)(const void *context), const void *context)
{
	int own, fd;

	if (netns->fd < 0)
		return act(context);
	own = open(OWN_NETNS, O_RDONLY | O_CLOEXEC);
	if (own < 0)
		return -errno;
	if (setns(netns->fd, CLONE_NEWNET) < 0) {
		fd = -errno;
		goto out;
	}
	fd = act(context);
	if (setns(own, CLONE_NEWNET) < 0) {
		if (fd >= 0)
			(void)close(fd);
		fd = -ENOTRECOVERABLE;
	}
out:
	(void)close(own);
	return fd;
}

struct socket_request {
	int family, type, protocol;
};

static int open_socket(const void *context)
{
	const struct socket_request *request = context;
	int fd = socket(request->family, request->type, request->protocol);

	return fd < 0 ? -errno : fd;
}

int netns_socket(const struct netns *netns, int family, int type, int protocol)
{
	const struct socket_request request = {family, type, protocol};

	return netns_run(netns, open_socket, &request);
}

/* /proc/sys/net is that of the namespace of the thread that opens it: net_ctl_root, net/sysctl_net.c */
static int open_file(const void *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int netns_port_start(const struct netns *netns, uint32_t *ret)
{
	int fd = netns_run(netns, open_file, "/proc/sys/net/ipv4/ip_unprivileged_port_start");
	char text[16];
	uint64_t value;
	ssize_t len;

	if (fd < 0)
		return fd;
	len = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	if (len < 1)
		return len < 0 ? -errno : -EBADMSG;
	text[len - (text[len - 1] == '\n')] = '\0';
	if (number_parse(text, 0, 65536, &value))
		return -EBADMSG;
	*ret = (uint32_t)value;
	return 0;
}
