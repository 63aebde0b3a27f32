/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/snapshot.h"

#include <errno.h>

#include "tests/unit/registry/fixture.h"

#define DIGEST	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define COLUMNS "ports\ttransports\tstate\tregistered\tmodified\tremoved\tflags\tnames\ttitle\n"
#define HEAD	"bindwatch-registry 1\ndate 2026-08-17\nsource-sha256 " DIGEST "\n" COLUMNS
#define REST	"2-49151\tall\tunassigned\t\t\t\t\t\t\n"
#define FIRST	"0-1\ttcp\tassigned\t2001-02\t2002-03-04\t\tunauthorized\ta|b\tThe title\n"
#define WELL	HEAD FIRST REST "end 2\n"

static const struct {
	const char *what, *text;
	unsigned int line;
	const char *words;
} refused[] = {
    {"version", "bindwatch-registry 2\n", 1, "this program reads \"bindwatch-registry 1\""},
    {"first line only", "bindwatch-registry 1\n", 2, "cut off"},
    {"date", "bindwatch-registry 1\ndate 2026-08-32\n", 2, "\"date YYYY-MM-DD\" is wanted"},
    {"month only", "bindwatch-registry 1\ndate 2026-08\n", 2, "\"date YYYY-MM-DD\" is wanted"},
    {"digest", "bindwatch-registry 1\ndate 2026-08-17\nsource-sha256 12\n", 3, "64 hexadecimal digits"},
    {"columns", "bindwatch-registry 1\ndate 2026-08-17\nsource-sha256 " DIGEST "\nports\n", 4, "names the 9 columns"},
    {"cut off before the end", HEAD FIRST REST, 7, "cut off: its last line is \"end\""},
    {"cut off in a line", HEAD FIRST "2-49151\tall\tun", 6, "cut off: each line ends in a line feed"},
    {"wrong count", HEAD FIRST REST "end 3\n", 7, "\"end 3\", but 2 rows stand before it"},
    {"no count", HEAD FIRST REST "end \n", 7, "\"end \", but 2 rows"},
    {"text behind the end", WELL "x\n", 8, "text behind the line"},
    {"columns missing", HEAD "0-1\ttcp\tassigned\n", 5, "a row has 9 columns"},
    {"columns too many", HEAD "0-1\ttcp\tassigned\t\t\t\t\ta\tT\t\n", 5, "a row has 9 columns"},
    {"bad port", HEAD "0-70000\ttcp\tassigned\t\t\t\t\ta\tT\n", 5, "\"0-70000\""},
    {"falling lines", HEAD FIRST "0\tudp\tassigned\t\t\t\t\ta\tT\n" REST "1\tudp\treserved\t\t\t\t\t\t\nend 4\n", 8,
     "\"1\""},
    {"pair twice", HEAD FIRST "1\ttcp\tassigned\t\t\t\t\ta\tT\n", 6, "port 1/tcp is in an earlier line"},
    {"unknown transport", HEAD "0\tquic\tassigned\t\t\t\t\ta\tT\n", 5, "\"quic\""},
    {"transports out of order", HEAD "0\tudp,tcp\tassigned\t\t\t\t\ta\tT\n", 5, "transports in their order"},
    {"transport twice", HEAD "0\ttcp,tcp\tassigned\t\t\t\t\ta\tT\n", 5, "transports in their order"},
    {"no transport", HEAD "0\t\tassigned\t\t\t\t\ta\tT\n", 5, "transports in their order"},
    {"state", HEAD "0\ttcp\tnot-listed\t\t\t\t\ta\tT\n", 5, "\"not-listed\"; assigned, reserved"},
    {"registered", HEAD "0\ttcp\tassigned\tx\t\t\t\ta\tT\n", 5, "\"x\"; YYYY-MM-DD"},
    {"modified", HEAD "0\ttcp\tassigned\t\tx\t\t\ta\tT\n", 5, "\"x\"; YYYY-MM-DD"},
    {"removed", HEAD "0\ttcp\tassigned\t\t\tx\t\ta\tT\n", 5, "\"x\"; YYYY-MM-DD"},
    {"flags", HEAD "0\ttcp\tassigned\t\t\t\tsite\ta\tT\n", 5, "\"site\"; unauthorized or nothing"},
    {"empty name", HEAD "0\ttcp\tassigned\t\t\t\t\ta||b\tT\n", 5, "\"a\"; names separated"},
    {"name at the end", HEAD "0\ttcp\tassigned\t\t\t\t\ta|\tT\n", 5, "names separated by '|'"},
    {"control byte", HEAD "0\ttcp\tassigned\t\t\t\t\ta\tT\x1b\n", 5, "0x1b"},
    {"bad UTF-8", HEAD "0\ttcp\tassigned\t\t\t\t\ta\tT\xff\n", 5, "0xff"},
    {"carriage return", HEAD "0\ttcp\tassigned\t\t\t\t\ta\tT\r\n", 5, "0x0d"},
    {"nothing assigned", HEAD "0-49151\tall\treserved\t\t\t\t\t\t\nend 1\n", 0, "no port is assigned"},
    {"not whole", HEAD FIRST "end 1\n", 0, "no row speaks of port"},
};

