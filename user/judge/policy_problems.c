/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/judge/policy_rule.h"

void policy_problems_free(struct policy_problems *problems)
{
	for (size_t i = 0; i < problems->count; i++) {
		free(problems->list[i].file);
		free(problems->list[i].text);
	}
	free(problems->list);
	*problems = (struct policy_problems){0};
}

static int keep(struct policy_problems *problems, const struct policy_problem *problem)
{
	if (problems->count == problems->size) {
		size_t size = problems->size ? problems->size * 2 : 16;
		struct policy_problem *list = realloc(problems->list, size * sizeof(*list));

		if (!list)
			return -ENOMEM;
		problems->list = list;
		problems->size = size;
	}
	problems->list[problems->count++] = *problem;
	return 0;
}

int policy_problem(struct policy_problems *problems, bool warning, const char *file, unsigned int line,
                   const char *format, ...)
{
	struct policy_problem problem = {.warning = warning, .line = line};
	va_list arguments;

	*(warning ? &problems->warnings : &problems->errors) += 1;
	if (problems->count >= POLICY_PROBLEMS_MAX)
		return -EINVAL;
	va_start(arguments, format);
	if (vasprintf(&problem.text, format, arguments) < 0)
		problem.text = NULL;
	va_end(arguments);
	problem.file = file ? strdup(file) : NULL;
	if (problem.text && (problem.file || !file) && keep(problems, &problem) == 0)
		return -EINVAL;
	free(problem.text);
	free(problem.file);
	return -ENOMEM;
}
