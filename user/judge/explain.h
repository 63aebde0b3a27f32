/* SPDX-License-Identifier: BSD-2-Clause */
/* Why the policy judges as it does: every rule up to the one that decides, and what it wanted that the event has not.
 */
#ifndef USER_JUDGE_EXPLAIN_H
#define USER_JUDGE_EXPLAIN_H

#include "user/judge/policy.h"

#define EXPLAIN_TEXT_LEN 512

/* One rule, in its turn. */
struct explain_step {
	enum verdict verdict; /* the rule's own */
	const char *rule, *file;
	unsigned int line;
	bool matches;                     /* this is the one that decides, and the last step; what follows is empty */
	const char *key;                  /* the first predicate that failed, in the order of the file */
	char condition[EXPLAIN_TEXT_LEN]; /* as it is written: "exe = /usr/sbin/sshd" */
	char seen[EXPLAIN_TEXT_LEN];      /* what the event has there: "/usr/bin/python3", "not known" */
};

/*
 * Calls step() for each rule in its turn, until it returns non-zero or a rule matches. It walks all of them, whatever
 * shortcut policy_judge() takes: the two agree, or one of them is wrong. Returns what step() returned last, 0 where
 * there are no rules, or where no rule is asked (EVENT_LOST, EVENT_SILENT). Texts are made fit for a terminal.
 */
int explain(const struct policy *policy, const struct event *event,
            int (*step)(void *context, const struct explain_step *step), void *context);

#endif
