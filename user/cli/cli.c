/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/visible.h"
#include "user/enrich/rpm.h"

/*
 * A message may quote an argument, a file's name or a line of a file: none of them may move the cursor or begin a line
 * of its own. A backslash stays as it is, for a message may show an escape already.
 */
static void print_visible(FILE *stream, const char *text)
{
	size_t len = strlen(text);

	while (len) {
		char form[VISIBLE_MAX];
		size_t taken, size = visible_next(text, len, 0, form, &taken);

		(void)fwrite(form, 1, size, stream);
		text += taken;
		len -= taken;
	}
}

/* One message, one write: another process's line on the same terminal does not fall into it. */
__attribute__((format(printf, 1, 0))) static void report(const char *format, va_list arguments, const char *hint)
{
	char *message = NULL, *line = NULL;
	size_t size = 0;
	FILE *stream;

	if (vasprintf(&message, format, arguments) < 0)
		message = NULL;
	stream = open_memstream(&line, &size);
	if (stream) {
		(void)fputs("bindwatch: ", stream);
		print_visible(stream, message ? message : "out of memory");
		(void)fprintf(stream, "\n%s", hint);
		if (fclose(stream) == 0)
			(void)fwrite(line, 1, size, stderr);
	}
	free(line);
	free(message);
}

int cli_error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	report(format, arguments, "");
	va_end(arguments);
	return CLI_FAILURE;
}

int cli_usage(const char *command, const char *format, ...)
{
	va_list arguments;
	char hint[64];

	if (command)
		(void)snprintf(hint, sizeof(hint), "Try 'bindwatch %.20s --help'.\n", command);
	else
		(void)snprintf(hint, sizeof(hint), "Try 'bindwatch --help'.\n");
	va_start(arguments, format);
	report(format, arguments, hint);
	va_end(arguments);
	return CLI_USAGE;
}

int cli_bad_option(const char *command, int option, char **argv)
{
	/* optopt: a short option, which may stand within a word; 0 or a long one's value: the word before optind */
	bool is_short = optopt && argv[optind - 1] && strncmp(argv[optind - 1], "--", 2) != 0;
	char letter[] = {'-', (char)optopt, '\0'};
	const char *name = is_short ? letter : argv[optind - 1];

	return option == ':' ? cli_usage(command, "%s needs a value", name) : cli_usage(command, "no option %s", name);
}

int cli_version(void)
{
	(void)puts("bindwatch " BINDWATCH_VERSION);
	(void)printf("packages: dpkg%s\n", rpm_is_built_in() ? ", rpm" : " (built without rpm)");
	return fflush(stdout) == 0 ? CLI_OK : cli_error("cannot write the output: %s", strerror(errno));
}
