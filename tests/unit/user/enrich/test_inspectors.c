/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that hang: on a FUSE file system whose server never answers, in a mount namespace of the test's own. Closing
 * its descriptor ends the wait, as when the server dies.
 */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/user/enrich/described.h"
#include "user/enrich/enrich.h"
#include "user/enrich/inspectors.h"

/* Long enough for a file that does not hang, on a machine that is busy. */
#define PATIENCE_MS 500

#define MOUNTS (INSPECTORS_ASIDE_MAX + 1)

/* Nobody has it: the kernel counts to four million (PID_MAX_LIMIT). */
#define NO_PID 0x7ffffff0

static char root[] = "/tmp/bindwatch-hang-XXXXXX";
static const char *why_not;
static int servers[MOUNTS];

/* A program each, on a tmpfs of its own, that a file system may be laid over. */
static void make_place(unsigned int number)
{
	char directory[32], program[32];

	(void)snprintf(directory, sizeof(directory), "/place%u", number);
	(void)snprintf(program, sizeof(program), "/place%u/program", number);
	tree_directory(root, directory);
	if (mount("none", tree_path(root, directory), "tmpfs", 0, NULL) < 0)
		why_not = "no tmpfs can be mounted here";
	else
		tree_file(root, program, "#!/bin/sh\n");
}

