/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who made a bind: programs that bind from odd places (tool_bind.c), the events that a monitor within this process has
 * of them, and what /proc and stat(2) say of the same processes.
 */
#ifndef TESTS_LIVE_WHO_H
#define TESTS_LIVE_WHO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "user/base/event.h"
#include "user/sense/sense.h"

/* An event as it was told, with a copy of its process. */
struct who_event {
	struct event event; /* event.process points to `process`, or is NULL */
	struct process process;
	char *texts;
};

struct who_test {
	const char *why_not; /* all tests are to be skipped, or NULL */
	char tool[4096];     /* tool_bind of the same build */
	char directory[64];  /* an empty one, removed at the end */
	struct sense *sense;
	uint16_t port;          /* the last one given out */
	struct who_event *told; /* binds that were read and not yet waited for */
	size_t told_count;
};

/* Group set-up: hooks, a network namespace of our own, a directory. 0, or -1: what was wrong is printed. */
int who_start(struct who_test *test, const char *argv0);
void who_stop(struct who_test *test);

/* The end of a group: every call that a hook saw was told. Fails as a test does. */
void who_ledger(struct who_test *test);

void who_event_free(struct who_event *event);

/* Zeroed memory that children share; NULL: there is none. Not freed. */
void *who_shared(size_t size);

/* A port that no test has had. */
uint16_t who_port(struct who_test *test);

/* Reads until the bind of this port is told. Fails where it is not. */
void who_await(struct who_test *test, uint16_t port, struct who_event *ret);

struct who_run {
	const char *file;              /* what is executed */
	int fd;                        /* or this, by fexecve(3), if file is NULL */
	int directory;                 /* that the file's name counts from, by execveat(2); 0: the working directory */
	char *const *arguments;        /* NULL: only the file's name */
	const char *next;              /* BIND_NEXT */
	bool wait, stay;               /* BIND_WAIT, BIND_STAY */
	int (*prepare)(void *context); /* in the child, before the exec; not 0: gives up with that exit code */
	void *context;
};

struct who_child {
	pid_t pid;
	int in; /* its stdin: who_go() and who_end() write to it and close it */
	uint16_t port;
};

/* Starts it. Fails where it cannot. */
struct who_child who_run(struct who_test *test, const struct who_run *run);

/* Lets a program with BIND_WAIT do its bind. */
void who_go(const struct who_child *child);

/* Ends it, and looks that it did what it should: the port is bound only if its exit code is 0. */
void who_end(struct who_child *child);

/* Runs the program to its end, and only then reads the event of its bind: of a process that is gone. */
void who_run_and_await(struct who_test *test, const struct who_run *run, struct who_event *ret);

/* Holds all that the event says of a living process against /proc and stat(2). Fails at the first difference. */
void who_compare(const struct who_event *event, pid_t pid);

/* The executable, against what stat(2) says of it. */
void who_compare_file(const struct executable *executable, const struct stat *status);

/* Copies the tool to what is open, or to a new file; mode as given. Fails where it cannot. */
void who_copy(const struct who_test *test, int to);
void who_install(const struct who_test *test, const char *path, mode_t mode);
void who_install_at(const struct who_test *test, int directory, const char *name, mode_t mode);

/* The target of a link in /proc/PID; fails where there is none. */
void who_link(pid_t pid, const char *name, char *ret, size_t size);

#endif
