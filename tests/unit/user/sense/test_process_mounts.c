/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs that are run by the path of another, through mounts that another user made; and those that moved away. */
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/user/enrich/tree.h"
#include "user/sense/process_read.h"

static char root[] = "/tmp/test_process_mounts.XXXXXX";
static struct process_source source;
static struct process_reading reading;
static pid_t hidden;                       /* has a namespace of mounts in which another /bin/tool stands */
static char outside[96], from_inside[160]; /* .../bin/tool, and the one that it sees there */

static bool copy(const char *path)
{
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	ssize_t n;

	if (from < 0 || to < 0)
		return false;
	while ((n = sendfile(to, from, NULL, 1U << 30)) > 0)
		;
	close(from);
	close(to);
	return n == 0;
}

static bool put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return done;
}

/* As everybody may: namespaces of his own, and in them what he likes. */
static bool hide(void)
{
	char map[64];
	uid_t uid = getuid();
	gid_t gid = getgid();

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0 || !put("/proc/self/setgroups", "deny"))
		return false;
	(void)snprintf(map, sizeof(map), "0 %u 1", uid);
	if (!put("/proc/self/uid_map", map))
		return false;
	(void)snprintf(map, sizeof(map), "0 %u 1", gid);
	return put("/proc/self/gid_map", map) && mount("none", tree_path(root, "/bin"), "tmpfs", 0, "mode=755") == 0 &&
	       copy(outside);
}

struct child {
	pid_t pid;
	int ready; /* what it, or the program that it runs, says a byte to */
};

static struct child begin(void)
{
	struct child child;
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	child.pid = fork();
	if (child.pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)dup2(ends[1], STDOUT_FILENO);
	}
	close(ends[1]);
	child.ready = ends[0];
	return child;
}

/* false: it ended instead */
static bool await(const struct child *child)
{
	char byte;
	bool said = read(child->ready, &byte, 1) == 1;

	close(child->ready);
	return said;
}

static void end(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Reads the process that runs this, begun by what `before` prepares and told to do `then`. false: it cannot be run. */
static bool run_and_read(const char *path, const char *then, bool (*before)(void))
{
	struct child child = begin();
	bool ran;

	if (child.pid == 0) {
		if (!before || before())
			(void)execl(path, "tool", then, (char *)NULL);
		_exit(1);
	}
	ran = await(&child);
	if (ran)
		assert_int_equal(process_read(&source, (uint32_t)child.pid, 0, &reading), 0);
	end(child.pid);
	return ran;
}

static int make(void **state)
{
	struct child child;

	(void)state;
	if (!mkdtemp(root) || chmod(root, 0755))
		return -1;
	tree_directory(root, "/bin");
	(void)snprintf(outside, sizeof(outside), "%s/bin/tool", root);
	source = process_source_open();
	child = begin();
	if (child.pid == 0) {
		if (hide())
			(void)!write(STDOUT_FILENO, "y", 1);
		else
			_exit(1);
		for (;;)
			(void)pause();
	}
	if (await(&child))
		hidden = child.pid;
	else
		end(child.pid);
	(void)snprintf(from_inside, sizeof(from_inside), "/proc/%d/root%s", hidden, outside);
	return copy(outside) ? 0 : -1;
}

static int unmake(void **state)
{
	(void)state;
	if (hidden)
		end(hidden);
	process_source_close(&source);
	tree_remove(root);
	return 0;
}

static void need_hidden(void)
{
	if (hidden)
		return;
	print_message("no user namespace can be made here\n");
	skip();
}

static void an_ordinary_program_is_believed(void **state)
{
	(void)state;
	assert_true(run_and_read(outside, "--wait", NULL));
	assert_string_equal(reading.process.executable.path, outside);
	assert_false(reading.process.executable.path_truncated);
	assert_false(reading.process.working_directory_truncated);
	assert_non_null(reading.process.root_directory);
	assert_true(reading.process.ancestors_count > 0);
	for (size_t i = 0; i < reading.process.ancestors_count; i++)
		assert_false(reading.process.ancestors[i].executable &&
		             reading.process.ancestors[i].executable_truncated);
}

static void one_that_a_user_mounted_is_cut(void **state)
{
	(void)state;
	need_hidden();
	assert_true(run_and_read(from_inside, "--wait", NULL));
	assert_string_equal(reading.process.executable.path, outside);
	assert_true(reading.process.executable.path_truncated && reading.process.executable.has_inode);
	assert_false(reading.process.working_directory_truncated);
	/* and nothing is said of what stands at that path here */
	process_examine(&source, &reading.process);
	assert_false(reading.process.executable.flags_known & EXECUTABLE_REPLACED);
}

static bool enter_directory(void)
{
	char path[160];

	(void)snprintf(path, sizeof(path), "/proc/%d/root%s/bin", hidden, root);
	return chdir(path) == 0;
}

static void so_is_its_directory(void **state)
{
	(void)state;
	need_hidden();
	assert_true(run_and_read(outside, "--wait", enter_directory));
	assert_false(reading.process.executable.path_truncated);
	assert_string_equal(reading.process.working_directory, tree_path(root, "/bin"));
	assert_true(reading.process.working_directory_truncated);
}

/* The child tells the pid of its own child, which says that it runs. */
static void read_grandchild(const struct child *child)
{
	pid_t pid = 0;

	assert_int_equal(read(child->ready, &pid, sizeof(pid)), sizeof(pid));
	assert_true(await(child));
	assert_int_equal(process_read(&source, (uint32_t)pid, 0, &reading), 0);
	end(child->pid);
}

/* The program that a user mounted runs a true one, and is asked for that one's pid. */
static void so_is_the_parent(void **state)
{
	struct child child;

	(void)state;
	need_hidden();
	child = begin();
	if (child.pid == 0) {
		(void)execl(from_inside, "tool", outside, (char *)NULL);
		_exit(1);
	}
	read_grandchild(&child);
	assert_false(reading.process.executable.path_truncated);
	assert_int_equal(reading.process.ancestors[0].pid, child.pid);
	assert_string_equal(reading.process.ancestors[0].executable, outside);
	assert_true(reading.process.ancestors[0].executable_truncated);
	assert_false(reading.process.ancestors[1].executable_truncated);
}

/* Who waits until its parent has hidden, and runs what stands there then. */
static void run_of_parent(int hidden_now)
{
	pid_t parent = getppid();
	char path[160], byte;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)snprintf(path, sizeof(path), "/proc/%d/root%s", parent, outside);
	if (read(hidden_now, &byte, 1) == 1)
		(void)execl(path, "tool", "--wait", (char *)NULL);
	_exit(1);
}

