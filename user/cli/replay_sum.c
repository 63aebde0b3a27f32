/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/cli/replay_sum.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "user/cli/table.h"
#include "user/encode/encode.h"
#include "user/encode/names.h"

#define EXAMPLE_LEN 512

struct row {
	struct event_verdict was, now;
	uint64_t events, line;
	char example[]; /* made visible */
};

struct replay_sum {
	size_t count;
	bool compared;
	void *rows; /* of tsearch(3) */
};

int replay_sum_new(struct replay_sum **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

void replay_sum_free(struct replay_sum *sum)
{
	if (!sum)
		return;
	tdestroy(sum->rows, free);
	free(sum);
}

/* In the order in which a person reads them. */
static int rank(const struct event_verdict *verdict)
{
	static const int ranks[] = {
	        [VERDICT_ALERT] = 0, [VERDICT_NONE] = 1, [VERDICT_EXPECT] = 2, [VERDICT_IGNORE] = 3};

	return ranks[verdict->verdict];
}

static int compare_verdicts(const struct event_verdict *a, const struct event_verdict *b)
{
	if (rank(a) != rank(b))
		return rank(a) - rank(b);
	if (a->severity != b->severity)
		return (int)b->severity - (int)a->severity;
	if (!a->rule || !b->rule)
		return (a->rule != NULL) - (b->rule != NULL);
	return strcmp(a->rule, b->rule);
}

bool replay_same(const struct event_verdict *a, const struct event_verdict *b)
{
	return compare_verdicts(a, b) == 0;
}

static int compare_rows(const void *left, const void *right)
{
	const struct row *a = left, *b = right;
	int order = compare_verdicts(&a->was, &b->was);

	return order ? order : compare_verdicts(&a->now, &b->now);
}

/* "tcp 0.0.0.0:80, nginx of uid 0" */
static size_t write_example(const struct event *event, char text[EXAMPLE_LEN])
{
	struct encode_buffer buffer = {.data = text, .size = EXAMPLE_LEN};
	const char *protocol = name_of_protocol(event->protocol), *action = name_of_action(event->action);
	struct writer writer;

	writer_begin(&writer, &buffer);
	if (event->action == EVENT_LOST || event->action == EVENT_SILENT) {
		writer_text(&writer, action);
	} else {
		writer_text(&writer, protocol ? protocol : "?");
		writer_char(&writer, ' ');
		(void)write_server(&writer, event);
		writer_text(&writer, ", ");
		(void)writer_visible(&writer, event->comm, strnlen(event->comm, EVENT_COMM_LEN));
		writer_text(&writer, " of uid ");
		writer_u64(&writer, event->uid);
		if (event->error) {
			writer_text(&writer, ", ");
			(void)write_error(&writer, event->error);
		}
		if (event->action != EVENT_BOUND) {
			writer_text(&writer, ", ");
			writer_text(&writer, action ? action : "?");
		}
	}
	return writer_end(&writer, &buffer) ? 0 : buffer.used;
}

int replay_sum_add(struct replay_sum *sum, const struct event_verdict *was, const struct event *event, uint64_t line)
{
	struct row key = {.was = was ? *was : (struct event_verdict){0}, .now = event->verdict}, *row;
	void *found = tfind(&key, &sum->rows, compare_rows);
	char example[EXAMPLE_LEN];
	size_t len;

	if (found) {
		(*(struct row **)found)->events++;
		return 0;
	}
	if (sum->count == REPLAY_ROWS_MAX)
		return -E2BIG;
	len = write_example(event, example);
	row = malloc(sizeof(*row) + len + 1);
	if (!row)
		return -ENOMEM;
	*row = key;
	row->events = 1;
	row->line = line;
	memcpy(row->example, example, len);
	row->example[len] = '\0';
	if (!tsearch(row, &sum->rows, compare_rows)) {
		free(row);
		return -ENOMEM;
	}
	sum->count++;
	sum->compared |= was != NULL;
	return 0;
}

static void cell(struct cli_table *table, const char *text)
{
	cli_table_cell(table, text, strlen(text), 0);
}

/* "alert high" and its rule: two cells. */
static void cells_verdict(struct cli_table *table, const struct event_verdict *verdict)
{
	static const char *const severities[] = {
	        [SEVERITY_NONE] = "",      [SEVERITY_INFORMATIONAL] = " informational",
	        [SEVERITY_LOW] = " low",   [SEVERITY_MEDIUM] = " medium",
	        [SEVERITY_HIGH] = " high", [SEVERITY_CRITICAL] = " critical",
	};
	const char *name = name_of_verdict(verdict->verdict);

	cli_table_format(table, "%s%s", name ? name : "none", severities[verdict->severity]);
	cell(table, verdict->rule ? verdict->rule : "");
}

struct printing {
	struct cli_table table;
	bool compared;
};

static void print_row(const void *node, VISIT which, void *closure)
{
	struct printing *printing = closure;
	const struct row *row = *(struct row *const *)node;

	if (which != postorder && which != leaf)
		return;
	if (printing->compared)
		cells_verdict(&printing->table, &row->was);
	cells_verdict(&printing->table, &row->now);
	cli_table_format(&printing->table, "%llu", (unsigned long long)row->events);
	cli_table_format(&printing->table, "line %llu", (unsigned long long)row->line);
	cell(&printing->table, row->example);
}

int replay_sum_print(const struct replay_sum *sum, FILE *stream)
{
	static const char *const titles[] = {"WAS", "BY RULE", "NOW", "BY RULE", "EVENTS", "FIRST", "EXAMPLE"};
	static const char *const alone[] = {"VERDICT", "RULE", "EVENTS", "FIRST", "EXAMPLE"};
	struct printing printing = {.table = {.columns = sum->compared ? 7 : 5}, .compared = sum->compared};
	int r;

	if (!sum->count)
		return 0;
	for (unsigned int i = 0; i < printing.table.columns; i++)
		cell(&printing.table, sum->compared ? titles[i] : alone[i]);
	twalk_r(sum->rows, print_row, &printing);
	r = cli_table_print(&printing.table, stream);
	cli_table_free(&printing.table);
	return r;
}
