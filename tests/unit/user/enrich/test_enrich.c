/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include <poll.h>

#include "tests/unit/user/enrich/described.h"
#include "tests/unit/user/enrich/tree.h"
#include "user/enrich/digest.h"
#include "user/enrich/enrich.h"

#define PROGRAM "/usr/bin/program"

static char root[] = "/tmp/bindwatch-enrich-XXXXXX";
static struct digest digest; /* of the program */

static int make_root(void **state)
{
	char command[PATH_MAX], sums[128] = "";
	int fd;

	(void)state;
	if (!mkdtemp(root))
		return -1;
	tree_directory(root, "/usr/bin");
	tree_directory(root, "/var/lib/dpkg/info");
	(void)snprintf(command, sizeof(command), "cp /bin/sleep %s%s && cp /bin/sleep %s/usr/bin/mine", root, PROGRAM,
	               root);
	if (system(command) != 0)
		return -1;
	fd = open(tree_path(root, PROGRAM), O_RDONLY | O_CLOEXEC);
	if (digest_read(fd, UINT64_MAX, &digest) != 0)
		return -1;
	(void)close(fd);
	for (size_t i = 0; i < 16; i++)
		(void)snprintf(sums + 2 * i, sizeof(sums) - 2 * i, "%02x", digest.md5[i]);
	(void)snprintf(sums + 32, sizeof(sums) - 32, "  usr/bin/program\n");
	tree_file(root, "/var/lib/dpkg/status", "Package: tools\nVersion: 1.2-3\n");
	tree_file(root, "/var/lib/dpkg/info/tools.list", PROGRAM "\n");
	tree_file(root, "/var/lib/dpkg/info/tools.md5sums", sums);
	return 0;
}

static int remove_root(void **state)
{
	(void)state;
	tree_remove(root);
	return 0;
}

static pid_t start(const char *name)
{
	char link[64], path[PATH_MAX];
	const char *program = tree_path(root, name);
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* it does not outlive a test that fails */
		execl(program, program, "1000", (char *)NULL);
		_exit(127);
	}
	(void)snprintf(link, sizeof(link), "/proc/%d/exe", (int)child);
	for (ssize_t length = 0; length < 0 || strcmp(path, program) != 0;) {
		length = readlink(link, path, sizeof(path) - 1);
		path[length > 0 ? length : 0] = '\0';
	}
	return child;
}

static void stop(pid_t child)
{
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
}

static void assert_known(const struct process *process, bool modified)
{
	const struct executable *executable = &process->executable;

	assert_true(executable->has_sha256);
	assert_int_equal(memcmp(executable->sha256, digest.sha256, 32) != 0, modified);
	assert_true(executable->package_known);
	assert_string_equal(executable->package, "tools");
	assert_string_equal(executable->package_version, "1.2-3");
	assert_int_equal(executable->flags_known, EXECUTABLE_MODIFIED);
	assert_int_equal(executable->flags, modified ? EXECUTABLE_MODIFIED : 0);
}

static void enrich_living_and_gone(void **state)
{
	pid_t child = start(PROGRAM);
	struct process process = described(root, child, PROGRAM), gone = process, again = process, elsewhere = process;
	struct enrich *enrich;

	(void)state;
	assert_int_equal(enrich_open(root, true, &enrich), 0);
	enrich_patiently(enrich, &process);
	assert_known(&process, false);
	elsewhere.executable.path = "/usr/bin/mine"; /* as in a container: here it is another file */
	enrich_patiently(enrich, &elsewhere);
	assert_true(elsewhere.executable.has_sha256);
	assert_false(elsewhere.executable.package_known);
	stop(child);
	assert_true(enrich_process(enrich, &again)); /* it is known by now: at once */
	assert_known(&again, false);
	enrich_close(enrich);

	assert_int_equal(enrich_open(root, true, &enrich), 0);
	enrich_patiently(enrich, &gone); /* by its path */
	assert_known(&gone, false);
	enrich_close(enrich);
}

static void enrich_without_digest(void **state)
{
	struct process process = described(root, getpid(), PROGRAM);
	struct enrich *enrich;

	(void)state;
	assert_int_equal(enrich_open(root, false, &enrich), 0);
	enrich_patiently(enrich, &process);
	assert_false(process.executable.has_sha256);
	assert_string_equal(process.executable.package, "tools");
	assert_int_equal(process.executable.flags_known, 0);
	enrich_close(enrich);
}

static void enrich_of_no_package(void **state)
{
	struct process process = described(root, getpid(), "/usr/bin/mine");
	struct enrich *enrich;

	(void)state;
	process.executable.package = "of before";
	assert_int_equal(enrich_open(root, true, &enrich), 0);
	enrich_patiently(enrich, &process);
	assert_memory_equal(process.executable.sha256, digest.sha256, 32);
	assert_true(process.executable.package_known);
	assert_null(process.executable.package);
	assert_int_equal(process.executable.flags_known, 0);
	enrich_close(enrich);
}

/* What the path leads to, or the process runs, is not what was described. */
static void enrich_another_file(void **state)
{
	struct enrich *enrich;

	(void)state;
	assert_int_equal(enrich_open(root, true, &enrich), 0);
	for (unsigned int i = 0; i < 6; i++) {
		struct process process = described(root, getpid(), PROGRAM);
		struct executable *executable = &process.executable;

		executable->device += i == 0;
		executable->inode += i == 1;
		executable->mtime_ns += i == 2;
		executable->ctime_ns += i == 3;
		if (i == 4)
			executable->path = "/usr/bin/mine";
		if (i == 5)
			executable->path = NULL;
		/* asked, answered, and not for good: it may be there the next time */
		for (unsigned int n = 0; n < 100; n++) {
			assert_false(enrich_process(enrich, &process));
			(void)poll(NULL, 0, 1);
		}
		assert_false(executable->has_sha256);
		assert_false(executable->package_known);
		assert_null(executable->package);
		assert_int_equal(executable->flags_known, 0);
	}
	enrich_close(enrich);
}

