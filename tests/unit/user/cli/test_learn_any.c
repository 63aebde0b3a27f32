/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whatever learn writes, of whatever events, is a policy: it is taken, it expects what it was learnt from, so that to
 * learn again adds nothing, and it stands beside what was learnt before.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/user/cli/learn_fixture.h"

#define ROUNDS 400

/* Of one round. */
#define EVENTS_MAX 80

/* As long as the kernel's paths get, and longer than the name of any unit. */
#define PATH_MAX_LEN 4096
#define UNIT_MAX_LEN 300

static uint32_t below(uint32_t limit)
{
	return (uint32_t)random() % limit;
}

/* Of few bytes in one round, so that texts are alike; of those that mean something, or of all. */
static char hostile_byte(void)
{
	static const char meant[] = "!#;\"\\*?[]=: /.-abc\xc3\xa9";

	return below(30) ? meant[below(sizeof(meant) - 1)] : (char)(1 + below(255));
}

/* len bytes and a NUL; calm: of those that are written with more than one */
static void hostile_text(char *text, size_t len, bool calm)
{
	for (size_t i = 0; i < len; i++)
		text[i] = calm ? "ab \\"[below(4)] : hostile_byte();
	text[len] = '\0';
}

static size_t any_length(size_t limit)
{
	return below(4) ? below(6) : below((uint32_t)limit);
}

/* One byte over and over, a blank before it or not: what takes the most room on a line. */
static void same_byte(char *text, size_t len, char byte)
{
	memset(text, byte, len);
	text[len] = '\0';
	if (below(2))
		text[0] = ' ';
}

struct hostile {
	char path[PATH_MAX_LEN + 1], unit[UNIT_MAX_LEN + 1];
	struct sample sample;
};

static void make_hostile(struct hostile *ret)
{
	static const uint16_t ports[] = {22, 53, 80, 443, 5432, 6379, 8001, 65535};
	static const char dense[] = "\\;\"!* x\x01";
	static const char *const units[] = {"a.service", "!a.service", "b c.service", "x.scope", "\"", ""};

	ret->path[0] = '/';
	if (below(8))
		hostile_text(ret->path + 1, any_length(PATH_MAX_LEN), below(2));
	else
		same_byte(ret->path + 1, 1950 + below(150), dense[below(sizeof(dense) - 1)]);
	if (below(4))
		(void)snprintf(ret->unit, sizeof(ret->unit), "%s", units[below(6)]);
	else if (below(2))
		same_byte(ret->unit, 240 + below(20), dense[below(sizeof(dense) - 1)]);
	else
		hostile_text(ret->unit, any_length(UNIT_MAX_LEN), below(2));
	ret->sample = (struct sample){.exe = ret->path,
	                              .unit = below(3) ? ret->unit : NULL,
	                              .container = below(4) ? NULL : "0a1b",
	                              .cgroup = below(2),
	                              .port = below(2) ? ports[below(8)] : (uint16_t)(1 + below(65535)),
	                              .protocol = below(2) ? IPPROTO_TCP : IPPROTO_UDP,
	                              .uid = below(3) ? 0 : below(UINT32_MAX),
	                              .at = below(UINT32_MAX),
	                              .action = below(2) ? EVENT_BOUND : EVENT_EXISTING};
}

static struct learn *learn_from(const struct hostile *hostile, size_t count, const struct policy *policy, bool all)
{
	struct learn *learn;

	assert_int_equal(learn_open(all, &learn), 0);
	for (size_t i = 0; i < count; i++) {
		struct process process;
		struct event event = event_of(&hostile[i].sample, &process);

		if (policy)
			policy_judge(policy, &event);
		assert_int_equal(learn_add(learn, &event), 0);
	}
	return learn;
}

/* The texts, each as a file, and behind them a rule that alerts on what they do not expect. */
static struct policy *policy_of(const char *const *texts, size_t count)
{
	static const char alerts[] = "[alert everything]\naction = bound-socket existing-socket\nseverity = low\n";
	struct policy_problems problems = {0};
	char directory[64], name[32];
	const char *const paths[] = {directory};
	const struct policy_options options = {
	        .registry = registry, .host = HOST_NAMESPACES, .paths = paths, .paths_count = 1};
	struct policy *policy = NULL;
	int r;

