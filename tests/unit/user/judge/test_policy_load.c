/* SPDX-License-Identifier: BSD-2-Clause */
/* What is refused, and how it is told; which file replaces which. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/user/judge/policy_fixture.h"
#include "user/judge/policy_read.h"

static struct registry *registry;

#define RULE   "[expect a]\nport = 1\n"
#define ALERT  "[alert a]\nport = 1\nseverity = low\n"
#define FULL64 "0123456789012345678901234567890123456789012345678901234567890123"
#define FULL256  FULL64 FULL64 FULL64 FULL64
#define FULL1024 FULL256 FULL256 FULL256 FULL256

/* 119 bytes */
#define TECHNIQUES4  "T1571.001 T1571.002 T1571.003 T1571.004"
#define TECHNIQUES12 TECHNIQUES4 " " TECHNIQUES4 " " TECHNIQUES4

/* clang-format off */
static const struct {
	const char *text;
	unsigned int line;   /* 0: the text is good */
	const char *message; /* the beginning of it */
} texts[] = {
	{RULE, 0, NULL},
	{ALERT, 0, NULL},
	{"", 0, NULL},
	{"\n\n# comment\n; comment\n  # comment\n", 0, NULL},
	{"\xef\xbb\xbf" RULE, 0, NULL},
	{"[expect a]\r\nport = 1\r\n", 0, NULL},
	{"[expect a]\nport=1", 0, NULL},
	{"  \n[expect a]   \n  port = 1\n", 0, NULL},
	{"[ expect\ta ]\nport = 1\n", 0, NULL},
	{"[expect " FULL64 "]\nport = 1\n", 0, NULL},
	{"[expect a]\nport = 1\n\n# between\n  2\n", 0, NULL},
	{"[expect a]\nexe = /a;b \"/c ;d\"\n", 0, NULL},

	{"[expect a\nport = 1\n", 1, "\"[expect a\": a heading ends with ]"},
	{"[expect a] # web\nport = 1\n", 1, "\"[expect a] # web\": a heading ends with ]"},
	{"[]\nport = 1\n", 1, "\"\": write [expect NAME]"},
	{"[expect]\nport = 1\n", 1, "\"\": a rule has a name"},
	{"[Expect a]\nport = 1\n", 1, "\"Expect\": write [expect NAME]"},
	{"[expect a b]\nport = 1\n", 1, "\"a b\": a name has letters"},
	{"[expect a/b]\nport = 1\n", 1, "\"a/b\": a name has letters"},
	{"[expect x" FULL64 "]\nport = 1\n", 1, "\"x0123"},
	{RULE "[ignore a]\nport = 2\n", 3, "\"a\": a rule has this name already, at /tmp/"},
	{"port = 1\n", 1, "\"port\": this stands before any rule"},
	{"[expect a]\n", 1, "\"a\": the rule says nothing of what it is about"},
	{"[alert a]\nport = 1\n", 1, "\"a\": an alert has a severity"},
	{"[alert a]\nseverity = low\n", 1, "\"a\": the rule says nothing of what it is about"},
	{RULE "severity = low\n", 3, "\"severity\": this belongs to alerts"},
	{RULE "message = x\n", 3, "\"message\": this belongs to alerts"},
	{RULE "technique = T1571\n", 3, "\"technique\": this belongs to alerts"},
	{ALERT "severity = low\n", 4, "\"low\": the rule has a severity already"},
	{"[alert a]\nport = 1\nseverity = Low\n", 3, "\"Low\": write informational, low"},
	{ALERT "technique = T157\n", 4, "\"T157\": write the id"},
	{ALERT "technique = T1571 T1036.05\n", 4, "\"T1036.05\": write the id"},
	{ALERT "technique = T15710\n", 4, "\"T15710\": write the id"},
	{ALERT "message = x\n  y\n", 0, NULL},
	{ALERT "message = x\nmessage = y\n", 5, "\"y\": the rule has a message already"},
	{ALERT "message = " FULL1024 "\n", 0, NULL},
	{ALERT "message = " FULL1024 "x\n", 4, "\"0123"},
	{ALERT "message = " FULL1024 "\n  x\n", 5, "\"x\": a message has 1024 bytes at most"},
	{ALERT "technique = " TECHNIQUES12 " T1571\n", 0, NULL},
	{ALERT "technique = " TECHNIQUES12 "\ntechnique = T1571 T1572.001\n", 5,
	 "\"T1572.001\": the techniques of a rule have 128 bytes at most"},
	{ALERT "message =\n", 4, "\"message\": the value is missing"},
	{RULE "prot = 1\n", 3, "\"prot\": there is no such key: did you mean port?"},
	{RULE "xyzzy = 1\n", 3, "\"xyzzy\": there is no such key: bindwatch-policy(5)"},
	{RULE FULL64 "xxxxxxxx = 1\n", 3, "\"0123"},
	{RULE "exe =\n", 3, "\"exe\": the value is missing"},
	{RULE "exe = \"\"\n", 3, "\"\"\": there is nothing between the quotes"},
	{RULE "exe = ! /x\n", 3, "\"! /x\": a word belongs behind the '!'"},
	{RULE "exe = \"/x\n", 3, "\"\"/x\": the closing quote is missing"},
	{RULE "exe = \"/x\"y\n", 3, "\"\"/x\": a blank belongs behind the closing quote"},
	{RULE "exe\n", 3, "\"exe\": write KEY = VALUE"},
	{RULE "exe ; = /x\n", 3, "\"exe ; = /x\": write KEY = VALUE"},
	{RULE "exe : /x\n", 3, "\"exe : /x\": write KEY = VALUE"},
	{RULE "exe = /x\n  comm = y\n", 4, "\"comm = y\": a line that begins with a blank goes on"},
	{RULE "x", 3, "\"x\": write KEY = VALUE"},
	{RULE "exe = /\x01\n", 3, "there is a control byte"},
	{RULE "exe = /\x7f\n", 3, "there is a control byte"},

	{"[expect a]\nport = 0\n", 2, "\"0\": ports are 1-65535"},
	{"[expect a]\nport = 65536\n", 2, "\"65536\": ports are 1-65535"},
	{"[expect a]\nport = 1-\n", 2, "\"1-\": ports are 1-65535"},
	{"[expect a]\nport = -1\n", 2, "\"-1\": write a port"},
	{"[expect a]\nport = 9-8\n", 2, "\"9-8\": the range ends before it begins: write 8-9"},
	{"[expect a]\nport = 22/xtp\n", 2, "\"22/xtp\": write tcp, udp"},
	{"[expect a]\nport = 22/\n", 2, "\"22/\": write tcp, udp"},
	{"[expect a]\nport = /tcp\n", 2, "\"/tcp\": write a port"},
	{"[expect a]\nport = ssh\n", 2, "\"ssh\": write a port"},
	{"[expect a]\nport = 123456789012345678\n", 2, "\"123456789012345678\": ports are"},
	{"[expect a]\nport = 22,23\n", 2, "\"22,23\": ports are"},
	{"[expect a]\nport = 1\n 2\n 3\n 0\n", 5, "\"0\": ports are"},
	{"[expect a]\nservice = sshh\n", 2, "\"sshh\": no service has this name in the registry of 2026-08-17: did you mean ssh"},
	{"[expect a]\nservice = qqqqqqqqqqqq\n", 2, "\"qqqqqqqqqqqq\": no service has this name in the registry of 2026-08-17: write its port"},
	{"[expect a]\ntransport = xtp\n", 2, "\"xtp\": write tcp, udp"},
	{"[expect a]\ntransport = quic\n", 2, "\"quic\": write tcp, udp, sctp, dccp"},
	{"[expect a]\nclass = privilege\n", 2, "\"privilege\": there is no such word: did you mean privileged?"},
	{"[expect a]\nstate = free\n", 2, "\"free\": write assigned, unassigned"},
	{"[expect a]\nexposure = lo\n", 2, "\"lo\": write loopback, wildcard, address"},
	{"[expect a]\naddress = 10.0.0\n", 2, "\"10.0.0\": write an address"},
	{"[expect a]\naddress = 10.0.0.0/33\n", 2, "\"10.0.0.0/33\": the length of the prefix is 0-32"},
	{"[expect a]\naddress = ::1/129\n", 2, "\"::1/129\": the length of the prefix is 0-128"},
	{"[expect a]\naddress = 10.0.0.1/8\n", 2, "\"10.0.0.1/8\": bits behind the prefix are set"},
	{"[expect a]\naddress = " FULL64 "\n", 2, "\"" FULL64 "\": write an address"},
	{"[expect a]\nchoice = random\n", 2, "\"random\": write requested, ephemeral"},
	{"[expect a]\noutcome = ok\n", 2, "\"ok\": write success, failure"},
	{"[expect a]\nerror = 13\n", 2, "\"13\": there is no such error"},
	{"[expect a]\nerror = EWHAT\n", 2, "\"EWHAT\": there is no such error"},
	{"[expect a]\naction = bind\n", 2, "\"bind\": write bound-socket, listen-for-connections, closed-socket, existing-socket"},
	{"[expect a]\naction = hook-silent\n", 2, "\"hook-silent\": the monitor tells this of itself, of no port, and no rule is asked: "
	 "write bound-socket, listen-for-connections, closed-socket, existing-socket"},
	{"[expect a]\naction = !lost\n", 2, "\"lost\": the monitor tells this of itself, of no port, and no rule is asked: "
	 "write bound-socket, listen-for-connections, closed-socket, existing-socket"},
	{"[expect a]\naction = hook-silnt\n", 2, "\"hook-silnt\": write bound-socket, listen-for-connections"},
	{"[expect a]\nexe = sshd\n", 2, "\"sshd\": a path begins with '/'"},
	{"[expect a]\nexe = /[a\n", 2, "\"/[a\": a [ without its ]"},
	{"[expect a]\nparent = sh\n", 2, "\"sh\": a path begins with '/'"},
	{"[expect a]\nancestor = sh\n", 2, "\"sh\": a path begins with '/'"},
	{"[expect a]\nexe-flags = deletd\n", 2, "\"deletd\": there is no such word: did you mean deleted?"},
	{"[expect a]\nsha256 = 00\n", 2, "\"00\": write 64 hexadecimal digits"},
	{"[expect a]\nsha256 = x" FULL64 "\n", 2, "\"x0123"},
	{"[expect a]\nsha256 = x000000000000000000000000000000000000000000000000000000000000000\n", 2, "\"x0000"},
	{"[expect a]\npackage = a\\\n", 2, "\"a\\\\\": a \\ with nothing behind it"},
	{"[expect a]\ncomm = [z-a]\n", 2, "\"[z-a]\": a range in [] ends before it begins"},
	{"[expect a]\nargs = [\n", 2, "\"[\": a [ without its ]"},
	{"[expect a]\nuser = 1000-\n", 2, "\"1000-\": write a number or a range"},
	{"[expect a]\nuser = 2-1\n", 2, "\"2-1\": the range ends before it begins: write 1-2"},
	{"[expect a]\neffective-user = 4294967295\n", 2, "\"4294967295\": write a number or a range"},
	{"[expect a]\nlogin-user = 99999999999\n", 2, "\"99999999999\": write a number"},
	{"[expect a]\ngroup = 1-2-3\n", 2, "\"1-2-3\": write a number"},
	{"[expect a]\ncapability = CAP_NET_BIND\n", 2, "\"CAP_NET_BIND\": there is no such word: did you mean CAP_NET_BIND_SERVICE?"},
	{"[expect a]\ncontainer = [\n", 2, "\"[\": a [ without its ]"},
	{"[expect a]\nunit = [\n", 2, "\"[\": a [ without its ]"},
	{"[expect a]\nslice = [\n", 2, "\"[\": a [ without its ]"},
	{"[expect a]\npod = [\n", 2, "\"[\": a [ without its ]"},
	{"[expect a]\nruntime = rkt\n", 2, "\"rkt\": "},
	{"[expect a]\nnetns = mine\n", 2, "\"mine\": write host, other or the number"},
	{"[expect a]\nnetns = 0\n", 2, "\"0\": write host, other or the number"},
	{"[expect a]\nuserns = root\n", 2, "\"root\": write host, other or the number of a namespace (lsns -t user"},
	{"[expect a]\nmntns = 4294967296\n", 2, "\"4294967296\": write host, other or the number of a namespace (lsns -t mnt"},
	{"[expect a]\nsocket = reusport\n", 2, "\"reusport\": there is no such word: did you mean reuseport?"},
	{"[expect a]\npattern = scan\n", 2, "\"scan\": write second-owner, sweep, takeover"},
	{"[expect a]\nkernel-thread = maybe\n", 2, "\"maybe\": write yes, no"},
};
/* clang-format on */

