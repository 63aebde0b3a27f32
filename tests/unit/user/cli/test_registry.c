/* SPDX-License-Identifier: BSD-2-Clause */
/* bindwatch registry: what it prints and returns. */
#include <jansson.h>

#include "tests/unit/registry/fixture.h"
#include "user/cli/cli.h"

#define ARGUMENTS_MAX 8

struct result {
	int code;
	char out[8192], err[2048];
};

static void read_back(FILE *file, int saved, int fd, char *text, size_t size)
{
	size_t len;

	assert_true(dup2(saved, fd) >= 0);
	(void)close(saved);
	rewind(file);
	len = fread(text, 1, size - 1, file);
	text[len] = '\0';
	(void)fclose(file);
}

/* Runs the subcommand with these words and keeps what it wrote. */
static struct result run(const char *words)
{
	struct result result = {0};
	char copy[512], *rest = copy, *argv[ARGUMENTS_MAX + 1] = {0};
	FILE *out = tmpfile(), *err = tmpfile();
	int argc = 0, saved_out = dup(STDOUT_FILENO), saved_err = dup(STDERR_FILENO);

	assert_true(out && err && saved_out >= 0 && saved_err >= 0);
	(void)snprintf(copy, sizeof(copy), "%s", words);
	for (char *word; argc < ARGUMENTS_MAX && (word = strtok_r(rest, " ", &rest));)
		argv[argc++] = word;
	(void)fflush(stdout);
	assert_true(dup2(fileno(out), STDOUT_FILENO) >= 0 && dup2(fileno(err), STDERR_FILENO) >= 0);
	result.code = cli_registry(argc, argv);
	(void)fflush(stdout);
	read_back(out, saved_out, STDOUT_FILENO, result.out, sizeof(result.out));
	read_back(err, saved_err, STDERR_FILENO, result.err, sizeof(result.err));
	return result;
}

