/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/judge/predicate.h"

#include <string.h>

#include "user/judge/facts.h"
#include "user/judge/glob.h"

/* clang-format off */
static const struct predicate predicates[] = {
	{.key = "port", .kind = &predicate_ports},
	{.key = "service", .kind = &predicate_service},
	{.key = "transport", .kind = &predicate_set, .words = WORDS_TRANSPORT, .bits = fact_transport},
	{.key = "class", .kind = &predicate_set, .words = WORDS_CLASS, .bits = fact_class},
	{.key = "state", .kind = &predicate_set, .words = WORDS_STATE, .bits = fact_state},
	{.key = "exposure", .kind = &predicate_set, .words = WORDS_EXPOSURE, .bits = fact_exposure},
	{.key = "address", .kind = &predicate_address},
	{.key = "choice", .kind = &predicate_set, .words = WORDS_CHOICE, .bits = fact_choice},
	{.key = "outcome", .kind = &predicate_set, .words = WORDS_OUTCOME, .bits = fact_outcome},
	{.key = "error", .kind = &predicate_number, .number = fact_error, .resolve = resolve_error},
	{.key = "action", .kind = &predicate_set, .words = WORDS_ACTION, .bits = fact_action,
	 .refused = 1U << EVENT_LOST | 1U << EVENT_SILENT,
	 .why_refused = "the monitor tells this of itself, of no port, and no rule is asked"},
	{.key = "exe", .kind = &predicate_pattern, .text = fact_exe, .flags = PATTERN_IS_PATH},
	{.key = "exe-flags", .kind = &predicate_set, .words = WORDS_EXECUTABLE_FLAG, .words_are_flags = true,
	 .bits = fact_exe_flags},
	{.key = "sha256", .kind = &predicate_sha256},
	{.key = "package", .kind = &predicate_pattern, .text = fact_package, .flags = GLOB_ANY | PATTERN_OR_NONE},
	{.key = "comm", .kind = &predicate_pattern, .text = fact_comm, .flags = GLOB_ANY},
	{.key = "args", .kind = &predicate_pattern, .text = fact_args, .flags = GLOB_ANY | GLOB_NUL_IS_BLANK},
	{.key = "user", .kind = &predicate_number, .number = fact_user, .resolve = resolve_user},
	{.key = "effective-user", .kind = &predicate_number, .number = fact_effective_user, .resolve = resolve_user},
	{.key = "login-user", .kind = &predicate_number, .number = fact_login_user, .resolve = resolve_login_user},
	{.key = "group", .kind = &predicate_number, .number = fact_group, .resolve = resolve_group},
	{.key = "capability", .kind = &predicate_set, .words = WORDS_CAPABILITY, .bits = fact_capability},
	{.key = "parent", .kind = &predicate_pattern, .text = fact_parent, .flags = PATTERN_IS_PATH},
	{.key = "ancestor", .kind = &predicate_pattern, .text = fact_ancestor, .flags = PATTERN_IS_PATH},
	{.key = "unit", .kind = &predicate_pattern, .text = fact_unit, .flags = GLOB_ANY | PATTERN_OR_NONE},
	{.key = "unit-if-any", .kind = &predicate_pattern, .text = fact_unit, .flags = GLOB_ANY,
	 .applies = fact_has_own_unit},
	{.key = "user-unit", .kind = &predicate_pattern, .text = fact_user_unit, .flags = GLOB_ANY},
	{.key = "slice", .kind = &predicate_pattern, .text = fact_slice, .flags = GLOB_ANY | PATTERN_OR_NONE},
	{.key = "container", .kind = &predicate_pattern, .text = fact_container,
	 .flags = GLOB_ANY | PATTERN_OR_NONE | PATTERN_OR_ANY},
	{.key = "image", .kind = &predicate_pattern, .text = fact_image, .flags = PATTERN_OR_NONE | PATTERN_OR_ANY},
	{.key = "runtime", .kind = &predicate_set, .words = WORDS_RUNTIME, .bits = fact_runtime},
	{.key = "pod", .kind = &predicate_pattern, .text = fact_pod, .flags = GLOB_ANY},
	{.key = "holders", .kind = &predicate_set, .words = WORDS_HOLDERS, .bits = fact_holders},
	{.key = "netns", .kind = &predicate_namespace, .namespace = POLICY_NETNS},
	{.key = "userns", .kind = &predicate_namespace, .namespace = POLICY_USERNS},
	{.key = "mntns", .kind = &predicate_namespace, .namespace = POLICY_MNTNS},
	{.key = "socket", .kind = &predicate_set, .words = WORDS_SOCKET_FLAG, .words_are_flags = true,
	 .bits = fact_socket},
	{.key = "pattern", .kind = &predicate_set, .words = WORDS_PATTERN, .words_are_flags = true,
	 .bits = fact_pattern},
	{.key = "kernel-thread", .kind = &predicate_set, .words = WORDS_ANSWER, .bits = fact_kernel_thread},
};
/* clang-format on */

