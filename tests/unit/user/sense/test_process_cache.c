/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "user/sense/process_cache.h"

/* What the cache asked and told. */
struct world {
	uint32_t living; /* the pid of the only process that lives */
	uint32_t forgotten[64];
	size_t forgotten_count, asked;
};

static bool lives(void *context, const struct process *process)
{
	struct world *world = context;

	world->asked++;
	return process->pid == world->living;
}

static void on_forgotten(void *context, const struct process *process)
{
	struct world *world = context;

	world->forgotten[world->forgotten_count++ % 64] = process->pid;
}

static struct process_cache *new_cache(struct world *world, size_t entries, size_t bytes)
{
	const struct process_cache_options options = {
	        .entries = entries, .bytes = bytes, .lives = lives, .forgotten = on_forgotten, .context = world};
	struct process_cache *cache = NULL;

	assert_int_equal(process_cache_new(&options, &cache), 0);
	return cache;
}

static struct process process(uint32_t pid, uint32_t exec_id, const char *path)
{
	return (struct process){.pid = pid, .start_ns = 1000 + pid, .exec_id = exec_id, .executable.path = path};
}

static const struct process *add(struct process_cache *cache, uint32_t pid, uint32_t exec_id, const char *path)
{
	const struct process one = process(pid, exec_id, path);

	return &process_cache_add(cache, &one)->process;
}

static const struct process *find(struct process_cache *cache, uint32_t pid, uint32_t exec_id)
{
	struct process_entry *entry = process_cache_find(cache, pid, 1000 + pid, exec_id);

	return entry ? &entry->process : NULL;
}

static void what_was_added_is_found(void **state)
{
	struct world world = {0};
	struct process_cache *cache = new_cache(&world, 100, 1 << 20);
	char path[] = "/bin/a";

	(void)state;
	add(cache, 1, 1, path);
	add(cache, 2, 1, "/bin/b");
	path[5] = 'x'; /* it is a copy */
	assert_string_equal(find(cache, 1, 1)->executable.path, "/bin/a");
	assert_string_equal(find(cache, 2, 1)->executable.path, "/bin/b");
	assert_null(find(cache, 3, 1));
	assert_null(process_cache_find(cache, 1, 1002, 1)); /* another process that had the pid */
	process_cache_free(cache);
	assert_int_equal(world.forgotten_count, 0);
}

static void every_text_is_copied(void **state)
{
	struct world world = {0};
	struct process_cache *cache = new_cache(&world, 1, 1 << 20);
	struct process from = {
	        .executable = {.path = "/a", .package = "p", .package_version = "1"},
	        .arguments = "x\0y",
	        .arguments_length = 4,
	        .working_directory = "/w",
	        .root_directory = "/r",
	        .ancestors = {{.executable = "/n"}, {.executable = NULL}, {.executable = "/o"}},
	        .ancestors_count = 3,
	        .cgroup = {.path = "/c",
	                   .unit = "u",
	                   .slice = "s",
	                   .user_unit = "uu",
	                   .container_id = "i",
	                   .image = "m",
	                   .pod_uid = "d"},
	};
	const struct process *copy;
	char texts[64];

	(void)state;
	copy = &process_cache_add(cache, &from)->process;
	assert_int_equal(process_texts_size(&from), 3 + 2 + 2 + 4 + 3 + 3 + 3 + 3 + 3 + 2 + 2 + 2 + 3 + 2 + 2);
	assert_int_equal(process_texts_size(copy), process_texts_size(&from));
	assert_true(copy->arguments != from.arguments && copy->executable.path != from.executable.path);
	assert_string_equal(copy->executable.path, "/a");
	assert_string_equal(copy->executable.package, "p");
	assert_string_equal(copy->executable.package_version, "1");
	assert_memory_equal(copy->arguments, "x\0y", 4);
	assert_string_equal(copy->working_directory, "/w");
	assert_string_equal(copy->root_directory, "/r");
	assert_string_equal(copy->ancestors[0].executable, "/n");
	assert_null(copy->ancestors[1].executable);
	assert_string_equal(copy->ancestors[2].executable, "/o");
	assert_string_equal(copy->cgroup.path, "/c");
	assert_string_equal(copy->cgroup.unit, "u");
	assert_string_equal(copy->cgroup.slice, "s");
	assert_string_equal(copy->cgroup.user_unit, "uu");
	assert_string_equal(copy->cgroup.container_id, "i");
	assert_string_equal(copy->cgroup.image, "m");
	assert_string_equal(copy->cgroup.pod_uid, "d");
	/* where there is none, nothing is written */
	memset(texts, 'z', sizeof(texts));
	process_copy(&(struct process){0}, &from, texts);
	assert_int_equal(texts[0], 'z');
	assert_null(from.arguments);
	process_cache_free(cache);
}

static void the_newest_exec_is_held(void **state)
{
	struct world world = {0};
	struct process_cache *cache = new_cache(&world, 100, 1 << 20);

	(void)state;
	add(cache, 1, 1, "/bin/sh");
	add(cache, 1, 2, "/bin/nc");
	assert_null(find(cache, 1, 1));
	assert_string_equal(find(cache, 1, 2)->executable.path, "/bin/nc");
	assert_null(find(cache, 1, 3));
	process_cache_free(cache);
}

