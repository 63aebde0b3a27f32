/* SPDX-License-Identifier: BSD-2-Clause */
/* What the doctor makes of what it found; that it finds it is for tests/live/test_doctor.c. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "user/cli/doctor.h"
#include "user/cli/doctor_paths.h"

static void lockdown_mode(void **state)
{
	static const struct {
		const char *text, *mode;
	} rows[] = {
	        {"[none] integrity confidentiality", "none"},
	        {"none [integrity] confidentiality", "integrity"},
	        {"none integrity [confidentiality]\n", "confidentiality"},
	        {"none integrity confidentiality", NULL},
	        {"none [integrity", NULL},
	        {"]none[", NULL},
	        {"[]", NULL},
	        {"", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[64];
		const char *mode;

		(void)snprintf(text, sizeof(text), "%s", rows[i].text);
		mode = doctor_lockdown_mode(text);
		if ((mode == NULL) != (rows[i].mode == NULL) || (mode && strcmp(mode, rows[i].mode) != 0))
			fail_msg("'%s': %s", rows[i].text, mode ? mode : "NULL");
	}
}

static void each_outcome_is_judged(void **state)
{
	static const struct {
		struct doctor_outcome outcome;
		enum doctor_state state;
		const char *detail;
	} rows[] = {
	        {{.seen = true}, DOCTOR_OK, ""},
	        /* known not to be seen, and seen: so much the better */
	        {{.seen = true, .blind = true}, DOCTOR_OK, ""},
	        {{.seen = false}, DOCTOR_NO, "NOT SEEN"},
	        {{.blind = true}, DOCTOR_NONE, "plan tracepoint does not see it"},
	        {{.absent = "no SCTP here"}, DOCTOR_NONE, "no SCTP here"},
	        {{.absent = "no SCTP here", .error = EINVAL}, DOCTOR_NONE, "no SCTP here"},
	        /* what could not be tried is not proven, and no plan's blindness excuses it */
	        {{.error = EMFILE}, DOCTOR_NO, "could not be tried: Too many open files"},
	        {{.error = EMFILE, .blind = true}, DOCTOR_NO, "could not be tried: Too many open files"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct doctor_canary canary = {.name = "x"};

		doctor_judge(&rows[i].outcome, PLAN_TRACEPOINT, &canary);
		assert_int_equal(canary.state, rows[i].state);
		assert_string_equal(canary.detail, rows[i].detail);
	}
}

