/* SPDX-License-Identifier: BSD-2-Clause */
/* What happened, and whether it is expected or what was expected instead, in a sentence. */
#include <string.h>

#include "user/judge/policy_rule.h"

/* Words of expectations that are told; a port of more programs is told with how many more there are. */
#define EXPECTED_MAX 3

static void write_text(struct phrase *phrase, const char *text)
{
	phrase_visible(phrase, text, strlen(text));
}

/* "tcp/22 is ssh": what the port is for, by the registry. */
static void write_port(struct phrase *phrase, const struct event *event)
{
	const struct event_facts *facts = &event->facts;
	const struct registry_entry *entry = facts->registry;

	if (!facts->server.has_port) {
		phrase_text(phrase, "a port that is not known");
		return;
	}
	phrase_format(phrase, "%s/%u", facts->has_transport ? registry_transport_name(facts->transport) : "port",
	              facts->server.port);
	if (facts->ephemeral) {
		phrase_text(phrase, " was chosen by the kernel");
	} else if (entry) {
		/* a name without an assignment is that of a service that was */
		bool named = entry->names_count && (entry->state == REGISTRY_ASSIGNED || entry->flags & REGISTRY_SITE);

		phrase_text(phrase, " is ");
		write_text(phrase, named                                 ? entry->names
		                   : entry->state == REGISTRY_NOT_LISTED ? "not listed"
		                                                         : registry_state_name(entry->state));
	}
}

/* Whether the rule is about this port: its conditions on the port hold, and it has one. */
static bool is_about_port(const struct rule *rule, const struct event *event)
{
	static const char *const keys[] = {"port", "service", "transport"};
	bool about = false;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const struct condition *condition = rule_condition(rule, keys[i]);

		if (condition && !condition_holds(condition, event))
			return false;
		about |= condition && strcmp(keys[i], "transport") != 0;
	}
	return about;
}

/* Words that are told apart. */
#define EXPECTED_KEPT 64

struct expected {
	const struct predicate_word *words[EXPECTED_KEPT];
	size_t count;
};

/* /usr/sbin/sshd and /usr/bin/sshd are one program: distributions differ in where it stands. */
static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

static void add_expected(struct expected *expected, const struct condition *condition)
{
	for (size_t i = 0; i < condition->count; i++) {
		const struct predicate_word *word = &condition->words[i];
		bool known = word->excludes;

		for (size_t j = 0; j < expected->count && j < EXPECTED_KEPT; j++)
			known |= strcmp(base_of(word->text), base_of(expected->words[j]->text)) == 0;
		if (known)
			continue;
		if (expected->count < EXPECTED_KEPT)
			expected->words[expected->count] = word;
		expected->count++;
	}
}

/* How many ports the narrowest of the condition's ranges has that holds the port; UINT32_MAX: there is none. */
static uint32_t width_at(const struct condition *condition, uint16_t port)
{
	uint32_t narrowest = UINT32_MAX;

	for (size_t i = 0; condition && i < condition->count; i++) {
		const struct predicate_word *word = &condition->words[i];

		for (size_t j = 0; !word->excludes && j < word->ranges_count; j++) {
			const struct port_range *range = &word_ranges(word)[j];
			uint32_t width = (uint32_t)range->last - range->first + 1;

			if (port >= range->first && port <= range->last && width < narrowest)
				narrowest = width;
		}
	}
	return narrowest;
}

/*
 * The lower, the more the rule says of this port: first what names its service, then what has its number, by how
 * narrowly it does, last the programs that are expected in some unit only, as interpreters are. RANK_NONE: a rule that
 * does not expect, or of so wide a range that it is about no port of it.
 */
enum { RANK_SERVICE, RANK_PORT, RANK_UNIT, RANK_NONE };

#define RANGE_MAX 16U

