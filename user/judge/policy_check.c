/* SPDX-License-Identifier: BSD-2-Clause */
/* What a policy says and perhaps does not mean. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "user/judge/glob.h"
#include "user/judge/policy_rule.h"

/* The actions that a rule without `action` is about; a listen only where it takes the port itself. */
#define TAKING_ACTIONS (1ULL << EVENT_BOUND | 1ULL << EVENT_LISTEN | 1ULL << EVENT_EXISTING)

/* The bits of the actions that a condition includes; what it excludes is not looked at. */
static uint64_t actions_of(const struct condition *condition)
{
	uint64_t bits = 0;

	for (size_t i = 0; i < condition->count; i++)
		bits |= condition->words[i].excludes ? 0 : condition->words[i].bits;
	return bits;
}

static bool excludes_nothing(const struct condition *condition)
{
	for (size_t i = 0; i < condition->count; i++) {
		if (condition->words[i].excludes)
			return false;
	}
	return true;
}

static bool action_covers(const struct condition *wide, const struct condition *narrow)
{
	if (wide && narrow)
		return condition_covers(wide, narrow);
	if (wide)
		return excludes_nothing(wide) && (TAKING_ACTIONS & ~actions_of(wide)) == 0;
	/* of a listen only some take the port */
	if (narrow)
		return actions_of(narrow) &&
		       (actions_of(narrow) & ~(1ULL << EVENT_BOUND | 1ULL << EVENT_EXISTING)) == 0;
	return true;
}

static bool is_of_ports(const struct condition *condition)
{
	return condition->predicate->kind == &predicate_ports || condition->predicate->kind == &predicate_service;
}

/* Ports and services are the same facts: service = ssh is covered by port = 22. */
static bool is_covered(const struct condition *wide, const struct rule *narrow)
{
	for (size_t i = 0; i < narrow->count; i++) {
		const struct condition *condition = &narrow->conditions[i];

		if ((condition->predicate == wide->predicate || (is_of_ports(condition) && is_of_ports(wide))) &&
		    condition_covers(wide, condition))
			return true;
	}
	return false;
}

static bool rule_covers(const struct rule *wide, const struct rule *narrow)
{
	if (!action_covers(rule_condition(wide, "action"), rule_condition(narrow, "action")))
		return false;
	for (size_t i = 0; i < wide->count; i++) {
		const struct condition *condition = &wide->conditions[i];

		if (strcmp(condition->predicate->key, "action") != 0 && !is_covered(condition, narrow))
			return false;
	}
	return true;
}

/* A port that the rule is about: whatever covers the rule is in the list of that port, or in none. */
static void any_port_of(const struct rule *rule, struct event *ret)
{
	static const char *const keys[] = {"port", "service"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const struct condition *condition = rule_condition(rule, keys[i]);

		for (size_t j = 0; condition && j < condition->count; j++) {
			if (condition->words[j].excludes)
				continue;
			ret->facts.server.has_port = true;
			ret->facts.server.port = word_ranges(&condition->words[j])[0].first;
			return;
		}
	}
}

static int check_covered(const struct policy *policy, const struct rule *rule, uint64_t ports,
                         struct policy_problems *problems)
{
	struct policy_candidates candidates;
	struct event event = {0};
	const struct rule *other;

	any_port_of(rule, &event);
	policy_candidates_begin(policy, &event, &candidates);
	while ((other = policy_candidates_next(policy, &candidates)) && other < rule) {
		uint64_t keys = rule->keys | (rule->keys & ports ? ports : 0);

		/* most are told apart by this alone */
		if ((other->keys & ~keys & ~(1ULL << predicate_number_of(predicate_find("action")))) == 0 &&
		    rule_covers(other, rule))
			return policy_problem(
			        problems, true, rule->file->path, rule->line,
			        "\"%s\": this rule can never match, for [%s %s] at %s:%u matches all that "
			        "it does: write it before that one, or narrow that one",
			        rule->name, event_word_name(WORDS_VERDICT, other->verdict), other->name,
			        other->file->path, other->line);
	}
	return 0;
}

static int check_empty(const struct rule *rule, struct policy_problems *problems)
{
	for (size_t i = 0; i < rule->count; i++) {
		char quote[256];
		struct phrase phrase;

		if (!condition_is_empty(&rule->conditions[i]))
			continue;
		phrase_begin(&phrase, quote, sizeof(quote));
		condition_print(&rule->conditions[i], &phrase);
		if (policy_problem(problems, true, rule->file->path, rule->conditions[i].line,
		                   "\"%s\": the rule can never match, for all that this includes it excludes, too: "
		                   "take the words out, or those with '!'",
		                   quote) == -ENOMEM)
			return -ENOMEM;
	}
	return 0;
}

static int check_paths(const struct rule *rule, struct policy_problems *problems)
{
	static const char *const keys[] = {"exe", "parent", "ancestor"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const struct condition *condition = rule_condition(rule, keys[i]);

		for (size_t j = 0; condition && j < condition->count; j++) {
			const struct predicate_word *word = &condition->words[j];
			char quote[256];
			struct phrase phrase;

			if (!glob_is_literal(word->text) || access(word->text, F_OK) == 0 || errno != ENOENT)
				continue;
			phrase_begin(&phrase, quote, sizeof(quote));
			phrase_visible(&phrase, word->text, word->length);
			if (policy_problem(problems, true, rule->file->path, condition->line,
			                   "\"%s\": there is no such program on this host", quote) == -ENOMEM)
				return -ENOMEM;
		}
	}
	return 0;
}

int policy_check(const struct policy *policy, struct policy_problems *problems)
{
	uint64_t ports = 1ULL << predicate_number_of(predicate_find("port")) |
	                 1ULL << predicate_number_of(predicate_find("service"));

	if (!policy->rules_count &&
	    policy_problem(problems, true, policy->files_count ? policy->files[0].path : NULL, 0,
	                   policy->files_count > 1
	                           ? "neither this file nor any other has a rule: nothing raises an alert"
	                           : "there is no rule in it: nothing raises an alert") == -ENOMEM)
		return -ENOMEM;
	for (size_t i = 0; i < policy->rules_count; i++) {
		const struct rule *rule = &policy->rules[i];

		if (check_covered(policy, rule, ports, problems) == -ENOMEM || check_empty(rule, problems) == -ENOMEM)
			return -ENOMEM;
		if (!rule->file->vendor && check_paths(rule, problems) == -ENOMEM)
			return -ENOMEM;
	}
	return 0;
}