static void each_fault_is_refused_with_its_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
		struct registry *untouched = (struct registry *)state, *registry = untouched;
		char error[REGISTRY_ERROR_LEN] = "", place[32] = "";
		int r = fixture_open_bytes(refused[i].text, strlen(refused[i].text), &registry, error);

		if (refused[i].line)
			(void)snprintf(place, sizeof(place), ":%u: ", refused[i].line);
		if (r != -EINVAL || registry != untouched || !strstr(error, refused[i].words) || !strstr(error, place))
			fail_msg("%s: %d, \"%s\"", refused[i].what, r, error);
	}
}

static void long_line(void **state)
{
	char *text = malloc(100000), error[REGISTRY_ERROR_LEN];
	int used = snprintf(text, 100000, HEAD);
	struct registry *registry;

	(void)state;
	memset(text + used, '7', 90000);
	assert_int_equal(fixture_open_bytes(text, (size_t)used + 90000, &registry, error), -EINVAL);
	assert_non_null(strstr(error, ":5: the line is longer than"));
	free(text);
}

static void what_a_line_says(void **state)
{
	struct registry *registry;
	char error[REGISTRY_ERROR_LEN];
	const struct registry_entry *entry;

	(void)state;
	assert_int_equal(fixture_open_bytes(WELL, sizeof(WELL) - 1, &registry, error), 0);
	entry = registry_lookup(registry, 1, REGISTRY_TCP);
	assert_true(fixture_names(entry, "a|b"));
	assert_string_equal(entry->title, "The title");
	assert_int_equal(entry->registered, 20010200);
	assert_int_equal(entry->modified, 20020304);
	assert_int_equal(entry->removed, 0);
	assert_int_equal(entry->flags, REGISTRY_UNAUTHORIZED_USE);
	assert_int_equal(registry_lookup(registry, 1, REGISTRY_UDP)->state, REGISTRY_NOT_LISTED);
	assert_int_equal(registry_lookup(registry, 2, REGISTRY_TCP)->state, REGISTRY_UNASSIGNED);
	assert_string_equal(registry_date(registry), "2026-08-17");
	assert_string_equal(snapshot_digest(registry), DIGEST);
	registry_free(registry);
}

static char *written(const struct registry *registry, const char *date)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	assert_non_null(stream);
	assert_int_equal(snapshot_write(registry, date, stream), 0);
	assert_int_equal(fclose(stream), 0);
	return text;
}

static void what_was_read_is_written_again(void **state)
{
	struct registry *registry;
	char error[REGISTRY_ERROR_LEN], *text;

	(void)state;
	assert_int_equal(fixture_open_bytes(WELL, sizeof(WELL) - 1, &registry, error), 0);
	text = written(registry, NULL);
	assert_string_equal(text, WELL);
	free(text);
	registry_free(registry);
}

static void neighbours_alike_are_one_line(void **state)
{
	struct registry *registry =
	    fixture_registry("a,10,tcp,A,,,,,,,,\r\na,11,tcp,A,,,,,,,,\r\n"
			     "a,10,udp,A,,,,,,,,\r\na,11,udp,A,,,,,,,,\r\na,12,udp,A,,,,,,,,\r\n");
	char *text = written(registry, "2020-02-29");

	(void)state;
	assert_non_null(strstr(text, "\ndate 2020-02-29\n"));
	assert_non_null(strstr(text, "\n10-11\ttcp,udp\tassigned\t\t\t\t\ta\tA\n10-11\tsctp,dccp\tunassigned\t"));
	assert_non_null(
	    strstr(text, "\n12\ttcp,sctp,dccp\tunassigned\t\t\t\t\t\t\n12\tudp\tassigned\t\t\t\t\ta\tA\n13-"));
	free(text);
	registry_free(registry);
}

static void writing_fails(void **state)
{
	struct registry *registry = fixture_registry("");
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(full);
	assert_int_equal(snapshot_write(registry, "2020-02-30", full), -EINVAL);
	assert_int_equal(snapshot_write(registry, "2020-02", full), -EINVAL);
	assert_int_equal(snapshot_write(registry, "2020-02-28", full), -EIO);
	(void)fclose(full);
	registry_free(registry);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_fault_is_refused_with_its_line),
	    cmocka_unit_test(long_line),
	    cmocka_unit_test(what_a_line_says),
	    cmocka_unit_test(what_was_read_is_written_again),
	    cmocka_unit_test(neighbours_alike_are_one_line),
	    cmocka_unit_test(writing_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
