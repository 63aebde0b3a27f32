/* SPDX-License-Identifier: BSD-2-Clause */
/* --help, the man page and the README tell the same of the same options. */
#include <ctype.h>
#include <libgen.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdbool.h>
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

/* The man page's part on a command, up to the next heading, and what stands for every command. The caller frees it. */
static char *man_section(const char *command)
{
	char heading[64], *text;
	const char *common = strstr(man, ".SS Every command\n"), *start, *end;

	snprintf(heading, sizeof(heading), ".SS %s\n", command);
	start = strstr(man, heading);
	assert_non_null(start);
	assert_non_null(common);
	end = strstr(start + 1, "\n.S");
	assert_true(asprintf(&text, "%.*s\n%.*s", (int)(end - start), start, (int)(strstr(common + 1, "\n.S") - common),
	                     common) > 0);
	return text;
}

/* The next "--word" behind *at, written without its hyphens' backslashes; false: there is none. */
static bool next_option(const char **at, char word[64])
{
	for (const char *c = *at; *c; c++) {
		size_t length = 0;

		while (length < 63 && (islower((unsigned char)*c) || *c == '-' || (*c == '\\' && c[1] == '-'))) {
			if (*c != '\\')
				word[length++] = *c;
			c++;
		}
		word[length] = '\0';
		*at = c;
		if (length > 3 && strncmp(word, "--", 2) == 0 && islower((unsigned char)word[2]))
			return true;
		if (!*c)
			break;
	}
	return false;
}

/* Every option of one text stands in the other. */
static unsigned int assert_options_in(const char *from, const char *in, const char *what)
{
	unsigned int found = 0;
	char word[64], other[64];

	for (const char *at = from; next_option(&at, word); found++) {
		bool there = false;

		for (const char *place = in; !there && next_option(&place, other);)
			there = strcmp(word, other) == 0;
		if (!there)
			fail_msg("%s: %s stands on one side only", what, word);
	}
	return found;
}

static void check_options(const char *command)
{
	char *help = read_help(command), *section = man_section(command);

	assert_true(assert_options_in(help, section, command) >= 2);
	assert_true(assert_options_in(section, help, command) >= 2);
	free(section);
	free(help);
}

static void the_man_page_knows_every_option(void **state)
{
	char *help = read_help(""), command[32];
	char *save = NULL;

	(void)state;
	for (char *line = strtok_r(help, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		if (strncmp(line, "  ", 2) == 0 && sscanf(line, " %31[a-z]", command) == 1)
			check_options(command);
	free(help);
}

static void the_readme_knows_every_command(void **state)
{
	FILE *file = fopen("README.md", "r");
	char *help = read_help(""), *readme = read_stream(file);
	char *save = NULL, command[32], wanted[64];

	(void)state;
	fclose(file);
	for (char *line = strtok_r(help, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (strncmp(line, "  ", 2) != 0 || sscanf(line, " %31[a-z]", command) != 1)
			continue;
		snprintf(wanted, sizeof(wanted), "`bindwatch %s", command);
		if (!strstr(readme, wanted))
			fail_msg("README.md does not tell of %s", command);
	}
	free(readme);
	free(help);
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
	        cmocka_unit_test(the_readme_knows_every_command),
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
