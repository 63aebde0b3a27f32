/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sctp_bindx() of RFC 6458, section 9.1: a socket option that adds addresses to a socket, and binds one that is not
 * bound. It ends in sctp_do_bind(), as bind(2) does, but not by way of inet_bind_sk(), and no program of a cgroup is
 * asked.
 */
#include "tests/live/watch/watch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "tests/live/life.h"

/* include/uapi/linux/sctp.h, which not every system has */
#define BINDX_ADD 100

/* sctp_bindx() with these IPv4 addresses. 0 or -errno. */
static int bindx(int fd, const char *const *addresses, size_t count, uint16_t port)
{
	struct sockaddr_in packed[4];

	assert_true(count <= 4);
	memset(packed, 0, sizeof(packed));
	for (size_t i = 0; i < count; i++) {
		packed[i].sin_family = AF_INET;
		packed[i].sin_port = htons(port);
		inet_pton(AF_INET, addresses[i], &packed[i].sin_addr);
	}
	return setsockopt(fd, IPPROTO_SCTP, BINDX_ADD, packed, (socklen_t)(count * sizeof(packed[0]))) ? -errno : 0;
}

/* The port is taken once, by the bind; further addresses take none. */
static void sctp_bindx_after_bind(void **state)
{
	static const char *const more[] = {"127.0.0.2", "127.0.0.3"};
	const json_t *event;
	int fd;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	fd = life_socket(life, AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP);
	SKIP_BECAUSE(fd < 0 ? "this kernel has no SCTP" : NULL);
	assert_int_equal(life_bind(life, fd, "127.0.0.1", 8800), 0);
	assert_int_equal(bindx(fd, more, 2, 8800), 0);
	life_assert_open(life, &fixture.monitor, 1);
	assert_int_equal(live_find(&fixture.monitor, ACTION_BIND, 8800, &event), 1);
	assert_string_equal(json_string_value(live_field(event, "server.ip")), "127.0.0.1");
	/* the bind was judged, so the listen is not */
	assert_int_equal(listen(fd, 4), 0);
	assert_int_equal(monitor_sync(&fixture.monitor, 0), 0);
	assert_int_equal(live_find(&fixture.monitor, ACTION_LISTEN, 8800, &event), 1);
	assert_null(live_field(event, "bindwatch.untold_bind"));
	assert_null(live_field(event, "bindwatch.policy"));
	life_close(life, fd);
	/* the socket's address is the one that was added last: sctp_do_bind() */
	assert_int_equal(monitor_sync(&fixture.monitor, 0), 0);
	assert_int_equal(live_find(&fixture.monitor, ACTION_CLOSE, 8800, &event), 1);
	assert_string_equal(json_string_value(live_field(event, "server.ip")), "127.0.0.3");
	json_array_clear(fixture.monitor.events);
}

/*
 * A socket that is bound by nothing else: no plan has a hook there, so its port is told when it listens, and not
 * before.
 */
static void sctp_bindx_alone(void **state)
{
	static const char *const addresses[] = {"127.0.0.1", "127.0.0.2"};
	const json_t *event;
	int fd;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	fd = life_socket(life, AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP);
	SKIP_BECAUSE(fd < 0 ? "this kernel has no SCTP" : NULL);
	assert_int_equal(bindx(fd, addresses, 2, 8801), 0);
	assert_int_equal(monitor_sync(&fixture.monitor, 0), 0);
	assert_int_equal(live_find(&fixture.monitor, ACTION_BIND, 8801, &event), 0);
	assert_int_equal(life_listen(life, fd, 4), 0);
	assert_int_equal(monitor_sync(&fixture.monitor, 0), 0);
	assert_int_equal(live_find(&fixture.monitor, ACTION_LISTEN, 8801, &event), 1);
	assert_int_equal(json_integer_value(live_field(event, "process.pid")), getpid());
	assert_true(json_is_true(live_field(event, "bindwatch.untold_bind")));
	assert_null(live_field(event, "bindwatch.ephemeral"));
	/* it may have other addresses than the one that is seen */
	assert_null(live_field(event, "bindwatch.exposure"));
	/* judged once, however often it listens */
	assert_string_equal(json_string_value(live_field(event, "bindwatch.policy.rule")), "sctp-listen");
	json_array_clear(fixture.monitor.events);
	assert_int_equal(listen(fd, 0), 0);
	assert_int_equal(listen(fd, 4), 0);
	assert_int_equal(monitor_sync(&fixture.monitor, 0), 0);
	assert_int_equal(live_find(&fixture.monitor, ACTION_LISTEN, 8801, &event), 1);
	assert_null(live_field(event, "bindwatch.policy"));
	close(fd);
	assert_int_equal(monitor_sync(&fixture.monitor, 0), 0);
	assert_int_equal(live_find(&fixture.monitor, ACTION_CLOSE, 8801, &event), 1);
	json_array_clear(fixture.monitor.events);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(sctp_bindx_after_bind),
        cmocka_unit_test(sctp_bindx_alone),
};

const struct watch_group watch_sctp = {"sctp", tests, sizeof(tests) / sizeof(tests[0])};
