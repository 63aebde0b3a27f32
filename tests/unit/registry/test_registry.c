/* SPDX-License-Identifier: BSD-2-Clause */
/* The registry that is part of the program, and the public functions. */
#include "registry/text.h"
#include "tests/unit/registry/fixture.h"

/* "ns per lookup", "fits in a server's memory": the index, the entries and the strings, all together. */
#define BYTES_MAX 1000000

static struct registry *embedded(void)
{
	struct registry *registry = NULL;

	assert_int_equal(registry_open_embedded(&registry), 0);
	return registry;
}

static void rows_to_know(void **state)
{
	static const struct {
		uint16_t port;
		enum registry_transport transport;
		enum registry_state state;
		const char *names, *title;
	} table[] = {
	        {0, REGISTRY_TCP, REGISTRY_RESERVED, "", ""},
	        {22, REGISTRY_TCP, REGISTRY_ASSIGNED, "ssh", "The Secure Shell (SSH) Protocol"},
	        {80, REGISTRY_TCP, REGISTRY_ASSIGNED, "http|www|www-http", "World Wide Web HTTP"},
	        {465, REGISTRY_TCP, REGISTRY_ASSIGNED, "urd|submissions", "URL Rendezvous Directory for SSM"},
	        {1023, REGISTRY_TCP, REGISTRY_RESERVED, "", ""},
	        {1223, REGISTRY_TCP, REGISTRY_ASSIGNED, "tgp", "TrulyGlobal Protocol"},
	        {1431, REGISTRY_UDP, REGISTRY_ASSIGNED, "rgtp", "Reverse Gossip Transport"},
	        {1923, REGISTRY_TCP, REGISTRY_ASSIGNED, "spice", "SPICE"},
	        {2049, REGISTRY_TCP, REGISTRY_ASSIGNED, "shilp|nfs", ""},
	        {5900, REGISTRY_TCP, REGISTRY_ASSIGNED, "rfb", "Remote Framebuffer"},
	        {27009, REGISTRY_SCTP, REGISTRY_ASSIGNED, "flex-lm", "FLEX LM (1-10)"},
	        {49151, REGISTRY_TCP, REGISTRY_RESERVED, "", ""},
	        {49152, REGISTRY_TCP, REGISTRY_NOT_LISTED, "", ""},
	        {65535, REGISTRY_DCCP, REGISTRY_NOT_LISTED, "", ""},
	};
	struct registry *registry = embedded();

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		const struct registry_entry *entry = registry_lookup(registry, table[i].port, table[i].transport);

		assert_int_equal(entry->state, table[i].state);
		assert_true(fixture_names(entry, table[i].names));
		assert_string_equal(entry->title, table[i].title);
	}
	assert_int_equal(registry_lookup(registry, 1301, REGISTRY_TCP)->removed, 20191030);
	assert_int_equal(registry_lookup(registry, 1276, REGISTRY_UDP)->removed, 20140523);
	assert_int_equal(registry_lookup(registry, 6003, REGISTRY_TCP)->flags, REGISTRY_UNAUTHORIZED_USE);
	assert_int_equal(registry_lookup(registry, 6002, REGISTRY_TCP)->flags, 0);
	assert_string_equal(registry_date(registry), "2026-08-17");
	assert_string_equal(registry_source(registry), "embedded");
	/* a transport from outside of the table */
	assert_int_equal(registry_lookup(registry, 80, (enum registry_transport)REGISTRY_TRANSPORTS)->state,
	                 REGISTRY_NOT_LISTED);
	assert_int_equal(registry_lookup(registry, 80, (enum registry_transport) - 1)->state, REGISTRY_NOT_LISTED);
	registry_free(registry);
	registry_free(NULL);
}

/* Each entry keeps what registry.h promises of it, in every pair; and the counts add up. */
static void every_entry_keeps_the_promises(void **state)
{
	struct registry *registry = embedded();

	(void)state;
	for (unsigned int t = 0; t < REGISTRY_TRANSPORTS; t++) {
		size_t counts[REGISTRY_STATES] = {0};

		for (uint32_t port = 0; port <= 65535; port++) {
			const struct registry_entry *entry =
			        registry_lookup(registry, (uint16_t)port, (enum registry_transport)t);
			const char *name = entry->names;

			assert_in_range(entry->state, 0, REGISTRY_STATES - 1);
			counts[entry->state]++;
			assert_int_equal(text_check(entry->title, strlen(entry->title), false), strlen(entry->title));
			assert_null(strstr(entry->title, "  "));
			for (unsigned int i = 0; i < entry->names_count; i++, name = registry_next_name(name))
				assert_true(text_name_valid(name));
			if (!entry->names_count)
				assert_string_equal(entry->names, "");
		}
		for (unsigned int s = 0; s < REGISTRY_STATES; s++)
			assert_int_equal(counts[s],
			                 registry_count(registry, (enum registry_transport)t, (enum registry_state)s));
	}
	assert_int_equal(registry_count(registry, REGISTRY_TRANSPORTS, REGISTRY_ASSIGNED), 0);
	assert_int_equal(registry_count(registry, REGISTRY_TCP, REGISTRY_STATES), 0);
	registry_free(registry);
}

static void table_is_small(void **state)
{
	struct registry *registry = embedded();

	(void)state;
	print_message("%zu bytes\n", registry_bytes(registry));
	assert_true(registry_bytes(registry) <= BYTES_MAX);
	assert_true(registry_bytes(registry) > 49152 * 4 * 2);
	registry_free(registry);
}

