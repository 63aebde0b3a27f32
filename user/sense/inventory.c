/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sense/inventory.h"

#include <errno.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bpf/bindwatch.h"
#include "user/base/ipproto.h"
#include "user/sense/inventory_parts.h"
#include "user/sense/sock_diag.h"
#include "user/sense/socket_iterator.h"

/* The inet_diag code never says NLM_F_DUMP_INTR today; a table that changes faster than this is taken as it is. */
#define DUMP_TRIES 4

/* net.ipv4.ip_unprivileged_port_start of a namespace that does not tell it: the kernel's default, PROT_SOCK. */
#define PORT_START_DEFAULT 1024

const struct inventory_protocol inventory_protocols[INVENTORY_PROTOCOLS] = {
        {IPPROTO_TCP, SOCK_STREAM, SOCK_DIAG_LISTEN | SOCK_DIAG_BOUND_INACTIVE, true, "tcp", "TCP", "tcp_diag"},
        {IPPROTO_UDP, SOCK_DGRAM, SOCK_DIAG_CLOSE, true, "udp", "UDP", "udp_diag"},
        {IPPROTO_UDPLITE, SOCK_DGRAM, SOCK_DIAG_CLOSE, false, "udplite", "UDP-Lite", "udp_diag"},
        {IPPROTO_SCTP, 0, SOCK_DIAG_LISTEN | SOCK_DIAG_CLOSE, false, "sctp", "SCTP", "sctp_diag"},
        {IPPROTO_DCCP, SOCK_DCCP, SOCK_DIAG_LISTEN, false, "dccp", "DCCP", "dccp_diag"},
        {IPPROTO_MPTCP, SOCK_STREAM, SOCK_DIAG_LISTEN, false, "mptcp", "MPTCP", "mptcp_diag"},
};

