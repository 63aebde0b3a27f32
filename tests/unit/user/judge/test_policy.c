/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <linux/types.h>

#include "bpf/bindwatch.h"
#include "tests/unit/user/judge/policy_fixture.h"

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

static void first_match_wins(void **state)
{
	struct policy *policy = fixture_policy(registry, "[alert second-port]\n"
	                                                 "port = 81\n"
	                                                 "severity = low\n"
	                                                 "[expect web]\n"
	                                                 "port = 80-82\n"
	                                                 "\n"
	                                                 "[ignore rest]\n"
	                                                 "port = 1-1000\n"
	                                                 "[alert never]\n"
	                                                 "port = 82\n"
	                                                 "severity = critical\n"
	                                                 "message = it cannot be\n"
	                                                 "technique = T1571 T1036.005\n"
	                                                 "[alert high]\n"
	                                                 "port = 60000-65535\n"
	                                                 "severity = critical\n"
	                                                 "message = over = there ; and \"here\" # too\n"
	                                                 "  and there\n"
	                                                 "technique = T1571 T1036.005\n"
	                                                 "technique = T1046\n");
	static const struct {
		uint16_t port;
		const char *rule;
		enum verdict verdict;
		enum severity severity;
		unsigned int line;
	} table[] = {
	        {80, "web", VERDICT_EXPECT, SEVERITY_NONE, 4},
	        {81, "second-port", VERDICT_ALERT, SEVERITY_LOW, 1},
	        {82, "web", VERDICT_EXPECT, SEVERITY_NONE, 4},
	        {83, "rest", VERDICT_IGNORE, SEVERITY_NONE, 7},
	        {1000, "rest", VERDICT_IGNORE, SEVERITY_NONE, 7},
	        {1001, NULL, VERDICT_NONE, SEVERITY_NONE, 0},
	        {65535, "high", VERDICT_ALERT, SEVERITY_CRITICAL, 14},
	};

	(void)state;
	assert_int_equal(policy_rules(policy), 5);
	assert_int_equal(policy_files(policy), 1);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct event event = fixture_event(registry, "0.0.0.0", table[i].port);

		print_message("%u\n", table[i].port);
		event.verdict = (struct event_verdict){.verdict = VERDICT_ALERT, .rule = "of another event"};
		policy_judge(policy, &event);
		assert_int_equal(event.verdict.verdict, table[i].verdict);
		assert_int_equal(event.verdict.severity, table[i].severity);
		assert_int_equal(event.verdict.line, table[i].line);
		if (table[i].rule)
			assert_string_equal(event.verdict.rule, table[i].rule);
		else
			assert_null(event.verdict.rule);
		if (table[i].port == 65535) {
			assert_string_equal(event.verdict.message, "over = there ; and \"here\" # too and there");
			assert_string_equal(event.verdict.techniques, "T1571 T1036.005 T1046");
			assert_string_equal(strrchr(event.verdict.file, '/'), "/test.conf");
		}
	}
	policy_free(policy);
}

