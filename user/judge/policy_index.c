/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>

#include "user/judge/policy_rule.h"

#define PORTS 65536U

/* A rule of more ports is asked of every event, lest the lists outgrow the rules. */
#define LISTED_PORTS_MAX 64

/* Calls add() for each port that a condition on ports can hold for; returns how many, or LISTED_PORTS_MAX + 1. */
static size_t each_port(const struct condition *condition, void (*add)(struct policy_index *, uint32_t, uint32_t),
                        struct policy_index *index, uint32_t number)
{
	size_t count = 0;

	for (size_t i = 0; i < condition->count; i++) {
		const struct predicate_word *word = &condition->words[i];

		if (word->excludes)
			continue;
		for (size_t j = 0; j < word->ranges_count; j++) {
			const struct port_range *range = &word_ranges(word)[j];

			count += (size_t)(range->last - range->first) + 1;
			if (count > LISTED_PORTS_MAX)
				return LISTED_PORTS_MAX + 1;
			for (uint32_t port = range->first; add && port <= range->last; port++)
				add(index, port, number);
		}
	}
	return count;
}

/* The condition by whose ports the rule is listed; NULL: it names none, or too many. */
static const struct condition *listed_by(const struct rule *rule)
{
	static const char *const keys[] = {"port", "service"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const struct condition *condition = rule_condition(rule, keys[i]);
		size_t ports = condition ? each_port(condition, NULL, NULL, 0) : 0;

		if (ports && ports <= LISTED_PORTS_MAX)
			return condition;
	}
	return NULL;
}

static void count_port(struct policy_index *index, uint32_t port, uint32_t number)
{
	(void)number;
	index->starts[port + 1]++;
}

/* While the lists are filled, starts[port] is where the port's next rule goes. */
static void list_port(struct policy_index *index, uint32_t port, uint32_t number)
{
	index->by_port[index->starts[port]++] = number;
}

int policy_index_build(struct policy *policy)
{
	struct policy_index *index = &policy->index;

	index->starts = calloc(PORTS + 1, sizeof(*index->starts));
	index->others = calloc(policy->rules_count + 1, sizeof(*index->others));
	if (!index->starts || !index->others)
		return -ENOMEM;
	for (uint32_t i = 0; i < policy->rules_count; i++) {
		const struct condition *condition = listed_by(&policy->rules[i]);

		if (condition)
			(void)each_port(condition, count_port, index, i);
		else
			index->others[index->others_count++] = i;
	}
	for (uint32_t port = 0; port < PORTS; port++)
		index->starts[port + 1] += index->starts[port];
	index->by_port = calloc((size_t)index->starts[PORTS] + 1, sizeof(*index->by_port));
	if (!index->by_port)
		return -ENOMEM;
	for (uint32_t i = 0; i < policy->rules_count; i++) {
		const struct condition *condition = listed_by(&policy->rules[i]);

		if (condition)
			(void)each_port(condition, list_port, index, i);
	}
	/* each start has moved to its list's end, which is the next one's start */
	for (uint32_t port = PORTS; port > 0; port--)
		index->starts[port] = index->starts[port - 1];
	index->starts[0] = 0;
	return 0;
}

void policy_index_free(struct policy_index *index)
{
	free(index->starts);
	free(index->by_port);
	free(index->others);
}

void policy_candidates_begin(const struct policy *policy, const struct event *event, struct policy_candidates *ret)
{
	const struct policy_index *index = &policy->index;
	uint32_t port = event->facts.server.port;

	*ret = (struct policy_candidates){.other = index->others, .other_end = index->others + index->others_count};
	if (!event->facts.server.has_port)
		return;
	ret->port = index->by_port + index->starts[port];
	ret->port_end = index->by_port + index->starts[port + 1];
}

const struct rule *policy_candidates_next(const struct policy *policy, struct policy_candidates *candidates)
{
	bool has_port = candidates->port < candidates->port_end, has_other = candidates->other < candidates->other_end;

	if (!has_port && !has_other)
		return NULL;
	if (has_port && (!has_other || *candidates->port < *candidates->other))
		return &policy->rules[*candidates->port++];
	return &policy->rules[*candidates->other++];
}
