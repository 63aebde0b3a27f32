/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random bytes, and the vendor's files with random damage: nothing crashes, a refusal names a line, and all of it ends
 * soon. The sanitizers look on. BINDWATCH_SEED repeats a run whose seed was printed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/mman.h>
#include <time.h>

#include "tests/unit/user/judge/policy_fixture.h"
#include "user/judge/glob.h"

/* The largest of the vendor's files is far below it, and damage adds little. */
#define TEXT_MAX 65536

/* Hundreds of times what one takes here, for a slow machine and the sanitizers. */
#define SECONDS_EACH 20.0

/* Of user/judge/policy_embedded.S: each file's name and text, with a NUL behind both. */
extern const char policy_embedded[], policy_embedded_end[];

static struct registry *registry;
static uint64_t random_state;

/* xorshift64*: the same on every machine. */
static uint32_t below(uint32_t limit)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (uint32_t)((random_state * 2685821657736338717ULL >> 32) % limit);
}

static double seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Mostly bytes that mean something, in a policy or in a pattern. */
static char random_byte(void)
{
	static const char bytes[] = "[]=\"!\n\n \\;#:*?-/^a1.,\t\r";

	return below(4) ? bytes[below(sizeof(bytes) - 1)] : (char)below(256);
}

static size_t random_text(char *text)
{
	size_t len = below(4096);

	for (size_t i = 0; i < len; i++)
		text[i] = random_byte();
	return len;
}

/* Whole lines and words of the form, in any order: most of these get further than bytes do. */
static size_t random_lines(char *text)
{
	static const char *const pieces[] = {"[expect a]\n",
	                                     "[alert b]\n",
	                                     "[ignore c",
	                                     "]\n",
	                                     "port = ",
	                                     "exe = ",
	                                     "severity = low\n",
	                                     "message = ",
	                                     "x\n",
	                                     "technique = ",
	                                     "T1571 ",
	                                     "1-65535 ",
	                                     "22/tcp ",
	                                     "/**/a* ",
	                                     "!",
	                                     "\"",
	                                     "\n ",
	                                     "address = ",
	                                     "::/0 ",
	                                     "service = ssh\n",
	                                     "user = ",
	                                     "root ",
	                                     "\n",
	                                     "[",
	                                     "unit = *\n"};
	size_t len = 0;

	for (uint32_t count = below(200); count; count--) {
		const char *piece = pieces[below(sizeof(pieces) / sizeof(pieces[0]))];

		memcpy(text + len, piece, strlen(piece));
		len += strlen(piece);
	}
	return len;
}

static const char *random_vendor_file(void)
{
	const char *at = policy_embedded;

	for (uint32_t skip = below(200); skip; skip--) {
		at += strlen(at) + 1;
		at += strlen(at) + 1;
		if (at >= policy_embedded_end || !*at)
			at = policy_embedded;
	}
	return at + strlen(at) + 1;
}

/* Changes a byte, takes a piece out, or writes one a second time. Returns the new length. */
static size_t damage(char *text, size_t len)
{
	size_t at = below((uint32_t)len), piece = below(64);

	piece = piece < len - at ? piece : len - at;
	switch (below(3)) {
	case 0:
		text[at] = random_byte();
		return len;
	case 1:
		memmove(text + at, text + at + piece, len - at - piece);
		return len - piece;
	default:
		memmove(text + at + piece, text + at, len - at);
		return len + piece;
	}
}

static size_t damaged_vendor_file(char *text)
{
	const char *file = random_vendor_file();
	size_t len = strlen(file);

	assert_true(len < TEXT_MAX / 2);
	memcpy(text, file, len);
	for (uint32_t times = below(8); times && len; times--)
		len = damage(text, len);
	return len;
}

static void judge_something(const struct policy *policy)
{
	struct event event = fixture_event(registry, below(2) ? "0.0.0.0" : "::1", (uint16_t)(1 + below(65535)));
	struct process process = {.executable.path = "/usr/bin/python3.11", .cgroup.path = "/"};

	event.process = below(4) ? &process : NULL;
	policy_judge(policy, &event);
}

/* Loads a text from memory. Returns whether it was taken. */
static bool load(const char *text, size_t len)
{
	int fd = memfd_create("policy", MFD_CLOEXEC);
	char path[64];
	const char *const paths[] = {path};
	const struct policy_options options = {.registry = registry, .paths = paths, .paths_count = 1};
	struct policy_problems problems = {0};
	struct policy *policy = NULL;
	double start = seconds();
	int r;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	r = policy_load(&options, &policy, &problems);
	if (r == 0) {
		assert_int_equal(problems.errors, 0);
		judge_something(policy);
		assert_int_equal(policy_check(policy, &problems), 0);
		policy_free(policy);
	} else {
		assert_int_equal(r, -EINVAL);
		assert_true(problems.errors > 0 && problems.list[0].line > 0);
	}
	policy_problems_free(&problems);
	(void)close(fd);
	assert_true(seconds() - start < SECONDS_EACH);
	return r == 0;
}

static void any_text_is_read_or_refused(void **state)
{
	static size_t (*const makers[])(char *text) = {random_text, random_lines, damaged_vendor_file};
	char *text = malloc(TEXT_MAX);
	unsigned int good[3] = {0}, bad[3] = {0};

	(void)state;
	assert_non_null(text);
	for (unsigned int round = 0; round < 1500; round++) {
		size_t len = makers[round % 3](text);

		*(load(text, len) ? &good[round % 3] : &bad[round % 3]) += 1;
	}
	free(text);
	/* or the damage is none, or so much that all are refused for the same reason */
	assert_true(bad[0] > 100 && bad[1] > 100 && good[2] > 50 && bad[2] > 50);
}

/* A pattern as long as a line and a text as long as a path: what glob_check() takes ends. */
static void any_pattern_ends(void **state)
{
	static const char *const pieces[] = {"*", "**", "?", "a", "/", "[ab]", "[!a]", "\\*", "*a", "**/"};
	char pattern[64 * 4 + 1], text[4096];
	unsigned int good = 0;

	(void)state;
	for (unsigned int round = 0; round < 600; round++) {
		uint32_t count = below(round % 3 ? 16 : 64);
		double start = seconds();

		pattern[0] = '\0';
		for (; count; count--) {
			char byte[2] = {random_byte(), '\0'};

			strcat(pattern, below(20) ? pieces[below(sizeof(pieces) / sizeof(pieces[0]))] : byte);
		}
		for (size_t i = 0; i < sizeof(text); i++)
			text[i] = below(200) ? "aaab/"[below(5)] : (char)below(256);
		if (glob_check(pattern))
			continue;
		good++;
		(void)glob_match(pattern, text, below(sizeof(text)), below(4));
		assert_true(seconds() - start < SECONDS_EACH);
	}
	assert_true(good > 100);
}

static int open_all(void **state)
{
	const char *text = getenv("BINDWATCH_SEED");

	(void)state;
	random_state = text ? strtoull(text, NULL, 0) : (uint64_t)time(NULL) << 16 ^ (uint64_t)getpid();
	print_message("BINDWATCH_SEED=%llu repeats this\n", (unsigned long long)random_state);
	/* of 0 nothing but 0 comes */
	random_state += !random_state;
	return registry_open_embedded(&registry);
}

static int close_all(void **state)
{
	(void)state;
	registry_free(registry);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(any_text_is_read_or_refused),
	        cmocka_unit_test(any_pattern_ends),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
