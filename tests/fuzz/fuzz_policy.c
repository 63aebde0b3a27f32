/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The text of a policy file. What is wrong with it is told with the file, a line of it (but for a warning, which may be
 * of all of it) and words that can be shown; what is loaded judges, as explain() does, and the verdict names a line of
 * the file.
 */
#include <errno.h>
#include <string.h>

#include "tests/fuzz/event.h"
#include "tests/fuzz/fuzz.h"

static size_t lines_of(const uint8_t *data, size_t size)
{
	size_t lines = 1;

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	return lines;
}

static void judge_all(const struct policy *policy, const char *path, size_t lines)
{
	struct event event;

	for (size_t i = 0; fuzz_event(i, &event); i++) {
		fuzz_judge(policy, &event);
		if (event.verdict.rule)
			FUZZ_REQUIRE(strcmp(event.verdict.file, path) == 0 && event.verdict.line > 0 &&
			                     event.verdict.line <= lines,
			             "rule of %s:%u", event.verdict.file, event.verdict.line);
	}
}

static void check_problems(const struct policy_problems *problems, const char *path, size_t lines)
{
	for (size_t i = 0; i < problems->count; i++) {
		const struct policy_problem *problem = &problems->list[i];

		FUZZ_REQUIRE(problem->file && strcmp(problem->file, path) == 0, "of another file: %s", problem->text);
		FUZZ_REQUIRE((problem->line || problem->warning) && problem->line <= lines, "line %u: %s",
		             problem->line, problem->text);
		FUZZ_REQUIRE(fuzz_is_message(problem->text), "line %u: it cannot be shown", problem->line);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *path = fuzz_file(data, size);
	const struct policy_options options = {
	        .registry = fuzz_registry(), .host = FUZZ_HOST, .paths = &path, .paths_count = 1};
	struct policy_problems problems = {0};
	struct policy *policy = NULL;
	int r = policy_load(&options, &policy, &problems);

	FUZZ_REQUIRE(r == 0 ? !problems.errors : r == -EINVAL && problems.errors && !policy, "%d, %zu errors", r,
	             problems.errors);
	if (r == 0) {
		judge_all(policy, path, lines_of(data, size));
		FUZZ_REQUIRE(policy_check(policy, &problems) == 0 && !problems.errors,
		             "found wrong when it was loaded");
		policy_free(policy);
	}
	check_problems(&problems, path, lines_of(data, size));
	policy_problems_free(&problems);
	return 0;
}
