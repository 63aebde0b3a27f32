/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/types.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "bpf/bindwatch.h"
#include "user/base/ipproto.h"
#include "user/judge/classify.h"

static struct registry *registry;

static int open_registry(void **state)
{
	(void)state;
	return registry_open_embedded(&registry);
}

static int close_registry(void **state)
{
	(void)state;
	registry_free(registry);
	return 0;
}

/* address NULL: unknown; port -1: unknown */
static struct endpoint endpoint_of(const char *address, int port)
{
	struct endpoint endpoint = {.has_address = address, .has_port = port >= 0};

	if (address) {
		endpoint.family = strchr(address, ':') ? AF_INET6 : AF_INET;
		assert_int_equal(inet_pton(endpoint.family, address, endpoint.address), 1);
	}
	if (port >= 0)
		endpoint.port = (uint16_t)port;
	return endpoint;
}

static struct event event_of(const char *address, int port)
{
	return (struct event){
	    .family = address && strchr(address, ':') ? AF_INET6 : AF_INET,
	    .type = SOCK_STREAM,
	    .protocol = IPPROTO_TCP,
	    .unprivileged_port_start = 1024,
	    .requested = endpoint_of(address, port),
	    .bound = endpoint_of(address, port),
	};
}

/* The last of several addresses is seen: only that it is not of the loopback tells something. */
static void exposure_of_sctp_bindx(void **state)
{
	static const struct {
		const char *address;
		uint16_t protocol;
		uint32_t flags;
		enum exposure exposure;
	} table[] = {
	    {"127.0.0.1", IPPROTO_SCTP, BW_SOCKET_UNTOLD, EXPOSURE_UNKNOWN},
	    {"192.0.2.1", IPPROTO_SCTP, BW_SOCKET_UNTOLD, EXPOSURE_ADDRESS},
	    {"0.0.0.0", IPPROTO_SCTP, BW_SOCKET_UNTOLD, EXPOSURE_WILDCARD},
	    {"127.0.0.1", IPPROTO_SCTP, 0, EXPOSURE_LOOPBACK},
	    {"127.0.0.1", IPPROTO_TCP, BW_SOCKET_UNTOLD, EXPOSURE_LOOPBACK},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct event event = event_of(table[i].address, 80);

		event.protocol = table[i].protocol;
		event.socket_flags = table[i].flags;
		classify(registry, &event);
		assert_int_equal(event.facts.exposure, table[i].exposure);
	}
}

static void classify_transports(void **state)
{
	static const struct {
		uint16_t protocol;
		bool known;
		enum registry_transport transport;
	} table[] = {
	    {6, true, REGISTRY_TCP},	{262, true, REGISTRY_TCP},  {17, true, REGISTRY_UDP},
	    {136, true, REGISTRY_UDP},	{132, true, REGISTRY_SCTP}, {33, true, REGISTRY_DCCP},
	    {0, false, REGISTRY_TCP},	{1, false, REGISTRY_TCP},   {7, false, REGISTRY_TCP},
	    {255, false, REGISTRY_TCP}, {256, false, REGISTRY_TCP}, {65535, false, REGISTRY_TCP},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct event event = event_of("0.0.0.0", 80);

		event.protocol = table[i].protocol;
		classify(registry, &event);
		assert_int_equal(event.facts.has_transport, table[i].known);
		assert_int_equal(event.facts.transport, table[i].transport);
		assert_int_equal(event.facts.registry != NULL, table[i].known);
	}
}

static void classify_registry(void **state)
{
	static const struct {
		uint16_t port;
		enum registry_state registry;
		enum registry_range range;
	} table[] = {
	    {80, REGISTRY_ASSIGNED, REGISTRY_SYSTEM},	    {1023, REGISTRY_RESERVED, REGISTRY_SYSTEM},
	    {4, REGISTRY_UNASSIGNED, REGISTRY_SYSTEM},	    {1301, REGISTRY_DEASSIGNED, REGISTRY_USER},
	    {8080, REGISTRY_ASSIGNED, REGISTRY_USER},	    {49152, REGISTRY_NOT_LISTED, REGISTRY_DYNAMIC},
	    {65535, REGISTRY_NOT_LISTED, REGISTRY_DYNAMIC},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct event event = event_of("0.0.0.0", table[i].port);

		classify(registry, &event);
		assert_non_null(event.facts.registry);
		assert_int_equal(event.facts.registry->state, table[i].registry);
		assert_int_equal(event.facts.range, table[i].range);
	}
}