static void each_error_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct policy *policy = (struct policy *)1;
		struct policy_problems problems = {0};
		int r = fixture_load(registry, texts[i].text, &policy, &problems);

		if (!texts[i].line) {
			if (r != 0)
				fail_msg("%s: %s", texts[i].text, problems.count ? problems.list[0].text : "?");
			policy_free(policy);
		} else {
			if (r != -EINVAL || problems.errors != 1)
				fail_msg("%s: %d, %zu errors", texts[i].text, r, problems.errors);
			assert_ptr_equal(policy, 1);
			if (problems.list[0].line != texts[i].line ||
			    strncmp(problems.list[0].text, texts[i].message, strlen(texts[i].message)) != 0)
				fail_msg("%s: %u: %s", texts[i].text, problems.list[0].line, problems.list[0].text);
			assert_non_null(strstr(problems.list[0].file, "test.conf"));
		}
		policy_problems_free(&problems);
	}
}

static void all_errors_are_told_and_bounded(void **state)
{
	static char text[64 * 1024];
	struct policy *policy = NULL;
	struct policy_problems problems = {0};

	(void)state;
	(void)strcpy(text, "[expect a]\n");
	for (unsigned int i = 0; i < POLICY_PROBLEMS_MAX + 500; i++)
		(void)sprintf(text + strlen(text), "port = 0\n");
	assert_int_equal(fixture_load(registry, text, &policy, &problems), -EINVAL);
	assert_null(policy);
	assert_int_equal(problems.errors, POLICY_PROBLEMS_MAX + 500);
	assert_int_equal(problems.count, POLICY_PROBLEMS_MAX);
	for (unsigned int i = 0; i < POLICY_PROBLEMS_MAX; i++)
		assert_int_equal(problems.list[i].line, i + 2);
	policy_problems_free(&problems);
}

