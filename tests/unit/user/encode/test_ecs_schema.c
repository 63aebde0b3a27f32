/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Real output against the schema of ECS 9.4.0. The schema is not part of the project: it is read from
 * $BINDWATCH_SHARED/schemas (../shared without it). Where it, Python or its jsonschema are absent, this is skipped.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/user/encode/sample.h"
#include "user/encode/ecs.h"

#define SCRIPT	      "tests/unit/user/encode/check_ecs.py"
#define NOT_INSTALLED 77

static void write_event(FILE *file, const struct encode_host *host, const struct event *event)
{
	char line[ENCODE_EVENT_MAX];
	struct encode_buffer buffer = {.data = line, .size = sizeof(line)};

	assert_int_equal(ecs_event(host, event, &buffer), 0);
	assert_int_equal(fwrite(line, 1, buffer.used, file), buffer.used);
}

/* Who did it, in full, of bytes that are no text, and of a container whose runtime does not show. */
static void write_identities(FILE *file)
{
	struct process process = sample_process(), worst = sample_worst_process();
	struct event event = sample_alert();

	event.process = &process;
	event.credentials = sample_credentials();
	event.pidns_pid = 1;
	event.verdict.message = "unexpected";
	event.verdict.techniques = "T1571 T1205.001";
	write_event(file, &sample_host, &event);
	process.cgroup.runtime = RUNTIME_UNKNOWN;
	event.credentials.effective = UINT64_MAX;
	event.verdict.verdict = VERDICT_EXPECT;
	write_event(file, &sample_host, &event);
	event.action = EVENT_EXISTING;
	event.process = &worst;
	write_event(file, &sample_host, &event);
}

/* An event of each kind. */
static void write_events(FILE *file)
{
	static const char *const addresses[] = {"127.0.0.1", "::", "::1", "::ffff:192.0.2.1", "2001:db8::1"};
	static const uint16_t protocols[] = {IPPROTO_UDP, IPPROTO_UDPLITE, IPPROTO_SCTP, IPPROTO_DCCP, IPPROTO_MPTCP};
	struct encode_host hostile = sample_host;
	struct event event = sample_alert();

	write_event(file, &sample_host, &event);
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		event = sample_alert();
		event.facts.server = event.requested = sample_endpoint(addresses[i], (uint16_t)(1024 + i));
		event.family = event.facts.server.family;
		event.protocol = protocols[i];
		event.verdict.severity = (enum severity)i;
		write_event(file, &sample_host, &event);
		event.error = EADDRINUSE;
		event.verdict = (struct event_verdict){.rule = NULL};
		write_event(file, &sample_host, &event);
	}
	write_identities(file);
	event = sample_unknown();
	write_event(file, &sample_host, &event);
	event = sample_alert();
	event.device = 3;
	sample_fill(hostile.hostname, sizeof(hostile.hostname), '\xff');
	sample_fill(event.comm, sizeof(event.comm), '\x1b');
	sample_fill(event.device_name, sizeof(event.device_name), '\\');
	write_event(file, &hostile, &event);
}

/* The exit code of the script; -1: it did not run. */
static int run_script(const char *schema, const char *documents)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		execlp("python3", "python3", SCRIPT, schema, documents, (char *)NULL);
		_exit(127);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) == 127)
		return -1;
	return WEXITSTATUS(status);
}

static void ecs_output_is_valid(void **state)
{
	const char *shared = getenv("BINDWATCH_SHARED");
	char schema[4096], documents[] = "/tmp/bindwatch-ecs-XXXXXX";
	int code, fd;
	FILE *file;

	(void)state;
	(void)snprintf(schema, sizeof(schema), "%s/schemas/ecs-9.4.0.schema.json", shared ? shared : "../shared");
	if (access(schema, R_OK) != 0 || access(SCRIPT, R_OK) != 0) {
		print_message("skipped: %s or %s is not there\n", schema, SCRIPT);
		skip();
	}
	fd = mkstemp(documents);
	assert_true(fd >= 0);
	file = fdopen(fd, "w");
	assert_non_null(file);
	write_events(file);
	assert_int_equal(fclose(file), 0);
	code = run_script(schema, documents);
	(void)unlink(documents);
	if (code == -1 || code == NOT_INSTALLED) {
		print_message("skipped: python3 or its module jsonschema is not installed\n");
		skip();
	}
	assert_int_equal(code, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(ecs_output_is_valid)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