#define PREDICATES (sizeof(predicates) / sizeof(predicates[0]))

_Static_assert(PREDICATES <= 64, "a rule's keys are a mask of 64 bits");

const struct predicate *predicate_find(const char *key)
{
	for (size_t i = 0; i < PREDICATES; i++) {
		if (strcmp(predicates[i].key, key) == 0)
			return &predicates[i];
	}
	return NULL;
}

const struct predicate *predicate_at(size_t index)
{
	return index < PREDICATES ? &predicates[index] : NULL;
}

unsigned int predicate_number_of(const struct predicate *predicate)
{
	return (unsigned int)(predicate - predicates);
}

bool condition_holds(const struct condition *condition, const struct event *event)
{
	const struct predicate *predicate = condition->predicate;
	bool includes = false, included = false;

	if (predicate->applies && !predicate->applies(event))
		return true;
	for (size_t i = 0; i < condition->count; i++) {
		const struct predicate_word *word = &condition->words[i];

		if (word->excludes) {
			if (predicate->kind->match(predicate, word, event) != FACT_NO)
				return false;
			continue;
		}
		includes = true;
		included = included || predicate->kind->match(predicate, word, event) == FACT_YES;
	}
	return included || !includes;
}

static bool words_equal(const struct predicate_word *a, const struct predicate_word *b)
{
	return strcmp(a->text, b->text) == 0;
}

/* Whether one of the words of the condition that include covers the word. */
static bool word_is_covered(const struct condition *wide, const struct predicate_word *narrow)
{
	for (size_t i = 0; i < wide->count; i++) {
		const struct predicate_word *word = &wide->words[i];

		/* a user of no host: it matches nothing, so nothing is covered by it */
		if (word->other == OTHER_NEVER)
			continue;
		if (!word->excludes && (words_equal(word, narrow) || wide->predicate->kind->covers(word, narrow)))
			return true;
	}
	return false;
}

/* Whether the condition excludes at least what the word does. */
static bool excludes_too(const struct condition *narrow, const struct predicate_word *excluded)
{
	for (size_t i = 0; i < narrow->count; i++) {
		const struct predicate_word *word = &narrow->words[i];

		if (word->excludes && (words_equal(word, excluded) || narrow->predicate->kind->covers(word, excluded)))
			return true;
	}
	return false;
}

bool condition_covers(const struct condition *wide, const struct condition *narrow)
{
	bool wide_includes = false, narrow_includes = false;

	for (size_t i = 0; i < wide->count; i++) {
		if (wide->words[i].excludes && !excludes_too(narrow, &wide->words[i]))
			return false;
		wide_includes |= !wide->words[i].excludes;
	}
	for (size_t i = 0; i < narrow->count; i++) {
		if (narrow->words[i].excludes)
			continue;
		narrow_includes = true;
		if (wide_includes && !word_is_covered(wide, &narrow->words[i]))
			return false;
	}
	return narrow_includes || !wide_includes;
}

bool condition_is_empty(const struct condition *condition)
{
	bool includes = false;

	/* it holds of whatever it does not apply to */
	if (condition->predicate->applies)
		return false;
	for (size_t i = 0; i < condition->count; i++) {
		const struct predicate_word *word = &condition->words[i];

		if (!word->excludes && !excludes_too(condition, word))
			return false;
		includes |= !word->excludes;
	}
	return includes;
}

void condition_print(const struct condition *condition, struct phrase *phrase)
{
	phrase_format(phrase, "%s =", condition->predicate->key);
	for (size_t i = 0; i < condition->count; i++) {
		const char *text = condition->words[i].text;

		phrase_text(phrase, condition->words[i].excludes ? " !" : " ");
		phrase_visible(phrase, text, strlen(text));
	}
}

void condition_print_fact(const struct condition *condition, const struct event *event, struct phrase *phrase)
{
	condition->predicate->kind->print(condition->predicate, event, phrase);
}
