/* SPDX-License-Identifier: BSD-2-Clause */
/* What the native form says of the process, and of the verdict. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>

#include "tests/unit/user/encode/sample.h"
#include "user/base/user_cache.h"
#include "user/encode/ecs.h"

#define BOOT "5a2b428ef0c64f47aff17ddc470ea2bd"

static char line[ENCODE_EVENT_MAX + 1];

static json_t *parse(const struct encode_host *host, const struct event *event)
{
	struct encode_buffer buffer = {.data = line, .size = ENCODE_EVENT_MAX};
	json_error_t error;
	json_t *document;

	assert_int_equal(ecs_event(host, event, &buffer), 0);
	line[buffer.used] = '\0';
	document = json_loads(line, JSON_REJECT_DUPLICATES, &error);
	if (!document)
		fail_msg("%s: %s", error.text, line);
	return document;
}

/* The object or value at "a.b.c", as JSON text; "" where it is absent. Until the next call. */
static const char *text_at(json_t *document, const char *path)
{
	static char text[8192];
	size_t length;

	while (document && *path) {
		char name[64];
		size_t bytes = strcspn(path, ".");

		memcpy(name, path, bytes);
		name[bytes] = '\0';
		document = json_object_get(document, name);
		path += bytes + (path[bytes] == '.');
	}
	length = document ? json_dumpb(document, text, sizeof(text) - 1, JSON_COMPACT | JSON_ENCODE_ANY) : 0;
	assert_true(length < sizeof(text));
	text[length] = '\0';
	return text;
}

static void assert_members(json_t *document, const char *const rows[][2], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *text = text_at(document, rows[i][0]);

		if (strcmp(text, rows[i][1]) != 0)
			fail_msg("%s is %s, not %s", rows[i][0], text, rows[i][1]);
	}
}

#define ASSERT_MEMBERS(document, rows) assert_members(document, rows, sizeof(rows) / sizeof((rows)[0]))

static const struct user_cache_entry *name_entry(struct user_cache_entry *entries, uint32_t id, const char *name)
{
	struct user_cache_entry *entry = &entries[id % USER_CACHE_ENTRIES];

	*entry = (struct user_cache_entry){.id = id, .used = true, .until = INT64_MAX};
	memcpy(entry->name, name, strlen(name) + 1);
	return entry;
}

