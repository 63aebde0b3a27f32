/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "tests/unit/user/encode/sample.h"
#include "user/base/user_cache.h"
#include "user/base/visible.h"
#include "user/encode/text.h"

static char line[ENCODE_EVENT_MAX + 1];

static size_t encode(const struct encode_host *host, const struct event *event)
{
	struct encode_buffer buffer = {.data = line, .size = ENCODE_EVENT_MAX};

	assert_int_equal(text_event(host, event, &buffer), 0);
	line[buffer.used] = '\0';
	return buffer.used;
}

#define ENTRY(of)                                                                                                      \
	{                                                                                                              \
		.names = "", .title = "", .state = of                                                                  \
	}

static const struct registry_entry unassigned = ENTRY(REGISTRY_UNASSIGNED), reserved = ENTRY(REGISTRY_RESERVED),
				   unnamed = ENTRY(REGISTRY_ASSIGNED), not_listed = ENTRY(REGISTRY_NOT_LISTED),
				   deassigned = {.names = "was",
						 .title = "",
						 .state = REGISTRY_DEASSIGNED,
						 .names_count = 1},
				   site = {.names = "ours", .title = "", .flags = REGISTRY_SITE, .names_count = 1};

static void text_header_stands_above_the_columns(void **state)
{
	struct encode_buffer buffer = {.data = line, .size = ENCODE_EVENT_MAX};
	struct event event = sample_alert();

	(void)state;
	assert_int_equal(text_header(&sample_host, &buffer), 0);
	assert_int_equal(text_event(&sample_host, &event, &buffer), 0);
	line[buffer.used] = '\0';
	assert_string_equal(line, "TIME          VERDICT          PROTO    ADDRESS:PORT           SERVICE          "
				  "PROCESS          PID      USER      RESULT\n"
				  "04:27:34.123  privileged-port  tcp      0.0.0.0:80             http             "
				  "nginx            123      33        bound\n");
}

/* A field that is too long moves what is behind it, and no more than it must. */
static void text_long_address_is_not_cut(void **state)
{
	struct event event = sample_alert();

	(void)state;
	event.family = AF_INET6;
	event.facts.server = sample_endpoint("2001:db8:1111:2222:3333:4444:5555:6666", 65535);
	encode(&sample_host, &event);
	assert_string_equal(line,
			    "04:27:34.123  privileged-port  tcp      [2001:db8:1111:2222:3333:4444:5555:6666]:65535 "
			    "http nginx 123     33        bound\n");
}

/* One cell of the line, from a column's place. */
static void assert_cell(size_t column, const char *expected)
{
	assert_memory_equal(line + column, expected, strlen(expected));
	assert_int_equal(line[column + strlen(expected)], ' ');
}

#define AT_VERDICT  14
#define AT_PROTOCOL 31
#define AT_SERVER   40
#define AT_SERVICE  63

