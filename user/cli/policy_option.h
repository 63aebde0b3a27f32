/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef USER_CLI_POLICY_OPTION_H
#define USER_CLI_POLICY_OPTION_H

#include <stddef.h>

#include "registry/registry.h"
#include "user/judge/policy.h"

/* More files than anybody names on a command line; a directory counts as one. */
#define CLI_POLICY_PATHS 64

/* What --policy, or another such option, named, in its order. Strings are argv's. */
struct cli_policy_paths {
	const char *list[CLI_POLICY_PATHS];
	size_t count;
};

/* Adds one, as the value of --option. CLI_OK, or CLI_USAGE after it said that there are too many. */
int cli_policy_add(const char *command, const char *option, const char *path, struct cli_policy_paths *paths);

/*
 * The policy that the paths name, or that of the vendor and the site where there is none. CLI_OK, and *ret is freed
 * with policy_free(); CLI_FAILURE after each error was said with file and line. Warnings are not told.
 */
int cli_policy_open(const char *command, const struct cli_policy_paths *paths, const struct registry *registry,
                    struct policy **ret);

/*
 * The inodes of the host's namespaces, 0 where one is not known: those of process 1; of users the kernel's first. Where
 * process 1 may not be looked at, our own stands for that of networks. Not for that of mounts, for a service is often
 * given one of its own.
 */
void cli_host_namespaces(uint32_t ret[POLICY_NAMESPACES]);

#endif
