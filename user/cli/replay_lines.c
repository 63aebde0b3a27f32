/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/cli/replay_lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/cli/cli.h"
#include "user/cli/event_json.h"

/* Bad lines that are told one by one: a file of something else has nothing but such lines. */
#define BAD_LINES_TOLD 20

struct reading {
	const char *command, *path;
	int (*deliver)(void *context, struct event *event, uint64_t line);
	void *context;
	int file;
	/* what was read and not looked at is data[start, end) */
	char *data;
	size_t start, end;
	bool ended;
	uint64_t line;
	struct replay_lines *count;
};

/* One byte more than the longest line, so that a longer one shows. */
#define ROOM (EVENT_JSON_LINE_MAX + 1)

/* Reads until there is something new, or the end. 0 or -errno. */
static int fill(struct reading *reading)
{
	ssize_t n;

	memmove(reading->data, reading->data + reading->start, reading->end - reading->start);
	reading->end -= reading->start;
	reading->start = 0;
	do
		n = read(reading->file, reading->data + reading->end, ROOM - reading->end);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	reading->end += (size_t)n;
	reading->ended = n == 0;
	return 0;
}

static void tell_bad(struct reading *reading, const char *what)
{
	if (reading->count->bad++ < BAD_LINES_TOLD)
		(void)cli_error("%s: %s:%llu: %s", reading->command, reading->path, (unsigned long long)reading->line,
		                what);
}

static int take_line(struct reading *reading, const char *line, size_t len)
{
	char error[EVENT_JSON_ERROR_LEN];
	struct event_json *json;
	int r;

	reading->line++;
	if (!len)
		return 0;
	r = event_json_read(line, len, &json, error);
	if (r == -EINVAL) {
		tell_bad(reading, error);
		return 0;
	}
	if (r < 0) {
		(void)cli_error("%s: %s: %s", reading->command, reading->path, strerror(-r));
		return r;
	}
	reading->count->events++;
	r = reading->deliver(reading->context, &json->event, reading->line);
	event_json_free(json);
	return r < 0 ? r : 0;
}

/* Passes over the rest of a line that is too long. 0 or -errno. */
static int skip_line(struct reading *reading)
{
	const char *newline = NULL;
	int r = 0;

	reading->line++;
	tell_bad(reading, "the line is longer than a recorded event can be");
	while (r == 0 && !newline && !reading->ended) {
		reading->start = reading->end;
		r = fill(reading);
		newline = memchr(reading->data, '\n', reading->end);
	}
	if (r < 0)
		(void)cli_error("%s: %s: %s", reading->command, reading->path, strerror(-r));
	reading->start = newline ? (size_t)(newline - reading->data) + 1 : reading->end;
	return r;
}

static int read_lines(struct reading *reading)
{
	int r = 0;

	while (r == 0) {
		char *line = reading->data + reading->start;
		size_t len = reading->end - reading->start;
		char *newline = memchr(line, '\n', len);

		if (newline) {
			reading->start += (size_t)(newline - line) + 1;
			r = take_line(reading, line, (size_t)(newline - line));
		} else if (reading->ended) {
			return len ? take_line(reading, line, len) : 0;
		} else if (len == ROOM) {
			r = skip_line(reading);
		} else {
			r = fill(reading);
			if (r < 0)
				(void)cli_error("%s: %s: %s", reading->command, reading->path, strerror(-r));
		}
	}
	return r;
}

int replay_lines(const char *command, const char *path,
                 int (*deliver)(void *context, struct event *event, uint64_t line), void *context,
                 struct replay_lines *ret)
{
	bool is_stdin = strcmp(path, "-") == 0;
	struct reading reading = {.command = command,
	                          .path = is_stdin ? "standard input" : path,
	                          .deliver = deliver,
	                          .context = context,
	                          .count = ret};
	int r;

	*ret = (struct replay_lines){.bad = 0};
	reading.file = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (reading.file < 0) {
		r = -errno;
		(void)cli_error("%s: %s: %s", command, path, strerror(-r));
		return r;
	}
	reading.data = malloc(ROOM);
	r = reading.data ? read_lines(&reading) : -ENOMEM;
	if (!reading.data)
		(void)cli_error("%s: out of memory", command);
	free(reading.data);
	if (!is_stdin)
		(void)close(reading.file);
	return r;
}
