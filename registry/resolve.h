/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows speak of ranges and contradict each other; the resolver says which of them holds for each port. */
#ifndef REGISTRY_RESOLVE_H
#define REGISTRY_RESOLVE_H

#include <stdbool.h>
#include <stdint.h>

#include "registry/table.h"

struct resolve_row {
	uint16_t first, last; /* ports */
	uint8_t transports;   /* mask of 1 << enum registry_transport */
	bool every_transport; /* the row names no transport: it speaks of all of them */
	bool alias;	      /* the name is a historic alias of another */
	uint8_t state;	      /* enum registry_state */
	uint32_t name, title; /* of table_string() */
	uint32_t registered, modified, removed;
	uint32_t line;		   /* for messages */
	uint32_t uses, uses_count; /* ports whose unauthorised use it notes: a slice of resolver.uses */
};

struct resolve_use {
	uint16_t first, last;
};

struct resolver {
	struct resolve_row *rows;
	size_t rows_count, rows_size;
	struct resolve_use *uses;
	size_t uses_count, uses_size;
	uint64_t pairs; /* that the rows speak of, each as often as they do */
};

/*
 * Adds ports whose unauthorised use the next row notes; the row's uses are the last added ones.
 * 0 or -ENOMEM.
 */
int resolve_add_use(struct resolver *resolver, uint16_t first, uint16_t last);

/* 0; -ENOMEM; -EINVAL: the rows speak of more pairs, all together, than any registry's do. */
int resolve_add_row(struct resolver *resolver, const struct resolve_row *row);

/*
 * Sets the entry of each pair that a row speaks of. Of several rows
 *
 *   - one that assigns beats one that does not: "Unassigned" ranges overlap assigned ports;
 *   - then the narrower range beats the wider;
 *   - then one that names its transport beats one that speaks of all.
 *
 * Rows that are equal by that all give their names, the historic aliases behind the others and else in the order of
 * the file; state, title and dates come from the row of the first name.
 * 0, or -errno with a message in error.
 */
int resolve(const struct resolver *resolver, const struct input *input, struct table_builder *builder,
	    char error[REGISTRY_ERROR_LEN]);

/* NULL is allowed. */
void resolve_free(struct resolver *resolver);

#endif
