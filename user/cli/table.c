/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/cli/table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/visible.h"

#define GAP 2

/* Room for one more of `size` bytes each. False: no memory, *list is as it was. */
static bool reserve(void **list, size_t wanted, size_t *have, size_t size)
{
	size_t count = *have ? *have : 256;
	void *grown;

	if (wanted <= *have)
		return true;
	while (count < wanted)
		count *= 2;
	grown = reallocarray(*list, count, size);
	if (!grown)
		return false;
	*list = grown;
	*have = count;
	return true;
}

void cli_table_cell(struct cli_table *table, const char *text, size_t len, unsigned int flags)
{
	struct cli_table_cell cell = {.at = table->text_used};
	void *text_list = table->text, *cells_list = table->cells;
	char form[VISIBLE_MAX];
	size_t taken, size;
	bool fits;

	if (table->error)
		return;
	/* at most VISIBLE_MAX for each byte */
	fits = reserve(&text_list, table->text_used + len * VISIBLE_MAX, &table->text_size, 1);
	table->text = text_list;
	fits = fits && reserve(&cells_list, table->cells_count + 1, &table->cells_size, sizeof(cell));
	table->cells = cells_list;
	if (!fits) {
		table->error = -ENOMEM;
		return;
	}
	while (len) {
		size = visible_next(text, len, flags, form, &taken);
		memcpy(table->text + table->text_used, form, size);
		table->text_used += size;
		/* a character that passes as it is takes one place, an escape one for each of its own */
		cell.width += size == taken ? 1 : size;
		text += taken;
		len -= taken;
	}
	cell.len = table->text_used - cell.at;
	table->cells[table->cells_count++] = cell;
}

void cli_table_format(struct cli_table *table, const char *format, ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	cli_table_cell(table, text, strlen(text), 0);
}

/* The width of a column; 0: nothing is in it. */
static size_t column_width(const struct cli_table *table, size_t column)
{
	size_t width = 0;

	for (size_t i = column + table->columns; i < table->cells_count; i += table->columns) {
		if (table->cells[i].width > width)
			width = table->cells[i].width;
	}
	if (width && table->cells[column].width > width)
		width = table->cells[column].width;
	return width;
}

static void print_row(const struct cli_table *table, size_t first, const size_t *widths, FILE *stream)
{
	size_t blanks = 0;

	for (size_t column = 0; column < table->columns; column++) {
		const struct cli_table_cell *cell = &table->cells[first + column];

		if (!widths[column])
			continue;
		if (cell->len) {
			(void)fprintf(stream, "%*s", (int)blanks, "");
			(void)fwrite(table->text + cell->at, 1, cell->len, stream);
			blanks = 0;
		}
		blanks += widths[column] - cell->width + GAP;
	}
	(void)fputc('\n', stream);
}

int cli_table_print(const struct cli_table *table, FILE *stream)
{
	size_t *widths;

	if (table->error)
		return table->error;
	if (!table->columns || table->cells_count % table->columns)
		return -EINVAL;
	widths = calloc(table->columns, sizeof(*widths));
	if (!widths)
		return -ENOMEM;
	for (size_t column = 0; column < table->columns; column++)
		widths[column] = column_width(table, column);
	errno = 0;
	for (size_t i = 0; i < table->cells_count && !ferror(stream); i += table->columns)
		print_row(table, i, widths, stream);
	free(widths);
	return ferror(stream) ? (errno ? -errno : -EIO) : 0;
}

void cli_table_free(struct cli_table *table)
{
	if (!table)
		return;
	free(table->text);
	free(table->cells);
	*table = (struct cli_table){.columns = table->columns};
}
