/* SPDX-License-Identifier: BSD-2-Clause */
/* Which sockets of an inventory are one, and in which order they are shown. */
#include <linux/types.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/bindwatch.h"
#include "user/base/ipproto.h"
#include "user/sense/inventory_parts.h"

#define COMPARE(a, b)                                                                                                  \
	if ((a) != (b))                                                                                                \
	return (a) < (b) ? -1 : 1

/* What may be one stands side by side: TCP before MPTCP. */
static int compare_identity(const void *a, const void *b)
{
	const struct inventory_socket *left = a, *right = b;

	COMPARE(left->inode, right->inode);
	COMPARE(left->protocol, right->protocol);
	COMPARE(left->netns_inode, right->netns_inode);
	COMPARE(left->cookie, right->cookie);
	COMPARE(left->seen_by, right->seen_by);
	return 0;
}

static int compare_shown(const void *a, const void *b, void *context)
{
	const struct inventory_socket *left = a, *right = b;
	uint32_t own = *(const uint32_t *)context;
	int order;

	COMPARE(left->address.port, right->address.port);
	COMPARE(left->netns_inode != own, right->netns_inode != own);
	COMPARE(left->netns_inode, right->netns_inode);
	COMPARE(left->protocol, right->protocol);
	COMPARE(left->family, right->family);
	order = memcmp(left->address.address, right->address.address, sizeof(left->address.address));
	if (order)
		return order;
	COMPARE(left->device, right->device);
	COMPARE(left->cookie, right->cookie);
	return 0;
}

static bool is_same(const struct inventory_socket *one, const struct inventory_socket *other)
{
	if (one->protocol != other->protocol || one->netns_inode != other->netns_inode)
		return false;
	if (one->cookie && other->cookie)
		return one->cookie == other->cookie;
	return one->inode != 0;
}

static void merge(struct inventory_socket *one, const struct inventory_socket *next)
{
	bool older = !(next->seen_by & INVENTORY_BY_ITERATOR) && one->seen_by & INVENTORY_BY_ITERATOR;
	const struct inventory_socket *later = older ? one : next;
	struct inventory_socket merged = *later;

	/* the iterator cannot read every flag on every kernel, the kernel's list has not every flag on any */
	merged.socket_flags = one->socket_flags | next->socket_flags;
	merged.socket_flags &= ~BW_SOCKET_UNKNOWN | (one->socket_flags & next->socket_flags);
	merged.seen_by |= one->seen_by | next->seen_by;
	if (!merged.cookie)
		merged.cookie = one->cookie ? one->cookie : next->cookie;
	if (!merged.subflow_cookie)
		merged.subflow_cookie = one->subflow_cookie ? one->subflow_cookie : next->subflow_cookie;
	*one = merged;
}

static bool stands_in(const struct inventory_socket *tcp, const struct inventory_socket *mptcp)
{
	return tcp->inode && mptcp->protocol == IPPROTO_MPTCP && tcp->protocol == IPPROTO_TCP &&
	       tcp->netns_inode == mptcp->netns_inode;
}

/* Whether next was taken into one of list[count], which are all of its inode. */
static bool absorb(struct inventory_socket *list, size_t count, const struct inventory_socket *next)
{
	for (size_t i = count; i-- > 0;) {
		if (is_same(&list[i], next)) {
			merge(&list[i], next);
			return true;
		}
		if (stands_in(&list[i], next)) {
			uint64_t subflow = list[i].cookie;

			list[i] = *next;
			list[i].subflow_cookie = subflow;
			return true;
		}
	}
	return false;
}

size_t inventory_unite(struct inventory_socket *sockets, size_t count)
{
	size_t kept = 0, group = 0;

	if (!count)
		return 0;
	qsort(sockets, count, sizeof(*sockets), compare_identity);
	for (size_t i = 0; i < count; i++) {
		if (!kept || sockets[kept - 1].inode != sockets[i].inode)
			group = kept;
		else if (!sockets[i].inode) /* no file: there may be many of those, and equals are neighbours */
			group = kept - 1;
		if (!absorb(&sockets[group], kept - group, &sockets[i]))
			sockets[kept++] = sockets[i];
	}
	return kept;
}

void inventory_sort(struct inventory_socket *sockets, size_t count, uint32_t own_netns_inode)
{
	if (count)
		qsort_r(sockets, count, sizeof(*sockets), compare_shown, &own_netns_inode);
}