/* It runs, and no name leads to it: its bytes are known, its package is not. */
static void enrich_deleted(void **state)
{
	struct process process;
	struct enrich *enrich;
	pid_t child;

	(void)state;
	assert_int_equal(link(tree_path(root, "/usr/bin/mine"), tree_path(root, "/usr/bin/temporary")), 0);
	assert_int_equal(unlink(tree_path(root, "/usr/bin/mine")), 0);
	child = start("/usr/bin/temporary");
	process = described(root, child, "/usr/bin/temporary");
	assert_int_equal(unlink(tree_path(root, "/usr/bin/temporary")), 0);
	assert_int_equal(enrich_open(root, true, &enrich), 0);
	enrich_patiently(enrich, &process);
	assert_true(process.executable.has_sha256);
	assert_memory_equal(process.executable.sha256, digest.sha256, 32);
	assert_false(process.executable.package_known);
	stop(child);
	enrich_close(enrich);
}

static void enrich_modified(void **state)
{
	struct process process;
	struct enrich *enrich;
	FILE *file = fopen(tree_path(root, PROGRAM), "a");

	(void)state;
	assert_non_null(file);
	assert_int_equal(fputc('!', file), '!');
	assert_int_equal(fclose(file), 0);
	process = described(root, getpid(), PROGRAM);
	assert_int_equal(enrich_open(root, true, &enrich), 0);
	enrich_patiently(enrich, &process);
	assert_known(&process, true);
	enrich_close(enrich);
}

#define HEX32 "0123456789abcdef0123456789abcdef"

static struct process contained(const char *id, const char *unit, enum container_runtime runtime)
{
	struct process process = {.pid = 2};

	process.cgroup = (struct process_cgroup){.path = "/x", .unit = unit, .container_id = id, .runtime = runtime};
	return process;
}

static void enrich_containers(void **state)
{
	static const char web[] = HEX32 HEX32, database[] = HEX32 "ffffffffffffffffffffffffffffffff";
	struct process processes[] = {contained(web, NULL, RUNTIME_DOCKER), contained(web, NULL, RUNTIME_DOCKER),
	                              contained(database, "docker-x.scope", RUNTIME_UNKNOWN)};
	/* of a runtime that has no record of it, by a cgroup of the user's own, by a name that is no id */
	struct process others[] = {contained(web, NULL, RUNTIME_CRIO), contained(web, "user@0.service", RUNTIME_DOCKER),
	                           contained("web", NULL, RUNTIME_LXC), contained("../x", NULL, RUNTIME_DOCKER)};
	struct enrich *enrich;

	(void)state;
	tree_directory(root, "/var/lib/docker/containers/" HEX32 HEX32);
	tree_file(root, "/var/lib/docker/containers/" HEX32 HEX32 "/config.v2.json",
	          "{\"Config\":{\"Image\":\"nginx:1.27\"}}");
	tree_directory(root, "/var/lib/containers/storage/overlay-containers");
	tree_file(root, "/var/lib/containers/storage/overlay-containers/containers.json",
	          "[{\"id\":\"" HEX32 "ffffffffffffffffffffffffffffffff\",\"metadata\":"
	          "\"{\\\"image-name\\\":\\\"docker.io/library/postgres:16\\\"}\"}]");
	assert_int_equal(enrich_open(root, false, &enrich), 0);
	enrich_patiently(enrich, &processes[0]);
	enrich_patiently(enrich, &processes[2]);
	assert_string_equal(processes[0].cgroup.image, "nginx:1.27");
	assert_string_equal(processes[2].cgroup.image, "docker.io/library/postgres:16");
	/* it is known by now: at once, and also when the record is gone */
	assert_int_equal(unlink(tree_path(root, "/var/lib/docker/containers/" HEX32 HEX32 "/config.v2.json")), 0);
	assert_true(enrich_process(enrich, &processes[1]));
	assert_ptr_equal(processes[1].cgroup.image, processes[0].cgroup.image);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		enrich_patiently(enrich, &others[i]);
		assert_null(others[i].cgroup.image);
	}
	assert_int_equal(enrich_hung(enrich).given_up, 0);
	enrich_close(enrich);
}

/* A kernel thread, or a process of which the kernel told no file. */
static void enrich_nothing_described(void **state)
{
	struct process process = {.pid = 2};
	struct enrich *enrich;

	(void)state;
	assert_int_equal(enrich_open(root, true, &enrich), 0);
	assert_true(enrich_process(enrich, &process));
	assert_false(process.executable.has_sha256);
	enrich_close(enrich);
	enrich_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(enrich_living_and_gone),   cmocka_unit_test(enrich_without_digest),
	        cmocka_unit_test(enrich_of_no_package),     cmocka_unit_test(enrich_another_file),
	        cmocka_unit_test(enrich_deleted),           cmocka_unit_test(enrich_modified),
	        cmocka_unit_test(enrich_nothing_described), cmocka_unit_test(enrich_containers),
	};

	return cmocka_run_group_tests(tests, make_root, remove_root);
}
