/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Binds of many kinds, recorded live under a policy that asks for much, and replayed: the verdicts are those that were
 * recorded, event by event. And the patterns, which only a monitor that saw the events before can tell.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/live/command.h"
#include "tests/live/live.h"
#include "tests/live/server.h"

#define FILE_LEN (SERVER_PATH_LEN + 64)

static char program[SERVER_PATH_LEN], place[SERVER_PATH_LEN];
static char policy[FILE_LEN], other[FILE_LEN], recorded[FILE_LEN], first[FILE_LEN], second[FILE_LEN];
static const char *why_not;
static unsigned int own_namespace; /* that the binds were made in */
static struct monitor monitor = {.out = -1, .err = -1};

/* A rule of nearly every predicate; what each decides is not fixed here, but that it decides the same twice. */
static const char rules[] = "[alert owner]\npattern = second-owner\nseverity = high\n"
                            "[alert taken]\npattern = takeover\nseverity = high\n"
                            "[alert swept]\npattern = sweep\nseverity = medium\n"
                            "[ignore sentinels]\naddress = 127.99.0.0/16\nchoice = requested\n"
                            "[expect by-program]\nexe = /**/first\nport = 27921/tcp\nuser = root\n"
                            "[expect by-service]\nservice = redis\nexe-flags = !memfd !deleted\n"
                            "[alert refused]\noutcome = failure\nerror = EADDRINUSE EACCES\nseverity = low\n"
                            "[alert in-a-container]\ncontainer = any\nseverity = low\n"
                            "[alert privileged]\nclass = privileged\ncapability = CAP_NET_BIND_SERVICE\n"
                            "severity = high\nmessage = a privileged port\n"
                            "[ignore sharing]\nsocket = reuseport\nparent = /**/test_replay\n"
                            "[ignore arguments]\nargs = *--serve*udp*\ncomm = sec*\n"
                            "[ignore chosen]\nchoice = ephemeral\nnetns = other\n"
                            "[ignore on-the-host]\nnetns = host\naction = bound-socket\n"
                            "[alert ends]\naction = closed-socket\nexposure = loopback\nlogin-user = unset 0-100000\n"
                            "severity = informational\n"
                            "[alert rest]\ntransport = tcp\nstate = assigned unassigned\nseverity = low\n";

/* --- what happens --- */

static int bind_one(int type, const char *address, uint16_t port)
{
	struct sockaddr_storage storage;
	socklen_t length = scene_address(address, port, &storage);
	int fd = socket(storage.ss_family, type | SOCK_CLOEXEC, 0);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&storage, length) < 0) {
		(void)close(fd);
		return -errno;
	}
	return fd;
}

static void bind_and_close(int type, const char *address, uint16_t port)
{
	int fd = bind_one(type, address, port);

	if (fd >= 0)
		(void)close(fd);
}

static bool act_as_nobody(void *context)
{
	(void)context;
	if (setgid(65534) < 0 || setuid(65534) < 0)
		return false;
	bind_and_close(SOCK_STREAM, "0.0.0.0", 700);
	bind_and_close(SOCK_STREAM, "0.0.0.0", 7000);
	return true;
}

static bool act_as_sweeper(void *context)
{
	(void)context;
	for (uint16_t port = 27930; port < 27960; port++)
		bind_and_close(SOCK_STREAM, "0.0.0.0", port);
	return true;
}

static void serve_and_end(const char *path, const char *const *arguments)
{
	command_child_end(server_start(path, -1, arguments));
}

