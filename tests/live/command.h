/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs and children that a live test starts, and what became of them. A failure fails the test that calls. */
#ifndef TESTS_LIVE_COMMAND_H
#define TESTS_LIVE_COMMAND_H

#include <stdbool.h>
#include <sys/types.h>

struct run {
	int status; /* exit code, or -signal */
	char *out, *err;
};

/*
 * Runs a program, by its path, and waits for it, a minute at most. stdout_fd: -1, or where its stdout goes. user: run
 * as this one; 0: as we are. Exit code 126, 127: it could not become this user, or could not be run.
 */
struct run command_run(uid_t user, int stdout_fd, const char *path, char *const *arguments);
void command_free(struct run *run);

/* A child that calls act(context), and if that is true waits to be ended. Returns once it did; -1: it was false. */
pid_t command_child(bool (*act)(void *context), void *context);
void command_child_end(pid_t pid);

#endif
