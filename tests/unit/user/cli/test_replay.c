/* SPDX-License-Identifier: BSD-2-Clause */
/* What is counted, how it is shown, and which lines of a file are events. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/user/encode/sample.h"
#include "user/cli/event_json.h"
#include "user/cli/replay_json.h"
#include "user/cli/replay_lines.h"
#include "user/cli/replay_sum.h"

static const struct event_verdict none = {.verdict = VERDICT_NONE},
                                  low = {.verdict = VERDICT_ALERT, .severity = SEVERITY_LOW, .rule = "a"},
                                  high = {.verdict = VERDICT_ALERT, .severity = SEVERITY_HIGH, .rule = "z"},
                                  expected = {.verdict = VERDICT_EXPECT, .rule = "ssh"},
                                  ignored = {.verdict = VERDICT_IGNORE, .rule = "dev"};

static struct event event_of(const struct event_verdict *verdict)
{
	struct event event = sample_alert();

	event.verdict = *verdict;
	return event;
}

static void same_verdicts(void **state)
{
	struct event_verdict other = low;
	char name[] = "a";

	(void)state;
	other.rule = name; /* the same text elsewhere */
	other.line = 99;   /* where a rule stands does not matter */
	assert_true(replay_same(&low, &other));
	assert_true(replay_same(&none, &none));
	other.severity = SEVERITY_HIGH;
	assert_false(replay_same(&low, &other));
	other = low;
	other.rule = "b";
	assert_false(replay_same(&low, &other));
	other.rule = NULL;
	assert_false(replay_same(&low, &other));
	assert_false(replay_same(&expected, &ignored));
}

/* The caller frees it. */
static char *printed(const struct replay_sum *sum)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	assert_int_equal(replay_sum_print(sum, stream), 0);
	(void)fclose(stream);
	return text;
}

static void sum_of_one_policy(void **state)
{
	static const struct event_verdict *const verdicts[] = {&ignored, &none, &low, &high, &none, &expected, &low};
	struct replay_sum *sum;
	char *text;

	(void)state;
	assert_int_equal(replay_sum_new(&sum), 0);
	text = printed(sum);
	assert_string_equal(text, "");
	free(text);
	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		struct event event = event_of(verdicts[i]);

		event.pid = (uint32_t)i;
		event.comm[0] = i ? '\x1b' : 'x';
		assert_int_equal(replay_sum_add(sum, NULL, &event, i + 1), 0);
	}
	text = printed(sum);
	assert_string_equal(text, "VERDICT     RULE  EVENTS  FIRST   EXAMPLE\n"
	                          "alert high  z     1       line 4  tcp 0.0.0.0:80, \\x1bginx of uid 33\n"
	                          "alert low   a     2       line 3  tcp 0.0.0.0:80, \\x1bginx of uid 33\n"
	                          "none              2       line 2  tcp 0.0.0.0:80, \\x1bginx of uid 33\n"
	                          "expect      ssh   1       line 6  tcp 0.0.0.0:80, \\x1bginx of uid 33\n"
	                          "ignore      dev   1       line 1  tcp 0.0.0.0:80, xginx of uid 33\n");
	free(text);
	replay_sum_free(sum);
	replay_sum_free(NULL);
}

static void sum_of_two_policies(void **state)
{
	struct event failed = event_of(&none), closed = event_of(&low), lost = event_of(&high);
	struct replay_sum *sum;
	char *text;

	(void)state;
	failed.error = EADDRINUSE;
	closed.action = EVENT_CLOSED;
	lost.action = EVENT_SILENT;
	assert_int_equal(replay_sum_new(&sum), 0);
	assert_int_equal(replay_sum_add(sum, &low, &failed, 1000000), 0);
	assert_int_equal(replay_sum_add(sum, &expected, &closed, 7), 0);
	assert_int_equal(replay_sum_add(sum, &expected, &closed, 8), 0);
	assert_int_equal(replay_sum_add(sum, &none, &lost, 9), 0);
	text = printed(sum);
	assert_string_equal(
	        text, "WAS        BY RULE  NOW         BY RULE  EVENTS  FIRST         EXAMPLE\n"
	              "alert low  a        none                 1       line 1000000  tcp 0.0.0.0:80, nginx of uid 33, "
	              "EADDRINUSE\n"
	              "none                alert high  z        1       line 9        hook-silent\n"
	              "expect     ssh      alert low   a        2       line 7        tcp 0.0.0.0:80, nginx of uid 33, "
	              "closed-socket\n");
	free(text);
	replay_sum_free(sum);
}

