/* SPDX-License-Identifier: BSD-2-Clause */
/* The binds of our own: which records are theirs, and when all of them have come. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <sys/resource.h>

#include "user/sense/sense_private.h"

/* Where this host has no sockets of one family, that slot counts as seen, and its cookie is 0. */
static uint64_t cookie(const struct canary *canary, unsigned int behind)
{
	return canary->cookies[(canary->next - behind) % CANARY_COOKIES];
}

static bool take(struct canary *canary, enum event_action action, uint64_t of)
{
	const struct event event = {.action = action, .cookie = of};

	return canary_take(canary, &event);
}

static void none_is_seen_before_the_first(void **state)
{
	struct canary canary = {0};

	(void)state;
	assert_false(!(canary_missing(&canary) & CANARY_BIND));
	/* a record without a cookie is nobody's, also where no slot is filled */
	assert_false(take(&canary, EVENT_BOUND, 0));
	assert_int_equal(canary.records, 0);
}

static void take_all(struct canary *canary, enum event_action action)
{
	for (unsigned int behind = 1; behind <= CANARY_SOCKETS; behind++)
		if (cookie(canary, behind))
			assert_true(take(canary, action, cookie(canary, behind)));
}

static void seen_when_all_have_come(void **state)
{
	struct canary canary = {0};

	(void)state;
	assert_int_equal(canary_bind(&canary), 0);
	assert_int_equal(canary.next, CANARY_SOCKETS);
	for (unsigned int behind = CANARY_SOCKETS; behind > 0; behind--) {
		assert_int_equal(canary_missing(&canary), CANARY_BIND);
		if (cookie(&canary, behind))
			assert_true(take(&canary, EVENT_BOUND, cookie(&canary, behind)));
	}
	assert_int_equal(canary_missing(&canary), 0);
}

/* A release is ours too, and proves nothing of binds. */
static void a_release_is_taken_and_proves_nothing(void **state)
{
	struct canary canary = {0};

	(void)state;
	assert_int_equal(canary_bind(&canary), 0);
	take_all(&canary, EVENT_CLOSED);
	assert_true(canary.records >= 1);
	assert_int_equal(canary_missing(&canary), CANARY_BIND);
}

/* What a plan has hooks for must come, and only that. */
static void listens_and_releases_come_too(void **state)
{
	struct canary canary = {.hooks = CANARY_LISTEN | CANARY_CLOSE};

	(void)state;
	assert_int_equal(canary_bind(&canary), 0);
	take_all(&canary, EVENT_BOUND);
	assert_int_equal(canary_missing(&canary), CANARY_LISTEN | CANARY_CLOSE);
	/* the one that listens is made last */
	assert_true(take(&canary, EVENT_LISTEN, cookie(&canary, 1)));
	assert_int_equal(canary_missing(&canary), CANARY_CLOSE);
	take_all(&canary, EVENT_CLOSED);
	assert_int_equal(canary_missing(&canary), 0);
}

/* Where the loopback is down the bind fails: that it was tried must be seen as well. */
static void a_failed_bind_counts(void **state)
{
	struct canary canary = {0};

	(void)state;
	assert_int_equal(canary_bind(&canary), 0);
	for (unsigned int behind = 1; behind <= CANARY_SOCKETS; behind++) {
		const struct event event = {
		        .action = EVENT_BOUND, .cookie = cookie(&canary, behind), .error = EADDRNOTAVAIL};

		if (event.cookie)
			assert_true(canary_take(&canary, &event));
	}
	assert_int_equal(canary_missing(&canary), 0);
}

static void others_are_left_alone(void **state)
{
	struct canary canary = {0};

	(void)state;
	assert_int_equal(canary_bind(&canary), 0);
	assert_false(take(&canary, EVENT_BOUND, UINT64_MAX));
	assert_false(take(&canary, EVENT_BOUND, 0));
	assert_int_equal(canary.records, 0);
	assert_false(!(canary_missing(&canary) & CANARY_BIND));
}

/* A record of the round before comes late: it is ours, and does not stand for a bind of this round. */
static void a_late_record_proves_nothing_new(void **state)
{
	struct canary canary = {0};
	uint64_t old[2];

	(void)state;
	assert_int_equal(canary_bind(&canary), 0);
	old[0] = cookie(&canary, 2);
	old[1] = cookie(&canary, 1);
	assert_int_equal(canary_bind(&canary), 0);
	assert_true(take(&canary, EVENT_BOUND, old[0]));
	if (old[1])
		assert_true(take(&canary, EVENT_BOUND, old[1]));
	assert_false(!(canary_missing(&canary) & CANARY_BIND));
}

/* Seen once is not seen for ever, also where the slots come round again. */
static void each_round_is_proven_anew(void **state)
{
	struct canary canary = {0};
	uint64_t first = 0;

	(void)state;
	for (int round = 0; round < 2 * CANARY_COOKIES; round++) {
		assert_int_equal(canary_bind(&canary), 0);
		assert_int_equal(canary_missing(&canary), CANARY_BIND);
		if (round == 0)
			first = cookie(&canary, 1);
		take_all(&canary, EVENT_BOUND);
		assert_int_equal(canary_missing(&canary), 0);
	}
	/* long ago: its slot has another by now */
	assert_false(take(&canary, EVENT_BOUND, first));
}

static void without_a_socket_nothing_is_proven(void **state)
{
	struct canary canary = {0};
	struct rlimit before, none;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){0, before.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(canary_bind(&canary), -EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(none_is_seen_before_the_first),
	        cmocka_unit_test(seen_when_all_have_come),
	        cmocka_unit_test(a_release_is_taken_and_proves_nothing),
	        cmocka_unit_test(listens_and_releases_come_too),
	        cmocka_unit_test(a_failed_bind_counts),
	        cmocka_unit_test(others_are_left_alone),
	        cmocka_unit_test(a_late_record_proves_nothing_new),
	        cmocka_unit_test(each_round_is_proven_anew),
	        cmocka_unit_test(without_a_socket_nothing_is_proven),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
