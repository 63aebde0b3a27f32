/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/encode/sentence.h"

#include <stdbool.h>
#include <string.h>

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

static void sentence_of_socket(struct writer *writer, const struct event *event)
{
	const char *protocol = name_of_protocol(event->protocol), *service = name_of_service(event);

	if (event->pid) {
		writer_visible(writer, event->comm, strnlen(event->comm, sizeof(event->comm)));
		writer_text(writer, " (pid ");
		writer_u64(writer, event->pid);
		writer_char(writer, ')');
	} else {
		writer_text(writer, "no process that is seen");
	}
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
}

void write_sentence(struct writer *writer, const struct event *event)
{
	if (event->action == EVENT_LOST || event->action == EVENT_SILENT)
		write_health(writer, event);
	else
		sentence_of_socket(writer, event);
}
