/* SPDX-License-Identifier: BSD-2-Clause */
/* `bindwatch explain` and `bindwatch check`, as they are called. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <jansson.h>

#include "tests/unit/user/judge/policy_fixture.h"
#include "user/cli/cli.h"
#include "user/cli/event_json.h"
#include "user/cli/policy_option.h"

static char directory[64], policy_option[128], bad_option[128], out[65536], err[65536];

static const char rules[] = "[ignore closed]\nport = 22\naction = closed-socket\n"
                            "[expect sshd]\nservice = ssh\nexe = /usr/sbin/sshd\nexe-flags = !deleted\n"
                            "[alert other]\nport = 22/tcp\nseverity = high\nmessage = not sshd\ntechnique = T1571\n";

/* Runs a command; its streams go to out and err. */
static int run(int (*command)(int argc, char **argv), const char *input, const char *const *arguments)
{
	char *argv[80] = {(char *)"command"};
	FILE *files[3] = {tmpfile(), tmpfile(), tmpfile()};
	char *const texts[3] = {NULL, out, err};
	int saved[3], argc = 1, code;

	for (; arguments[argc - 1]; argc++)
		argv[argc] = (char *)arguments[argc - 1];
	(void)fputs(input, files[0]);
	rewind(files[0]);
	fflush(stdout);
	fflush(stderr);
	for (int fd = 0; fd < 3; fd++) {
		saved[fd] = dup(fd);
		(void)dup2(fileno(files[fd]), fd);
	}
	clearerr(stdin);
	code = command(argc, argv);
	fflush(stdout);
	fflush(stderr);
	for (int fd = 0; fd < 3; fd++) {
		(void)dup2(saved[fd], fd);
		(void)close(saved[fd]);
		if (fd) {
			rewind(files[fd]);
			texts[fd][fread(texts[fd], 1, sizeof(out) - 1, files[fd])] = '\0';
		}
		(void)fclose(files[fd]);
	}
	return code;
}

#define EXPLAIN(...) run(cli_explain, "", (const char *[]){policy_option, __VA_ARGS__, NULL})
#define CHECK(...)   run(cli_check, "", (const char *[]){__VA_ARGS__, NULL})

static void says(const char *text, const char *needle)
{
	if (!strstr(text, needle))
		fail_msg("\"%s\" is not in: %s", needle, text);
}

