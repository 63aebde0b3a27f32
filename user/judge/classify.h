/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef USER_JUDGE_CLASSIFY_H
#define USER_JUDGE_CLASSIFY_H

#include "registry/registry.h"
#include "user/base/event.h"

/* Fills event->facts from what sense/ filled. Cannot fail, allocates nothing. */
void classify(const struct registry *registry, struct event *event);

#endif