/* Every field of a process that is known in full: whoever changes a row changes a promise. */
static void ecs_process_whole(void **state)
{
	static const char *const rows[][2] = {
	    {"process",
	     "{\"pid\":123,\"vpid\":9,\"thread\":{\"id\":124,\"capabilities\":{"
	     "\"effective\":[\"CAP_NET_BIND_SERVICE\",\"63\"],\"permitted\":[\"CAP_CHOWN\"]}},"
	     "\"name\":\"nginx\",\"entity_id\":\"" BOOT "-7b-4e94914f0001\","
	     "\"start\":\"2026-11-22T04:27:34.000000001Z\",\"executable\":\"/usr/sbin/nginx\","
	     "\"args\":[\"nginx\",\"-g\",\"daemon off;\"],\"args_count\":3,\"command_line\":\"nginx -g daemon off;\","
	     "\"working_directory\":\"/\","
	     "\"hash\":{\"sha256\":\"01ab0000000000000000000000000000000000000000000000000000000000ff\"},"
	     "\"parent\":{\"pid\":7,\"entity_id\":\"" BOOT "-7-3e8\",\"start\":\"2026-11-21T04:27:34.000001000Z\","
	     "\"name\":\"sh\",\"executable\":\"/usr/bin/dash\"},"
	     "\"real_user\":{\"id\":\"33\",\"name\":\"www-data\"},\"real_group\":{\"id\":\"34\",\"name\":\"backup\"},"
	     "\"user\":{\"id\":\"0\",\"name\":\"root\"},\"group\":{\"id\":\"1\",\"name\":\"daemon\"}}"},
	    {"user", "{\"id\":\"33\",\"name\":\"www-data\",\"effective\":{\"id\":\"0\",\"name\":\"root\"}}"},
	    {"group", "{\"id\":\"34\",\"name\":\"backup\"}"},
	    {"container", "{\"id\":\"0123456789abcdef\",\"runtime\":\"docker\","
			  "\"image\":{\"name\":\"docker.io/library/nginx\",\"tag\":[\"1.27\"],"
			  "\"hash\":{\"all\":[\"sha256:0a1b\"]}}}"},
	    {"orchestrator", "{\"type\":\"kubernetes\",\"resource\":{\"type\":\"pod\","
			     "\"id\":\"6d0bd9f2-9a3e-4c5b-8f1d-2e3c4b5a6978\"}}"},
	    {"service", "{\"name\":\"docker-1.service\",\"type\":\"systemd\"}"},
	    {"bindwatch.credentials", "{\"groups_count\":3,\"login_uid\":\"1000\",\"session\":5}"},
	    {"bindwatch.executable",
	     "{\"path_truncated\":true,\"device\":\"8:1\",\"inode\":\"18446744073709551615\","
	     "\"mtime\":\"1970-01-01T00:00:01.000000000Z\",\"ctime\":\"1970-01-01T00:00:02.000000001Z\","
	     "\"memfd\":false,\"deleted\":true,\"replaced\":true,\"overlay_upper\":true,\"world_writable\":true,"
	     "\"modified\":true,\"package\":\"nginx-core\",\"package_version\":\"1.22.1-9\"}"},
	    {"bindwatch.ancestors",
	     "[{\"pid\":7,\"start\":\"2026-11-21T04:27:34.000001000Z\",\"name\":\"sh\","
	     "\"executable\":\"/usr/bin/dash\"},{\"pid\":1,\"name\":\"init\"}]"},
	    {"bindwatch.cgroup", "{\"id\":\"4711\",\"path\":\"/a.slice/docker-1.service\","
				 "\"unit\":\"docker-1.service\",\"slice\":\"a.slice\",\"user_unit\":\"b.scope\"}"},
	    {"bindwatch.namespaces", "{\"pid\":4026531836,\"mount\":4026531841,\"user\":4026531837,\"net\":4026531840}"},
	    {"bindwatch.args_truncated", ""},
	    {"bindwatch.working_directory_truncated", ""},
	    {"message", "\"nginx (pid 123, .../usr/sbin/nginx, deleted, user www-data, container 0123456789ab) "
			"bound tcp 0.0.0.0:80 (http)\""},
	};
	static struct user_cache users;
	struct encode_host host = sample_host;
	struct event event = sample_alert();
	struct process process = sample_process();
	json_t *document;

	(void)state;
	host.users = &users;
	(void)name_entry(users.users, 33, "www-data");
	(void)name_entry(users.users, 0, "root");
	(void)name_entry(users.groups, 34, "backup");
	(void)name_entry(users.groups, 1, "daemon");
	event.process = &process;
	event.credentials = sample_credentials();
	event.pidns_pid = 9;
	event.pidns_inode = 4026531836;
	document = parse(&host, &event);
	ASSERT_MEMBERS(document, rows);
	json_decref(document);
}

/* A description of which nothing could be read. */
static void ecs_process_unknown_is_absent(void **state)
{
	static const char *const rows[][2] = {
	    {"process", "{\"pid\":123,\"thread\":{\"id\":124},\"name\":\"nginx\",\"real_user\":{\"id\":\"33\"},"
			"\"real_group\":{\"id\":\"34\"}}"},
	    {"user", "{\"id\":\"33\"}"},
	    {"container", ""},
	    {"orchestrator", ""},
	    {"service", ""},
	    {"bindwatch.credentials", ""},
	    {"bindwatch.executable", ""},
	    {"bindwatch.ancestors", ""},
	    {"bindwatch.cgroup", ""},
	    {"bindwatch.namespaces", ""},
	};
	struct event event = sample_alert();
	struct process process = {.pid = 123};
	json_t *document;

	(void)state;
	event.process = &process;
	document = parse(&sample_host, &event);
	ASSERT_MEMBERS(document, rows);
	json_decref(document);
}