/* The parent sees that mount; but the mounts are its own, and its child's are not. */
static void a_parent_does_not_vouch(void **state)
{
	struct child child;
	int told[2];

	(void)state;
	need_hidden();
	assert_int_equal(pipe2(told, O_CLOEXEC), 0);
	child = begin();
	if (child.pid == 0) {
		pid_t pid = fork();

		if (pid == 0)
			run_of_parent(told[0]);
		(void)!write(STDOUT_FILENO, &pid, sizeof(pid));
		if (hide())
			(void)!write(told[1], "y", 1);
		(void)waitpid(pid, NULL, 0);
		_exit(0);
	}
	close(told[0]);
	close(told[1]);
	read_grandchild(&child);
	assert_string_equal(reading.process.executable.path, outside);
	assert_true(reading.process.executable.path_truncated);
	assert_int_equal(reading.process.ancestors[0].pid, child.pid);
	assert_false(reading.process.ancestors[0].executable_truncated);
}

/* In the namespaces of its own it stands where it says; that they are its own is told beside it. */
static void in_its_own_namespaces_it_is_believed(void **state)
{
	(void)state;
	need_hidden();
	assert_true(run_and_read(outside, "--wait", hide));
	assert_string_equal(reading.process.executable.path, outside);
	assert_false(reading.process.executable.path_truncated);
	assert_int_not_equal(reading.process.userns_inode, 0);
}

static void need_root(void)
{
	if (geteuid() == 0)
		return;
	print_message("not root\n");
	skip();
}

/* A server that takes namespaces or a root of its own after its exec does not see the mount itself any more. */
static void one_that_moved_is_believed(void **state)
{
	static const char *const moves[] = {"--unshare", "--chroot"};

	(void)state;
	need_root();
	for (size_t i = 0; i < sizeof(moves) / sizeof(moves[0]); i++) {
		assert_true(run_and_read(outside, moves[i], NULL));
		assert_string_equal(reading.process.executable.path, outside);
		assert_false(reading.process.executable.path_truncated);
		if (!reading.process.root_directory)
			fail_msg("%s: its root is not known", moves[i]);
	}
}

static bool move(const char *how)
{
	if (strcmp(how, "--unshare") == 0)
		return unshare(CLONE_NEWNS) == 0;
	if (strcmp(how, "--chroot") == 0)
		return chroot("/proc") == 0;
	return strcmp(how, "--wait") == 0;
}

static void run_and_wait(const char *path)
{
	pid_t pid = fork();

	if (pid == 0) {
		pid = getpid();
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)!write(STDOUT_FILENO, &pid, sizeof(pid));
		(void)execl(path, "tool", "--wait", (char *)NULL);
		_exit(1);
	}
	(void)waitpid(pid, NULL, 0);
	_exit(0);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
	        cmocka_unit_test(an_ordinary_program_is_believed),
	        cmocka_unit_test(one_that_a_user_mounted_is_cut),
	        cmocka_unit_test(so_is_its_directory),
	        cmocka_unit_test(so_is_the_parent),
	        cmocka_unit_test(a_parent_does_not_vouch),
	        cmocka_unit_test(in_its_own_namespaces_it_is_believed),
	        cmocka_unit_test(one_that_moved_is_believed),
	};

	if (argc > 1 && argv[1][0] == '/') {
		run_and_wait(argv[1]);
	} else if (argc > 1) {
		if (!move(argv[1]))
			return 1;
		(void)!write(STDOUT_FILENO, "y", 1);
		for (;;)
			(void)pause();
	}
	return cmocka_run_group_tests(tests, make, unmake);
}
