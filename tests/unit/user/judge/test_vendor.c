/* SPDX-License-Identifier: BSD-2-Clause */
/* The shipped policy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/user/judge/vendor_rows.h"
#include "user/judge/classify.h"
#include "user/judge/glob.h"
#include "user/judge/interpreter.h"
#include "user/judge/policy.h"

/* As docs/bindwatch.8 has it. */
#define SERVICES 222

/* Of user/judge/policy_embedded.S: each file's name and text, with a NUL behind both. */
extern const char policy_embedded[], policy_embedded_end[];

static struct registry *registry;
static struct policy *policy;

/* The built-in files alone, whatever is installed here. */
static int load(void **state)
{
	struct policy_options options = {
	        .host = {[POLICY_NETNS] = 1, [POLICY_USERNS] = 1}, .vendor_directory = "/nonexistent", .site_directory = "/nonexistent"};
	struct policy_problems problems = {0};
	int result = registry_open_embedded(&registry);

	(void)state;
	options.registry = registry;
	if (!result)
		result = policy_load(&options, &policy, &problems);
	if (!result)
		result = policy_check(policy, &problems);
	for (size_t i = 0; i < problems.count; i++)
		print_error("%s:%u: %s\n", problems.list[i].file, problems.list[i].line, problems.list[i].text);
	if (problems.errors || problems.warnings)
		result = -EINVAL;
	policy_problems_free(&problems);
	return result;
}

static int unload(void **state)
{
	(void)state;
	policy_free(policy);
	registry_free(registry);
	return 0;
}

static uint16_t protocol_of(const char *transport)
{
	if (strcmp(transport, "/tcp") == 0)
		return IPPROTO_TCP;
	if (strcmp(transport, "/sctp") == 0)
		return IPPROTO_SCTP;
	assert_string_equal(transport, "/udp");
	return IPPROTO_UDP;
}

static void fill_event(const struct row *row, struct process *process, struct event *event)
{
	const char *address = row->address ? row->address : "0.0.0.0";
	struct endpoint server = {.has_port = true, .has_address = true};
	char *transport;

	server.port = (uint16_t)strtoul(row->port, &transport, 10);
	server.family = strchr(address, ':') ? AF_INET6 : AF_INET;
	assert_int_equal(inet_pton(server.family, address, server.address), 1);
	*process = (struct process){.pid = 4711};
	process->executable.path = row->exe && row->exe[0] ? row->exe : NULL;
	process->arguments = row->arguments;
	process->arguments_length = row->arguments ? strlen(row->arguments) + 1 : 0;
	process->executable.flags = row->flags;
	process->executable.flags_known = (1U << EXECUTABLE_FLAGS) - 1;
	process->executable.package_known = row->unpackaged;
	process->cgroup.path = "/";
	process->cgroup.unit = row->unit;
	process->cgroup.user_unit = row->user_unit;
	if (row->container) {
		process->cgroup.container_id = row->container;
		process->cgroup.runtime = RUNTIME_UNKNOWN;
	}
	if (row->parent) {
		process->ancestors[0].executable = row->parent;
		process->ancestors_count = 1;
	}
	process->cgroup.slice = row->slice;
	process->userns_inode = row->userns ? 2 : 1;
	*event = (struct event){
	        .action = row->action, .error = row->error, .pid = 4711, .uid = row->user, .process = process};
	if (!row->exe)
		event->pid = 0;
	event->holders_known = row->unheld;
	event->protocol = protocol_of(transport);
	event->family = server.family;
	event->socket_flags = row->socket;
	event->netns_inode = row->netns ? 2 : 1;
	event->unprivileged_port_start = row->open ? 0 : 1024;
	/* what an old socket asked for nobody saw, and a listen asks for none */
	if (row->action != EVENT_EXISTING && row->action != EVENT_LISTEN)
		event->requested = server;
	if (row->automatic)
		server.port = 50000;
	if (!row->error)
		event->bound = server;
	classify(registry, event);
	event->facts.patterns = row->patterns;
}