static void explain_table(void **state)
{
	static const struct {
		const char *arguments[6];
		int code;
		const char *out, *err;
	} table[] = {
	        {{"--port=22/tcp", "--exe=/usr/sbin/sshd"}, 0, "verdict  expect\n", ""},
	        {{"--port=22/tcp", "--exe=/usr/sbin/sshd"},
	         0,
	         ":1 [ignore closed] action = closed-socket; it is bound-socket\n",
	         ""},
	        {{"--port=22", "--exe=/usr/sbin/sshd", "--exe-flags=memfd,deleted"},
	         0,
	         "[expect sshd] exe-flags = !deleted; it is memfd deleted\n",
	         ""},
	        {{"--port=22", "--exe=/bin/sh", "--user=0", "--outcome=EADDRINUSE"},
	         0,
	         "verdict  alert, severity high\nreason   not sshd: tcp/22 is ssh; expected /usr/sbin/sshd, tried by "
	         "/bin/sh run "
	         "by root\nrule     [alert other] at ",
	         ""},
	        {{"--port=22", "--exe=/bin/sh"}, 0, "ATT&CK   T1571\n", ""},
	        {{"--port=22"}, 0, "[expect sshd] exe = /usr/sbin/sshd; it is not known\n", ""},
	        {{"--port=23/udp"}, 0, "verdict  none\n", ""},
	        {{"--port=23/udp"}, 0, "rule     none matches\n", ""},
	        {{"--port=23/udp"}, 0, ":8 [alert other] port = 22/tcp; it is 23/udp\n", ""},
	        {{"--port=0"}, 2, "", "--port: '0' is not a port"},
	        {{"--port=22/xtp"}, 2, "", "--port: '22/xtp' is not a port"},
	        {{"--port=22", "--exe=sshd"}, 2, "", "--exe: 'sshd' is not a whole path"},
	        {{"--port=22", "--parent=bash"}, 2, "", "--parent: 'bash' is not a whole path"},
	        {{"--port=22", "--image=a b"}, 2, "", "--image: 'a b' is not the name of an image"},
	        {{"--image=a"}, 2, "", "--image needs --port beside it"},
	        {{"--port=22", "--user=no-such-user"}, 2, "", "--user: 'no-such-user' is no user"},
	        {{"--port=22", "--address=10"}, 2, "", "--address: '10' is not"},
	        {{"--port=22", "--outcome=bad"}, 2, "", "--outcome: 'bad' is not"},
	        {{"--port=22", "--exe-flags=bad"}, 2, "", "--exe-flags: 'bad' is not"},
	        {{"--port=22", "--userns=user"}, 2, "", "--userns: 'user' is not host, other or the number of a namespace"},
	        {{"--port=22", "--mntns=0"}, 2, "", "--mntns: '0' is not host"},
	        {{"--port=22", "--netns=4294967296"}, 2, "", "--netns: '4294967296' is not host"},
	        {{"--slice=system.slice"}, 2, "", "--slice needs --port beside it"},
	        {{"--userns=other"}, 2, "", "--userns needs --port beside it"},
	        {{"--port=22", "--event=-"}, 2, "", "--port describes a bind, --event has one"},
	        {{"--exe=/x"}, 2, "", "--exe needs --port beside it"},
	        {{"--output=xml"}, 2, "", "--output: 'xml' is not text or json"},
	        {{"--nothing"}, 2, "", "no option --nothing"},
	        {{"22"}, 2, "", "'22' is one word too many"},
	        {{"--event=-"}, 1, "", "standard input: there is no event in it"},
	        {{"--event=/nonexistent"}, 1, "", "/nonexistent: No such file"},
	        {{"--event=/usr"}, 1, "", "explain: /usr: Is a directory"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const char *const *a = table[i].arguments;
		int code = EXPLAIN(a[0], a[1], a[2], a[3]);

		assert_int_equal(code, table[i].code);
		says(out, table[i].out);
		says(err, table[i].err);
		if (!*table[i].err)
			assert_string_equal(err, "");
	}
}

static void explain_knows_units_containers_parents(void **state)
{
	char path[128];
	static const char text[] = "[expect u]\nunit = ssh.service\nport = 1\n[expect c]\ncontainer = 01*\nport = 2\n"
	                           "[expect p]\nparent = /usr/bin/bash\nport = 3\n[expect a]\naddress = ::1\nport = 4\n"
	                           "[expect n]\ncontainer = none\nunit = !*\nport = 5\n"
	                           "[expect h]\nuserns = host\nport = 6\n[expect o]\nuserns = other\nport = 6\n"
	                           "[expect s]\nuser-unit = x.service\nport = 9\n"
	                           "[expect i]\ncontainer = any\nimage = r.io/*:1\nport = 10\n"
	                           "[expect w]\nnetns = 9\nport = 7\n[expect m]\nmntns = 9\nport = 8\n";
	static const char *const arguments[][3] = {{"--port=1", "--unit=ssh.service", "u"},
	                                           {"--port=2", "--container=0123", "c"},
	                                           {"--port=9", "--user-unit=x.service", "s"},
	                                           {"--port=3", "--parent=/usr/bin/bash", "p"},
	                                           {"--port=4", "--address=::1", "a"},
	                                           {"--port=5", "--outcome=success", "n"},
	                                           {"--port=6", "--userns=host", "h"},
	                                           {"--port=6", "--outcome=success", "h"},
	                                           {"--port=6", "--userns=other", "o"},
	                                           {"--port=7", "--netns=9", "w"},
	                                           {"--port=8", "--mntns=9", "m"},
	                                           {"--port=10", "--image=r.io/a:1", "i"}};

	(void)state;
	fixture_write(directory, "more.text", text, strlen(text));
	(void)snprintf(path, sizeof(path), "--policy=%s/more.text", directory);
	for (size_t i = 0; i < sizeof(arguments) / sizeof(arguments[0]); i++) {
		char rule[16];

		(void)snprintf(rule, sizeof(rule), "[expect %s]", arguments[i][2]);
		assert_int_equal(run(cli_explain, "", (const char *[]){path, arguments[i][0], arguments[i][1], NULL}),
		                 0);
		says(out, rule);
		says(out, "verdict  expect\n");
	}
}

/* A rule wants one thing and the next its opposite: what is not known satisfies neither. */
static void explain_guesses_nothing(void **state)
{
	static const char text[] = "[expect system]\nslice = system.slice\nport = 1\n"
	                           "[expect elsewhere]\nslice = !system.slice\nport = 1\n"
	                           "[expect root]\ngroup = 0\nport = 2\n[expect group]\ngroup = !0\nport = 2\n";
	static const struct {
		const char *arguments[3];
		const char *out;
	} table[] = {
	        {{"--port=1"}, "rule     [expect elsewhere]"},
	        {{"--port=1", "--slice=system.slice"}, "rule     [expect system]"},
	        {{"--port=1", "--unit=a.service", "--slice=system.slice"}, "rule     [expect system]"},
	        {{"--port=1", "--unit=a.service", "--slice=b.slice"}, "rule     [expect elsewhere]"},
	        {{"--port=1", "--unit=a.service"}, "[expect elsewhere] slice = !system.slice; it is not known\n"},
	        {{"--port=1", "--user-unit=a.service"}, "[expect elsewhere] slice = !system.slice; it is not known\n"},
	        {{"--port=1", "--container=0123"}, "[expect elsewhere] slice = !system.slice; it is not known\n"},
	        {{"--port=1", "--image=a:1"}, "[expect elsewhere] slice = !system.slice; it is not known\n"},
	        {{"--port=2"}, "rule     [expect root]"},
	        {{"--port=2", "--user=0"}, "rule     [expect root]"},
	        {{"--port=2", "--user=root"}, "rule     [expect root]"},
	        {{"--port=2", "--user=1"}, "rule     [expect group]"}, /* daemon or bin */
	        {{"--port=2", "--user=4000000001"}, "[expect group] group = !0; it is not known\n"},
	};
	char path[128];

	(void)state;
	fixture_write(directory, "guess.text", text, strlen(text));
	(void)snprintf(path, sizeof(path), "--policy=%s/guess.text", directory);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const char *const *a = table[i].arguments;

		assert_int_equal(run(cli_explain, "", (const char *[]){path, a[0], a[1], a[2], NULL}), 0);
		says(out, table[i].out);
	}
}

