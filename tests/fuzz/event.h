/* SPDX-License-Identifier: BSD-2-Clause */
/* What must be so of every event, whatever it was made of. */
#ifndef TESTS_FUZZ_EVENT_H
#define TESTS_FUZZ_EVENT_H

#include "user/base/event.h"
#include "user/cli/event_json.h"
#include "user/judge/policy.h"

/* The inodes of the host's namespaces, for struct policy_options. */
#define FUZZ_HOST_NETNS  4026531840U
#define FUZZ_HOST_USERNS 4026531837U
#define FUZZ_HOST_MNTNS  4026531841U
#define FUZZ_HOST                                                                                                      \
	{                                                                                                              \
		[POLICY_NETNS] = FUZZ_HOST_NETNS, [POLICY_USERNS] = FUZZ_HOST_USERNS, [POLICY_MNTNS] = FUZZ_HOST_MNTNS \
	}

/* The vendor's policy, loaded once. */
const struct policy *fuzz_policy(void);

/* Events to judge, classified, with and without a process; false: there are not so many. */
bool fuzz_event(size_t index, struct event *ret);

/*
 * Judges a classified event: explain() finds the same rule by walking all of them, and the reason can be shown. The
 * verdict's reason is valid until the next call.
 */
void fuzz_judge(const struct policy *policy, struct event *event);

/*
 * What comes of it when it is written as a line and read back, as replay does it, judged; to be freed. Each encoder
 * writes it as one line that can be shown; that of JSON is JSON.
 */
struct event_json *fuzz_replay(const struct policy *policy, const struct event *event);

/* Whatever a rule can ask has the same answer of both. */
void fuzz_same_facts(const struct event *event, const struct event *back);

#endif
