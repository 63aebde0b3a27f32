/* SPDX-License-Identifier: BSD-2-Clause */
/* One monitor and one scene for a whole group of tests. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tests/live/live.h"

int fixture_start(struct fixture *fixture, const char *argv0)
{
	static const char *const arguments[] = {"watch", "--output", "json", NULL};
	struct monitor_options options = {.program = fixture->program, .arguments = arguments, .json = true};
	int result;

	*fixture = (struct fixture){.monitor = {.out = -1, .err = -1}};
	fixture->why_not = live_why_not();
	if (fixture->why_not)
		return 0;
	result = live_program(argv0, fixture->program, sizeof(fixture->program));
	if (result)
		return result;
	fixture->scene = scene_new();
	if (!fixture->scene)
		return -ENOMEM;
	result = monitor_start(&fixture->monitor, &options);
	if (result)
		return result;
	/* from here on the binder is where nobody else binds; the monitor stays outside */
	result = scene_enter_namespace();
	if (result == -EPERM || result == -EINVAL || result == -ENOSYS) {
		fixture->why_not = "no network namespace of its own can be made here";
		return 0;
	}
	if (result)
		fprintf(stderr, "a network namespace of its own: %s\n", strerror(-result));
	return result;
}

void fixture_stop(struct fixture *fixture)
{
	monitor_free(&fixture->monitor);
	scene_free(fixture->scene);
	fixture->scene = NULL;
}

void fixture_ledger(struct fixture *fixture)
{
	FIXTURE_NEEDED(fixture);
	assert_int_equal(monitor_ledger(&fixture->monitor), 0);
	assert_int_equal(fixture->monitor.malformed, 0);
}