/* Of a length that inih cuts, up to the one that is refused. */
static void long_lines(void **state)
{
	static char text[POLICY_LINE_MAX * 2];

	(void)state;
	for (size_t len = 190; len <= POLICY_LINE_MAX + 3; len = len < 210                   ? len + 1
	                                                         : len < POLICY_LINE_MAX - 3 ? POLICY_LINE_MAX - 3
	                                                                                     : len + 1) {
		struct policy *policy = NULL;
		struct policy_problems problems = {0};
		struct event event = fixture_event(registry, "0.0.0.0", 80);
		struct process process = {.executable.path = text + sizeof("[expect a]\nexe = ") - 1};
		int r;

		(void)strcpy(text, "[expect a]\nexe = /");
		memset(text + strlen(text), 'x', len - strlen("exe = /"));
		text[sizeof("[expect a]\n") - 1 + len] = '\0';
		r = fixture_load(registry, text, &policy, &problems);
		if (len > POLICY_LINE_MAX) {
			assert_int_equal(r, -EINVAL);
			assert_int_equal(problems.list[0].line, 2);
			assert_memory_equal(problems.list[0].text, "the line is longer than 8192 bytes", 34);
		} else {
			assert_int_equal(r, 0);
			event.process = &process;
			policy_judge(policy, &event);
			assert_int_equal(event.verdict.verdict, VERDICT_EXPECT);
			policy_free(policy);
		}
		policy_problems_free(&problems);
	}
}

