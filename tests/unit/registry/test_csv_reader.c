/* SPDX-License-Identifier: BSD-2-Clause */
/* What is refused, with which line and which words. */
#include <errno.h>

#include "tests/unit/registry/fixture.h"

#define ROW(name, port, transport) name "," port "," transport ",T,,,,,,,,\r\n"

/* Behind a header and this good record, which takes lines 2 and 3. */
#define GOOD "tcpmux,1,tcp,\"TCP Port\nService\",,,,,,,,\r\n"

static const struct {
	const char *what, *text;
	unsigned int line; /* 0: the message names none */
	const char *words;
} refused[] = {
    {"empty", "", 0, "is empty"},
    {"not CSV", "root:x:0:0:root:/root:/bin/bash\n", 1, "neither IANA's CSV"},
    {"byte order mark", "\xef\xbb\xbf" HEADER GOOD WHOLE, 1, "neither IANA's CSV"},
    {"header only", HEADER, 0, "not the whole registry"},
    {"another header", "Service Name,Port,Transport Protocol,,,,,,,,,\r\n", 1,
     "column 2 is \"Port\"; IANA's file has \"Port Number\""},
    {"short header", "Service Name,Port Number\r\n", 1, "2 columns; each record has 12"},
    {"too few columns", HEADER GOOD "a,2,tcp,T,,,,,,,\r\n" WHOLE, 4, "11 columns"},
    {"too many columns", HEADER GOOD "a,2,tcp,T,,,,,,,,,\r\n" WHOLE, 4, "13 columns"},
    {"blank line", HEADER GOOD "\r\n" WHOLE, 4, "1 column; each record has 12"},
    {"unterminated quote", HEADER GOOD "a,2,tcp,\"T,,,,,,,,\r\n" ROW("b", "3", "tcp"), 4, "never closed"},
    {"quote in a plain field", HEADER GOOD "a,2,tcp,T\"x\",,,,,,,,\r\n", 4, "a quote inside of a field"},
    {"text behind a quote", HEADER GOOD "a,2,tcp,\"T\"x,,,,,,,,\r\n", 4, "behind a closing quote"},
    {"line feed alone", HEADER GOOD "a,2,tcp,T,,,,,,,,\n", 4, "a line feed without a carriage return"},
    {"carriage return alone", HEADER GOOD "a,2,tcp,T,,,,,,,,\rb", 4, "a carriage return without a line feed"},
    {"carriage return in quotes", HEADER GOOD "a,2,tcp,\"T\r\nU\",,,,,,,,\r\n", 4, "0x0d"},
    {"port above 65535", HEADER GOOD ROW("a", "65536", "tcp"), 4, "port \"65536\"; a number of 0-65535"},
    {"port with a letter", HEADER GOOD ROW("a", "80x", "tcp"), 4, "port \"80x\""},
    {"falling range", HEADER GOOD ROW("a", "9-3", "tcp"), 4, "port \"9-3\""},
    {"half a range", HEADER GOOD ROW("a", "9-", "tcp"), 4, "port \"9-\""},
    {"three ends", HEADER GOOD ROW("a", "1-2-3", "tcp"), 4, "port \"1-2-3\""},
    {"signed port", HEADER GOOD ROW("a", "+9", "tcp"), 4, "port \"+9\""},
    {"negative port", HEADER GOOD ROW("a", "-9", "tcp"), 4, "port \"-9\""},
    {"blank in a port", HEADER GOOD ROW("a", " 9", "tcp"), 4, "port \" 9\""},
    {"leading zero", HEADER GOOD ROW("a", "080", "tcp"), 4, "port \"080\""},
    {"huge port", HEADER GOOD ROW("a", "99999999999999999999999", "tcp"), 4, "port \"9999"},
    {"unknown transport", HEADER GOOD ROW("a", "9", "quic"), 4, "transport \"quic\"; tcp, udp, sctp, dccp"},
    {"transport in capitals", HEADER GOOD ROW("a", "9", "TCP"), 4, "transport \"TCP\""},
    {"bad month", HEADER GOOD "a,2,tcp,T,,,2008-13,,,,,\r\n", 4, "Registration Date \"2008-13\""},
    {"bad day", HEADER GOOD "a,2,tcp,T,,,,2009-02-29,,,,\r\n", 4, "Modification Date \"2009-02-29\"; YYYY-MM-DD"},
    {"bad date form", HEADER GOOD "a,2,tcp,T,,,2008/01/01,,,,,\r\n", 4, "Registration Date \"2008/01/01\""},
    {"date of a row without port", HEADER GOOD "a,,tcp,T,,,soon,,,,,\r\n", 4, "Registration Date \"soon\""},
    {"bad UTF-8", HEADER GOOD "a,2,tcp,\"T\n\n\xc3(\",,,,,,,,\r\n", 6, "0xc3"},
    {"overlong UTF-8", HEADER GOOD "a,2,tcp,T,\xc0\xaf,,,,,,,\r\n", 4, "0xc0"},
    {"escape", HEADER GOOD "a,2,tcp,T\x1b[2J,,,,,,,,\r\n", 4, "0x1b"},
    {"C1 control", HEADER GOOD "a,2,tcp,T\xc2\x9b,,,,,,,,\r\n", 4, "0xc2"},
    {"right-to-left override", HEADER GOOD "a,2,tcp,T\xe2\x80\xae,,,,,,,,\r\n", 4, "0xe2"},
    {"name with a bar", HEADER GOOD ROW("a|b", "2", "tcp"), 4, "service name \"a|b\""},
    {"name beyond ASCII", HEADER GOOD ROW("\xc3\xa4", "2", "tcp"), 4, "service name"},
    {"neither name nor description", HEADER GOOD ",2,tcp,,,,,,,,,\r\n", 4, "neither a service name nor a description"},
    {"cut off in a record", HEADER GOOD "a,2,tcp", 4, "3 columns"},
    {"cut off in CRLF", HEADER GOOD "a,2,tcp,T,,,,,,,,\r", 4, "a carriage return without a line feed"},
    {"cut off between two rows", HEADER GOOD ",0-40000,,Unassigned,,,,,,,,\r\n", 0, "no row speaks of port 40017"},
    {"last row missing", HEADER GOOD ",0-49150,,Unassigned,,,,,,,,\r\n", 0, "no row speaks of port 49151"},
    {"nothing assigned", HEADER ",0-49151,,Unassigned,,,,,,,,\r\n", 0, "no port is assigned"},
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
		if (r != -EINVAL || registry != untouched || !strstr(error, refused[i].words) ||
		    !strstr(error, place) || strncmp(error, "/tmp/registry-test-", 19) != 0 || strchr(error, '\n'))
			fail_msg("%s: %d, \"%s\"", refused[i].what, r, error);
	}
}

