/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/live/diagnosis.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

int diagnosis_run(const char *program, struct monitor *monitor, const char *form)
{
	const char *plan = getenv("BINDWATCH_TEST_PLAN");

	return monitor_run(monitor, program,
	                   plan ? DOCTOR("--output", form, "--plan", plan) : DOCTOR("--output", form));
}

json_t *diagnosis_parse(const struct monitor *monitor)
{
	json_error_t error;
	json_t *object;

	assert_int_equal(live_lines(&monitor->output), 1);
	object = json_loadb(monitor->output.data, monitor->output.used, JSON_REJECT_DUPLICATES, &error);
	if (!json_is_object(object))
		fail_msg("%s: %s", error.text, monitor->output.data);
	return object;
}

const json_t *diagnosis_row(const json_t *report, const char *list, const char *name)
{
	const json_t *rows = live_field(report, list);

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *one = json_array_get(rows, i);

		if (strcmp(json_string_value(live_field(one, "name")), name) == 0)
			return one;
	}
	fail_msg("no %s in %s", name, list);
	return NULL;
}

const char *diagnosis_text(const json_t *report, const char *list, const char *name, const char *key)
{
	return json_string_value(live_field(diagnosis_row(report, list, name), key));
}
