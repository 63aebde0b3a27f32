/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/resolve.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "registry/text.h"

/*
 * The official file's rows speak of 230,000 pairs. Each costs time and 8 bytes, and a hostile file could speak of all
 * ports in every row.
 */
#define PAIRS_MAX (1U << 22)

#define NONE UINT32_MAX

/* One row that holds for a pair; the pair's other rows follow by `next`. */
struct node {
	uint32_t row, next;
};

/* How the rows stand to each pair. */
struct winners {
	uint32_t *rank;	 /* TABLE_PAIRS: the highest rank of a row that speaks of the pair; 0: no row does */
	uint32_t *first; /* TABLE_PAIRS: into nodes, or NONE */
	struct node *nodes;
	size_t nodes_count;
	uint32_t *entry; /* of each row, once it is known: 1 + the entry that the row alone makes, or 0 */
};

static int make_room(void *array, size_t *size, size_t count, size_t element)
{
	void **pointer = array, *bigger;

	if (count < *size)
		return 0;
	bigger = reallocarray(*pointer, *size ? *size * 2 : 256, element);
	if (!bigger)
		return -ENOMEM;
	*pointer = bigger;
	*size = *size ? *size * 2 : 256;
	return 0;
}

int resolve_add_use(struct resolver *resolver, uint16_t first, uint16_t last)
{
	int r = make_room(&resolver->uses, &resolver->uses_size, resolver->uses_count, sizeof(*resolver->uses));

	if (r < 0)
		return r;
	resolver->uses[resolver->uses_count++] = (struct resolve_use){.first = first, .last = last};
	return 0;
}

int resolve_add_row(struct resolver *resolver, const struct resolve_row *row)
{
	uint64_t pairs = ((uint64_t)row->last - row->first + 1) * (unsigned int)__builtin_popcount(row->transports);
	int r;

	if (resolver->pairs + pairs > PAIRS_MAX)
		return -EINVAL;
	r = make_room(&resolver->rows, &resolver->rows_size, resolver->rows_count, sizeof(*resolver->rows));
	if (r < 0)
		return r;
	resolver->rows[resolver->rows_count++] = *row;
	resolver->pairs += pairs;
	return 0;
}

void resolve_free(struct resolver *resolver)
{
	if (!resolver)
		return;
	free(resolver->rows);
	free(resolver->uses);
	*resolver = (struct resolver){0};
}

/* Above 0; see resolve() for the order. */
static uint32_t row_rank(const struct resolve_row *row)
{
	uint32_t width = (uint32_t)row->last - row->first + 1;

	return (row->state == REGISTRY_ASSIGNED ? 1U << 18 : 0) | (TABLE_PORTS - width) << 1 | !row->every_transport;
}

/* Bits beside the rank, so that no rank is 0. */
#define RANKED (1U << 31)

static void rank_pairs(const struct resolver *resolver, struct winners *winners)
{
	for (size_t i = 0; i < resolver->rows_count; i++) {
		const struct resolve_row *row = &resolver->rows[i];
		uint32_t rank = RANKED | row_rank(row);

		for (uint32_t port = row->first; port <= row->last; port++)
			for (unsigned int t = 0; t < REGISTRY_TRANSPORTS; t++)
				if (row->transports & 1U << t && winners->rank[TABLE_PAIR(port, t)] < rank)
					winners->rank[TABLE_PAIR(port, t)] = rank;
	}
}

/* From the last row to the first, each put before the others: so a pair's list is in the order of the file. */
static void link_winners(const struct resolver *resolver, struct winners *winners)
{
	for (size_t i = resolver->rows_count; i-- > 0;) {
		const struct resolve_row *row = &resolver->rows[i];
		uint32_t rank = RANKED | row_rank(row);

		for (uint32_t port = row->first; port <= row->last; port++) {
			for (unsigned int t = 0; t < REGISTRY_TRANSPORTS; t++) {
				uint32_t pair = TABLE_PAIR(port, t);

				if (!(row->transports & 1U << t) || winners->rank[pair] != rank)
					continue;
				winners->nodes[winners->nodes_count] =
				    (struct node){.row = (uint32_t)i, .next = winners->first[pair]};
				winners->first[pair] = (uint32_t)winners->nodes_count++;
			}
		}
	}
}

static bool notes_use(const struct resolver *resolver, const struct resolve_row *row, uint16_t port)
{
	for (uint32_t i = 0; i < row->uses_count; i++)
		if (port >= resolver->uses[row->uses + i].first && port <= resolver->uses[row->uses + i].last)
			return true;
	return false;
}

