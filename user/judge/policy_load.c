/* SPDX-License-Identifier: BSD-2-Clause */
/* From text to rules. All that is wrong is told, and then nothing of it is used. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/nearest.h"
#include "user/judge/policy_files.h"
#include "user/judge/policy_read.h"
#include "user/judge/policy_rule.h"
#include "user/judge/policy_words.h"
#include "user/judge/service_index.h"

#define NAME_LEN_MAX 64

/* Of a value in a message. */
#define QUOTE_LEN 120

/* What an alert says stands in each of its events; bytes without the NUL. */
#define MESSAGE_MAX 1024

/* A dozen and more of techniques. */
#define TECHNIQUES_MAX 128

/* Of all files: ten times what the largest policy is thought to have, and no more memory than a host spares for it. */
#define RULES_MAX 1000000

/* A word of the rule at hand; the words of a key may stand in several places. */
struct loose_word {
	const struct predicate *predicate;
	struct predicate_word word;
	unsigned int line;
};

struct loader {
	struct policy *policy;
	struct policy_problems *problems;
	struct predicate_reader reader;
	struct string_map names;  /* of rules, to their numbers */
	struct policy_file *file; /* the one at hand */
	bool in_rule;             /* a heading was read in this file */
	bool blind;               /* it was not understood: what follows is read for its own errors only */
	struct rule rule;         /* the one at hand */
	struct loose_word *words;
	size_t words_count, words_size;
	/* of the rule at hand, gathered here since they may stand in several lines; "": none yet */
	char message[MESSAGE_MAX + 1], techniques[TECHNIQUES_MAX + 1];
};

/* value: quoted in the message, hostile bytes made visible; NULL: none. Always 0 or -ENOMEM: the reading goes on. */
static int complain(struct loader *loader, bool warning, unsigned int line, const char *value, const char *what)
{
	char quote[QUOTE_LEN] = "";
	struct phrase phrase;
	int r;

	phrase_begin(&phrase, quote, sizeof(quote));
	if (value)
		phrase_visible(&phrase, value, strlen(value));
	r = policy_problem(loader->problems, warning, loader->file->path, line, value ? "\"%s\": %s" : "%s%s", quote,
	                   what);
	return r == -ENOMEM ? r : 0;
}

static int refuse(struct loader *loader, unsigned int line, const char *value, const char *what)
{
	return complain(loader, false, line, value, what);
}

/* Puts the words of a key behind each other, wherever they stand in the rule. Returns the place behind them. */
static struct predicate_word *join_words(const struct loader *loader, struct condition *condition,
                                         struct predicate_word *at)
{
	condition->words = at;
	for (size_t i = 0; i < loader->words_count; i++) {
		if (loader->words[i].predicate == condition->predicate)
			*at++ = loader->words[i].word;
	}
	condition->count = (uint32_t)(at - condition->words);
	return at;
}

/*
 * The conditions of the rule at hand, from its words, in the order in which their keys are first written. All in one
 * piece, for what is read together should stand together.
 */
static int make_conditions(struct loader *loader, struct rule *rule)
{
	size_t keys = (size_t)__builtin_popcountll(rule->keys);
	struct predicate_word *word;
	uint64_t done = 0;

	rule->conditions = arena_alloc(&loader->policy->arena,
	                               keys * sizeof(*rule->conditions) + loader->words_count * sizeof(*word));
	if (!rule->conditions)
		return -ENOMEM;
	word = (struct predicate_word *)(rule->conditions + keys);
	for (size_t i = 0; i < loader->words_count; i++) {
		const struct predicate *predicate = loader->words[i].predicate;
		uint64_t bit = 1ULL << predicate_number_of(predicate);
		struct condition *condition = &rule->conditions[rule->count];

		if (done & bit)
			continue;
		done |= bit;
		*condition = (struct condition){.predicate = predicate, .line = loader->words[i].line};
		word = join_words(loader, condition, word);
		rule->count++;
	}
	return 0;
}

static int add_rule(struct loader *loader)
{
	struct policy *policy = loader->policy;

	if (policy->rules_count == RULES_MAX)
		return refuse(loader, loader->rule.line, loader->rule.name,
		              "there are more than 1000000 rules: a pattern or a range may stand for many of them");
	if (policy->rules_count == policy->rules_size) {
		size_t size = policy->rules_size ? policy->rules_size * 2 : 64;
		struct rule *rules = realloc(policy->rules, size * sizeof(*rules));

		if (!rules)
			return -ENOMEM;
		policy->rules = rules;
		policy->rules_size = size;
	}
	policy->rules[policy->rules_count++] = loader->rule;
	return 0;
}

