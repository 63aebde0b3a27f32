/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "user/judge/recent.h"

#define CAPACITY 37 /* no power of two */

static uint32_t take(struct recent *recent, uint64_t first, uint64_t second)
{
	return recent_take(recent, (uint64_t[RECENT_KEYS]){first, second});
}

static void the_least_recently_used_goes(void **state)
{
	struct recent *recent;
	uint32_t kept;

	(void)state;
	assert_int_equal(recent_open(CAPACITY, &recent), 0);
	kept = take(recent, 1000, 2000);
	for (uint64_t i = 0; i < 10 * CAPACITY; i++) {
		assert_true(take(recent, i, i + 1) < CAPACITY);
		recent_touch(recent, kept);
	}
	assert_int_equal(recent_find(recent, 0, 1000), kept);
	assert_int_equal(recent_find(recent, 1, 2000), kept);
	assert_int_equal(recent_find(recent, 0, 2000), RECENT_NONE);
	/* the rest of the room is the newest ones' */
	assert_int_equal(recent_find(recent, 0, 9 * CAPACITY), RECENT_NONE);
	assert_int_not_equal(recent_find(recent, 0, 9 * CAPACITY + 1), RECENT_NONE);
	recent_free(recent);
	recent_free(NULL);
}

static void one_hash_has_many(void **state)
{
	uint32_t slots[4];
	struct recent *recent;

	(void)state;
	assert_int_equal(recent_open(CAPACITY, &recent), 0);
	for (unsigned int i = 0; i < 4; i++)
		slots[i] = take(recent, 7, i);
	recent_drop(recent, slots[2]);
	assert_int_equal(recent_find(recent, 0, 7), slots[3]);
	assert_int_equal(recent_next(recent, 0, slots[3]), slots[1]);
	assert_int_equal(recent_next(recent, 0, slots[1]), slots[0]);
	assert_int_equal(recent_next(recent, 0, slots[0]), RECENT_NONE);
	assert_int_equal(recent_find(recent, 1, 2), RECENT_NONE);
	assert_int_equal(take(recent, 8, 8), slots[2]);
	recent_free(recent);
}

/* Held against a plain array of what must be there. */
static void as_a_plain_list(void **state)
{
	struct {
		bool used;
		uint64_t hash, age;
	} model[CAPACITY] = {0};
	struct recent *recent;

	(void)state;
	srand(4711);
	assert_int_equal(recent_open(CAPACITY, &recent), 0);
	for (uint64_t step = 1; step < 50000; step++) {
		uint32_t slot = (uint32_t)rand() % CAPACITY, found;
		uint64_t hash = (uint64_t)(rand() % 50) << 32;

		switch (rand() % 4) {
		case 0:
			if (model[slot].used)
				recent_drop(recent, slot);
			model[slot].used = false;
			break;
		case 1:
			if (model[slot].used)
				recent_touch(recent, slot);
			model[slot].age = step;
			break;
		default:
			slot = take(recent, hash, step << 32);
			for (uint32_t i = 0; i < CAPACITY;
			     i++) /* it was free, or there was none and it is the oldest */
				if (model[slot].used)
					assert_true(model[i].used && model[i].age >= model[slot].age);
			model[slot].used = true;
			model[slot].hash = hash;
			model[slot].age = step;
		}
		found = 0;
		for (uint32_t i = recent_find(recent, 0, hash); i != RECENT_NONE; i = recent_next(recent, 0, i)) {
			assert_true(model[i].used && model[i].hash == hash);
			found++;
		}
		for (uint32_t i = 0; i < CAPACITY; i++)
			found -= model[i].used && model[i].hash == hash;
		assert_int_equal(found, 0);
	}
	recent_free(recent);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_least_recently_used_goes),
	        cmocka_unit_test(one_hash_has_many),
	        cmocka_unit_test(as_a_plain_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
