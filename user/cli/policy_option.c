/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/cli/policy_option.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "user/cli/cli.h"

/* What a screen holds; bindwatch check tells all. */
#define ERRORS_TOLD 20

int cli_policy_add(const char *command, const char *path, struct cli_policy_paths *paths)
{
	if (paths->count == CLI_POLICY_PATHS)
		return cli_usage(command, "--policy: more than %d are named: name a directory", CLI_POLICY_PATHS);
	paths->list[paths->count++] = path;
	return CLI_OK;
}

uint32_t cli_host_netns(void)
{
	struct stat status;

	if (stat("/proc/1/ns/net", &status) == 0 || stat("/proc/self/ns/net", &status) == 0)
		return (uint32_t)status.st_ino;
	return 0;
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
	const struct policy_options options = {.registry = registry,
	                                       .host_netns = cli_host_netns(),
	                                       .paths = paths->list,
	                                       .paths_count = paths->count};
	struct policy_problems problems = {0};
	int r = policy_load(&options, ret, &problems);

	if (r == -EINVAL)
		r = tell_errors(command, &problems);
	else if (r < 0)
		r = cli_error("%s: the policy: %s", command, strerror(-r));
	policy_problems_free(&problems);
	return r;
}
