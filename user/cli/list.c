/* SPDX-License-Identifier: BSD-2-Clause */
/* bindwatch list: who holds which port on this host now. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "user/cli/port.h"
#include "user/cli/registry_option.h"
#include "user/cli/socket_cells.h"
#include "user/encode/encode.h"
#include "user/encode/names.h"

#define OUTPUT_BYTES (8 * ENCODE_EVENT_MAX)

struct list {
	struct port_answer answer;
	struct encode_host host;
	bool listening; /* leave out what takes nothing */
};

struct options {
	const char *ports, *registry, *services;
	int (*form)(struct list *list, FILE *stream);
	bool listening;
};

/* The first socket at or behind `from` that is to be shown, and its event; sockets_count where there is none. */
static size_t next_socket(const struct list *list, size_t from, struct event *ret)
{
	const struct inventory *inventory = list->answer.inventory;
	size_t at = port_next_socket(&list->answer, from, 0, ret);

	while (list->listening && at < inventory->sockets_count && !socket_receives(&inventory->sockets[at]))
		at = port_next_socket(&list->answer, at + 1, 0, ret);
	return at;
}

static void cell(struct cli_table *table, const char *text)
{
	cli_table_cell(table, text, strlen(text), 0);
}

/* A row for the socket, and one for each further name that a process of its holders has. */
static void add_rows(struct cli_table *table, const struct list *list, const struct inventory_socket *socket,
                     const struct event *event)
{
	const char *protocol = name_of_protocol(socket->protocol), *exposure = name_of_exposure(event->facts.exposure);
	size_t shown;

	cell(table, protocol ? protocol : "");
	cell_server(table, event);
	/* a site's file may have characters that do not show */
	cell(table, name_of_service(event));
	cell(table, cell_state(socket));
	cell(table, exposure ? exposure : "");
	shown = cell_processes(table, event, 0);
	cell_owner(table, list->answer.inventory, socket, list->answer.users);
	while (shown < event->holders_count) {
		for (int i = 0; i < 5; i++)
			cell(table, "");
		shown = cell_processes(table, event, shown);
		cell(table, "");
		cell(table, "");
	}
}

static int list_text(struct list *list, FILE *stream)
{
	static const char *const titles[] = {
	        "PROTO", "ADDRESS:PORT", "SERVICE", "STATE", "EXPOSURE", "PROCESS", "PID", "USER", "NETWORK NAMESPACE"};
	struct cli_table table = {.columns = sizeof(titles) / sizeof(titles[0])};
	const struct inventory *inventory = list->answer.inventory;
	struct event event;
	int err;

	for (size_t i = 0; i < table.columns; i++)
		cell(&table, titles[i]);
	for (size_t i = next_socket(list, 0, &event); i < inventory->sockets_count;
	     i = next_socket(list, i + 1, &event))
		add_rows(&table, list, &inventory->sockets[i], &event);
	err = cli_table_print(&table, stream);
	cli_table_free(&table);
	return err;
}

static int list_json(struct list *list, FILE *stream)
{
	const struct encoder *encoder = encoder_find("json");
	const struct inventory *inventory = list->answer.inventory;
	static char data[OUTPUT_BYTES];
	struct encode_buffer buffer = {.data = data, .size = sizeof(data)};
	uint64_t sequence = 0;
	struct event event;
	int err = encoder ? 0 : -ENOTSUP;

	errno = 0;
	for (size_t i = next_socket(list, 0, &event); !err && i < inventory->sockets_count;
	     i = next_socket(list, i + 1, &event)) {
		event.sequence = ++sequence;
		err = encoder->event(&list->host, &event, &buffer);
		if (!err && fwrite(buffer.data, 1, buffer.used, stream) != buffer.used)
			err = errno ? -errno : -EIO;
		buffer.used = 0;
	}
	return err;
}

static const struct form {
	const char *name;
	int (*write)(struct list *list, FILE *stream);
} forms[] = {
        {"text", list_text},
        {"json", list_json},
};

static int help(void)
{
	(void)puts("Usage: bindwatch list [OPTION]...\n"
	           "Shows who holds which port on this host now, in every network namespace, sorted by port.\n"
	           "\n"
	           "  -o, --output=FORM    text (the default) or json: one ECS object a line\n"
	           "  -p, --port=LIST      only these: numbers, ranges, service names, e.g. "
	           "22,80/tcp,8000-8010,domain/udp\n"
	           "      --listening      only what takes connections or datagrams, not what holds a port and does "
	           "neither\n"
	           "      --registry=FILE  IANA's CSV file in place of the built-in registry\n"
	           "      --services=FILE  names of the site's own, in the form of /etc/services\n"
	           "  -h, --help           this text\n"
	           "      --version        the version\n"
	           "\n"
	           "All sockets and their processes are seen by root only; what could not be seen is said on stderr.\n"
	           "\n"
	           "Exit: 0 listed, also where there is nothing to list; 1 it could not be done; 2 it was not "
	           "understood.");
	return fflush(stdout) == 0 ? CLI_OK : CLI_FAILURE;
}

