/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/cli/policy_option.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "user/cli/cli.h"

/* What a screen holds; bindwatch check tells all. */
#define ERRORS_TOLD 20

int cli_policy_add(const char *command, const char *option, const char *path, struct cli_policy_paths *paths)
{
	if (paths->count == CLI_POLICY_PATHS)
		return cli_usage(command, "--%s: more than %d are named: name a directory", option, CLI_POLICY_PATHS);
	paths->list[paths->count++] = path;
	return CLI_OK;
}

/* 0: it may not be seen */
static uint32_t inode_of(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 ? (uint32_t)status.st_ino : 0;
}

void cli_host_namespaces(uint32_t ret[POLICY_NAMESPACES])
{
	ret[POLICY_NETNS] = inode_of("/proc/1/ns/net");
	if (!ret[POLICY_NETNS])
		ret[POLICY_NETNS] = inode_of("/proc/self/ns/net");
	/* a program of ours that could watch is in it */
	ret[POLICY_USERNS] = PROCESS_FIRST_USERNS;
	ret[POLICY_MNTNS] = inode_of("/proc/1/ns/mnt");
}

static int tell_errors(const char *command, const struct policy_problems *problems)
{
	size_t told = 0;

	for (size_t i = 0; i < problems->count && told < ERRORS_TOLD; i++) {
		const struct policy_problem *problem = &problems->list[i];

		if (problem->warning)
			continue;
		told++;
		if (problem->line)
			(void)cli_error("%s:%u: %s", problem->file, problem->line, problem->text);
		else
			(void)cli_error("%s: %s", problem->file, problem->text);
	}
	if (problems->errors > told)
		return cli_error("%s: and %zu more: 'bindwatch check' tells all", command, problems->errors - told);
	return CLI_FAILURE;
}

int cli_policy_open(const char *command, const struct cli_policy_paths *paths, const struct registry *registry,
                    struct policy **ret)
{
	struct policy_options options = {.registry = registry, .paths = paths->list, .paths_count = paths->count};
	struct policy_problems problems = {0};
	int r;

	cli_host_namespaces(options.host);
	r = policy_load(&options, ret, &problems);
	if (r == -EINVAL)
		r = tell_errors(command, &problems);
	else if (r < 0)
		r = cli_error("%s: the policy: %s", command, strerror(-r));
	policy_problems_free(&problems);
	return r;
}
