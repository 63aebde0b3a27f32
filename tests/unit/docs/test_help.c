/* SPDX-License-Identifier: BSD-2-Clause */
/* --help, the man page and the README tell the same of the same options. */
#include <ctype.h>
#include <libgen.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <cmocka.h>

static char program[512]; /* the bindwatch of the build that this test belongs to */
static char *man;

static char *read_stream(FILE *stream)
{
	char *text = NULL;
	size_t size = 0;
	FILE *memory = open_memstream(&text, &size);
	int c;

	assert_non_null(stream);
	assert_non_null(memory);
	while ((c = fgetc(stream)) != EOF)
		fputc(c, memory);
	fclose(memory);
	return text;
}

static char *read_help(const char *command)
{
	char line[640];
	char *text;
	FILE *pipe;
	int status;

	snprintf(line, sizeof(line), "%s %s --help", program, command);
	pipe = popen(line, "r");
	text = read_stream(pipe);
	status = pclose(pipe);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	return text;
}

/* Every "--word" of a help text stands in the man page, where a hyphen is written as \-. */
static void check_options(const char *command)
{
	char *help = read_help(command);
	unsigned int found = 0;

	for (const char *at = strstr(help, "--"); at; at = strstr(at + 2, "--")) {
		char escaped[128] = "\\-\\-", *out = escaped + 4;
		size_t length = 0;

		for (; islower((unsigned char)at[2 + length]) || (length && at[2 + length] == '-'); length++)
			out = stpcpy(out, at[2 + length] == '-' ? "\\-" : (char[]){at[2 + length], '\0'});
		if (length == 0)
			continue;
		if (!strstr(man, escaped))
			fail_msg("docs/bindwatch.8 does not tell of --%.*s of %s", (int)length, at + 2, command);
		found++;
	}
	assert_true(found >= 2);
	free(help);
}

static void the_man_page_knows_every_option(void **state)
{
	(void)state;
	check_options("watch");
	check_options("list");
	check_options("port");
	check_options("registry");
}

static void every_command_is_in_the_man_page(void **state)
{
	char *help = read_help("");
	char *save = NULL;
	unsigned int found = 0;

	(void)state;
	for (char *line = strtok_r(help, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char command[32], heading[64];

		if (strncmp(line, "  ", 2) != 0 || sscanf(line, " %31[a-z]", command) != 1)
			continue;
		snprintf(heading, sizeof(heading), ".SS %s\n", command);
		assert_non_null(strstr(man, heading));
		found++;
	}
	assert_true(found >= 3);
	free(help);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_man_page_knows_every_option),
	        cmocka_unit_test(every_command_is_in_the_man_page),
	};
	char self[400];
	FILE *page = fopen("docs/bindwatch.8", "r");
	int r;

	(void)argc;
	/* build/tests/unit/docs/test_help -> build/bindwatch */
	snprintf(self, sizeof(self), "%s", argv[0]);
	snprintf(program, sizeof(program), "%s/bindwatch", dirname(dirname(dirname(dirname(self)))));
	if (!page) {
		fprintf(stderr, "docs/bindwatch.8 is not here: run this from the root of the tree\n");
		return 1;
	}
	man = read_stream(page);
	fclose(page);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	free(man);
	return r;
}
