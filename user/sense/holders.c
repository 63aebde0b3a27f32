/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sense/holders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/base/number.h"

/* "socket:[18446744073709551615]" and the NUL; a longer link is no socket's. */
#define LINK_MAX_LEN 32

struct search {
	const uint64_t *inodes;
	size_t inodes_count;
	struct holders found;
};

uint64_t holders_parse_link(const char *link)
{
	static const char prefix[] = "socket:[";
	char digits[LINK_MAX_LEN];
	uint64_t inode;
	size_t len;

	if (strncmp(link, prefix, sizeof(prefix) - 1) != 0)
		return 0;
	link += sizeof(prefix) - 1;
	len = strcspn(link, "]");
	if (len >= sizeof(digits) || strcmp(link + len, "]") != 0)
		return 0;
	memcpy(digits, link, len);
	digits[len] = '\0';
	return number_parse(digits, 1, UINT64_MAX, &inode) ? 0 : inode;
}

static int compare_inodes(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

static int compare_holders(const void *a, const void *b)
{
	const struct holder *left = a, *right = b;

	if (left->inode != right->inode)
		return left->inode < right->inode ? -1 : 1;
	return (left->pid > right->pid) - (left->pid < right->pid);
}

/* comm is any bytes, line breaks too; the kernel ends the file with one of its own. "" where the process is gone. */
static void read_comm(int proc, const char *pid, char comm[EVENT_COMM_LEN])
{
	char path[64], text[EVENT_COMM_LEN];
	ssize_t len;
	int fd;

	memset(comm, 0, EVENT_COMM_LEN);
	(void)snprintf(path, sizeof(path), "%.20s/comm", pid);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	len = read(fd, text, sizeof(text));
	(void)close(fd);
	if (len < 1)
		return;
	if (text[len - 1] == '\n')
		len--;
	memcpy(comm, text, len < EVENT_COMM_LEN ? (size_t)len : EVENT_COMM_LEN - 1);
}

int holders_add(struct holders *holders, const struct holder *holder)
{
	if (holders->count == HOLDERS_MAX)
		return -E2BIG;
	if (holders->count == holders->capacity) {
		size_t capacity = holders->capacity ? holders->capacity * 2 : 256;
		struct holder *grown = reallocarray(holders->list, capacity, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		holders->list = grown;
		holders->capacity = capacity;
	}
	holders->list[holders->count++] = *holder;
	return 0;
}

/* The descriptors of one process. 0 too where it is gone or may not be looked at. */
static int search_descriptors(struct search *search, int proc, const char *name, uint32_t pid)
{
	char path[64];
	struct dirent *entry;
	DIR *directory;
	int fd, err = 0;
	bool denied = false;

	(void)snprintf(path, sizeof(path), "%.20s/fd", name);
	fd = openat(proc, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	directory = fd < 0 ? NULL : fdopendir(fd);
	if (!directory) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
			err = -errno;
		search->found.denied += errno == EACCES || errno == EPERM;
		if (fd >= 0)
			(void)close(fd);
		return err;
	}
	while (!err && (entry = readdir(directory))) {
		char link[LINK_MAX_LEN];
		uint64_t inode;
		ssize_t len;

		if (entry->d_name[0] == '.')
			continue;
		len = readlinkat(fd, entry->d_name, link, sizeof(link));
		if (len < 0)
			denied = denied || errno == EACCES || errno == EPERM;
		if (len < 0 || (size_t)len >= sizeof(link))
			continue;
		link[len] = '\0';
		inode = holders_parse_link(link);
		if (inode && bsearch(&inode, search->inodes, search->inodes_count, sizeof(inode), compare_inodes))
			err = holders_add(&search->found, &(struct holder){.inode = inode, .pid = pid});
	}
	search->found.denied += denied;
	(void)closedir(directory);
	return err;
}

static int search_process(struct search *search, int proc, const char *name)
{
	size_t first = search->found.count;
	char comm[EVENT_COMM_LEN];
	uint64_t pid;
	int err;

	if (number_parse(name, 1, INT32_MAX, &pid))
		return 0;
	err = search_descriptors(search, proc, name, (uint32_t)pid);
	if (err || search->found.count == first)
		return err;
	read_comm(proc, name, comm);
	for (size_t i = first; i < search->found.count; i++)
		memcpy(search->found.list[i].comm, comm, sizeof(comm));
	return 0;
}

/* A process may hold several descriptors of one socket. */
void holders_sort(struct holders *holders)
{
	size_t kept = 0;

	if (!holders->count)
		return;
	qsort(holders->list, holders->count, sizeof(*holders->list), compare_holders);
	for (size_t i = 1; i < holders->count; i++) {
		if (compare_holders(&holders->list[kept], &holders->list[i]) != 0)
			holders->list[++kept] = holders->list[i];
	}
	holders->count = kept + 1;
}

int holders_find(const uint64_t *inodes, size_t count, struct holders *ret)
{
	struct search search = {.inodes = inodes, .inodes_count = count};
	struct dirent *entry;
	DIR *proc;
	int err = 0;

	proc = opendir("/proc");
	if (!proc)
		return -errno;
	while (!err && count && (entry = readdir(proc)))
		err = search_process(&search, dirfd(proc), entry->d_name);
	(void)closedir(proc);
	if (err) {
		holders_free(&search.found);
		return err;
	}
	holders_sort(&search.found);
	*ret = search.found;
	return 0;
}

void holders_free(struct holders *holders)
{
	if (!holders)
		return;
	free(holders->list);
	*holders = (struct holders){0};
}
