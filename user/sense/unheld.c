/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sense/unheld.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/bindwatch.h"
#include "bpf/unheld.skel.h"

/* Rows that one read takes: the kernel gathers no more (PAGE_SIZE << 3, bpf_seq_read()), where a page has 4 KiB. */
#define READ_ROWS 2048

/* As in socket_iterator.c: the kernel says "again" after a million sockets without a row. */
#define EMPTY_ROUNDS_MAX 4096

struct marking {
	struct inventory *inventory;
	struct unheld *unheld; /* sorted by cookie */
	size_t count;
	struct bpf_link *links[2];
};

static int compare_unheld(const void *a, const void *b)
{
	const struct unheld *left = a, *right = b;

	return (left->cookie > right->cookie) - (left->cookie < right->cookie);
}

static bool is_asked(const struct inventory_socket *socket)
{
	return !socket->holders_count && socket->cookie && socket->socket_flags & BW_SOCKET_KERNEL_UNKNOWN &&
	       ((socket->protocol == IPPROTO_TCP && socket->state == INVENTORY_LISTEN) ||
	        socket->protocol == IPPROTO_UDP);
}

static void take_row(struct inventory *inventory, const struct unheld *unheld, size_t count,
                     const struct bw_unheld_row *row)
{
	const struct unheld wanted = {.cookie = row->cookie};
	const struct unheld *found = bsearch(&wanted, unheld, count, sizeof(*unheld), compare_unheld);
	struct inventory_socket *socket;

	if (!found)
		return;
	socket = &inventory->sockets[found->index];
	socket->socket_flags &= ~BW_SOCKET_KERNEL_UNKNOWN;
	if (row->kernel)
		socket->socket_flags |= BW_SOCKET_KERNEL;
}

int unheld_parse(struct inventory *inventory, const struct unheld *unheld, size_t count, const void *data, size_t len)
{
	for (size_t used = 0; used < len; used += sizeof(struct bw_unheld_row)) {
		struct bw_unheld_row row;

		if (len - used < sizeof(row))
			return -EBADMSG;
		memcpy(&row, (const char *)data + used, sizeof(row));
		if (row.version != BW_INVENTORY_VERSION || row.kernel > 1)
			return -EBADMSG;
		take_row(inventory, unheld, count, &row);
	}
	return 0;
}

static void read_all(const struct marking *marking, int fd)
{
	static const size_t size = READ_ROWS * sizeof(struct bw_unheld_row);
	char *buffer = malloc(size);
	unsigned int rounds = 0;
	ssize_t len = -1;

	while (buffer && rounds < EMPTY_ROUNDS_MAX && len != 0) {
		len = read(fd, buffer, size);
		if (len < 0 && errno != EAGAIN && errno != EINTR)
			break;
		rounds += len < 0;
		/* the buffer holds whole rows, and so does what the kernel gathers: no row is cut */
		if (len > 0 && unheld_parse(marking->inventory, marking->unheld, marking->count, buffer, (size_t)len))
			break;
	}
	free(buffer);
}

/* An iterator is of the namespace of the thread that opens it: bpf_iter_init_seq_net(). */
static int open_iterator(const void *link)
{
	int fd = bpf_iter_create(bpf_link__fd(link));

	return fd < 0 ? -errno : fd;
}

static int mark_netns(void *context, const struct netns *netns)
{
	struct marking *marking = context;
	bool asked = false;

	for (size_t i = 0; i < marking->count && !asked; i++)
		asked = marking->inventory->sockets[marking->unheld[i].index].netns_inode == (uint32_t)netns->inode;
	for (size_t i = 0; asked && i < 2; i++) {
		int fd = netns_run(netns, open_iterator, marking->links[i]);

		if (fd == -ENOTRECOVERABLE)
			return fd;
		if (fd < 0)
			continue;
		read_all(marking, fd);
		(void)close(fd);
	}
	return 0;
}

static int mark_loaded(struct marking *marking, struct unheld_bpf *skeleton)
{
	struct netns_walk walk;
	int r = 0;

	marking->links[0] = bpf_program__attach_iter(skeleton->progs.list_tcp, NULL);
	marking->links[1] = bpf_program__attach_iter(skeleton->progs.list_udp, NULL);
	if (marking->links[0] && marking->links[1])
		r = netns_walk(mark_netns, marking, &walk);
	(void)bpf_link__destroy(marking->links[0]);
	(void)bpf_link__destroy(marking->links[1]);
	/* where the namespaces cannot be walked through, all was not known before, and is not now */
	return r == -ENOTRECOVERABLE || r == -ENOMEM ? r : 0;
}

int unheld_mark(struct inventory *inventory)
{
	struct marking marking = {.inventory = inventory};
	struct unheld_bpf *skeleton;
	int r = 0;

	for (size_t i = 0; i < inventory->sockets_count; i++)
		marking.count += is_asked(&inventory->sockets[i]);
	if (!marking.count)
		return 0;
	marking.unheld = calloc(marking.count, sizeof(*marking.unheld));
	if (!marking.unheld)
		return -ENOMEM;
	marking.count = 0;
	for (size_t i = 0; i < inventory->sockets_count; i++)
		if (is_asked(&inventory->sockets[i]))
			marking.unheld[marking.count++] = (struct unheld){inventory->sockets[i].cookie, i};
	qsort(marking.unheld, marking.count, sizeof(*marking.unheld), compare_unheld);
	(void)libbpf_set_print(NULL);
	skeleton = unheld_bpf__open();
	if (skeleton && unheld_bpf__load(skeleton) == 0)
		r = mark_loaded(&marking, skeleton);
	unheld_bpf__destroy(skeleton);
	free(marking.unheld);
	return r;
}
