/* SPDX-License-Identifier: BSD-2-Clause */
/* How often each rule decided, and where first; or, of two policies, how often the one decided this and the other that.
 */
#ifndef USER_CLI_REPLAY_SUM_H
#define USER_CLI_REPLAY_SUM_H

#include <stdint.h>
#include <stdio.h>

#include "user/base/event.h"

/* Pairs of rules. Without a second policy there are as many as rules, at most. */
#define REPLAY_ROWS_MAX (1U << 18)

struct replay_sum;

/* *ret is freed with replay_sum_free(), which allows NULL. 0 or -ENOMEM. */
int replay_sum_new(struct replay_sum **ret);
void replay_sum_free(struct replay_sum *sum);

/*
 * Counts one event. was: what it is compared with, NULL: nothing. line: where it stands, from 1. The rules' names must
 * live as long as the sum. 0; -ENOMEM; -E2BIG: REPLAY_ROWS_MAX.
 */
int replay_sum_add(struct replay_sum *sum, const struct event_verdict *was, const struct event *event, uint64_t line);

/*
 * The table: alerts first, the most severe first, then what no rule matched, and last what was expected and ignored;
 * with two policies by what it was, and then by what it is. Nothing where nothing was counted. 0 or -errno.
 */
int replay_sum_print(const struct replay_sum *sum, FILE *stream);

/* Whether two verdicts are the same: of the same kind, severity and rule. */
bool replay_same(const struct event_verdict *a, const struct event_verdict *b);

#endif