static void nul_byte(void **state)
{
	static const char text[] = HEADER "a,2,tcp,T\0U,,,,,,,,\r\n" WHOLE;
	static const char quoted[] = HEADER "a,2,tcp,\"T\0U\",,,,,,,,\r\n" WHOLE;
	struct registry *registry;
	char error[REGISTRY_ERROR_LEN];

	(void)state;
	assert_int_equal(fixture_open_bytes(text, sizeof(text) - 1, &registry, error), -EINVAL);
	assert_non_null(strstr(error, ":2: a NUL byte"));
	assert_int_equal(fixture_open_bytes(quoted, sizeof(quoted) - 1, &registry, error), -EINVAL);
	assert_non_null(strstr(error, ":2: a NUL byte"));
}

/* At the end of the file the last record may lack its line end, and nothing else. */
static void last_record_without_line_end(void **state)
{
	static const char text[] = HEADER ",0-49151,,Unassigned,,,,,,,,\r\na,2,tcp,T,,,,,,,,";
	struct registry *registry;
	char error[REGISTRY_ERROR_LEN];

	(void)state;
	assert_int_equal(fixture_open_bytes(text, sizeof(text) - 1, &registry, error), 0);
	assert_int_equal(registry_lookup(registry, 2, REGISTRY_TCP)->state, REGISTRY_ASSIGNED);
	registry_free(registry);
}

static void oversized_record(void **state)
{
	char *text = malloc(40000), error[REGISTRY_ERROR_LEN];
	struct registry *registry;
	int head = snprintf(text, 40000, HEADER GOOD "a,2,tcp,\"");

	(void)state;
	memset(text + head, 'x', 20000);
	assert_int_equal(fixture_open_bytes(text, (size_t)head + 20000, &registry, error), -EINVAL);
	assert_non_null(strstr(error, ":4: the record that begins here is longer than"));
	/* many small fields and many records of any size are bounded, too */
	memset(text + head, ',', 30000);
	text[head - 1] = ',';
	assert_int_equal(fixture_open_bytes(text, (size_t)head + 30000, &registry, error), -EINVAL);
	assert_non_null(strstr(error, ":4: "));
	free(text);
}

