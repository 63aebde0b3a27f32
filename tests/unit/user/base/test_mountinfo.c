/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "user/base/mountinfo.h"

static const struct {
	const char *line, *root, *point, *type; /* root NULL: refused */
} lines[] = {
    {"38 31 0:39 / /sys/fs/cgroup rw,relatime shared:9 - cgroup2 cgroup2 rw\n", "/", "/sys/fs/cgroup", "cgroup2"},
    {"38 31 0:39 /a /b rw - ext4 /dev/vda rw\n", "/a", "/b", "ext4"},
    {"529 24 0:4 net:[4026532281] /run/netns/blue rw shared:260 - nsfs nsfs rw\n", "net:[4026532281]",
     "/run/netns/blue", "nsfs"},
    {"529 24 0:4 / /run/a\\040b\\134\\011\\012 rw - nsfs nsfs rw\n", "/", "/run/a b\\\t\n", "nsfs"},
    {"529 24 0:4 / /run/\\04 rw - nsfs nsfs rw\n", NULL, NULL, NULL},
    {"529 24 0:4 / /run/\\999 rw - nsfs nsfs rw\n", NULL, NULL, NULL},
    {"529 24 0:4 / /run/\\000 rw - nsfs nsfs rw\n", NULL, NULL, NULL},
    {"529 24 0:4 / /run/\\ rw - nsfs nsfs rw\n", NULL, NULL, NULL},
    {"529 24 0:4 / - nsfs nsfs rw\n", NULL, NULL, NULL},
    {"529 24 0:4 / /run/a rw - \n", NULL, NULL, NULL},
    {"529 24 0:4 / /run/a rw\n", NULL, NULL, NULL},
    {"529 24", NULL, NULL, NULL},
    {" - ", NULL, NULL, NULL},
    {"\n", NULL, NULL, NULL},
    {"", NULL, NULL, NULL},
};

static void lines_are_taken_apart(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char *line = strdup(lines[i].line); /* of its very size, so that a read behind it is seen */
		struct mountinfo mount;
		bool taken = mountinfo_parse(line, &mount);

		if (taken != (lines[i].root != NULL))
			fail_msg("row %zu: %s", i, taken ? mount.point : "refused");
		if (taken) {
			assert_string_equal(mount.root, lines[i].root);
			assert_string_equal(mount.point, lines[i].point);
			assert_string_equal(mount.type, lines[i].type);
		}
		free(line);
	}
}

static int count_until_proc(void *context, const struct mountinfo *mount)
{
	++*(int *)context;
	return strcmp(mount->type, "proc") == 0 ? 7 : 0;
}

static void a_file_is_walked_until_told_to_stop(void **state)
{
	char path[] = "/tmp/bindwatch-mountinfo-XXXXXX";
	int fd = mkstemp(path), count = 0;
	static const char text[] = "1 0 0:1 / / rw - ext4 a rw\nnot a line\n2 1 0:2 / /proc rw - proc proc rw\n"
				   "3 1 0:3 / /sys rw - sysfs sysfs rw";

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
	close(fd);
	assert_int_equal(mountinfo_each(path, count_until_proc, &count), 7);
	assert_int_equal(count, 2);
	unlink(path);
	assert_int_equal(mountinfo_each(path, count_until_proc, &count), -ENOENT);
	count = 0;
	assert_int_equal(mountinfo_each(MOUNTINFO, count_until_proc, &count), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines_are_taken_apart),
	    cmocka_unit_test(a_file_is_walked_until_told_to_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
