/* SPDX-License-Identifier: BSD-2-Clause */
/* What `bindwatch check` says of each kind of mistake: file, line, value, and what would be right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/user/judge/policy_fixture.h"
#include "user/cli/cli.h"

/* clang-format off */
static const struct {
	const char *name, *text;
} files[] = {
	{"10-heading.conf",
	 "port = 22\n"
	 "[permit a]\n"
	 "[expect]\n"
	 "[expect bad name]\n"
	 "port = 22\n"
	 "[alert b\n"
	 "[expect twice]\n"
	 "port = 22\n"
	 "[expect empty]\n"},
	{"20-keys.conf",
	 "[expect keys]\n"
	 "prot = 22\n"
	 "port =\n"
	 "port 22\n"
	 "port: 22\n"
	 "severity = high\n"
	 "[expect twice]\n"
	 "port = 23\n"},
	{"30-words.conf",
	 "[expect words]\n"
	 "port = 0 22/xtp 9-8 ssh\n"
	 "service = sshh\n"
	 "class = privilege\n"
	 "exposure = lo\n"
	 "address = 10.0.0.1/8\n"
	 "action = bind hook-silent\n"
	 "exe = sshd /[a\n"
	 "sha256 = 00\n"
	 "user = 2-1\n"
	 "error = 13\n"
	 "userns = root\n"
	 "exe = \"/x\n"
	 "  comm = y\n"},
	{"40-alert.conf",
	 "[alert without]\n"
	 "port = 22\n"
	 "[alert severe]\n"
	 "port = 22\n"
	 "severity = severe\n"
	 "technique = 1571\n"
	 "[alert again]\n"
	 "port = 22\n"
	 "severity = low\n"
	 "severity = high\n"},
	{"50-bytes.conf",
	 "[expect bytes]\n"
	 "exe = /\001\n"},
};

