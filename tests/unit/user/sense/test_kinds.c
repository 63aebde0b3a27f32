/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "user/sense/kinds.h"

static struct process_reading reading; /* large */

static const struct process_reading *holder(uint32_t pid)
{
	reading = (struct process_reading){
	        .process = {.pid = pid,
	                    .comm = "httpd",
	                    .executable = {.path = "/usr/sbin/httpd", .device = 1, .inode = 2},
	                    .cgroup = {.path = "/system.slice/httpd.service"},
	                    .userns_inode = 3,
	                    .mntns_inode = 4},
	        .uid = 33,
	        .credentials = {.known = true, .effective_uid = 33},
	};
	return &reading;
}

static void path(void)
{
	reading.process.executable.path = "/usr/sbin/other";
}

static void no_path(void)
{
	reading.process.executable.path = NULL;
}

static void cut(void)
{
	reading.process.executable.path_truncated = true;
}

static void inode(void)
{
	reading.process.executable.inode++;
}

static void flags(void)
{
	reading.process.executable.flags = EXECUTABLE_DELETED;
}

static void cgroup(void)
{
	reading.process.cgroup.path = "/user.slice/session-1.scope";
}

static void userns(void)
{
	reading.process.userns_inode++;
}

static void user(void)
{
	reading.uid = 0;
}

static void effective_user(void)
{
	reading.credentials.effective_uid = 0;
}

static void name(void)
{
	reading.process.comm[0] = 'x';
}

static void arguments(void)
{
	reading.process.arguments = "worker";
	reading.process.arguments_length = sizeof("worker");
}

static void what_makes_a_kind(void **state)
{
	static const struct {
		void (*change)(void);
		bool other;
	} rows[] = {
	        {path, true},           {no_path, true}, {cut, true},        {inode, true},
	        {flags, true},          {cgroup, true},  {userns, true},     {user, true},
	        {effective_user, true}, {name, false},   {arguments, false},
	};
	struct kinds *kinds;

	(void)state;
	assert_int_equal(kinds_new(&kinds), 0);
	assert_true(kinds_meet(kinds, holder(1), 0));
	assert_false(kinds_meet(kinds, holder(2), 0));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)holder((uint32_t)(10 + i));
		rows[i].change();
		if (kinds_meet(kinds, &reading, 0) != rows[i].other)
			fail_msg("row %zu", i);
		assert_false(kinds_meet(kinds, &reading, 0));
	}
	kinds_free(kinds);
	kinds_free(NULL);
}

/* Each process is read once, and told at each socket. */
static void a_process_is_known_again(void **state)
{
	struct kinds *kinds;
	bool is_new = false;

	(void)state;
	assert_int_equal(kinds_new(&kinds), 0);
	assert_false(kinds_meet_again(kinds, 1, 7, &is_new));
	assert_true(kinds_meet(kinds, holder(1), 7));
	assert_true(kinds_meet_again(kinds, 1, 7, &is_new));
	assert_false(is_new);
	kinds_begin(kinds);
	assert_true(kinds_meet_again(kinds, 1, 7, &is_new));
	assert_true(is_new);
	/* another one of the same pid, and after all were forgotten */
	assert_false(kinds_meet_again(kinds, 1, 8, &is_new));
	kinds_forget(kinds);
	assert_false(kinds_meet_again(kinds, 1, 7, &is_new));
	kinds_free(kinds);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	        cmocka_unit_test(what_makes_a_kind),
	        cmocka_unit_test(a_process_is_known_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
