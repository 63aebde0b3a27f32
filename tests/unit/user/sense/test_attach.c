/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "user/sense/attach.h"

/* A directory that stands for a mount point, with a space in its name: mountinfo writes it as \040. */
static char directory[] = "/tmp/bindwatch unit XXXXXX";
static char mountinfo[sizeof(directory) + 16];

static int setup(void **state)
{
	(void)state;
	if (!mkdtemp(directory))
		return -1;
	snprintf(mountinfo, sizeof(mountinfo), "%s/mountinfo", directory);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(mountinfo);
	return rmdir(directory);
}

/* Writes lines to the file, every @ in them replaced by the directory as mountinfo would write it. */
static void write_mountinfo(const char *lines)
{
	FILE *file = fopen(mountinfo, "w");

	assert_non_null(file);
	for (; *lines; lines++) {
		if (*lines != '@') {
			fputc(*lines, file);
			continue;
		}
		for (const char *in = directory; *in; in++)
			fputs(*in == ' ' ? "\\040" : (char[]){*in, '\0'}, file);
	}
	assert_int_equal(fclose(file), 0);
}

static void the_mount_is_found_by_its_type(void **state)
{
	struct stat expected, found;
	int fd;

	(void)state;
	write_mountinfo("24 1 0:22 / / rw - ext4 /dev/vda rw\n"
			"31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
			"38 31 0:39 / @ rw,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate\n");
	fd = cgroup_root_open(mountinfo);
	assert_true(fd >= 0);
	assert_int_equal(stat(directory, &expected), 0);
	assert_int_equal(fstat(fd, &found), 0);
	assert_true(expected.st_ino == found.st_ino && expected.st_dev == found.st_dev);
	close(fd);
}

static void a_part_of_the_hierarchy_is_not_its_root(void **state)
{
	(void)state;
	write_mountinfo("38 31 0:39 /system.slice @ rw - cgroup2 cgroup2 rw\n");
	assert_int_equal(cgroup_root_open(mountinfo), -ENOENT);
}

static void another_type_is_not_taken(void **state)
{
	(void)state;
	write_mountinfo("38 31 0:39 / @ rw - cgroup cgroup2 rw\n"
			"39 31 0:39 / @ rw - cgroup22 x rw\n");
	assert_int_equal(cgroup_root_open(mountinfo), -ENOENT);
}

static void damaged_lines_are_passed_over(void **state)
{
	int fd;

	(void)state;
	write_mountinfo("\n - \n- cgroup2\n1 2 3 - cgroup2\nx y z / /nowhere rw - cgroup2 a b\n"
			"38 31 0:39 / @ rw - cgroup2 cgroup2 rw\n");
	fd = cgroup_root_open(mountinfo);
	assert_true(fd >= 0);
	close(fd);
}

static void what_cannot_be_opened_says_why(void **state)
{
	(void)state;
	write_mountinfo("38 31 0:39 / /no/such/place rw - cgroup2 cgroup2 rw\n");
	assert_int_equal(cgroup_root_open(mountinfo), -ENOENT);
	assert_int_equal(cgroup_root_open("/no/such/file"), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_mount_is_found_by_its_type), cmocka_unit_test(a_part_of_the_hierarchy_is_not_its_root),
	    cmocka_unit_test(another_type_is_not_taken),      cmocka_unit_test(damaged_lines_are_passed_over),
	    cmocka_unit_test(what_cannot_be_opened_says_why),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
