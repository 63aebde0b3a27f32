/* SPDX-License-Identifier: BSD-2-Clause */
/* A table for a person: cells are collected, then printed in columns as wide as what is in them. */
#ifndef USER_CLI_TABLE_H
#define USER_CLI_TABLE_H

#include <stddef.h>
#include <stdio.h>

/* All zeros but for columns is an empty table. */
struct cli_table {
	unsigned int columns;
	char *text; /* the cells, one behind the other */
	size_t text_used, text_size;
	struct cli_table_cell {
		size_t at, len, width; /* bytes, and characters on the screen */
	} * cells;
	size_t cells_count, cells_size;
	int error; /* the first error; what follows is ignored, and cli_table_print() returns it */
};

/* The next cell, row by row: any bytes, made fit for a terminal with flags as user/base/visible.h has them. */
void cli_table_cell(struct cli_table *table, const char *text, size_t len, unsigned int flags);

/* The same for text of our own. Longer text than 255 bytes is cut. */
void cli_table_format(struct cli_table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * The rows, the first of them as the header. A column with nothing in it below its header is left out. 0, or -errno:
 * -ENOMEM, or the error of the stream.
 */
int cli_table_print(const struct cli_table *table, FILE *stream);

/* Frees what is in it, not the struct. NULL is allowed. */
void cli_table_free(struct cli_table *table);

#endif
