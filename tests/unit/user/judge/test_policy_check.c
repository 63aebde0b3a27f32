/* SPDX-License-Identifier: BSD-2-Clause */
/* What is warned of: rules that can never match, and programs that do not exist. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/user/judge/policy_fixture.h"

static struct registry *registry;

/* Of a second rule that can never match for the first, and of one that can. */
static void covered_rules_are_told(void **state)
{
	/* clang-format off */
	static const struct {
		const char *first, *second;
		bool covered;
	} table[] = {
		{"port = 22", "port = 22/tcp", true},
		{"port = 22/tcp", "port = 22", false},
		{"port = 1-100", "port = 5 6 90-100/udp", true},
		{"port = 1-100", "port = 90-101", false},
		{"port = 22", "service = ssh", true},
		{"port = 22/tcp", "service = ssh", false},
		{"service = ssh", "port = 22/tcp", true},
		{"service = ssh", "port = 22/tcp\nexe = /usr/sbin/sshd", true},
		{"service = ssh\nexe = /usr/sbin/sshd", "port = 22/tcp", false},
		{"port = 22 !23", "port = 22", false},
		{"port = !23", "port = !23 !24", true},
		{"port = !23", "port = !24", false},
		{"exe = /usr/**", "exe = /usr/sbin/*", true},
		{"exe = /usr/*/*", "exe = /usr/sbin/sshd", true},
		{"exe = /usr/*/*", "exe = /usr/sbin/ssh*", false}, /* it is, but not plainly */
		{"exe = /usr/sbin/sshd", "exe = /usr/sbin/ssh*", false},
		{"exe = **", "exe = /a?", true},
		{"exe = !/tmp/**", "exe = /usr/bin/x", false},
		{"exe = !/tmp/x", "exe = !/tmp/** /usr/**", true},
		{"class = privileged", "class = privileged\nuser = root", true},
		{"class = privileged system", "class = system", true},
		{"class = privileged", "class = privileged system", false},
		{"user = 1000-2000", "user = 1500", true},
		{"user = 1000-2000", "user = 1500-2001", false},
		{"address = 10.0.0.0/8", "address = 10.1.0.0/16", true},
		{"address = 10.1.0.0/16", "address = 10.0.0.0/8", false},
		{"container = any", "container = 01*", true},
		{"image = docker.io/**", "image = docker.io/library/nginx:1.27", true},
		{"image = docker.io/*", "image = docker.io/library/nginx:1.27", false},
		{"container = 01*", "container = any", false},
		{"netns = host", "netns = host", true},
		{"userns = other", "userns = other", true},
		{"userns = other", "userns = host", false},
		{"mntns = other", "userns = other", false},
		{"port = 1", "port = 1\naction = closed-socket", false},
		{"port = 1", "port = 1\naction = bound-socket", true},
		{"port = 1", "port = 1\naction = listen-for-connections", false},
		{"port = 1\naction = bound-socket", "port = 1", false},
		{"port = 1\naction = bound-socket existing-socket listen-for-connections", "port = 1", true},
		{"port = 1\naction = closed-socket", "port = 1\naction = closed-socket", true},
		{"port = 1\nexe = /a", "port = 1\ncomm = a", false},
		/* who does not exist matches nothing */
		{"user = no-such-user", "user = no-such-user", false},
		{"user = no-such-user", "user = no-such-user\nport = 1", false},
		{"user = no-such-user", "user = other-such-user\nport = 1", false},
		{"group = no-such-group root", "group = root\nport = 1", true},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct policy_problems problems = {0};
		struct policy *policy;
		char text[512], expected[128];
		size_t covered = 0;

		(void)snprintf(text, sizeof(text), "[expect first]\n%s\n[ignore second]\n%s\n", table[i].first,
		               table[i].second);
		(void)snprintf(expected, sizeof(expected),
		               "\"second\": this rule can never match, for [expect first] at ");
		policy = fixture_policy(registry, text);
		assert_int_equal(policy_check(policy, &problems), 0);
		for (size_t j = 0; j < problems.count; j++)
			covered += strncmp(problems.list[j].text, expected, strlen(expected)) == 0;
		if (covered != table[i].covered)
			fail_msg("%s / %s: it is%s covered", table[i].first, table[i].second,
			         table[i].covered ? "" : " not");
		assert_int_equal(problems.errors, 0);
		policy_problems_free(&problems);
		policy_free(policy);
	}
}

