/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "user/base/visible.h"
#include "user/cli/table.h"

static void cell(struct cli_table *table, const char *text)
{
	cli_table_cell(table, text, strlen(text), VISIBLE_BACKSLASH);
}

static void print_equals(const struct cli_table *table, const char *wanted)
{
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	assert_non_null(stream);
	assert_int_equal(cli_table_print(table, stream), 0);
	assert_int_equal(fclose(stream), 0);
	assert_string_equal(text, wanted);
	free(text);
}

/* As wide as the widest cell; an empty column vanishes; nothing behind the last cell of a row. */
static void table_aligns(void **state)
{
	struct cli_table table = {.columns = 4};
	static const char *const cells[] = {"A", "EMPTY", "LONGER", "C", "1", "", "2", "", "333", "", "", "4"};

	(void)state;
	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++)
		cell(&table, cells[i]);
	print_equals(&table, "A    LONGER  C\n1    2\n333          4\n");
	cli_table_free(&table);
}

/* What another process calls itself can neither move the cursor nor break the line, and the columns stay even. */
static void table_hostile(void **state)
{
	struct cli_table table = {.columns = 2};
	static const char *const cells[] = {"NAME", "X", "\x1b[31m\n", "1", "\xc3\xa4\xff\\", "2", "ok", "3"};

	(void)state;
	for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++)
		cell(&table, cells[i]);
	print_equals(&table, "NAME        X\n\\x1b[31m\\n  1\n\xc3\xa4\\xff\\\\     2\nok          3\n");
	cli_table_free(&table);
}

static void table_grows(void **state)
{
	struct cli_table table = {.columns = 2};
	char *text = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&text, &size);

	(void)state;
	for (int i = 0; i < 20000; i++)
		cli_table_format(&table, "%d", i % 10);
	assert_int_equal(cli_table_print(&table, stream), 0);
	assert_int_equal(fclose(stream), 0);
	assert_int_equal(size, 10000 * 5);
	assert_memory_equal(text + size - 5, "8  9\n", 5);
	free(text);
	cli_table_free(&table);
}

static void table_full_disk(void **state)
{
	struct cli_table table = {.columns = 1};
	FILE *stream = fopen("/dev/full", "w");

	(void)state;
	if (!stream) {
		print_message("there is no /dev/full here\n");
		skip();
	}
	(void)setvbuf(stream, NULL, _IONBF, 0);
	cell(&table, "A");
	cell(&table, "b");
	assert_int_equal(cli_table_print(&table, stream), -ENOSPC);
	(void)fclose(stream);
	cli_table_free(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(table_aligns),
	    cmocka_unit_test(table_hostile),
	    cmocka_unit_test(table_grows),
	    cmocka_unit_test(table_full_disk),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
