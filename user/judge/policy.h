/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef USER_JUDGE_POLICY_H
#define USER_JUDGE_POLICY_H

#include "user/base/event.h"

/* Fills event->verdict from event->facts: facts to verdict. Cannot fail, allocates nothing. */
void policy_judge(struct event *event);

#endif
