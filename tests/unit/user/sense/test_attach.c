/* SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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

#include "user/base/mountinfo.h"
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
	                "31 23 0:28 / /sys/kernel rw - tmpfs tmpfs rw\n"
	                "38 31 0:39 / @ rw,relatime shared:9 - tracefs tracefs rw,nsdelegate\n");
	fd = tracefs_open(mountinfo);
	assert_true(fd >= 0);
	assert_int_equal(stat(directory, &expected), 0);
	assert_int_equal(fstat(fd, &found), 0);
	assert_true(expected.st_ino == found.st_ino && expected.st_dev == found.st_dev);
	close(fd);
}

/*
 * The root of the hierarchy, and a directory of it: one of our own, or where none can be made any. NULL, or why the
 * test must be skipped.
 */
static const char *find_part(char root[PATH_MAX], char ret[PATH_MAX + 300])
{
	int fd = cgroup_root_open(MOUNTINFO);
	struct dirent *entry;
	char link[32];
	ssize_t length;
	DIR *open;

	if (fd < 0)
		return "the root of the cgroup v2 hierarchy is mounted nowhere";
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, root, PATH_MAX - 1);
	assert_true(length > 0);
	root[length] = '\0';
	(void)snprintf(ret, PATH_MAX + 300, "%s/bindwatch-unit-%d", root, getpid());
	if (mkdir(ret, 0700) == 0) {
		close(fd);
		return NULL;
	}
	open = fdopendir(fd);
	assert_non_null(open);
	ret[0] = '\0';
	while (!*ret && (entry = readdir(open)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
			(void)snprintf(ret, PATH_MAX + 300, "%s/%s", root, entry->d_name);
	(void)closedir(open);
	return *ret ? NULL : "there is no cgroup beside the root, and none can be made";
}

/* Within a cgroup namespace a part is mounted as "/", and what is above as "/..". */
static void a_part_of_the_hierarchy_is_not_its_root(void **state)
{
	char root[PATH_MAX], part[PATH_MAX + 300], lines[2 * PATH_MAX + 600];
	const char *why_not = find_part(root, part);
	struct stat found;
	int fd;

	(void)state;
	if (why_not) {
		print_message("skipped: %s\n", why_not);
		skip();
	}
	(void)snprintf(lines, sizeof(lines), "38 31 0:39 / %s rw - cgroup2 cgroup2 rw\n", part);
	write_mountinfo(lines);
	assert_int_equal(cgroup_root_open(mountinfo), -EXDEV);
	assert_non_null(strstr(cgroup_root_why_not(-EXDEV), "cgroup namespace"));
	(void)snprintf(lines, sizeof(lines),
	               "38 31 0:39 / %s rw - cgroup2 cgroup2 rw\n"
	               "39 31 0:39 /.. %s rw - cgroup2 cgroup2 rw\n"
	               "40 31 0:39 / /no/such/place rw - cgroup2 cgroup2 rw\n",
	               part, root);
	write_mountinfo(lines);
	fd = cgroup_root_open(mountinfo);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &found), 0);
	assert_int_equal(found.st_ino, 1);
	close(fd);
	(void)snprintf(lines, sizeof(lines),
	               "38 31 0:39 / %s rw - cgroup2 cgroup2 rw\n"
	               "40 31 0:39 / /no/such/place rw - cgroup2 cgroup2 rw\n",
	               part);
	write_mountinfo(lines);
	assert_int_equal(cgroup_root_open(mountinfo), -EXDEV);
	if (strstr(part, "/bindwatch-unit-"))
		(void)rmdir(part);
}

/* Its inode may well be 1: that of a /proc is. */
static void what_stands_upon_the_mount_is_not_taken(void **state)
{
	(void)state;
	write_mountinfo("38 31 0:39 / /proc rw - cgroup2 cgroup2 rw\n"
	                "38 31 0:39 / @ rw - cgroup2 cgroup2 rw\n");
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
	write_mountinfo("\n - \n- tracefs\n1 2 3 - tracefs\nx y z / /nowhere rw - tracefs a b\n"
	                "38 31 0:39 / @ rw - tracefs tracefs rw\n");
	fd = tracefs_open(mountinfo);
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
	        cmocka_unit_test(the_mount_is_found_by_its_type),
	        cmocka_unit_test(a_part_of_the_hierarchy_is_not_its_root),
	        cmocka_unit_test(another_type_is_not_taken),
	        cmocka_unit_test(damaged_lines_are_passed_over),
	        cmocka_unit_test(what_cannot_be_opened_says_why),
	        cmocka_unit_test(what_stands_upon_the_mount_is_not_taken),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