static void health_is_what_was_seen(void **state)
{
	static const struct {
		size_t count;
		enum doctor_state states[3];
		bool healthy;
	} rows[] = {
	        {0, {DOCTOR_OK}, false}, /* nothing was tried */
	        {1, {DOCTOR_OK}, true},
	        {1, {DOCTOR_NONE}, false}, /* nothing was seen */
	        {2, {DOCTOR_OK, DOCTOR_NONE}, true},
	        {3, {DOCTOR_OK, DOCTOR_NONE, DOCTOR_NO}, false},
	        {3, {DOCTOR_NO, DOCTOR_OK, DOCTOR_OK}, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct doctor *doctor = test_calloc(1, sizeof(*doctor));

		doctor->canaries_count = rows[i].count;
		for (size_t j = 0; j < rows[i].count; j++)
			doctor->canaries[j].state = rows[i].states[j];
		if (doctor_is_healthy(doctor) != rows[i].healthy)
			fail_msg("row %zu", i);
		test_free(doctor);
	}
}

/* What keeps a hook off may hide what no path of ours tries. */
static void a_hook_that_is_off_is_no_health(void **state)
{
	static const struct {
		bool loaded, attached, healthy;
	} rows[] = {
	        {true, true, true},
	        {true, false, false},
	        {false, false, true}, /* the kernel has no such thing */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct doctor *doctor = test_calloc(1, sizeof(*doctor));

		doctor->canaries_count = 1;
		doctor->hooks_count = 2;
		doctor->hooks[0] = (struct sense_hook){.loaded = true, .attached = true};
		doctor->hooks[1] = (struct sense_hook){.loaded = rows[i].loaded, .attached = rows[i].attached};
		if (doctor_is_healthy(doctor) != rows[i].healthy)
			fail_msg("row %zu", i);
		test_free(doctor);
	}
}

/* One path at least for each thing that can happen to a port, by a name of its own; and they fit. */
static void the_paths_are_sound(void **state)
{
	unsigned int actions = 0;
	size_t count = 0;

	(void)state;
	for (const struct doctor_path *path; (path = doctor_path(count)); count++) {
		actions |= 1U << path->action;
		assert_true(path->action == EVENT_BOUND || path->action == EVENT_LISTEN ||
		            path->action == EVENT_CLOSED);
		assert_false(path->bound_before && path->action == EVENT_BOUND);
		for (size_t i = 0; i < count; i++)
			assert_string_not_equal(path->name, doctor_path(i)->name);
		/* README.md, the man page: one plan is blind to one path */
		if (path->blind != PLAN_NONE)
			assert_string_equal(path->name, "io_uring listen without bind");
	}
	assert_int_equal(actions, 1U << EVENT_BOUND | 1U << EVENT_LISTEN | 1U << EVENT_CLOSED);
	assert_true(count <= DOCTOR_CANARIES_MAX);
	assert_null(doctor_path(SIZE_MAX));
}

static void fill(char *text, size_t size, char c)
{
	memset(text, c, size - 1);
	text[size - 1] = '\0';
}

/* Everything at its longest, and each byte one that takes most room. */
static struct doctor *full(char c)
{
	struct doctor *doctor = test_calloc(1, sizeof(*doctor));

	doctor->checks_count = DOCTOR_CHECKS_MAX;
	for (size_t i = 0; i < DOCTOR_CHECKS_MAX; i++) {
		doctor->checks[i] = (struct doctor_check){.name = "check", .state = DOCTOR_NO, .advice = "advice"};
		fill(doctor->checks[i].detail, sizeof(doctor->checks[i].detail), c);
	}
	doctor->plans_count = PLAN_COUNT;
	for (size_t i = 0; i < PLAN_COUNT; i++) {
		doctor->plans[i].plan = PLAN_KPROBE;
		fill(doctor->plans[i].detail, sizeof(doctor->plans[i].detail), c);
	}
	doctor->chosen = PLAN_TRACEPOINT;
	doctor->runs_counted = true;
	doctor->hooks_count = PLAN_HOOKS_MAX;
	for (size_t i = 0; i < PLAN_HOOKS_MAX; i++)
		doctor->hooks[i] = (struct sense_hook){.program = "program", .loaded = true, .runs = INT64_MAX};
	doctor->canaries_count = DOCTOR_CANARIES_MAX;
	for (size_t i = 0; i < DOCTOR_CANARIES_MAX; i++) {
		doctor->canaries[i] = (struct doctor_canary){.name = "path", .state = DOCTOR_NO};
		fill(doctor->canaries[i].detail, sizeof(doctor->canaries[i].detail), c);
	}
	doctor->canaries[0] = (struct doctor_canary){
	        .name = "path", .state = DOCTOR_OK, .hook = "program", .record_ns = 1499, .reader_ns = 2500};
	doctor->totals = (struct sense_totals){.seen = INT64_MAX, .delivered = INT64_MAX};
	return doctor;
}

static char *print(const struct doctor *doctor, int (*form)(const struct doctor *, FILE *))
{
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	assert_non_null(stream);
	assert_int_equal(form(doctor, stream), 0);
	assert_int_equal(fclose(stream), 0);
	assert_int_equal(strlen(text), size);
	return text;
}

static void json_holds_the_longest(void **state)
{
	static const char bytes[] = {'x', '\x1b', '\\', '"', '\xff', '\n'};

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		struct doctor *doctor = full(bytes[i]);
		char *text = print(doctor, doctor_json);
		json_error_t error;
		json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, &error), *canary;

		if (!object)
			fail_msg("byte 0x%02x: %s", (unsigned char)bytes[i], error.text);
		assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
		assert_true(json_is_false(json_object_get(object, "healthy")));
		assert_string_equal(json_string_value(json_object_get(object, "plan")), "tracepoint");
		assert_int_equal(json_array_size(json_object_get(object, "host")), DOCTOR_CHECKS_MAX);
		canary = json_array_get(json_object_get(object, "canary"), 0);
		assert_int_equal(json_integer_value(json_object_get(canary, "record_us")), 1);
		assert_int_equal(json_integer_value(json_object_get(canary, "reader_us")), 3);
		json_decref(object);
		free(text);
		test_free(doctor);
	}
}