struct take {
	struct inventory *inventory;
	const uint8_t *ports;
	const struct inventory_protocol *protocol;
	uint32_t netns_inode;
	int row_error; /* of add_row() */
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

static int add_socket(struct inventory *inventory, const struct inventory_socket *socket)
{
	struct inventory_socket *sockets;

	if (inventory->sockets_count == INVENTORY_SOCKETS_MAX)
		return -E2BIG;
	sockets = grow(inventory->sockets, inventory->sockets_count, &inventory->sockets_capacity, sizeof(*sockets));
	if (!sockets)
		return -ENOMEM;
	inventory->sockets = sockets;
	sockets[inventory->sockets_count++] = *socket;
	return 0;
}

static bool wanted(const struct take *take, uint16_t port)
{
	return port && (!take->ports || take->ports[port]);
}

static int add_listed(void *context, const struct sock_diag_socket *found)
{
	struct take *take = context;
	const struct inventory_socket socket = {
	        .address = found->address,
	        .family = found->address.family,
	        .type = take->protocol->type,
	        .protocol = take->protocol->number,
	        .state = 1U << (found->state & 31) == SOCK_DIAG_LISTEN ? INVENTORY_LISTEN : INVENTORY_BOUND,
	        .seen_by = INVENTORY_BY_LIST,
	        .socket_flags = found->socket_flags,
	        .device = found->device,
	        .uid = found->uid,
	        .netns_inode = take->netns_inode,
	        .inode = found->inode,
	        .cookie = found->cookie,
	};

	return wanted(take, socket.address.port) ? add_socket(take->inventory, &socket) : 0;
}

/* Whether a socket of this protocol can exist in this kernel now: its module is loaded. */
static bool kernel_has(const struct inventory_protocol *protocol)
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

static void not_listed(struct take *take, uint16_t family)
{
	/* an IPv6 that is switched off has no sockets, and is never alone in not being listed */
	if (family == AF_INET && kernel_has(take->protocol))
		take->inventory->not_listed |= 1U << (take->protocol - inventory_protocols);
}

static int dump(struct take *take, int fd, uint16_t family)
{
	size_t before = take->inventory->sockets_count;
	int err = -EAGAIN;

	for (int tries = 0; err == -EAGAIN && tries < DUMP_TRIES; tries++) {
		take->inventory->sockets_count = before;
		err = sock_diag_dump(fd, family, take->protocol->number, take->protocol->states, add_listed, take);
	}
	if (err == -EAGAIN) {
		take->inventory->changed = true;
		return 0;
	}
	if (err == -ENOENT || err == -EOPNOTSUPP || err == -EPROTONOSUPPORT) {
		not_listed(take, family);
		return 0;
	}
	if (err == -E2BIG)
		return fail(take->error, err, "more than %u sockets are bound on this host", INVENTORY_SOCKETS_MAX);
	if (err)
		return fail(take->error, err, "the kernel's list of %s sockets cannot be read: %s",
		            take->protocol->name, strerror(-err));
	return 0;
}

/* name: NULL: of a namespace that was met in a socket only */
static int add_netns(struct inventory *inventory, uint32_t inode, const char *name, uint32_t port_start)
{
	struct inventory_netns *list;

	list = grow(inventory->netns, inventory->netns_count, &inventory->netns_capacity, sizeof(*list));
	if (!list)
		return -ENOMEM;
	inventory->netns = list;
	list = &list[inventory->netns_count++];
	*list = (struct inventory_netns){.inode = inode, .unprivileged_port_start = port_start};
	if (name)
		memcpy(list->name, name, sizeof(list->name));
	return 0;
}

static int cannot_return(struct take *take, const struct netns *netns)
{
	return fail(take->error, -ENOTRECOVERABLE, "cannot return from network namespace %llu to our own",
	            (unsigned long long)netns->inode);
}

static int read_netns(void *context, const struct netns *netns)
{
	struct take *take = context;
	uint32_t port_start = PORT_START_DEFAULT;
	int fd, err;

	fd = netns_socket(netns, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (fd == -EPERM && netns->fd >= 0) {
		take->inventory->netns_refused++;
		return 0;
	}
	if (fd == -ENOTRECOVERABLE)
		return cannot_return(take, netns);
	if (fd < 0)
		return fail(take->error, fd, "cannot ask the kernel for its sockets (NETLINK_SOCK_DIAG): %s",
		            strerror(-fd));
	err = netns_port_start(netns, &port_start);
	if (err == -ENOTRECOVERABLE)
		err = cannot_return(take, netns);
	else
		err = add_netns(take->inventory, (uint32_t)netns->inode, netns->name, port_start);
	take->netns_inode = (uint32_t)netns->inode;
	for (size_t i = 0; !err && i < INVENTORY_PROTOCOLS; i++) {
		take->protocol = &inventory_protocols[i];
		err = dump(take, fd, AF_INET);
		if (!err)
			err = dump(take, fd, AF_INET6);
	}
	(void)close(fd);
	return err;
}

static bool netns_known(const struct inventory *inventory, uint32_t inode)
{
	/* from the end, for a process's sockets are mostly all of one namespace, and that was met last or is our own */
	for (size_t i = inventory->netns_count; i-- > 0;) {
		if (inventory->netns[i].inode == inode)
			return true;
	}
	return false;
}

static int add_row(void *context, const struct bw_inventory_row *row)
{
	struct take *take = context;
	struct inventory *inventory = take->inventory;
	struct holder process = {
	        .inode = row->inode, .start_ns = row->start_ns, .exec_id = row->exec_id, .pid = row->pid};
	struct inventory_socket socket = {
	        .address = {.family = row->family, .port = row->port, .has_port = true, .has_address = true},
	        .family = row->family,
	        .type = row->type,
	        .protocol = row->protocol,
	        .state = row->state == BW_INVENTORY_LISTEN ? INVENTORY_LISTEN : INVENTORY_BOUND,
	        .seen_by = INVENTORY_BY_ITERATOR,
	        .socket_flags = row->socket_flags,
	        .device = row->bound_dev_if,
	        .uid = row->uid,
	        .netns_inode = row->netns_inode,
	        .inode = row->inode,
	        .cookie = row->cookie,
	};

	if (!wanted(take, row->port))
		return 0;
	memcpy(socket.address.address, row->address, sizeof(row->address));
	memcpy(process.comm, row->comm, sizeof(process.comm));
	/* a socket comes once for each process that holds it: where the list is full, what is one is made one */
	if (inventory->sockets_count == INVENTORY_SOCKETS_MAX)
		inventory->sockets_count = inventory_unite(inventory->sockets, inventory->sockets_count);
	take->row_error = holders_add(&inventory->holders, &process);
	if (!take->row_error)
		take->row_error = add_socket(inventory, &socket);
	if (!take->row_error && !netns_known(inventory, row->netns_inode))
		take->row_error = add_netns(inventory, row->netns_inode, NULL, row->unprivileged_port_start);
	return take->row_error;
}

/* Half of what the iterator sees is no better than nothing: /proc will be asked for all. */
static void forget_rows(struct inventory *inventory)
{
	size_t kept = 0;

	for (size_t i = 0; i < inventory->sockets_count; i++) {
		if (inventory->sockets[i].seen_by & INVENTORY_BY_LIST)
			inventory->sockets[kept++] = inventory->sockets[i];
	}
	inventory->sockets_count = kept;
	holders_free(&inventory->holders);
}

/* What the iterator adds. An error only where the memory or the limits do not suffice. */
static int iterate(struct take *take)
{
	struct inventory *inventory = take->inventory;
	int err = socket_iterator_read_best(&inventory->iterator, add_row, take, inventory->iterator_refusal);

	if (take->row_error)
		err = take->row_error;
	if (!err) {
		holders_sort(&inventory->holders);
		inventory->iterated = true;
		return 0;
	}
	if (err == -E2BIG)
		return fail(take->error, err, "more than %u sockets, or %u processes that hold them, are on this host",
		            INVENTORY_SOCKETS_MAX, HOLDERS_MAX);
	if (err == -ENOMEM)
		return fail(take->error, err, "out of memory");
	forget_rows(inventory);
	return 0;
}

/* Without the iterator an answer that lacks all TCP or UDP sockets would mislead. */
static int check_required(const struct take *take)
{
	const struct inventory *inventory = take->inventory;

	for (size_t i = 0; i < INVENTORY_PROTOCOLS && !inventory->iterated; i++) {
		const struct inventory_protocol *protocol = &inventory_protocols[i];

		if (protocol->required && inventory->not_listed & 1U << i)
			return fail(take->error, -EOPNOTSUPP,
			            "the kernel does not list its %s sockets: load the module %s", protocol->name,
			            protocol->module);
	}
	return 0;
}

static uint64_t nanoseconds(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* The kernel's list first: by being listed a socket has a cookie, by which what the iterator sees is known again. */
static int list_and_iterate(struct take *take)
{
	struct netns_walk walk;
	int err = netns_walk(read_netns, take, &walk);

	if (err == -E2BIG && !take->error[0])
		return fail(take->error, err, "more than %u network namespaces are on this host", NETNS_MAX);
	if (err && !take->error[0])
		return fail(take->error, err, "cannot look for network namespaces: %s", strerror(-err));
	if (err)
		return err;
	take->inventory->netns_denied = walk.denied;
	err = iterate(take);
	return err ? err : check_required(take);
}

int inventory_take(const uint8_t *ports, struct inventory *before, struct inventory **ret, char error[INVENTORY_TEXT_LEN])
{
	struct inventory *inventory = calloc(1, sizeof(*inventory));
	struct take take = {.inventory = inventory, .ports = ports, .error = error};
	int err;

	if (!inventory)
		return fail(error, -ENOMEM, "out of memory");
	if (before) {
		inventory->iterator = before->iterator;
		before->iterator = NULL;
	}
	error[0] = '\0';
	err = list_and_iterate(&take);
	if (err) {
		inventory_free(inventory);
		return err;
	}
	inventory->sockets_count = inventory_unite(inventory->sockets, inventory->sockets_count);
	inventory_sort(inventory->sockets, inventory->sockets_count, inventory->netns[0].inode);
	inventory->time_ns = nanoseconds(CLOCK_REALTIME);
	inventory->boot_ns = nanoseconds(CLOCK_BOOTTIME);
	*ret = inventory;
	return 0;
}

static int compare_u64(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
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

/* By /proc, where there is no iterator. */
static int search_proc(struct inventory *inventory, char *error)
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
	return 0;
}

/* The holders once more, in the form that an event borrows. */
static int copy_processes(struct inventory *inventory)
{
	const struct holders *holders = &inventory->holders;
	struct event_holder *processes = reallocarray(NULL, holders->count + 1, sizeof(*processes));

	if (!processes)
		return -ENOMEM;
	for (size_t i = 0; i < holders->count; i++) {
		processes[i].pid = holders->list[i].pid;
		memcpy(processes[i].comm, holders->list[i].comm, sizeof(processes[i].comm));
	}
	free(inventory->processes);
	inventory->processes = processes;
	return 0;
}

int inventory_find_holders(struct inventory *inventory, char error[INVENTORY_TEXT_LEN])
{
	int err = inventory->iterated ? 0 : search_proc(inventory, error);

	if (err)
		return err;
	if (copy_processes(inventory))
		return fail(error, -ENOMEM, "out of memory");
	inventory->holders_searched = true;
	inventory->holders_known = inventory->iterated && socket_iterator_sees_all();
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
	free(inventory->processes);
	socket_iterator_free(inventory->iterator);
	free(inventory);
}

static uint32_t port_start_of(const struct inventory *inventory, uint32_t inode)
{
	for (size_t i = 0; i < inventory->netns_count; i++) {
		if (inventory->netns[i].inode == inode)
			return inventory->netns[i].unprivileged_port_start;
	}
	return PORT_START_DEFAULT;
}

/*
 * Nobody asked for the port by its number: the kernel chose it. inet_bind() keeps that in the socket, SCTP and MPTCP
 * bind by other functions, and the kernel's lists do not tell.
 */
static bool port_was_chosen(const struct inventory_socket *socket)
{
	return socket->seen_by & INVENTORY_BY_ITERATOR && !(socket->socket_flags & BW_SOCKET_PORT_ASKED) &&
	       socket->protocol != IPPROTO_SCTP && socket->protocol != IPPROTO_MPTCP;
}

void inventory_event_holder(const struct inventory *inventory, const struct inventory_socket *socket, size_t index,
                            struct event *event)
{
	const struct holder *holder = &inventory->holders.list[socket->holders + index];

	event->pid = holder->pid;
	memcpy(event->comm, holder->comm, sizeof(event->comm));
	event->has_process_start = holder->start_ns != 0;
	event->process_start_ns = holder->start_ns;
	event->process_exec_id = holder->exec_id;
}

void inventory_event(const struct inventory *inventory, const struct inventory_socket *socket, struct event *ret)
{
	char name[IF_NAMESIZE] = "";

	*ret = (struct event){
	        .action = EVENT_EXISTING,
	        .time_ns = inventory->time_ns,
	        .boot_ns = inventory->boot_ns + (uint64_t)(socket - inventory->sockets),
	        .family = socket->family,
	        .type = socket->type,
	        .protocol = socket->protocol,
	        .bound = socket->address,
	        .uid = socket->uid,
	        .cookie = socket->cookie,
	        .netns_inode = socket->netns_inode,
	        .unprivileged_port_start = port_start_of(inventory, socket->netns_inode),
	        .socket_flags = socket->socket_flags,
	        .device = socket->device,
	        .requested = {.has_port = port_was_chosen(socket)}, /* port 0 */
	        .listening = socket->state == INVENTORY_LISTEN,
	        .holders_known = inventory->holders_known,
	};
	if (socket->holders_count) {
		ret->holders = &inventory->processes[socket->holders];
		ret->holders_count = socket->holders_count;
		inventory_event_holder(inventory, socket, 0, ret);
	}
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
