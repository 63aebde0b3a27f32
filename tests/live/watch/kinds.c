/* SPDX-License-Identifier: BSD-2-Clause */
/* Binds that succeed, of each kind that the kernel has: every field of the event against the kernel's own answer. */
#include "tests/live/watch/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "user/base/ipproto.h"

struct option {
	int level, name, value;
};

struct kind {
	const char *name;
	int domain, type, protocol;
	const char *address;
	uint16_t port;
	struct option options[2];
};

#define TCP4 AF_INET, SOCK_STREAM, 0
#define TCP6 AF_INET6, SOCK_STREAM, 0
#define UDP4 AF_INET, SOCK_DGRAM, 0
#define UDP6 AF_INET6, SOCK_DGRAM, 0

static const struct kind kinds[] = {
        {"tcp", TCP4, "127.0.0.1", 8080, {}},
        {"tcp, wildcard", TCP4, "0.0.0.0", 3000, {}},
        {"tcp6", TCP6, "::1", 8443, {}},
        {"tcp6, wildcard for IPv6 only", TCP6, "::", 8081, {{IPPROTO_IPV6, IPV6_V6ONLY, 1}}},
        {"tcp6, dual-stack wildcard", TCP6, "::", 8082, {{IPPROTO_IPV6, IPV6_V6ONLY, 0}}},
        {"tcp6, IPv4-mapped", TCP6, "::ffff:127.0.0.1", 8083, {}},
        {"tcp6, IPv4-mapped wildcard", TCP6, "::ffff:0.0.0.0", 8084, {}},
        {"udp", UDP4, "127.0.0.1", 5353, {}},
        {"udp, wildcard", UDP4, "0.0.0.0", 5354, {}},
        {"udp6", UDP6, "::1", 5355, {}},
        {"udp6, dual-stack wildcard", UDP6, "::", 5356, {{IPPROTO_IPV6, IPV6_V6ONLY, 0}}},
        {"tcp, port 0", TCP4, "127.0.0.1", 0, {}},
        {"tcp6, port 0", TCP6, "::1", 0, {}},
        {"udp, port 0", UDP4, "0.0.0.0", 0, {}},
        {"udp6, port 0", UDP6, "::", 0, {}},
        {"the whole of 127/8 is loopback", TCP4, "127.1.2.3", 8085, {}},
        {"SO_REUSEADDR", TCP4, "127.0.0.1", 8086, {{SOL_SOCKET, SO_REUSEADDR, 1}}},
        {"SO_REUSEPORT", UDP4, "127.0.0.1", 8087, {{SOL_SOCKET, SO_REUSEPORT, 1}}},
        {"both", TCP6, "::1", 8088, {{SOL_SOCKET, SO_REUSEADDR, 1}, {SOL_SOCKET, SO_REUSEPORT, 1}}},
        {"the lowest port", TCP4, "127.0.0.1", 1, {}},
        {"the last privileged port", TCP4, "127.0.0.1", 1023, {}},
        {"the first port that is not privileged", TCP4, "127.0.0.1", 1024, {}},
        {"the last user port", TCP4, "127.0.0.1", 49151, {}},
        {"the first dynamic port", TCP4, "127.0.0.1", 49152, {}},
        {"the highest port", UDP4, "127.0.0.1", 65535, {}},
};

static int open_kind(const struct kind *kind)
{
	int fd = socket(kind->domain, kind->type | SOCK_CLOEXEC, kind->protocol);

	for (size_t i = 0; fd >= 0 && i < 2 && kind->options[i].name; i++) {
		const struct option *option = &kind->options[i];

		assert_int_equal(setsockopt(fd, option->level, option->name, &option->value, sizeof(int)), 0);
	}
	return fd;
}

static void bind_kind(const struct kind *kind)
{
	struct sockaddr_storage address;
	socklen_t length = scene_address(kind->address, kind->port, &address);
	int fd = open_kind(kind);

	assert_true(fd >= 0);
	assert_int_equal(scene_bind(fixture.scene, fd, &address, length), 0);
	/* SCTP writes the IPv4 address over a mapped one, in the kernel's copy, which a hook at the end reads */
	fixture.scene->records[0].rewritten =
	        kind->protocol == IPPROTO_SCTP && strncmp(kind->address, "::ffff:", 7) == 0;
	close(fd);
	watch_assert_scene(kind->name);
}