static uint32_t rank_of(const struct rule *rule, const struct event *event)
{
	uint16_t port = event->facts.server.port;
	uint32_t service, width, rank;

	if (rule->verdict != VERDICT_EXPECT || !is_about_port(rule, event))
		return RANK_NONE * (RANGE_MAX + 1);
	service = width_at(rule_condition(rule, "service"), port);
	width = width_at(rule_condition(rule, "port"), port);
	rank = service == UINT32_MAX ? RANK_PORT : RANK_SERVICE;
	width = service < width ? service : width;
	if (rule_condition(rule, "exe") && rule_condition(rule, "unit"))
		rank = RANK_UNIT;
	return width > RANGE_MAX ? RANK_NONE * (RANGE_MAX + 1) : rank * (RANGE_MAX + 1) + width;
}

/* Adds the programs, or else the units, of the rules of this rank: also where it is the right program, and not there.
 * The next rank that there is. */
static uint32_t add_rank(const struct policy *policy, const struct event *event, uint32_t rank, struct expected *ret)
{
	uint32_t next = RANK_NONE * (RANGE_MAX + 1);
	struct policy_candidates candidates;
	const struct rule *rule;

	policy_candidates_begin(policy, event, &candidates);
	while ((rule = policy_candidates_next(policy, &candidates))) {
		const struct condition *exe = rule_condition(rule, "exe"), *unit = rule_condition(rule, "unit");
		const struct condition *condition = exe && !(unit && condition_holds(exe, event)) ? exe : unit;
		uint32_t of_rule = rank_of(rule, event);

		if (of_rule == rank && condition)
			add_expected(ret, condition);
		else if (of_rule > rank && of_rule < next)
			next = of_rule;
	}
	return next;
}

static void write_words(struct phrase *phrase, const struct expected *expected)
{
	for (size_t i = 0; i < expected->count && i < EXPECTED_MAX; i++) {
		phrase_text(phrase, i ? " or " : "");
		write_text(phrase, expected->words[i]->text);
	}
	if (expected->count > EXPECTED_MAX)
		phrase_format(phrase, " and %zu more", expected->count - EXPECTED_MAX);
}

static void write_expected(struct phrase *phrase, const struct policy *policy, const struct event *event)
{
	struct expected expected = {.count = 0};

	for (uint32_t rank = 0; policy && rank < RANK_NONE * (RANGE_MAX + 1);)
		rank = add_rank(policy, event, rank, &expected);
	if (!expected.count) {
		phrase_text(phrase, "nothing is known to be expected there");
		return;
	}
	phrase_text(phrase, "expected ");
	write_words(phrase, &expected);
}

/*
 * Of a rule that expects this very program on the port, and in another unit: the condition on the unit. Not one of an
 * interpreter's, which is told by its unit alone: of it others tell better who is expected.
 */
static const struct condition *other_unit(const struct rule *rule, const struct event *event)
{
	const struct condition *exe = rule_condition(rule, "exe"), *unit = rule_condition(rule, "unit-if-any");

	if (rule->verdict != VERDICT_EXPECT || !exe || !unit || condition_holds(unit, event))
		return NULL;
	return condition_holds(exe, event) && is_about_port(rule, event) ? unit : NULL;
}

/* False: it is not the unit that makes the program unexpected. */
static bool write_expected_unit(struct phrase *phrase, const struct policy *policy, const struct event *event)
{
	struct expected expected = {.count = 0};
	struct policy_candidates candidates;
	const struct rule *rule;

	if (!policy)
		return false;
	policy_candidates_begin(policy, event, &candidates);
	while ((rule = policy_candidates_next(policy, &candidates))) {
		const struct condition *condition = other_unit(rule, event);

		if (condition)
			add_expected(&expected, condition);
	}
	if (!expected.count)
		return false;
	phrase_text(phrase, "expected this program in ");
	write_words(phrase, &expected);
	return true;
}

/* The program: its path, or its name where the path is not known. */
static void write_program(struct phrase *phrase, const struct event *event)
{
	const struct executable *executable = event->process ? &event->process->executable : NULL;

	if (executable && executable->path) {
		phrase_text(phrase, executable->path_truncated ? "..." : "");
		write_text(phrase, executable->path);
	} else {
		phrase_visible(phrase, event->comm, strnlen(event->comm, sizeof(event->comm)));
	}
}

