/* SPDX-License-Identifier: BSD-2-Clause */
/* A policy from a text, for the tests of it. */
#ifndef TESTS_UNIT_USER_JUDGE_POLICY_FIXTURE_H
#define TESTS_UNIT_USER_JUDGE_POLICY_FIXTURE_H

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/base/ipproto.h"
#include "user/judge/classify.h"
#include "user/judge/policy.h"

#define HOST_NETNS 4026531840U
#define HOST_USERNS 4026531837U
#define HOST_MNTNS 4026531841U
#define HOST_NAMESPACES                                                                                                \
	{                                                                                                              \
		[POLICY_NETNS] = HOST_NETNS, [POLICY_USERNS] = HOST_USERNS, [POLICY_MNTNS] = HOST_MNTNS                \
	}

/* A directory of its own for each program; freed and removed by nobody but the test. */
static inline void fixture_directory(char path[64])
{
	(void)snprintf(path, 64, "/tmp/bindwatch-policy-XXXXXX");
	assert_non_null(mkdtemp(path));
}

static inline void fixture_write(const char *directory, const char *name, const char *text, size_t len)
{
	char path[256];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static inline void fixture_remove(const char *directory)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf '%s'", directory);
	assert_int_equal(system(command), 0);
}

/* Loads a text as the file "test.conf" of a new directory. As policy_load(). */
static inline int fixture_load(const struct registry *registry, const char *text, struct policy **ret,
                               struct policy_problems *problems)
{
	char directory[64], path[128];
	const char *const paths[] = {path};
	const struct policy_options options = {
	        .registry = registry, .host = HOST_NAMESPACES, .paths = paths, .paths_count = 1};
	int r;

	fixture_directory(directory);
	fixture_write(directory, "test.conf", text, strlen(text));
	(void)snprintf(path, sizeof(path), "%s/test.conf", directory);
	r = policy_load(&options, ret, problems);
	fixture_remove(directory);
	return r;
}

/* The same for a text that is good. */
static inline struct policy *fixture_policy(const struct registry *registry, const char *text)
{
	struct policy_problems problems = {0};
	struct policy *policy = NULL;
	int r = fixture_load(registry, text, &policy, &problems);

	for (size_t i = 0; r && i < problems.count; i++)
		print_error("%u: %s\n", problems.list[i].line, problems.list[i].text);
	assert_int_equal(r, 0);
	policy_problems_free(&problems);
	return policy;
}

/* A bind of this port and address that root's nginx asked for, classified. */
static inline struct event fixture_event(const struct registry *registry, const char *address, uint16_t port)
{
	struct endpoint server = {.port = port, .has_port = true, .has_address = true};
	struct event event = {.pid = 100, .comm = "nginx", .protocol = IPPROTO_TCP, .unprivileged_port_start = 1024};

	server.family = strchr(address, ':') ? AF_INET6 : AF_INET;
	assert_int_equal(inet_pton(server.family, address, server.address), 1);
	event.family = server.family;
	event.requested = event.bound = server;
	event.netns_inode = HOST_NETNS;
	classify(registry, &event);
	return event;
}

#endif
