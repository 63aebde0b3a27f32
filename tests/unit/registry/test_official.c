/* SPDX-License-Identifier: BSD-2-Clause */
/* IANA's own files: that of 2026-08-17, which the embedded snapshot was made from, and that of 2014. */
#include "registry/snapshot.h"

#include "tests/unit/registry/fixture.h"

#define SNAPSHOT "registry/snapshot.iana"

static size_t named_pairs(const struct registry *registry, enum registry_transport transport)
{
	size_t count = 0;

	for (uint32_t port = 0; port <= 65535; port++)
		count += registry_lookup(registry, (uint16_t)port, transport)->names_count > 0;
	return count;
}

/* Counted in the file by other means. The 16 named rows without a transport are in each transport's count. */
static void counts(void **state)
{
	static const size_t named[] = {5958 + 190, 5566 + 190, 88 + 190, 9 + 190};
	static const size_t not_listed[] = {17, 19, 6114, 6195};
	char path[4096];
	struct registry *registry = fixture_open(fixture_official(path));

	(void)state;
	for (unsigned int t = 0; t < REGISTRY_TRANSPORTS; t++) {
		assert_int_equal(named_pairs(registry, (enum registry_transport)t), named[t]);
		assert_int_equal(registry_count(registry, (enum registry_transport)t, REGISTRY_NOT_LISTED),
				 not_listed[t] + 65536 - 49152);
	}
	assert_string_equal(snapshot_digest(registry),
			    "516234f1b137f49359c80c0b9ebfd722164c5176b8534e113577e78683e128d8");
	registry_free(registry);
}

static void wholly_unassigned_ports(void **state)
{
	char path[4096];
	struct registry *registry = fixture_open(fixture_official(path));
	size_t count = 0;

	(void)state;
	for (uint32_t port = 0; port <= 65535; port++) {
		bool whole = true;

		for (unsigned int t = 0; t < REGISTRY_TRANSPORTS; t++)
			whole &= registry_lookup(registry, (uint16_t)port, (enum registry_transport)t)->state ==
				 REGISTRY_UNASSIGNED;
		count += whole;
	}
	/* 42,721 ports in unassigned rows that speak of all transports, less those that an assigned row takes a part of
	 */
	print_message("%zu ports are unassigned for every transport\n", count);
	assert_in_range(count, 42600, 42721);
	registry_free(registry);
}

static void embedded_snapshot_says_the_same(void **state)
{
	char path[4096];
	struct registry *official = fixture_open(fixture_official(path)), *embedded = NULL;

	(void)state;
	assert_int_equal(registry_open_embedded(&embedded), 0);
	assert_int_equal(fixture_differences(official, embedded), 0);
	assert_string_equal(snapshot_digest(official), snapshot_digest(embedded));
	registry_free(official);
	registry_free(embedded);
}

static void conversion_gives_the_snapshot_byte_for_byte(void **state)
{
	char path[4096], *text = NULL, *kept;
	struct registry *official = fixture_open(fixture_official(path));
	size_t size, kept_size;
	FILE *stream = open_memstream(&text, &size), *file = fopen(SNAPSHOT, "r");

	(void)state;
	assert_non_null(stream);
	assert_non_null(file);
	assert_int_equal(snapshot_write(official, "2026-08-17", stream), 0);
	assert_int_equal(fclose(stream), 0);
	kept = malloc(size + 1);
	assert_non_null(kept);
	kept_size = fread(kept, 1, size + 1, file);
	assert_int_equal(kept_size, size);
	assert_memory_equal(kept, text, size);
	assert_true(size < 700000);
	(void)fclose(file);
	free(kept);
	free(text);
	registry_free(official);
}

/* The file as it was in 2014: an older header, longer names, two ports that it forgets. */
static void file_of_2014(void **state)
{
	struct registry *registry;

	(void)state;
	if (access(OLD_CSV, R_OK) < 0) {
		print_message("skipped: %s is not there (Debian: ipv6toolkit)\n", OLD_CSV);
		skip();
	}
	registry = fixture_open(OLD_CSV);
	assert_string_equal(registry_lookup(registry, 3283, REGISTRY_TCP)->names,
			    "Apple Remote Desktop (Net Assistant)");
	assert_string_equal(registry_lookup(registry, 2, REGISTRY_TCP)->names, "compressnet");
	assert_int_equal(registry_lookup(registry, 757, REGISTRY_TCP)->state, REGISTRY_NOT_LISTED);
	assert_int_equal(registry_lookup(registry, 49151, REGISTRY_TCP)->state, REGISTRY_RESERVED);
	assert_int_equal(registry_lookup(registry, 6003, REGISTRY_UDP)->flags, REGISTRY_UNAUTHORIZED_USE);
	registry_free(registry);
}

/* Cut off anywhere, between two rows too, the file is refused: until the rows that have a port are over. */
static void file_cut_off(void **state)
{
	char path[4096], error[REGISTRY_ERROR_LEN];
	FILE *file = fopen(fixture_official(path), "r");
	char *text = malloc(2 << 20), *last_port;
	size_t size, cuts = 0;

	(void)state;
	assert_non_null(file);
	assert_non_null(text);
	size = fread(text, 1, (2 << 20) - 1, file);
	text[size] = '\0';
	(void)fclose(file);
	last_port = strstr(text, "\n,49151,");
	assert_non_null(last_port);
	for (size_t at = 300; text + at < last_port; at += 60013) {
		char *record_end = strstr(text + at, "\r\n");
		struct registry *registry = NULL;

		if (fixture_open_bytes(text, at, &registry, error) == 0)
			fail_msg("accepted at %zu", at);
		if (fixture_open_bytes(text, (size_t)(record_end + 2 - text), &registry, error) == 0)
			fail_msg("accepted at %zu", (size_t)(record_end + 2 - text));
		cuts++;
	}
	assert_true(cuts > 10);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(counts),
	    cmocka_unit_test(wholly_unassigned_ports),
	    cmocka_unit_test(embedded_snapshot_says_the_same),
	    cmocka_unit_test(conversion_gives_the_snapshot_byte_for_byte),
	    cmocka_unit_test(file_of_2014),
	    cmocka_unit_test(file_cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
