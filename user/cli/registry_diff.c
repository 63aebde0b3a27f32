/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/cli/registry_diff.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define PORTS 65536U

/* What a pair was and is. */
struct change {
	const struct registry_entry *old, *new;
};

static bool same_facts(const struct registry_entry *a, const struct registry_entry *b)
{
	const char *x = a->names, *y = b->names;

	if (a == b)
		return true;
	if (a->state != b->state || a->flags != b->flags || a->names_count != b->names_count || strcmp(a->title, b->title) != 0)
		return false;
	for (unsigned int i = 0; i < a->names_count; i++, x = registry_next_name(x), y = registry_next_name(y))
		if (strcmp(x, y) != 0)
			return false;
	return true;
}

static struct change change_of(const struct registry *old, const struct registry *new, uint32_t port, unsigned int t)
{
	enum registry_transport transport = (enum registry_transport)t;

	return (struct change){registry_lookup(old, (uint16_t)port, transport),
			       registry_lookup(new, (uint16_t)port, transport)};
}

static bool differs(struct change change)
{
	return !same_facts(change.old, change.new);
}

static bool alike(struct change a, struct change b)
{
	return same_facts(a.old, b.old) && same_facts(a.new, b.new);
}

/* The transports whose change is like that of t, as a mask. */
static unsigned int transports_alike(const struct registry *old, const struct registry *new, uint32_t port,
				     unsigned int t)
{
	struct change change = change_of(old, new, port, t);
	unsigned int mask = 0;

	for (unsigned int other = 0; other < REGISTRY_TRANSPORTS; other++)
		if (alike(change_of(old, new, port, other), change))
			mask |= 1U << other;
	return mask;
}

/* True where the port's line for t is the one of the port before. */
static bool goes_on(const struct registry *old, const struct registry *new, uint32_t port, unsigned int t)
{
	return alike(change_of(old, new, port - 1, t), change_of(old, new, port, t)) &&
	       transports_alike(old, new, port - 1, t) == transports_alike(old, new, port, t);
}

static void write_facts(const struct registry_entry *entry, FILE *out)
{
	const char *name = entry->names;

	if (entry->state != REGISTRY_ASSIGNED || !entry->names_count)
		(void)fputs(registry_state_name((enum registry_state)entry->state), out);
	for (unsigned int i = 0; i < entry->names_count; i++, name = registry_next_name(name))
		(void)fprintf(out, "%s%s", i ? "," : entry->state == REGISTRY_ASSIGNED ? "" : " ", name);
	if (*entry->title)
		(void)fprintf(out, " \"%s\"", entry->title);
}

static void write_change(struct change change, uint32_t first, uint32_t last, unsigned int transports, char mark,
			 FILE *out)
{
	int width = first == last ? fprintf(out, "%c %u", mark, first) : fprintf(out, "%c %u-%u", mark, first, last);
	char separator = '/';

	for (unsigned int t = 0; t < REGISTRY_TRANSPORTS; t++) {
		if (!(transports & 1U << t))
			continue;
		width += fprintf(out, "%c%s", separator, registry_transport_name((enum registry_transport)t));
		separator = ',';
	}
	(void)fprintf(out, "%*s", width < 24 ? 24 - width : 2, "");
	write_facts(change.old, out);
	(void)fputs(" -> ", out);
	write_facts(change.new, out);
	(void)fputc('\n', out);
}

/* Counts the pair; returns the mark of its line. */
static char count_change(struct change change, struct registry_diff *diff)
{
	bool was = change.old->state == REGISTRY_ASSIGNED, is = change.new->state == REGISTRY_ASSIGNED;

	if (is && !was) {
		diff->added++;
		return '+';
	}
	if (was && !is) {
		diff->removed++;
		return '-';
	}
	diff->changed++;
	return '~';
}

void registry_diff(const struct registry *old, const struct registry *new, FILE *out, struct registry_diff *ret)
{
	*ret = (struct registry_diff){0};
	for (uint32_t port = 0; port < PORTS; port++) {
		for (unsigned int t = 0; t < REGISTRY_TRANSPORTS; t++) {
			struct change change = change_of(old, new, port, t);
			unsigned int transports;
			uint32_t last = port;
			char mark;

			if (!differs(change))
				continue;
			mark = count_change(change, ret);
			/* the first transport of a set writes its line, at the first port */
			transports = transports_alike(old, new, port, t);
			if (transports & ((1U << t) - 1) || (port && goes_on(old, new, port, t)))
				continue;
			while (last + 1 < PORTS && goes_on(old, new, last + 1, t))
				last++;
			write_change(change, port, last, transports, mark, out);
		}
	}
}
