/* SPDX-License-Identifier: BSD-2-Clause */
/* Processes of a /proc that the test makes, and one that lives. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/user/enrich/tree.h"
#include "user/sense/process_proc.h"
#include "user/sense/process_read.h"

#define TICKS        4711ULL
#define START        (TICKS * PROC_TICK_NS)
#define KERNEL_TASK  "2129984"
#define PROGRAM_TASK "4194304"

static char root[] = "/tmp/test_process_read.XXXXXX";
static struct process_source source;
static struct process_reading reading;

static void put(const char *name, const void *bytes, size_t length)
{
	FILE *file = fopen(tree_path(root, name), "w");

	if (!file || fwrite(bytes, 1, length, file) != length || fclose(file) != 0)
		abort();
}

static void put_stat(uint32_t pid, const char *comm, uint32_t parent, const char *flags)
{
	char name[64], line[256];

	(void)snprintf(name, sizeof(name), "/proc/%u/stat", pid);
	(void)snprintf(line, sizeof(line), "%u (%s) S %u 7 7 0 -1 %s 1 2 3 4 5 6 7 8 20 0 1 0 %llu 9 10\n", pid, comm,
	               parent, flags, TICKS + pid % 7 * 100);
	tree_file(root, name, line);
}

/* Process 7, as ordinary as can be: /bin/httpd. */
static void make_ordinary(void)
{
	static const char arguments[] = "httpd\0-p\0"
	                                "80";

	tree_directory(root, "/proc/7/ns");
	tree_directory(root, "/cgroup/system.slice/web.service");
	tree_directory(root, "/bin");
	tree_file(root, "/bin/httpd", "program");
	put_stat(7, "httpd", 0, PROGRAM_TASK);
	tree_file(root, "/proc/7/status",
	          "Name:\thttpd\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nGroups:\t4 24 27 \n"
	          "CapPrm:\t000001ffffffffff\nCapEff:\t0000000000000400\n");
	put("/proc/7/cmdline", arguments, sizeof(arguments));
	tree_file(root, "/proc/7/cgroup", "0::/system.slice/web.service\n");
	tree_file(root, "/proc/7/loginuid", "4294967295");
	tree_file(root, "/proc/7/sessionid", "3");
	tree_link(root, "/proc/7/exe", tree_path(root, "/bin/httpd"));
	tree_link(root, "/proc/7/root", "/");
	tree_link(root, "/proc/7/cwd", tree_path(root, "/bin"));
	tree_file(root, "/proc/7/ns/net", "");
	tree_link(root, "/proc/7/ns/mnt", "/proc/self/ns/mnt");
	tree_link(root, "/proc/7/ns/user", "/proc/self/ns/user");
	tree_link(root, "/proc/7/mountinfo", "/proc/self/mountinfo");
}