static void a_nul_is_refused(void **state)
{
	static const char text[] = RULE "exe = /a\0b\n";
	char directory[64], path[128];
	const char *const paths[] = {path};
	const struct policy_options options = {.registry = registry, .paths = paths, .paths_count = 1};
	struct policy_problems problems = {0};
	struct policy *policy;

	(void)state;
	fixture_directory(directory);
	fixture_write(directory, "n", text, sizeof(text) - 1);
	(void)snprintf(path, sizeof(path), "%s/n", directory);
	assert_int_equal(policy_load(&options, &policy, &problems), -EINVAL);
	assert_int_equal(problems.list[0].line, 3);
	policy_problems_free(&problems);
	fixture_remove(directory);
}

static void write_text(const char *directory, const char *name, const char *text)
{
	fixture_write(directory, name, text, strlen(text));
}

/* Loads what the options name; the names of the rules in their order, "-" where it is refused. */
static void load_order(const struct policy_options *options, const char *expected_of[])
{
	struct policy_problems problems = {0};
	struct policy *policy;

	if (policy_load(options, &policy, &problems) < 0) {
		for (size_t i = 0; i < problems.count; i++)
			print_error("%s: %s\n", problems.list[i].file, problems.list[i].text);
		fail();
	}
	for (uint16_t port = 1; expected_of[port - 1]; port++) {
		struct event event = fixture_event(registry, "0.0.0.0", port);

		policy_judge(policy, &event);
		assert_string_equal(event.verdict.rule ? event.verdict.rule : "-", expected_of[port - 1]);
	}
	policy_problems_free(&problems);
	policy_free(policy);
}

