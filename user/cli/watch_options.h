/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef USER_CLI_WATCH_OPTIONS_H
#define USER_CLI_WATCH_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "user/cli/policy_option.h"
#include "user/encode/encode.h"

/* The command line of watch. Strings are argv's. */
struct watch_options {
	const struct encoder *encoder;
	const char *ports; /* --port as given, NULL: every port */
	const char *registry, *services;
	enum capture_plan plan;
	uint64_t pid, seconds, count; /* 0: any, without end, without end */
	uint64_t health;              /* seconds between two looks at the hooks' health */
	bool no_existing;
	bool hash; /* read the programs, for their SHA-256 */
	bool wide; /* text: more columns */
	bool alerts; /* show nothing else, losses excepted */
	struct cli_policy_paths policy;
};

/* -1: go on; else what the program returns at once, after it said why. */
int watch_options_parse(int argc, char **argv, struct watch_options *ret);

#endif
