/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/cli/replay_json.h"

#include <errno.h>
#include <string.h>

#include "user/base/address.h"
#include "user/base/event_words.h"
#include "user/encode/json.h"
#include "user/encode/names.h"
#include "user/encode/timestamp.h"

/* A path of 4,096 bytes, four written for each, and the rest. */
#define DOCUMENT_MAX 32768

static void member_text(struct json *json, const char *key, const char *text)
{
	if (!text)
		return;
	json_key(json, key);
	json_text(json, text);
}

static void member_hostile(struct json *json, const char *key, const char *text, size_t max)
{
	if (!text)
		return;
	json_key(json, key);
	json_hostile_string(json, text, strnlen(text, max));
}

static void write_verdict(struct json *json, const char *key, const struct event_verdict *verdict)
{
	json_key(json, key);
	json_object_begin(json);
	member_text(json, "verdict", verdict->verdict == VERDICT_NONE ? "none" : name_of_verdict(verdict->verdict));
	member_text(json, "severity", event_word_name(WORDS_SEVERITY, verdict->severity));
	member_text(json, "rule", verdict->rule);
	member_hostile(json, "file", verdict->file, 4096);
	if (verdict->file) {
		json_key(json, "line");
		json_u64(json, verdict->line);
	}
	json_object_end(json);
}

static void write_subject(struct json *json, const struct event *event)
{
	const struct endpoint *server = &event->facts.server;
	char address[ADDRESS_TEXT_MAX];
	size_t len = server->has_address ? address_format(server, address) : 0;

	member_text(json, "action", name_of_action(event->action));
	member_text(json, "protocol", name_of_protocol(event->protocol));
	if (len) {
		json_key(json, "ip");
		json_text_len(json, address, len);
	}
	if (server->has_port) {
		json_key(json, "port");
		json_u64(json, server->port);
	}
	if (event->pid) {
		json_key(json, "pid");
		json_u64(json, event->pid);
		member_hostile(json, "name", event->comm, EVENT_COMM_LEN);
	}
	if (event->process)
		member_hostile(json, "executable", event->process->executable.path, 4096);
}

int replay_json(const struct event_verdict *was, const struct event *event, uint64_t line, FILE *stream)
{
	char data[DOCUMENT_MAX], time[32];
	struct encode_buffer buffer = {.data = data, .size = sizeof(data)},
	                     time_buffer = {.data = time, .size = sizeof(time)};
	struct writer writer;
	struct json json;

	writer_begin(&writer, &time_buffer);
	timestamp_write_utc(&writer, event->time_ns);
	(void)writer_end(&writer, &time_buffer);
	json_begin(&json, &buffer);
	json_object_begin(&json);
	json_key(&json, "line");
	json_u64(&json, line);
	json_key(&json, "@timestamp");
	json_text_len(&json, time, time_buffer.used);
	write_subject(&json, event);
	if (was)
		write_verdict(&json, "was", was);
	write_verdict(&json, "now", &event->verdict);
	json_object_end(&json);
	json_line_end(&json);
	if (json_end(&json))
		return -ENOBUFS;
	errno = 0;
	if (fwrite(buffer.data, 1, buffer.used, stream) != buffer.used)
		return errno ? -errno : -EIO;
	return 0;
}
