/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sense/inventory.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "user/base/ipproto.h"
#include "user/sense/sock_diag.h"

/* The inet_diag code never says NLM_F_DUMP_INTR today; a table that changes faster than this is taken as it is. */
#define DUMP_TRIES 4

struct protocol {
	uint16_t number, type;
	uint32_t states;
	bool required;	  /* without it an inventory would mislead */
	const char *name; /* in outputs */
	const char *v4;	  /* in /proc/net/protocols; its absence says that no such socket can be */
	const char *module;
};

static const struct protocol protocols[] = {
    {IPPROTO_TCP, SOCK_STREAM, SOCK_DIAG_LISTEN | SOCK_DIAG_BOUND_INACTIVE, true, "tcp", "TCP", "tcp_diag"},
    {IPPROTO_UDP, SOCK_DGRAM, SOCK_DIAG_CLOSE, true, "udp", "UDP", "udp_diag"},
    {IPPROTO_UDPLITE, SOCK_DGRAM, SOCK_DIAG_CLOSE, false, "udplite", "UDP-Lite", "udp_diag"},
    {IPPROTO_SCTP, 0, SOCK_DIAG_LISTEN | SOCK_DIAG_CLOSE, false, "sctp", "SCTP", "sctp_diag"},
    {IPPROTO_DCCP, SOCK_DCCP, SOCK_DIAG_LISTEN, false, "dccp", "DCCP", "dccp_diag"},
    {IPPROTO_MPTCP, SOCK_STREAM, SOCK_DIAG_LISTEN, false, "mptcp", "MPTCP", "mptcp_diag"},
};

#define PROTOCOLS (sizeof(protocols) / sizeof(*protocols))

struct take {
	struct inventory *inventory;
	const uint8_t *ports;
	const struct protocol *protocol;
	uint32_t netns_inode;
	char *error;
};

__attribute__((format(printf, 3, 4))) static int fail(char *error, int err, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(error, INVENTORY_TEXT_LEN, format, arguments);
	va_end(arguments);
	return err;
}

/* A capacity for one more, of what has `count`; NULL: no memory, and list is as it was. */
static void *grow(void *list, size_t count, size_t *capacity, size_t size)
{
	size_t wanted = *capacity ? *capacity * 2 : 64;

	if (count < *capacity)
		return list;
	list = reallocarray(list, wanted, size);
	if (list)
		*capacity = wanted;
	return list;
}

static int add_socket(void *context, const struct sock_diag_socket *found)
{
	struct take *take = context;
	struct inventory *inventory = take->inventory;
	struct inventory_socket *sockets;

	if (!found->address.port || (take->ports && !take->ports[found->address.port]))
		return 0;
	if (inventory->sockets_count == INVENTORY_SOCKETS_MAX)
		return -E2BIG;
	sockets = grow(inventory->sockets, inventory->sockets_count, &inventory->sockets_capacity, sizeof(*sockets));
	if (!sockets)
		return -ENOMEM;
	inventory->sockets = sockets;
	sockets[inventory->sockets_count++] = (struct inventory_socket){
	    .address = found->address,
	    .family = found->address.family,
	    .type = take->protocol->type,
	    .protocol = take->protocol->number,
	    .state = 1U << (found->state & 31) == SOCK_DIAG_LISTEN ? INVENTORY_LISTEN : INVENTORY_BOUND,
	    .socket_flags = found->socket_flags,
	    .device = found->device,
	    .uid = found->uid,
	    .netns_inode = take->netns_inode,
	    .inode = found->inode,
	    .cookie = found->cookie,
	};
	return 0;
}

/* Whether a socket of this protocol can exist in this kernel now: its module is loaded. */
static bool kernel_has(const struct protocol *protocol)
{
	FILE *file = fopen("/proc/net/protocols", "re");
	size_t len = strlen(protocol->v4);
	char line[256];
	bool has = false;

	if (!file)
		return true;
	while (!has && fgets(line, sizeof(line), file))
		has = strncmp(line, protocol->v4, len) == 0 && line[len] == ' ';
	(void)fclose(file);
	return has;
}

/* This protocol is not listed here. An error only where the answer would mislead without it. */
static int not_listed(struct take *take, uint16_t family)
{
	const struct protocol *protocol = take->protocol;

	if (family != AF_INET || !kernel_has(protocol))
		return 0; /* an IPv6 that is switched off has no sockets, and is never alone in not being listed */
	if (protocol->required)
		return fail(take->error, -EOPNOTSUPP, "the kernel does not list its %s sockets: load the module %s",
			    protocol->name, protocol->module);
	take->inventory->not_listed |= 1U << (protocol - protocols);
	return 0;
}