static void ecs_process_partly_known(void **state)
{
	static const char *const rows[][2] = {
	    {"process.start", ""},
	    {"process.args", "[\"nginx\",\"-g\",\"daemon of\"]"},
	    {"process.args_count", ""},
	    {"process.command_line", "\"nginx -g daemon of\""},
	    {"process.real_user", ""},
	    {"process.real_group", ""},
	    {"process.hash", ""},
	    {"process.thread.capabilities.effective", "[]"},
	    {"group", ""},
	    {"container.runtime", ""},
	    {"container.id", "\"0123456789abcdef\""},
	    {"service", ""},
	    {"bindwatch.args_truncated", "true"},
	    {"bindwatch.working_directory_truncated", "true"},
	    {"bindwatch.executable", "{\"world_writable\":false}"},
	    {"bindwatch.credentials", "{\"groups_count\":3}"},
	    {"bindwatch.namespaces", "{\"net\":5}"},
	};
	struct encode_host host = sample_host;
	struct event event = sample_alert();
	struct process process = sample_process();
	json_t *document;

	(void)state;
	event.action = EVENT_EXISTING;
	host.boot_time_ns = 0;
	event.process = &process;
	event.credentials = sample_credentials();
	event.credentials.login_uid = event.credentials.session = PROCESS_UNSET;
	event.credentials.effective = 0;
	process.arguments_length = sizeof("nginx\0-g\0daemon of") - 1; /* cut within the last */
	process.arguments_truncated = process.working_directory_truncated = true;
	process.executable = (struct executable){.flags_known = EXECUTABLE_WORLD_WRITABLE};
	process.cgroup.runtime = RUNTIME_UNKNOWN;
	process.cgroup.unit = "a.scope";
	process.pidns_inode = process.mntns_inode = process.userns_inode = 0;
	process.netns_inode = 5;
	document = parse(&host, &event);
	ASSERT_MEMBERS(document, rows);
	json_decref(document);
}

/* A program may be started with no argument at all, and with empty ones. */
static void ecs_process_empty_arguments(void **state)
{
	struct event event = sample_alert();
	struct process process = {.pid = 123, .arguments = "", .arguments_length = 0};
	json_t *document;

	(void)state;
	event.process = &process;
	document = parse(&sample_host, &event);
	assert_string_equal(text_at(document, "process.args"), "[]");
	assert_string_equal(text_at(document, "process.args_count"), "0");
	assert_string_equal(text_at(document, "process.command_line"), "");
	json_decref(document);

	process.arguments = "a\0\0b\0";
	process.arguments_length = 5;
	process.arguments_count = 3;
	document = parse(&sample_host, &event);
	assert_string_equal(text_at(document, "process.args"), "[\"a\",\"\",\"b\"]");
	assert_string_equal(text_at(document, "process.command_line"), "\"a  b\"");
	json_decref(document);
}

static void ecs_process_hostile_bytes(void **state)
{
	static const char *const rows[][2] = {
	    {"process.executable", "\"/\\\\\\\\\\\\xff\\n\\\"\""},
	    {"process.working_directory", "\"/\\u001B[2J\""},
	    {"process.args", "[\"\\\\xc3\",\"a\\nb\"]"},
	    {"process.command_line", "\"\\\\xc3 a\\nb\""},
	    {"process.parent.name", "\"\\\\xfe\""},
	    {"bindwatch.cgroup.path", "\"/\\\\xe2\\\\x80\""},
	    {"bindwatch.executable.package", "\"\\\\xc0\""},
	    {"message", "\"nginx (pid 123, /\\\\\\\\\\\\xff\\\\n\\\", uid 33, container \\\\x01) "
			"bound tcp 0.0.0.0:80 (http): be\\\\rware\""},
	};
	struct event event = sample_alert();
	struct process process = {
	    .executable = {.path = "/\\\xff\n\"", .package = "\xc0"},
	    .working_directory = "/\x1b[2J",
	    .arguments = "\xc3\0a\nb",
	    .arguments_length = 6,
	    .arguments_count = 2,
	    .ancestors = {{.pid = 1, .comm = "\xfe"}},
	    .ancestors_count = 1,
	    .cgroup = {.path = "/\xe2\x80", .container_id = "\x01"},
	};
	json_t *document;

	(void)state;
	event.process = &process;
	event.verdict.message = "be\rware";
	document = parse(&sample_host, &event);
	ASSERT_MEMBERS(document, rows);
	json_decref(document);
}