/* DIR: the directory */
static const char golden[] =
	"DIR/10-heading.conf:1: error: \"port\": this stands before any rule: begin one with [expect NAME], [ignore NAME] or [alert NAME]\n"
	"DIR/10-heading.conf:2: error: \"permit\": write [expect NAME], [ignore NAME] or [alert NAME]\n"
	"DIR/10-heading.conf:3: error: \"\": a rule has a name: write [expect NAME], [ignore NAME] or [alert NAME]\n"
	"DIR/10-heading.conf:3: error: \"\": the rule says nothing of what it is about: write at least one predicate, port = 1-65535 for every port\n"
	"DIR/10-heading.conf:4: error: \"bad name\": a name has letters, digits, '-', '_' and '.', 64 of them at most\n"
	"DIR/10-heading.conf:6: error: \"[alert b\": a heading ends with ]: write [expect NAME], [ignore NAME] or [alert NAME], and comments in lines of their own\n"
	"DIR/10-heading.conf:9: error: \"empty\": the rule says nothing of what it is about: write at least one predicate, port = 1-65535 for every port\n"
	"DIR/20-keys.conf:2: error: \"prot\": there is no such key: did you mean port?\n"
	"DIR/20-keys.conf:3: error: \"port\": the value is missing: write at least one word behind the '='\n"
	"DIR/20-keys.conf:4: error: \"port 22\": write KEY = VALUE, or a heading: [expect NAME], [ignore NAME] or [alert NAME]\n"
	"DIR/20-keys.conf:5: error: \"port: 22\": write KEY = VALUE\n"
	"DIR/20-keys.conf:6: error: \"severity\": this belongs to alerts: [alert NAME]\n"
	"DIR/20-keys.conf:7: error: \"twice\": a rule has this name already, at DIR/10-heading.conf:7: take another\n"
	"DIR/30-words.conf:2: error: \"0\": ports are 1-65535: write 22/tcp, 443 or 8000-8099\n"
	"DIR/30-words.conf:2: error: \"22/xtp\": write tcp, udp, sctp or dccp behind the '/', or nothing for any transport\n"
	"DIR/30-words.conf:2: error: \"9-8\": the range ends before it begins: write 8-9\n"
	"DIR/30-words.conf:2: error: \"ssh\": write a port, 22/tcp, 443 or 8000-8099; for the name of a service: service = ssh\n"
	"DIR/30-words.conf:3: error: \"sshh\": no service has this name in the registry of 2026-08-17: did you mean ssh?\n"
	"DIR/30-words.conf:4: error: \"privilege\": there is no such word: did you mean privileged?\n"
	"DIR/30-words.conf:5: error: \"lo\": write loopback, wildcard, address\n"
	"DIR/30-words.conf:6: error: \"10.0.0.1/8\": bits behind the prefix are set: write a longer prefix, or zeros there\n"
	"DIR/30-words.conf:7: error: \"bind\": write bound-socket, listen-for-connections, closed-socket, existing-socket\n"
	"DIR/30-words.conf:7: error: \"hook-silent\": the monitor tells this of itself, of no port, and no rule is asked: write bound-socket, listen-for-connections, closed-socket, existing-socket\n"
	"DIR/30-words.conf:8: error: \"sshd\": a path begins with '/': write the whole path, or **/ before it for any directory\n"
	"DIR/30-words.conf:8: error: \"/[a\": a [ without its ]: write \\ before a byte that is meant itself\n"
	"DIR/30-words.conf:9: error: \"00\": write 64 hexadecimal digits, as sha256sum prints them\n"
	"DIR/30-words.conf:10: error: \"2-1\": the range ends before it begins: write 1-2\n"
	"DIR/30-words.conf:11: error: \"13\": there is no such error: write its name, EADDRINUSE or EACCES\n"
	"DIR/30-words.conf:12: error: \"root\": write host, other or the number of a namespace (lsns -t user, column NS)\n"
	"DIR/30-words.conf:13: error: \"\"/x\": the closing quote is missing\n"
	"DIR/30-words.conf:14: error: \"comm = y\": a line that begins with a blank goes on with the value of the line before: begin this one with its key\n"
	"DIR/40-alert.conf:1: error: \"without\": an alert has a severity: write severity = informational, low, medium, high or critical\n"
	"DIR/40-alert.conf:5: error: \"severe\": write informational, low, medium, high or critical\n"
	"DIR/40-alert.conf:6: error: \"1571\": write the id of a technique of ATT&CK: T1571 or T1036.005\n"
	"DIR/40-alert.conf:10: error: \"high\": the rule has a severity already\n"
	"DIR/50-bytes.conf:2: error: there is a control byte in the line: it must be plain text\n"
	"DIR/50-bytes.conf:1: error: \"bytes\": the rule says nothing of what it is about: write at least one predicate, port = 1-65535 for every port\n"
	"37 errors\n";
/* clang-format on */

/* Puts DIR where the directory stands. */
static void hide_directory(char *text, const char *directory)
{
	size_t len = strlen(directory);

	for (char *at = text; (at = strstr(at, directory)); at += 3) {
		memcpy(at, "DIR", 3);
		memmove(at + 3, at + len, strlen(at + len) + 1);
	}
}

static void every_mistake_is_told(void **state)
{
	static char out[65536];
	char directory[64], option[80];
	char *argv[] = {(char *)"check", option, NULL};
	FILE *file = tmpfile();
	int saved, code;

	(void)state;
	assert_non_null(file);
	fixture_directory(directory);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		fixture_write(directory, files[i].name, files[i].text, strlen(files[i].text));
	(void)snprintf(option, sizeof(option), "--policy=%s", directory);
	fflush(stdout);
	saved = dup(STDOUT_FILENO);
	(void)dup2(fileno(file), STDOUT_FILENO);
	code = cli_check(2, argv);
	fflush(stdout);
	(void)dup2(saved, STDOUT_FILENO);
	(void)close(saved);
	fixture_remove(directory);
	rewind(file);
	out[fread(out, 1, sizeof(out) - 1, file)] = '\0';
	(void)fclose(file);
	hide_directory(out, directory);
	assert_int_equal(code, 1);
	assert_string_equal(out, golden);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(every_mistake_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
