/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <linux/types.h>
#include <cmocka.h>

#include "bpf/bindwatch.h"
#include "user/sense/decode_process.h"

/* A record with all its texts: the fixed part, then what `used` says. */
struct sample {
	struct bw_process fixed;
	char texts[BW_PROCESS_TEXTS_MAX + 64];
	size_t used;
};

static struct sample sample;
static char texts[DECODE_PROCESS_TEXTS];

static struct bw_text add(const void *bytes, size_t length)
{
	struct bw_text text = {.offset = (__u16)sample.used, .length = (__u16)length, .flags = BW_TEXT_KNOWN};

	memcpy(sample.texts + sample.used, bytes, length);
	sample.used += length;
	return text;
}

/* What a nginx in a container could look like. */
static void make_sample(void)
{
	memset(&sample, 0, sizeof(sample));
	sample.fixed = (struct bw_process){
	        .header = {.version = BW_ABI_VERSION, .type = BW_RECORD_PROCESS, .boot_ns = 42},
	        .start_ns = 1234567890123,
	        .cgroup_id = 77,
	        .inode = 4242,
	        .mtime_ns = 1700000000000000001,
	        .ctime_ns = 1700000000000000002,
	        .device_major = 254,
	        .device_minor = 3,
	        .executable_flags = BW_EXECUTABLE_INODE | BW_EXECUTABLE_OVERLAY_UPPER,
	        .executable_known =
	                BW_EXECUTABLE_INODE | BW_EXECUTABLE_OVERLAY_UPPER | BW_EXECUTABLE_DELETED | BW_EXECUTABLE_MEMFD,
	        .pid = 100,
	        .exec_id = 7,
	        .pidns_inode = 1,
	        .mntns_inode = 2,
	        .userns_inode = 3,
	        .netns_inode = 4,
	        .ancestors_count = 2,
	        .executable = add("/usr/sbin/nginx", 15),
	        .arguments = add("nginx\0-g\0daemon off;", 21),
	        .directory = add("/", 1),
	        .root = add("/", 1),
	        .cgroup = add("/docker/1", 9),
	        .comm = "nginx",
	        .ancestors = {{.start_ns = 9, .pid = 50, .executable = add("/usr/bin/shim", 13), .comm = "shim"},
	                      {.start_ns = 1, .pid = 1, .comm = "systemd"}},
	};
	sample.fixed.ancestors[0].executable.flags |= BW_TEXT_CUT;
}

static int decode_sample(struct process *ret)
{
	sample.fixed.header.size = (__u32)(sizeof(sample.fixed) + sample.used);
	return decode_process(&sample.fixed, sizeof(sample.fixed) + sample.used, ret, texts);
}

static void a_record_becomes_a_process(void **state)
{
	struct process process;

	(void)state;
	make_sample();
	assert_int_equal(decode_sample(&process), 0);
	assert_int_equal(process.pid, 100);
	assert_true(process.start_ns == 1234567890123);
	assert_int_equal(process.exec_id, 7);
	assert_string_equal(process.comm, "nginx");
	assert_false(process.from_proc || process.kernel_thread);
	assert_string_equal(process.executable.path, "/usr/sbin/nginx");
	assert_false(process.executable.path_truncated);
	assert_true(process.executable.has_inode);
	assert_true(process.executable.device == makedev(254, 3));
	assert_true(process.executable.inode == 4242);
	assert_true(process.executable.mtime_ns == 1700000000000000001);
	assert_true(process.executable.ctime_ns == 1700000000000000002);
	assert_int_equal(process.executable.flags, EXECUTABLE_OVERLAY_UPPER);
	assert_int_equal(process.executable.flags_known,
	                 EXECUTABLE_OVERLAY_UPPER | EXECUTABLE_DELETED | EXECUTABLE_MEMFD);
	assert_false(process.executable.has_sha256);
	assert_null(process.executable.package);
	assert_int_equal(process.arguments_count, 3);
	assert_int_equal(process.arguments_length, 21);
	assert_memory_equal(process.arguments, "nginx\0-g\0daemon off;", 21);
	assert_false(process.arguments_truncated);
	assert_string_equal(process.working_directory, "/");
	assert_string_equal(process.root_directory, "/");
	assert_true(process.cgroup.id == 77);
	assert_string_equal(process.cgroup.path, "/docker/1");
	assert_int_equal(process.pidns_inode, 1);
	assert_int_equal(process.mntns_inode, 2);
	assert_int_equal(process.userns_inode, 3);
	assert_int_equal(process.netns_inode, 4);
	assert_int_equal(process.ancestors_count, 2);
	assert_int_equal(process.ancestors[0].pid, 50);
	assert_true(process.ancestors[0].start_ns == 9);
	assert_string_equal(process.ancestors[0].comm, "shim");
	assert_string_equal(process.ancestors[0].executable, "/usr/bin/shim");
	assert_true(process.ancestors[0].executable_truncated);
	assert_string_equal(process.ancestors[1].comm, "systemd");
	assert_null(process.ancestors[1].executable);
}

