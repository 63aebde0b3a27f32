/* SPDX-License-Identifier: BSD-2-Clause */
/* Small registry files of the official shape, for the tests of registry/. */
#ifndef TESTS_UNIT_REGISTRY_FIXTURE_H
#define TESTS_UNIT_REGISTRY_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "registry/registry.h"

#define HEADER                                                                                                         \
	"Service Name,Port Number,Transport Protocol,Description,Assignee,Contact,Registration Date,"                  \
	"Modification Date,Reference,Service Code,Unauthorized Use Reported,Assignment Notes\r\n"

/* What makes a file whole: every port of 0-49151, in one row that any other row beats, and one that is assigned. */
#define WHOLE "tcpmux,1,tcp,TCP Port Service Multiplexer,,,,,,,,\r\n,0-49151,,Unassigned,,,,,,,,\r\n"

#define OLD_CSV "/usr/share/ipv6toolkit/service-names-port-numbers.csv"

struct fixture {
	char path[32];
};

static inline struct fixture fixture_write(const void *data, size_t len)
{
	struct fixture fixture = {"/tmp/registry-test-XXXXXX"};
	int fd = mkstemp(fixture.path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	assert_int_equal(close(fd), 0);
	return fixture;
}

static inline int fixture_open_bytes(const void *data, size_t len, struct registry **ret,
				     char error[REGISTRY_ERROR_LEN])
{
	struct fixture fixture = fixture_write(data, len);
	int r = registry_open_file(fixture.path, ret, error);

	assert_int_equal(unlink(fixture.path), 0);
	return r;
}

/* The registry of these rows, with the header before and WHOLE behind them; the test fails where it is refused. */
static inline struct registry *fixture_registry(const char *rows)
{
	struct registry *registry = NULL;
	char error[REGISTRY_ERROR_LEN] = "", *text = NULL;
	int len = asprintf(&text, HEADER "%s" WHOLE, rows);

	assert_true(len > 0);
	if (fixture_open_bytes(text, (size_t)len, &registry, error) < 0)
		fail_msg("refused: %s", error);
	free(text);
	return registry;
}

/* The official file of 2026-08-17, or the test is skipped. */
static inline const char *fixture_official(char path[4096])
{
	const char *shared = getenv("BINDWATCH_SHARED");

	(void)snprintf(path, 4096, "%s/iana/service-names-port-numbers-2026-08-17.csv", shared ? shared : "../shared");
	if (access(path, R_OK) < 0) {
		print_message("skipped: %s is not there\n", path);
		skip();
	}
	return path;
}

static inline struct registry *fixture_open(const char *path)
{
	struct registry *registry = NULL;
	char error[REGISTRY_ERROR_LEN] = "";

	if (registry_open_file(path, &registry, error) < 0)
		fail_msg("refused: %s", error);
	return registry;
}

/* True where the entry's names, joined by '|', are these. */
static inline bool fixture_names(const struct registry_entry *entry, const char *wanted)
{
	char joined[4096] = "";
	const char *name = entry->names;
	size_t used = 0;

	for (unsigned int i = 0; i < entry->names_count; i++, name = registry_next_name(name))
		used += (size_t)snprintf(joined + used, sizeof(joined) - used, "%s%s", i ? "|" : "", name);
	if (strcmp(joined, wanted) == 0)
		return true;
	print_message("names are \"%s\", wanted \"%s\"\n", joined, wanted);
	return false;
}

/* True where two entries say the same. */
static inline bool fixture_same(const struct registry_entry *a, const struct registry_entry *b)
{
	const char *x = a->names, *y = b->names;

	if (a->state != b->state || a->flags != b->flags || a->names_count != b->names_count ||
	    a->registered != b->registered || a->modified != b->modified || a->removed != b->removed ||
	    strcmp(a->title, b->title) != 0)
		return false;
	for (unsigned int i = 0; i < a->names_count; i++, x = registry_next_name(x), y = registry_next_name(y))
		if (strcmp(x, y) != 0)
			return false;
	return true;
}

/* The number of pairs that two registries speak of differently. */
static inline size_t fixture_differences(const struct registry *a, const struct registry *b)
{
	size_t differences = 0;

	for (uint32_t port = 0; port <= 65535; port++)
		for (unsigned int t = 0; t < REGISTRY_TRANSPORTS; t++)
			differences += !fixture_same(registry_lookup(a, (uint16_t)port, (enum registry_transport)t),
						     registry_lookup(b, (uint16_t)port, (enum registry_transport)t));
	return differences;
}

#endif
