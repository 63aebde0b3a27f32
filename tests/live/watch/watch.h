/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The groups of tests/live/test_watch.c. They share one monitor, which is started once: to start one is most of what a
 * group costs.
 */
#ifndef TESTS_LIVE_WATCH_WATCH_H
#define TESTS_LIVE_WATCH_WATCH_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/live/live.h"

struct life;

struct watch_group {
	const char *name;
	const struct CMUnitTest *tests;
	size_t count;
};

extern const struct watch_group watch_kinds, watch_refused, watch_listen, watch_life, watch_uring, watch_compat,
        watch_where, watch_sctp, watch_race, watch_stream, watch_ends;

/* The monitor, its scene, and the lives that are compared with it. */
extern struct fixture fixture;
extern struct life *life;

/* scene_compare() with the fixture's monitor; fails the test where they differ. what: for the message. */
void watch_assert_scene(const char *what);

/* The first argument that makes the test program a binder: UID PORT PORT. Its exit code. */
#define WATCH_BIND_AND_BECOME "bind-and-become"
int watch_bind_and_become(char **argv);

#endif
