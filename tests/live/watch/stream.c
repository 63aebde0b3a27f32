/* SPDX-License-Identifier: BSD-2-Clause */
/* The stream as a whole: nothing is lost, nothing comes twice, and no name of a process can break it. */
#include "tests/live/watch/watch.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define BURST_BINDS      400
#define BURST_FIRST_PORT 30000
#define CROWD            4

/* A terminal's escape sequence, a line break, a byte that is not UTF-8, a backslash. */
#define HOSTILE_NAME "\x1b[31m\nX\xff\\"

struct burst {
	uint16_t first, count;
};

static void bind_burst(struct scene *scene, void *context)
{
	const struct burst *burst = context;
	struct sockaddr_storage address;
	socklen_t length;
	int fd;

	(void)scene;
	for (uint16_t i = 0; i < burst->count; i++) {
		length = scene_address("127.0.0.1", burst->first + i, &address);
		fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (fd < 0 || bind(fd, (struct sockaddr *)&address, length))
			_exit(1);
		close(fd);
	}
}

/* Each port of the burst once, from any process; every event of the stream has an id of its own. */
static void assert_burst(const struct burst *burst)
{
	unsigned int *seen = test_calloc(burst->count, sizeof(*seen));
	size_t never = 0, twice = 0, same_id = 0;
	json_t *ids = json_object();
	json_t *event;
	size_t index;

	json_array_foreach(fixture.monitor.events, index, event)
	{
		const char *id = json_string_value(live_field(event, "event.id"));
		json_int_t port = json_integer_value(live_field(event, "server.port"));

		same_id += !id || json_object_get(ids, id);
		if (id)
			json_object_set_new(ids, id, json_true());
		if (json_integer_value(live_field(event, "bindwatch.netns.inode")) != scene_namespace())
			continue;
		if (!live_is_action(event, ACTION_BIND))
			continue;
		if (!monitor_is_sentinel(event) && port >= burst->first && port < burst->first + burst->count)
			seen[port - burst->first]++;
	}
	for (size_t i = 0; i < burst->count; i++) {
		never += seen[i] == 0;
		twice += seen[i] > 1;
	}
	json_decref(ids);
	test_free(seen);
	if (twice || same_id)
		fail_msg("of %u binds %zu were told twice, %zu ids were not new", burst->count, twice, same_id);
	if (never && fixture_skipped(&fixture, never))
		SKIP_BECAUSE("this kernel skips the hooks of this plan, which is not the one that it is given");
	if (never)
		fail_msg("of %u binds %zu were not told", burst->count, never);
}

/* event.sequence goes up by one from event to event, whoever made them. */
static void assert_no_gap(void)
{
	json_int_t last = 0;
	json_t *event;
	size_t index;

	json_array_foreach(fixture.monitor.events, index, event)
	{
		json_int_t sequence = json_integer_value(live_field(event, "event.sequence"));

		if (index > 0 && sequence != last + 1)
			fail_msg("sequence %" JSON_INTEGER_FORMAT " behind %" JSON_INTEGER_FORMAT, sequence, last);
		last = sequence;
	}
	assert_true(last > 0);
}

static void burst_of_one_process(void **state)
{
	struct burst burst = {BURST_FIRST_PORT, BURST_BINDS};

	(void)state;
	FIXTURE_NEEDED(&fixture);
	json_array_clear(fixture.monitor.events);
	assert_int_equal(scene_child(bind_burst, fixture.scene, &burst), 0);
	assert_int_equal(monitor_sync(&fixture.monitor, 0), 0);
	assert_int_equal(fixture.monitor.malformed, 0);
	assert_burst(&burst);
	assert_no_gap();
}

