/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_watch [GROUP...]: what `bindwatch watch` tells of binds, listens and releases, each fact compared with what the
 * kernel told the process itself. All groups unless some are named.
 */
#include "tests/live/watch/watch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/live/life.h"

struct fixture fixture;
struct life *life;

static const char *program;

static const struct watch_group *const groups[] = {
        &watch_kinds, &watch_refused, &watch_listen, &watch_life,   &watch_uring, &watch_compat,
        &watch_where, &watch_sctp,    &watch_race,   &watch_stream, &watch_ends,
};

#define GROUPS    (sizeof(groups) / sizeof(groups[0]))
#define TESTS_MAX 200
#define NAME_LEN  80

void watch_assert_scene(const char *what)
{
	if (scene_compare(fixture.scene, &fixture.monitor, NULL) != 0)
		fail_msg("%s: the events are not the binds", what);
}

static int setup(void **state)
{
	(void)state;
	life = life_new();
	return life ? fixture_start(&fixture, program) : -ENOMEM;
}

static int teardown(void **state)
{
	(void)state;
	fixture_stop(&fixture);
	life_free(life);
	return 0;
}

/* What a test that failed left behind is not the next one's business. */
static int forget(void **state)
{
	(void)state;
	if (!fixture.why_not) {
		scene_clear(fixture.scene);
		json_array_clear(fixture.monitor.events);
	}
	return 0;
}

/* The last test: the totals, and as many alerts as stand in the stream. */
static void ledger(void **state)
{
	const char *line, alert[] = "\"kind\":\"alert\"";
	size_t alerts = 0;
	char told[64];

	(void)state;
	fixture_ledger(&fixture);
	line = fixture.monitor.output.data ? fixture.monitor.output.data : "";
	while ((line = strstr(line, alert)) != NULL) {
		line += strlen(alert);
		alerts++;
	}
	(void)snprintf(told, sizeof(told), " shown, %zu alerts, ", alerts);
	assert_true(live_says(&fixture.monitor.message, told));
}

static bool is_named(const struct watch_group *group, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], group->name) == 0)
			return true;
	}
	return argc == 1;
}

static bool are_groups(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		size_t g = 0;

		while (g < GROUPS && strcmp(argv[i], groups[g]->name) != 0)
			g++;
		if (g == GROUPS) {
			fprintf(stderr, "test_watch: there is no group '%s'; the groups are:", argv[i]);
			for (g = 0; g < GROUPS; g++)
				fprintf(stderr, " %s", groups[g]->name);
			fputc('\n', stderr);
			return false;
		}
	}
	return true;
}

int main(int argc, char **argv)
{
	static char names[TESTS_MAX][NAME_LEN];
	static struct CMUnitTest tests[TESTS_MAX + 1];
	size_t count = 0;

	if (argc == 5 && strcmp(argv[1], WATCH_BIND_AND_BECOME) == 0)
		return watch_bind_and_become(argv);
	program = argv[0];
	if (!are_groups(argc, argv))
		return 2;
	for (size_t g = 0; g < GROUPS; g++) {
		for (size_t i = 0; is_named(groups[g], argc, argv) && i < groups[g]->count && count < TESTS_MAX; i++) {
			(void)snprintf(names[count], NAME_LEN, "%s/%s", groups[g]->name, groups[g]->tests[i].name);
			tests[count] = groups[g]->tests[i];
			tests[count].name = names[count];
			tests[count].setup_func = forget;
			count++;
		}
	}
	tests[count++] = (struct CMUnitTest)cmocka_unit_test(ledger);
	return _cmocka_run_group_tests("watch", tests, count, setup, teardown);
}