static void write_flags(struct phrase *phrase, const struct event *event)
{
	const struct executable *executable = event->process ? &event->process->executable : NULL;
	bool told = false;
	const char *word;
	uint32_t flag;

	for (size_t i = 0; executable && (word = event_word_at(WORDS_EXECUTABLE_FLAG, i, &flag)); i++) {
		if (!(executable->flags & executable->flags_known & flag))
			continue;
		phrase_format(phrase, "%s%s", told ? ", " : " (", word);
		told = true;
	}
	phrase_text(phrase, told ? ")" : "");
}

static void write_user(struct phrase *phrase, uint32_t uid, struct user_cache *users)
{
	const char *name = users ? user_cache_name(users, uid) : NULL;

	if (name)
		write_text(phrase, name);
	else
		phrase_format(phrase, "user %u", uid);
}

/* Of a socket that is found without a process its owner is all that is known. */
static void write_who(struct phrase *phrase, const struct event *event, struct user_cache *users)
{
	const struct process *process = event->process;

	if (!event->pid && !(process && process->executable.path)) {
		phrase_text(phrase, "a socket of ");
		write_user(phrase, event->uid, users);
		phrase_text(phrase, " that no process is seen to hold");
		return;
	}
	write_program(phrase, event);
	write_flags(phrase, event);
	phrase_text(phrase, " run by ");
	write_user(phrase, event->uid, users);
}

static void write_directory(struct phrase *phrase, const struct process *process)
{
	if (!process || !process->working_directory)
		return;
	phrase_text(phrase, process->working_directory_truncated ? " from ..." : " from ");
	write_text(phrase, process->working_directory);
}

static void write_container(struct phrase *phrase, const struct process *process)
{
	if (!process)
		return;
	if (process->cgroup.container_id) {
		/* as container engines shorten it */
		phrase_text(phrase, " in container ");
		phrase_visible(phrase, process->cgroup.container_id, strnlen(process->cgroup.container_id, 12));
	}
	if (process->cgroup.image) {
		phrase_text(phrase, " of ");
		write_text(phrase, process->cgroup.image);
	}
}

/* A rule took it for right: what others are expected there is then no matter. */
static void write_approved(struct phrase *phrase, const struct event *event, struct user_cache *users)
{
	write_who(phrase, event, users);
	write_container(phrase, event->process);
	phrase_text(phrase, event->verdict.verdict == VERDICT_EXPECT ? " is expected there" : " is ignored there");
}

static void write_unexpected(struct phrase *phrase, const struct policy *policy, const struct event *event,
                             struct user_cache *users)
{
	bool of_unit = write_expected_unit(phrase, policy, event);

	if (!of_unit)
		write_expected(phrase, policy, event);
	phrase_text(phrase, event->error ? ", tried by " : ", was ");
	write_who(phrase, event, users);
	if (of_unit) {
		phrase_text(phrase, " in ");
		write_text(phrase, event->process->cgroup.unit);
	}
	write_directory(phrase, event->process);
	write_container(phrase, event->process);
}

void policy_reason(const struct policy *policy, const struct event *event, struct user_cache *users,
                   char text[POLICY_REASON_LEN])
{
	struct phrase phrase;

	phrase_begin(&phrase, text, POLICY_REASON_LEN);
	if (event->verdict.message) {
		write_text(&phrase, event->verdict.message);
		phrase_text(&phrase, ": ");
	}
	if (event->action == EVENT_SILENT) {
		phrase_text(&phrase, "a hook of the monitor reports nothing any more");
		return;
	}
	write_port(&phrase, event);
	phrase_text(&phrase, "; ");
	if (event->verdict.verdict == VERDICT_EXPECT || event->verdict.verdict == VERDICT_IGNORE)
		write_approved(&phrase, event, users);
	else
		write_unexpected(&phrase, policy, event, users);
}