static int make_root(void **state)
{
	(void)state;
	if (!mkdtemp(root))
		return -1;
	if (access("/dev/fuse", R_OK | W_OK) != 0 || unshare(CLONE_NEWNS) != 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		why_not = "no FUSE file system can be mounted here";
	tree_directory(root, "/usr/bin");
	tree_directory(root, "/var/lib/dpkg/info");
	tree_file(root, "/usr/bin/program", "#!/bin/sh\n");
	tree_file(root, "/var/lib/dpkg/status", "Package: tools\nVersion: 1.2-3\n");
	tree_file(root, "/var/lib/dpkg/info/tools.list", "/usr/bin/program\n/place0/program\n");
	for (unsigned int i = 0; i < MOUNTS && !why_not; i++)
		make_place(i);
	return 0;
}

static int remove_root(void **state)
{
	char directory[32];

	(void)state;
	for (unsigned int i = 0; i < MOUNTS; i++) {
		(void)snprintf(directory, sizeof(directory), "/place%u", i);
		(void)umount2(tree_path(root, directory), MNT_DETACH);
	}
	tree_remove(root);
	return 0;
}

static void hang(unsigned int number)
{
	char directory[32], options[128];

	servers[number] = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	assert_true(servers[number] >= 0);
	(void)snprintf(directory, sizeof(directory), "/place%u", number);
	(void)snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0", servers[number]);
	assert_int_equal(mount("hang", tree_path(root, directory), "fuse", 0, options), 0);
}

static void unhang(unsigned int number)
{
	char directory[32];

	(void)snprintf(directory, sizeof(directory), "/place%u", number);
	assert_int_equal(close(servers[number]), 0);
	assert_int_equal(umount2(tree_path(root, directory), MNT_DETACH), 0);
}

static struct process program_of(unsigned int number)
{
	static char paths[MOUNTS][32];
	struct stat mntns;
	struct process process;

	(void)snprintf(paths[number], sizeof(paths[number]), "/place%u/program", number);
	process = described(root, NO_PID, paths[number]);
	assert_int_equal(stat("/proc/self/ns/mnt", &mntns), 0);
	process.mntns_inode = (uint32_t)mntns.st_ino;
	return process;
}

static struct inspect_job job_of(const struct process *process)
{
	struct inspect_job job = {.kind = INSPECT_FILE, .pid = process->pid};

	job.file.device = process->executable.device;
	job.file.inode = process->executable.inode;
	job.file.mtime_ns = process->executable.mtime_ns;
	job.file.ctime_ns = process->executable.ctime_ns;
	(void)snprintf(job.path, sizeof(job.path), "%s", process->executable.path);
	return job;
}

static int64_t milliseconds_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void give_up_one(struct inspectors *inspectors, const struct process *process)
{
	const uint64_t before = inspectors_hung(inspectors).given_up;
	struct inspect_job job = job_of(process);
	int64_t begin = milliseconds_now();

	assert_true(inspectors_ask(inspectors, &job));
	assert_false(inspectors_ask(inspectors, &job));
	while (inspectors_hung(inspectors).given_up == before && !inspectors_hung(inspectors).stopped) {
		assert_false(inspectors_collect(inspectors, 10, &job));
		assert_true(milliseconds_now() - begin < 20 * PATIENCE_MS);
	}
	assert_true(milliseconds_now() - begin >= PATIENCE_MS);
}

static void assert_inspects(struct inspectors *inspectors)
{
	const struct process process = described(root, NO_PID, "/usr/bin/program");
	struct inspect_job job = job_of(&process), answer;

	assert_true(inspectors_ask(inspectors, &job));
	assert_true(inspectors_collect(inspectors, PATIENCE_MS, &answer));
	assert_true(answer.opened);
	assert_string_equal(answer.owner.package, "tools");
}

/* Each takes a thread, up to a bound; of one device only one; those that come back bring their answer, and go. */
static void some_hang(void **state)
{
	struct process processes[MOUNTS];
	struct inspectors *inspectors;
	struct inspect_job job;

	(void)state;
	if (why_not) {
		print_message("%s\n", why_not);
		skip();
	}
	for (unsigned int i = 0; i < MOUNTS; i++) {
		processes[i] = program_of(i);
		hang(i);
	}
	assert_int_equal(inspectors_open(root, 1000, PATIENCE_MS, &inspectors), 0);
	for (unsigned int i = 0; i < INSPECTORS_ASIDE_MAX; i++) {
		give_up_one(inspectors, &processes[i]);
		assert_int_equal(inspectors_hung(inspectors).given_up, i + 1);
		assert_int_equal(inspectors_hung(inspectors).device, processes[i].executable.device);
		assert_int_equal(inspectors_hung(inspectors).pid, NO_PID);
		assert_false(inspectors_hung(inspectors).stopped);
		job = job_of(&processes[i]);
		assert_false(inspectors_ask(inspectors, &job));
		assert_inspects(inspectors);
	}
	/* one too many */
	give_up_one(inspectors, &processes[INSPECTORS_ASIDE_MAX]);
	assert_int_equal(inspectors_hung(inspectors).given_up, INSPECTORS_ASIDE_MAX);
	assert_true(inspectors_hung(inspectors).stopped);
	job = job_of(&processes[0]);
	assert_false(inspectors_ask(inspectors, &job));

	unhang(0);
	for (unsigned int i = 0; !inspectors_collect(inspectors, 0, &job); i++) {
		assert_true(i < 10000);
		(void)poll(NULL, 0, 1);
	}
	assert_int_equal(job.file.device, processes[0].executable.device);
	assert_false(job.opened);
	/* there is room for the fifth now, and its device is asked again */
	assert_false(inspectors_collect(inspectors, 0, &job));
	assert_int_equal(inspectors_hung(inspectors).given_up, MOUNTS);
	assert_false(inspectors_hung(inspectors).stopped);
	assert_inspects(inspectors);
	job = job_of(&processes[0]);
	assert_true(inspectors_ask(inspectors, &job));
	assert_true(inspectors_collect(inspectors, PATIENCE_MS, &job));
	assert_true(job.opened);
	/* four hang: it is not waited for them */
	inspectors_close(inspectors);
	for (unsigned int i = 1; i < MOUNTS; i++)
		unhang(i);
}

/* By way of events: the hung one costs the others its patience once, and no more. */
static void others_are_enriched(void **state)
{
	struct process hung, again, other, late;
	struct enrich *enrich;
	int64_t begin;

	(void)state;
	if (why_not) {
		print_message("%s\n", why_not);
		skip();
	}
	hung = program_of(0);
	again = hung;
	other = late = described(root, NO_PID, "/usr/bin/program");
	other.mntns_inode = late.mntns_inode = hung.mntns_inode;
	late.executable.path = "/usr/bin/../bin/program";
	hang(0);
	assert_int_equal(enrich_open(root, false, &enrich), 0);
	begin = milliseconds_now();
	assert_false(enrich_process(enrich, &hung));
	assert_false(enrich_process(enrich, &other));
	assert_int_equal(enrich_hung(enrich).given_up, 0);
	assert_true(milliseconds_now() - begin < ENRICH_PATIENCE_MS);
	enrich_patiently(enrich, &other);
	assert_true(milliseconds_now() - begin >= ENRICH_PATIENCE_MS);
	assert_string_equal(other.executable.package, "tools");
	assert_int_equal(enrich_hung(enrich).given_up, 1);
	assert_int_equal(enrich_hung(enrich).device, hung.executable.device);
	/* not asked again, and so nobody waits again */
	assert_false(enrich_process(enrich, &again));
	begin = milliseconds_now();
	enrich_patiently(enrich, &late);
	assert_true(milliseconds_now() - begin < ENRICH_PATIENCE_MS);
	assert_int_equal(enrich_hung(enrich).given_up, 1);
	/* it answers again */
	unhang(0);
	enrich_patiently(enrich, &hung);
	assert_string_equal(hung.executable.package, "tools");
	assert_int_equal(enrich_hung(enrich).given_up, 1);
	enrich_close(enrich);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(some_hang),
	        cmocka_unit_test(others_are_enriched),
	};

	return cmocka_run_group_tests(tests, make_root, remove_root);
}