/* *ret: the text in the policy, or NULL where it is empty. 0 or -ENOMEM. */
static int keep_text(struct loader *loader, const char *text, const char **ret)
{
	*ret = *text ? arena_copy(&loader->policy->arena, text, strlen(text)) : NULL;
	return *text && !*ret ? -ENOMEM : 0;
}

/* Ends the rule at hand. */
static int end_rule(struct loader *loader)
{
	struct rule *rule = &loader->rule;
	int r = 0;

	if (!loader->in_rule)
		return 0;
	loader->in_rule = false;
	if (loader->blind)
		return 0;
	if (rule->verdict == VERDICT_ALERT && rule->severity == SEVERITY_NONE)
		r = refuse(loader, rule->line, rule->name,
		           "an alert has a severity: write severity = informational, low, medium, high or critical");
	if (r == 0 && !rule->keys)
		r = refuse(
		        loader, rule->line, rule->name,
		        "the rule says nothing of what it is about: write at least one predicate, port = 1-65535 for "
		        "every port");
	if (r == 0)
		r = make_conditions(loader, rule);
	if (r == 0)
		r = keep_text(loader, loader->message, &rule->message);
	if (r == 0)
		r = keep_text(loader, loader->techniques, &rule->techniques);
	return r == 0 ? add_rule(loader) : r;
}

static bool is_name(const char *name)
{
	return *name && strlen(name) <= NAME_LEN_MAX &&
	       !name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")];
}

/* The name of a new rule: no other has it. */
static int check_unique(struct loader *loader, unsigned int line, const char *name)
{
	bool is_new;
	uint32_t *number = string_map_put(&loader->names, name, &is_new);
	char what[PREDICATE_MESSAGE_LEN];
	const struct rule *other;

	if (!number)
		return -ENOMEM;
	if (is_new) {
		*number = (uint32_t)loader->policy->rules_count;
		return 0;
	}
	other = &loader->policy->rules[*number];
	(void)snprintf(what, sizeof(what), "a rule has this name already, at %s:%u: take another", other->file->path,
	               other->line);
	return refuse(loader, line, name, what);
}

static int take_heading(void *context, unsigned int line, char *text)
{
	struct loader *loader = context;
	char *verdict, *name;
	uint32_t value;
	size_t len;
	int r = end_rule(loader);

	if (r < 0)
		return r;
	loader->words_count = 0;
	loader->message[0] = loader->techniques[0] = '\0';
	loader->in_rule = loader->blind = true;
	loader->rule = (struct rule){.line = line, .file = loader->file};
	if (!text)
		return 0;
	verdict = text + strspn(text, " \t");
	len = strcspn(verdict, " \t");
	name = verdict + len + strspn(verdict + len, " \t");
	verdict[len] = '\0';
	if (!event_word_find(WORDS_VERDICT, verdict, &value))
		return refuse(loader, line, verdict, "write [expect NAME], [ignore NAME] or [alert NAME]");
	loader->blind = false;
	loader->rule.verdict = (enum verdict)value;
	loader->rule.name = arena_copy(&loader->policy->arena, name, strlen(name));
	if (!loader->rule.name)
		return -ENOMEM;
	if (!is_name(name))
		return refuse(loader, line, name,
		              *name ? "a name has letters, digits, '-', '_' and '.', 64 of them at most"
		                    : "a rule has a name: write [expect NAME], [ignore NAME] or [alert NAME]");
	return check_unique(loader, line, loader->rule.name);
}

static int add_word(struct loader *loader, const struct loose_word *word)
{
	if (loader->words_count == loader->words_size) {
		size_t size = loader->words_size ? loader->words_size * 2 : 64;
		struct loose_word *words = realloc(loader->words, size * sizeof(*words));

		if (!words)
			return -ENOMEM;
		loader->words = words;
		loader->words_size = size;
	}
	loader->words[loader->words_count++] = *word;
	loader->rule.any_action |= strcmp(word->predicate->key, "action") == 0;
	return 0;
}