static void make_events(void)
{
	pid_t holder;
	int fd;

	bind_and_close(SOCK_STREAM, "127.0.0.1", 27920);
	bind_and_close(SOCK_STREAM, "0.0.0.0", 0);
	bind_and_close(SOCK_DGRAM, "::", 27920);
	bind_and_close(SOCK_DGRAM, "::1", 0);
	bind_and_close(SOCK_STREAM, "192.0.2.1", 27920); /* EADDRNOTAVAIL */
	bind_and_close(SOCK_STREAM, "::ffff:127.0.0.1", 6379);
	fd = bind_one(SOCK_STREAM, "0.0.0.0", 27922);
	assert_true(fd >= 0);
	assert_int_equal(bind_one(SOCK_STREAM, "0.0.0.0", 27922), -EADDRINUSE);
	assert_int_equal(listen(fd, 3), 0);
	(void)close(fd);
	command_child_end(command_child(act_as_nobody, NULL));
	command_child_end(command_child(act_as_sweeper, NULL));
	/* a second owner beside the first; then the port is free, and who comes next is not of its program */
	holder = server_start(first, -1, SERVE("tcp-share", "27921", "tcp", "997"));
	serve_and_end(first, SERVE("tcp-share", "27921"));
	serve_and_end(second, SERVE("tcp-share", "27921", "udp", "27923"));
	command_child_end(holder);
	serve_and_end(second, SERVE("tcp", "997"));
	serve_and_end(second, SERVE("tcp", "997"));
}

/* --- what was recorded --- */

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static const char *text_at(const json_t *event, const char *path)
{
	const char *text = json_string_value(live_field(event, path));

	return text ? text : "-";
}

static void record(void **state)
{
	const char *arguments[] = {"watch", "--output", "json", "--policy", policy, NULL};
	const struct monitor_options options = {
	        .program = program, .arguments = arguments, .json = true, .existing = true};
	int before = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	(void)state;
	SKIP_BECAUSE(why_not);
	assert_int_equal(monitor_start(&monitor, &options), 0);
	if (scene_enter_namespace() < 0) {
		why_not = "no network namespace of its own can be made here";
		SKIP_BECAUSE(why_not);
	}
	own_namespace = scene_namespace();
	make_events();
	assert_int_equal(monitor_sync(&monitor, 0), 0);
	/* which namespace is the host's is asked by replay as by watch: where it runs */
	assert_int_equal(setns(before, CLONE_NEWNET), 0);
	(void)close(before);
	assert_int_equal(monitor_finish(&monitor, SIGINT), 0);
	assert_int_equal(monitor.malformed, 0);
	write_file(recorded, monitor.output.data);
}

/* The binds of a port by a program, in their order: the pattern of each, "-" for none, a blank between. */
static void check_patterns(const char *comm, uint16_t port, const char *wanted)
{
	char got[512] = "";
	json_t *event;
	size_t i;

	json_array_foreach(monitor.events, i, event)
	{
		const json_t *patterns = live_field(event, "bindwatch.patterns");
		const char *name = json_string_value(json_array_get(patterns, 0));

		if (!live_is_action(event, ACTION_BIND) ||
		    json_integer_value(live_field(event, "server.port")) != port ||
		    json_integer_value(live_field(event, "bindwatch.netns.inode")) != (json_int_t)own_namespace ||
		    strcmp(text_at(event, "process.name"), comm) != 0)
			continue;
		(void)snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s", *got ? " " : "",
		               name ? name : "-");
		assert_true(json_array_size(patterns) <= 1);
	}
	if (strcmp(got, wanted) != 0)
		fail_msg("%s on %u: '%s', not '%s'", comm, port, got, wanted);
}

static void patterns_are_told(void **state)
{
	const char *me = "test_replay";

	(void)state;
	SKIP_BECAUSE(why_not);
	check_patterns("first", 27921, "- -");
	check_patterns("second", 27921, "second-owner");
	check_patterns("first", 997, "-");
	check_patterns("second", 997, "takeover -");
	check_patterns("second", 27923, "-");
	check_patterns(me, 27930, "-");
	check_patterns(me, 27948, "-");
	check_patterns(me, 27949, "sweep");
	check_patterns(me, 27959, "sweep");
}

#define REPLAY(...) command_run(0, -1, program, (char *const[]){"bindwatch", "replay", __VA_ARGS__, NULL})

/* The objects of a replay's lines. A new reference. */
static json_t *parse_lines(const char *text)
{
	json_t *lines = json_array();

	for (const char *end; *text; text = end + 1) {
		json_t *line;

		end = strchr(text, '\n');
		assert_non_null(end);
		line = json_loadb(text, (size_t)(end - text), JSON_REJECT_DUPLICATES, NULL);
		assert_non_null(line);
		json_array_append_new(lines, line);
	}
	return lines;
}

