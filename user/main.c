/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of subcommands. */
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "user/cli/cli.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *what;
} commands[] = {
        {"watch", cli_watch, "show every bind as it happens"},
        {"list", cli_list, "who holds which port now"},
        {"port", cli_port, "what a port is for, and who holds it"},
        {"doctor", cli_doctor, "whether watching works here, and what is missing"},
        {"check", cli_check, "whether the policy is what it is meant to be"},
        {"explain", cli_explain, "what the policy says of a bind, and why"},
        {"learn", cli_learn, "rules for what runs here, to be reviewed"},
        {"replay", cli_replay, "what a policy would have said of recorded events"},
        {"registry", cli_registry, "the IANA registry: facts, check of a file, differences"},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static int help(void)
{
	puts("Usage: bindwatch COMMAND [OPTION]...\n"
	     "Watches which process binds which port, and tells what the port is for.\n");
	for (size_t i = 0; i < COMMANDS; i++)
		printf("  %-10s %s\n", commands[i].name, commands[i].what);
	puts("\n      --help     this text; 'bindwatch COMMAND --help' tells of one command\n"
	     "      --version  the version");
	return fflush(stdout) == 0 ? CLI_OK : CLI_FAILURE;
}

/* A descriptor 0, 1 or 2 that the caller closed would become a map or a socket, and be written to. */
static void open_standard_streams(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)open("/dev/null", fd == 0 ? O_RDONLY : O_WRONLY);
}

int main(int argc, char **argv)
{
	open_standard_streams();
	setlocale(LC_TIME, "");
	if (argc < 2)
		return cli_usage(NULL, "which command? watch, list, port, doctor, check, explain, learn, replay or registry");
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
		return help();
	if (strcmp(argv[1], "--version") == 0)
		return cli_version();
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	return cli_usage(NULL, "no command named '%s': watch, list, port, doctor, check, explain, learn, replay or registry", argv[1]);
}
