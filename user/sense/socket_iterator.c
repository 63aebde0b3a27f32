/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sense/socket_iterator.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/inventory.skel.h"

/* Twice what the kernel gathers for one read (PAGE_SIZE << 3, bpf_seq_read()), where a page has 4 KiB. */
#define READ_BYTES (64U << 10)

/*
 * The kernel stops after a million objects without a row and says "again" (e679654a704e, 5.11). So many rounds are four
 * thousand million descriptors: a host with more is not one.
 */
#define EMPTY_ROUNDS_MAX 4096

/* The first pid namespace's inode: PROC_PID_INIT_INO of include/linux/proc_ns.h. */
#define FIRST_PID_NAMESPACE 0xEFFFFFFCU

/* The best first. may_ask: bpf/inventory.bpf.c; probe_reads: bpf/compat.bpf.h */
static const struct {
	bool may_ask, probe_reads;
} ways[SOCKET_ITERATOR_WAYS] = {
        {true, true},
        {true, false},
        {false, true},
};

static bool all_zero(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (bytes[i])
			return false;
	}
	return true;
}

static bool row_valid(const struct bw_inventory_row *row)
{
	if (row->version != BW_INVENTORY_VERSION || row->size != sizeof(*row))
		return false;
	if (row->family != AF_INET && row->family != AF_INET6)
		return false;
	if (row->family == AF_INET && !all_zero(row->address + 4, sizeof(row->address) - 4))
		return false;
	if (row->state != BW_INVENTORY_CLOSE && row->state != BW_INVENTORY_LISTEN)
		return false;
	return row->port && row->pid && row->inode && row->netns_inode && all_zero(row->pad, sizeof(row->pad)) &&
	       memchr(row->comm, '\0', sizeof(row->comm));
}

int socket_iterator_parse(const void *data, size_t len, size_t *ret_used, socket_iterator_found found, void *context)
{
	size_t used = 0;
	int err = 0;

	while (!err && len - used >= sizeof(struct bw_inventory_row)) {
		struct bw_inventory_row row;

		memcpy(&row, (const char *)data + used, sizeof(row));
		err = row_valid(&row) ? found(context, &row) : -EBADMSG;
		used += sizeof(row);
	}
	if (!err)
		*ret_used = used;
	return err;
}

bool socket_iterator_sees_all(void)
{
	struct stat status;

	return stat("/proc/self/ns/pid", &status) == 0 && status.st_ino == FIRST_PID_NAMESPACE;
}

struct socket_iterator {
	struct inventory_bpf *skeleton;
};

/* 0, or -errno as the kernel or libbpf gave it. */
static int load(unsigned int way, struct inventory_bpf **ret)
{
	struct inventory_bpf *skeleton;
	int err;

	if (!ways[way].probe_reads && !socket_iterator_sees_all())
		return -ENOTSUP; /* it could not tell a process's number as we know it */
	skeleton = inventory_bpf__open();
	if (!skeleton)
		return -errno;
	skeleton->rodata->may_ask = ways[way].may_ask;
	skeleton->rodata->probe_reads = ways[way].probe_reads;
	err = inventory_bpf__load(skeleton);
	if (err) {
		inventory_bpf__destroy(skeleton);
		return err;
	}
	*ret = skeleton;
	return 0;
}

static int refused(int err, char *why)
{
	if (err == -ENOMEM) {
		(void)snprintf(why, SOCKET_ITERATOR_WHY_LEN, "out of memory");
		return err;
	}
	if (err == -EPERM)
		(void)snprintf(why, SOCKET_ITERATOR_WHY_LEN, "it takes CAP_BPF and CAP_PERFMON");
	else
		(void)snprintf(why, SOCKET_ITERATOR_WHY_LEN, "it does not load: %s", strerror(-err));
	return -ENOTSUP;
}

/* The bytes read, 0 at the end, or -errno. */
static ssize_t read_some(int fd, char *buffer, size_t size)
{
	for (unsigned int rounds = 0; rounds < EMPTY_ROUNDS_MAX;) {
		ssize_t len = read(fd, buffer, size);

		if (len >= 0)
			return len;
		if (errno == EAGAIN)
			rounds++;
		else if (errno != EINTR)
			return -errno;
	}
	return -EAGAIN;
}

