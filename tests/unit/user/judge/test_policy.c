/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "user/judge/policy.h"

#define NO_ENTRY (-1)

static void policy_table(void **state)
{
	static const struct {
		const char *what;
		int error;
		bool privileged, ephemeral;
		int registry; /* enum registry_state, or NO_ENTRY */
		enum registry_range range;
		const char *rule;
		enum severity severity;
	} table[] = {
	    {"privileged", 0, true, false, REGISTRY_ASSIGNED, REGISTRY_SYSTEM, "privileged-port", SEVERITY_HIGH},
	    {"privileged before reserved", 0, true, false, REGISTRY_RESERVED, REGISTRY_SYSTEM, "privileged-port",
	     SEVERITY_HIGH},
	    {"privileged, no transport", 0, true, false, NO_ENTRY, REGISTRY_SYSTEM, "privileged-port", SEVERITY_HIGH},
	    {"reserved", 0, false, false, REGISTRY_RESERVED, REGISTRY_USER, "reserved-port", SEVERITY_MEDIUM},
	    {"unassigned", 0, false, false, REGISTRY_UNASSIGNED, REGISTRY_USER, "unassigned-port", SEVERITY_MEDIUM},
	    {"de-assigned", 0, false, false, REGISTRY_DEASSIGNED, REGISTRY_USER, "unassigned-port", SEVERITY_MEDIUM},
	    {"not listed", 0, false, false, REGISTRY_NOT_LISTED, REGISTRY_USER, "unassigned-port", SEVERITY_MEDIUM},
	    {"dynamic", 0, false, false, REGISTRY_NOT_LISTED, REGISTRY_DYNAMIC, "unassigned-port", SEVERITY_LOW},
	    {"dynamic with a site's name", 0, false, false, REGISTRY_ASSIGNED, REGISTRY_DYNAMIC, "registered-port",
	     SEVERITY_LOW},
	    {"assigned", 0, false, false, REGISTRY_ASSIGNED, REGISTRY_USER, "registered-port", SEVERITY_LOW},
	    {"assigned, unprivileged system port", 0, false, false, REGISTRY_ASSIGNED, REGISTRY_SYSTEM,
	     "registered-port", SEVERITY_LOW},
	    {"nothing known", 0, false, false, NO_ENTRY, REGISTRY_USER, NULL, SEVERITY_NONE},
	    {"ephemeral", 0, false, true, REGISTRY_UNASSIGNED, REGISTRY_USER, NULL, SEVERITY_NONE},
	    {"ephemeral and privileged", 0, true, true, REGISTRY_ASSIGNED, REGISTRY_SYSTEM, NULL, SEVERITY_NONE},
	    {"failed", EACCES, true, false, REGISTRY_ASSIGNED, REGISTRY_SYSTEM, NULL, SEVERITY_NONE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct registry_entry entry = {.state = (uint8_t)table[i].registry, .names = "", .title = ""};
		struct event event = {
		    .error = table[i].error,
		    .facts = {.privileged = table[i].privileged,
			      .ephemeral = table[i].ephemeral,
			      .registry = table[i].registry == NO_ENTRY ? NULL : &entry,
			      .range = table[i].range},
		    .verdict = {.verdict = VERDICT_ALERT, .rule = "of another event", .severity = SEVERITY_CRITICAL},
		};

		policy_judge(&event);
		print_message("%s\n", table[i].what);
		if (table[i].rule)
			assert_string_equal(event.verdict.rule ? event.verdict.rule : "(none)", table[i].rule);
		else
			assert_null(event.verdict.rule);
		assert_int_equal(event.verdict.severity, table[i].severity);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(policy_table)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