static void explain_takes_events(void **state)
{
	static const char event[] =
	        "{\"event\":{\"action\":\"bound-socket\"},\"user\":{\"id\":\"0\"},\"group\":{\"id\":\"0\"},"
	        "\"server\":{\"port\":22},\"bindwatch\":{\"socket\":{\"protocol\":\"tcp\"}}}\n";
	char two[1024];

	(void)state;
	assert_int_equal(run(cli_explain, event, (const char *[]){policy_option, NULL}), 0);
	says(out, "verdict  alert, severity high\n");
	(void)snprintf(two, sizeof(two), "%s%s", event, event);
	assert_int_equal(run(cli_explain, two, (const char *[]){policy_option, "--event=-", "-ojson", NULL}), 0);
	assert_non_null(strchr(out, '\n'));
	says(strchr(out, '\n'), "\"verdict\":\"alert\"");
	/* a bad line is told, and those behind it are answered */
	(void)snprintf(two, sizeof(two), "%s{}\n%s", event, event);
	assert_int_equal(run(cli_explain, two, (const char *[]){policy_option, NULL}), 1);
	says(err, "explain: standard input:2: event.action: it is missing");
	says(out, "verdict  alert");
	says(strstr(out, "verdict") + 1, "verdict  alert");
}

/* What has no end, or no newline, is read in a fixed room. */
static void explain_bounds_a_line(void **state)
{
	static const char event[] = "{\"event\":{\"action\":\"bound-socket\"},\"user\":{\"id\":\"0\"},\"group\":{\"id\":"
	                            "\"0\"},\"server\":{\"port\":22},\"bindwatch\":{\"socket\":{\"protocol\":\"tcp\"}}}\n";
	size_t len = 8 * EVENT_JSON_LINE_MAX;
	char *text = malloc(len + sizeof(event) + 1);

	(void)state;
	assert_non_null(text);
	memset(text, ' ', len);
	text[len] = '\n';
	memcpy(text + len + 1, event, sizeof(event));
	assert_int_equal(run(cli_explain, text, (const char *[]){policy_option, NULL}), 1);
	says(err, "explain: standard input:1: the line is longer than a recorded event can be");
	says(out, "verdict  alert");
	free(text);
}