static void json_of_one_event(void **state)
{
	struct event_verdict placed = high;
	struct event event = event_of(&low);
	struct process process = {.executable = {.path = "/opt/a\xff\"b"}};
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	(void)state;
	placed.file = "/etc/x.conf";
	placed.line = 12;
	event.process = &process;
	assert_int_equal(replay_json(NULL, &event, 3, stream), 0);
	event.process = NULL;
	event.verdict = none;
	assert_int_equal(replay_json(&placed, &event, 4, stream), 0);
	(void)fclose(stream);
	assert_string_equal(
	        text, "{\"line\":3,\"@timestamp\":\"2026-11-22T04:27:34.123456789Z\",\"action\":\"bound-socket\","
	              "\"protocol\":\"tcp\",\"ip\":\"0.0.0.0\",\"port\":80,\"pid\":123,\"name\":\"nginx\","
	              "\"executable\":\"/opt/a\\\\xff\\\"b\","
	              "\"now\":{\"verdict\":\"alert\",\"severity\":\"low\",\"rule\":\"a\"}}\n"
	              "{\"line\":4,\"@timestamp\":\"2026-11-22T04:27:34.123456789Z\",\"action\":\"bound-socket\","
	              "\"protocol\":\"tcp\",\"ip\":\"0.0.0.0\",\"port\":80,\"pid\":123,\"name\":\"nginx\","
	              "\"was\":{\"verdict\":\"alert\",\"severity\":\"high\",\"rule\":\"z\",\"file\":\"/etc/x.conf\","
	              "\"line\":12},\"now\":{\"verdict\":\"none\"}}\n");
	free(text);
}

struct told {
	unsigned int events;
	uint64_t line;
	int result;
};

static int on_line(void *context, struct event *event, uint64_t line)
{
	struct told *told = context;

	assert_int_equal(event->facts.server.port, 80);
	told->events++;
	told->line = line;
	return told->result;
}

/* A file of these pieces: 'e' an event, 'n' a line break, 'x' no event, 'l' a line that is too long. */
static void write_pieces(const char *path, const char *pieces)
{
	static char data[ENCODE_EVENT_MAX * 4];
	struct encode_buffer buffer = {.data = data, .size = sizeof(data)};
	struct event event = sample_alert();
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(encoder_find("json")->event(&sample_host, &event, &buffer), 0);
	for (; *pieces; pieces++) {
		if (*pieces == 'e') /* without its line break */
			assert_int_equal(fwrite(data, 1, buffer.used - 1, file), buffer.used - 1);
		else if (*pieces == 'l')
			for (unsigned int i = 0; i < 5 * EVENT_JSON_LINE_MAX / 2; i++)
				(void)fputc('{', file);
		else
			(void)fputs(*pieces == 'n' ? "\n" : "nonsense", file);
	}
	assert_int_equal(fclose(file), 0);
}

static void lines(void **state)
{
	static const struct {
		const char *pieces;
		unsigned int events, bad;
		uint64_t last; /* line */
	} table[] = {
	        {"", 0, 0, 0},
	        {"en", 1, 0, 1},
	        {"e", 1, 0, 1},
	        {"enen", 2, 0, 2},
	        {"ene", 2, 0, 2},
	        {"nnen", 1, 0, 3},
	        {"xnenx", 1, 2, 2},
	        {"eenen", 1, 1, 2},
	        {"lnen", 1, 1, 2},
	        {"enl", 1, 1, 1},
	        {"enlnxnlnen", 2, 3, 5},
	        {"l", 0, 1, 0},
	        {"xnxnxnxnxnxnxnxnxnxnxnxnxnxnxnxnxnxnxnxnxnxnxnxnen", 1, 24, 25},
	};
	char path[] = "/tmp/bindwatch-replay-XXXXXX";
	int saved = dup(STDERR_FILENO), nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC), fd = mkstemp(path);

	(void)state;
	assert_true(saved >= 0 && nowhere >= 0 && fd >= 0);
	(void)close(fd);
	(void)dup2(nowhere, STDERR_FILENO);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct told told = {0};
		struct replay_lines count;
		int r;

		write_pieces(path, table[i].pieces);
		r = replay_lines("test", path, on_line, &told, &count);
		if (r || told.events != table[i].events || count.events != table[i].events ||
		    count.bad != table[i].bad || told.line != table[i].last)
			fail_msg("'%s': %d, %u events, %u bad, last %u", table[i].pieces, r, told.events,
			         (unsigned int)count.bad, (unsigned int)told.line);
	}
	(void)dup2(saved, STDERR_FILENO);
	(void)close(saved);
	(void)close(nowhere);
	(void)unlink(path);
}

static void deliver_may_stop(void **state)
{
	char path[] = "/tmp/bindwatch-replay-XXXXXX";
	struct told told = {.result = -ECANCELED};
	struct replay_lines count;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	(void)close(fd);
	write_pieces(path, "enenen");
	assert_int_equal(replay_lines("test", path, on_line, &told, &count), -ECANCELED);
	assert_int_equal(told.events, 1);
	(void)unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(same_verdicts),
	        cmocka_unit_test(sum_of_one_policy),
	        cmocka_unit_test(sum_of_two_policies),
	        cmocka_unit_test(json_of_one_event),
	        cmocka_unit_test(lines),
	        cmocka_unit_test(deliver_may_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
