/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/encode/sentence.h"

#include <stdbool.h>
#include <string.h>

#include "user/base/user_cache.h"
#include "user/encode/names.h"

size_t text_bounded(const char *text, size_t max)
{
	size_t len = strnlen(text, max + 1);

	if (len <= max)
		return len;
	for (len = max; len && ((uint8_t)text[len] & 0xc0) == 0x80; len--)
		;
	return len;
}

/* What happened, as the middle of a sentence: "bound", "could not bind". */
static const struct {
	const char *done, *failed;
} verbs[EVENT_ACTIONS] = {
        [EVENT_BOUND] = {" bound ", " could not bind "},
        [EVENT_LISTEN] = {" listens on ", " could not listen on "},
        [EVENT_CLOSED] = {" closed ", " closed "},
        [EVENT_EXISTING] = {" holds ", " holds "},
};

size_t write_program(struct writer *writer, const struct process *process)
{
	const struct executable *executable = process ? &process->executable : NULL;
	const char *path = executable ? executable->path : NULL, *note = "";
	size_t length, characters = 0;

	if (!path)
		return 0;
	length = strlen(path);
	if (executable->path_truncated || length > PATH_SHOWN_MAX) {
		writer_text(writer, "...");
		characters = 3;
	}
	if (length > PATH_SHOWN_MAX) {
		path += length - PATH_SHOWN_MAX;
		while (((uint8_t)*path & 0xc0) == 0x80)
			path++;
		length = strlen(path);
	}
	characters += writer_visible(writer, path, length);
	if (executable->flags & EXECUTABLE_MEMFD)
		note = ", in memory only";
	else if (executable->flags & EXECUTABLE_DELETED)
		note = ", deleted";
	writer_text(writer, note);
	return characters + strlen(note);
}

static void write_user(struct writer *writer, const struct encode_host *host, uint32_t uid)
{
	const char *name = host->users ? user_cache_name(host->users, uid) : NULL;

	writer_text(writer, name ? "user " : "uid ");
	if (name)
		writer_visible(writer, name, strlen(name));
	else
		writer_u64(writer, uid);
}

/* The first digits of a container's id, as its runtime lists it. */
#define CONTAINER_SHOWN 12

static void write_who(struct writer *writer, const struct encode_host *host, const struct event *event)
{
	const struct process *process = event->process;

	writer_visible(writer, event->comm, strnlen(event->comm, sizeof(event->comm)));
	writer_text(writer, " (pid ");
	writer_u64(writer, event->pid);
	if (process && process->executable.path) {
		writer_text(writer, ", ");
		write_program(writer, process);
	}
	writer_text(writer, ", ");
	write_user(writer, host, event->uid);
	if (process && process->cgroup.container_id) {
		writer_text(writer, ", container ");
		writer_visible(writer, process->cgroup.container_id,
		               text_bounded(process->cgroup.container_id, CONTAINER_SHOWN));
	}
	writer_char(writer, ')');
}

static void sentence_of_socket(struct writer *writer, const struct encode_host *host, const struct event *event)
{
	const char *protocol = name_of_protocol(event->protocol), *service = name_of_service(event);
	const char *reason = event->verdict.reason, *message = event->verdict.message;

	if (event->pid)
		write_who(writer, host, event);
	else
		writer_text(writer, "no process that is seen");
	writer_text(writer, event->error ? verbs[event->action].failed : verbs[event->action].done);
	if (protocol)
		writer_text(writer, protocol);
	else
		writer_u64(writer, event->protocol);
	writer_char(writer, ' ');
	write_server(writer, event);
	if (strcmp(service, "-") != 0) {
		bool bare = service[0] != '(';

		writer_text(writer, bare ? " (" : " ");
		writer_visible(writer, service, text_bounded(service, NAME_MAX_BYTES));
		writer_text(writer, bare ? ")" : "");
	}
	if (event->error) {
		writer_text(writer, ": ");
		write_error(writer, event->error);
	}
	if (event->verdict.verdict != VERDICT_ALERT || (!reason && !message))
		return;
	writer_text(writer, ": ");
	/* made visible by policy_reason() already */
	if (reason)
		writer_bytes(writer, reason, text_bounded(reason, MESSAGE_SHOWN_MAX));
	else
		writer_visible(writer, message, text_bounded(message, MESSAGE_SHOWN_MAX));
}

void write_sentence(struct writer *writer, const struct encode_host *host, const struct event *event)
{
	if (event->action == EVENT_LOST || event->action == EVENT_SILENT)
		write_health(writer, event);
	else
		sentence_of_socket(writer, host, event);
}
