/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of `bindwatch explain`: explain.c reads its words, explain_event.c makes an event of them, explain_write.c
 * answers. */
#ifndef USER_CLI_EXPLAIN_H
#define USER_CLI_EXPLAIN_H

#include <stdbool.h>

#include "user/base/event.h"
#include "user/base/user_cache.h"
#include "user/cli/policy_option.h"

/* The command line. Strings are argv's, NULL: not given. */
struct explain_options {
	const char *port, *exe, *user, *address, *unit, *user_unit, *container, *image, *parent, *outcome, *exe_flags;
	const char *slice, *netns, *userns, *mntns;
	const char *event; /* the file of events, "-": stdin */
	const char *registry, *services;
	struct cli_policy_paths policy;
	bool json;
};

/* An event that was described and did not happen, with its process. Its texts are the options'. */
struct explain_event {
	struct event event;
	struct process process;
};

/*
 * What the options describe: a bind that was asked for by its port, in the host's namespaces, in no unit, slice and
 * container unless others are named, of an ordinary file unless flags are named. What cannot be guessed (arguments,
 * package, capabilities, the slice of a unit or container, the group of a user's number, ...) is not known. CLI_OK, or
 * CLI_USAGE after it said what is wrong.
 */
int explain_event_make(const struct explain_options *options, const struct registry *registry,
                       struct explain_event *ret);

/* Judges the event, writes the verdict and why. 0, or -errno: -ENOMEM, or the stream's. */
int explain_write(const struct policy *policy, struct event *event, struct user_cache *users, bool json);

#endif