	fixture_directory(directory);
	for (size_t i = 0; i < count; i++) {
		(void)snprintf(name, sizeof(name), "%zu.conf", i);
		fixture_write(directory, name, texts[i], strlen(texts[i]));
	}
	fixture_write(directory, "alerts.conf", alerts, strlen(alerts));
	r = policy_load(&options, &policy, &problems);
	if (r == 0)
		r = policy_check(policy, &problems);
	if (r || problems.errors)
		fail_msg("%s:%u: %s\n%.20000s", problems.list[0].file, problems.list[0].line, problems.list[0].text,
		         texts[0]);
	fixture_remove(directory);
	policy_problems_free(&problems);
	return policy;
}

/* Adds the rows and the refusals to what was counted. */
static int count_row(void *context, const struct learn_row *row)
{
	(void)row;
	((unsigned int *)context)[0]++;
	return 0;
}

static int count_refusal(void *context, const struct learn_refusal *refusal)
{
	(void)refusal;
	((unsigned int *)context)[1]++;
	return 0;
}

static void one_round(struct hostile *hostile, unsigned int counts[2])
{
	size_t count = 1 + below(EVENTS_MAX);
	const char *texts[2];
	struct policy *policy;
	struct learn *learn;

	for (size_t i = 0; i < count; i++) {
		make_hostile(&hostile[i]);
		/* the next port of the same program */
		if (i && below(2)) {
			memcpy(hostile[i].path, hostile[i - 1].path, sizeof(hostile[i].path));
			memcpy(hostile[i].unit, hostile[i - 1].unit, sizeof(hostile[i].unit));
			hostile[i].sample.unit = hostile[i - 1].sample.unit ? hostile[i].unit : NULL;
		}
	}
	learn = learn_from(hostile, count, NULL, false);
	(void)learn_each_row(learn, count_row, counts);
	(void)learn_each_refusal(learn, count_refusal, counts);
	texts[0] = written(learn, NULL);
	learn_free(learn);

	policy = policy_of(texts, 1);
	learn = learn_from(hostile, count, policy, false);
	texts[1] = written(learn, policy);
	if (*texts[1])
		fail_msg("learnt again:\n%.10000s\nbehind\n%.10000s", texts[1], texts[0]);
	learn_free(learn);
	free((char *)texts[1]);

	/* all of it once more, for a file beside the first */
	learn = learn_from(hostile, count, policy, true);
	texts[1] = written(learn, policy);
	learn_free(learn);
	policy_free(policy);
	policy_free(policy_of(texts, 2));
	free((char *)texts[0]);
	free((char *)texts[1]);
}

static void whatever_is_learnt_is_a_policy(void **state)
{
	struct hostile *hostile = calloc(EVENTS_MAX, sizeof(*hostile));
	unsigned int counts[2] = {0, 0};

	(void)state;
	assert_non_null(hostile);
	srandom(7);
	for (unsigned int round = 0; round < ROUNDS; round++)
		one_round(hostile, counts);
	free(hostile);
	/* both are tried */
	if (counts[0] < ROUNDS || counts[1] < ROUNDS)
		fail_msg("%u learnt, %u refused", counts[0], counts[1]);
}

static char *written_of(const struct sample *samples, size_t count, const struct policy *policy)
{
	struct learn *learn;
	char *text;

	assert_int_equal(learn_open(false, &learn), 0);
	add(learn, samples, count);
	text = written(learn, policy);
	learn_free(learn);
	return text;
}

/* Two sections with the same eight digits, as who chooses his paths can find: no two rules have one name. */
static void no_two_sections_have_one_name(void **state)
{
	static const struct sample samples[] = {{.exe = "/opt/74922/x", .port = 8001},
	                                        {.exe = "/opt/127304/x", .port = 8001}};
	const char *texts[2] = {written_of(&samples[0], 1, NULL), written_of(&samples[1], 1, NULL)};
	struct policy *policy = policy_of(texts, 1);
	char head[64];

	(void)state;
	(void)snprintf(head, sizeof(head), "\n%.26s\n", strstr(texts[0], "[expect "));
	/* else these are no such two any more */
	assert_non_null(strstr(texts[1], head));
	/* beside a file that stands already */
	free((char *)texts[1]);
	texts[1] = written_of(&samples[1], 1, policy);
	policy_free(policy);
	policy_free(policy_of(texts, 2));
	/* and in one file */
	free((char *)texts[0]);
	texts[0] = written_of(samples, 2, NULL);
	policy_free(policy_of(texts, 1));
	free((char *)texts[0]);
	free((char *)texts[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(whatever_is_learnt_is_a_policy),
	        cmocka_unit_test(no_two_sections_have_one_name),
	};

	return cmocka_run_group_tests(tests, open_registry, close_registry);
}