static void what_was_not_read_is_missing(void **state)
{
	struct process process;

	(void)state;
	make_sample();
	sample.used = 0;
	sample.fixed.executable = sample.fixed.arguments = sample.fixed.directory = sample.fixed.root =
	        sample.fixed.cgroup = (struct bw_text){0};
	sample.fixed.executable_flags = sample.fixed.executable_known = 0;
	sample.fixed.ancestors_count = 0;
	sample.fixed.flags = BW_PROCESS_KERNEL_THREAD;
	assert_int_equal(decode_sample(&process), 0);
	assert_true(process.kernel_thread);
	assert_null(process.executable.path);
	assert_false(process.executable.has_inode);
	assert_int_equal(process.executable.flags_known, 0);
	assert_null(process.arguments);
	assert_null(process.working_directory);
	assert_null(process.root_directory);
	assert_null(process.cgroup.path);
	assert_int_equal(process.ancestors_count, 0);
}

/* Of each row one field is wrong; 64 bytes would lie behind the record if an offset or a length were believed. */
static void a_field_out_of_its_range_is_refused(void **state)
{
	struct {
		const char *what;
		void *field;
		size_t size;
		uint64_t value;
	} rows[] = {
#define ROW(field, bad) {#field " = " #bad, &sample.fixed.field, sizeof(sample.fixed.field), bad}
	        ROW(header.version, BW_ABI_VERSION - 1),
	        ROW(header.version, BW_ABI_VERSION + 1),
	        ROW(header.type, BW_RECORD_BIND),
	        ROW(header.type, BW_RECORD_PROCESS + 1),
	        ROW(executable_known, BW_EXECUTABLE_INODE << 1),
	        ROW(executable_known, 0), /* and flags say something */
	        ROW(flags, BW_PROCESS_EXITING << 1),
	        ROW(ancestors_count, BW_ANCESTORS_MAX + 1),
	        ROW(ancestors_count, UINT32_MAX),
	        ROW(executable.offset, 46), /* its end is one byte behind the last */
	        ROW(executable.offset, UINT16_MAX),
	        ROW(executable.length, 61),
	        ROW(executable.length, UINT16_MAX),
	        ROW(executable.flags, 0), /* and is not empty */
	        ROW(executable.flags, BW_TEXT_CUT << 1 | BW_TEXT_KNOWN),
	        ROW(executable.pad, 1),
	        ROW(arguments.length, 46),
	        ROW(arguments.offset, 40),
	        ROW(directory.length, 25),
	        ROW(directory.flags, 1 << 15 | BW_TEXT_KNOWN),
	        ROW(root.offset, 60),
	        ROW(cgroup.length, 23),
	        ROW(ancestors[0].executable.length, 14),
	        ROW(ancestors[0].executable.offset, 48),
	        ROW(ancestors[1].executable.length, 1),
	        ROW(ancestors[1].executable.pad, 1),
#undef ROW
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct process process;

		make_sample();
		assert_int_equal(sample.used, 60);
		assert_int_equal(decode_sample(&process), 0);
		memcpy(rows[i].field, &rows[i].value, rows[i].size);
		if (decode_sample(&process) != -EPROTO)
			fail_msg("taken: %s", rows[i].what);
	}
}

static void a_size_that_does_not_fit_is_refused(void **state)
{
	size_t size;
	struct process process;

	(void)state;
	make_sample();
	size = sizeof(sample.fixed) + sample.used;
	sample.fixed.header.size = (__u32)size;
	for (size_t cut = 0; cut < size; cut++)
		assert_int_equal(decode_process(&sample.fixed, cut, &process, texts), -EPROTO);
	assert_int_equal(decode_process(&sample.fixed, size + 1, &process, texts), -EPROTO);
	assert_int_equal(decode_process(&sample.fixed, size, &process, texts), 0);
	sample.used = BW_PROCESS_TEXTS_MAX + 1;
	assert_int_equal(decode_sample(&process), -EPROTO);
}

