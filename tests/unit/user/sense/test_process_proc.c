/* SPDX-License-Identifier: BSD-2-Clause */
/* The texts of /proc/PID taken apart. Whoever names a process chooses what stands between the parentheses. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "tests/unit/user/enrich/tree.h"
#include "user/sense/process_proc.h"

/* Behind the comm: state, parent 12, flags as given, field 22, and what newer kernels add. */
#define BEHIND(flags, ticks) " S 12 7 7 34816 -1 " flags " 1 2 3 4 5 6 7 8 20 0 1 0 " ticks " 9 10 11\n"

/* clang-format off */
static const struct {
	const char *line;
	bool sound;
	const char *comm;
	uint32_t parent;
	uint64_t ticks;
	bool kernel_thread;
} lines[] = {
	{"7 (httpd)" BEHIND("4194304", "4711"), true, "httpd", 12, 4711, false},
	{"2 (kthreadd)" BEHIND("2129984", "3"), true, "kthreadd", 12, 3, true},
	{"7 (httpd)" BEHIND("4194304", "0"), true, "httpd", 12, 0, false},
	/* what a process may call itself */
	{"7 ()" BEHIND("0", "5"), true, "", 12, 5, false},
	{"7 () R 1 ()" BEHIND("0", "5"), true, ") R 1 (", 12, 5, false},
	{"7 (a) R 1 1 1 1 1 ()" BEHIND("0", "5"), true, "a) R 1 1 1 1 1 ", 12, 5, false},
	{"7 ((((((((((((((((()" BEHIND("0", "5"), true, "(((((((((((((((", 12, 5, false},
	{"7 ())))))))))))))))" BEHIND("0", "5"), true, ")))))))))))))))", 12, 5, false},
	{"7 (a\nb)" BEHIND("0", "5"), true, "a\nb", 12, 5, false},
	{"7 (\x1b[31m\xff\\)" BEHIND("0", "5"), true, "\x1b[31m\xff\\", 12, 5, false},
	{"7 (%s%n%d)" BEHIND("0", "5"), true, "%s%n%d", 12, 5, false},
	/* kernel threads have longer ones: the first 15 bytes are kept */
	{"7 (kworker/R-rcu_gp-and-more)" BEHIND("2129984", "5"), true, "kworker/R-rcu_g", 12, 5, true},
	/* no such line */
	{"", false, "", 0, 0, false},
	{"7 httpd" BEHIND("0", "5"), false, "", 0, 0, false},
	{"7 (httpd" BEHIND("0", "5"), false, "", 0, 0, false},
	{"7 httpd)" BEHIND("0", "5"), false, "", 0, 0, false},
	{"7 )httpd(" BEHIND("0", "5"), false, "", 0, 0, false},
	{"7 (httpd)", false, "", 0, 0, false},
	{"7 (httpd) S", false, "", 0, 0, false},
	{"7 (httpd) S x 7 7 34816 -1 0 1 2 3 4 5 6 7 8 20 0 1 0 5", false, "", 0, 0, false},
	{"7 (httpd) S 12 7 7 34816 -1 0 1 2 3 4 5 6 7 8 20 0 1 0", false, "", 0, 0, false},
	{"7 (httpd) S 12 7 7 34816 -1 0 1 2 3 4 5 6 7 8 20 0 1 0 x", false, "", 0, 0, false},
};
/* clang-format on */

static void stat_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct proc_stat stat;

		if (proc_parse_stat(lines[i].line, &stat) != lines[i].sound)
			fail_msg("'%s' is%s taken", lines[i].line, lines[i].sound ? " not" : "");
		if (!lines[i].sound)
			continue;
		if (strcmp(stat.comm, lines[i].comm) != 0 || stat.parent != lines[i].parent ||
		    stat.start_ns != lines[i].ticks * PROC_TICK_NS || stat.kernel_thread != lines[i].kernel_thread)
			fail_msg("'%s': (%s) parent %u start %llu kernel thread %d", lines[i].line, stat.comm,
			         stat.parent, (unsigned long long)stat.start_ns, stat.kernel_thread);
	}
}

/* Cut at any byte: what is not whole is refused, or has all that is asked for. */
static void stat_lines_cut_short(void **state)
{
	static const char whole[] = "7 () R 1 ()" BEHIND("2129984", "4711");
	/* a number whose digits are cut off is one still, so from the first digit of field 22 on it passes */
	size_t enough = (size_t)(strstr(whole, "4711") - whole) + 1;
	struct proc_stat stat;

	(void)state;
	for (size_t length = 0; length < sizeof(whole); length++) {
		char *cut = strndup(whole, length);

		assert_non_null(cut);
		if (proc_parse_stat(cut, &stat) != (length >= enough))
			fail_msg("%zu bytes: '%s'", length, cut);
		free(cut);
	}
}

