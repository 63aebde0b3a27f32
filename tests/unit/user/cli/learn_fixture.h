/* SPDX-License-Identifier: BSD-2-Clause */
/* Events to learn from, and what is written of them. */
#ifndef TESTS_UNIT_USER_CLI_LEARN_FIXTURE_H
#define TESTS_UNIT_USER_CLI_LEARN_FIXTURE_H

#include <arpa/inet.h>
#include <linux/types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "bpf/bindwatch.h"
#include "tests/unit/user/judge/policy_fixture.h"
#include "user/cli/learn.h"
#include "user/judge/classify.h"
#include "user/judge/policy.h"

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

#define UNKNOWN_USERNS UINT32_MAX

struct sample {
	const char *exe, *unit;
	uint16_t port;
	uint16_t protocol; /* 0: TCP */
	uint32_t uid;
	double at; /* seconds since 1970 */
	enum event_action action;
	const char *address; /* NULL: 0.0.0.0 */
	const char *container;
	const char *package;                                /* NULL: not asked for; "": of none */
	uint32_t exe_flags, socket_flags, patterns, userns; /* userns: 0: the host's; UNKNOWN_USERNS */
	int error;
	bool ephemeral, no_process, truncated, no_alert, cgroup;
};

static inline struct event event_of(const struct sample *sample, struct process *process)
{
	struct event event = {
	        .action = sample->action,
	        .time_ns = (uint64_t)(sample->at * 1e9),
	        .error = sample->error,
	        .uid = sample->uid,
	        .comm = "comm",
	        .family = AF_INET,
	        .type = SOCK_STREAM,
	        .protocol = sample->protocol ? sample->protocol : IPPROTO_TCP,
	        .socket_flags = sample->socket_flags,
	        .unprivileged_port_start = 1024,
	        .requested = {.family = AF_INET, .port = sample->port, .has_port = true, .has_address = true},
	        .process = sample->no_process ? NULL : process,
	};

	assert_int_equal(inet_pton(AF_INET, sample->address ? sample->address : "0.0.0.0", event.requested.address), 1);
	event.bound = event.requested;
	if (sample->ephemeral)
		event.requested.port = 0;
	*process = (struct process){
	        .executable = {.path = sample->exe,
	                       .path_truncated = sample->truncated,
	                       .flags = sample->exe_flags,
	                       .flags_known = ~0U,
	                       .package_known = sample->package,
	                       .package = sample->package && *sample->package ? sample->package : NULL},
	        .cgroup = {.path = sample->unit || sample->container || sample->cgroup ? "/x" : NULL,
	                   .unit = sample->unit,
	                   .container_id = sample->container}};
	process->userns_inode = sample->userns ? sample->userns : PROCESS_FIRST_USERNS;
	if (sample->userns == UNKNOWN_USERNS)
		process->userns_inode = 0;
	classify(registry, &event);
	event.facts.patterns = sample->patterns;
	if (!sample->no_alert)
		event.verdict = (struct event_verdict){.verdict = VERDICT_ALERT, .rule = "a-rule"};
	return event;
}

static inline void add(struct learn *learn, const struct sample *samples, size_t count)
{
	for (size_t i = 0; i < count && (samples[i].exe || samples[i].no_process); i++) {
		struct process process;
		struct event event = event_of(&samples[i], &process);

		assert_int_equal(learn_add(learn, &event), 0);
	}
}

/* policy: what stands already, or NULL. The caller frees it. */
static char *written(const struct learn *learn, const struct policy *policy)
{
	static struct user_cache users;
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	assert_int_equal(learn_write(learn, registry, policy, &users, stream), 0);
	(void)fclose(stream);
	return text;
}

#endif
