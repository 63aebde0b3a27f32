/* SPDX-License-Identifier: BSD-2-Clause */
/* bindwatch port: what a port is for, and who is bound to it on this host now. */
#include "user/cli/port.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "user/cli/registry_option.h"

struct options {
	const char *registry, *services;
	int (*form)(const struct port_answer *answer, FILE *stream);
};

static const struct form {
	const char *name;
	int (*write)(const struct port_answer *answer, FILE *stream);
} forms[] = {
        {"text", port_text},
        {"json", port_json},
};

static int help(void)
{
	(void)puts("Usage: bindwatch port [OPTION]... PORT...\n"
	           "Tells what a port is for, by the IANA registry, and who is bound to it on this host now.\n"
	           "\n"
	           "PORT is a number (22), a service (ssh), a range (8000-8010), each with a transport\n"
	           "behind it if only that is meant (80/tcp), or several of these with commas between.\n"
	           "\n"
	           "      --registry FILE    the registry to use instead of the built-in one: IANA's CSV\n"
	           "      --services FILE    names of this site, in the form of /etc/services\n"
	           "  -o, --output text|json text for a person (the default), or a JSON document for each port\n"
	           "  -h, --help             this text\n"
	           "      --version          the version\n"
	           "\n"
	           "All sockets and their processes are seen by root only.\n"
	           "\n"
	           "Exit: 0 answered, also where nobody is bound; 1 it could not be done; 2 it was not understood.");
	return fflush(stdout) == 0 ? CLI_OK : CLI_FAILURE;
}

static const struct form *form_find(const char *name)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (strcmp(forms[i].name, name) == 0)
			return &forms[i];
	}
	return NULL;
}

/* True: *ret_options is whole. False: the command ends with *ret_exit. */
static bool options_parse(int argc, char **argv, struct options *ret_options, int *ret_exit)
{
	enum { OPTION_REGISTRY = 256, OPTION_SERVICES, OPTION_VERSION };
	static const struct option table[] = {
	        {"registry", required_argument, NULL, OPTION_REGISTRY},
	        {"services", required_argument, NULL, OPTION_SERVICES},
	        {"output", required_argument, NULL, 'o'},
	        {"help", no_argument, NULL, 'h'},
	        {"version", no_argument, NULL, OPTION_VERSION},
	        {NULL, 0, NULL, 0},
	};
	const struct form *form = &forms[0];
	int option;

	*ret_options = (struct options){0};
	opterr = 0;
	optind = 0; /* main() looked at nothing, but a test may call this twice */
	while ((option = getopt_long(argc, argv, ":o:h", table, NULL)) != -1) {
		switch (option) {
		case OPTION_REGISTRY:
			ret_options->registry = optarg;
			break;
		case OPTION_SERVICES:
			ret_options->services = optarg;
			break;
		case 'o':
			form = form_find(optarg);
			if (!form) {
				*ret_exit = cli_usage("port", "port: no output form '%s': text or json", optarg);
				return false;
			}
			break;
		case 'h':
			*ret_exit = help();
			return false;
		case OPTION_VERSION:
			*ret_exit = cli_version();
			return false;
		case ':':
			*ret_exit = cli_usage("port", "port: the option '%s' needs a value", argv[optind - 1]);
			return false;
		default:
			*ret_exit = cli_usage("port", "port: there is no option '%s'", argv[optind - 1]);
			return false;
		}
	}
	ret_options->form = form->write;
	if (optind < argc)
		return true;
	*ret_exit = cli_usage("port", "port: which port? A number from 1 to 65535, a range or a service name");
	return false;
}

/* Adds each argument to ports; scratch is for one of them. 0, or what the program returns, said. */
static int ports_parse(char **arguments, const struct registry *registry, struct portlist *ports,
                       struct portlist *scratch)
{
	char error[PORTLIST_ERROR_LEN];

	for (; *arguments; arguments++) {
		int err = portlist_parse(*arguments, registry, scratch, error);

		if (err == -ENOENT)
			return cli_error("port: %s", error);
		if (err)
			return cli_usage("port", "port: %s", error);
		for (size_t i = 0; i < sizeof(ports->ports); i++)
			ports->ports[i] |= scratch->ports[i];
	}
	return CLI_OK;
}

/* What could not be seen is said on stderr too, where it stands beside the text and outside of a pipe. */
static int report(const struct port_answer *answer)
{
	char note[INVENTORY_TEXT_LEN];

	if (!answer->inventory)
		return cli_error("port: %s", answer->error);
	for (unsigned int i = 0; inventory_note(answer->inventory, i, note); i++)
		(void)cli_error("port: note: %s", note);
	return CLI_OK;
}

static int answer_write(const struct options *options, const struct port_answer *answer)
{
	int err = options->form(answer, stdout);

	if (!err && fflush(stdout) != 0)
		err = -errno;
	if (err == -EPIPE) /* the reader has seen enough */
		return CLI_FAILURE;
	if (err)
		return cli_error("port: cannot write the answer: %s", strerror(-err));
	return report(answer);
}

int cli_port(int argc, char **argv)
{
	struct port_answer answer = {0};
	struct portlist *lists = NULL;
	struct inventory *inventory = NULL;
	struct registry *registry = NULL;
	char error[INVENTORY_TEXT_LEN];
	struct options options;
	int status;

	if (!options_parse(argc, argv, &options, &status))
		return status;
	(void)signal(SIGPIPE, SIG_IGN); /* EPIPE is told from a full disk in answer_write() */
	lists = calloc(2, sizeof(*lists));
	answer.users = calloc(1, sizeof(*answer.users));
	if (!lists || !answer.users) {
		status = cli_error("port: out of memory");
		goto out;
	}
	status = cli_registry_open("port", options.registry, options.services, &registry);
	if (!status)
		status = ports_parse(argv + optind, registry, &lists[0], &lists[1]);
	if (status)
		goto out;

	answer.registry = registry;
	answer.ports = &lists[0];
	answer.error = error;
	if (inventory_take(lists[0].ports, NULL, &inventory, error) == 0 && inventory_find_holders(inventory, error) == 0)
		answer.inventory = inventory;
	status = answer_write(&options, &answer);
out:
	inventory_free(inventory);
	registry_free(registry);
	free(answer.users);
	free(lists);
	return status;
}
