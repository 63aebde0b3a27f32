/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Servers for tests: the test program itself, started again, under a name and in a place that the test chooses. What is
 * wrong fails the test that calls.
 */
#ifndef TESTS_LIVE_SERVER_H
#define TESTS_LIVE_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

#define SERVER_PATH_LEN 4096

/* The first lines of main(): whether this is to be a server, and its exit code once it was one. */
bool server_is_meant(int argc, char **argv);
int server_run(char **argv);

/* Makes a directory beside the test program, in which nobody else may write. 0 or -errno. */
int server_place(char place[SERVER_PATH_LEN]);

/* A copy of this program that everybody may run: another file. */
void server_copy(const char *path);

/*
 * What it binds: pairs of a kind and a port. The kind begins with "tcp" or "udp"; "loopback": of 127.0.0.1 and not of
 * every address; "chosen": port 0; "share": with SO_REUSEPORT; "userns": from a user namespace of its own.
 */
#define SERVE(...) ((const char *const[]){"server", "--serve", __VA_ARGS__, NULL})

/*
 * Starts the program behind the descriptor or, where that is negative, at the path; it holds its ports when this
 * returns. It ends after two minutes, or by command_child_end().
 */
pid_t server_start(const char *path, int fd, const char *const *arguments);

#endif