static void a_file_of_the_site_replaces_the_vendors(void **state)
{
	char vendor[64], site[64], link_path[128];
	const struct policy_options options = {
	        .registry = registry, .vendor_directory = vendor, .site_directory = site};
	static const char *const files[][2] = {
	        {"00-a.conf", "[ignore vendor-a]\nport = 1-2\n"},
	        {"00-b.conf", "[ignore vendor-b]\nport = 3\n"},
	        {"00-c.conf", "[ignore vendor-c]\nport = 4\n"},
	        {"00-d.conf", "[ignore vendor-d]\nport = 5-6\n"},
	        {"00-not-read.conf.dpkg-old", "[ignore vendor-x]\nport = 5\n"},
	        {".00-hidden.conf", "[ignore vendor-y]\nport = 5\n"},
	};

	(void)state;
	fixture_directory(vendor);
	fixture_directory(site);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		fixture_write(vendor, files[i][0], files[i][1], strlen(files[i][1]));
	write_text(site, "00-b.conf", "[ignore site-b]\nport = 3\n");
	write_text(site, "00-c.conf", "");
	(void)snprintf(link_path, sizeof(link_path), "%s/00-d.conf", site);
	assert_int_equal(symlink("/dev/null", link_path), 0);
	write_text(site, "00-aa.conf", "[ignore site-aa]\nport = 1-4\n");
	/* "00-a.conf" goes before "00-aa.conf", which goes before "00-b.conf" */
	load_order(&options, (const char *[]){"vendor-a", "vendor-a", "site-aa", "site-aa", "privileged-port", NULL});
	fixture_remove(vendor);
	fixture_remove(site);
}

static void the_built_in_files_are_replaced_by_name(void **state)
{
	char site[64];
	struct policy_options options = {
	        .registry = registry, .vendor_directory = "/nonexistent", .site_directory = site};
	static const char mask[] = "# nothing\n";

	(void)state;
	fixture_directory(site);
	load_order(&options, (const char *[]){"privileged-port", NULL});
	fixture_write(site, "90-ports.conf", mask, strlen(mask));
	load_order(&options, (const char *[]){"-", NULL});
	fixture_remove(site);
}

