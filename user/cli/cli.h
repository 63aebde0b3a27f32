/* SPDX-License-Identifier: BSD-2-Clause */
/* What the subcommands share: a subcommand is one file here and one row of the table in user/main.c. */
#ifndef USER_CLI_CLI_H
#define USER_CLI_CLI_H

#include <stdint.h>

#include "registry/registry.h"

/* What the program returns to the shell. */
enum cli_exit {
	CLI_OK = 0,
	CLI_FAILURE = 1, /* it was understood and could not be done */
	CLI_USAGE = 2,   /* it was not understood */
};

/*
 * A subcommand: argv[0] is its own name. Each answers --help (stdout, CLI_OK) and --version, and reports what it
 * refuses with cli_error() or cli_usage().
 */
int cli_watch(int argc, char **argv);
int cli_list(int argc, char **argv);
int cli_port(int argc, char **argv);
int cli_learn(int argc, char **argv);
int cli_replay(int argc, char **argv);
int cli_doctor(int argc, char **argv);
int cli_check(int argc, char **argv);
int cli_explain(int argc, char **argv);
int cli_registry(int argc, char **argv);

/* Writes "bindwatch: ..." and a line break to stderr, control bytes escaped; returns CLI_FAILURE. */
int cli_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same, and "Try 'bindwatch COMMAND --help'."; returns CLI_USAGE. command may be NULL. */
int cli_usage(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * What getopt_long() refused, with ':' first in its option string: option ':' lacks its value, '?' is none of ours.
 * Returns CLI_USAGE.
 */
int cli_bad_option(const char *command, int option, char **argv);

/* Prints "bindwatch VERSION" to stdout; returns CLI_OK, or CLI_FAILURE where it cannot be written. */
int cli_version(void);

/*
 * Ports as a person names them: numbers, ranges and service names, each with "/tcp" or another transport behind it if
 * only that one is meant, separated by commas: "22,80/tcp,8000-8010,domain/udp". Bit (1 << transport) of ports[p] is
 * set where port p is meant.
 */
struct portlist {
	uint8_t ports[65536];
};

#define PORTLIST_ERROR_LEN 256

/*
 * 0; -EINVAL: not of that form, or a number outside of 1-65535, or a range that ends before it starts; -ENOENT: no
 * service in the registry has that name, though one could. On an error *ret is undefined and error says in one line what was wrong and
 * what would be right. Service names count with their aliases.
 */
int portlist_parse(const char *text, const struct registry *registry, struct portlist *ret,
                   char error[PORTLIST_ERROR_LEN]);

#endif