/* One word of a predicate's value. */
static int take_word(struct loader *loader, unsigned int line, const struct predicate *predicate,
                     const struct policy_word *word)
{
	struct loose_word loose = {.predicate = predicate, .line = line};
	struct predicate_reader *reader = &loader->reader;
	int r;

	loose.word.length = (uint16_t)strlen(word->text);
	loose.word.excludes = word->excludes;
	loose.word.text = arena_copy(&loader->policy->arena, word->text, loose.word.length);
	if (!loose.word.text)
		return -ENOMEM;
	reader->message[0] = reader->warning[0] = '\0';
	r = predicate->kind->read(predicate, reader, &loose.word);
	if (r == -EINVAL)
		return refuse(loader, line, word->text, reader->message);
	if (r < 0)
		return r;
	if (reader->warning[0] && !loader->file->vendor)
		r = complain(loader, true, line, word->text, reader->warning);
	return r < 0 ? r : add_word(loader, &loose);
}

static int take_predicate(struct loader *loader, unsigned int line, const struct predicate *predicate, char *value)
{
	struct policy_word word;
	const char *error;
	int r;

	/* also where no word of it is good: no second error says that the rule is about nothing */
	loader->rule.keys |= 1ULL << predicate_number_of(predicate);
	while ((r = policy_word_next(&value, &word, &error)) > 0) {
		r = take_word(loader, line, predicate, &word);
		if (r < 0)
			return r;
	}
	return r < 0 ? refuse(loader, line, value, error) : 0;
}

static int take_severity(struct loader *loader, unsigned int line, char *value, bool goes_on)
{
	uint32_t severity;
	(void)goes_on;

	if (loader->rule.severity != SEVERITY_NONE)
		return refuse(loader, line, value, "the rule has a severity already");
	if (!event_word_find(WORDS_SEVERITY, value, &severity)) {
		loader->rule.severity = SEVERITY_LOW; /* no second error says that there is none */
		return refuse(loader, line, value, "write informational, low, medium, high or critical");
	}
	loader->rule.severity = (enum severity)severity;
	return 0;
}

/* Puts more behind a text, with a blank between; text has room for max bytes and a NUL. false: it is too long. */
static bool append(char *text, size_t max, const char *more)
{
	size_t len = strlen(text);
	int more_len = snprintf(text + len, max + 1 - len, "%s%s", len ? " " : "", more);

	if ((size_t)more_len <= max - len)
		return true;
	text[len] = '\0';
	return false;
}

static int take_message(struct loader *loader, unsigned int line, char *value, bool goes_on)
{
	if (loader->message[0] && !goes_on)
		return refuse(loader, line, value,
		              "the rule has a message already: to go on with it, begin the line with a blank");
	if (!append(loader->message, MESSAGE_MAX, value))
		return refuse(loader, line, value, "a message has 1024 bytes at most: shorten it");
	return 0;
}

/* The form of the ids of MITRE ATT&CK's techniques: T1571, T1036.005. */
static bool is_technique(const char *text)
{
	static const char digits[] = "0123456789";
	size_t len = strlen(text);

	if (text[0] != 'T' || strspn(text + 1, digits) < 4)
		return false;
	return len == 5 || (len == 9 && text[5] == '.' && strspn(text + 6, digits) == 3);
}

static int take_techniques(struct loader *loader, unsigned int line, char *value, bool goes_on)
{
	char *save = NULL;
	(void)goes_on;

	for (char *word = strtok_r(value, " \t", &save); word; word = strtok_r(NULL, " \t", &save)) {
		int r = 0;

		if (!is_technique(word))
			r = refuse(loader, line, word, "write the id of a technique of ATT&CK: T1571 or T1036.005");
		else if (!append(loader->techniques, TECHNIQUES_MAX, word))
			return refuse(loader, line, word,
			              "the techniques of a rule have 128 bytes at most: leave some out");
		if (r < 0)
			return r;
	}
	return 0;
}

static const struct {
	const char *key;
	int (*take)(struct loader *loader, unsigned int line, char *value, bool goes_on);
} alert_keys[] = {
        {"severity", take_severity},
        {"message", take_message},
        {"technique", take_techniques},
};

#define ALERT_KEYS (sizeof(alert_keys) / sizeof(alert_keys[0]))