static bool set_form(struct options *options, const char *name)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (strcmp(forms[i].name, name) == 0) {
			options->form = forms[i].write;
			return true;
		}
	}
	return false;
}

/* True: *ret_options is whole. False: the command ends with *ret_exit. */
static bool options_parse(int argc, char **argv, struct options *ret_options, int *ret_exit)
{
	enum { OPTION_REGISTRY = 256, OPTION_SERVICES, OPTION_LISTENING, OPTION_VERSION };
	static const struct option table[] = {
	        {"output", required_argument, NULL, 'o'},
	        {"port", required_argument, NULL, 'p'},
	        {"listening", no_argument, NULL, OPTION_LISTENING},
	        {"registry", required_argument, NULL, OPTION_REGISTRY},
	        {"services", required_argument, NULL, OPTION_SERVICES},
	        {"help", no_argument, NULL, 'h'},
	        {"version", no_argument, NULL, OPTION_VERSION},
	        {NULL, 0, NULL, 0},
	};
	int option;

	*ret_options = (struct options){.form = list_text};
	opterr = 0;
	optind = 0; /* main() looked at nothing, but a test may call this twice */
	while ((option = getopt_long(argc, argv, ":o:p:h", table, NULL)) != -1) {
		if (option == 'o' && set_form(ret_options, optarg)) {
			continue;
		} else if (option == 'p') {
			ret_options->ports = optarg;
		} else if (option == OPTION_LISTENING) {
			ret_options->listening = true;
		} else if (option == OPTION_REGISTRY) {
			ret_options->registry = optarg;
		} else if (option == OPTION_SERVICES) {
			ret_options->services = optarg;
		} else {
			if (option == 'h')
				*ret_exit = help();
			else if (option == OPTION_VERSION)
				*ret_exit = cli_version();
			else if (option == 'o')
				*ret_exit = cli_usage("list", "list: --output: '%s' is not text or json", optarg);
			else
				*ret_exit = cli_bad_option("list", option, argv);
			return false;
		}
	}
	if (optind == argc)
		return true;
	*ret_exit = cli_usage("list", "list: '%s' is one word too many: ports are named with --port", argv[optind]);
	return false;
}

static int ports_open(const struct options *options, const struct registry *registry, struct portlist *ports)
{
	char error[PORTLIST_ERROR_LEN];

	memset(ports->ports, 0xff, sizeof(ports->ports));
	if (options->ports && portlist_parse(options->ports, registry, ports, error))
		return cli_usage("list", "list: --port: %s", error);
	return CLI_OK;
}

/* What could not be seen is said where it stands beside the list and outside of a pipe. */
static void tell_notes(const struct inventory *inventory)
{
	char note[INVENTORY_TEXT_LEN];

	for (unsigned int i = 0; inventory_note(inventory, i, note); i++)
		(void)cli_error("list: note: %s", note);
}

static int write_list(const struct options *options, struct list *list)
{
	int err = options->form(list, stdout);

	if (!err && fflush(stdout) != 0)
		err = -errno;
	if (err == -EPIPE) /* the reader has seen enough */
		return CLI_FAILURE;
	if (err)
		return cli_error("list: cannot write the list: %s", strerror(-err));
	tell_notes(list->answer.inventory);
	return CLI_OK;
}

static int take_and_write(const struct options *options, struct list *list, const struct portlist *ports)
{
	struct inventory *inventory = NULL;
	char error[INVENTORY_TEXT_LEN];
	int status;

	if (encode_host_init(&list->host, registry_date(list->answer.registry)) < 0)
		return cli_error("list: cannot read the host's name or /proc/sys/kernel/random/boot_id: is /proc "
		                 "mounted?");
	if (inventory_take(ports->ports, NULL, &inventory, error) || inventory_find_holders(inventory, error)) {
		inventory_free(inventory);
		return cli_error("list: %s", error);
	}
	list->answer.inventory = inventory;
	status = write_list(options, list);
	inventory_free(inventory);
	return status;
}

int cli_list(int argc, char **argv)
{
	struct portlist *ports = NULL;
	struct registry *registry = NULL;
	struct list list = {.listening = false};
	struct options options;
	int status;

	if (!options_parse(argc, argv, &options, &status))
		return status;
	(void)signal(SIGPIPE, SIG_IGN); /* EPIPE is told from a full disk in write_list() */
	ports = calloc(1, sizeof(*ports));
	list.answer.users = calloc(1, sizeof(*list.answer.users));
	if (!ports || !list.answer.users) {
		status = cli_error("list: out of memory");
		goto out;
	}
	status = cli_registry_open("list", options.registry, options.services, &registry);
	if (!status)
		status = ports_open(&options, registry, ports);
	if (status)
		goto out;
	list.listening = options.listening;
	list.answer.registry = registry;
	list.answer.ports = ports;
	status = take_and_write(&options, &list, ports);
out:
	registry_free(registry);
	free(list.answer.users);
	free(ports);
	return status;
}