static void named_paths_are_used_alone_and_in_order(void **state)
{
	char directory[64], file[128];
	const char *paths[2];
	struct policy_options options = {.registry = registry, .paths = paths, .paths_count = 2};

	(void)state;
	fixture_directory(directory);
	write_text(directory, "b.conf", "[ignore b]\nport = 1-2\n");
	write_text(directory, "a.conf", "[ignore a]\nport = 1\n");
	write_text(directory, "z.text", "[ignore z]\nport = 1-3\n");
	(void)snprintf(file, sizeof(file), "%s/z.text", directory);
	paths[0] = directory;
	paths[1] = file;
	load_order(&options, (const char *[]){"a", "b", "z", "-", NULL});
	paths[0] = file;
	paths[1] = directory;
	load_order(&options, (const char *[]){"z", "z", "z", "-", NULL});
	fixture_remove(directory);
}

static void what_cannot_be_read_is_told(void **state)
{
	char directory[64], fifo[128];
	static const char *const messages[] = {"it cannot be read: No such file",
	                                       "there is no file in it whose name ends", "this is no file"};
	const char *const paths[] = {"/nonexistent/policy", directory, fifo};

	(void)state;
	fixture_directory(directory);
	(void)snprintf(fifo, sizeof(fifo), "%s/fifo", directory);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	for (size_t i = 0; i < 3; i++) {
		const struct policy_options options = {.registry = registry, .paths = &paths[i], .paths_count = 1};
		struct policy_problems problems = {0};
		struct policy *policy;

		assert_int_equal(policy_load(&options, &policy, &problems), -EINVAL);
		assert_int_equal(problems.errors, 1);
		assert_int_equal(problems.list[0].line, 0);
		assert_string_equal(problems.list[0].file, paths[i]);
		assert_memory_equal(problems.list[0].text, messages[i], strlen(messages[i]));
		policy_problems_free(&problems);
	}
	fixture_remove(directory);
}

/* Bytes changed at random, and the sanitizers look on: it is read or refused, and a refusal names a line. */
static void mutated_files_are_harmless(void **state)
{
	static const char text[] = "[expect a]\nport = 22/tcp 80-90\nexe = \"/usr/[a-z]*\" !/tmp/**\n  /opt/x\n"
	                           "# note\n[alert b.c]\nuser = 0-99\nseverity = low\nmessage = x ; y\n"
	                           "technique = T1571\nservice = ssh\naddress = 10.0.0.0/8 ::1\n";
	char directory[64], path[128];
	const char *const paths[] = {path};
	const struct policy_options options = {.registry = registry, .paths = paths, .paths_count = 1};
	size_t good = 0, bad = 0;

	(void)state;
	fixture_directory(directory);
	(void)snprintf(path, sizeof(path), "%s/m", directory);
	srandom(5);
	for (unsigned int round = 0; round < 1500; round++) {
		struct policy_problems problems = {0};
		struct policy *policy = NULL;
		char copy[sizeof(text)];

		memcpy(copy, text, sizeof(text));
		for (unsigned int i = 0; i < 1 + round % 3; i++)
			copy[(size_t)random() % (sizeof(text) - 1)] = (char)("[]=\"!\n \\;#:x\0\xff\t"[random() % 15]);
		fixture_write(directory, "m", copy, sizeof(text) - 1);
		if (policy_load(&options, &policy, &problems) == 0) {
			good++;
			assert_int_equal(problems.errors, 0);
		} else {
			bad++;
			assert_true(problems.errors > 0);
			assert_true(problems.list[0].line > 0);
		}
		policy_free(policy);
		policy_problems_free(&problems);
	}
	assert_true(good > 100 && bad > 100);
	fixture_remove(directory);
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
	        cmocka_unit_test(each_error_is_told),
	        cmocka_unit_test(all_errors_are_told_and_bounded),
	        cmocka_unit_test(long_lines),
	        cmocka_unit_test(a_nul_is_refused),
	        cmocka_unit_test(a_file_of_the_site_replaces_the_vendors),
	        cmocka_unit_test(the_built_in_files_are_replaced_by_name),
	        cmocka_unit_test(named_paths_are_used_alone_and_in_order),
	        cmocka_unit_test(what_cannot_be_read_is_told),
	        cmocka_unit_test(mutated_files_are_harmless),
	};

	return cmocka_run_group_tests(tests, open_registry, close_registry);
}