/* A record may lie across two chunks of reading, wherever it is cut. */
static void records_across_chunks(void **state)
{
	char *text = malloc(200000);
	size_t used = 0;
	struct registry *registry;
	char error[REGISTRY_ERROR_LEN];

	(void)state;
	used += (size_t)snprintf(text, 200000, HEADER WHOLE);
	for (unsigned int port = 2; port < 4000; port++)
		used += (size_t)snprintf(text + used, 200000 - used, "n%u,%u,tcp,\"T\n\"\"%u\"\"\",,,,,,,,\r\n", port,
					 port, port);
	assert_true(used > 2 * 65536);
	assert_int_equal(fixture_open_bytes(text, used, &registry, error), 0);
	for (unsigned int port = 2; port < 4000; port++) {
		char name[16], title[16];
		const struct registry_entry *entry = registry_lookup(registry, (uint16_t)port, REGISTRY_TCP);

		(void)snprintf(name, sizeof(name), "n%u", port);
		(void)snprintf(title, sizeof(title), "T \"%u\"", port);
		assert_string_equal(entry->names, name);
		assert_string_equal(entry->title, title);
	}
	registry_free(registry);
	free(text);
}

/* Rows that speak of all ports, again and again, must be refused before they cost much time. */
static void too_many_overlapping_rows(void **state)
{
	static const char row[] = "a,0-65535,,T,,,,,,,,\r\n";
	char *text = malloc(1 << 20), error[REGISTRY_ERROR_LEN];
	size_t used = (size_t)snprintf(text, 1 << 20, HEADER);
	struct registry *registry;

	(void)state;
	while (used + sizeof(row) < 1 << 20) {
		memcpy(text + used, row, sizeof(row) - 1);
		used += sizeof(row) - 1;
	}
	assert_int_equal(fixture_open_bytes(text, used, &registry, error), -EINVAL);
	assert_non_null(strstr(error, "speak of too many ports"));
	free(text);
}

/* Well-formed records without end */
static void too_large_a_file(void **state)
{
	enum { RECORD = 16000, RECORDS = 1060 };
	size_t size = (size_t)RECORD * RECORDS, used;
	char *text = malloc(size + 4096), error[REGISTRY_ERROR_LEN];
	struct registry *registry;

	(void)state;
	assert_non_null(text);
	used = (size_t)snprintf(text, 4096, HEADER WHOLE);
	for (int i = 0; i < RECORDS; i++) {
		memset(text + used, 'x', RECORD);
		memcpy(text + used, "c,,tcp,", 7);
		memcpy(text + used + RECORD - 10, ",,,,,,,,\r\n", 10);
		used += RECORD;
	}
	assert_int_equal(fixture_open_bytes(text, used, &registry, error), -EINVAL);
	assert_non_null(strstr(error, "is larger than 16777216 bytes"));
	assert_int_equal(fixture_open_bytes(text, used / 2 / RECORD * RECORD, &registry, error), -EINVAL);
	assert_null(strstr(error, "is larger"));
	free(text);
}

static void too_many_names_for_one_port(void **state)
{
	char *text = malloc(1 << 16), error[REGISTRY_ERROR_LEN];
	size_t used = (size_t)snprintf(text, 1 << 16, HEADER WHOLE);
	struct registry *registry;

	(void)state;
	for (unsigned int i = 0; i < 65; i++)
		used += (size_t)snprintf(text + used, (1 << 16) - used, "n%u,7,udp,T,,,,,,,,\r\n", i);
	assert_int_equal(fixture_open_bytes(text, used, &registry, error), -EINVAL);
	assert_non_null(strstr(error, "port 7/udp has more than 64 names"));
	free(text);
}

static void what_is_no_file(void **state)
{
	struct registry *registry;
	char error[REGISTRY_ERROR_LEN], path[5000];

	(void)state;
	assert_int_equal(registry_open_file("/tmp", &registry, error), -EISDIR);
	assert_string_equal(error, "/tmp: is a directory; a registry file is wanted");
	assert_int_equal(registry_open_file("/tmp/no/such\nfile", &registry, error), -ENOENT);
	assert_string_equal(error, "/tmp/no/such?file: No such file or directory");
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(registry_open_file(path, &registry, error), -ENAMETOOLONG);
	assert_int_equal(registry_open_file("/dev/zero", &registry, error), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_fault_is_refused_with_its_line),
	    cmocka_unit_test(nul_byte),
	    cmocka_unit_test(last_record_without_line_end),
	    cmocka_unit_test(oversized_record),
	    cmocka_unit_test(records_across_chunks),
	    cmocka_unit_test(too_many_overlapping_rows),
	    cmocka_unit_test(too_large_a_file),
	    cmocka_unit_test(too_many_names_for_one_port),
	    cmocka_unit_test(what_is_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