static int read_all(int fd, socket_iterator_found found, void *context, char *why)
{
	char *buffer = malloc(READ_BYTES);
	size_t have = 0, used;
	int err = buffer ? 0 : -ENOMEM;

	while (!err) {
		ssize_t len = read_some(fd, buffer + have, READ_BYTES - have);

		err = len < 0 ? (int)len : 0;
		if (!err && len == 0)
			err = have ? -EBADMSG : 1; /* the end, in the midst of a row or behind one */
		if (err) {
			if (err < 0)
				(void)snprintf(why, SOCKET_ITERATOR_WHY_LEN, "it cannot be read: %s", strerror(-err));
			break;
		}
		have += (size_t)len;
		err = socket_iterator_parse(buffer, have, &used, found, context);
		if (err) {
			(void)snprintf(why, SOCKET_ITERATOR_WHY_LEN, "its rows are not understood");
			break;
		}
		have -= used;
		memmove(buffer, buffer + used, have);
	}
	if (!buffer)
		(void)snprintf(why, SOCKET_ITERATOR_WHY_LEN, "out of memory");
	free(buffer);
	return err == 1 ? 0 : err;
}

static int read_loaded(struct inventory_bpf *skeleton, socket_iterator_found found, void *context, char *why)
{
	struct bpf_link *link = bpf_program__attach_iter(skeleton->progs.list_sockets, NULL);
	int fd = link ? bpf_iter_create(bpf_link__fd(link)) : -1, err = -ENOTSUP;

	if (fd >= 0) {
		err = read_all(fd, found, context, why);
		(void)close(fd);
	} else {
		(void)snprintf(why, SOCKET_ITERATOR_WHY_LEN, "it does not attach: %s", strerror(errno));
	}
	(void)bpf_link__destroy(link);
	return err;
}

int socket_iterator_open(unsigned int way, struct socket_iterator **ret, char why[SOCKET_ITERATOR_WHY_LEN])
{
	struct socket_iterator *iterator = calloc(1, sizeof(*iterator));
	int err;

	/* libbpf's own messages go to stderr and are made for its developers */
	(void)libbpf_set_print(NULL);
	why[0] = '\0';
	if (!iterator)
		return refused(-ENOMEM, why);
	err = load(way, &iterator->skeleton);
	if (err) {
		free(iterator);
		return refused(err, why);
	}
	*ret = iterator;
	return 0;
}

void socket_iterator_free(struct socket_iterator *iterator)
{
	if (!iterator)
		return;
	inventory_bpf__destroy(iterator->skeleton);
	free(iterator);
}

int socket_iterator_read(struct socket_iterator *iterator, socket_iterator_found found, void *context,
                         char why[SOCKET_ITERATOR_WHY_LEN])
{
	why[0] = '\0';
	return read_loaded(iterator->skeleton, found, context, why);
}

int socket_iterator_read_best(struct socket_iterator **iterator, socket_iterator_found found, void *context,
                              char why[SOCKET_ITERATOR_WHY_LEN])
{
	char first[SOCKET_ITERATOR_WHY_LEN] = "";
	int err = -ENOTSUP;

	if (*iterator)
		return socket_iterator_read(*iterator, found, context, why);
	/* it is refused before the first row, or not at all */
	for (unsigned int way = 0; way < SOCKET_ITERATOR_WAYS && err == -ENOTSUP; way++) {
		err = socket_iterator_open(way, iterator, why);
		if (!err)
			err = socket_iterator_read(*iterator, found, context, why);
		if (err) {
			socket_iterator_free(*iterator);
			*iterator = NULL;
		}
		if (way == 0)
			(void)snprintf(first, sizeof(first), "%s", why);
	}
	if (err == -ENOTSUP) /* the best way's reason is the one to do something about */
		(void)snprintf(why, sizeof(first), "%s", first);
	return err;
}