static void status_values(void **state)
{
	static const struct {
		const char *text, *name, *value; /* up to the line's end; NULL: none */
	} rows[] = {
	        {"Name:\tsshd\nUid:\t1\t2\t3\t4\nGid:\t5\n", "Name", "sshd"},
	        {"Name:\tsshd\nUid:\t1\t2\t3\t4\nGid:\t5\n", "Uid", "1\t2\t3\t4"},
	        {"Name:\tsshd\nUid:\t1\t2\t3\t4\nGid:\t5\n", "Gid", "5"},
	        {"Name:\tsshd\nUid:\t1", "Uid", "1"},
	        {"Groups:\t \nUid:\t1\n", "Groups", " "},
	        {"Groups:\t\nUid:\t1\n", "Groups", ""},
	        /* the kernel writes a line break of a name as \n: such a name makes no line */
	        {"Name:\tUid:\t0\nUid:\t1\n", "Uid", "1"},
	        {"Name:\tx\\nUid:\t0\nUid:\t1\n", "Uid", "1"},
	        {"Name:\tsshd\nUid:\t1\n", "CapEff", NULL},
	        {"NSUid:\t7\nUid2:\t8\nUid2\t8\nUid 9\nUid:10\n", "Uid", NULL},
	        {"Uid", "Uid", NULL},
	        {"Uid:", "Uid", NULL},
	        {"Uid:\t", "Uid", ""},
	        {"", "Uid", NULL},
	        {"\n\n\n", "Uid", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *value = proc_status(rows[i].text, rows[i].name);

		if (!value != !rows[i].value)
			fail_msg("row %zu: %s", i, value ? value : "nothing");
		if (value && (strcspn(value, "\n") != strlen(rows[i].value) ||
		              strncmp(value, rows[i].value, strlen(rows[i].value)) != 0))
			fail_msg("row %zu: %s", i, value);
	}
}

static void files_are_read_to_what_fits(void **state)
{
	char directory[] = "/tmp/test_process_proc.XXXXXX", text[8];
	int proc;

	(void)state;
	assert_non_null(mkdtemp(directory));
	tree_file(directory, "/empty", "");
	tree_file(directory, "/fits", "1234567");
	tree_file(directory, "/more", "12345678");
	proc = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(proc_file(proc, "empty", text, sizeof(text)), 0);
	assert_string_equal(text, "");
	assert_int_equal(proc_file(proc, "fits", text, sizeof(text)), 7);
	assert_string_equal(text, "1234567");
	assert_int_equal(proc_file(proc, "more", text, sizeof(text)), 7);
	assert_string_equal(text, "1234567");
	assert_int_equal(proc_file(proc, "none", text, sizeof(text)), -ENOENT);
	assert_int_equal(proc_file(proc, ".", text, sizeof(text)), -EISDIR);
	close(proc);
	tree_remove(directory);
}

/* A directory of a process that is none, and one that is gone. */
static void processes_that_are_none(void **state)
{
	char directory[] = "/tmp/test_process_proc.XXXXXX";
	struct proc_stat stat;
	int root, proc;

	(void)state;
	assert_non_null(mkdtemp(directory));
	tree_directory(directory, "/7");
	root = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(proc_open(root, 8), -ESRCH);
	assert_int_equal(proc_open(-1, 7), -EBADF);
	proc = proc_open(root, 7);
	assert_true(proc >= 0);
	assert_int_equal(proc_stat(proc, &stat), -ESRCH);
	tree_file(directory, "/7/stat", "7 (half");
	assert_int_equal(proc_stat(proc, &stat), -EBADMSG);
	tree_file(directory, "/7/stat", lines[0].line);
	assert_int_equal(proc_stat(proc, &stat), 0);
	assert_int_equal(proc_namespace(proc, "ns/net"), 0);
	close(proc);
	close(root);
	tree_remove(directory);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	        cmocka_unit_test(stat_lines),
	        cmocka_unit_test(stat_lines_cut_short),
	        cmocka_unit_test(status_values),
	        cmocka_unit_test(files_are_read_to_what_fits),
	        cmocka_unit_test(processes_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