static void explain_writes_json(void **state)
{
	json_t *root, *earlier;

	(void)state;
	assert_int_equal(EXPLAIN("--port=22", "--exe=/bin/sh", "--output=json"), 0);
	root = json_loads(out, 0, NULL);
	assert_non_null(root);
	assert_string_equal(json_string_value(json_object_get(root, "verdict")), "alert");
	assert_string_equal(json_string_value(json_object_get(root, "severity")), "high");
	assert_string_equal(json_string_value(json_object_get(root, "rule")), "other");
	assert_int_equal(json_integer_value(json_object_get(root, "line")), 8);
	earlier = json_object_get(root, "earlier");
	assert_int_equal(json_array_size(earlier), 2);
	assert_string_equal(json_string_value(json_object_get(json_array_get(earlier, 1), "failed")), "exe");
	assert_string_equal(json_string_value(json_object_get(json_array_get(earlier, 1), "seen")), "/bin/sh");
	json_decref(root);
}

static void check_tells_errors_and_warnings(void **state)
{
	json_t *root;

	(void)state;
	assert_int_equal(CHECK(policy_option), 0);
	says(out, "3 rules of 1 file: no error");
	assert_int_equal(CHECK(bad_option), 1);
	says(out, "bad.text:2: error: \"0\": ports are 1-65535");
	says(out, "bad.text:3: error: \"sshd\": a path begins");
	says(out, "\n2 errors\n");
	assert_string_equal(err, "");
	assert_int_equal(CHECK(bad_option, "--output=json"), 1);
	root = json_loads(out, 0, NULL);
	assert_non_null(root);
	assert_int_equal(json_integer_value(json_object_get(root, "errors")), 2);
	assert_int_equal(
	        json_integer_value(json_object_get(json_array_get(json_object_get(root, "problems"), 1), "line")), 3);
	json_decref(root);
	/* both at once: the rule that is in two files now, and the bad ones */
	assert_int_equal(CHECK(policy_option, bad_option), 1);
	assert_int_equal(CHECK("--policy=/nonexistent"), 1);
	says(out, "/nonexistent: error: it cannot be read: No such file or directory\n1 error\n");
	assert_int_equal(CHECK("--output=xml"), 2);
	assert_int_equal(CHECK("policy.d"), 2);
	says(err, "'policy.d' is one word too many: to check this file, --policy=policy.d");
	assert_int_equal(CHECK("--policy"), 2);
}