static bool name_known(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

struct gathered {
	const char *names[TABLE_NAMES_MAX];
	size_t count;
	const struct resolve_row *main; /* of the first name, or the first row */
};

/* The names of a pair's rows, either the aliases or the others. */
static int gather_names(const struct resolver *resolver, const struct winners *winners, uint32_t node,
			const struct table_builder *builder, bool alias, struct gathered *gathered)
{
	for (; node != NONE; node = winners->nodes[node].next) {
		const struct resolve_row *row = &resolver->rows[winners->nodes[node].row];
		const char *name = table_text(builder, row->name);

		if (!*name || row->alias != alias || name_known(gathered->names, gathered->count, name))
			continue;
		if (gathered->count == TABLE_NAMES_MAX)
			return -EINVAL;
		if (!gathered->count)
			gathered->main = row;
		gathered->names[gathered->count++] = name;
	}
	return 0;
}

static int too_many_names(const struct input *input, uint32_t line, uint32_t pair, char error[REGISTRY_ERROR_LEN])
{
	return input_fault(input, line, error, "port %u/%s has more than %d names", pair / REGISTRY_TRANSPORTS,
			   registry_transport_name((enum registry_transport)(pair % REGISTRY_TRANSPORTS)),
			   TABLE_NAMES_MAX);
}

/* Makes the entry of a pair that at least one row speaks of. */
static int resolve_pair(const struct resolver *resolver, struct winners *winners, const struct input *input,
			struct table_builder *builder, uint32_t pair, char error[REGISTRY_ERROR_LEN])
{
	uint32_t first = winners->first[pair], row = winners->nodes[first].row;
	struct gathered gathered = {.main = &resolver->rows[row]};
	bool alone = winners->nodes[first].next == NONE && !resolver->rows[row].uses_count;
	struct table_entry entry = {0};
	int r;

	if (alone && winners->entry[row]) {
		builder->index[pair] = (uint16_t)(winners->entry[row] - 1);
		return 0;
	}
	if (gather_names(resolver, winners, first, builder, false, &gathered) < 0 ||
	    gather_names(resolver, winners, first, builder, true, &gathered) < 0)
		return too_many_names(input, resolver->rows[row].line, pair, error);
	for (uint32_t node = first; node != NONE; node = winners->nodes[node].next)
		if (notes_use(resolver, &resolver->rows[winners->nodes[node].row],
			      (uint16_t)(pair / REGISTRY_TRANSPORTS)))
			entry.flags |= REGISTRY_UNAUTHORIZED_USE;
	entry.state = gathered.main->state;
	entry.title = gathered.main->title;
	entry.registered = gathered.main->registered;
	entry.modified = gathered.main->modified;
	entry.removed = gathered.main->removed;
	entry.names_count = (uint8_t)gathered.count;
	r = table_names(builder, gathered.names, gathered.count, &entry.names);
	if (!r)
		r = table_entry(builder, &entry, &builder->index[pair]);
	if (r < 0)
		return table_fault(input, gathered.main->line, r, error);
	if (alone)
		winners->entry[row] = builder->index[pair] + 1U;
	return 0;
}

int resolve(const struct resolver *resolver, const struct input *input, struct table_builder *builder,
	    char error[REGISTRY_ERROR_LEN])
{
	struct winners winners = {0};
	int r = 0;

	winners.rank = calloc(TABLE_PAIRS, sizeof(*winners.rank));
	winners.first = malloc(TABLE_PAIRS * sizeof(*winners.first));
	winners.nodes = malloc((resolver->pairs + 1) * sizeof(*winners.nodes));
	winners.entry = calloc(resolver->rows_count + 1, sizeof(*winners.entry));
	if (!winners.rank || !winners.first || !winners.nodes || !winners.entry) {
		r = table_fault(input, 0, -ENOMEM, error);
		goto out;
	}
	memset(winners.first, 0xff, TABLE_PAIRS * sizeof(*winners.first));
	rank_pairs(resolver, &winners);
	link_winners(resolver, &winners);
	for (uint32_t pair = 0; pair < TABLE_PAIRS && !r; pair++)
		if (winners.first[pair] != NONE)
			r = resolve_pair(resolver, &winners, input, builder, pair, error);
out:
	free(winners.rank);
	free(winners.first);
	free(winners.nodes);
	free(winners.entry);
	return r;
}
