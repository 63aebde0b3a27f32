/* SPDX-License-Identifier: BSD-2-Clause */
/* Against sockets of this process, in this network namespace: no privilege is needed. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bpf/bindwatch.h"
#include "user/base/ipproto.h"
#include "user/sense/inventory.h"

static uint8_t ports[65536];

/*
 * A socket bound to a port of the kernel's choice, of IPv4's loopback or of IPv6's wildcard: by a bind to one IPv6
 * address the kernel makes a socket IPv6-only. -1: there is no such socket here.
 */
static int bound(int family, int type, int protocol, bool v6only, bool listens, uint16_t *ret_port)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_ANY_INIT};
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = family == AF_INET ? sizeof(v4) : sizeof(address);
	struct sockaddr *name = family == AF_INET ? (struct sockaddr *)&v4 : (struct sockaddr *)&address;
	int fd = socket(family, type | SOCK_CLOEXEC, protocol), value = v6only;

	if (fd < 0)
		return -1;
	if (family == AF_INET6)
		assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &value, sizeof(value)), 0);
	if (bind(fd, name, len) < 0 || (listens && listen(fd, 1) < 0) || getsockname(fd, name, &len) < 0) {
		(void)close(fd);
		return -1;
	}
	*ret_port = ntohs(family == AF_INET ? v4.sin_port : address.sin6_port);
	return fd;
}

static uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len), 0);
	return cookie;
}

static struct inventory *take(const uint8_t *of)
{
	struct inventory *inventory = NULL;
	char error[INVENTORY_TEXT_LEN];

	if (inventory_take(of, NULL, &inventory, error) != 0)
		fail_msg("%s", error);
	if (inventory_find_holders(inventory, error) != 0)
		fail_msg("%s", error);
	return inventory;
}

static const struct inventory_socket *find(const struct inventory *inventory, uint64_t cookie)
{
	for (size_t i = 0; i < inventory->sockets_count; i++) {
		if (inventory->sockets[i].cookie == cookie)
			return &inventory->sockets[i];
	}
	return NULL;
}

struct kind {
	const char *name;
	int family, type, protocol;
	bool v6only, listens, newer; /* newer: not without the iterator, or since Linux 6.8 */
	enum inventory_state state;
};

