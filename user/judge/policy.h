/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Facts to a verdict, by rules that are text: bindwatch-policy(5). The first rule that matches wins, in the order of
 * the files' names and of the lines in them.
 */
#ifndef USER_JUDGE_POLICY_H
#define USER_JUDGE_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry/registry.h"
#include "user/base/event.h"
#include "user/base/user_cache.h"

/* Where rules stand unless the caller says otherwise. A site's file replaces the vendor's of the same name. */
#define POLICY_VENDOR_DIRECTORY "/usr/lib/bindwatch/policy.d"
#define POLICY_SITE_DIRECTORY   "/etc/bindwatch/policy.d"

/* What stands before the name of a file that is part of the program. */
#define POLICY_BUILT_IN "built-in:"

struct policy;

/* Of whose host rules speak. */
enum policy_namespace {
	POLICY_NETNS,
	POLICY_USERNS,
	POLICY_MNTNS,
	POLICY_NAMESPACES,
};

struct policy_options {
	const struct registry *registry; /* names of services; borrowed for the call */
	uint32_t host[POLICY_NAMESPACES]; /* inodes of the host's namespaces; 0: not known */
	const char *const *paths;        /* files and directories that are read in place of all others, in this order */
	size_t paths_count;              /* 0: the vendor's (built in and installed) and the site's */
	const char *vendor_directory;    /* NULL: the standard ones */
	const char *site_directory;
};

/* What is wrong with a policy, or odd. */
struct policy_problem {
	bool warning;      /* else an error */
	char *file;        /* NULL: of no file */
	unsigned int line; /* 0: of the whole file */
	char *text;        /* one line without control bytes: "value": what is wrong, and what would be right */
};

/* So many are kept; the others are counted. */
#define POLICY_PROBLEMS_MAX 1000

/* All zeros is an empty list. */
struct policy_problems {
	struct policy_problem *list;
	size_t count, size;      /* of list */
	size_t errors, warnings; /* all of them */
};

void policy_problems_free(struct policy_problems *problems);

/*
 * Reads a policy whole, or not at all. 0, with *ret to be freed by policy_free(); there may be warnings in problems.
 * -EINVAL: problems says what is wrong, all of it; -ENOMEM. *ret is then untouched.
 */
int policy_load(const struct policy_options *options, struct policy **ret, struct policy_problems *problems);

/* NULL is allowed. */
void policy_free(struct policy *policy);

/* Files that were read, and rules in them. */
size_t policy_files(const struct policy *policy);
size_t policy_rules(const struct policy *policy);

/* The name of the rule at this index, below policy_rules(); no other rule of the policy has it. It is the policy's. */
const char *policy_rule_name(const struct policy *policy, size_t index);

/*
 * Fills event->verdict from what is known of the event. Cannot fail, allocates nothing; the verdict points into the
 * policy. NULL: without rules; that a hook of our own is silent is an alert even then.
 */
void policy_judge(const struct policy *policy, struct event *event);

/*
 * Does the first say worse of its event than the second? Alerts by their severity, then what no rule speaks of, then
 * what is ignored, then what is expected.
 */
bool policy_is_graver(const struct event_verdict *verdict, const struct event_verdict *than);

/*
 * Adds a warning to problems for each rule that can never match, because one before it matches whatever it does or
 * because it excludes all that it includes, and for each executable of a file that is not the vendor's that does not
 * exist. 0 or -ENOMEM.
 */
int policy_check(const struct policy *policy, struct policy_problems *problems);

/* Holds the longest sentence that says what matters; a longer one is cut. */
#define POLICY_REASON_LEN 1024

/*
 * Why, in one sentence for a person: the rule's own words, what happened, and what was expected instead: "tcp/22 is
 * ssh; expected /usr/sbin/sshd, was /usr/bin/python3 run by alice from /tmp". Of a verdict that it is expected or ignored:
 * "tcp/22 is ssh; /usr/sbin/sshd run by root is expected there". Hostile bytes are made visible, the text ends with a NUL.
 * users: names of users, asked of the system where they are not known yet; NULL: their numbers.
 */
void policy_reason(const struct policy *policy, const struct event *event, struct user_cache *users,
                   char text[POLICY_REASON_LEN]);

#endif
