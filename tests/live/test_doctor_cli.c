/* SPDX-License-Identifier: BSD-2-Clause */
/* `bindwatch doctor` as a command: its text, its options, and what it says to those who may do too little. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/live/diagnosis.h"

#define NOBODY 65534

static char program[4096];

static void text_is_aligned(void **state)
{
	struct monitor monitor;
	size_t column = 0, lines = 0;
	char *save = NULL;

	(void)state;
	SKIP_BECAUSE(live_why_not());
	assert_int_equal(diagnosis_run(program, &monitor, "text"), 0);
	for (char *line = strtok_r(monitor.output.data, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (lines++ == 0) {
			column = (size_t)(strstr(line, "RESULT") - line);
			assert_memory_equal(line, "    CHECK ", 10);
			continue;
		}
		assert_true(strncmp(line, "ok  ", 4) == 0 || strncmp(line, "no  ", 4) == 0 ||
		            strncmp(line, "--  ", 4) == 0);
		assert_true(strlen(line) > column);
		assert_int_equal(line[column - 1], ' ');
		assert_int_equal(line[column - 2], ' ');
		assert_int_not_equal(line[column], ' ');
		assert_null(strstr(line, "NOT SEEN"));
	}
	assert_true(lines > 30);
	monitor_free(&monitor);
}

static void become_nobody(const void *context)
{
	(void)context;
	if (setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
		_exit(126);
}

/* One sentence for each thing that is missing. */
static void without_capabilities(void **state)
{
	const struct monitor_options options = {
	        .program = program, .arguments = DOCTOR("--output", "json"), .before_exec = become_nobody};
	struct monitor monitor;
	json_t *report;
	int code;

	(void)state;
	SKIP_BECAUSE(geteuid() == 0 ? NULL : "needs root, to give it up");
	assert_int_equal(monitor_spawn(&monitor, &options), 0);
	code = monitor_finish(&monitor, 0);
	if (code == 127) {
		monitor_free(&monitor);
		SKIP_BECAUSE("nobody may not run the program where it lies");
	}
	assert_int_equal(code, 1);
	report = diagnosis_parse(&monitor);
	assert_true(json_is_false(live_field(report, "healthy")));
	assert_null(live_field(report, "plan"));
	assert_int_equal(json_array_size(live_field(report, "canary")), 0);
	assert_string_equal(diagnosis_text(report, "host", "CAP_BPF", "state"), "no");
	assert_int_equal(live_lines(&monitor.message), 3);
	assert_true(live_says(&monitor.message, "CAP_BPF"));
	assert_true(live_says(&monitor.message, "CAP_PERFMON"));
	assert_true(live_says(&monitor.message, "CAP_NET_ADMIN"));
	json_decref(report);
	monitor_free(&monitor);
}

static void usage_errors(void **state)
{
	static const struct {
		const char *arguments[2];
		const char *names;
	} rows[] = {
	        {{"--plan", "nonsense"}, "tracepoint"},
	        {{"--output", "xml"}, "json"},
	        {{"--no-such-option"}, "--no-such-option"},
	        {{"extra"}, "extra"},
	        {{"--plan"}, "--plan"},
	        {{"--output", "\x1b[31m\nx\xff"}, "\\x1b[31m\\nx\\xff"},
	};
	struct monitor monitor;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int code = monitor_run(&monitor, program, DOCTOR(rows[i].arguments[0], rows[i].arguments[1]));

		assert_int_equal(code, 2);
		assert_true(live_says(&monitor.message, rows[i].names));
		assert_true(live_says(&monitor.message, "bindwatch doctor --help"));
		assert_int_equal(monitor.output.used, 0);
		monitor_free(&monitor);
	}
	assert_int_equal(monitor_run(&monitor, program, DOCTOR("--help")), 0);
	assert_true(live_says(&monitor.output, "--plan"));
	monitor_free(&monitor);
	assert_int_equal(monitor_run(&monitor, program, DOCTOR("--version")), 0);
	assert_true(live_says(&monitor.output, "bindwatch "));
	monitor_free(&monitor);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(text_is_aligned),
	        cmocka_unit_test(without_capabilities),
	        cmocka_unit_test(usage_errors),
	};

	if (argc < 1 || live_program(argv[0], program, sizeof(program))) {
		fprintf(stderr, "run this as B/tests/live/NAME: B/bindwatch is what it tests\n");
		return 1;
	}
	return cmocka_run_group_tests_name("doctor, the command", tests, NULL, NULL);
}
