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
                            "[expect in-unit]\nport = 9/tcp\nexe = /u\nunit-if-any = u.service u@*.service\n"
                            "[expect interpreter]\nport = 9/tcp\nexe = /p\nunit = p.service\n"
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
	         "look here: tcp/80 is http; expected /a or /b or /c and 3 more, was /x run by user 7"},
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
	          .cgroup = {.container_id = "0123456789abcdef", .image = "nginx:1.27"}},
	         "look here: tcp/9 is discard; expected /u or /p, was /tmp/\\x1b[2J\\n (memfd) run by user 7 "
	         "in container 0123456789ab of nginx:1.27"},
	        /* the right program in the wrong place */
	        {9,
	         IPPROTO_TCP,
	         0,
	         EVENT_BOUND,
	         {.executable.path = "/u",
	          .working_directory = "/root",
	          .cgroup = {.path = "/x", .unit = "session-3.scope"}},
	         "look here: tcp/9 is discard; expected this program in u.service or u@*.service, was /u run by user 7 "
	         "in session-3.scope from /root"},
	        {9,
	         IPPROTO_TCP,
	         0,
	         EVENT_BOUND,
	         {.executable.path = "/p", .cgroup = {.path = "/x", .unit = "session-3.scope"}},
	         "look here: tcp/9 is discard; expected /u or p.service, was /p run by user 7"},
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

/* Of what is right it tells that it is, and not what else would be. */
static void what_is_expected_or_ignored_reads_so(void **state)
{
	static const struct {
		uint16_t port;
		int error;
		struct process process;
		enum verdict verdict;
		const char *reason;
	} table[] = {
	        {22,
	         0,
	         {.executable.path = "/usr/sbin/sshd", .working_directory = "/"},
	         VERDICT_EXPECT,
	         "tcp/22 is ssh; /usr/sbin/sshd run by user 7 is expected there"},
	        {80,
	         EADDRINUSE,
	         {.executable.path = "/f", .cgroup.container_id = "0123456789abcdef"},
	         VERDICT_EXPECT,
	         "tcp/80 is http; /f run by user 7 in container 0123456789ab is expected there"},
	        {22,
	         0,
	         {.executable = {.path = "/opt/ignored", .flags = 2, .flags_known = 2}},
	         VERDICT_IGNORE,
	         "tcp/22 is ssh; /opt/ignored (deleted) run by user 7 is ignored there"},
	};
	struct policy *policy = fixture_policy(registry, rules);

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct event event = fixture_event(registry, "0.0.0.0", table[i].port);
		char text[POLICY_REASON_LEN];

		event.uid = 7;
		event.process = &table[i].process;
		event.error = table[i].error;
		policy_judge(policy, &event);
		assert_int_equal(event.verdict.verdict, table[i].verdict);
		policy_reason(policy, &event, NULL, text);
		assert_string_equal(text, table[i].reason);
	}
	policy_free(policy);
}

/* Asks for the user, and gives him the name whatever the system says. */
static void name_user(struct user_cache *users, uint32_t uid, const char *name)
{
	(void)user_cache_name(users, uid);
	for (size_t i = 0; i < USER_CACHE_ENTRIES; i++) {
		if (users->users[i].used && users->users[i].id == uid)
			(void)snprintf(users->users[i].name, sizeof(users->users[i].name), "%s", name);
	}
}

/* The expectation's part of the sentence, of a policy's rules. */
static void assert_expected(const struct policy *policy, uint16_t port, uint16_t protocol, const char *wanted)
{
	static struct user_cache users;
	struct process process = {.executable.path = "/usr/bin/python3", .working_directory = "/tmp"};
	struct event event = fixture_event(registry, "0.0.0.0", port);
	char text[POLICY_REASON_LEN], *tail;

	name_user(&users, 1234, "alice");
	event.uid = 1234;
	event.process = &process;
	event.protocol = protocol;
	classify(registry, &event);
	policy_reason(policy, &event, &users, text);
	tail = strstr(text, ", was /usr/bin/python3 run by alice from /tmp");
	assert_non_null(tail);
	*tail = '\0';
	assert_string_equal(text, wanted);
}