static void verdicts_are_those_recorded(void **state)
{
	json_t *lines, *event, *rules_seen = json_object();
	struct run run;
	size_t i;

	(void)state;
	SKIP_BECAUSE(why_not);
	run = REPLAY(recorded, "--policy", policy, "--output", "json");
	assert_int_equal(run.status, 0);
	lines = parse_lines(run.out);
	assert_int_equal(json_array_size(lines), json_array_size(monitor.events));
	json_array_foreach(monitor.events, i, event)
	{
		const json_t *line = json_array_get(lines, i);
		const char *verdict = text_at(event, "bindwatch.policy.verdict"),
		           *rule = text_at(event, "bindwatch.policy.rule");

		if (strcmp(verdict, "-") == 0)
			verdict = "none";
		if (strcmp(text_at(line, "now.verdict"), verdict) != 0 || strcmp(text_at(line, "now.rule"), rule) != 0)
			fail_msg("line %zu: %s %s was recorded, %s %s is replayed: %s", i + 1, verdict, rule,
			         text_at(line, "now.verdict"), text_at(line, "now.rule"), json_dumps(event, 0));
		assert_int_equal(json_integer_value(live_field(line, "line")), i + 1);
		json_object_set_new(rules_seen, rule, json_true());
	}
	assert_non_null(strstr(run.err, " 0 of them judged differently when they were recorded"));
	/* the recording is worth it: most rules decided something */
	if (json_object_size(rules_seen) < 10)
		fail_msg("only %zu rules decided anything: %s", json_object_size(rules_seen),
		         json_dumps(rules_seen, 0));
	json_decref(rules_seen);
	json_decref(lines);
	command_free(&run);
}

/* The policy without one of its rules: what that rule decided, and nothing else, is judged differently. */
static void the_difference_of_one_rule(void **state)
{
	const char *cut = strstr(rules, "[alert privileged]"), *behind = strstr(rules, "[ignore sharing]");
	char *text, wanted[64];
	size_t i, decided = 0;
	json_t *event, *lines;
	struct run run;

	(void)state;
	SKIP_BECAUSE(why_not);
	assert_true(asprintf(&text, "%.*s%s", (int)(cut - rules), rules, behind) > 0);
	write_file(other, text);
	free(text);
	json_array_foreach(monitor.events, i, event) decided +=
	        strcmp(text_at(event, "bindwatch.policy.rule"), "privileged") == 0;
	assert_true(decided > 0);
	(void)snprintf(wanted, sizeof(wanted), " %zu of %zu events are judged differently", decided,
	               json_array_size(monitor.events));

	run = REPLAY(recorded, "--policy", policy, "--diff", other, "--output", "json");
	if (run.status || !strstr(run.err, wanted))
		fail_msg("exit %d: %s", run.status, run.err);
	lines = parse_lines(run.out);
	assert_int_equal(json_array_size(lines), decided);
	json_array_foreach(lines, i, event)
	{
		assert_string_equal(text_at(event, "was.rule"), "privileged");
		assert_string_not_equal(text_at(event, "now.rule"), "privileged");
	}
	json_decref(lines);
	command_free(&run);

	run = REPLAY(recorded, "--policy", policy, "--diff", other);
	assert_int_equal(run.status, 0);
	assert_int_equal(strncmp(run.out, "WAS ", 4), 0);
	assert_non_null(strstr(run.out, "\nalert high  privileged"));
	command_free(&run);
	run = REPLAY(recorded, "--policy", policy, "--diff", policy);
	assert_string_equal(run.out, "");
	command_free(&run);
}

