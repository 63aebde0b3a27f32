/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of this host add to an event (watch --hash), beside what sha256sum and dpkg say; and --wide. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/live/live.h"

/* A part of perl-base, without which no Debian is. */
#define PERL "/usr/bin/perl"

#define PORT 8431

/* Of processes of one program: the first may come before its file is read (user/enrich/enrich.h). */
#define TRIES 200

static char program[PATH_MAX], tool[PATH_MAX];
static char directory[] = "/tmp/bindwatch-package-XXXXXX";
static const char *why_not;

/* The first word of the output; false: the command failed. */
static bool ask(char ret[256], const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool ask(char ret[256], const char *format, ...)
{
	char command[2 * PATH_MAX];
	va_list arguments;
	bool said;
	FILE *pipe;

	va_start(arguments, format);
	(void)vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	pipe = popen(command, "r");
	assert_non_null(pipe);
	said = fscanf(pipe, "%255s", ret) == 1;
	while (fgetc(pipe) != EOF)
		;
	return pclose(pipe) == 0 && said;
}

static void assert_runs(const char *file, char *const *arguments)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)execv(file, arguments);
		_exit(127);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* Binds PORT. */
static void assert_binds(const char *file)
{
	static char *const perl[] = {(char *)"perl", (char *)"-MSocket", (char *)"-e",
	                             (char *)"socket(S, AF_INET, SOCK_DGRAM, 0) and bind(S, sockaddr_in($ENV{BIND_PORT}, "
	                                     "INADDR_LOOPBACK)) or die",
	                             NULL};
	char *const other[] = {(char *)file, NULL};

	assert_runs(file, strcmp(file, PERL) == 0 ? perl : other);
}

/* The event of a bind by this program, once there is such a field in it; borrowed. */
static const json_t *bind_until(struct monitor *monitor, const char *file, const char *field)
{
	const json_t *event = NULL;

	for (unsigned int i = 0; i < TRIES; i++) {
		assert_binds(file);
		assert_int_equal(monitor_sync(monitor, 0), 0);
		assert_true(live_find(monitor, ACTION_BIND, PORT, &event) > 0);
		assert_string_equal(json_string_value(live_field(event, "process.executable")), file);
		if (live_field(event, field))
			return event;
	}
	fail_msg("%s: no %s", file, field);
	return NULL;
}

/* The tool, where its path is short enough to be shown. */
static const char *copy_tool(void)
{
	static char copy[PATH_MAX];

	(void)snprintf(copy, sizeof(copy), "%s/binder", directory);
	assert_runs("/bin/cp", (char *const[]){(char *)"cp", tool, copy, NULL});
	return copy;
}

static void start(struct monitor *monitor, const char *const *arguments, bool json)
{
	const struct monitor_options options = {
	        .program = program, .arguments = arguments, .json = json, .vendor_policy = true};

	assert_int_equal(monitor_start(monitor, &options), 0);
}

static void stop(struct monitor *monitor)
{
	assert_int_equal(monitor_finish(monitor, SIGINT), 0);
	monitor_free(monitor);
}

static const char *text_of(const json_t *event, const char *field)
{
	const char *text = json_string_value(live_field(event, field));

	return text ? text : "(none)";
}

/* Also of a file that was written to since: it is read again. */
static void digest_is_that_of_sha256sum(void **state)
{
	char before[256], now[256];
	struct monitor monitor;
	const json_t *event;
	const char *copy;
	FILE *file;

	(void)state;
	SKIP_BECAUSE(why_not);
	copy = copy_tool();
	SKIP_BECAUSE(ask(before, "sha256sum %s", copy) ? NULL : "there is no sha256sum here");
	start(&monitor, ARGUMENTS("--output", "json", "--hash", "--no-existing"), true);
	event = bind_until(&monitor, copy, "process.hash.sha256");
	assert_string_equal(text_of(event, "process.hash.sha256"), before);
	assert_null(live_field(event, "bindwatch.executable.package"));
	assert_null(live_field(event, "bindwatch.executable.modified"));

	file = fopen(copy, "a");
	assert_non_null(file);
	assert_true(fputs("more", file) >= 0 && fclose(file) == 0);
	assert_true(ask(now, "sha256sum %s", copy));
	assert_string_not_equal(now, before);
	event = bind_until(&monitor, copy, "process.hash.sha256");
	assert_string_equal(text_of(event, "process.hash.sha256"), now);
	stop(&monitor);
}