static void bursts_of_many_processes(void **state)
{
	struct burst all = {BURST_FIRST_PORT + BURST_BINDS, BURST_BINDS};
	pid_t children[CROWD];
	int status;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	json_array_clear(fixture.monitor.events);
	for (uint16_t i = 0; i < CROWD; i++) {
		struct burst part = {all.first + i * (all.count / CROWD), all.count / CROWD};

		children[i] = fork();
		assert_true(children[i] >= 0);
		if (children[i] == 0) {
			bind_burst(NULL, &part);
			_exit(0);
		}
	}
	for (int i = 0; i < CROWD; i++) {
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(monitor_sync(&fixture.monitor, 0), 0);
	assert_int_equal(fixture.monitor.malformed, 0);
	assert_burst(&all);
	assert_no_gap();
}

static void bind_under_hostile_name(struct scene *scene, void *context)
{
	uint16_t port = *(const uint16_t *)context;

	prctl(PR_SET_NAME, HOSTILE_NAME);
	if (scene_socket(scene, AF_INET, SOCK_STREAM, 0, "127.0.0.1", port) < 0)
		_exit(1);
}

/*
 * The bytes behind a value of json_hostile_string(): \\ is a backslash, \xHH a byte, and no backslash stands alone.
 */
static void decode_hostile(const char *value, char *ret, size_t size)
{
	size_t length = 0;

	for (; *value && length + 1 < size; value++) {
		if (*value != '\\') {
			ret[length++] = *value;
		} else if (*++value == 'x' && value[1] && value[2]) {
			const char digits[3] = {value[1], value[2], '\0'};

			ret[length++] = (char)strtoul(digits, NULL, 16);
			value += 2;
		} else {
			assert_int_equal(*value, '\\');
			ret[length++] = '\\';
		}
	}
	ret[length] = '\0';
}

static void hostile_name_in_json(void **state)
{
	json_t *seen = json_array();
	char name[64];
	uint16_t port = 8300;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	json_array_clear(fixture.monitor.events);
	assert_int_equal(scene_child(bind_under_hostile_name, fixture.scene, &port), 0);
	assert_int_equal(scene_compare(fixture.scene, &fixture.monitor, seen), 0);
	assert_int_equal(json_array_size(seen), 1);
	decode_hostile(json_string_value(live_field(json_array_get(seen, 0), "process.name")), name, sizeof(name));
	assert_string_equal(name, HOSTILE_NAME);
	json_decref(seen);
}

/* The descriptor is closed by the exit: there is no process left when the event is read. */
static void bind_and_exit(struct scene *scene, void *context)
{
	(void)context;
	(void)scene_socket(scene, AF_INET, SOCK_STREAM, 0, "127.0.0.1", 8302);
	_exit(0);
}

static void process_that_exits_at_once(void **state)
{
	(void)state;
	FIXTURE_NEEDED(&fixture);
	json_array_clear(fixture.monitor.events);
	for (int i = 0; i < 20; i++)
		assert_int_equal(scene_child(bind_and_exit, fixture.scene, NULL), 0);
	assert_int_equal(scene_compare(fixture.scene, &fixture.monitor, NULL), 0);
}

/* The names of the alerts, by ports whose state in the registry will not change: RFC 6335 section 6, RFC 9110. */
static void alerts_by_name(void **state)
{
	static const struct {
		uint16_t port;
		const char *rule;
	} rows[] = {{81, "privileged-port"},
	            {443, "privileged-port"},
	            {1023, "privileged-port"},
	            {8080, "registered-port"},
	            {49151, "reserved-port"},
	            {49152, "dynamic-port"},
	            {0, NULL}};
	json_t *seen = json_array();

	(void)state;
	FIXTURE_NEEDED(&fixture);
	json_array_clear(fixture.monitor.events);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		close(scene_socket(fixture.scene, AF_INET, SOCK_STREAM, 0, "127.0.0.1", rows[i].port));
	assert_int_equal(scene_compare(fixture.scene, &fixture.monitor, seen), 0);
	assert_int_equal(json_array_size(seen), sizeof(rows) / sizeof(rows[0]));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *rule = json_string_value(live_field(json_array_get(seen, i), "rule.name"));

		if (rows[i].rule)
			assert_string_equal(rule, rows[i].rule);
		else
			assert_null(rule);
	}
	json_decref(seen);
}

/* Last: what it says when it ends. Each line of the stream is in its totals, and nothing was lost. */

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(burst_of_one_process), cmocka_unit_test(bursts_of_many_processes),
        cmocka_unit_test(hostile_name_in_json), cmocka_unit_test(process_that_exits_at_once),
        cmocka_unit_test(alerts_by_name),
};

const struct watch_group watch_stream = {"stream", tests, sizeof(tests) / sizeof(tests[0])};
