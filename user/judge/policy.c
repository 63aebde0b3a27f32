/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/judge/policy.h"

#include <linux/types.h> /* before the contract with the kernel side, which includes nothing */
#include <stdlib.h>
#include <string.h>

#include "bpf/bindwatch.h"
#include "user/judge/policy_rule.h"

void policy_free(struct policy *policy)
{
	if (!policy)
		return;
	policy_index_free(&policy->index);
	arena_free(&policy->arena);
	free(policy->files);
	free(policy->rules);
	free(policy);
}

size_t policy_files(const struct policy *policy)
{
	return policy->files_count;
}

size_t policy_rules(const struct policy *policy)
{
	return policy->rules_count;
}

const char *policy_rule_name(const struct policy *policy, size_t index)
{
	return policy->rules[index].name;
}

bool event_takes_port(const struct event *event)
{
	return event->action == EVENT_BOUND || event->action == EVENT_EXISTING ||
	       (event->action == EVENT_LISTEN && (event->socket_flags & (BW_SOCKET_AUTOBOUND | BW_SOCKET_UNTOLD)));
}

const struct condition *rule_first_failure(const struct rule *rule, const struct event *event)
{
	for (size_t i = 0; i < rule->count; i++) {
		if (!condition_holds(&rule->conditions[i], event))
			return &rule->conditions[i];
	}
	return NULL;
}

const struct condition *rule_condition(const struct rule *rule, const char *key)
{
	for (size_t i = 0; i < rule->count; i++) {
		if (strcmp(rule->conditions[i].predicate->key, key) == 0)
			return &rule->conditions[i];
	}
	return NULL;
}

static struct event_verdict verdict_of(const struct rule *rule)
{
	return (struct event_verdict){
	        .verdict = rule->verdict,
	        .severity = rule->severity,
	        .rule = rule->name,
	        .file = rule->file->path,
	        .line = rule->line,
	        .message = rule->message,
	        .techniques = rule->techniques,
	};
}

void policy_judge(const struct policy *policy, struct event *event)
{
	struct policy_candidates candidates;
	const struct rule *rule;
	bool takes_port = event_takes_port(event);

	event->verdict = (struct event_verdict){.verdict = VERDICT_NONE};
	if (event->action == EVENT_SILENT)
		event->verdict = (struct event_verdict){
		        .verdict = VERDICT_ALERT, .rule = "hook-silent", .severity = SEVERITY_CRITICAL};
	if (!policy || event->action == EVENT_SILENT || event->action == EVENT_LOST)
		return;
	policy_candidates_begin(policy, event, &candidates);
	while ((rule = policy_candidates_next(policy, &candidates))) {
		if ((takes_port || rule->any_action) && !rule_first_failure(rule, event)) {
			event->verdict = verdict_of(rule);
			return;
		}
	}
}

bool policy_is_graver(const struct event_verdict *verdict, const struct event_verdict *than)
{
	static const unsigned int gravity[] = {
	        [VERDICT_EXPECT] = 0, [VERDICT_IGNORE] = 1, [VERDICT_NONE] = 2, [VERDICT_ALERT] = 3};

	if (verdict->verdict != than->verdict)
		return gravity[verdict->verdict] > gravity[than->verdict];
	return verdict->severity > than->severity;
}