/* What raised an alert is learnt; of two binds with a pattern nothing is, and it is said. */
static void learnt_from_the_recording(void **state)
{
	char section[2 * FILE_LEN];
	struct run run;

	(void)state;
	SKIP_BECAUSE(why_not);
	run = command_run(0, -1, program,
	                  (char *const[]){"bindwatch", "learn", "--from", recorded, "--policy", policy, NULL});
	assert_int_equal(run.status, 0);
	(void)snprintf(section, sizeof(section), "\nexe = %s\n", first);
	assert_non_null(strstr(run.out, section));
	assert_non_null(strstr(strstr(run.out, section), "port = 997/tcp\n"));
	(void)snprintf(section, sizeof(section), "not learnt: %s run by root, on 27921/tcp: it joined a port", second);
	assert_non_null(strstr(run.err, section));
	(void)snprintf(section, sizeof(section), "not learnt: %s run by root, on 997/tcp: another program had", second);
	assert_non_null(strstr(run.err, section));
	assert_null(strstr(run.out, "27949"));
	write_file(other, run.out);
	command_free(&run);

	run = command_run(
	        0, -1, program,
	        (char *const[]){"bindwatch", "learn", "--from", recorded, "--policy", other, "--policy", policy, NULL});
	assert_int_equal(run.status, 0);
	assert_string_equal(run.out, "");
	command_free(&run);
}

static void bad_lines_are_told(void **state)
{
	char wanted[FILE_LEN + 64];
	struct run run;
	FILE *file;

	(void)state;
	write_file(policy, rules);
	file = fopen(other, "we");
	assert_non_null(file);
	(void)fputs("\n{\"event\":{\"action\":\"bound-socket\"}\nnonsense\n", file);
	assert_int_equal(fclose(file), 0);
	run = REPLAY(other, "--policy", policy);
	assert_int_equal(run.status, 1);
	for (unsigned int line = 2; line <= 3; line++) {
		(void)snprintf(wanted, sizeof(wanted), "%s:%u: ", other, line);
		assert_non_null(strstr(run.err, wanted));
	}
	assert_non_null(strstr(run.err, "2 lines could not be read"));
	command_free(&run);
}

static void the_command_line(void **state)
{
	static const struct {
		const char *words[3];
		int status;
		const char *says;
	} table[] = {
	        {{NULL}, 2, "which file?"},
	        {{"a", "b"}, 2, "'b' is one word too many"},
	        {{"a", "--output", "xml"}, 2, "'xml' is not text or json"},
	        {{"a", "--diff"}, 2, "--diff"},
	        {{"a", "--nonsense"}, 2, "--nonsense"},
	        {{"/nowhere/at/all"}, 1, "/nowhere/at/all: No such file or directory"},
	        {{"/"}, 1, "/: Is a directory"},
	        {{"/dev/null", "--diff", "/nowhere/at/all"}, 1, "/nowhere/at/all"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char *const *words = (char *const *)table[i].words;
		struct run run = REPLAY(words[0], words[1], words[2]);

		if (run.status != table[i].status || !strstr(run.err, table[i].says) || *run.out)
			fail_msg("row %zu: exit %d, '%s', '%s'", i, run.status, run.err, run.out);
		command_free(&run);
	}
}

static int start(void **state)
{
	(void)state;
	why_not = live_why_not();
	if (server_place(place) < 0)
		return -1;
	(void)snprintf(policy, sizeof(policy), "%s/policy.conf", place);
	(void)snprintf(other, sizeof(other), "%s/other.conf", place);
	(void)snprintf(recorded, sizeof(recorded), "%s/recorded.jsonl", place);
	(void)snprintf(first, sizeof(first), "%s/first", place);
	(void)snprintf(second, sizeof(second), "%s/second", place);
	server_copy(first);
	server_copy(second);
	write_file(policy, rules);
	return 0;
}

static int stop(void **state)
{
	const char *const files[] = {policy, other, recorded, first, second};

	(void)state;
	monitor_free(&monitor);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		(void)unlink(files[i]);
	return rmdir(place);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_command_line),
	        cmocka_unit_test(bad_lines_are_told),
	        cmocka_unit_test(record),
	        cmocka_unit_test(patterns_are_told),
	        cmocka_unit_test(verdicts_are_those_recorded),
	        cmocka_unit_test(the_difference_of_one_rule),
	        cmocka_unit_test(learnt_from_the_recording),
	};

	if (server_is_meant(argc, argv))
		return server_run(argv);
	if (live_program(argv[0], program, sizeof(program)) < 0)
		return 1;
	return cmocka_run_group_tests_name("replay", tests, start, stop);
}
