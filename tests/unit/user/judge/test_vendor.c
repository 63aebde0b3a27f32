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
#include "user/judge/policy.h"

/* As docs/bindwatch.8 has it. */
#define SERVICES 207

/* Of user/judge/policy_embedded.S: each file's name and text, with a NUL behind both. */
extern const char policy_embedded[], policy_embedded_end[];

static struct registry *registry;
static struct policy *policy;

/* The built-in files alone, whatever is installed here. */
static int load(void **state)
{
	struct policy_options options = {
	        .host_netns = 1, .vendor_directory = "/nonexistent", .site_directory = "/nonexistent"};
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
	process->executable.flags = row->flags;
	process->executable.flags_known = (1U << EXECUTABLE_FLAGS) - 1;
	process->cgroup.path = "/";
	process->cgroup.unit = row->unit;
	*event = (struct event){
	        .action = row->action, .error = row->error, .pid = 4711, .uid = row->user, .process = process};
	if (!row->exe)
		event->pid = 0;
	event->protocol = protocol_of(transport);
	event->family = server.family;
	event->socket_flags = row->socket;
	event->netns_inode = 1;
	event->unprivileged_port_start = 1024;
	/* what an old socket asked for nobody saw */
	if (row->action != EVENT_EXISTING)
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
	        cmocka_unit_test(manual_counts),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
