/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/judge/policy.h"

#include <stdbool.h>
#include <stddef.h>

static bool has_state(const struct event_facts *facts, enum registry_state state)
{
	return facts->registry && facts->registry->state == state;
}

static bool is_privileged(const struct event_facts *facts)
{
	return facts->privileged;
}

static bool is_reserved(const struct event_facts *facts)
{
	return has_state(facts, REGISTRY_RESERVED);
}

/*
 * RFC 6335, section 6: the Dynamic Ports are never assigned, an application may use one at will but must not rely on
 * it. So to ask for one by its number is a habit rather than an anomaly.
 */
static bool is_fixed_dynamic(const struct event_facts *facts)
{
	return has_state(facts, REGISTRY_NOT_LISTED) && facts->range == REGISTRY_DYNAMIC;
}

static bool is_unassigned(const struct event_facts *facts)
{
	return has_state(facts, REGISTRY_UNASSIGNED) || has_state(facts, REGISTRY_DEASSIGNED) ||
	       has_state(facts, REGISTRY_NOT_LISTED);
}

static bool is_assigned(const struct event_facts *facts)
{
	return has_state(facts, REGISTRY_ASSIGNED);
}

/* The first row that applies gives the verdict. */
static const struct {
	const char *rule;
	enum severity severity;
	bool (*applies)(const struct event_facts *facts);
} rules[] = {
        {"privileged-port", SEVERITY_HIGH, is_privileged},   {"reserved-port", SEVERITY_MEDIUM, is_reserved},
        {"unassigned-port", SEVERITY_LOW, is_fixed_dynamic}, {"unassigned-port", SEVERITY_MEDIUM, is_unassigned},
        {"registered-port", SEVERITY_LOW, is_assigned},
};

void policy_judge(struct event *event)
{
	event->verdict = (struct event_verdict){.verdict = VERDICT_NONE};
	if (event->action == EVENT_SILENT)
		event->verdict = (struct event_verdict){
		        .verdict = VERDICT_ALERT, .rule = "hook-silent", .severity = SEVERITY_CRITICAL};
	/*
	 * A bind that failed took nothing, and a port that the kernel chose was nobody's choice. What happens to a port
	 * once it is bound was alerted when it was bound.
	 */
	if (event->action != EVENT_BOUND || event->error || event->facts.ephemeral)
		return;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (!rules[i].applies(&event->facts))
			continue;
		event->verdict = (struct event_verdict){
		        .verdict = VERDICT_ALERT, .rule = rules[i].rule, .severity = rules[i].severity};
		return;
	}
}
