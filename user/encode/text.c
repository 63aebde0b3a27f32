/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One line an event. A process, a device or a user may have any name: it reaches the terminal through writer_visible()
 * only, so that no name can break the line, colour it, or look like another.
 */
#include "user/encode/text.h"

#include <string.h>

#include "user/base/user_cache.h"
#include "user/encode/names.h"
#include "user/encode/sentence.h"
#include "user/encode/timestamp.h"
#include "user/encode/writer.h"

enum column {
	COLUMN_TIME,
	COLUMN_VERDICT,
	COLUMN_PROTOCOL,
	COLUMN_SERVER,
	COLUMN_SERVICE,
	COLUMN_PROCESS,
	COLUMN_PID,
	COLUMN_USER,
	COLUMN_PROGRAM,
	COLUMN_RESULT,
	COLUMN_RULE,
	COLUMNS,
};

/* Of characters. A longer value is never cut: the columns behind it give up their blanks until the line is even. */
static const struct {
	const char *title;
	unsigned int width;
	bool wide; /* only where the line may be wide */
} columns[COLUMNS] = {
        [COLUMN_TIME] = {"TIME", 12, false},           /* 04:27:34.123 */
        [COLUMN_VERDICT] = {"VERDICT", 15, false},     /* privileged-port */
        [COLUMN_PROTOCOL] = {"PROTO", 7, false},       /* udplite */
        [COLUMN_SERVER] = {"ADDRESS:PORT", 21, false}, /* 255.255.255.255:65535 */
        [COLUMN_SERVICE] = {"SERVICE", 15, false},     /* RFC 6335, section 5.1 */
        [COLUMN_PROCESS] = {"PROCESS", 15, false},     /* TASK_COMM_LEN without its NUL */
        [COLUMN_PID] = {"PID", 7, false},              /* PID_MAX_LIMIT of 64-bit systems is 4194304 */
        [COLUMN_USER] = {"USER", 8, false},
        [COLUMN_PROGRAM] = {"PROGRAM", 32, true},
        [COLUMN_RESULT] = {"RESULT", 12, false}, /* the last column of a narrow line: not padded */
        [COLUMN_RULE] = {"RULE", 0, true},
};

#define GAP 2

/* Bytes told of a rule's name, and of its file's. */
#define RULE_SHOWN_MAX 256

#define COLOR_RED    "\033[31m"
#define COLOR_YELLOW "\033[33m"
#define COLOR_DIM    "\033[2m"
#define COLOR_RESET  "\033[0m"

struct line {
	struct writer out;
	enum column last;  /* the column of the last cell */
	unsigned int want; /* where the column after it begins */
	size_t at;         /* characters written */
};

/* Blanks up to the column: at least one. */
static void column_begin(struct line *line, enum column column)
{
	if (column == 0)
		return;
	line->want += columns[line->last].width + GAP;
	line->last = column;
	do {
		writer_char(&line->out, ' ');
		line->at++;
	} while (line->at < line->want && !line->out.overflow);
}

/* text: our own */
static void cell_text(struct line *line, enum column column, const char *text)
{
	column_begin(line, column);
	writer_text(&line->out, text);
	line->at += strlen(text);
}

static void cell_visible(struct line *line, enum column column, const char *text, size_t len)
{
	column_begin(line, column);
	line->at += writer_visible(&line->out, text, len);
}

static void cell_u64(struct line *line, enum column column, uint64_t value)
{
	const char *start;

	column_begin(line, column);
	start = line->out.at;
	writer_u64(&line->out, value);
	line->at += (size_t)(line->out.at - start);
}

static const char *verdict_of(const struct event *event)
{
	if (event->verdict.verdict == VERDICT_ALERT)
		return event->verdict.rule;
	if (event->action == EVENT_LOST)
		return "lost";
	if (event->error)
		return "failed";
	if (event->verdict.verdict == VERDICT_IGNORE)
		return "ignored";
	return event->verdict.verdict == VERDICT_EXPECT ? "expected" : "ok";
}

static const char *color_of(const struct event *event)
{
	if (event->verdict.verdict == VERDICT_ALERT)
		return event->verdict.severity >= SEVERITY_HIGH ? COLOR_RED : COLOR_YELLOW;
	return event->error ? COLOR_DIM : "";
}

static void cell_user(struct line *line, const struct encode_host *host, uint32_t uid)
{
	const char *name = host->users ? user_cache_name(host->users, uid) : NULL;

	if (name)
		cell_visible(line, COLUMN_USER, name, strlen(name));
	else
		cell_u64(line, COLUMN_USER, uid);
}