/* First who is expected for the service, then by the number, last in a unit only; who takes any port is not told. */
static void what_is_expected_most_is_told_first(void **state)
{
	static const struct {
		const char *rules, *expected;
	} table[] = {
	        {"[expect a]\nport = 80\nexe = /usr/bin/python3*\nunit = a.service\n[expect b]\nport = 80\nexe = /b\n",
	         "/b or a.service"},
	        {"[expect a]\nport = 80\nexe = /a\n[expect b]\nservice = http\nexe = /b\n", "/b or /a"},
	        {"[expect a]\nport = 70-81\nexe = /a\n[expect b]\nport = 80-81\nexe = /b\n[expect c]\nport = 80\nexe = /c\n",
	         "/c or /b or /a"},
	        {"[expect a]\nport = 65-80\nexe = /a\n", "/a"},
	        {"[expect a]\nport = 64-80\nexe = /a\n", NULL},
	        {"[expect a]\nport = 1-65535 80\nexe = /a\n", "/a"},
	        {"[expect a]\nport = !81\nexe = /a\n", NULL},
	        {"[expect a]\nexe = /a\n", NULL},
	        {"[expect a]\ntransport = tcp\nexe = /a\n", NULL},
	        {"[expect a]\nport = 80/udp\nexe = /a\n", NULL},
	        {"[ignore a]\nport = 80\nexe = /a\n", NULL},
	        {"[expect a]\nport = 80\nunit = a.socket\n", "a.socket"},
	        {"[expect a]\nport = 80\nexe = /usr/sbin/a /usr/bin/a /a !/b /usr/*bin/b\n", "/usr/sbin/a or /usr/*bin/b"},
	        {"[expect a]\nport = 80\nexe = /a /b /c /d\n", "/a or /b or /c and 1 more"},
	        {"[expect a]\nport = 80\nexe = /a /b /c /d /e\n[expect b]\nport = 80\nexe = /e /f\n",
	         "/a or /b or /c and 3 more"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct policy *policy = fixture_policy(registry, table[i].rules);
		char wanted[256];

		(void)snprintf(wanted, sizeof(wanted), "tcp/80 is http; %s%s", table[i].expected ? "expected " : "",
		               table[i].expected ? table[i].expected : "nothing is known to be expected there");
		assert_expected(policy, 80, IPPROTO_TCP, wanted);
		policy_free(policy);
	}
}

/* What the shipped rules say of well-known ports. */
static void shipped_sentences(void **state)
{
	static const struct {
		uint16_t port, protocol;
		const char *wanted;
	} table[] = {
	        {22, IPPROTO_TCP,
	         "tcp/22 is ssh; expected /usr/sbin/sshd or /usr/*bin/dropbear or /usr/*bin/tinysshd "
	         "and 1 more"},
	        {80, IPPROTO_TCP,
	         "tcp/80 is http; expected /usr/sbin/nginx or /usr/sbin/apache2 or /usr/sbin/httpd and "
	         "40 more"},
	        {20001, IPPROTO_TCP, "tcp/20001 is microsan; nothing is known to be expected there"},
	        {8124, IPPROTO_TCP, "tcp/8124 is unassigned; nothing is known to be expected there"},
	        {8124, IPPROTO_UDP, "udp/8124 is unassigned; nothing is known to be expected there"},
	};
	const struct policy_options options = {.registry = registry,
	                                       .host = HOST_NAMESPACES,
	                                       .vendor_directory = "/nonexistent",
	                                       .site_directory = "/nonexistent"};
	struct policy_problems problems = {0};
	struct policy *policy;

	(void)state;
	assert_int_equal(policy_load(&options, &policy, &problems), 0);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_expected(policy, table[i].port, table[i].protocol, table[i].wanted);
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
	                    "a port that is not known; nothing is known to be expected there, was a socket of user "
	                    "0 that no process is seen to hold");
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
	        cmocka_unit_test(what_is_expected_or_ignored_reads_so),
	        cmocka_unit_test(what_is_expected_most_is_told_first),
	        cmocka_unit_test(shipped_sentences),
	        cmocka_unit_test(users_have_names),
	        cmocka_unit_test(other_events_have_a_reason),
	        cmocka_unit_test(long_texts_are_cut),
	};

	return cmocka_run_group_tests(tests, open_registry, close_registry);
}