/* Of a rule that excludes all that it includes. */
static void empty_conditions_are_told(void **state)
{
	/* clang-format off */
	static const struct {
		const char *rule, *condition; /* NULL: the rule can match, or that is not plain */
	} table[] = {
		{"exe = /x !/x", "exe = /x !/x"},
		{"exe = /x\nport = 1\nexe = !/x", "exe = /x !/x"},
		{"exe = !/opt/** /opt/x /opt/y/*", "exe = !/opt/** /opt/x /opt/y/*"},
		{"exe = /opt/x /srv/x !/opt/** !/srv/x", "exe = /opt/x /srv/x !/opt/** !/srv/x"},
		{"exe = /opt/x /srv/x !/opt/**", NULL},
		{"exe = /opt/** !/opt/x", NULL},
		{"exe = !/x !/y", NULL},
		{"exe = !/**", NULL}, /* it is, but not plainly */
		{"port = 22 !1-100", "port = 22 !1-100"},
		{"port = 1-100 !1-50 !51-100", NULL}, /* it is, but not plainly */
		{"port = 22 !22/tcp", NULL},
		{"port = 22\nservice = !ssh", NULL},
		{"service = ssh !ssh", "service = ssh !ssh"},
		{"address = 10.1.0.0/16 !10.0.0.0/8", "address = 10.1.0.0/16 !10.0.0.0/8"},
		{"user = 5 !1-9", "user = 5 !1-9"},
		{"user = no-such-user !1-9", NULL}, /* which is told of another way */
		{"user = 5 !no-such-user", NULL},
		{"container = 01* !any", "container = 01* !any"},
		{"container = none !any", NULL},
		{"userns = host !host", "userns = host !host"},
		{"userns = host !other", NULL},
		{"exe-flags = deleted !replaced", NULL},
		{"exe-flags = deleted !deleted", "exe-flags = deleted !deleted"},
		{"unit = a.service !*.service", "unit = a.service !*.service"},
		{"unit = a.service !**", "unit = a.service !**"},
		{"unit-if-any = a.service !**", NULL}, /* who has none is matched */
		{"action = closed-socket !closed-socket", "action = closed-socket !closed-socket"},
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct policy_problems problems = {0};
		struct policy *policy;
		char text[256], expected[256];
		size_t told = 0;

		(void)snprintf(text, sizeof(text), "[expect a]\n%s\n", table[i].rule);
		(void)snprintf(
		        expected, sizeof(expected),
		        "\"%s\": the rule can never match, for all that this includes it excludes, too: take the "
		        "words out, or those with '!'",
		        table[i].condition ? table[i].condition : "");
		policy = fixture_policy(registry, text);
		assert_int_equal(policy_check(policy, &problems), 0);
		for (size_t j = 0; j < problems.count; j++) {
			if (strcmp(problems.list[j].text, expected) == 0 && problems.list[j].line == 2)
				told++;
			else if (strstr(problems.list[j].text, "never match"))
				fail_msg("%s: %s", table[i].rule, problems.list[j].text);
		}
		if (told != (table[i].condition != NULL))
			fail_msg("%s: told %zu times", table[i].rule, told);
		assert_int_equal(problems.errors, 0);
		policy_problems_free(&problems);
		policy_free(policy);
	}
}

static void programs_that_do_not_exist_are_told(void **state)
{
	struct policy *policy =
	        fixture_policy(registry, "[expect a]\nexe = /bin/sh /nonexistent/program /nonexistent/*\n"
	                                 "parent = !/nonexistent/parent\n");
	struct policy_problems problems = {0};

	(void)state;
	assert_int_equal(policy_check(policy, &problems), 0);
	assert_int_equal(problems.warnings, 2);
	assert_int_equal(problems.list[0].line, 2);
	assert_string_equal(problems.list[0].text, "\"/nonexistent/program\": there is no such program on this host");
	assert_int_equal(problems.list[1].line, 3);
	policy_problems_free(&problems);
	policy_free(policy);
}

static void the_built_in_policy_has_nothing_odd(void **state)
{
	const struct policy_options options = {
	        .registry = registry, .vendor_directory = "/nonexistent", .site_directory = "/nonexistent"};
	struct policy_problems problems = {0};
	struct policy *policy;

	(void)state;
	assert_int_equal(policy_load(&options, &policy, &problems), 0);
	assert_int_equal(policy_check(policy, &problems), 0);
	for (size_t i = 0; i < problems.count; i++)
		print_error("%s:%u: %s\n", problems.list[i].file, problems.list[i].line, problems.list[i].text);
	assert_int_equal(problems.count, 0);
	assert_true(policy_files(policy) >= 1);
	policy_free(policy);
}

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

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(covered_rules_are_told),
	        cmocka_unit_test(empty_conditions_are_told),
	        cmocka_unit_test(programs_that_do_not_exist_are_told),
	        cmocka_unit_test(the_built_in_policy_has_nothing_odd),
	};

	return cmocka_run_group_tests(tests, open_registry, close_registry);
}