/* A path of a mount is another's choice: it can break no line. */
static void text_is_visible(void **state)
{
	struct doctor *doctor = full('\x1b');
	char *text = print(doctor, doctor_text);
	size_t lines = 0;

	(void)state;
	for (const char *at = text; *at; at++) {
		assert_true(*at == '\n' || (unsigned char)*at >= 0x20);
		lines += *at == '\n';
	}
	/* the header and the ledger */
	assert_int_equal(lines, 2 + DOCTOR_CHECKS_MAX + PLAN_COUNT + PLAN_HOOKS_MAX + DOCTOR_CANARIES_MAX);
	assert_non_null(strstr(text, "seen by program after 1 µs, read after 3 µs\n"));
	assert_non_null(strstr(text, "does not attach, ran 9223372036854775807 times\n"));
	free(text);
	test_free(doctor);
}

static void a_loss_shows_in_the_ledger(void **state)
{
	static const struct {
		struct sense_totals totals;
		const char *line;
	} rows[] = {
	        {{.seen = 5, .delivered = 3, .own = 2},
	         "ok  ledger  5 seen: 3 told, 2 of the start's own test, 0 lost\n"},
	        {{.seen = 6, .delivered = 3, .own = 2, .lost = {[LOST_RING_FULL] = 1}},
	         "no  ledger  6 seen: 3 told, 2 of the start's own test, 1 lost\n"},
	        /* nobody knows where the sixth is */
	        {{.seen = 6, .delivered = 3, .own = 2},
	         "no  ledger  6 seen: 3 told, 2 of the start's own test, 0 lost\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct doctor *doctor = test_calloc(1, sizeof(*doctor));
		char *text;

		doctor->canaries_count = 1;
		doctor->canaries[0] = (struct doctor_canary){.name = "path", .hook = "hook"};
		doctor->totals = rows[i].totals;
		text = print(doctor, doctor_text);
		if (!strstr(text, rows[i].line))
			fail_msg("%s", text);
		free(text);
		test_free(doctor);
	}
}

/* A disk that is full must not look like a report that is done. */
static void output_that_fails(void **state)
{
	struct doctor *doctor = full('x');
	FILE *stream = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(stream);
	(void)setvbuf(stream, NULL, _IONBF, 0);
	assert_int_equal(doctor_json(doctor, stream), -ENOSPC);
	clearerr(stream);
	assert_int_equal(doctor_text(doctor, stream), -ENOSPC);
	(void)fclose(stream);
	test_free(doctor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(lockdown_mode),
	        cmocka_unit_test(each_outcome_is_judged),
	        cmocka_unit_test(health_is_what_was_seen),
	        cmocka_unit_test(a_hook_that_is_off_is_no_health),
	        cmocka_unit_test(the_paths_are_sound),
	        cmocka_unit_test(json_holds_the_longest),
	        cmocka_unit_test(text_is_visible),
	        cmocka_unit_test(a_loss_shows_in_the_ledger),
	        cmocka_unit_test(output_that_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