static void ecs_verdicts(void **state)
{
	static const char *const alert[][2] = {
	    {"event.kind", "\"alert\""},
	    {"event.reason", "\"port of ssh\""},
	    {"bindwatch.patterns", "[\"second-owner\",\"takeover\"]"},
	    {"event.severity", "21"},
	    {"rule", "{\"name\":\"r\",\"ruleset\":\"/etc/x.policy\"}"},
	    {"threat", "{\"framework\":\"MITRE ATT&CK\",\"technique\":{\"id\":[\"T1571\",\"T1205\"],"
		       "\"subtechnique\":{\"id\":[\"T1205.001\"]}}}"},
	    {"bindwatch.policy", "{\"verdict\":\"alert\",\"rule\":\"r\",\"file\":\"/etc/x.policy\",\"line\":12}"},
	    {"message", "\"nginx (pid 123, uid 33) bound tcp 0.0.0.0:80 (http): port of ssh\""},
	};
	static const char *const expected[][2] = {
	    {"event.kind", "\"event\""},
	    {"event.reason", ""},
	    {"bindwatch.patterns", "[\"sweep\"]"},
	    {"event.severity", ""},
	    {"rule", ""},
	    {"threat", ""},
	    {"bindwatch.policy", "{\"verdict\":\"expect\",\"rule\":\"r\",\"file\":\"/etc/x.policy\",\"line\":12}"},
	    {"message", "\"nginx (pid 123, uid 33) bound tcp 0.0.0.0:80 (http)\""},
	};
	struct event event = sample_alert();
	json_t *document;

	(void)state;
	event.verdict = (struct event_verdict){.verdict = VERDICT_ALERT,
					       .severity = SEVERITY_LOW,
					       .rule = "r",
					       .file = "/etc/x.policy",
					       .line = 12,
					       .message = "port of ssh",
					       .techniques = "T1571 T1205.001"};
	event.facts.patterns = PATTERN_SECOND_OWNER | PATTERN_TAKEOVER;
	document = parse(&sample_host, &event);
	ASSERT_MEMBERS(document, alert);
	json_decref(document);

	event.verdict.reason = "expected sshd";
	document = parse(&sample_host, &event);
	assert_string_equal(text_at(document, "event.reason"), "\"expected sshd\"");
	assert_string_equal(text_at(document, "message"),
			    "\"nginx (pid 123, uid 33) bound tcp 0.0.0.0:80 (http): expected sshd\"");
	json_decref(document);

	/* a reason is visible text already, a message is what the rule's author wrote */
	event.verdict.reason = "was /tmp/\\x1b\\\\";
	document = parse(&sample_host, &event);
	assert_string_equal(text_at(document, "message"),
			    "\"nginx (pid 123, uid 33) bound tcp 0.0.0.0:80 (http): was /tmp/\\\\x1b\\\\\\\\\"");
	json_decref(document);
	event.verdict.reason = NULL;
	event.verdict.message = "\x1b";
	document = parse(&sample_host, &event);
	assert_string_equal(text_at(document, "message"),
			    "\"nginx (pid 123, uid 33) bound tcp 0.0.0.0:80 (http): \\\\x1b\"");
	json_decref(document);

	event.verdict.verdict = VERDICT_EXPECT;
	event.facts.patterns = PATTERN_SWEEP;
	document = parse(&sample_host, &event);
	ASSERT_MEMBERS(document, expected);
	json_decref(document);

	event.verdict.verdict = VERDICT_IGNORE;
	document = parse(&sample_host, &event);
	assert_string_equal(text_at(document, "bindwatch.policy.verdict"), "\"ignore\"");
	json_decref(document);

	event.verdict = (struct event_verdict){.verdict = VERDICT_ALERT, .rule = "r", .techniques = "T1571"};
	document = parse(&sample_host, &event);
	assert_string_equal(text_at(document, "threat.technique"), "{\"id\":[\"T1571\"]}");
	json_decref(document);
}

/* A path that is longer than any of Linux's: its end is told. */
static void ecs_process_path_too_long(void **state)
{
	static char path[5000];
	struct event event = sample_alert();
	struct process process = {.executable = {.path = path}};
	json_t *document;

	(void)state;
	sample_fill(path, sizeof(path), 'a');
	memcpy(path + sizeof(path) - 5, "/end", 4);
	event.process = &process;
	document = parse(&sample_host, &event);
	assert_int_equal(strlen(text_at(document, "process.executable")), 4096 + 2);
	assert_non_null(strstr(text_at(document, "process.executable"), "a/end\""));
	assert_true(strlen(text_at(document, "message")) < 300);
	json_decref(document);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ecs_process_whole),
	    cmocka_unit_test(ecs_process_unknown_is_absent),
	    cmocka_unit_test(ecs_process_partly_known),
	    cmocka_unit_test(ecs_process_empty_arguments),
	    cmocka_unit_test(ecs_process_hostile_bytes),
	    cmocka_unit_test(ecs_verdicts),
	    cmocka_unit_test(ecs_process_path_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
