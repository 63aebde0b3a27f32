/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/judge/explain.h"

#include "user/judge/policy_rule.h"

#define DEFAULT_ACTION "action = bound-socket existing-socket, as it is not written"

static void fill_failure(struct explain_step *step, const struct rule *rule, const struct event *event)
{
	const struct condition *failure = rule_first_failure(rule, event);
	struct phrase condition, seen;

	step->matches = false;
	phrase_begin(&condition, step->condition, sizeof(step->condition));
	phrase_begin(&seen, step->seen, sizeof(step->seen));
	if (!rule->any_action && !event_takes_port(event)) {
		step->key = "action";
		phrase_text(&condition, DEFAULT_ACTION);
		phrase_text(&seen, event_word_name(WORDS_ACTION, event->action));
	} else if (failure) {
		step->key = failure->predicate->key;
		condition_print(failure, &condition);
		condition_print_fact(failure, event, &seen);
	} else {
		step->matches = true;
	}
}

int explain(const struct policy *policy, const struct event *event,
            int (*step)(void *context, const struct explain_step *step), void *context)
{
	int r = 0;

	if (event->action == EVENT_SILENT || event->action == EVENT_LOST)
		return 0;
	for (size_t i = 0; r == 0 && i < policy->rules_count; i++) {
		const struct rule *rule = &policy->rules[i];
		struct explain_step at = {
		        .verdict = rule->verdict, .rule = rule->name, .file = rule->file->path, .line = rule->line};

		fill_failure(&at, rule, event);
		r = step(context, &at);
		if (at.matches)
			break;
	}
	return r;
}
