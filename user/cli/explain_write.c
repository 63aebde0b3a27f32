/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/event_words.h"
#include "user/base/visible.h"
#include "user/cli/explain.h"
#include "user/encode/json.h"
#include "user/judge/explain.h"

/* One rule as JSON: its names and texts, each byte of them as six. */
#define STEP_BYTES 16384

static const char *word_of(enum verdict verdict)
{
	const char *word = event_word_name(WORDS_VERDICT, verdict);

	return word ? word : "none";
}

static void print_visible(const char *text)
{
	size_t len = strlen(text);

	while (len) {
		char form[VISIBLE_MAX];
		size_t taken, size = visible_next(text, len, 0, form, &taken);

		(void)fwrite(form, 1, size, stdout);
		text += taken;
		len -= taken;
	}
}

static void print_place(const struct event_verdict *verdict)
{
	(void)printf("rule     [%s %s]", word_of(verdict->verdict), verdict->rule);
	if (verdict->file) {
		(void)fputs(" at ", stdout);
		print_visible(verdict->file);
		(void)printf(":%u", verdict->line);
	} else {
		(void)fputs(", which is part of the program", stdout);
	}
	(void)putchar('\n');
}

static int print_step(void *context, const struct explain_step *step)
{
	size_t *count = context;

	if (step->matches)
		return 0;
	if ((*count)++ == 0)
		(void)puts("\nrules before it, and what they want that is not so:");
	(void)fputs("  ", stdout);
	print_visible(step->file);
	(void)printf(":%u [%s %s] ", step->line, word_of(step->verdict), step->rule ? step->rule : "");
	/* these are fit for a terminal already */
	(void)printf("%s; it is %s\n", step->condition, step->seen);
	return 0;
}

static int write_text(const struct policy *policy, const struct event *event, const char *reason)
{
	const struct event_verdict *verdict = &event->verdict;
	size_t count = 0;

	(void)printf("verdict  %s", word_of(verdict->verdict));
	if (verdict->verdict == VERDICT_ALERT)
		(void)printf(", severity %s", event_word_name(WORDS_SEVERITY, verdict->severity));
	(void)printf("\nreason   %s\n", reason);
	if (verdict->rule)
		print_place(verdict);
	else
		(void)puts("rule     none matches");
	if (verdict->techniques)
		(void)printf("ATT&CK   %s\n", verdict->techniques);
	(void)explain(policy, event, print_step, &count);
	return fflush(stdout) == 0 ? 0 : -errno;
}

struct document {
	struct json json;
	struct encode_buffer buffer;
	int error;
};

static void member_text(struct json *json, const char *key, const char *text)
{
	if (!text)
		return;
	json_key(json, key);
	json_text(json, text);
}

static void member_line(struct json *json, unsigned int line)
{
	json_key(json, "line");
	json_u64(json, line);
}

/* Writes what is in the buffer, so that it need not hold a hundred thousand rules. */
static void flush_document(struct document *document)
{
	struct encode_buffer *buffer = &document->buffer;

	buffer->used = (size_t)(document->json.out.at - buffer->data);
	if (document->json.out.overflow || fwrite(buffer->data, 1, buffer->used, stdout) != buffer->used)
		document->error = document->json.out.overflow ? -ENOBUFS : -errno;
	document->json.out.at = buffer->data;
	buffer->used = 0;
}

static int write_step(void *context, const struct explain_step *step)
{
	struct document *document = context;
	struct json *json = &document->json;

	if (step->matches)
		return 0;
	json_object_begin(json);
	member_text(json, "verdict", word_of(step->verdict));
	member_text(json, "rule", step->rule);
	json_key(json, "file");
	json_hostile_string(json, step->file, strlen(step->file));
	member_line(json, step->line);
	member_text(json, "failed", step->key);
	member_text(json, "condition", step->condition);
	member_text(json, "seen", step->seen);
	json_object_end(json);
	flush_document(document);
	return document->error;
}

static void write_verdict(struct json *json, const struct event_verdict *verdict, const char *reason)
{
	member_text(json, "verdict", word_of(verdict->verdict));
	if (verdict->verdict == VERDICT_ALERT)
		member_text(json, "severity", event_word_name(WORDS_SEVERITY, verdict->severity));
	member_text(json, "reason", reason);
	member_text(json, "rule", verdict->rule);
	if (verdict->file) {
		json_key(json, "file");
		json_hostile_string(json, verdict->file, strlen(verdict->file));
		member_line(json, verdict->line);
	}
	member_text(json, "techniques", verdict->techniques);
}

static int write_json(const struct policy *policy, const struct event *event, const char *reason)
{
	struct document document = {.buffer = {.size = 2 * STEP_BYTES}};
	struct json *json = &document.json;

	document.buffer.data = malloc(document.buffer.size);
	if (!document.buffer.data)
		return -ENOMEM;
	json_begin(json, &document.buffer);
	json_object_begin(json);
	write_verdict(json, &event->verdict, reason);
	json_key(json, "earlier");
	json_array_begin(json);
	(void)explain(policy, event, write_step, &document);
	json_array_end(json);
	json_object_end(json);
	json_line_end(json);
	if (!document.error)
		flush_document(&document);
	free(document.buffer.data);
	if (!document.error && fflush(stdout) != 0)
		document.error = -errno;
	return document.error;
}

int explain_write(const struct policy *policy, struct event *event, struct user_cache *users, bool json)
{
	char reason[POLICY_REASON_LEN];

	policy_judge(policy, event);
	policy_reason(policy, event, users, reason);
	return json ? write_json(policy, event, reason) : write_text(policy, event, reason);
}