static const struct kind kinds[] = {
        {"tcp4_listen", AF_INET, SOCK_STREAM, IPPROTO_TCP, false, true, false, INVENTORY_LISTEN},
        {"tcp6_dual_listen", AF_INET6, SOCK_STREAM, IPPROTO_TCP, false, true, false, INVENTORY_LISTEN},
        {"tcp6_only_listen", AF_INET6, SOCK_STREAM, IPPROTO_TCP, true, true, false, INVENTORY_LISTEN},
        {"tcp4_bound", AF_INET, SOCK_STREAM, IPPROTO_TCP, false, false, true, INVENTORY_BOUND},
        {"tcp6_bound", AF_INET6, SOCK_STREAM, IPPROTO_TCP, true, false, true, INVENTORY_BOUND},
        {"udp4", AF_INET, SOCK_DGRAM, IPPROTO_UDP, false, false, false, INVENTORY_BOUND},
        {"udp6_only", AF_INET6, SOCK_DGRAM, IPPROTO_UDP, true, false, false, INVENTORY_BOUND},
        {"udp6_dual", AF_INET6, SOCK_DGRAM, IPPROTO_UDP, false, false, false, INVENTORY_BOUND},
        {"udplite4", AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE, false, false, false, INVENTORY_BOUND},
        {"mptcp4_listen", AF_INET, SOCK_STREAM, IPPROTO_MPTCP, false, true, false, INVENTORY_LISTEN},
        {"mptcp4_bound", AF_INET, SOCK_STREAM, IPPROTO_MPTCP, false, false, true, INVENTORY_BOUND},
        {"sctp4_listen", AF_INET, SOCK_STREAM, IPPROTO_SCTP, false, true, false, INVENTORY_LISTEN},
        {"sctp4_bound", AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP, false, false, false, INVENTORY_BOUND},
        {"dccp4_bound", AF_INET, SOCK_DCCP, IPPROTO_DCCP, false, false, true, INVENTORY_BOUND},
        {"mptcp6_only_listen", AF_INET6, SOCK_STREAM, IPPROTO_MPTCP, true, true, false, INVENTORY_LISTEN},
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void check_kind(const struct kind *kind, const struct inventory *inventory, const struct inventory_socket *found,
                       uint16_t port, uint64_t inode)
{
	struct event event;

	assert_int_equal(found->address.port, port);
	assert_int_equal(found->address.family, kind->family);
	assert_int_equal(found->type, kind->type);
	assert_int_equal(found->protocol, kind->protocol);
	assert_int_equal(found->state, kind->state);
	assert_int_equal(found->uid, geteuid());
	assert_int_equal(found->inode, inode);
	assert_int_equal(found->socket_flags, kind->v6only ? BW_SOCKET_V6ONLY : 0);
	assert_int_equal(found->netns_inode, inventory->netns[0].inode);
	/* its TCP socket is known from the kernel's list only; of one that is bound only since Linux 6.8 */
	if (kind->listens && found->seen_by & INVENTORY_BY_LIST)
		assert_int_equal(found->subflow_cookie != 0, kind->protocol == IPPROTO_MPTCP);
	if (inventory->iterated)
		assert_true(found->seen_by & INVENTORY_BY_ITERATOR);
	assert_int_equal(found->holders_count, 1);
	assert_int_equal(inventory->holders.list[found->holders].pid, getpid());
	/* an MPTCP socket's own TCP socket is not a second one */
	for (size_t i = 0; i < inventory->sockets_count; i++)
		assert_true(&inventory->sockets[i] == found || inventory->sockets[i].inode != inode);
	inventory_event(inventory, found, &event);
	assert_int_equal(event.bound.port, port);
	assert_int_equal(event.cookie, found->cookie);
	assert_int_equal(event.action, EVENT_EXISTING);
	assert_int_equal(event.pid, getpid());
	assert_int_equal(event.holders_count, 1);
	assert_int_equal(event.holders[0].pid, getpid());
	assert_string_equal(event.holders[0].comm, event.comm);
	assert_int_equal(event.has_process_start, inventory->iterated);
	assert_true(event.process_start_ns == inventory->holders.list[found->holders].start_ns);
	assert_true(event.time_ns && event.boot_ns);
}

/* Sockets that are bound only are listed since Linux 6.8 (commit 91051f003948). */
static bool lists_bound_only(void)
{
	unsigned int major = 0, minor = 0;
	struct utsname name;

	return uname(&name) == 0 && sscanf(name.release, "%u.%u", &major, &minor) == 2 &&
	       (major > 6 || (major == 6 && minor >= 8));
}

static void inventory_kind(void **state)
{
	const struct kind *kind = *state;
	const struct inventory_socket *found;
	struct inventory *inventory;
	struct stat status;
	uint16_t port = 0;
	uint64_t cookie;
	bool iterated;
	int fd = bound(kind->family, kind->type, kind->protocol, kind->v6only, kind->listens, &port);

	if (fd < 0) {
		print_message("no such socket in this kernel or namespace: %s\n", strerror(errno));
		skip();
	}
	assert_int_equal(fstat(fd, &status), 0);
	memset(ports, 0, sizeof(ports));
	ports[port] = 1;
	cookie = cookie_of(
	        fd); /* asked for before: a kernel may neither list this socket nor give it a cookie unasked */
	inventory = take(ports);
	found = find(inventory, cookie);
	iterated = inventory->iterated;
	if (found)
		check_kind(kind, inventory, found, port, status.st_ino);
	inventory_free(inventory);
	(void)close(fd);
	if (!found && !iterated && kind->newer && (!lists_bound_only() || kind->protocol != IPPROTO_TCP)) {
		print_message("without the iterator this kernel does not list such a socket that is bound only\n");
		skip();
	}
	assert_non_null(found);
}

/* Not a bind that waits for anyone: a client's automatic port, and a UDP socket with a peer. */
static void inventory_leaves_out_clients(void **state)
{
	uint16_t port = 0, unused;
	int listener = bound(AF_INET, SOCK_STREAM, 0, false, true, &port),
	    udp = bound(AF_INET, SOCK_DGRAM, 0, false, false, &unused);
	struct sockaddr_in peer = {
	        .sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_port = htons(port)};
	int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct inventory *inventory;
	uint64_t cookie;

	(void)state;
	assert_true(listener >= 0 && udp >= 0 && client >= 0);
	assert_int_equal(connect(client, (struct sockaddr *)&peer, sizeof(peer)), 0);
	assert_int_equal(connect(udp, (struct sockaddr *)&peer, sizeof(peer)), 0);
	cookie = cookie_of(listener);
	inventory = take(NULL);
	assert_non_null(find(inventory, cookie));
	assert_null(find(inventory, cookie_of(client)));
	assert_null(find(inventory, cookie_of(udp)));
	for (size_t i = 1; i < inventory->sockets_count; i++)
		assert_true(inventory->sockets[i - 1].address.port <= inventory->sockets[i].address.port);
	inventory_free(inventory);
	(void)close(listener);
	(void)close(udp);
	(void)close(client);
}

static void inventory_of_no_port(void **state)
{
	struct inventory *inventory;

	(void)state;
	memset(ports, 0, sizeof(ports));
	inventory = take(ports);
	assert_int_equal(inventory->sockets_count, 0);
	assert_true(inventory->netns_count >= 1);
	assert_string_equal(inventory_netns_name(inventory, inventory->netns[0].inode), "");
	inventory_free(inventory);
	inventory_free(NULL);
}

static void check_notes(const struct inventory *inventory, const char *const *wanted, unsigned int wanted_count)
{
	char text[INVENTORY_TEXT_LEN];
	unsigned int count = 0;

	for (; inventory_note(inventory, count, text); count++) {
		assert_true(count < wanted_count);
		if (!strstr(text, wanted[count]))
			fail_msg("note %u is '%s', not of '%s'", count, text, wanted[count]);
		assert_true(strlen(text) < sizeof(text) - 1);
	}
	assert_int_equal(count, wanted_count);
}

static void inventory_notes(void **state)
{
	static const struct inventory_socket socket = {0};
	struct inventory inventory = {.netns_denied = 1,
	                              .iterator_refusal = "it takes CAP_BPF and CAP_PERFMON",
	                              .not_listed = 1U << 3,
	                              .changed = true,
	                              .sockets = (struct inventory_socket *)&socket,
	                              .sockets_count = 1,
	                              .holders = {.denied = 2},
	                              .holders_searched = true};
	/* the second only where there are others */
	static const char *const without[] = {"network namespace", "pid namespace", "not every process",
	                                      "iterator",          "sctp_diag",     "came and went"};
	static const char *const with[] = {"no process holds may be missing", "pid namespace",
	                                   "no process holds are missing", "came and went"};
	const char *wanted[6];
	unsigned int all = socket_iterator_sees_all();

	(void)state;
	wanted[0] = without[0];
	memcpy(wanted + 1, without + 1 + all, (5 - all) * sizeof(*wanted));
	check_notes(&inventory, wanted, 6 - all);
	inventory.iterated = true;
	wanted[0] = with[0];
	memcpy(wanted + 1, with + 1 + all, (3 - all) * sizeof(*wanted));
	check_notes(&inventory, wanted, 4 - all);
}

/* Ten thousand sockets in less than a second. */
static void inventory_of_ten_thousand(void **state)
{
	enum { SOCKETS = 10000 };
	int *list = calloc(SOCKETS, sizeof(*list));
	struct timespec before, after;
	struct inventory *inventory;
	size_t count = 0, ours = 0;
	uint16_t port;
	double seconds;

	struct rlimit limit;

	(void)state;
	assert_non_null(list);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	while (count < SOCKETS && (list[count] = bound(AF_INET, SOCK_DGRAM, 0, false, false, &port)) >= 0)
		count++;
	if (count < SOCKETS) {
		while (count)
			(void)close(list[--count]);
		free(list);
		print_message("cannot open %d sockets here: %s\n", SOCKETS, strerror(errno));
		skip();
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &before);
	inventory = take(NULL);
	(void)clock_gettime(CLOCK_MONOTONIC, &after);
	seconds = (double)(after.tv_sec - before.tv_sec) + (double)(after.tv_nsec - before.tv_nsec) / 1e9;
	print_message("%zu sockets in %.3f s\n", inventory->sockets_count, seconds);
	for (size_t i = 0; i < inventory->sockets_count; i++) {
		const struct inventory_socket *socket = &inventory->sockets[i];

		ours += socket->holders_count && inventory->holders.list[socket->holders].pid == (uint32_t)getpid();
	}
	inventory_free(inventory);
	while (count)
		(void)close(list[--count]);
	free(list);
	assert_int_equal(ours, SOCKETS);
#ifndef __SANITIZE_ADDRESS__ /* which makes everything several times slower */
	assert_true(seconds < 1);
#endif
}

int main(void)
{
	static const struct CMUnitTest others[] = {
	        cmocka_unit_test(inventory_leaves_out_clients),
	        cmocka_unit_test(inventory_of_no_port),
	        cmocka_unit_test(inventory_notes),
	        cmocka_unit_test(inventory_of_ten_thousand),
	};
	struct CMUnitTest tests[KINDS + 4];

	for (size_t i = 0; i < KINDS; i++)
		tests[i] = (struct CMUnitTest){
		        .name = kinds[i].name, .test_func = inventory_kind, .initial_state = (void *)&kinds[i]};
	memcpy(&tests[KINDS], others, sizeof(others));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
