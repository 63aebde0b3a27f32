/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "user/cli/port.h"

#define ALL	       ((1U << REGISTRY_TRANSPORTS) - 1)
#define BIT(transport) (1U << (transport))

static struct registry *registry;

static int setup(void **state)
{
	(void)state;
	return registry_open_embedded(&registry);
}

static int teardown(void **state)
{
	(void)state;
	registry_free(registry);
	return 0;
}

static void port_dates(void **state)
{
	static const struct {
		uint32_t date;
		const char *text;
	} table[] = {
	    {0, ""}, {20260817, "2026-08-17"}, {20260800, "2026-08"}, {20260000, "2026"}, {UINT32_MAX, ""},
	};
	char text[PORT_DATE_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		port_date_format(table[i].date, text);
		assert_string_equal(text, table[i].text);
	}
}

/* Transports of which the registry says the same share a row; the others do not. */
static void port_rows_of_ssh(void **state)
{
	struct port_row rows[REGISTRY_TRANSPORTS];

	(void)state;
	assert_int_equal(port_rows(registry, 22, ALL, rows), 3); /* tcp and udp; sctp; dccp is not listed */
	assert_int_equal(rows[0].transports, BIT(REGISTRY_TCP) | BIT(REGISTRY_UDP));
	assert_string_equal(rows[0].entry->names, "ssh");
	assert_int_equal(rows[1].transports, BIT(REGISTRY_SCTP));
	assert_int_equal(rows[2].entry->state, REGISTRY_NOT_LISTED);
	assert_int_equal(port_rows(registry, 22, BIT(REGISTRY_UDP), rows), 1);
	assert_int_equal(rows[0].transports, BIT(REGISTRY_UDP));
	assert_int_equal(port_rows(registry, 22, 0, rows), 0);
	assert_int_equal(port_rows(registry, 65535, ALL, rows), 1);
	assert_int_equal(rows[0].transports, ALL);
}

static void port_entries_differ(void **state)
{
	static const struct registry_entry base = {.names = "a\0b", .names_count = 2, .title = "t", .registered = 1};
	struct registry_entry other[] = {base, base, base, base, base, base, base};

	(void)state;
	assert_true(port_entry_equal(&base, &other[0]));
	other[0].names = "a\0c";
	other[1].names_count = 1;
	other[2].title = "u";
	other[3].registered = 2;
	other[4].removed = 2;
	other[5].flags = REGISTRY_SITE;
	other[6].state = REGISTRY_RESERVED;
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
		if (port_entry_equal(&base, &other[i]))
			fail_msg("entry %zu counts as equal", i);
	}
}

/* Of the port, and of the transports asked for: MPTCP goes with TCP, UDP-Lite with UDP. */
static void port_sockets_of_transport(void **state)
{
	static struct portlist ports;
	struct inventory_netns netns = {.inode = 1};
	struct inventory_socket sockets[] = {
	    {.address = {.family = AF_INET, .port = 80, .has_port = true}, .protocol = IPPROTO_TCP},
	    {.address = {.family = AF_INET, .port = 80, .has_port = true}, .protocol = IPPROTO_UDP},
	    {.address = {.family = AF_INET, .port = 81, .has_port = true}, .protocol = IPPROTO_TCP},
	    {.address = {.family = AF_INET, .port = 81, .has_port = true}, .protocol = IPPROTO_UDPLITE},
	    {.address = {.family = AF_INET, .port = 81, .has_port = true}, .protocol = 262},
	};
	struct inventory inventory = {.sockets = sockets, .sockets_count = 5, .netns = &netns, .netns_count = 1};
	struct port_answer answer = {.registry = registry, .ports = &ports, .inventory = &inventory};
	struct event event;

	(void)state;
	ports.ports[80] = (uint8_t)ALL;
	ports.ports[81] = (uint8_t)BIT(REGISTRY_UDP);
	assert_int_equal(port_next_socket(&answer, 0, 80, &event), 0);
	assert_int_equal(port_next_socket(&answer, 1, 80, &event), 1);
	assert_int_equal(port_next_socket(&answer, 2, 80, &event), 5);
	assert_int_equal(port_next_socket(&answer, 0, 81, &event), 3);
	assert_int_equal(event.facts.transport, REGISTRY_UDP);
	assert_int_equal(port_next_socket(&answer, 4, 81, &event), 5);
	ports.ports[81] = (uint8_t)BIT(REGISTRY_TCP);
	assert_int_equal(port_next_socket(&answer, 0, 81, &event), 2);
	assert_int_equal(port_next_socket(&answer, 3, 81, &event), 4);
	assert_int_equal(port_next_socket(&answer, 0, 0, &event), 0);
	assert_int_equal(port_next_socket(&answer, 0, 82, &event), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(port_dates),
	    cmocka_unit_test(port_rows_of_ssh),
	    cmocka_unit_test(port_entries_differ),
	    cmocka_unit_test(port_sockets_of_transport),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