static int refuse_key(struct loader *loader, unsigned int line, const char *key)
{
	char what[PREDICATE_MESSAGE_LEN];
	struct nearest nearest;

	nearest_begin(&nearest, key);
	for (size_t i = 0; predicate_at(i); i++)
		nearest_consider(&nearest, predicate_at(i)->key);
	for (size_t i = 0; i < ALERT_KEYS; i++)
		nearest_consider(&nearest, alert_keys[i].key);
	(void)snprintf(what, sizeof(what), "there is no such key: %s%s%s",
	               nearest.count ? "did you mean " : "bindwatch-policy(5) has them all",
	               nearest.count ? nearest.found[0] : "", nearest.count ? "?" : "");
	/* the rule meant to be about something */
	loader->rule.keys |= 1ULL << 63;
	return refuse(loader, line, key, what);
}

static int take_value(void *context, unsigned int line, const char *key, char *value, int goes_on)
{
	struct loader *loader = context;
	const struct predicate *predicate;

	if (!loader->in_rule)
		return refuse(
		        loader, line, key,
		        "this stands before any rule: begin one with [expect NAME], [ignore NAME] or [alert NAME]");
	predicate = predicate_find(key);
	if (!*value) {
		loader->rule.keys |= predicate ? 1ULL << predicate_number_of(predicate) : 1ULL << 63;
		return refuse(loader, line, key, "the value is missing: write at least one word behind the '='");
	}
	if (predicate)
		return take_predicate(loader, line, predicate, value);
	for (size_t i = 0; i < ALERT_KEYS; i++) {
		if (strcmp(alert_keys[i].key, key) != 0)
			continue;
		if (loader->blind)
			return 0;
		if (loader->rule.verdict != VERDICT_ALERT)
			return refuse(loader, line, key, "this belongs to alerts: [alert NAME]");
		return alert_keys[i].take(loader, line, value, goes_on);
	}
	return goes_on ? 0 : refuse_key(loader, line, key);
}

static int take_error(void *context, unsigned int line, const char *quote, const char *what)
{
	return refuse(context, line, quote, what);
}

static int load_file(struct loader *loader, const struct policy_source *source)
{
	static const struct policy_read_handler handler = {take_heading, take_value, take_error};
	struct policy *policy = loader->policy;
	char *text;
	size_t len;
	int r;

	loader->file = &policy->files[policy->files_count++];
	loader->file->vendor = source->vendor;
	loader->file->path = arena_copy(&policy->arena, source->path, strlen(source->path));
	if (!loader->file->path)
		return -ENOMEM;
	r = policy_source_read(source, &text, &len, loader->problems);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	r = policy_read(text, len, &handler, loader);
	free(text);
	return r < 0 ? r : end_rule(loader);
}

static int load_files(struct loader *loader, const struct policy_options *options)
{
	struct policy_sources sources;
	int r = policy_sources_find(options, &sources, loader->problems);

	/* where one place is missing, the others are read all the same, for their errors */
	if (r != -ENOMEM) {
		loader->policy->files = calloc(sources.count + 1, sizeof(*loader->policy->files));
		r = loader->policy->files ? 0 : -ENOMEM;
	}
	for (size_t i = 0; r == 0 && i < sources.count; i++)
		r = load_file(loader, &sources.list[i]);
	policy_sources_free(&sources);
	return r;
}

int policy_load(const struct policy_options *options, struct policy **ret, struct policy_problems *problems)
{
	struct loader loader = {.policy = calloc(1, sizeof(*loader.policy)), .problems = problems};
	size_t errors = problems->errors;
	int r;

	if (!loader.policy)
		return -ENOMEM;
	loader.reader = (struct predicate_reader){.arena = &loader.policy->arena, .registry = options->registry};
	memcpy(loader.reader.host, options->host, sizeof(loader.reader.host));
	r = service_index_open(options->registry, &loader.reader.services);
	if (r == 0)
		r = load_files(&loader, options);
	if (r == 0 && problems->errors > errors)
		r = -EINVAL;
	if (r == 0)
		r = policy_index_build(loader.policy);
	service_index_free(loader.reader.services);
	string_map_free(&loader.reader.users);
	string_map_free(&loader.reader.groups);
	string_map_free(&loader.names);
	free(loader.words);
	if (r < 0) {
		policy_free(loader.policy);
		return r;
	}
	*ret = loader.policy;
	return 0;
}