static int make(void **state)
{
	(void)state;
	memset(root + strlen(root) - 6, 'X', 6);
	if (!mkdtemp(root))
		return -1;
	tree_directory(root, "/proc");
	tree_directory(root, "/cgroup");
	make_ordinary();
	source.proc = open(tree_path(root, "/proc"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	source.cgroup = open(tree_path(root, "/cgroup"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	source.cgroup_paths = true;
	return source.proc >= 0 && source.cgroup >= 0 ? 0 : -1;
}

static int unmake(void **state)
{
	(void)state;
	process_source_close(&source);
	tree_remove(root);
	return 0;
}

static uint64_t inode_of(const char *name)
{
	struct stat status;

	assert_int_equal(stat(tree_path(root, name), &status), 0);
	return status.st_ino;
}

static const struct process *read_it(uint32_t pid)
{
	assert_int_equal(process_read(&source, pid, 0, &reading), 0);
	return &reading.process;
}

static void an_ordinary_process_is_whole(void **state)
{
	const struct process *process = read_it(7);

	(void)state;
	assert_int_equal(process->pid, 7);
	assert_true(process->start_ns == START && process->exec_id == 0 && process->from_proc);
	assert_string_equal(process->comm, "httpd");
	assert_string_equal(process->executable.path, tree_path(root, "/bin/httpd"));
	assert_int_equal(process->executable.inode, inode_of("/bin/httpd"));
	assert_int_equal(process->executable.flags, 0);
	assert_int_equal(process->arguments_count, 3);
	assert_memory_equal(process->arguments,
	                    "httpd\0-p\0"
	                    "80",
	                    12);
	assert_string_equal(process->working_directory, tree_path(root, "/bin"));
	assert_string_equal(process->root_directory, "/");
	assert_string_equal(process->cgroup.path, "/system.slice/web.service");
	assert_int_equal(process->cgroup.id, inode_of("/cgroup/system.slice/web.service"));
	assert_int_equal(process->netns_inode, inode_of("/proc/7/ns/net"));
	assert_false(process->executable.path_truncated || process->working_directory_truncated);
	assert_int_equal(process->ancestors_count, 0);
	assert_true(reading.credentials.known);
	assert_int_equal(reading.uid, 1);
	assert_int_equal(reading.credentials.effective_uid, 2);
	assert_int_equal(reading.gid, 5);
	assert_int_equal(reading.credentials.effective_gid, 6);
	assert_int_equal(reading.credentials.groups_count, 3);
	assert_true(reading.credentials.permitted == 0x1ffffffffff && reading.credentials.effective == 0x400);
	assert_true(reading.credentials.login_uid == PROCESS_UNSET && reading.credentials.session == 3);
}

/* The kernel knows it to the nanosecond, /proc to the tick. */
static void the_start_is_taken_where_it_agrees(void **state)
{
	static const struct {
		uint64_t asked, told; /* told 0: another process */
	} rows[] = {
	        {0, START},
	        {START, START},
	        {START + 1, START + 1},
	        {START + PROC_TICK_NS - 1, START + PROC_TICK_NS - 1},
	        {START + PROC_TICK_NS, 0},
	        {START - 1, 0},
	        {1, 0},
	        {UINT64_MAX, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int r = process_read(&source, 7, rows[i].asked, &reading);

		if (r != (rows[i].told ? 0 : -ESRCH) || (r == 0 && reading.process.start_ns != rows[i].told))
			fail_msg("row %zu: %d, %llu", i, r, (unsigned long long)reading.process.start_ns);
		if (rows[i].asked)
			assert_int_equal(process_lives(&source, 7, rows[i].asked), rows[i].told != 0);
	}
	assert_int_equal(process_read(&source, 8, 0, &reading), -ESRCH);
	assert_false(process_lives(&source, 8, START));
	tree_file(root, "/proc/7/stat", "7 (httpd) S 1");
	assert_int_equal(process_read(&source, 7, 0, &reading), -EBADMSG);
}

static void a_name_is_any_bytes(void **state)
{
	(void)state;
	put_stat(7, ") R 1 (", 0, PROGRAM_TASK);
	assert_string_equal(read_it(7)->comm, ") R 1 (");
	assert_true(reading.process.start_ns == START);
}

/* Nothing but stat: what is not there is not known, and never 0 or "". */
static void a_bare_process_is_told_as_such(void **state)
{
	const struct process *process;

	(void)state;
	tree_directory(root, "/proc/14");
	put_stat(14, "bare", 0, PROGRAM_TASK);
	process = read_it(14);
	assert_null(process->executable.path);
	assert_null(process->arguments);
	assert_null(process->working_directory);
	assert_null(process->root_directory);
	assert_null(process->cgroup.path);
	assert_int_equal(process->cgroup.id, 0);
	assert_int_equal(process->executable.flags_known, 0);
	assert_false(process->executable.has_inode || reading.credentials.known);
}

static void a_kernel_thread_has_no_program(void **state)
{
	const struct process *process;

	(void)state;
	put_stat(7, "kworker", 2, KERNEL_TASK);
	process = read_it(7);
	assert_true(process->kernel_thread);
	assert_null(process->executable.path);
	assert_null(process->arguments);
	assert_int_equal(process->ancestors_count, 0);
	assert_string_equal(process->cgroup.path, "/system.slice/web.service");
}

static void arguments_are_bounded(void **state)
{
	static const struct {
		size_t length, every; /* so many bytes, each `every`th a NUL, */
		bool ended;           /* and the last one */
		size_t told, count;
		bool truncated;
	} rows[] = {
	        {0, 9000, false, 0, 0, false},
	        {1, 1, true, 1, 1, false},
	        /* empty ones */
	        {5, 1, true, 5, 5, false},
	        /* a process that wrote over its arguments: a NUL is added */
	        {5, 9000, false, 6, 1, false},
	        {5, 2, false, 6, 3, false},
	        {4095, 5, true, 4095, 819, false},
	        /* what may be cut counts as cut, and its last argument as half */
	        {4096, 9000, false, 4097, 0, true},
	        {4096, 16, true, 4096, 256, true},
	        {4097, 16, false, 4096, 256, true},
	        {8192, 10, false, 4097, 409, true},
	        {200000, 9000, false, 4097, 0, true},
	};
	static char bytes[200000];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct process *process;

		for (size_t j = 0; j < rows[i].length; j++)
			bytes[j] = (j + 1) % rows[i].every ? 'x' : '\0';
		if (rows[i].length)
			assert_int_equal(!bytes[rows[i].length - 1], rows[i].ended);
		put("/proc/7/cmdline", bytes, rows[i].length);
		process = read_it(7);
		if (process->arguments_length != rows[i].told || process->arguments_count != rows[i].count ||
		    process->arguments_truncated != rows[i].truncated)
			fail_msg("row %zu: %zu bytes, %zu arguments%s", i, process->arguments_length,
			         process->arguments_count, process->arguments_truncated ? ", cut" : "");
		if (rows[i].told)
			assert_int_equal(process->arguments[rows[i].told - 1], '\0');
		/* what is read behind it stands behind it */
		assert_string_equal(process->cgroup.path, "/system.slice/web.service");
	}
}

static void cgroups_are_found_by_their_path(void **state)
{
	static const struct {
		const char *text, *path; /* path NULL: not known */
		const char *directory;   /* whose inode is the id; NULL: not known */
	} rows[] = {
	        {"0::/\n", "/", "/cgroup"},
	        {"0::/system.slice\n", "/system.slice", "/cgroup/system.slice"},
	        {"2:cpu:/x\n1:name=systemd:/y\n0::/system.slice\n", "/system.slice", "/cgroup/system.slice"},
	        {"10::/system.slice\n0::/\n", "/", "/cgroup"},
	        {"0::/gone\n", "/gone", NULL},
	        {"0::/gone (deleted)\n", "/gone (deleted)", NULL},
	        {"0::/system.slice (deleted)\n", "/system.slice (deleted)", NULL},
	        /* above our cgroup namespace, and what leads out of the hierarchy */
	        {"0::/../system.slice\n", "/../system.slice", NULL},
	        {"0::/system.slice/../../proc\n", "/system.slice/../../proc", NULL},
	        {"0::/link\n", "/link", NULL},
	        {"0::/file\n", "/file", NULL},
	        /* version 1 only, and what is no such file */
	        {"2:cpu:/x\n1:name=systemd:/y\n", NULL, NULL},
	        {"0::system.slice\n", NULL, NULL},
	        {"0::/cut", NULL, NULL},
	        {"0::", NULL, NULL},
	        {"0:", NULL, NULL},
	        {"", NULL, NULL},
	        {"\n\n\xff\n", NULL, NULL},
	};

	(void)state;
	tree_link(root, "/cgroup/link", "system.slice");
	tree_file(root, "/cgroup/file", "");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct process_cgroup *cgroup;

		tree_file(root, "/proc/7/cgroup", rows[i].text);
		cgroup = &read_it(7)->cgroup;
		if (!cgroup->path != !rows[i].path || (cgroup->path && strcmp(cgroup->path, rows[i].path) != 0))
			fail_msg("row %zu: %s", i, cgroup->path ? cgroup->path : "no path");
		if (cgroup->id != (rows[i].directory ? inode_of(rows[i].directory) : 0))
			fail_msg("row %zu: id %llu", i, (unsigned long long)cgroup->id);
	}
	/* without the hierarchy there is the path */
	close(source.cgroup);
	source.cgroup = -1;
	tree_file(root, "/proc/7/cgroup", "0::/system.slice\n");
	assert_string_equal(read_it(7)->cgroup.path, "/system.slice");
	assert_int_equal(reading.process.cgroup.id, 0);
	/* in a cgroup namespace of our own it counts from elsewhere */
	source.cgroup_paths = false;
	assert_null(read_it(7)->cgroup.path);
}

static void a_cgroup_path_too_long_is_not_told(void **state)
{
	char text[5000] = "0::/";

	(void)state;
	memset(text + 4, 'x', sizeof(text) - 6);
	text[sizeof(text) - 2] = '\n';
	tree_file(root, "/proc/7/cgroup", text);
	assert_null(read_it(7)->cgroup.path);
	assert_non_null(reading.process.arguments);
}

#define IDS  "Uid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\n"
#define CAPS "CapPrm:\t0000000000000400\nCapEff:\t0000000000000400\n"

static void credentials_are_whole_or_not_known(void **state)
{
	static const struct {
		const char *text;
		bool known;
		uint32_t groups;
	} rows[] = {
	        {IDS "Groups:\t4 24 27 \n" CAPS, true, 3},
	        {IDS "Groups:\t \n" CAPS, true, 0},
	        {IDS "Groups:\t\n" CAPS, true, 0},
	        {IDS "Groups:\t4294967294 \n" CAPS, true, 1},
	        {"Name:\tx\\nUid:\t0\n" IDS "Groups:\t4\n" CAPS, true, 1},
	        {IDS CAPS, false, 0},
	        {IDS "Groups:\t4 24 27 ", false, 0},
	        {IDS "Groups:\t4\nCapPrm:\t0000000000000400\n", false, 0},
	        {IDS "Groups:\t4\nCapPrm:\tx\nCapEff:\t0000000000000400\n", false, 0},
	        {"Uid:\t1\nGid:\t5\t6\t7\t8\nGroups:\t4\n" CAPS, false, 0},
	        {"Uid:\t\nGid:\t5\t6\t7\t8\nGroups:\t4\n" CAPS, false, 0},
	        {"", false, 0},
	};
	static char many[66000 * 11];
	size_t used = (size_t)snprintf(many, sizeof(many), IDS "Groups:\t");

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		tree_file(root, "/proc/7/status", rows[i].text);
		(void)read_it(7);
		if (reading.credentials.known != rows[i].known ||
		    (rows[i].known && (reading.credentials.groups_count != rows[i].groups || reading.uid != 1)))
			fail_msg("row %zu: %sknown, %u groups", i, reading.credentials.known ? "" : "not ",
			         reading.credentials.groups_count);
	}
	for (uint32_t i = 0; i < 65536; i++)
		used += (size_t)snprintf(many + used, sizeof(many) - used, "%u ", 1000000000 + i);
	(void)snprintf(many + used, sizeof(many) - used, "\n" CAPS);
	tree_file(root, "/proc/7/status", many);
	(void)read_it(7);
	assert_false(reading.credentials.known);
}

/* Where a name ends in " (deleted)" the kernel may have put that there, or whoever named the file. */
static void a_deleted_file_and_one_named_so(void **state)
{
	const struct executable *executable;

	(void)state;
	tree_file(root, "/bin/odd (deleted)", "program");
	assert_int_equal(unlink(tree_path(root, "/proc/7/exe")), 0);
	tree_link(root, "/proc/7/exe", tree_path(root, "/bin/odd (deleted)"));
	executable = &read_it(7)->executable;
	assert_string_equal(executable->path, tree_path(root, "/bin/odd (deleted)"));
	assert_false(executable->flags & EXECUTABLE_DELETED);
	/* what stands there now is another file */
	assert_int_equal(unlink(tree_path(root, "/bin/odd (deleted)")), 0);
	tree_link(root, "/bin/odd (deleted)", "httpd");
	executable = &read_it(7)->executable;
	assert_string_equal(executable->path, tree_path(root, "/bin/odd"));
	assert_true(executable->flags & EXECUTABLE_DELETED);
	/* no file at all: nothing is known of it */
	assert_int_equal(unlink(tree_path(root, "/bin/odd (deleted)")), 0);
	executable = &read_it(7)->executable;
	assert_string_equal(executable->path, tree_path(root, "/bin/odd (deleted)"));
	assert_false(executable->has_inode);
	assert_int_equal(executable->flags_known, 0);
	/* " (deleted)" and no name before it is no path */
	assert_int_equal(unlink(tree_path(root, "/proc/7/exe")), 0);
	tree_link(root, "/proc/7/exe", " (deleted)");
	assert_null(read_it(7)->executable.path);
}

/* More than are kept, and then two that are each other's parent. */
static void ancestors_are_bounded(void **state)
{
	char name[64];

	(void)state;
	for (uint32_t pid = 100; pid < 112; pid++) {
		(void)snprintf(name, sizeof(name), "/proc/%u", pid);
		tree_directory(root, name);
		put_stat(pid, "up", pid + 1, PROGRAM_TASK);
	}
	put_stat(7, "httpd", 100, PROGRAM_TASK);
	assert_int_equal(read_it(7)->ancestors_count, PROCESS_ANCESTORS_MAX);
	for (uint32_t i = 0; i < PROCESS_ANCESTORS_MAX; i++)
		assert_int_equal(reading.process.ancestors[i].pid, 100 + i);
	put_stat(101, "up", 100, PROGRAM_TASK);
	assert_int_equal(read_it(7)->ancestors_count, PROCESS_ANCESTORS_MAX);
	assert_int_equal(reading.process.ancestors[7].pid, 101);
	/* one that is gone, and one that makes no sense: the row ends there */
	put_stat(101, "up", 99, PROGRAM_TASK);
	assert_int_equal(read_it(7)->ancestors_count, 2);
	tree_file(root, "/proc/101/stat", "101 (up) S");
	assert_int_equal(read_it(7)->ancestors_count, 1);
}

/* A copy of this program that runs until it is killed; its file is gone. */
static pid_t run_deleted(const char *path)
{
	int ready[2], from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	struct stat status;
	char byte;
	pid_t child;

	assert_int_equal(fstat(from, &status), 0);
	for (off_t done = 0; done < status.st_size;) {
		ssize_t n = sendfile(to, from, NULL, (size_t)(status.st_size - done));

		assert_true(n > 0);
		done += n;
	}
	close(from);
	close(to);
	assert_int_equal(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)dup2(ready[1], STDOUT_FILENO);
		(void)execl(path, path, "--wait", NULL);
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	assert_int_equal(unlink(path), 0);
	return child;
}

static void a_living_process_without_its_file(void **state)
{
	struct process_source own = process_source_open();
	const char *path = tree_path(root, "/bin/copy");
	pid_t child = run_deleted(path);
	int r = process_read(&own, (uint32_t)child, 0, &reading);

	(void)state;
	(void)kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(r, 0);
	assert_string_equal(reading.process.executable.path, path);
	assert_true(reading.process.executable.flags & EXECUTABLE_DELETED);
	assert_false(reading.process.executable.flags & EXECUTABLE_MEMFD);
	assert_int_equal(reading.process.arguments_count, 2);
	assert_int_equal(reading.process.ancestors[0].pid, getpid());
	assert_int_equal(process_read(&own, (uint32_t)child, 0, &reading), -ESRCH);
	process_source_close(&own);
}

static uint32_t flags_of_gone(const char *path)
{
	struct process process = {.pid = INT32_MAX,
	                          .start_ns = 1,
	                          .mntns_inode = reading.process.mntns_inode,
	                          .executable = reading.process.executable};

	process.executable.path = path;
	process.executable.flags |= EXECUTABLE_DELETED;
	process_examine(&source, &process);
	assert_true(process.executable.flags_known & EXECUTABLE_REPLACED);
	return process.executable.flags & (EXECUTABLE_DELETED | EXECUTABLE_REPLACED);
}

/* Removed while it ran, and ended: only another file at its path replaces it, not the same one linked there again. */
static void a_process_that_is_gone_and_its_path(void **state)
{
	(void)state;
	(void)read_it(7);
	source.mntns_inode = reading.process.mntns_inode;
	tree_file(root, "/bin/other", "program");
	assert_int_equal(flags_of_gone(tree_path(root, "/bin/none")), EXECUTABLE_DELETED);
	assert_int_equal(flags_of_gone(tree_path(root, "/bin/httpd")), EXECUTABLE_DELETED);
	assert_int_equal(flags_of_gone(tree_path(root, "/bin/other")), EXECUTABLE_DELETED | EXECUTABLE_REPLACED);
	/* written to since: another program */
	tree_file(root, "/bin/httpd", "another program");
	assert_int_equal(flags_of_gone(tree_path(root, "/bin/httpd")), EXECUTABLE_DELETED | EXECUTABLE_REPLACED);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(an_ordinary_process_is_whole, make, unmake),
	        cmocka_unit_test_setup_teardown(the_start_is_taken_where_it_agrees, make, unmake),
	        cmocka_unit_test_setup_teardown(a_name_is_any_bytes, make, unmake),
	        cmocka_unit_test_setup_teardown(a_bare_process_is_told_as_such, make, unmake),
	        cmocka_unit_test_setup_teardown(a_kernel_thread_has_no_program, make, unmake),
	        cmocka_unit_test_setup_teardown(arguments_are_bounded, make, unmake),
	        cmocka_unit_test_setup_teardown(cgroups_are_found_by_their_path, make, unmake),
	        cmocka_unit_test_setup_teardown(a_cgroup_path_too_long_is_not_told, make, unmake),
	        cmocka_unit_test_setup_teardown(credentials_are_whole_or_not_known, make, unmake),
	        cmocka_unit_test_setup_teardown(a_deleted_file_and_one_named_so, make, unmake),
	        cmocka_unit_test_setup_teardown(ancestors_are_bounded, make, unmake),
	        cmocka_unit_test_setup_teardown(a_process_that_is_gone_and_its_path, make, unmake),
	        cmocka_unit_test_setup_teardown(a_living_process_without_its_file, make, unmake),
	};

	if (argc > 1 && strcmp(argv[1], "--wait") == 0) {
		(void)!write(STDOUT_FILENO, "y", 1);
		for (;;)
			(void)pause();
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