static int dump(struct take *take, int fd, uint16_t family)
{
	size_t before = take->inventory->sockets_count;
	int err = -EAGAIN;

	for (int tries = 0; err == -EAGAIN && tries < DUMP_TRIES; tries++) {
		take->inventory->sockets_count = before;
		err = sock_diag_dump(fd, family, take->protocol->number, take->protocol->states, add_socket, take);
	}
	if (err == -EAGAIN) {
		take->inventory->changed = true;
		return 0;
	}
	if (err == -ENOENT || err == -EOPNOTSUPP || err == -EPROTONOSUPPORT)
		return not_listed(take, family);
	if (err == -E2BIG)
		return fail(take->error, err, "more than %u sockets are bound on this host", INVENTORY_SOCKETS_MAX);
	if (err)
		return fail(take->error, err, "the kernel's list of %s sockets cannot be read: %s",
			    take->protocol->name, strerror(-err));
	return 0;
}

static int add_netns(struct take *take, const struct netns *netns)
{
	struct inventory *inventory = take->inventory;
	struct inventory_netns *list;

	list = grow(inventory->netns, inventory->netns_count, &inventory->netns_capacity, sizeof(*list));
	if (!list)
		return -ENOMEM;
	inventory->netns = list;
	list = &list[inventory->netns_count++];
	list->inode = (uint32_t)netns->inode;
	memcpy(list->name, netns->name, sizeof(list->name));
	return 0;
}

static int read_netns(void *context, const struct netns *netns)
{
	struct take *take = context;
	int fd, err;

	fd = netns_socket(netns, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (fd == -EPERM && netns->fd >= 0) {
		take->inventory->netns_refused++;
		return 0;
	}
	if (fd == -ENOTRECOVERABLE)
		return fail(take->error, fd, "cannot return from network namespace %llu to our own",
			    (unsigned long long)netns->inode);
	if (fd < 0)
		return fail(take->error, fd, "cannot ask the kernel for its sockets (NETLINK_SOCK_DIAG): %s",
			    strerror(-fd));
	err = add_netns(take, netns);
	take->netns_inode = (uint32_t)netns->inode;
	for (size_t i = 0; !err && i < PROTOCOLS; i++) {
		take->protocol = &protocols[i];
		err = dump(take, fd, AF_INET);
		if (!err)
			err = dump(take, fd, AF_INET6);
	}
	(void)close(fd);
	return err;
}

#define COMPARE(a, b)                                                                                                  \
	if ((a) != (b))                                                                                                \
	return (a) < (b) ? -1 : 1

/* A TCP socket stands before the MPTCP socket of the same inode, and two reports of one socket side by side. */
static int compare_identity(const void *a, const void *b)
{
	const struct inventory_socket *left = a, *right = b;

	COMPARE(left->inode, right->inode);
	COMPARE(left->protocol, right->protocol);
	COMPARE(left->netns_inode, right->netns_inode);
	COMPARE(left->cookie, right->cookie);
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

/*
 * A dump goes from bucket to bucket by counting, so a socket may come twice where others vanish meanwhile. And an MPTCP
 * socket listens through a TCP socket that has the same inode (mptcp_subflow_create_socket(), Linux 5.6): they are one.
 */
static void unite(struct inventory *inventory)
{
	struct inventory_socket *list = inventory->sockets;
	size_t kept = 0;

	if (!inventory->sockets_count)
		return;
	qsort(list, inventory->sockets_count, sizeof(*list), compare_identity);
	for (size_t i = 1; i < inventory->sockets_count; i++) {
		struct inventory_socket *last = &list[kept];
		const struct inventory_socket *next = &list[i];

		if (next->cookie && compare_identity(last, next) == 0)
			continue;
		if (next->inode && next->inode == last->inode && next->protocol == IPPROTO_MPTCP &&
		    last->protocol == IPPROTO_TCP) {
			uint64_t subflow = last->cookie;

			*last = *next;
			last->subflow_cookie = subflow;
			continue;
		}
		list[++kept] = *next;
	}
	inventory->sockets_count = kept + 1;
}

int inventory_take(const uint8_t *ports, struct inventory **ret, char error[INVENTORY_TEXT_LEN])
{
	struct inventory *inventory = calloc(1, sizeof(*inventory));
	struct take take = {.inventory = inventory, .ports = ports, .error = error};
	struct netns_walk walk;
	int err;

	if (!inventory)
		return fail(error, -ENOMEM, "out of memory");
	error[0] = '\0';
	err = netns_walk(read_netns, &take, &walk);
	if (err) {
		if (err == -E2BIG && !error[0])
			(void)fail(error, err, "more than %u network namespaces are on this host", NETNS_MAX);
		if (!error[0])
			(void)fail(error, err, "cannot look for network namespaces: %s", strerror(-err));
		inventory_free(inventory);
		return err;
	}
	inventory->netns_denied = walk.denied;
	unite(inventory);
	if (inventory->sockets_count)
		qsort_r(inventory->sockets, inventory->sockets_count, sizeof(*inventory->sockets), compare_shown,
			&inventory->netns[0].inode);
	*ret = inventory;
	return 0;
}

static int compare_u64(const void *a, const void *b)
{
	COMPARE(*(const uint64_t *)a, *(const uint64_t *)b);
	return 0;
}

/* The range of holders with this inode. */
static void assign_holders(const struct holders *holders, struct inventory_socket *socket)
{
	size_t low = 0, high = holders->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (holders->list[middle].inode < socket->inode)
			low = middle + 1;
		else
			high = middle;
	}
	socket->holders = low;
	socket->holders_count = 0;
	while (low < holders->count && holders->list[low].inode == socket->inode) {
		socket->holders_count++;
		low++;
	}
}

int inventory_find_holders(struct inventory *inventory, char error[INVENTORY_TEXT_LEN])
{
	struct holders holders = {0};
	uint64_t *inodes;
	int err;

	inodes = reallocarray(NULL, inventory->sockets_count + 1, sizeof(*inodes));
	if (!inodes)
		return fail(error, -ENOMEM, "out of memory");
	for (size_t i = 0; i < inventory->sockets_count; i++)
		inodes[i] = inventory->sockets[i].inode;
	qsort(inodes, inventory->sockets_count, sizeof(*inodes), compare_u64);
	err = holders_find(inodes, inventory->sockets_count, &holders);
	free(inodes);
	if (err == -E2BIG)
		return fail(error, err, "more than %u processes hold sockets on this host", HOLDERS_MAX);
	if (err)
		return fail(error, err, "cannot look for the processes of the sockets: %s", strerror(-err));
	holders_free(&inventory->holders);
	inventory->holders = holders;
	inventory->holders_searched = true;
	for (size_t i = 0; i < inventory->sockets_count; i++)
		assign_holders(&inventory->holders, &inventory->sockets[i]);
	return 0;
}

void inventory_free(struct inventory *inventory)
{
	if (!inventory)
		return;
	free(inventory->sockets);
	free(inventory->netns);
	holders_free(&inventory->holders);
	free(inventory);
}

static bool has_socket_without_holder(const struct inventory *inventory)
{
	for (size_t i = 0; i < inventory->sockets_count; i++) {
		if (!inventory->sockets[i].holders_count)
			return true;
	}
	return false;
}

/* Without hidepid=0 (proc(5)) other users' processes are not even denied: they are not there. */
static bool capable(unsigned int capability)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

	return syscall(SYS_capget, &header, data) == 0 &&
	       data[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability);
}

