/* SPDX-License-Identifier: BSD-2-Clause */
/* Binds that the kernel refuses, told with what was asked for; and what must not be told at all. */
#include "tests/live/watch/watch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#define NOBODY 65534

static int open_socket(int domain, int type, int protocol)
{
	int fd = socket(domain, type | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		fail_msg("socket(%d, %d, %d): %s", domain, type, protocol, strerror(errno));
	return fd;
}

/* A bind that must end with this error. */
static void refuse(int domain, int type, const char *text, uint16_t port, int error)
{
	struct sockaddr_storage address;
	socklen_t length = scene_address(text, port, &address);
	int fd = open_socket(domain, type, 0);

	assert_int_equal(scene_bind(fixture.scene, fd, &address, length), -error);
	close(fd);
}

static void port_in_use(void **state)
{
	int first, first6;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	first = scene_socket(fixture.scene, AF_INET, SOCK_STREAM, 0, "127.0.0.1", 8200);
	first6 = scene_socket(fixture.scene, AF_INET6, SOCK_DGRAM, 0, "::1", 8201);
	assert_true(first >= 0 && first6 >= 0);
	refuse(AF_INET, SOCK_STREAM, "127.0.0.1", 8200, EADDRINUSE);
	refuse(AF_INET, SOCK_STREAM, "0.0.0.0", 8200, EADDRINUSE);
	refuse(AF_INET6, SOCK_DGRAM, "::1", 8201, EADDRINUSE);
	close(first);
	close(first6);
	watch_assert_scene("EADDRINUSE");
}

static void address_of_another_host(void **state)
{
	(void)state;
	FIXTURE_NEEDED(&fixture);
	refuse(AF_INET, SOCK_STREAM, "192.0.2.1", 8202, EADDRNOTAVAIL);
	refuse(AF_INET6, SOCK_STREAM, "2001:db8::1", 8203, EADDRNOTAVAIL);
	refuse(AF_INET, SOCK_DGRAM, "192.0.2.1", 0, EADDRNOTAVAIL);
	watch_assert_scene("EADDRNOTAVAIL");
}

static void address_of_another_family(void **state)
{
	struct sockaddr_in address = {.sin_family = AF_UNSPEC, .sin_port = htons(8205)};
	int fd;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	refuse(AF_INET, SOCK_STREAM, "::1", 8204, EAFNOSUPPORT);
	refuse(AF_INET, SOCK_DGRAM, "2001:db8::1", 8204, EAFNOSUPPORT);
	/* shorter than the shortest sockaddr_in6 (RFC 2133) */
	refuse(AF_INET6, SOCK_STREAM, "127.0.0.1", 8209, EINVAL);
	/* AF_UNSPEC is let pass for the wildcard only (29c486df6a20) */
	inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
	fd = open_socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(scene_bind(fixture.scene, fd, &address, sizeof(address)), -EAFNOSUPPORT);
	close(fd);
	watch_assert_scene("EAFNOSUPPORT");
}

static void bind_without_rights(struct scene *scene, void *context)
{
	struct sockaddr_storage address;
	socklen_t length = scene_address("127.0.0.1", 81, &address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)context;
	if (fd < 0 || setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
		_exit(1);
	if (scene_bind(scene, fd, &address, length) != -EACCES)
		_exit(2);
}

static void privileged_port_without_rights(void **state)
{
	(void)state;
	FIXTURE_NEEDED(&fixture);
	assert_int_equal(scene_child(bind_without_rights, fixture.scene, NULL), 0);
	assert_int_equal(fixture.scene->records[0].uid, NOBODY);
	watch_assert_scene("EACCES");
}

/* The event tells the port that was asked for, not the one that the socket has. */
static void bound_socket_bound_again(void **state)
{
	struct sockaddr_storage address;
	socklen_t length = scene_address("127.0.0.1", 8207, &address);
	int fd;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	fd = scene_socket(fixture.scene, AF_INET, SOCK_STREAM, 0, "127.0.0.1", 8206);
	assert_int_equal(scene_bind(fixture.scene, fd, &address, length), -EINVAL);
	close(fd);
	watch_assert_scene("bound again");
}

/* Too short for an address: told, with no more than was there; nothing is made up. */
static void short_address(void **state)
{
	struct sockaddr_storage address;
	const json_t *event;
	json_t *mine = NULL;
	size_t index;
	int fd;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	scene_address("127.0.0.1", 8208, &address);
	fd = open_socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, 4), -1);
	assert_int_equal(errno, EINVAL);
	close(fd);
	assert_int_equal(monitor_sync(&fixture.monitor, 0), 0);
	json_array_foreach(fixture.monitor.events, index, mine)
	{
		if (!monitor_is_sentinel(mine) && live_is_action(mine, ACTION_BIND) &&
		    json_integer_value(live_field(mine, "process.pid")) == getpid())
			break;
		mine = NULL;
	}
	event = mine;
	assert_non_null(event);
	assert_string_equal(json_string_value(live_field(event, "error.code")), "EINVAL");
	assert_string_equal(json_string_value(live_field(event, "event.outcome")), "failure");
	assert_null(live_field(event, "server.ip"));
	assert_null(live_field(event, "bindwatch.requested.ip"));
	assert_int_equal(json_integer_value(live_field(event, "server.port")), 8208);
	assert_null(live_field(event, "rule"));
	json_array_clear(fixture.monitor.events);
}

