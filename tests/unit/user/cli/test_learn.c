/* SPDX-License-Identifier: BSD-2-Clause */
/* What is learnt, what is refused, and the sections that come of it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/user/cli/learn_fixture.h"

/*
 * Without comments and empty lines, the eight digits of a name, and the namespace, which follows upon each program.
 */
static char *rules_of(const char *text)
{
	char *rules = calloc(1, strlen(text) + 1), *at = rules;

	for (const char *line = text, *end; *line; line = end + 1) {
		end = strchr(line, '\n');
		assert_non_null(end);
		if (*line == '#' || *line == '\n')
			continue;
		if (strncmp(line, "exe = ", 6) == 0) {
			at = mempcpy(at, line, (size_t)(end - line) + 1);
			line = end + 1;
			end = strchr(line, '\n');
			assert_memory_equal(line, "userns = host\n", end + 1 - line);
			continue;
		}
		if (*line == '[') {
			at = mempcpy(at, line, (size_t)(end - line) - strlen("-01234567]"));
			at = stpcpy(at, "]\n");
		} else {
			at = mempcpy(at, line, (size_t)(end - line) + 1);
		}
	}
	return rules;
}

#define SAMPLES 6

static void sections(void **state)
{
	static const struct {
		const char *name, *rules;
		bool all;
		struct sample samples[SAMPLES];
	} table[] = {
	        {.name = "by program and unit",
	         .rules = "[expect learnt-sshd]\nexe = /usr/sbin/sshd\nunit = ssh.service\nport = 22/tcp 8022/tcp\n",
	         .samples = {{.exe = "/usr/sbin/sshd", .unit = "ssh.service", .port = 8022},
	                     {.exe = "/usr/sbin/sshd", .unit = "ssh.service", .port = 22},
	                     {.exe = "/usr/sbin/sshd", .unit = "ssh.service", .port = 22}}},
	        {.name = "two units, two sections",
	         .rules = "[expect learnt-x]\nexe = /opt/x\nunit = a@1.service\nport = 8001/tcp\n"
	                  "[expect learnt-x]\nexe = /opt/x\nunit = a@2.service\nport = 8002/tcp\n",
	         .samples = {{.exe = "/opt/x", .unit = "a@2.service", .port = 8002},
	                     {.exe = "/opt/x", .unit = "a@1.service", .port = 8001}}},
	        {.name = "a login has no unit that lasts",
	         .rules = "[expect learnt-x]\nexe = /opt/x\ncontainer = none\nport = 8001/tcp\n",
	         .samples = {{.exe = "/opt/x", .unit = "session-2.scope", .port = 8001},
	                     {.exe = "/opt/x", .unit = "session-3.scope", .port = 8001},
	                     {.exe = "/opt/x", .unit = "run-u5.service", .port = 8001},
	                     {.exe = "/opt/x", .unit = "user@1000.service", .port = 8001}}},
	        {.name = "nor has what nothing is known of",
	         .rules = "[expect learnt-x]\nexe = /opt/x\nport = 8001/tcp\n",
	         .samples = {{.exe = "/opt/x", .port = 8001}}},
	        {.name = "a container, by no name that its next start changes",
	         .rules = "[expect learnt-x]\nexe = /opt/x\ncontainer = any\nport = 8001/tcp\n",
	         .samples = {{.exe = "/opt/x", .unit = "docker-0a1b.scope", .container = "0a1b", .port = 8001},
	                     {.exe = "/opt/x", .unit = "docker-2c3d.scope", .container = "2c3d", .port = 8001}}},
	        {.name = "a container of a unit",
	         .rules = "[expect learnt-x]\nexe = /opt/x\nunit = x.service\ncontainer = any\nport = 8001/tcp\n",
	         .samples = {{.exe = "/opt/x", .unit = "x.service", .container = "0a1b", .port = 8001}}},
	        {.name = "an interpreter of a unit",
	         .rules = "[expect learnt-python3.11]\nexe = /usr/bin/python3.11\nunit = x.service\nport = 8001/tcp\n",
	         .samples = {{.exe = "/usr/bin/python3.11", .unit = "x.service", .port = 8001}}},
	        /* 6379/tcp bears a name that no other port has; 22 is ssh of three transports */
	        {.name = "the name of a service where it says the same",
	         .rules = "[expect learnt-x]\nexe = /opt/x\nservice = redis\n",
	         .samples = {{.exe = "/opt/x", .port = 6379}}},
	        {.name = "a name for two transports",
	         .rules = "[expect learnt-x]\nexe = /opt/x\nservice = postgresql\n",
	         .samples = {{.exe = "/opt/x", .port = 5432},
	                     {.exe = "/opt/x", .port = 5432, .protocol = IPPROTO_UDP}}},
	        {.name = "one of them only",
	         .rules = "[expect learnt-x]\nexe = /opt/x\nport = 5432/tcp\n",
	         .samples = {{.exe = "/opt/x", .port = 5432}}},
	        {.name = "names or numbers, never both",
	         .rules = "[expect learnt-x]\nexe = /opt/x\nport = 5432/tcp 6379/tcp\n",
	         .samples = {{.exe = "/opt/x", .port = 5432}, {.exe = "/opt/x", .port = 6379}}},
	        {.name = "ports in a row",
	         .rules = "[expect learnt-x]\nexe = /opt/x\nport = 8000-8002/tcp 8001/udp\n",
	         .samples = {{.exe = "/opt/x", .port = 8002},
	                     {.exe = "/opt/x", .port = 8001, .protocol = IPPROTO_UDP},
	                     {.exe = "/opt/x", .port = 8000},
	                     {.exe = "/opt/x", .port = 8001}}},
	        {.name = "the last port",
	         .rules = "[expect learnt-x]\nexe = /opt/x\nport = 65534-65535/tcp\n",
	         .samples = {{.exe = "/opt/x", .port = 65535}, {.exe = "/opt/x", .port = 65534}}},
	        {.name = "other events",
	         .rules = "[expect learnt-x]\nexe = /opt/x\nport = 8001/tcp 8003/tcp\n",
	         .samples = {{.exe = "/opt/x", .port = 8001, .action = EVENT_EXISTING},
	                     {.exe = "/opt/x", .port = 8002, .action = EVENT_LISTEN},
	                     {.exe = "/opt/x", .port = 8003},
	                     {.exe = "/opt/x", .port = 8004, .action = EVENT_CLOSED},
	                     {.exe = "/opt/x", .port = 8005, .error = EADDRINUSE}}},
	        {.name = "a listen that stands for its bind",
	         .rules = "[expect learnt-x]\nexe = /opt/x\nport = 8002/tcp\n",
	         .samples =
	                 {{.exe = "/opt/x", .port = 8002, .action = EVENT_LISTEN, .socket_flags = BW_SOCKET_UNTOLD}}},
	        {.name = "what nobody needs a rule for",
	         .rules = "",
	         .samples = {{.exe = "/opt/x", .port = 8001, .address = "127.0.0.1"},
	                     {.exe = "/opt/x", .port = 8002, .ephemeral = true},
	                     {.exe = "/opt/x", .port = 8003, .no_alert = true},
	                     {.exe = "/opt/x", .port = 8004, .protocol = 1},
	                     {.exe = "/opt/x",
	                      .port = 8005,
	                      .action = EVENT_LISTEN,
	                      .socket_flags = BW_SOCKET_AUTOBOUND}}},
	        {.name = "all",
	         .all = true,
	         .rules = "[expect learnt-x]\nexe = /opt/x\nport = 8003/tcp\n",
	         .samples = {{.exe = "/opt/x", .port = 8001, .address = "127.0.0.1"},
	                     {.exe = "/opt/x", .port = 8002, .ephemeral = true},
	                     {.exe = "/opt/x", .port = 8003, .no_alert = true}}},
	        {.name = "blanks, patterns and quotes in a path",
	         .rules = "[expect learnt-_b__c_d_e_]\nexe = \"/opt/a \\\\\\\\ x/\\\\*b \\\\[c\\\\]d\\\\?e\\\"\"\nport "
	                  "= 8003/tcp\n",
	         .samples = {{.exe = "/opt/a \\ x/*b [c]d?e\"", .port = 8003}}},
	        {.name = "patterns in a path without blanks",
	         .rules = "[expect learnt-b_c_]\nexe = /opt/a\\\\\\[x\\]\\*/b\\?c[;]\nport = 8003/tcp\n",
	         .samples = {{.exe = "/opt/a\\[x]*/b?c;", .port = 8003}}},
	        {.name = "what is in no ASCII, and no word of another meaning",
	         .rules = "[expect learnt-d_____]\nexe = /opt/d\xc3\xa9\xe2\x82\xac\nunit = \"!a.service\"\nport = "
	                  "8003/tcp\n",
	         .samples = {{.exe = "/opt/d\xc3\xa9\xe2\x82\xac", .unit = "!a.service", .port = 8003}}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct learn *learn;
		char *text, *rules;

		assert_int_equal(learn_open(table[i].all, &learn), 0);
		add(learn, table[i].samples, SAMPLES);
		text = written(learn, NULL);
		rules = rules_of(text);
		if (strcmp(rules, table[i].rules) != 0)
			fail_msg("%s: wrote\n%snot\n%s", table[i].name, rules, table[i].rules);
		free(rules);
		free(text);
		learn_free(learn);
	}
}

/* What is written is a policy that expects what it was learnt from: each of these programs, and nothing beside it. */
static void a_policy_comes_of_it(void **state)
{
	static const struct {
		struct sample learnt, beside;
	} table[] = {
	        {{.exe = "/usr/sbin/sshd", .unit = "ssh.service", .port = 22},
	         {.exe = "/usr/sbin/sshd", .unit = "x.service", .port = 22}},
	        {{.exe = "/opt/x", .port = 22}, {.exe = "/opt/x", .port = 22, .protocol = IPPROTO_UDP}},
	        {{.exe = "/opt/x", .port = 5432}, {.exe = "/opt/x", .port = 5433}},
	        {{.exe = "/opt/x", .port = 6379}, {.exe = "/opt/x", .port = 6380}},
	        {{.exe = "/opt/x", .port = 80, .container = "a"}, {.exe = "/opt/x", .port = 80, .unit = "y.scope"}},
	        {{.exe = "/opt/x", .port = 80, .unit = "y.scope"}, {.exe = "/opt/x", .port = 80, .container = "a"}},
	        {{.exe = "/opt/x", .unit = "dev-a\\x2db.service", .port = 80},
	         {.exe = "/opt/x", .unit = "dev-ax2db.service", .port = 80}},
	        {{.exe = "/opt/a \\ x/*b [c]d?e\"", .port = 80}, {.exe = "/opt/a \\ x/bb [c]d?e\"", .port = 80}},
	        {{.exe = "/opt/a\\[x]*/b?c", .port = 80}, {.exe = "/opt/a\\[x]*/bbc", .port = 80}},
	        {{.exe = "/opt/a ;b", .port = 80}, {.exe = "/opt/a", .port = 80}},
	        {{.exe = "/opt/#b", .port = 80}, {.exe = "/opt/", .port = 80}},
	        {{.exe = "/opt/\"\\\"", .port = 80}, {.exe = "/opt/\"\"", .port = 80}},
	        {{.exe = "/opt/\xc3\xa9", .port = 80}, {.exe = "/opt/\xc3\xa8", .port = 80}},
	        {{.exe = "/opt/x", .unit = "!y.service", .port = 80},
	         {.exe = "/opt/x", .unit = "z.service", .port = 80}},
	        {{.exe = "/home/alice/srv", .port = 80}, {.exe = "/home/alice/srv", .port = 80, .userns = 4026532200}},
	        {{.exe = "/home/alice/srv", .port = 80},
	         {.exe = "/home/alice/srv", .port = 80, .userns = UNKNOWN_USERNS}},
	        {{.exe = "/opt/=[expect x]", .port = 80}, {.exe = "/opt/=[expect y]", .port = 80}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char file[] = "/tmp/bindwatch-learn-XXXXXX", *text;
		struct policy_options options = {.registry = registry,
		                                 .host = HOST_NAMESPACES,
		                                 .paths = (const char *const[]){file},
		                                 .paths_count = 1};
		struct policy_problems problems = {0};
		struct policy *policy;
		struct process process;
		struct learn *learn;
		struct event event;
		int fd = mkstemp(file);

		assert_true(fd >= 0);
		assert_int_equal(learn_open(false, &learn), 0);
		add(learn, &table[i].learnt, 1);
		text = written(learn, NULL);
		assert_int_equal(write(fd, text, strlen(text)), strlen(text));
		(void)close(fd);
		if (policy_load(&options, &policy, &problems) < 0)
			fail_msg("row %zu: %s:%u: %s", i, file, problems.list[0].line, problems.list[0].text);
		(void)unlink(file);
		event = event_of(&table[i].learnt, &process);
		policy_judge(policy, &event);
		if (event.verdict.verdict != VERDICT_EXPECT || strncmp(event.verdict.rule, "learnt-", 7) != 0)
			fail_msg("row %zu is not expected by\n%s", i, text);
		event = event_of(&table[i].beside, &process);
		policy_judge(policy, &event);
		if (event.verdict.verdict != VERDICT_NONE)
			fail_msg("what stands beside row %zu is expected by\n%s", i, text);
		policy_problems_free(&problems);
		policy_free(policy);
		learn_free(learn);
		free(text);
	}
}

static int find_refusal(void *context, const struct learn_refusal *refusal)
{
	*(const struct learn_refusal **)context = refusal;
	return 0;
}

static int count_refusal(void *context, const struct learn_refusal *refusal)
{
	(void)refusal;
	++*(unsigned int *)context;
	return 0;
}

static void refusals(void **state)
{
	static char long_path[2002], unit255[256], unit256[257];
	static const struct {
		const char *why; /* its beginning; NULL: it is learnt */
		struct sample sample;
	} table[] = {
	        {NULL, {.exe = "/opt/x"}},
	        {"the program exists in memory",
	         {.exe = "/memfd:x", .exe_flags = EXECUTABLE_MEMFD | EXECUTABLE_DELETED}},
	        {"its program is not known", {.exe = NULL}},
	        {"its program is not known", {.no_process = true}},
	        {"its program is not known", {.exe = "x/y", .truncated = true}},
	        {"its program is not known", {.exe = "/x/y", .truncated = true}},
	        {"the program's file was deleted", {.exe = "/opt/x", .exe_flags = EXECUTABLE_DELETED}},
	        {"another file stands", {.exe = "/opt/x", .exe_flags = EXECUTABLE_DELETED | EXECUTABLE_REPLACED}},
	        {"another file stands", {.exe = "/opt/x", .exe_flags = EXECUTABLE_REPLACED}},
	        {"another file stands", {.exe = "/usr/local/bin/x", .exe_flags = EXECUTABLE_REPLACED}},
	        {NULL, {.exe = "/usr/bin/x", .exe_flags = EXECUTABLE_DELETED | EXECUTABLE_REPLACED}},
	        {NULL, {.exe = "/opt/x", .exe_flags = EXECUTABLE_REPLACED, .package = "x"}},
	        {"another file stands", {.exe = "/usr/bin/x", .exe_flags = EXECUTABLE_REPLACED, .package = ""}},
	        {"everybody may write", {.exe = "/opt/x", .exe_flags = EXECUTABLE_WORLD_WRITABLE}},
	        {"everybody may write", {.exe = "/tmp/a/b"}},
	        {"everybody may write", {.exe = "/dev/shm/b"}},
	        {NULL, {.exe = "/tmpfiles/x"}},
	        {"the program is not the file", {.exe = "/opt/x", .exe_flags = EXECUTABLE_MODIFIED}},
	        {"the program is not of its", {.exe = "/opt/x", .exe_flags = EXECUTABLE_OVERLAY_UPPER}},
	        {"it joined", {.exe = "/opt/x", .patterns = PATTERN_SECOND_OWNER}},
	        {"another program had", {.exe = "/opt/x", .patterns = PATTERN_TAKEOVER}},
	        {"it tried many", {.exe = "/opt/x", .patterns = PATTERN_SWEEP}},
	        {"an interpreter of no unit", {.exe = "/usr/bin/python3.11"}},
	        {"an interpreter of no unit", {.exe = "/bin/bash", .unit = "session-1.scope"}},
	        {"an interpreter of no unit", {.exe = "/usr/bin/nc.openbsd", .unit = "user@1000.service"}},
	        {"an interpreter of no unit", {.exe = "/usr/bin/perl", .container = "0a1b"}},
	        {NULL, {.exe = "/usr/bin/perl", .unit = "x.service"}},
	        {"its path is longer", {.exe = long_path}},
	        {"its path has bytes that do not show", {.exe = "/opt/a\x01"}},
	        {"its path has bytes that do not show", {.exe = "/opt/\nx"}},
	        {"its path has bytes that do not show", {.exe = "/opt/\tx"}},
	        {"its path has bytes that do not show", {.exe = "/opt/\x7f/x"}},
	        {"its path has bytes that do not show", {.exe = "/opt/x\xff"}},
	        {"its path has bytes that do not show", {.exe = "/opt/\xe2\x80\xae/x"}},
	        {"the name of its unit has bytes", {.exe = "/opt/x", .unit = "x\n.service"}},
	        {"the name of its unit has bytes", {.exe = "/opt/x", .unit = "\xe2\x80\xae.service"}},
	        {"the name of its unit is longer", {.exe = "/opt/x", .unit = unit256}},
	        {NULL, {.exe = "/opt/x", .unit = unit255}},
	        {NULL, {.exe = "/opt/x", .unit = "\n.scope"}}, /* which no rule names */
	        {NULL, {.exe = "/opt/\xc3\xa9\\ ?", .unit = "dev-a\\x2db.service"}},
	        {NULL, {.exe = "/usr/sbin/perlbal"}},
	        {NULL, {.exe = "/usr/sbin/x", .userns = PROCESS_FIRST_USERNS}},
	        {"it runs in a user namespace of its own", {.exe = "/usr/sbin/x", .userns = PROCESS_FIRST_USERNS + 7}},
	        {"it runs in a user namespace of its own",
	         {.exe = "/usr/sbin/x", .unit = "x.service", .container = "0a1b", .userns = 4026532200}},
	        {"its user namespace is not known", {.exe = "/usr/sbin/x", .userns = UNKNOWN_USERNS}},
	        {"an interpreter of no unit", {.exe = "/usr/lib/jvm/java-17/bin/java"}},
	        {"an interpreter of no unit", {.exe = "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"}},
	        {"an interpreter of no unit", {.exe = "/usr/bin/qemu-arm-static"}},
	        {"an interpreter of no unit", {.exe = "/usr/local/bin/chisel"}},
	        {"an interpreter of no unit", {.exe = "/usr/bin/gdb"}},
	        {NULL, {.exe = "/usr/bin/node_exporter"}},
	        {NULL, {.exe = "/usr/bin/qemu-system-x86_64"}},
	};

	(void)state;
	memset(long_path, '/', sizeof(long_path) - 1);
	memset(unit255, 'u', sizeof(unit255) - 1);
	memset(unit256, 'u', sizeof(unit256) - 1);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct learn_refusal *refusal = NULL;
		struct sample sample = table[i].sample;
		struct process process;
		struct event event;
		struct learn *learn;
		char *text;

		sample.port = 8000;
		sample.uid = 33;
		assert_int_equal(learn_open(false, &learn), 0);
		for (unsigned int twice = 0; twice < 2; twice++) {
			event = event_of(&sample, &process);
			assert_int_equal(learn_add(learn, &event), 0);
		}
		(void)learn_each_refusal(learn, find_refusal, &refusal);
		if (!table[i].why != !refusal ||
		    (refusal && strncmp(refusal->why, table[i].why, strlen(table[i].why)) != 0))
			fail_msg("row %zu: %s", i, refusal ? refusal->why : "learnt");
		text = written(learn, NULL);
		assert_int_equal(*text == '\0', refusal != NULL);
		if (refusal) {
			assert_string_equal(refusal->program, sample.exe ? sample.exe : "[comm]");
			assert_string_equal(refusal->rule, "a-rule");
			assert_int_equal(refusal->binds, 2);
			assert_int_equal(refusal->user, 33);
			assert_int_equal(refusal->at.server.port, 8000);
		}
		free(text);
		learn_free(learn);
	}
}

/* What the comments say, and that it is the same in whatever order it came. */
static void order_does_not_matter(void **state)
{
	static const struct sample samples[] = {
	        {.exe = "/usr/sbin/b", .unit = "b.service", .port = 22, .uid = 0, .at = 1000},
	        {.exe = "/usr/sbin/b", .unit = "b.service", .port = 22, .uid = 4000000, .at = 3000.5},
	        {.exe = "/usr/sbin/b", .unit = "b.service", .port = 22, .uid = 0, .at = 2000},
	        {.exe = "/usr/sbin/b", .unit = "b.service", .port = 8003, .uid = 4000001, .at = 2000.2},
	        {.exe = "/usr/sbin/b", .unit = "b.service", .port = 8003, .uid = 4000001, .at = 2000.9},
	        {.exe = "/usr/sbin/a\\[x]", .port = 8001, .at = 5},
	};
	enum { COUNT = sizeof(samples) / sizeof(samples[0]) };
	char *first = NULL;

	(void)state;
	for (size_t shift = 0; shift < COUNT; shift++) {
		struct learn *learn;
		char *text;

		assert_int_equal(learn_open(false, &learn), 0);
		for (size_t i = 0; i < COUNT; i++)
			add(learn, &samples[(i * 5 + shift) % COUNT], 1);
		text = written(learn, NULL);
		if (first)
			assert_string_equal(text, first);
		learn_free(learn);
		free(first);
		first = text;
	}
	assert_non_null(strstr(
	        first, "# /usr/sbin/a\\\\[x]:\n#   8001/tcp vcom-tunnel: 1 bind by root, 1970-01-01T00:00:05Z\n"));
	assert_non_null(strstr(first, "# /usr/sbin/b of b.service:\n#   22/tcp ssh: 3 binds by root, 4000000, "
	                              "1970-01-01T00:16:40Z to 1970-01-01T00:50:00Z\n"
	                              "#   8003/tcp mcreport: 2 binds by 4000001, 1970-01-01T00:33:20Z\n"));
	free(first);
}

/* What the reader should think of before he takes a rule. */
static void notes(void **state)
{
	static const struct {
		struct sample sample;
		const char *note;
	} table[] = {
	        {{.exe = "/home/alice/bin/x", .port = 8001}, "\n# The program stands in a user's home: "},
	        {{.exe = "/root/x", .port = 8001}, "\n# The program stands in root's home: "},
	        {{.exe = "/usr/bin/java", .unit = "x.service", .port = 8001}, "\n# An interpreter: "},
	        {{.exe = "/opt/x", .port = 8001}, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct learn *learn;
		char *text;

		assert_int_equal(learn_open(false, &learn), 0);
		add(learn, &table[i].sample, 1);
		text = written(learn, NULL);
		if (table[i].note ? !strstr(text, table[i].note) : strstr(text, "\n# The") || strstr(text, "\n# An"))
			fail_msg("row %zu: %s", i, text);
		free(text);
		learn_free(learn);
	}
}

/* So many that to look for names of all of them is not worth it. */
static void many_ports_are_written_by_number(void **state)
{
	struct learn *learn;
	char *text;

	(void)state;
	assert_int_equal(learn_open(false, &learn), 0);
	for (unsigned int i = 0; i < 2 * 300; i++) {
		struct sample sample = {.exe = "/opt/x",
		                        .port = (uint16_t)(2000 + i / 2),
		                        .protocol = i % 2 ? IPPROTO_UDP : IPPROTO_TCP};

		add(learn, &sample, 1);
	}
	text = written(learn, NULL);
	assert_non_null(strstr(text, "\nport = 2000-2299/tcp 2000-2299/udp\n"));
	assert_non_null(strstr(text, "\n#   and 580 more ports\n"));
	free(text);
	learn_free(learn);
}

/* A section's name changes with what it says, so that a second file may stand beside the first. */
static void names_differ(void **state)
{
	static const struct sample one = {.exe = "/opt/x", .port = 8001}, two = {.exe = "/opt/x", .port = 8002};
	struct learn *learn;
	char *first, *second;

	(void)state;
	assert_int_equal(learn_open(false, &learn), 0);
	add(learn, &one, 1);
	first = written(learn, NULL);
	add(learn, &two, 1);
	second = written(learn, NULL);
	assert_string_not_equal(strstr(first, "\n[expect"), strstr(second, "\n[expect"));
	*strchr(strstr(first, "[expect"), '\n') = '\0';
	assert_null(strstr(second, strstr(first, "[expect")));
	free(first);
	free(second);
	learn_free(learn);
}

/* More programs than there is room for. */
static void bounded(void **state)
{
	struct sample sample = {.exe = "/tmp/x", .port = 1};
	unsigned int refused = 0;
	struct process process;
	struct learn *learn;
	struct event event;
	char path[32];

	(void)state;
	assert_int_equal(learn_open(false, &learn), 0);
	for (unsigned int i = 0; i < LEARN_ROWS_MAX; i++) {
		(void)snprintf(path, sizeof(path), "%s/%u", i % 2 ? "/tmp" : "/opt", i);
		sample.exe = path;
		event = event_of(&sample, &process);
		assert_int_equal(learn_add(learn, &event), 0);
	}
	assert_int_equal(learn_add(learn, &event), 0); /* it is known */
	sample.exe = "/tmp/one-more";
	event = event_of(&sample, &process);
	assert_int_equal(learn_add(learn, &event), -E2BIG);
	sample.exe = "/opt/one-more";
	event = event_of(&sample, &process);
	assert_int_equal(learn_add(learn, &event), -E2BIG);
	(void)learn_each_refusal(learn, count_refusal, &refused);
	assert_int_equal(refused, LEARN_ROWS_MAX / 2);
	learn_free(learn);
	learn_free(NULL);
}

/* Whose file it is, and who may write it or its directory. Only root can give a file away. */
static void whose_file_it_is(void **state)
{
	static const char owned[] = "is not root's", writable[] = "Everybody may write";
	static const struct {
		mode_t directory, file;
		uid_t directory_owner, file_owner;
		const char *note; /* NULL: none */
	} table[] = {
	        {0755, 0755, 0, 0, NULL},         {0755, 0755, 0, 1234, owned},   {0755, 0755, 1234, 0, owned},
	        {0777, 0755, 0, 0, writable},     {0755, 0757, 0, 0, writable},   {01777, 0755, 1234, 1234, writable},
	};
	char path[] = "/tmp/bindwatch-learn-XXXXXX", exe[64];
	const struct learn_program program = {.exe = exe}, contained = {.exe = exe, .in_container = true};
	int fd;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_non_null(mkdtemp(path));
	(void)snprintf(exe, sizeof(exe), "%s/x", path);
	assert_null(learn_file_note(&program));
	fd = open(exe, O_CREAT | O_WRONLY | O_CLOEXEC, 0700);
	assert_true(fd >= 0);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const char *note;

		assert_int_equal(chown(path, table[i].directory_owner, 0), 0);
		assert_int_equal(chown(exe, table[i].file_owner, 0), 0);
		assert_int_equal(chmod(path, table[i].directory), 0);
		assert_int_equal(chmod(exe, table[i].file), 0);
		note = learn_file_note(&program);
		assert_int_equal(note != NULL, table[i].note != NULL);
		assert_true(!note || strstr(note, table[i].note));
		assert_null(learn_file_note(&contained));
	}
	close(fd);
	assert_int_equal(unlink(exe), 0);
	assert_int_equal(rmdir(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(sections),
	        cmocka_unit_test(a_policy_comes_of_it),
	        cmocka_unit_test(refusals),
	        cmocka_unit_test(order_does_not_matter),
	        cmocka_unit_test(notes),
	        cmocka_unit_test(many_ports_are_written_by_number),
	        cmocka_unit_test(names_differ),
	        cmocka_unit_test(bounded),
	        cmocka_unit_test(whose_file_it_is),
	};

	return cmocka_run_group_tests(tests, open_registry, close_registry);
}