/* What became of it: "bound", "listening (backlog 128)", "closed after 12.3 s", "EADDRINUSE". */
static void cell_result(struct line *line, const struct event *event)
{
	static const char *const done[EVENT_ACTIONS] = {
	        [EVENT_BOUND] = "bound",
	        [EVENT_LISTEN] = "listening",
	        [EVENT_CLOSED] = "closed",
	        [EVENT_EXISTING] = "was bound before",
	};

	const char *start;

	column_begin(line, COLUMN_RESULT);
	start = line->out.at;
	if (event->error && event->action == EVENT_LISTEN)
		writer_text(&line->out, "listen: ");
	if (event->error)
		write_error(&line->out, event->error);
	else
		writer_text(&line->out, done[event->action]);
	if (event->has_backlog && !event->error) {
		writer_text(&line->out, " (backlog ");
		writer_u64(&line->out, event->backlog);
		writer_char(&line->out, ')');
	}
	if (event->action == EVENT_CLOSED && event->held_ns) {
		writer_text(&line->out, " after ");
		writer_u64(&line->out, event->held_ns / 1000000000);
		writer_char(&line->out, '.');
		writer_u64(&line->out, event->held_ns / 100000000 % 10);
		writer_text(&line->out, " s");
	}
	line->at += (size_t)(line->out.at - start);
}

/* "web (/etc/bindwatch/policy.d/web.policy:12)" */
static void cell_rule(struct line *line, const struct event_verdict *verdict)
{
	if (!verdict->rule)
		return;
	cell_visible(line, COLUMN_RULE, verdict->rule, text_bounded(verdict->rule, RULE_SHOWN_MAX));
	if (!verdict->file)
		return;
	writer_text(&line->out, " (");
	writer_visible(&line->out, verdict->file, text_bounded(verdict->file, RULE_SHOWN_MAX));
	writer_char(&line->out, ':');
	writer_u64(&line->out, verdict->line);
	writer_char(&line->out, ')');
}

static void cell_program(struct line *line, const struct event *event)
{
	size_t characters;

	column_begin(line, COLUMN_PROGRAM);
	characters = write_program(&line->out, event->process);
	if (!characters)
		writer_char(&line->out, '-');
	line->at += characters ? characters : 1;
}

static void write_cells(struct line *line, const struct encode_host *host, const struct event *event)
{
	const char *protocol = name_of_protocol(event->protocol), *service = name_of_service(event);

	column_begin(line, COLUMN_TIME);
	timestamp_write_clock(&line->out, event->time_ns, host->local_time);
	line->at += columns[COLUMN_TIME].width;
	cell_text(line, COLUMN_VERDICT, verdict_of(event));
	if (event->action == EVENT_LOST || event->action == EVENT_SILENT) {
		writer_text(&line->out, "  ");
		write_health(&line->out, event);
		return;
	}
	if (protocol)
		cell_text(line, COLUMN_PROTOCOL, protocol);
	else
		cell_u64(line, COLUMN_PROTOCOL, event->protocol);
	column_begin(line, COLUMN_SERVER);
	line->at += write_server(&line->out, event);
	/* the registry has no control bytes, but a site's file may have other characters that do not show */
	cell_visible(line, COLUMN_SERVICE, service, strlen(service));
	if (event->pid) {
		cell_visible(line, COLUMN_PROCESS, event->comm, strnlen(event->comm, sizeof(event->comm)));
		cell_u64(line, COLUMN_PID, event->pid);
	} else {
		cell_text(line, COLUMN_PROCESS, "-");
		cell_text(line, COLUMN_PID, "-");
	}
	cell_user(line, host, event->uid);
	if (host->wide)
		cell_program(line, event);
	cell_result(line, event);
	if (host->wide)
		cell_rule(line, &event->verdict);
	/* the sentence of an alert, where it is known: made fit for a terminal by policy_reason() */
	if (event->verdict.verdict == VERDICT_ALERT && event->verdict.reason) {
		writer_text(&line->out, "  ");
		writer_text(&line->out, event->verdict.reason);
	}
}

int text_event(const struct encode_host *host, const struct event *event, struct encode_buffer *buffer)
{
	const char *color = host->color ? color_of(event) : "";
	struct line line = {.want = 0};

	writer_begin(&line.out, buffer);
	writer_text(&line.out, color);
	write_cells(&line, host, event);
	if (*color)
		writer_text(&line.out, COLOR_RESET);
	writer_char(&line.out, '\n');
	return writer_end(&line.out, buffer);
}

int text_header(const struct encode_host *host, struct encode_buffer *buffer)
{
	struct line line = {.want = 0};

	writer_begin(&line.out, buffer);
	for (enum column column = 0; column < COLUMNS; column++) {
		if (host->wide || !columns[column].wide)
			cell_text(&line, column, columns[column].title);
	}
	writer_char(&line.out, '\n');
	return writer_end(&line.out, buffer);
}
