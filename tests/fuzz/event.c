/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/event.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "user/base/ipproto.h"
#include "user/encode/encode.h"
#include "user/judge/classify.h"
#include "user/judge/explain.h"
#include "user/judge/predicate.h"

static const struct encode_host host = {
        .hostname = "web-1",
        .boot_time_ns = 1795235254000000000,
        .boot_id = "5a2b428e-f0c6-4f47-aff1-7ddc470ea2bd",
        .registry_date = "2026-08-17",
};

const struct policy *fuzz_policy(void)
{
	static const char *const nowhere = "/nonexistent";
	static struct policy *policy;
	const struct policy_options options = {
	        .registry = fuzz_registry(), .host = FUZZ_HOST, .vendor_directory = nowhere, .site_directory = nowhere};
	struct policy_problems problems = {0};

	if (policy)
		return policy;
	FUZZ_REQUIRE(policy_load(&options, &policy, &problems) == 0, "the vendor's policy is refused");
	policy_problems_free(&problems);
	return policy;
}

static const char arguments[] = "python3\0-m\0http.server";

static const struct process python = {
        .pid = 100,
        .comm = "python3",
        .executable = {.path = "/usr/bin/python3.11",
                       .flags = EXECUTABLE_DELETED,
                       .flags_known = EXECUTABLE_DELETED | EXECUTABLE_MEMFD,
                       .package_known = true,
                       .package = "python3.11-minimal",
                       .package_version = "3.11.2-6"},
        .arguments = arguments,
        .arguments_length = sizeof(arguments),
        .arguments_count = 3,
        .working_directory = "/tmp",
        .ancestors = {{.pid = 1, .comm = "systemd", .executable = "/usr/lib/systemd/systemd"}},
        .ancestors_count = 1,
        .cgroup = {.id = 7, .path = "/system.slice/web.service", .unit = "web.service", .slice = "system.slice"},
        .mntns_inode = FUZZ_HOST_MNTNS,
        .userns_inode = FUZZ_HOST_USERNS,
};

bool fuzz_event(size_t index, struct event *ret)
{
	static const struct {
		const char *address;
		uint16_t family, port, protocol;
		enum event_action action;
		const struct process *process;
	} rows[] = {
	        {"0.0.0.0", AF_INET, 22, IPPROTO_TCP, EVENT_BOUND, &python},
	        {"0.0.0.0", AF_INET, 22, IPPROTO_TCP, EVENT_BOUND, NULL},
	        {"::1", AF_INET6, 8080, IPPROTO_UDP, EVENT_BOUND, &python},
	        {"::1", AF_INET6, 8080, IPPROTO_UDP, EVENT_CLOSED, &python},
	};
	struct endpoint server = {.has_port = true, .has_address = true};

	if (index == sizeof(rows) / sizeof(rows[0]))
		return false;
	server.family = rows[index].family;
	server.port = rows[index].port;
	FUZZ_REQUIRE(inet_pton(server.family, rows[index].address, server.address) == 1, "an address");
	*ret = (struct event){.action = rows[index].action,
	                      .pid = 100,
	                      .comm = "python3",
	                      .process = rows[index].process,
	                      .requested = server,
	                      .bound = server,
	                      .family = server.family,
	                      .protocol = rows[index].protocol,
	                      .netns_inode = FUZZ_HOST_NETNS,
	                      .unprivileged_port_start = 1024};
	classify(fuzz_registry(), ret);
	return true;
}

static int keep_last(void *context, const struct explain_step *step)
{
	*(struct explain_step *)context = *step;
	return 0;
}

void fuzz_judge(const struct policy *policy, struct event *event)
{
	static char reason[POLICY_REASON_LEN];
	static struct explain_step last;
	const struct event_verdict *verdict = &event->verdict;

	policy_judge(policy, event);
	policy_reason(policy, event, NULL, reason);
	FUZZ_REQUIRE(!*reason || fuzz_is_message(reason), "a reason that cannot be shown");
	event->verdict.reason = verdict->verdict == VERDICT_ALERT ? reason : NULL;
	/* of these no rule is asked */
	if (event->action == EVENT_LOST || event->action == EVENT_SILENT)
		return;
	last = (struct explain_step){.matches = false};
	(void)explain(policy, event, keep_last, &last);
	FUZZ_REQUIRE(last.matches == (verdict->rule != NULL), "only one of explain and verdict finds a rule");
	FUZZ_REQUIRE(!last.matches || (strcmp(last.rule, verdict->rule) == 0 && last.line == verdict->line &&
	                               last.verdict == verdict->verdict),
	             "explain says %s:%u, the verdict %s:%u", last.rule, last.line, verdict->rule, verdict->line);
}

static size_t encode(const char *name, const struct event *event, char line[ENCODE_EVENT_MAX])
{
	struct encode_buffer buffer = {.data = line, .size = ENCODE_EVENT_MAX};

	FUZZ_REQUIRE(encoder_find(name)->event(&host, event, &buffer) == 0, "%s: it is longer than the longest", name);
	FUZZ_REQUIRE(buffer.used && line[buffer.used - 1] == '\n', "%s: no line", name);
	line[--buffer.used] = '\0';
	FUZZ_REQUIRE(strlen(line) == buffer.used && fuzz_is_message(line), "%s: it cannot be shown: %s", name, line);
	return buffer.used;
}

struct event_json *fuzz_replay(const struct policy *policy, const struct event *event)
{
	static char line[ENCODE_EVENT_MAX];
	char message[EVENT_JSON_ERROR_LEN] = "";
	struct event_json *ret;
	json_error_t error;
	json_t *root;
	size_t size;

	(void)encode("text", event, line);
	size = encode("json", event, line);
	root = json_loadb(line, size, JSON_REJECT_DUPLICATES, &error);
	FUZZ_REQUIRE(root, "no JSON: %s: %s", error.text, line);
	json_decref(root);
	FUZZ_REQUIRE(event_json_read(line, size, &ret, message) == 0, "%s: %s", message, line);
	fuzz_judge(policy, &ret->event);
	return ret;
}

void fuzz_same_facts(const struct event *event, const struct event *back)
{
	const struct predicate *predicate;

	for (size_t i = 0; (predicate = predicate_at(i)); i++) {
		char here[2048], there[2048];
		struct phrase phrase;

		phrase_begin(&phrase, here, sizeof(here));
		predicate->kind->print(predicate, event, &phrase);
		phrase_begin(&phrase, there, sizeof(there));
		predicate->kind->print(predicate, back, &phrase);
		FUZZ_REQUIRE(strcmp(here, there) == 0, "%s: \"%s\" became \"%s\"", predicate->key, here, there);
	}
}