static void text_servers(void **state)
{
	static const struct {
		const char *address;
		bool dual_stack, has_address, has_port;
		uint32_t device;
		const char *name, *shown;
	} table[] = {
	    {"0.0.0.0", false, true, true, 0, "", "0.0.0.0:53"},
	    {"::", true, true, true, 0, "", "*:53"},
	    {"::", false, true, true, 0, "", "[::]:53"},
	    {"::1", false, true, true, 0, "", "[::1]:53"},
	    {"::ffff:1.2.3.4", false, true, true, 0, "", "[::ffff:1.2.3.4]:53"},
	    {"0.0.0.0", false, true, true, 2, "eth0", "0.0.0.0%eth0:53"},
	    {"fe80::1", false, true, true, 2, "eth0", "[fe80::1%eth0]:53"},
	    {"::", true, true, true, 7, "", "*%#7:53"},
	    {"0.0.0.0", false, true, true, 2, "e\x1b", "0.0.0.0%e\\x1b:53"},
	    {"0.0.0.0", false, true, false, 0, "", "0.0.0.0:?"},
	    {"0.0.0.0", false, false, true, 0, "", "?:53"},
	    {"0.0.0.0", false, false, false, 0, "", "-"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct event event = sample_alert();

		event.facts.server = sample_endpoint(table[i].address, 53);
		event.facts.server.has_address = table[i].has_address;
		event.facts.server.has_port = table[i].has_port;
		event.facts.dual_stack = table[i].dual_stack;
		event.device = table[i].device;
		memcpy(event.device_name, table[i].name, strlen(table[i].name) + 1);
		encode(&sample_host, &event);
		assert_cell(AT_SERVER, table[i].shown);
	}
}

static void text_services(void **state)
{
	static const struct {
		const struct registry_entry *entry;
		enum registry_range range;
		bool ephemeral;
		const char *shown;
	} table[] = {
	    {&sample_http, REGISTRY_SYSTEM, false, "http"},
	    {&sample_http, REGISTRY_USER, true, "(ephemeral)"},
	    {&unnamed, REGISTRY_SYSTEM, false, "(assigned)"},
	    {&unassigned, REGISTRY_USER, false, "(unassigned)"},
	    {&reserved, REGISTRY_SYSTEM, false, "(reserved)"},
	    {&deassigned, REGISTRY_USER, false, "(de-assigned)"},
	    {&not_listed, REGISTRY_USER, false, "(not listed)"},
	    {&not_listed, REGISTRY_DYNAMIC, false, "(dynamic)"},
	    {&site, REGISTRY_DYNAMIC, false, "ours"},
	    {NULL, REGISTRY_USER, false, "-"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct event event = sample_alert();

		event.facts.registry = table[i].entry;
		event.facts.range = table[i].range;
		event.facts.ephemeral = table[i].ephemeral;
		encode(&sample_host, &event);
		assert_cell(AT_SERVICE, table[i].shown);
	}
}

static void text_verdicts_and_colors(void **state)
{
	static const struct {
		const char *rule;
		enum severity severity;
		int error;
		const char *color, *verdict, *result;
	} table[] = {
	    {"privileged-port", SEVERITY_CRITICAL, 0, "\033[31m", "privileged-port", "bound"},
	    {"privileged-port", SEVERITY_HIGH, 0, "\033[31m", "privileged-port", "bound"},
	    {"reserved-port", SEVERITY_MEDIUM, 0, "\033[33m", "reserved-port", "bound"},
	    {"registered-port", SEVERITY_LOW, 0, "\033[33m", "registered-port", "bound"},
	    {NULL, SEVERITY_NONE, 0, "", "ok", "bound"},
	    {NULL, SEVERITY_NONE, EADDRINUSE, "\033[2m", "failed", "EADDRINUSE"},
	    {NULL, SEVERITY_NONE, 999, "\033[2m", "failed", "error 999"},
	};
	struct encode_host colorful = sample_host;

	(void)state;
	colorful.color = true;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct event event = sample_alert();
		char plain[512], end[64];
		size_t color = strlen(table[i].color), len;

		event.verdict = (struct event_verdict){
		    .verdict = table[i].rule ? VERDICT_ALERT : VERDICT_NONE, .rule = table[i].rule, .severity = table[i].severity};
		event.error = table[i].error;
		len = encode(&sample_host, &event);
		assert_cell(AT_VERDICT, table[i].verdict);
		(void)snprintf(end, sizeof(end), " %s\n", table[i].result);
		assert_string_equal(line + len - strlen(end), end);
		memcpy(plain, line, len - 1);

		encode(&colorful, &event);
		assert_memory_equal(line, table[i].color, color);
		assert_memory_equal(line + color, plain, len - 1);
		assert_string_equal(line + color + len - 1, color ? "\033[0m\n" : "\n");
	}
}

static void text_protocols(void **state)
{
	struct event event = sample_alert();

	(void)state;
	event.protocol = IPPROTO_MPTCP;
	encode(&sample_host, &event);
	assert_cell(AT_PROTOCOL, "mptcp");
	event.protocol = 200;
	encode(&sample_host, &event);
	assert_cell(AT_PROTOCOL, "200");
}

static void text_local_time(void **state)
{
	struct encode_host host = sample_host;
	struct event event = sample_alert();

	(void)state;
	assert_int_equal(setenv("TZ", "IST-5:30", 1), 0);
	tzset();
	encode(&host, &event);
	assert_memory_equal(line, "04:27:34.123 ", 13);
	host.local_time = true;
	encode(&host, &event);
	assert_memory_equal(line, "09:57:34.123 ", 13);
}

static void text_wide_line(void **state)
{
	struct encode_buffer buffer = {.data = line, .size = ENCODE_EVENT_MAX};
	struct encode_host host = sample_host;
	struct event event = sample_alert();
	struct process process = sample_process();

	(void)state;
	host.wide = true;
	process.executable.path_truncated = false;
	event.process = &process;
	event.verdict = (struct event_verdict){.verdict = VERDICT_EXPECT, .rule = "web", .file = "/a.policy", .line = 7};
	assert_int_equal(text_header(&host, &buffer), 0);
	assert_int_equal(text_event(&host, &event, &buffer), 0);
	event.process = NULL;
	event.verdict = (struct event_verdict){.verdict = VERDICT_IGNORE, .rule = "\x1b"};
	assert_int_equal(text_event(&host, &event, &buffer), 0);
	event.verdict = (struct event_verdict){.rule = NULL};
	process.executable.flags = EXECUTABLE_MEMFD;
	event.process = &process;
	assert_int_equal(text_event(&host, &event, &buffer), 0);
	line[buffer.used] = '\0';
	assert_string_equal(line, "TIME          VERDICT          PROTO    ADDRESS:PORT           SERVICE          "
				  "PROCESS          PID      USER      PROGRAM                           RESULT        RULE\n"
				  "04:27:34.123  expected         tcp      0.0.0.0:80             http             "
				  "nginx            123      33        /usr/sbin/nginx, deleted          bound         "
				  "web (/a.policy:7)\n"
				  "04:27:34.123  ignored          tcp      0.0.0.0:80             http             "
				  "nginx            123      33        -                                 bound         \\x1b\n"
				  "04:27:34.123  ok               tcp      0.0.0.0:80             http             "
				  "nginx            123      33        /usr/sbin/nginx, in memory only   bound\n");
}

static void text_reason_of_an_alert(void **state)
{
	struct event event = sample_alert();

	(void)state;
	event.verdict.reason = "tcp/80 is http; nothing is known to be expected there";
	encode(&sample_host, &event);
	assert_non_null(strstr(line, " bound  tcp/80 is http; nothing is known to be expected there\n"));
	event.verdict.verdict = VERDICT_EXPECT;
	encode(&sample_host, &event);
	assert_null(strstr(line, "nothing is known"));
}

static void text_user_names(void **state)
{
	struct user_cache users = {0};
	struct encode_host host = sample_host;
	struct event event = sample_alert();

	(void)state;
	host.users = &users;
	users.users[33] = (struct user_cache_entry){.id = 33, .used = true, .until = INT64_MAX, .name = "www-data"};
	encode(&host, &event);
	assert_non_null(strstr(line, " 123      www-data  bound\n"));
	/* a directory service may hand out anything */
	users.users[33] = (struct user_cache_entry){.id = 33, .used = true, .until = INT64_MAX, .name = "x\n\x1b"};
	encode(&host, &event);
	assert_non_null(strstr(line, " 123      x\\n\\x1b   bound\n"));
}

/*
 * No name of a process, device, user or service puts a second line on the screen, or a byte that a terminal obeys: what
 * is left is printable, and showing it again changes nothing.
 */
static void text_hostile_bytes_stay_visible(void **state)
{
	static const char pieces[] =
	    "\\\\\"x0\n\r\t\x1b[\x7f\xc2\x80\x9b\xe2\x80\xae\xa8\x8b\xef\xbb\xbf\xf3\xa0\xff a";
	struct user_cache users = {0};
	struct encode_host host = sample_host;
	struct event event = sample_alert();
	struct user_cache_entry *user = &users.users[33];

	(void)state;
	srandom(5);
	host.users = &users;
	event.device = 1;
	*user = (struct user_cache_entry){.id = 33, .used = true, .until = INT64_MAX};
	for (unsigned int round = 0; round < 50000; round++) {
		size_t len;

		for (size_t i = 0; i < 15; i++) {
			event.comm[i] = pieces[(size_t)random() % (sizeof(pieces) - 1)];
			event.device_name[i] = (char)random();
			user->name[i] = round % 2 ? (char)random() : pieces[(size_t)random() % (sizeof(pieces) - 1)];
		}
		len = encode(&host, &event);
		assert_int_equal(strlen(line), len);
		assert_int_equal(line[--len], '\n');
		for (size_t i = 0, taken; i < len; i += taken) {
			char form[VISIBLE_MAX];
			size_t size = visible_next(line + i, len - i, 0, form, &taken);

			assert_int_equal(size, taken);
			assert_memory_equal(form, line + i, size);
			assert_true((uint8_t)line[i] >= 0x20 && line[i] != 0x7f);
		}
	}
}

static void text_too_small_leaves_the_buffer(void **state)
{
	struct encode_host host = sample_host;
	struct event event = sample_alert();
	size_t whole;

	(void)state;
	host.color = true;
	whole = encode(&host, &event);
	for (size_t size = 1; size <= whole + 1; size++) {
		struct encode_buffer buffer = {.data = malloc(size), .size = size, .used = 1};

		assert_non_null(buffer.data);
		buffer.data[0] = '!';
		assert_int_equal(text_event(&host, &event, &buffer), size <= whole ? -ENOBUFS : 0);
		assert_int_equal(buffer.used, size <= whole ? 1 : whole + 1);
		assert_int_equal(buffer.data[0], '!');
		free(buffer.data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(text_header_stands_above_the_columns),
	    cmocka_unit_test(text_long_address_is_not_cut),
	    cmocka_unit_test(text_servers),
	    cmocka_unit_test(text_services),
	    cmocka_unit_test(text_verdicts_and_colors),
	    cmocka_unit_test(text_protocols),
	    cmocka_unit_test(text_local_time),
	    cmocka_unit_test(text_wide_line),
	    cmocka_unit_test(text_user_names),
	    cmocka_unit_test(text_reason_of_an_alert),
	    cmocka_unit_test(text_hostile_bytes_stay_visible),
	    cmocka_unit_test(text_too_small_leaves_the_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
