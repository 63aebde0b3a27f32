/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows and refusals, each in a tree by its key: one look-up an event, and sorted at the end. */
#include <errno.h>
#include <linux/types.h> /* before the contract with the kernel side, which includes nothing */
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/bindwatch.h"
#include "user/cli/learn.h"

struct learn {
	bool all;
	size_t count;
	void *rows, *refusals; /* of tsearch(3) */
};

int learn_open(bool all, struct learn **ret)
{
	*ret = calloc(1, sizeof(**ret));
	if (!*ret)
		return -ENOMEM;
	(*ret)->all = all;
	return 0;
}

void learn_free(struct learn *learn)
{
	if (!learn)
		return;
	tdestroy(learn->rows, free);
	tdestroy(learn->refusals, free);
	free(learn);
}

/* NULL goes before every text. */
static int compare_texts(const char *a, const char *b)
{
	if (!a || !b)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

#define COMPARE(a, b)                                                                                                  \
	do {                                                                                                           \
		if ((a) != (b))                                                                                        \
			return (a) < (b) ? -1 : 1;                                                                     \
	} while (0)

static int compare_rows(const void *left, const void *right)
{
	const struct learn_row *a = left, *b = right;
	int order = compare_texts(a->program.exe, b->program.exe);

	if (!order)
		order = compare_texts(a->program.unit, b->program.unit);
	if (order)
		return order;
	COMPARE(a->program.in_container, b->program.in_container);
	COMPARE(a->program.not_in_container, b->program.not_in_container);
	COMPARE(a->port, b->port);
	COMPARE(a->transport, b->transport);
	return 0;
}

static int compare_refusals(const void *left, const void *right)
{
	const struct learn_refusal *a = left, *b = right;
	int order = compare_texts(a->program, b->program);

	return order ? order : compare_texts(a->why, b->why);
}

/* The text behind the struct: one piece of memory for both. */
static const char *copy_text(char **at, const char *text)
{
	char *copy = *at;

	if (!text)
		return NULL;
	*at = stpcpy(copy, text) + 1;
	return copy;
}

static size_t size_of(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

/* Puts it into the tree, or frees it. */
static int keep(struct learn *learn, void **tree, void *row, int (*compare)(const void *a, const void *b))
{
	if (learn->count == LEARN_ROWS_MAX || !tsearch(row, tree, compare)) {
		free(row);
		return learn->count == LEARN_ROWS_MAX ? -E2BIG : -ENOMEM;
	}
	learn->count++;
	return 0;
}

static void add_user(struct learn_row *row, uint32_t user)
{
	for (unsigned int i = 0; i < row->users_count; i++)
		if (row->users[i] == user)
			return;
	if (row->users_count < LEARN_USERS)
		row->users[row->users_count++] = user;
	else
		row->more_users = true;
}

static int add_row(struct learn *learn, const struct event *event)
{
	struct learn_row key = {.program = learn_program_of(event),
	                        .port = event->facts.server.port,
	                        .transport = event->facts.transport,
	                        .first_ns = event->time_ns};
	void *found = tfind(&key, &learn->rows, compare_rows);
	struct learn_row *row;
	int r;

	if (!found) {
		char *texts;

		row = malloc(sizeof(*row) + size_of(key.program.exe) + size_of(key.program.unit));
		if (!row)
			return -ENOMEM;
		texts = (char *)(row + 1);
		*row = key;
		row->program.exe = copy_text(&texts, key.program.exe);
		row->program.unit = copy_text(&texts, key.program.unit);
		r = keep(learn, &learn->rows, row, compare_rows);
		if (r < 0)
			return r;
	} else {
		row = *(struct learn_row **)found;
	}
	row->binds++;
	if (event->time_ns < row->first_ns)
		row->first_ns = event->time_ns;
	if (event->time_ns > row->last_ns)
		row->last_ns = event->time_ns;
	add_user(row, event->uid);
	return 0;
}

static int add_refusal(struct learn *learn, const struct event *event, const char *why)
{
	const char *path = event->process ? event->process->executable.path : NULL;
	struct learn_refusal key = {.why = why, .at = event->facts, .user = event->uid}, *refusal;
	char name[EVENT_COMM_LEN + 2];
	void *found;
	char *texts;

	(void)snprintf(name, sizeof(name), "[%.*s]", EVENT_COMM_LEN - 1, event->comm[0] ? event->comm : "not seen");
	key.program = path ? path : name;
	found = tfind(&key, &learn->refusals, compare_refusals);
	if (found) {
		(*(struct learn_refusal **)found)->binds++;
		return 0;
	}
	refusal = malloc(sizeof(*refusal) + size_of(key.program) + size_of(event->verdict.rule));
	if (!refusal)
		return -ENOMEM;
	texts = (char *)(refusal + 1);
	*refusal = key;
	refusal->binds = 1;
	refusal->program = copy_text(&texts, key.program);
	refusal->rule = copy_text(&texts, event->verdict.rule);
	return keep(learn, &learn->refusals, refusal, compare_refusals);
}

static bool takes_port(const struct event *event)
{
	if (event->action == EVENT_LISTEN)
		return event->socket_flags & (BW_SOCKET_AUTOBOUND | BW_SOCKET_UNTOLD);
	return event->action == EVENT_BOUND || event->action == EVENT_EXISTING;
}

int learn_add(struct learn *learn, const struct event *event)
{
	const struct event_facts *facts = &event->facts;
	const char *why;

	if (!takes_port(event) || event->error || facts->ephemeral || facts->exposure == EXPOSURE_LOOPBACK ||
	    !facts->server.has_port || !facts->server.port || !facts->has_transport)
		return 0;
	if (!learn->all && event->verdict.verdict != VERDICT_ALERT)
		return 0;
	why = learn_why_not(event);
	return why ? add_refusal(learn, event, why) : add_row(learn, event);
}

struct walk {
	int (*row)(void *context, const struct learn_row *row);
	int (*refusal)(void *context, const struct learn_refusal *refusal);
	void *context;
	int result;
};

static void visit(const void *node, VISIT which, void *closure)
{
	struct walk *walk = closure;
	const void *item = *(void *const *)node;

	if ((which != postorder && which != leaf) || walk->result)
		return;
	walk->result = walk->row ? walk->row(walk->context, item) : walk->refusal(walk->context, item);
}

int learn_each_row(const struct learn *learn, int (*each)(void *context, const struct learn_row *row), void *context)
{
	struct walk walk = {.row = each, .context = context};

	twalk_r(learn->rows, visit, &walk);
	return walk.result;
}

int learn_each_refusal(const struct learn *learn, int (*each)(void *context, const struct learn_refusal *refusal),
                       void *context)
{
	struct walk walk = {.refusal = each, .context = context};

	twalk_r(learn->refusals, visit, &walk);
	return walk.result;
}