/* A raw socket's "port" is a protocol, a ping socket's an identifier. */
static void not_a_port(void **state)
{
	struct sockaddr_nl netlink = {.nl_family = AF_NETLINK};
	struct sockaddr_un local = {.sun_family = AF_UNIX};
	struct sockaddr_storage address;
	socklen_t length = scene_address("127.0.0.1", 8210, &address);
	int fd;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	fd = open_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
	close(fd);
	fd = open_socket(AF_INET, SOCK_RAW, IPPROTO_TCP);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
	close(fd);
	assert_int_equal(scene_sysctl("net/ipv4/ping_group_range", "0 2147483647"), 0);
	fd = open_socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
	close(fd);
	fd = open_socket(AF_UNIX, SOCK_STREAM, 0);
	(void)snprintf(local.sun_path + 1, sizeof(local.sun_path) - 1, "bindwatch-test-%d", getpid());
	assert_int_equal(bind(fd, (struct sockaddr *)&local, sizeof(local)), 0);
	close(fd);
	fd = open_socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	assert_int_equal(bind(fd, (struct sockaddr *)&netlink, sizeof(netlink)), 0);
	close(fd);
	watch_assert_scene("no port");
}

/* Nothing was asked of a socket: EBADF, ENOTSOCK and EFAULT end before there is one to ask. */
static void not_a_socket(void **state)
{
	struct sockaddr_storage address;
	socklen_t length = scene_address("127.0.0.1", 8211, &address);
	int fd, file;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	fd = open_socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (void *)(uintptr_t)8, length), -1);
	assert_int_equal(errno, EFAULT);
	close(fd);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, length), -1);
	assert_int_equal(errno, EBADF);
	assert_int_equal(bind(-1, (struct sockaddr *)&address, length), -1);
	assert_int_equal(errno, EBADF);
	file = open("/dev/null", O_RDWR | O_CLOEXEC);
	assert_int_equal(bind(file, (struct sockaddr *)&address, length), -1);
	assert_int_equal(errno, ENOTSOCK);
	close(file);
	watch_assert_scene("no socket");
}

/* A client's automatic port is nobody's bind. */
static void clients(void **state)
{
	struct sockaddr_storage server, any;
	socklen_t length = scene_address("127.0.0.1", 8212, &server);
	int one = 1;
	int listener, fd;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	scene_address("127.0.0.1", 0, &any);
	listener = scene_socket(fixture.scene, AF_INET, SOCK_STREAM, 0, "127.0.0.1", 8212);
	assert_int_equal(listen(listener, 8), 0);

	fd = open_socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&server, length), 0);
	close(fd);
	/* the bind takes an address and no port, the connect() chooses that (90c337da1524) */
	fd = open_socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one)), 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&any, length), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&server, length), 0);
	close(fd);
	fd = open_socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(sendto(fd, "x", 1, 0, (struct sockaddr *)&server, length), 1);
	close(fd);
	close(listener);
	watch_assert_scene("clients");
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(port_in_use),
        cmocka_unit_test(address_of_another_host),
        cmocka_unit_test(address_of_another_family),
        cmocka_unit_test(privileged_port_without_rights),
        cmocka_unit_test(bound_socket_bound_again),
        cmocka_unit_test(short_address),
        cmocka_unit_test(not_a_port),
        cmocka_unit_test(not_a_socket),
        cmocka_unit_test(clients),
};

const struct watch_group watch_refused = {"refused", tests, sizeof(tests) / sizeof(tests[0])};