static void every_kind_of_bind(void **state)
{
	(void)state;
	FIXTURE_NEEDED(&fixture);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		bind_kind(&kinds[i]);
}

/* Each kind of address, of a protocol that a kernel need not have. */
static void bind_protocol(int type, int protocol, const char *missing)
{
	const struct kind addresses[] = {
	        {"IPv4", AF_INET, type, protocol, "127.0.0.1", 7001, {}},
	        {"IPv6", AF_INET6, type, protocol, "::1", 7002, {}},
	        {"IPv4-mapped", AF_INET6, type, protocol, "::ffff:127.0.0.1", 7003, {}},
	        {"dual-stack wildcard", AF_INET6, type, protocol, "::", 7004, {{IPPROTO_IPV6, IPV6_V6ONLY, 0}}},
	        {"wildcard for IPv6 only", AF_INET6, type, protocol, "::", 7005, {{IPPROTO_IPV6, IPV6_V6ONLY, 1}}},
	        {"port 0", AF_INET, type, protocol, "127.0.0.1", 0, {}},
	        {"port 0, IPv6", AF_INET6, type, protocol, "::1", 0, {}},
	};
	int fd;

	FIXTURE_NEEDED(&fixture);
	fd = socket(AF_INET, type | SOCK_CLOEXEC, protocol);
	SKIP_BECAUSE(fd < 0 ? missing : NULL);
	close(fd);
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		bind_kind(&addresses[i]);
}

static void tcp(void **state)
{
	(void)state;
	bind_protocol(SOCK_STREAM, IPPROTO_TCP, NULL);
}

static void udp(void **state)
{
	(void)state;
	bind_protocol(SOCK_DGRAM, IPPROTO_UDP, NULL);
}

static void mptcp(void **state)
{
	(void)state;
	bind_protocol(SOCK_STREAM, IPPROTO_MPTCP, "this kernel has no MPTCP");
}

static void sctp_stream(void **state)
{
	(void)state;
	bind_protocol(SOCK_STREAM, IPPROTO_SCTP, "this kernel has no SCTP");
}

static void sctp_seqpacket(void **state)
{
	(void)state;
	bind_protocol(SOCK_SEQPACKET, IPPROTO_SCTP, "this kernel has no SCTP");
}

static void udplite(void **state)
{
	(void)state;
	bind_protocol(SOCK_DGRAM, IPPROTO_UDPLITE, "this kernel has no UDP-Lite");
}

/* 29c486df6a20: an address of no family is taken for the IPv4 wildcard, as programs of long ago pass it */
static void address_of_no_family(void **state)
{
	struct sockaddr_in address = {.sin_family = AF_UNSPEC, .sin_port = htons(8100)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	FIXTURE_NEEDED(&fixture);
	assert_int_equal(scene_bind(fixture.scene, fd, &address, sizeof(address)), 0);
	close(fd);
	watch_assert_scene("AF_UNSPEC");
}

static void *bind_in_thread(void *context)
{
	int fd = scene_socket(fixture.scene, AF_INET, SOCK_STREAM, 0, "127.0.0.1", 8101);

	assert_true(fd >= 0);
	close(fd);
	return context;
}

static void thread_that_is_not_the_leader(void **state)
{
	pthread_t thread;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	assert_int_equal(pthread_create(&thread, NULL, bind_in_thread, NULL), 0);
	pthread_join(thread, NULL);
	assert_int_not_equal(fixture.scene->records[0].tid, fixture.scene->records[0].pid);
	watch_assert_scene("a thread");
}

static void siblings_on_one_port(void **state)
{
	const struct kind kind = {"SO_REUSEPORT", TCP4, "127.0.0.1", 8102, {{SOL_SOCKET, SO_REUSEPORT, 1}}};
	struct sockaddr_storage address;
	socklen_t length = scene_address(kind.address, kind.port, &address);
	int fds[3];

	(void)state;
	FIXTURE_NEEDED(&fixture);
	for (int i = 0; i < 3; i++) {
		fds[i] = open_kind(&kind);
		assert_int_equal(scene_bind(fixture.scene, fds[i], &address, length), 0);
	}
	for (int i = 0; i < 3; i++)
		close(fds[i]);
	watch_assert_scene("siblings");
}

/* An address that is not of this host. */
static void freebind(void **state)
{
	static const struct kind v4 = {"IP_FREEBIND", TCP4, "192.0.2.1", 8089, {{IPPROTO_IP, IP_FREEBIND, 1}}};
	static const struct kind v6 = {"IPV6_FREEBIND", UDP6, "2001:db8::1", 8090, {{IPPROTO_IPV6, IPV6_FREEBIND, 1}}};

	(void)state;
	FIXTURE_NEEDED(&fixture);
	bind_kind(&v4);
	bind_kind(&v6);
}

static void transparent(void **state)
{
	static const struct kind v4 = {"IP_TRANSPARENT", TCP4, "192.0.2.2", 8091, {{IPPROTO_IP, IP_TRANSPARENT, 1}}};
	static const struct kind v6 = {
	        "IPV6_TRANSPARENT", TCP6, "2001:db8::2", 8092, {{IPPROTO_IPV6, IPV6_TRANSPARENT, 1}}};

	(void)state;
	FIXTURE_NEEDED(&fixture);
	bind_kind(&v4);
	bind_kind(&v6);
}

static int bind_to_lo(struct scene *scene, uint16_t port)
{
	struct sockaddr_storage address;
	socklen_t length = scene_address("0.0.0.0", port, &address);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int result;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2))
		return -errno;
	result = scene_bind(scene, fd, &address, length);
	close(fd);
	return result;
}