static void less_does_not_take_the_place_of_more(void **state)
{
	struct world world = {0};
	struct process_cache *cache = new_cache(&world, 100, 1 << 20);

	(void)state;
	add(cache, 1, 1, NULL);
	add(cache, 1, 1, "/bin/sh");
	add(cache, 1, 1, NULL);
	assert_string_equal(find(cache, 1, 1)->executable.path, "/bin/sh");
	add(cache, 1, 2, NULL); /* of another exec it does */
	assert_null(find(cache, 1, 1));
	assert_null(find(cache, 1, 2)->executable.path);
	process_cache_free(cache);
}

static void who_was_not_asked_for_the_longest_goes(void **state)
{
	struct world world = {0};
	struct process_cache *cache = new_cache(&world, 3, 1 << 20);

	(void)state;
	for (uint32_t pid = 1; pid <= 3; pid++)
		add(cache, pid, 1, "/bin/a");
	assert_non_null(find(cache, 1, 1));
	add(cache, 4, 1, "/bin/a");
	assert_null(find(cache, 2, 1));
	assert_true(find(cache, 1, 1) && find(cache, 3, 1) && find(cache, 4, 1));
	assert_int_equal(world.forgotten_count, 1);
	assert_int_equal(world.forgotten[0], 2);
	process_cache_free(cache);
}

static void who_has_ended_goes_before_who_lives(void **state)
{
	struct world world = {.living = 1};
	struct process_cache *cache = new_cache(&world, 3, 1 << 20);

	(void)state;
	for (uint32_t pid = 1; pid <= 3; pid++)
		add(cache, pid, 1, "/bin/a");
	add(cache, 4, 1, "/bin/a");
	assert_true(find(cache, 1, 1) && find(cache, 3, 1) && find(cache, 4, 1));
	assert_null(find(cache, 2, 1));
	process_cache_free(cache);
}

static bool all_live(void *context, const struct process *one)
{
	(void)one;
	((struct world *)context)->asked++;
	return true;
}

/* Also where every one lives: a place there must be, and not at the price of a look at each. */
static void a_full_cache_of_living_ones_is_bounded(void **state)
{
	struct world world = {0};
	const struct process_cache_options options = {
	        .entries = 1000, .bytes = 64 << 20, .lives = all_live, .forgotten = on_forgotten, .context = &world};
	struct process_cache *cache = NULL;
	size_t found = 0;

	(void)state;
	assert_int_equal(process_cache_new(&options, &cache), 0);
	for (uint32_t pid = 1; pid <= 3000; pid++)
		add(cache, pid, 1, "/bin/a");
	for (uint32_t pid = 1; pid <= 3000; pid++)
		found += find(cache, pid, 1) != NULL;
	assert_int_equal(found, 1000);
	assert_int_equal(world.forgotten_count, 2000);
	assert_true(world.asked <= 2000 * 16);
	assert_non_null(find(cache, 3000, 1));
	process_cache_free(cache);
}

static void bytes_are_bounded(void **state)
{
	static char longest[4097];
	struct world world = {0};
	struct process_cache *cache = new_cache(&world, 1000, 64 << 10);
	size_t found = 0;

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	for (uint32_t pid = 1; pid <= 100; pid++)
		add(cache, pid, 1, longest);
	for (uint32_t pid = 1; pid <= 100; pid++)
		found += find(cache, pid, 1) != NULL;
	assert_in_range(found, 10, 15);
	process_cache_free(cache);
}

static void what_is_pinned_stays(void **state)
{
	struct world world = {0};
	struct process_cache *cache = new_cache(&world, 1, 1 << 20);
	const struct process *first = add(cache, 1, 1, "/bin/first");

	(void)state;
	process_cache_pin(first);
	process_cache_pin(first);
	add(cache, 1, 2, "/bin/second"); /* its next exec */
	add(cache, 2, 1, "/bin/third");  /* needs the only place */
	assert_string_equal(first->executable.path, "/bin/first");
	process_cache_unpin(first);
	assert_string_equal(first->executable.path, "/bin/first");
	process_cache_unpin(first); /* now it is freed: the sanitizer would tell */
	process_cache_pin(find(cache, 2, 1));
	process_cache_unpin(find(cache, 2, 1));
	assert_string_equal(find(cache, 2, 1)->executable.path, "/bin/third");
	process_cache_pin(NULL);
	process_cache_unpin(NULL);
	process_cache_free(cache);
	process_cache_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(what_was_added_is_found),
	        cmocka_unit_test(every_text_is_copied),
	        cmocka_unit_test(the_newest_exec_is_held),
	        cmocka_unit_test(less_does_not_take_the_place_of_more),
	        cmocka_unit_test(who_was_not_asked_for_the_longest_goes),
	        cmocka_unit_test(who_has_ended_goes_before_who_lives),
	        cmocka_unit_test(a_full_cache_of_living_ones_is_bounded),
	        cmocka_unit_test(bytes_are_bounded),
	        cmocka_unit_test(what_is_pinned_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