static void the_longest_texts_fit(void **state)
{
	static char longest[BW_TEXT_MAX];
	struct bw_text *const fields[] = {&sample.fixed.executable, &sample.fixed.arguments, &sample.fixed.directory,
	                                  &sample.fixed.root, &sample.fixed.cgroup};
	struct process process;

	(void)state;
	make_sample();
	sample.used = 0;
	memset(longest, 'x', sizeof(longest));
	longest[0] = '/';
	for (size_t i = 0; i < 5; i++)
		*fields[i] = add(longest, sizeof(longest));
	sample.fixed.ancestors_count = BW_ANCESTORS_MAX;
	for (size_t i = 0; i < BW_ANCESTORS_MAX; i++)
		sample.fixed.ancestors[i].executable = add(longest, BW_ANCESTOR_TEXT_MAX);
	assert_int_equal(decode_sample(&process), 0);
	assert_int_equal(strlen(process.executable.path), BW_TEXT_MAX);
	assert_int_equal(process.arguments_length, BW_TEXT_MAX + 1);
	assert_int_equal(strlen(process.cgroup.path), BW_TEXT_MAX);
	assert_int_equal(strlen(process.ancestors[7].executable), BW_ANCESTOR_TEXT_MAX);
	assert_true(process.ancestors[7].executable + BW_ANCESTOR_TEXT_MAX < texts + sizeof(texts));
	sample.fixed.ancestors[7].executable.offset = 0;
	sample.fixed.ancestors[7].executable.length = BW_ANCESTOR_TEXT_MAX + 1;
	assert_int_equal(decode_sample(&process), -EPROTO);
}

static void arguments_end_with_a_nul(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
		bool cut;
		size_t ret_length, ret_count;
	} rows[] = {
	        {"a\0b", 4, false, 4, 2}, /* as exec(2) leaves them */
	        {"a\0b", 3, false, 4, 2}, /* the process wrote over its last byte */
	        {"a\0b", 3, true, 4, 1},  /* b is the beginning of what it was */
	        {"a\0b", 4, true, 4, 2},  /* the next one is missing from its first byte on */
	        {"", 0, false, 0, 0},     /* execve(path, {NULL}, ...) before 5.18 */
	        {"\0\0", 2, false, 2, 2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct process process;

		make_sample();
		sample.fixed.arguments = add(rows[i].bytes, rows[i].length);
		if (rows[i].cut)
			sample.fixed.arguments.flags |= BW_TEXT_CUT;
		assert_int_equal(decode_sample(&process), 0);
		assert_non_null(process.arguments);
		assert_int_equal(process.arguments_length, rows[i].ret_length);
		assert_int_equal(process.arguments_count, rows[i].ret_count);
		assert_int_equal(process.arguments_truncated, rows[i].cut);
		assert_int_equal(process.arguments[process.arguments_length ? process.arguments_length - 1 : 0], '\0');
	}
}

static void a_path_with_a_nul_is_not_known(void **state)
{
	struct process process;

	(void)state;
	make_sample();
	sample.fixed.executable = add("/usr\0bin", 8);
	sample.fixed.directory = add("", 0);
	assert_int_equal(decode_sample(&process), 0);
	assert_null(process.executable.path);
	assert_null(process.working_directory);
	assert_string_equal(process.cgroup.path, "/docker/1");
}

static void a_file_of_no_name_is_in_memory_only(void **state)
{
	struct process process;

	(void)state;
	make_sample();
	sample.fixed.executable = add("/tmp/#4242", 10);
	assert_int_equal(decode_sample(&process), 0);
	assert_false(process.executable.flags & EXECUTABLE_MEMFD);
	sample.fixed.executable_flags |= BW_EXECUTABLE_DELETED;
	assert_int_equal(decode_sample(&process), 0);
	assert_true(process.executable.flags & EXECUTABLE_MEMFD);
	sample.fixed.inode = 4243;
	assert_int_equal(decode_sample(&process), 0);
	assert_false(process.executable.flags & EXECUTABLE_MEMFD);
}

static void a_comm_without_an_end_is_cut(void **state)
{
	struct process process;

	(void)state;
	make_sample();
	memset(sample.fixed.comm, 'x', sizeof(sample.fixed.comm));
	memset(sample.fixed.ancestors[0].comm, 'y', sizeof(sample.fixed.ancestors[0].comm));
	assert_int_equal(decode_sample(&process), 0);
	assert_string_equal(process.comm, "xxxxxxxxxxxxxxx");
	assert_string_equal(process.ancestors[0].comm, "yyyyyyyyyyyyyyy");
}

static void a_record_says_what_it_is(void **state)
{
	(void)state;
	make_sample();
	assert_true(decode_is_process(&sample.fixed, sizeof(struct bw_record_header)));
	assert_false(decode_is_process(&sample.fixed, sizeof(struct bw_record_header) - 1));
	sample.fixed.header.type = BW_RECORD_BIND;
	assert_false(decode_is_process(&sample.fixed, sizeof(sample.fixed)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_record_becomes_a_process),
	        cmocka_unit_test(what_was_not_read_is_missing),
	        cmocka_unit_test(a_field_out_of_its_range_is_refused),
	        cmocka_unit_test(a_size_that_does_not_fit_is_refused),
	        cmocka_unit_test(the_longest_texts_fit),
	        cmocka_unit_test(arguments_end_with_a_nul),
	        cmocka_unit_test(a_path_with_a_nul_is_not_known),
	        cmocka_unit_test(a_file_of_no_name_is_in_memory_only),
	        cmocka_unit_test(a_comm_without_an_end_is_cut),
	        cmocka_unit_test(a_record_says_what_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