static void bind_where_the_monitor_is(struct scene *scene, void *context)
{
	char path[64];
	int fd;

	(void)context;
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", fixture.monitor.pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		_exit(1);
	/* port 0: nobody else's is taken */
	if (bind_to_lo(scene, 0))
		_exit(2);
}

static void bound_to_a_device(void **state)
{
	(void)state;
	FIXTURE_NEEDED(&fixture);
	assert_int_equal(bind_to_lo(fixture.scene, 8103), 0);
	assert_int_equal(scene_child(bind_where_the_monitor_is, fixture.scene, NULL), 0);
	assert_string_equal(fixture.scene->records[0].device, "lo");
	assert_int_equal(fixture.scene->records[1].netns, fixture.monitor.netns);
	watch_assert_scene("a device");
}

static void bind_in_new_namespace(struct scene *scene, void *context)
{
	uint16_t port = *(const uint16_t *)context;

	if (scene_enter_namespace() || scene_sysctl("net/ipv4/ip_unprivileged_port_start", "90"))
		_exit(1);
	if (scene_socket(scene, AF_INET, SOCK_STREAM, 0, "127.0.0.1", port) < 0)
		_exit(2);
}

/* The namespace is the socket's, and so is the border of its privileged ports. */
static void another_network_namespace(void **state)
{
	uint16_t privileged = 89, free_to_all = 90;
	unsigned int netns;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	assert_int_equal(scene_child(bind_in_new_namespace, fixture.scene, &privileged), 0);
	assert_int_equal(scene_child(bind_in_new_namespace, fixture.scene, &free_to_all), 0);
	assert_int_equal(fixture.scene->records[1].unprivileged_port_start, 90);
	netns = fixture.scene->records[0].netns;
	assert_true(scene_socket(fixture.scene, AF_INET, SOCK_STREAM, 0, "127.0.0.1", 8104) >= 0);
	assert_int_not_equal(fixture.scene->records[2].netns, netns);
	watch_assert_scene("namespaces");
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_bind),
        cmocka_unit_test(tcp),
        cmocka_unit_test(udp),
        cmocka_unit_test(mptcp),
        cmocka_unit_test(sctp_stream),
        cmocka_unit_test(sctp_seqpacket),
        cmocka_unit_test(udplite),
        cmocka_unit_test(address_of_no_family),
        cmocka_unit_test(thread_that_is_not_the_leader),
        cmocka_unit_test(siblings_on_one_port),
        cmocka_unit_test(freebind),
        cmocka_unit_test(transparent),
        cmocka_unit_test(bound_to_a_device),
        cmocka_unit_test(another_network_namespace),
};

const struct watch_group watch_kinds = {"kinds", tests, sizeof(tests) / sizeof(tests[0])};