static void check_warns(void **state)
{
	static const char text[] =
	        "[expect a]\nport = 1-100\n[expect b]\nport = 5\nexe = /nonexistent/x\nuser = no-such-user\n";
	char path[128];

	(void)state;
	fixture_write(directory, "odd.text", text, strlen(text));
	(void)snprintf(path, sizeof(path), "--policy=%s/odd.text", directory);
	assert_int_equal(CHECK(path), 0);
	says(out, ":6: warning: \"no-such-user\": there is no such user here");
	says(out, ":3: warning: \"b\": this rule can never match, for [expect a] at ");
	says(out, ":5: warning: \"/nonexistent/x\": there is no such program");
	says(out, "2 rules of 1 file: no error, 3 warnings\n");
}

/* No rule at all is no error, for a file may mask another, and hardly what was meant. */
static void check_warns_of_no_rule(void **state)
{
	char empty[64], path[128];

	(void)state;
	assert_int_equal(CHECK("--policy=/dev/null"), 0);
	says(out, "/dev/null: warning: there is no rule in it: nothing raises an alert\n");
	says(out, "0 rules of 1 file: no error, 1 warning\n");
	fixture_directory(empty);
	fixture_write(empty, "a.conf", "", 0);
	fixture_write(empty, "b.conf", "# nothing\n", 10);
	(void)snprintf(path, sizeof(path), "--policy=%s", empty);
	assert_int_equal(CHECK(path), 0);
	says(out, "/a.conf: warning: neither this file nor any other has a rule");
	says(out, "0 rules of 2 files: no error, 1 warning\n");
	assert_int_equal(CHECK(path, policy_option), 0);
	says(out, "3 rules of 3 files: no error");
	assert_null(strstr(out, "neither"));
	fixture_remove(empty);
}

static void too_many_paths_name_their_option(void **state)
{
	const char *arguments[CLI_POLICY_PATHS + 2] = {NULL};

	(void)state;
	for (size_t i = 0; i <= CLI_POLICY_PATHS; i++)
		arguments[i] = "--diff=/dev/null";
	assert_int_equal(run(cli_replay, "", arguments), 2);
	says(err, "--diff: more than 64 are named: name a directory");
	for (size_t i = 0; i <= CLI_POLICY_PATHS; i++)
		arguments[i] = policy_option;
	assert_int_equal(run(cli_replay, "", arguments), 2);
	says(err, "--policy: more than 64 are named: name a directory");
}

/* A bad policy stops a command that judges by it, with each error. */
static void a_bad_policy_is_refused(void **state)
{
	(void)state;
	assert_int_equal(run(cli_explain, "", (const char *[]){bad_option, "--port=22", NULL}), 1);
	says(err, "bad.text:2: \"0\": ports are 1-65535");
	says(err, "bad.text:3: \"sshd\": a path begins");
	assert_string_equal(out, "");
}

static int open_policies(void **state)
{
	static const char bad[] = "[expect bad]\nport = 0\nexe = sshd\n";

	(void)state;
	fixture_directory(directory);
	fixture_write(directory, "good.text", rules, strlen(rules));
	fixture_write(directory, "bad.text", bad, strlen(bad));
	(void)snprintf(policy_option, sizeof(policy_option), "--policy=%s/good.text", directory);
	(void)snprintf(bad_option, sizeof(bad_option), "--policy=%s/bad.text", directory);
	return 0;
}

static int remove_policies(void **state)
{
	(void)state;
	fixture_remove(directory);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(explain_table),
	        cmocka_unit_test(explain_knows_units_containers_parents),
	        cmocka_unit_test(explain_guesses_nothing),
	        cmocka_unit_test(explain_takes_events),
	        cmocka_unit_test(explain_bounds_a_line),
	        cmocka_unit_test(explain_writes_json),
	        cmocka_unit_test(check_tells_errors_and_warnings),
	        cmocka_unit_test(check_warns),
	        cmocka_unit_test(check_warns_of_no_rule),
	        cmocka_unit_test(too_many_paths_name_their_option),
	        cmocka_unit_test(a_bad_policy_is_refused),
	};

	return cmocka_run_group_tests(tests, open_policies, remove_policies);
}
