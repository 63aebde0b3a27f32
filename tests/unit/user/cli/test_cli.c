/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "user/cli/cli.h"

static char captured[8192];

/* What a call writes to a stream. */
static int capture_begin(FILE *stream, FILE *file)
{
	int saved = dup(fileno(stream));

	fflush(stream);
	dup2(fileno(file), fileno(stream));
	return saved;
}

static void capture_end(FILE *stream, FILE *file, int saved)
{
	size_t len;

	fflush(stream);
	dup2(saved, fileno(stream));
	close(saved);
	rewind(file);
	len = fread(captured, 1, sizeof(captured) - 1, file);
	captured[len] = '\0';
	fclose(file);
}

#define CAPTURE(stream, call)                                                                                          \
	do {                                                                                                           \
		FILE *file = tmpfile();                                                                                \
		int saved;                                                                                             \
                                                                                                                       \
		assert_non_null(file);                                                                                 \
		saved = capture_begin(stream, file);                                                                   \
		call;                                                                                                  \
		capture_end(stream, file, saved);                                                                      \
	} while (0)

static void cli_error_is_one_line(void **state)
{
	int code;

	(void)state;
	CAPTURE(stderr, code = cli_error("%s:%d: %s", "ports\x1b[2J", 7, "a\nbindwatch: all is well\xff"));
	assert_int_equal(code, CLI_FAILURE);
	assert_string_equal(captured, "bindwatch: ports\\x1b[2J:7: a\\nbindwatch: all is well\\xff\n");
}

static void cli_error_cuts_nothing(void **state)
{
	char path[5000];
	int code;

	(void)state;
	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	CAPTURE(stderr, code = cli_error("%s: no such file", path));
	assert_int_equal(code, CLI_FAILURE);
	assert_int_equal(strlen(captured), strlen("bindwatch: ") + strlen(path) + strlen(": no such file\n"));
}

static void cli_usage_says_where_help_is(void **state)
{
	int code;

	(void)state;
	CAPTURE(stderr, code = cli_usage("watch", "unknown option '%s'", "--x"));
	assert_int_equal(code, CLI_USAGE);
	assert_string_equal(captured, "bindwatch: unknown option '--x'\nTry 'bindwatch watch --help'.\n");
	CAPTURE(stderr, code = cli_usage(NULL, "no command given"));
	assert_int_equal(code, CLI_USAGE);
	assert_string_equal(captured, "bindwatch: no command given\nTry 'bindwatch --help'.\n");
}

static void cli_version_goes_to_stdout(void **state)
{
	int code;

	(void)state;
	CAPTURE(stdout, code = cli_version());
	assert_int_equal(code, CLI_OK);
#ifdef HAVE_RPM
	assert_string_equal(captured, "bindwatch " BINDWATCH_VERSION "\npackages: dpkg, rpm\n");
#else
	assert_string_equal(captured, "bindwatch " BINDWATCH_VERSION "\npackages: dpkg (built without rpm)\n");
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cli_error_is_one_line),
	    cmocka_unit_test(cli_error_cuts_nothing),
	    cmocka_unit_test(cli_usage_says_where_help_is),
	    cmocka_unit_test(cli_version_goes_to_stdout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
