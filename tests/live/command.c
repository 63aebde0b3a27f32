/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/live/command.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

void command_free(struct run *run)
{
	free(run->out);
	free(run->err);
}

static char *read_all(int fd)
{
	struct stat status;
	char *text;

	assert_int_equal(fstat(fd, &status), 0);
	text = calloc(1, (size_t)status.st_size + 1);
	assert_non_null(text);
	assert_int_equal(pread(fd, text, (size_t)status.st_size, 0), status.st_size);
	(void)close(fd);
	return text;
}

struct run command_run(uid_t user, int stdout_fd, const char *path, char *const *arguments)
{
	int executable = open(path, O_RDONLY | O_CLOEXEC);
	int out = memfd_create("stdout", MFD_CLOEXEC), err = memfd_create("stderr", MFD_CLOEXEC), status;
	struct run run = {0};
	pid_t pid;

	assert_true(executable >= 0 && out >= 0 && err >= 0);
	pid = fork();
	if (pid == 0) {
		(void)alarm(60);
		(void)dup2(stdout_fd >= 0 ? stdout_fd : out, STDOUT_FILENO);
		(void)dup2(err, STDERR_FILENO);
		if (user && (setgroups(0, NULL) < 0 || setgid(user) < 0 || setuid(user) < 0))
			_exit(126);
		(void)fexecve(executable, arguments, environ);
		_exit(127);
	}
	assert_true(pid > 0);
	(void)close(executable);
	while (waitpid(pid, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	run.status = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
	run.out = read_all(out);
	run.err = read_all(err);
	return run;
}

pid_t command_child(bool (*act)(void *context), void *context)
{
	char said = 'n';
	int ready[2];
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		said = act(context) ? 'y' : 'n';
		(void)!write(ready[1], &said, 1);
		(void)alarm(120);
		for (;;)
			(void)pause();
	}
	assert_true(pid > 0);
	(void)close(ready[1]);
	(void)!read(ready[0], &said, 1);
	(void)close(ready[0]);
	if (said != 'y') {
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
		return -1;
	}
	return pid;
}

void command_child_end(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}