static void package_is_that_of_dpkg(void **state)
{
	char owner[256], version[256], digest[256], changed[256];
	struct monitor monitor;
	const json_t *event;
	bool modified;

	(void)state;
	SKIP_BECAUSE(why_not);
	SKIP_BECAUSE(access(PERL, X_OK) == 0 && ask(owner, "dpkg-query -S " PERL " 2>&1") ? NULL
	                                                                                  : "no " PERL " of dpkg's here");
	owner[strcspn(owner, ":")] = '\0';
	assert_true(ask(version, "dpkg-query -W -f '${Version}' %s", owner));
	assert_true(ask(digest, "sha256sum " PERL));
	modified = ask(changed, "dpkg --verify %s | grep ' " PERL "$'", owner);
	start(&monitor, ARGUMENTS("--output", "json", "--hash", "--no-existing"), true);
	event = bind_until(&monitor, PERL, "process.hash.sha256");
	assert_string_equal(text_of(event, "process.hash.sha256"), digest);
	assert_true(json_is_true(live_field(event, "bindwatch.executable.packaged")));
	assert_string_equal(text_of(event, "bindwatch.executable.package"), owner);
	assert_string_equal(text_of(event, "bindwatch.executable.package_version"), version);
	assert_true(json_is_boolean(live_field(event, "bindwatch.executable.modified")));
	assert_int_equal(json_is_true(live_field(event, "bindwatch.executable.modified")), modified);
	event = bind_until(&monitor, tool, "bindwatch.executable.packaged");
	assert_true(json_is_false(live_field(event, "bindwatch.executable.packaged")));
	stop(&monitor);

	/* nothing is read that was not asked for; the package is known all the same */
	start(&monitor, ARGUMENTS("--output", "json", "--no-existing"), true);
	event = bind_until(&monitor, PERL, "bindwatch.executable.package");
	assert_string_equal(text_of(event, "bindwatch.executable.package"), owner);
	assert_null(live_field(event, "process.hash"));
	assert_null(live_field(event, "bindwatch.executable.modified"));
	stop(&monitor);
}

/* The one line of the output with this in it; cut out of the text, to be read before the next. */
static const char *line_with(const struct monitor *monitor, const char *needle)
{
	static char line[4096];
	const char *at = monitor->output.data ? strstr(monitor->output.data, needle) : NULL, *begin = at;

	if (!at)
		fail_msg("no '%s' in:\n%s", needle, monitor->output.data ? monitor->output.data : "");
	while (begin > monitor->output.data && begin[-1] != '\n')
		begin--;
	(void)snprintf(line, sizeof(line), "%.*s", (int)strcspn(begin, "\n"), begin);
	return line;
}

static void wide_names_program_and_rule(void **state)
{
	static const struct {
		const char *option;
		bool wide;
	} rows[] = {{"--wide", true}, {"-w", true}, {"--no-existing", false}};
	char policy[PATH_MAX], rule[PATH_MAX + 64], port[32];
	const char *copy;
	FILE *file;

	(void)state;
	SKIP_BECAUSE(why_not);
	copy = copy_tool();
	(void)snprintf(policy, sizeof(policy), "%s/site.conf", directory);
	(void)snprintf(rule, sizeof(rule), " the-binder (%s:2)", policy);
	(void)snprintf(port, sizeof(port), "127.0.0.1:%u ", PORT);
	file = fopen(policy, "w");
	assert_non_null(file);
	assert_true(fprintf(file, "# one rule\n[expect the-binder]\nport = %u/udp\n", PORT) > 0 && fclose(file) == 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct monitor monitor;
		const char *line;

		start(&monitor, ARGUMENTS("--no-existing", rows[i].option, "--policy", policy), false);
		assert_binds(copy);
		assert_int_equal(monitor_sync(&monitor, 0), 0);
		line = line_with(&monitor, "ADDRESS:PORT");
		assert_int_equal(strstr(line, "PROGRAM") && strstr(line, "RULE"), rows[i].wide);
		line = line_with(&monitor, port);
		assert_int_equal(strstr(line, copy) != NULL, rows[i].wide);
		assert_int_equal(strstr(line, rule) != NULL, rows[i].wide);
		stop(&monitor);
	}
}

static int setup(void **state)
{
	char port[16];

	(void)state;
	why_not = live_why_not();
	if (why_not)
		return 0;
	(void)snprintf(port, sizeof(port), "%u", PORT);
	if (!mkdtemp(directory) || setenv("BIND_PORT", port, 1) != 0)
		return -1;
	if (scene_enter_namespace() != 0)
		why_not = "no network namespace of its own can be made here";
	return 0;
}

static int clean(void **state)
{
	char path[PATH_MAX];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/binder", directory);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/site.conf", directory);
	(void)unlink(path);
	(void)rmdir(directory);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(digest_is_that_of_sha256sum),
	        cmocka_unit_test(package_is_that_of_dpkg),
	        cmocka_unit_test(wide_names_program_and_rule),
	};
	char *slash;

	if (argc < 1 || live_program(argv[0], program, sizeof(program)) != 0) {
		fprintf(stderr, "run this as B/tests/live/NAME: B/bindwatch is what it tests\n");
		return 1;
	}
	if (!realpath(program, tool))
		return 1;
	slash = strrchr(tool, '/');
	(void)snprintf(slash, sizeof(tool) - (size_t)(slash - tool), "/tests/live/tool_bind");
	return cmocka_run_group_tests_name("packages and digests of programs", tests, setup, clean);
}