struct found {
	char text[512];
	size_t stop, calls;
};

static int note(void *context, uint16_t port, enum registry_transport transport)
{
	struct found *found = context;
	size_t used = strlen(found->text);

	(void)snprintf(found->text + used, sizeof(found->text) - used, "%u/%s ", port,
	               registry_transport_name(transport));
	return ++found->calls == found->stop;
}

static void services_are_found_by_name(void **state)
{
	static const struct {
		const char *name, *pairs;
		size_t calls, stop;
	} table[] = {
	        {"domain", "53/tcp 53/udp ", 2, 0},
	        {"DoMaIn", "53/tcp 53/udp ", 2, 0},
	        {"whois++", "63/tcp 63/udp ", 2, 0},
	        {"nfs", "2049/tcp 2049/udp 2049/sctp ", 3, 0},
	        {"nfs", "2049/tcp ", 1, 1},
	        {"no-such-service", "", 0, 0},
	        {"", "", 0, 0},
	        {"http|www", "", 0, 0},
	        {"Domain Name Server", "", 0, 0},
	        {"domai", "", 0, 0},
	};
	struct registry *registry = embedded();

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct found found = {.stop = table[i].stop};

		assert_int_equal(registry_find_service(registry, table[i].name, note, &found), table[i].calls);
		assert_string_equal(found.text, table[i].pairs);
	}
	registry_free(registry);
}

/* The search by name and the lookup by port agree on the main name of each port. */
static void every_name_is_found(void **state)
{
	struct registry *registry = embedded();

	(void)state;
	for (uint32_t port = 0; port <= 65535; port += 97) {
		const struct registry_entry *entry = registry_lookup(registry, (uint16_t)port, REGISTRY_TCP);
		struct found found = {.text = " "};
		char wanted[32];

		if (!entry->names_count)
			continue;
		(void)snprintf(wanted, sizeof(wanted), " %u/tcp ", port);
		assert_true(registry_find_service(registry, entry->names, note, &found) > 0);
		if (strlen(found.text) < 400)
			assert_non_null(strstr(found.text, wanted));
	}
	registry_free(registry);
}

static void ranges_and_names(void **state)
{
	(void)state;
	assert_int_equal(registry_range(0), REGISTRY_SYSTEM);
	assert_int_equal(registry_range(1023), REGISTRY_SYSTEM);
	assert_int_equal(registry_range(1024), REGISTRY_USER);
	assert_int_equal(registry_range(49151), REGISTRY_USER);
	assert_int_equal(registry_range(49152), REGISTRY_DYNAMIC);
	assert_int_equal(registry_range(65535), REGISTRY_DYNAMIC);
	assert_string_equal(registry_range_name(REGISTRY_DYNAMIC), "dynamic");
	assert_string_equal(registry_range_name((enum registry_range)3), "");
	assert_string_equal(registry_transport_name(REGISTRY_DCCP), "dccp");
	assert_string_equal(registry_transport_name(REGISTRY_TRANSPORTS), "");
	assert_string_equal(registry_state_name(REGISTRY_DEASSIGNED), "de-assigned");
	assert_string_equal(registry_state_name(REGISTRY_STATES), "");
}

/* The facts of the registry of 2026-08-17, counted; another snapshot has other numbers. */
static void embedded_counts(void **state)
{
	static const size_t counts[REGISTRY_TRANSPORTS][REGISTRY_STATES] = {
	        [REGISTRY_TCP] = {[REGISTRY_ASSIGNED] = 6155,
	                          [REGISTRY_RESERVED] = 230,
	                          [REGISTRY_DEASSIGNED] = 29,
	                          [REGISTRY_UNASSIGNED] = 42721,
	                          [REGISTRY_NOT_LISTED] = 16401},
	        [REGISTRY_UDP] = {[REGISTRY_ASSIGNED] = 5763,
	                          [REGISTRY_RESERVED] = 615,
	                          [REGISTRY_DEASSIGNED] = 32,
	                          [REGISTRY_UNASSIGNED] = 42723,
	                          [REGISTRY_NOT_LISTED] = 16403},
	        [REGISTRY_SCTP] = {[REGISTRY_ASSIGNED] = 278,
	                           [REGISTRY_RESERVED] = 38,
	                           [REGISTRY_DEASSIGNED] = 15,
	                           [REGISTRY_UNASSIGNED] = 42707,
	                           [REGISTRY_NOT_LISTED] = 22498},
	        [REGISTRY_DCCP] = {[REGISTRY_ASSIGNED] = 199,
	                           [REGISTRY_RESERVED] = 38,
	                           [REGISTRY_DEASSIGNED] = 15,
	                           [REGISTRY_UNASSIGNED] = 42705,
	                           [REGISTRY_NOT_LISTED] = 22579},
	};
	struct registry *registry = embedded();

	(void)state;
	assert_string_equal(registry_date(registry), "2026-08-17");
	for (enum registry_transport t = 0; t < REGISTRY_TRANSPORTS; t++)
		for (enum registry_state s = 0; s < REGISTRY_STATES; s++)
			assert_int_equal(registry_count(registry, t, s), counts[t][s]);
	registry_free(registry);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(embedded_counts),
	        cmocka_unit_test(rows_to_know),
	        cmocka_unit_test(every_entry_keeps_the_promises),
	        cmocka_unit_test(table_is_small),
	        cmocka_unit_test(services_are_found_by_name),
	        cmocka_unit_test(every_name_is_found),
	        cmocka_unit_test(ranges_and_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
