/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include "tests/unit/registry/fixture.h"

#define ROWS "http,80,tcp,World Wide Web HTTP,,,,,,,,\r\nwww,80,tcp,W,,,,,,,,\r\n"

static int lay(struct registry *registry, const char *text, char error[REGISTRY_ERROR_LEN])
{
	struct fixture fixture = fixture_write(text, strlen(text));
	int r = registry_overlay_services(registry, fixture.path, error);

	assert_int_equal(unlink(fixture.path), 0);
	return r;
}

static void names_of_the_site_come_first(void **state)
{
	struct registry *registry = fixture_registry(ROWS);
	char error[REGISTRY_ERROR_LEN] = "";
	const struct registry_entry *entry;

	(void)state;
	assert_int_equal(lay(registry,
			     "# ours\n\nshop\t80/tcp\tfront WWW # the shop\nsecond 80/tcp third http\n"
			     "agent 50000/udp\r\nquake 700/tcp\nrtmp 1/ddp",
			     error),
			 0);
	entry = registry_lookup(registry, 80, REGISTRY_TCP);
	assert_true(fixture_names(entry, "shop|front|WWW|second|third|http"));
	assert_int_equal(entry->flags, REGISTRY_SITE);
	assert_int_equal(entry->state, REGISTRY_ASSIGNED);
	assert_string_equal(entry->title, "World Wide Web HTTP");
	entry = registry_lookup(registry, 50000, REGISTRY_UDP);
	assert_true(fixture_names(entry, "agent"));
	assert_int_equal(entry->state, REGISTRY_NOT_LISTED);
	assert_int_equal(entry->flags, REGISTRY_SITE);
	entry = registry_lookup(registry, 700, REGISTRY_TCP);
	assert_true(fixture_names(entry, "quake"));
	assert_int_equal(entry->state, REGISTRY_UNASSIGNED);
	/* the neighbours are as they were */
	assert_int_equal(registry_lookup(registry, 701, REGISTRY_TCP)->flags, 0);
	assert_int_equal(registry_lookup(registry, 50000, REGISTRY_TCP)->flags, 0);
	assert_int_equal(registry_lookup(registry, 65535, REGISTRY_UDP)->flags, 0);
	assert_true(fixture_names(registry_lookup(registry, 1, REGISTRY_TCP), "tcpmux"));
	assert_true(strlen(registry_date(registry)) == 10);
	registry_free(registry);
}

static void all_or_nothing(void **state)
{
	static const struct {
		const char *text, *words;
	} refused[] = {
	    {"alone\n", ":1: \"alone\" without a port"},
	    {"ours 1234/tcp\nx 80\n", ":2: \"x\" without a port"},
	    {"x 80/quic\n", ":1: transport \"quic\"; tcp, udp, sctp or dccp"},
	    {"x 80/\n", ":1: transport \"\""},
	    {"x 0/tcp\n", ":1: port \"0\"; a number of 1-65535"},
	    {"x 65536/tcp\n", ":1: port \"65536\""},
	    {"x 80-81/tcp\n", ":1: port \"80-81\""},
	    {"x 80x/tcp\n", ":1: port \"80x\""},
	    {"x -1/tcp\n", ":1: port \"-1\""},
	    {"ok 1234/tcp\n\n# x\n \tx 65536/udp", ":4: port \"65536\""},
	    {"x 80/tcp a|b\n", ":1: name \"a|b\""},
	    {"x 80/tcp \xc3\xa4\n", ":1: name"},
	    {"ok 1234/tcp\n\x1b[2J 80/tcp\n", ":2: the byte 0x1b"},
	    {"ok 1234/tcp # \xff\n", ":1: the byte 0xff"},
	};
	struct registry *registry = fixture_registry(ROWS), *same = fixture_registry(ROWS);

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		char error[REGISTRY_ERROR_LEN] = "";
		int r = lay(registry, refused[i].text, error);

		if (r != -EINVAL || !strstr(error, refused[i].words))
			fail_msg("\"%s\": %d, \"%s\"", refused[i].text, r, error);
		assert_int_equal(fixture_differences(registry, same), 0);
	}
	registry_free(registry);
	registry_free(same);
}

static void hostile_sizes(void **state)
{
	struct registry *registry = fixture_registry(ROWS);
	char *text = malloc(4000), error[REGISTRY_ERROR_LEN];
	size_t used;

	(void)state;
	memset(text, 'a', 3000);
	text[3000] = '\0';
	assert_int_equal(lay(registry, text, error), -EINVAL);
	assert_non_null(strstr(error, ":1: the line is longer than"));
	used = (size_t)snprintf(text, 4000, "x 80/tcp");
	for (unsigned int i = 0; i < 64; i++)
		used += (size_t)snprintf(text + used, 4000 - used, " n%u", i);
	assert_int_equal(lay(registry, text, error), -EINVAL);
	assert_non_null(strstr(error, ":1: more than 64 names"));
	for (unsigned int i = 0; i < 65; i++)
		used =
		    (size_t)snprintf(text + (i ? used : 0), 4000 - (i ? used : 0), "m%u 80/tcp\n", i) + (i ? used : 0);
	assert_int_equal(lay(registry, text, error), -EINVAL);
	assert_non_null(strstr(error, ":63: port 80/tcp has more than 64 names"));
	assert_int_equal(registry_overlay_services(registry, "/tmp", error), -EISDIR);
	assert_int_equal(registry_overlay_services(registry, "/nonexistent", error), -ENOENT);
	assert_true(fixture_names(registry_lookup(registry, 80, REGISTRY_TCP), "http|www"));
	free(text);
	registry_free(registry);
}

/* Debian's and Fedora's own file is accepted as it is. */
static void file_of_this_system(void **state)
{
	struct registry *registry;
	char error[REGISTRY_ERROR_LEN] = "";

	(void)state;
	if (access("/etc/services", R_OK) < 0) {
		print_message("skipped: /etc/services is not there\n");
		skip();
	}
	assert_int_equal(registry_open_embedded(&registry), 0);
	if (registry_overlay_services(registry, "/etc/services", error) < 0)
		fail_msg("%s", error);
	assert_int_equal(registry_lookup(registry, 22, REGISTRY_TCP)->flags & REGISTRY_SITE, REGISTRY_SITE);
	assert_string_equal(registry_lookup(registry, 22, REGISTRY_TCP)->names, "ssh");
	registry_free(registry);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_of_the_site_come_first),
	    cmocka_unit_test(all_or_nothing),
	    cmocka_unit_test(hostile_sizes),
	    cmocka_unit_test(file_of_this_system),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