static const char *word_of(enum verdict verdict)
{
	static const char *const words[] = {"none", "expect", "ignore", "alert"};

	return words[verdict];
}

/* Is the verdict what the row says? If not, says so. */
static bool judges(const struct row *row, enum verdict verdict)
{
	const char *rule = row->rule ? row->rule : "(none)";
	struct process process;
	struct event event;

	fill_event(row, &process, &event);
	policy_judge(policy, &event);
	if (event.verdict.verdict == verdict && event.verdict.severity == row->severity &&
	    strcmp(rule, event.verdict.rule ? event.verdict.rule : "(none)") == 0)
		return true;
	print_error("%s by \"%s\": %s by %s, severity %d; it should be %s by %s, severity %d\n", row->port,
	            row->exe ? row->exe : "nobody", word_of(event.verdict.verdict),
	            event.verdict.rule ? event.verdict.rule : "(none)", event.verdict.severity, word_of(verdict), rule,
	            row->severity);
	return false;
}

static void expected_table(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		wrong += !judges(&expected[i], VERDICT_EXPECT);
	assert_int_equal(wrong, 0);
}

static void others_table(void **state)
{
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		const struct row *row = &others[i];

		wrong += !judges(row, row->verdict || !row->rule ? row->verdict : VERDICT_ALERT);
	}
	assert_int_equal(wrong, 0);
}

static bool has_row(const char *rule)
{
	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		if (strcmp(expected[i].rule, rule) == 0)
			return true;
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (others[i].rule && strcmp(others[i].rule, rule) == 0)
			return true;
	}
	return false;
}

/* Every rule of the files has a row, and there are as many services as the manual says. */
static void each_rule(void **state)
{
	size_t services = 0;
	size_t rules = 0;
	size_t without = 0;

	(void)state;
	for (const char *file = policy_embedded; file < policy_embedded_end && *file;) {
		const char *text = file + strlen(file) + 1;

		for (const char *line = text; line; line = strchr(line, '\n')) {
			char verdict[16], rule[80];

			line += *line == '\n';
			if (sscanf(line, "[%15s %79[^]]]", verdict, rule) != 2)
				continue;
			rules++;
			services += strcmp(verdict, "expect") == 0;
			if (has_row(rule))
				continue;
			print_error("no row for %s\n", rule);
			without++;
		}
		file = text + strlen(text) + 1;
	}
	assert_int_equal(rules, policy_rules(policy));
	assert_int_equal(without, 0);
	assert_int_equal(services, SERVICES);
}

/* A rule as it is written, without its comments. The text goes up to the next heading, or the end of the file. */
static const char *next_rule(const char *text, char *verdict, char *name, const char **ret_end)
{
	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (sscanf(line, "[%15s %79[^]]]", verdict, name) != 2)
			continue;
		line = strchr(line, '\n') + 1;
		*ret_end = strstr(line, "\n[");
		*ret_end = *ret_end ? *ret_end : line + strlen(line);
		return line;
	}
	return NULL;
}

/* The next word of a key in a rule's text; *at goes through it and begins as the text. false: there is none. */
static bool next_word(const char *key, const char *end, const char **at, char word[256])
{
	size_t key_len = strlen(key), len;
	const char *p = *at;

	for (; p < end; p += len) {
		bool begins = p[-1] == '\n';

		len = strcspn(p, " \n");
		if (begins && (len != key_len || strncmp(p, key, len) != 0)) {
			len = strcspn(p, "\n") + 1;
		} else if (begins || !len || (len == 1 && *p == '=')) {
			len += !begins || p[len] != '\n';
		} else {
			assert_true(len < 256);
			(void)snprintf(word, 256, "%.*s", (int)len, p);
			*at = p + len;
			return true;
		}
	}
	return false;
}

/* The alert's `exe` are the names of the list, in its order, in any directory. */
static void same_names(const char *const *names, const char *end, const char **at)
{
	char word[256];

	for (; *names && next_word("exe", end, at, word); names++) {
		assert_memory_equal(word, "/**/", 4);
		assert_string_equal(word + 4, *names);
	}
	assert_null(*names);
}