/* Without `action`, a rule is about the taking of a port. */
static void the_default_actions(void **state)
{
	struct policy *policy = fixture_policy(registry, "[ignore closed]\nport = 80\naction = closed-socket\n"
	                                                 "[expect taken]\nport = 80\n"
	                                                 "[ignore others]\nport = 80\naction = !bound-socket\n");
	static const struct {
		enum event_action action;
		uint32_t flags;
		const char *rule;
	} table[] = {
	        {EVENT_BOUND, 0, "taken"},   {EVENT_EXISTING, 0, "taken"}, {EVENT_LISTEN, BW_SOCKET_AUTOBOUND, "taken"},
	        {EVENT_LISTEN, 0, "others"}, {EVENT_CLOSED, 0, "closed"},  {EVENT_LOST, 0, NULL},
	        {EVENT_LISTEN, BW_SOCKET_UNTOLD, "taken"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct event event = fixture_event(registry, "0.0.0.0", 80);

		event.action = table[i].action;
		event.socket_flags = table[i].flags;
		policy_judge(policy, &event);
		if (table[i].rule)
			assert_string_equal(event.verdict.rule ? event.verdict.rule : "(none)", table[i].rule);
		else
			assert_null(event.verdict.rule);
	}
	policy_free(policy);
}

static void a_silent_hook_is_an_alert_without_any_rule(void **state)
{
	struct policy *policy = fixture_policy(registry, "[ignore all]\nport = 1-65535\n"
	                                                 "[ignore rest]\noutcome = success failure\n"
	                                                 "action = !closed-socket\n");

	(void)state;
	for (unsigned int i = 0; i < 2; i++) {
		struct event event = {.action = EVENT_SILENT, .hook = "x", .cause = "y"};

		policy_judge(i ? policy : NULL, &event);
		assert_int_equal(event.verdict.verdict, VERDICT_ALERT);
		assert_int_equal(event.verdict.severity, SEVERITY_CRITICAL);
		assert_string_equal(event.verdict.rule, "hook-silent");
	}
	policy_free(policy);
}

/* A port that is listed by number, one in a wide range and one by service give the order of the file, not of the index.
 */
static void the_index_keeps_the_order(void **state)
{
	static const char *const heads[] = {"port = 443",
	                                    "port = 1-65535",
	                                    "service = https",
	                                    "state = assigned",
	                                    "port = 400-500\nservice = https",
	                                    "port = !80"};
	const size_t count = sizeof(heads) / sizeof(heads[0]);

	(void)state;
	for (size_t first = 0; first < count; first++) {
		char text[1024] = "";
		struct event event = fixture_event(registry, "0.0.0.0", 443);
		struct policy *policy;

		for (size_t i = 0; i < count; i++)
			(void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "[expect r%zu]\n%s\n", i,
			               heads[(first + i) % count]);
		policy = fixture_policy(registry, text);
		policy_judge(policy, &event);
		assert_string_equal(event.verdict.rule, "r0");
		policy_free(policy);
	}
}

/* Random rules on ports: the index finds what a walk from the first rule to the last finds. */
static void the_index_agrees_with_a_walk(void **state)
{
	enum { RULES = 200 };
	static struct {
		unsigned int first, last;
		bool tcp;
	} rules[RULES];
	char *text = calloc(1, RULES * 64);
	struct policy *policy;

	(void)state;
	srandom(11);
	for (unsigned int i = 0; i < RULES; i++) {
		unsigned int width =
		        (unsigned int)random() % 3 ? (unsigned int)random() % 4 : (unsigned int)random() % 200;

		rules[i].first = 1 + (unsigned int)random() % 1000;
		rules[i].last = rules[i].first + width;
		rules[i].tcp = random() % 2;
		(void)sprintf(text + strlen(text), "[expect r%u]\nport = %u-%u%s\n", i, rules[i].first, rules[i].last,
		              rules[i].tcp ? "/tcp" : "/udp");
	}
	policy = fixture_policy(registry, text);
	for (unsigned int port = 1; port < 1300; port++) {
		struct event event = fixture_event(registry, "0.0.0.0", (uint16_t)port);
		unsigned int expected;
		char name[16];

		for (expected = 0; expected < RULES; expected++)
			if (rules[expected].tcp && port >= rules[expected].first && port <= rules[expected].last)
				break;
		policy_judge(policy, &event);
		(void)snprintf(name, sizeof(name), "r%u", expected);
		assert_string_equal(event.verdict.rule ? event.verdict.rule : "r200", name);
	}
	policy_free(policy);
	free(text);
}

static void the_built_in_ports_are_alerts(void **state)
{
	static const struct {
		const char *what;
		uint16_t port, start;
		int error;
		bool ephemeral;
		const char *rule;
		enum severity severity;
	} table[] = {
	        {"privileged, not expected", 81, 1024, 0, false, "privileged-port", SEVERITY_HIGH},
	        {"privileged, reserved too", 1023, 1024, 0, false, "privileged-port", SEVERITY_HIGH},
	        {"failed", 81, 1024, EADDRINUSE, false, NULL, SEVERITY_NONE},
	        {"ephemeral", 40001, 1024, 0, true, NULL, SEVERITY_NONE},
	};
	const struct policy_options options = {
	        .registry = registry, .vendor_directory = "/nonexistent", .site_directory = "/nonexistent"};
	struct policy_problems problems = {0};
	struct policy *policy;

	(void)state;
	assert_int_equal(policy_load(&options, &policy, &problems), 0);
	assert_int_equal(problems.count, 0);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct event event = fixture_event(registry, "0.0.0.0", table[i].port);

		print_message("%s\n", table[i].what);
		event.unprivileged_port_start = table[i].start;
		event.error = table[i].error;
		if (table[i].ephemeral)
			event.requested.port = 0;
		classify(registry, &event);
		policy_judge(policy, &event);
		if (!table[i].rule) {
			assert_int_not_equal(event.verdict.verdict, VERDICT_ALERT);
			continue;
		}
		assert_string_equal(event.verdict.rule ? event.verdict.rule : "(none)", table[i].rule);
		assert_int_equal(event.verdict.severity, table[i].severity);
		assert_memory_equal(event.verdict.file, POLICY_BUILT_IN, strlen(POLICY_BUILT_IN));
	}
	policy_free(policy);
	policy_problems_free(&problems);
}

/* From the least to the gravest. */
static void verdicts_have_an_order(void **state)
{
	static const struct event_verdict rows[] = {
	        {.verdict = VERDICT_EXPECT},
	        {.verdict = VERDICT_IGNORE},
	        {.verdict = VERDICT_NONE},
	        {.verdict = VERDICT_ALERT, .severity = SEVERITY_INFORMATIONAL},
	        {.verdict = VERDICT_ALERT, .severity = SEVERITY_MEDIUM},
	        {.verdict = VERDICT_ALERT, .severity = SEVERITY_CRITICAL},
	};
	const size_t count = sizeof(rows) / sizeof(rows[0]);

	(void)state;
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < count; j++)
			if (policy_is_graver(&rows[i], &rows[j]) != (i > j))
				fail_msg("row %zu against %zu", i, j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(first_match_wins),
	        cmocka_unit_test(the_default_actions),
	        cmocka_unit_test(a_silent_hook_is_an_alert_without_any_rule),
	        cmocka_unit_test(the_index_keeps_the_order),
	        cmocka_unit_test(the_index_agrees_with_a_walk),
	        cmocka_unit_test(the_built_in_ports_are_alerts),
	        cmocka_unit_test(verdicts_have_an_order),
	};

	return cmocka_run_group_tests(tests, open_registry, close_registry);
}