bool inventory_note(const struct inventory *inventory, unsigned int number, char text[INVENTORY_TEXT_LEN])
{
	bool enters = capable(CAP_SYS_ADMIN) && capable(CAP_SYS_PTRACE),
	     reads = capable(CAP_SYS_PTRACE) && capable(CAP_DAC_READ_SEARCH);

	if ((inventory->netns_refused || inventory->netns_denied || !enters) && number-- == 0) {
		(void)snprintf(text, INVENTORY_TEXT_LEN,
			       enters
				   ? "not every network namespace was examined: the kernel hides those of %zu "
				     "processes and keeps us out of %zu, in spite of CAP_SYS_PTRACE and CAP_SYS_ADMIN"
				   : "not every network namespace was examined: to find and enter those of other "
				     "users takes CAP_SYS_PTRACE and CAP_SYS_ADMIN",
			       inventory->netns_denied, inventory->netns_refused);
		return true;
	}
	if (inventory->holders_searched && has_socket_without_holder(inventory) &&
	    (inventory->holders.denied || !reads) && number-- == 0) {
		(void)snprintf(text, INVENTORY_TEXT_LEN,
			       reads ? "not every process was examined: the kernel hides the descriptors of %zu, in "
				       "spite of CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH"
				     : "not every process was examined: to see the sockets of other users' processes "
				       "takes CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH",
			       inventory->holders.denied);
		return true;
	}
	for (size_t i = 0; i < PROTOCOLS; i++) {
		if (inventory->not_listed & 1U << i && number-- == 0) {
			(void)snprintf(text, INVENTORY_TEXT_LEN,
				       "%s sockets are missing: the kernel does not list them; load the module %s",
				       protocols[i].name, protocols[i].module);
			return true;
		}
	}
	if (inventory->changed && number-- == 0) {
		(void)snprintf(text, INVENTORY_TEXT_LEN,
			       "a socket may be missing or listed twice: sockets came and went while they were read");
		return true;
	}
	return false;
}

void inventory_event(const struct inventory *inventory, const struct inventory_socket *socket, struct event *ret)
{
	char name[IF_NAMESIZE] = "";

	*ret = (struct event){
	    .family = socket->family,
	    .type = socket->type,
	    .protocol = socket->protocol,
	    .bound = socket->address,
	    .uid = socket->uid,
	    .cookie = socket->cookie,
	    .netns_inode = socket->netns_inode,
	    .socket_flags = socket->socket_flags,
	    .device = socket->device,
	};
	/* an index has its meaning in its own namespace only */
	if (socket->device && socket->netns_inode == inventory->netns[0].inode && if_indextoname(socket->device, name))
		(void)snprintf(ret->device_name, sizeof(ret->device_name), "%s", name);
}

const char *inventory_netns_name(const struct inventory *inventory, uint32_t inode)
{
	for (size_t i = 1; i < inventory->netns_count; i++) {
		if (inventory->netns[i].inode == inode)
			return inventory->netns[i].name;
	}
	return "";
}