static void classify_privileged(void **state)
{
	static const struct {
		uint16_t port;
		uint32_t start;
		bool privileged;
	} table[] = {
	    {1, 1024, true}, {1023, 1024, true}, {1024, 1024, false},  {80, 80, false},
	    {79, 80, true},  {80, 0, false},	 {65535, 65536, true}, {0, 1024, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct event event = event_of("0.0.0.0", table[i].port);

		event.unprivileged_port_start = table[i].start;
		classify(registry, &event);
		assert_int_equal(event.facts.privileged, table[i].privileged);
	}
}

static void classify_exposure(void **state)
{
	static const struct {
		const char *address;
		enum exposure exposure;
		bool v6only, dual_stack;
	} table[] = {
	    {NULL, EXPOSURE_UNKNOWN, false, false},
	    {"0.0.0.0", EXPOSURE_WILDCARD, false, false},
	    {"127.0.0.1", EXPOSURE_LOOPBACK, false, false},
	    {"127.255.0.9", EXPOSURE_LOOPBACK, false, false},
	    {"192.0.2.1", EXPOSURE_ADDRESS, false, false},
	    {"::", EXPOSURE_WILDCARD, false, true},
	    {"::", EXPOSURE_WILDCARD, true, false},
	    {"::1", EXPOSURE_LOOPBACK, false, false},
	    {"::ffff:127.0.0.2", EXPOSURE_LOOPBACK, false, false},
	    {"::ffff:0.0.0.0", EXPOSURE_WILDCARD, false, false},
	    {"::ffff:192.0.2.1", EXPOSURE_ADDRESS, false, false},
	    {"2001:db8::1", EXPOSURE_ADDRESS, false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct event event = event_of(table[i].address, 80);

		if (table[i].v6only)
			event.socket_flags = BW_SOCKET_V6ONLY;
		classify(registry, &event);
		assert_int_equal(event.facts.exposure, table[i].exposure);
		assert_int_equal(event.facts.dual_stack, table[i].dual_stack);
	}
}

static void classify_port_zero_is_ephemeral(void **state)
{
	struct event event = event_of("0.0.0.0", 0);

	(void)state;
	event.bound.port = 40000;
	classify(registry, &event);
	assert_true(event.facts.ephemeral);
	assert_int_equal(event.facts.server.port, 40000);
	assert_int_equal(event.facts.range, REGISTRY_USER);
	assert_non_null(event.facts.registry);
}

static void classify_failed_port_zero(void **state)
{
	struct event event = event_of("192.0.2.1", 0);

	(void)state;
	event.error = EADDRNOTAVAIL;
	event.bound = (struct endpoint){.family = 0};
	classify(registry, &event);
	assert_true(event.facts.ephemeral);
	assert_true(event.facts.server.has_port);
	assert_int_equal(event.facts.server.port, 0);
	assert_null(event.facts.registry);
	assert_false(event.facts.privileged);
	assert_int_equal(event.facts.exposure, EXPOSURE_ADDRESS);
}

/* What a socket holds when its bind failed is from before: it is not what the bind was about. */
static void classify_failed_bind_is_about_what_was_asked(void **state)
{
	struct event event = event_of("127.0.0.1", 80);

	(void)state;
	event.error = EADDRINUSE;
	event.bound = endpoint_of("0.0.0.0", -1);
	classify(registry, &event);
	assert_int_equal(event.facts.server.port, 80);
	assert_int_equal(event.facts.exposure, EXPOSURE_LOOPBACK);

	event.requested = (struct endpoint){.family = 0};
	classify(registry, &event);
	assert_false(event.facts.server.has_port);
	assert_false(event.facts.server.has_address);
	assert_false(event.facts.ephemeral);
	assert_false(event.facts.privileged);
	assert_null(event.facts.registry);
	assert_int_equal(event.facts.exposure, EXPOSURE_UNKNOWN);
}

static void classify_unknown_request_is_not_ephemeral(void **state)
{
	struct event event = event_of("0.0.0.0", 80);

	(void)state;
	event.requested = (struct endpoint){.family = 0};
	classify(registry, &event);
	assert_false(event.facts.ephemeral);
	assert_int_equal(event.facts.server.port, 80);
}

/* A hook that does not see what was bound: a success bound what was asked for, but for port 0. */
static void classify_success_completes_from_the_request(void **state)
{
	struct event event = event_of("127.0.0.1", 80);

	(void)state;
	event.bound = (struct endpoint){.family = 0};
	classify(registry, &event);
	assert_true(event.facts.server.has_port && event.facts.server.has_address);
	assert_int_equal(event.facts.server.port, 80);
	assert_int_equal(event.facts.server.family, AF_INET);
	assert_int_equal(event.facts.exposure, EXPOSURE_LOOPBACK);

	event.requested.port = 0;
	classify(registry, &event);
	assert_false(event.facts.server.has_port);
	assert_true(event.facts.ephemeral);
	assert_null(event.facts.registry);
}

/* Facts are of this event alone. */
static void classify_forgets_old_facts(void **state)
{
	struct event event = event_of(NULL, -1);

	(void)state;
	memset(&event.facts, 0xff, sizeof(event.facts));
	classify(registry, &event);
	assert_null(event.facts.registry);
	assert_false(event.facts.ephemeral || event.facts.privileged || event.facts.dual_stack);
	assert_int_equal(event.facts.exposure, EXPOSURE_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(classify_transports),
	    cmocka_unit_test(exposure_of_sctp_bindx),
	    cmocka_unit_test(classify_registry),
	    cmocka_unit_test(classify_privileged),
	    cmocka_unit_test(classify_exposure),
	    cmocka_unit_test(classify_port_zero_is_ephemeral),
	    cmocka_unit_test(classify_failed_port_zero),
	    cmocka_unit_test(classify_failed_bind_is_about_what_was_asked),
	    cmocka_unit_test(classify_unknown_request_is_not_ephemeral),
	    cmocka_unit_test(classify_success_completes_from_the_request),
	    cmocka_unit_test(classify_forgets_old_facts),
	};

	return cmocka_run_group_tests(tests, open_registry, close_registry);
}
