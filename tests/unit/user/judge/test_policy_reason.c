/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/user/judge/policy_fixture.h"

static struct registry *registry;

static const char rules[] = "[expect sshd]\nservice = ssh\nexe = /usr/sbin/sshd !/tmp/x\n"
                            "[expect sshd-socket]\nport = 22/tcp\nunit = ssh.socket\n"
                            "[expect sshd-again]\nport = 22\nexe = /usr/sbin/sshd\n"
                            "[ignore other-ssh]\nport = 22\nexe = /opt/ignored\n"
                            "[expect udp-only]\nport = 22/udp\nexe = /opt/udp\n"
                            "[expect web]\nservice = http\nexe = /a /b /c /d /e /f\n"
                            "[expect anything-of-root]\nuser = root\nexe = /usr/bin/root-only\n"
                            "[alert all]\nport = 1-65535\nseverity = high\nmessage = look here\n"
                            "[alert closed]\naction = closed-socket\nport = 1-65535\nseverity = low\n";

static void reason_table(void **state)
{
	static const struct {
		uint16_t port, protocol;
		int error;
		enum event_action action;
		struct process process;
		const char *reason;
	} table[] = {
	        {22,
	         IPPROTO_TCP,
	         0,
	         EVENT_BOUND,
	         {.executable.path = "/usr/bin/python3", .working_directory = "/tmp"},
	         "look here: tcp/22 is ssh; expected /usr/sbin/sshd or ssh.socket, was /usr/bin/python3 run by user 7 "
	         "from /tmp"},
	        {80,
	         IPPROTO_TCP,
	         0,
	         EVENT_BOUND,
	         {.executable.path = "/x"},
	         "look here: tcp/80 is http; expected /a or /b or /c or /d or 2 more, was /x run by user 7"},
	        {4,
	         IPPROTO_TCP,
	         0,
	         EVENT_BOUND,
	         {.executable = {.path = NULL}},
	         "look here: tcp/4 is unassigned; nothing is known to be expected there, was nginx run by user 7"},
	        {50000,
	         IPPROTO_UDP,
	         EACCES,
	         EVENT_BOUND,
	         {.executable = {.path = "sbin/x", .path_truncated = true}},
	         "look here: udp/50000 is not listed; nothing is known to be expected there, tried by ...sbin/x run by "
	         "user 7"},
	        {22,
	         IPPROTO_TCP,
	         0,
	         EVENT_CLOSED,
	         {.executable.path = "/x"},
	         "tcp/22 is ssh; expected /usr/sbin/sshd or ssh.socket, was /x run by user 7"},
	        {9,
	         IPPROTO_TCP,
	         0,
	         EVENT_BOUND,
	         {.executable = {.path = "/tmp/\x1b[2J\n", .flags = 3, .flags_known = 1},
	          .cgroup.container_id = "0123456789abcdef"},
	         "look here: tcp/9 is discard; nothing is known to be expected there, was /tmp/\\x1b[2J\\n (memfd) run "
	         "by user 7 "
	         "in container 0123456789ab"},
	};
	struct policy *policy = fixture_policy(registry, rules);

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct event event = fixture_event(registry, "0.0.0.0", table[i].port);
		char text[POLICY_REASON_LEN];

		event.action = table[i].action;
		event.uid = 7;
		event.process = &table[i].process;
		event.error = table[i].error;
		event.protocol = table[i].protocol;
		classify(registry, &event);
		policy_judge(policy, &event);
		assert_int_equal(event.verdict.verdict, VERDICT_ALERT);
		policy_reason(policy, &event, NULL, text);
		assert_string_equal(text, table[i].reason);
	}
	policy_free(policy);
}

static void users_have_names(void **state)
{
	struct event event = fixture_event(registry, "0.0.0.0", 22);
	static struct user_cache users;
	char text[POLICY_REASON_LEN];

	(void)state;
	policy_reason(NULL, &event, &users, text);
	assert_string_equal(text, "tcp/22 is ssh; nothing is known to be expected there, was nginx run by root");
}

static void other_events_have_a_reason(void **state)
{
	struct event silent = {.action = EVENT_SILENT}, unknown = {.action = EVENT_EXISTING};
	struct event ephemeral = fixture_event(registry, "0.0.0.0", 40001);
	char text[POLICY_REASON_LEN];

	(void)state;
	policy_reason(NULL, &silent, NULL, text);
	assert_string_equal(text, "a hook of the monitor reports nothing any more");
	policy_reason(NULL, &unknown, NULL, text);
	assert_string_equal(text,
	                    "a port that is not known; nothing is known to be expected there, was no process that is "
	                    "seen run by user 0");
	ephemeral.facts.ephemeral = true;
	policy_reason(NULL, &ephemeral, NULL, text);
	assert_memory_equal(text, "tcp/40001 was chosen by the kernel; ", 36);
}

/* Of the longest texts: it is cut, and says so. */
static void long_texts_are_cut(void **state)
{
	static char path[5000];
	struct process process = {.executable.path = path, .working_directory = path};
	struct event event = fixture_event(registry, "0.0.0.0", 22);
	char text[POLICY_REASON_LEN + 8];

	(void)state;
	memset(path, 0x01, sizeof(path) - 1);
	memset(text, 'x', sizeof(text));
	event.process = &process;
	policy_reason(NULL, &event, NULL, text);
	assert_true(strlen(text) < POLICY_REASON_LEN);
	assert_string_equal(text + strlen(text) - 7, "\\x01...");
	assert_int_equal(text[POLICY_REASON_LEN], 'x');
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
	        cmocka_unit_test(reason_table),
	        cmocka_unit_test(users_have_names),
	        cmocka_unit_test(other_events_have_a_reason),
	        cmocka_unit_test(long_texts_are_cut),
	};

	return cmocka_run_group_tests(tests, open_registry, close_registry);
}