static void alerts_name_the_interpreters(void **state)
{
	static const struct {
		const char *rule;
		const char *const *names, *const *more;
	} table[] = {
	        {"interpreter-on-privileged-port", interpreter_names, NULL},
	        {"network-tool-on-privileged-port", network_tool_names, NULL},
	        {"interpreter-on-automatic-port", interpreter_names, network_tool_names},
	};
	size_t found = 0;

	(void)state;
	for (const char *file = policy_embedded; file < policy_embedded_end && *file;) {
		const char *text = file + strlen(file) + 1, *end = text;
		char verdict[16], rule[80], word[256];

		while ((text = next_rule(end, verdict, rule, &end))) {
			for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
				const char *at = text;

				if (strcmp(table[i].rule, rule) != 0)
					continue;
				found++;
				same_names(table[i].names, end, &at);
				if (table[i].more)
					same_names(table[i].more, end, &at);
				assert_false(next_word("exe", end, &at, word));
			}
		}
		file += strlen(file) + 1;
		file += strlen(file) + 1;
	}
	assert_int_equal(found, sizeof(table) / sizeof(table[0]));
}

/* A name that the pattern matches: a wildcard becomes "x", a set its first byte. */
static void sample_of(const char *pattern, char *ret)
{
	for (; *pattern; pattern++) {
		if (*pattern == '[') {
			*ret++ = pattern[1];
			pattern = strchr(pattern, ']');
		} else if (*pattern != '*') {
			*ret++ = *pattern;
		} else if (pattern[1] != '*') {
			*ret++ = 'x';
		}
	}
	*ret = '\0';
}

/* Whether the pattern of a path lets an interpreter or a network tool in, in a directory that it names. */
static bool lets_in(const char *pattern, const char *const *names)
{
	char directory[256], name[64], path[512];

	sample_of(pattern, directory);
	for (; *names; names++) {
		sample_of(*names, name);
		(void)snprintf(path, sizeof(path), "%.*s%s", (int)(strrchr(directory, '/') + 1 - directory), directory,
		               name);
		if (glob_match(pattern, path, strlen(path), 0))
			return true;
	}
	return false;
}

/* What an interpreter runs its path does not tell: no expectation of one is without a unit. */
static void interpreters_have_a_unit(void **state)
{
	size_t interpreters = 0, without = 0;

	(void)state;
	for (const char *file = policy_embedded; file < policy_embedded_end && *file;) {
		const char *text = file + strlen(file) + 1, *end = text;
		char verdict[16], rule[80], word[256];

		while ((text = next_rule(end, verdict, rule, &end))) {
			const char *exe = text, *unit = text;
			bool any = false;

			while (strcmp(verdict, "expect") == 0 && next_word("exe", end, &exe, word))
				any |= lets_in(word, interpreter_names) || lets_in(word, network_tool_names) ||
				       interpreter_is_at(word);
			interpreters += any;
			if (!any || next_word("unit", end, &unit, word))
				continue;
			print_error("%s: [expect %s] lets an interpreter in and has no unit\n", file, rule);
			without++;
		}
		file += strlen(file) + 1;
		file += strlen(file) + 1;
	}
	assert_true(interpreters >= 30);
	assert_int_equal(without, 0);
}