static void usage(void **state)
{
	static const struct {
		const char *words;
		int code;
		const char *says;
	} table[] = {
	    {"registry", CLI_USAGE, "info, check, diff or convert"},
	    {"registry list", CLI_USAGE, "'list' is not info, check, diff or convert"},
	    {"registry check", CLI_USAGE, "check takes one file"},
	    {"registry check a b", CLI_USAGE, "check takes one file"},
	    {"registry diff a", CLI_USAGE, "diff takes two files"},
	    {"registry info x", CLI_USAGE, "info takes no file"},
	    {"registry info --date 2026-08-17", CLI_USAGE, "info does not take --date"},
	    {"registry check --output json a", CLI_USAGE, "check does not take --output"},
	    {"registry convert --registry x a", CLI_USAGE, "convert does not take --registry"},
	    {"registry info --output xml", CLI_USAGE, "--output: 'xml' is not text or json"},
	    {"registry info --output", CLI_USAGE, "--output needs a value"},
	    {"registry --nonsense info", CLI_USAGE, "unknown option '--nonsense'"},
	    {"registry convert registry/snapshot.iana --date 2026-02-30", CLI_USAGE, "'2026-02-30' is not a day"},
	    {"registry info --registry /nonexistent", CLI_FAILURE, "/nonexistent: No such file"},
	    {"registry check /dev/null", CLI_FAILURE, "/dev/null: is empty"},
	    {"registry check /tmp", CLI_FAILURE, "/tmp: is a directory"},
	    {"registry convert /dev/null", CLI_FAILURE, "/dev/null: is empty"},
	    {"registry diff registry/snapshot.iana /dev/null", CLI_FAILURE, "/dev/null: is empty"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct result result = run(table[i].words);

		if (result.code != table[i].code || !strstr(result.err, table[i].says) || *result.out)
			fail_msg("%s: %d, \"%s\", \"%s\"", table[i].words, result.code, result.out, result.err);
	}
	assert_int_equal(run("registry --help").code, CLI_OK);
	assert_non_null(strstr(run("registry info --help").out, "Usage: bindwatch registry info"));
	assert_non_null(strstr(run("registry --version").out, "bindwatch "));
}

static void info_as_text(void **state)
{
	struct result result = run("registry info");

	(void)state;
	assert_int_equal(result.code, CLI_OK);
	assert_string_equal(result.err, "");
	assert_non_null(strstr(result.out, "date     2026-08-17\nsource   embedded\n"));
	assert_non_null(strstr(result.out, "assigned"));
}

static void info_as_json(void **state)
{
	struct result result = run("registry info --output=json");
	json_t *info = json_loads(result.out, JSON_REJECT_DUPLICATES, NULL), *tcp;
	json_int_t sum = 0;
	const char *key;
	json_t *value;

	(void)state;
	assert_int_equal(result.code, CLI_OK);
	assert_non_null(info);
	assert_string_equal(json_string_value(json_object_get(info, "date")), "2026-08-17");
	assert_string_equal(json_string_value(json_object_get(info, "source")), "embedded");
	tcp = json_object_get(json_object_get(info, "ports"), "tcp");
	assert_int_equal(json_object_size(tcp), REGISTRY_STATES);
	json_object_foreach(tcp, key, value) sum += json_integer_value(value);
	assert_int_equal(sum, 65536);
	json_decref(info);
}

static void check_of_a_good_file(void **state)
{
	struct result result = run("registry check registry/snapshot.iana");

	(void)state;
	assert_int_equal(result.code, CLI_OK);
	assert_string_equal(result.err, "");
	assert_non_null(strstr(result.out, "registry/snapshot.iana: OK, of 2026-08-17, assigned ports: 6155 tcp, "));
	assert_ptr_equal(strchr(result.out, '\n'), result.out + strlen(result.out) - 1);
}

static void diff_of_two_files(void **state)
{
	static const char old[] =
	    HEADER "a,10,tcp,A,,,,,,,,\r\na,11,tcp,A,,,,,,,,\r\nb,20,udp,B,,,,,,,,\r\n"
		   "c,30,tcp,C,,,,,,,,\r\nc,30,udp,C,,,,,,,,\r\nd,40,tcp,D,,,2001-01-01,,,,,\r\n" WHOLE;
	static const char new[] =
	    HEADER ",10-11,,Reserved,,,,,,,,De-assigned on 2020-01-01\r\nbb,20,udp,B,,,,,,,,\r\n"
		   "c,30,tcp,C2,,,,,,,,\r\nc,30,udp,C2,,,,,,,,\r\nd,40,tcp,D,,,2002-02-02,,,,,\r\n"
		   "e,50-59,tcp,E,,,,,,,,\r\n" WHOLE;
	static const char wanted[] = "- 10-11/tcp             a \"A\" -> de-assigned\n"
				     "~ 10-11/udp,sctp,dccp   unassigned -> de-assigned\n"
				     "~ 20/udp                b \"B\" -> bb \"B\"\n"
				     "~ 30/tcp,udp            c \"C\" -> c \"C2\"\n"
				     "+ 50-59/tcp             unassigned -> e \"E\"\n";
	struct fixture a = fixture_write(old, sizeof(old) - 1), b = fixture_write(new, sizeof(new) - 1);
	char words[128];
	struct result result;

	(void)state;
	(void)snprintf(words, sizeof(words), "registry diff %s %s", a.path, b.path);
	result = run(words);
	assert_int_equal(result.code, CLI_OK);
	assert_memory_equal(result.out, wanted, sizeof(wanted) - 1);
	assert_non_null(strstr(result.out, ": 10 added, 2 removed, 9 changed"));
	(void)snprintf(words, sizeof(words), "registry diff %s %s", a.path, a.path);
	result = run(words);
	assert_int_equal(result.code, CLI_OK);
	assert_non_null(strstr(result.out, ": 0 added, 0 removed, 0 changed"));
	assert_ptr_equal(strchr(result.out, '\n'), result.out + strlen(result.out) - 1);
	assert_int_equal(unlink(a.path), 0);
	assert_int_equal(unlink(b.path), 0);
}

static void convert_tells_the_date(void **state)
{
	static const char rows[] = HEADER WHOLE;
	struct fixture file = fixture_write(rows, sizeof(rows) - 1);
	char words[128];
	struct result result;

	(void)state;
	(void)snprintf(words, sizeof(words), "registry convert %s --date=2019-08-07", file.path);
	result = run(words);
	assert_int_equal(result.code, CLI_OK);
	assert_ptr_equal(strstr(result.out, "bindwatch-registry 1\ndate 2019-08-07\nsource-sha256 "), result.out);
	assert_non_null(strstr(result.out, "\n1\ttcp\tassigned\t\t\t\t\ttcpmux\tTCP Port Service Multiplexer\n"));
	assert_int_equal(unlink(file.path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(usage),
	    cmocka_unit_test(info_as_text),
	    cmocka_unit_test(info_as_json),
	    cmocka_unit_test(check_of_a_good_file),
	    cmocka_unit_test(diff_of_two_files),
	    cmocka_unit_test(convert_tells_the_date),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