/* The expectations that ask for no unit, and why. */
static const struct {
	const char *rule, *why;
} without_unit[] = {
        {"mosh", "every login starts its own"},
        {"rdp", "a desktop shares itself"},
        {"vnc", "a desktop shares itself"},
        {"x11", "a user's display runs in his session"},
        {"podman-published-port", "of a container that is started by hand"},
        {"rootless-published-port", "a user's"},
        {"podman-name-server", "in a scope of any name"},
        {"rpc-program", "mount.nfs, showmount and rpcinfo are typed"},
        {"remote-shell", "rsh is typed"},
        {"git", "git daemon is typed"},
        {"subversion", "svnserve is typed; Debian has no unit"},
        {"nbd", "qemu-nbd and nbdkit are typed"},
        {"gluster", "so is the mount that starts a client"},
        {"dlna", "a desktop's Rygel"},
        {"kubernetes-network-image", "in containers only"},
        {"kubernetes-ingress", "in containers only"},
        {"coredns-image", "in containers only"},
        {"prometheus-image", "in containers only"},
        {"fluent-bit-image", "in containers only"},
        {"splunk", "its own command starts it anew"},
        {"wazuh", "its own command starts it anew"},
        {"audio-stream", "a user's PipeWire, PulseAudio or MPD"},
        {"bittorrent", "a user's"},
        {"syncthing", "a user's"},
        {"bitcoin", "a user's"},
        {"multicast-discovery", "browsers"},
        {"desktop-link", "a user's"},
        {"jaeger", "no package has a unit"},
        {"performance-co-pilot", "pmlogger is typed, and started by cron in a session"},
        {"dhcp-client-command", "whatever sets up an interface starts it, also ifup as it is typed"},
        {"isc-dhcp", "dhclient, as above"},
        {"ntp-query", "typed, and started by cron in a session"},
        {"ipsec", "strongSwan's `ipsec restart` is typed"},
        {"epmd", "each program in Erlang starts it, a user's too"},
        {"qemu", "a user's machine"},
        {"vmware", "a user's machine"},
        {"virtualbox", "a user's machine"},
        {"web-server-test", "nginx -t is typed"},
};

#define WITHOUT_UNIT (sizeof(without_unit) / sizeof(without_unit[0]))

static bool *find_without_unit(const char *rule, bool seen[WITHOUT_UNIT])
{
	for (size_t i = 0; i < WITHOUT_UNIT; i++) {
		if (strcmp(without_unit[i].rule, rule) == 0)
			return &seen[i];
	}
	return NULL;
}

/* An expectation of a program asks for the unit, or the table above says why it does not. */
static void programs_have_a_unit(void **state)
{
	bool seen[WITHOUT_UNIT] = {false};
	size_t wrong = 0;

	(void)state;
	for (const char *file = policy_embedded; file < policy_embedded_end && *file;) {
		const char *text = file + strlen(file) + 1, *end = text;
		char verdict[16], rule[80], word[256];

		while ((text = next_rule(end, verdict, rule, &end))) {
			const char *exe = text, *unit = text, *if_any = text;
			bool *listed = find_without_unit(rule, seen), has;

			if (strcmp(verdict, "expect") != 0 || !next_word("exe", end, &exe, word))
				continue;
			has = next_word("unit", end, &unit, word) || next_word("unit-if-any", end, &if_any, word);
			if (listed)
				*listed = true;
			if (has != (listed != NULL))
				continue;
			print_error("%s: [expect %s] %s\n", file, rule, has ? "has a unit" : "has no unit");
			wrong++;
		}
		file += strlen(file) + 1;
		file += strlen(file) + 1;
	}
	for (size_t i = 0; i < WITHOUT_UNIT; i++) {
		if (seen[i])
			continue;
		print_error("there is no [expect %s] of a program\n", without_unit[i].rule);
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

/* The manual's own number. */
static void manual_counts(void **state)
{
	char wanted[64], line[512];
	bool found = false;
	FILE *file = fopen("docs/bindwatch.8", "re");

	(void)state;
	assert_non_null(file);
	(void)snprintf(wanted, sizeof(wanted), "%d services", SERVICES);
	while (fgets(line, sizeof(line), file))
		found |= strstr(line, wanted) != NULL;
	assert_int_equal(fclose(file), 0);
	assert_true(found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(expected_table),
	        cmocka_unit_test(others_table),
	        cmocka_unit_test(each_rule),
	        cmocka_unit_test(alerts_name_the_interpreters),
	        cmocka_unit_test(interpreters_have_a_unit),
	        cmocka_unit_test(programs_have_a_unit),
	        cmocka_unit_test(manual_counts),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
