/* SPDX-License-Identifier: BSD-2-Clause */
/* bindwatch registry: what the IANA registry in use is, and the care of its files. */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "registry/snapshot.h"
#include "user/base/visible.h"
#include "user/cli/cli.h"
#include "user/cli/registry_diff.h"
#include "user/encode/json.h"

/* A path has at most 4,096 bytes, each six in JSON; the rest is numbers. */
#define JSON_MAX 32768

struct options {
	const char *registry; /* NULL: the one that is part of the program */
	const char *date;     /* of --date, or NULL */
	bool json;
	char **operands;
};

/* What `registry` can do: its operands, and the options it takes as letters of getopt_long() below. */
struct action {
	const char *name;
	int (*run)(const struct options *options);
	int operands;
	const char *operand_names, *takes;
};

static int help(void)
{
	puts(
	    "Usage: bindwatch registry info [--registry=FILE] [--output=text|json]\n"
	    "       bindwatch registry check FILE\n"
	    "       bindwatch registry diff OLD NEW\n"
	    "       bindwatch registry convert FILE [--date=YYYY-MM-DD]\n"
	    "The IANA Service Name and Transport Protocol Port Number Registry that ports are looked up in.\n\n"
	    "  info                 its date, its source, how many ports are in which state\n"
	    "  check                reads a file and tells whether it is a whole, well-formed registry\n"
	    "  diff                 the ports whose assignment, names or titles differ: + added, - removed, ~ changed\n"
	    "  convert              writes the facts of a file to stdout, in the form of the built-in snapshot\n\n"
	    "      --registry=FILE  in place of the built-in registry\n"
	    "  -o, --output=FORM    text (the default) or json\n"
	    "      --date=DATE      of the file, for IANA's CSV does not tell its own; else the newest of its rows\n"
	    "      --help           this text\n"
	    "      --version        the version\n\n"
	    "FILE, OLD and NEW are IANA's service-names-port-numbers.csv or what convert wrote.\n"
	    "Exit: 0, 1 on a failure, 2 on a wrong command line.");
	return fflush(stdout) == 0 ? CLI_OK : CLI_FAILURE;
}

/* A path is any bytes; a terminal gets none that it would obey. */
static void print_visible(const char *text)
{
	size_t len = strlen(text);

	while (len) {
		char form[VISIBLE_MAX];
		size_t taken, size = visible_next(text, len, 0, form, &taken);

		(void)fwrite(form, 1, size, stdout);
		text += taken;
		len -= taken;
	}
}

/* CLI_OK once all that was printed is written. */
static int finish_output(void)
{
	if (fflush(stdout) != 0 || ferror(stdout))
		return cli_error("cannot write the output: %s", strerror(errno));
	return CLI_OK;
}

static int open_file(const char *path, struct registry **ret)
{
	char error[REGISTRY_ERROR_LEN];

	return registry_open_file(path, ret, error) < 0 ? cli_error("%s", error) : CLI_OK;
}

static void info_text(const struct registry *registry)
{
	printf("date     %s\nsource   ", registry_date(registry));
	print_visible(registry_source(registry));
	printf("\nsha256   %s (of IANA's CSV file)\nmemory   %zu bytes\n\nports   ", snapshot_digest(registry),
	       registry_bytes(registry));
	for (unsigned int s = REGISTRY_NOT_LISTED + 1; s <= REGISTRY_STATES; s++)
		printf("  %11s", registry_state_name((enum registry_state)(s % REGISTRY_STATES)));
	for (unsigned int t = 0; t < REGISTRY_TRANSPORTS; t++) {
		printf("\n%-8s", registry_transport_name((enum registry_transport)t));
		for (unsigned int s = REGISTRY_NOT_LISTED + 1; s <= REGISTRY_STATES; s++)
			printf("  %11zu", registry_count(registry, (enum registry_transport)t,
							 (enum registry_state)(s % REGISTRY_STATES)));
	}
	putchar('\n');
}

static int info_json(const struct registry *registry)
{
	char bytes[JSON_MAX];
	struct encode_buffer buffer = {.data = bytes, .size = sizeof(bytes)};
	const char *source = registry_source(registry);
	struct json json;

	json_begin(&json, &buffer);
	json_object_begin(&json);
	json_key(&json, "date");
	json_text(&json, registry_date(registry));
	json_key(&json, "source");
	json_hostile_string(&json, source, strlen(source));
	json_key(&json, "source_sha256");
	json_text(&json, snapshot_digest(registry));
	json_key(&json, "memory_bytes");
	json_u64(&json, registry_bytes(registry));
	json_key(&json, "ports");
	json_object_begin(&json);
	for (unsigned int t = 0; t < REGISTRY_TRANSPORTS; t++) {
		json_key(&json, registry_transport_name((enum registry_transport)t));
		json_object_begin(&json);
		for (unsigned int s = 0; s < REGISTRY_STATES; s++) {
			json_key(&json, registry_state_name((enum registry_state)s));
			json_u64(&json, registry_count(registry, (enum registry_transport)t, (enum registry_state)s));
		}
		json_object_end(&json);
	}
	json_object_end(&json);
	json_object_end(&json);
	json_line_end(&json);
	if (json_end(&json) < 0)
		return cli_error("the path of the registry is too long");
	(void)fwrite(buffer.data, 1, buffer.used, stdout);
	return CLI_OK;
}

static int run_info(const struct options *options)
{
	struct registry *registry;
	int r = CLI_OK;

	if (options->registry)
		r = open_file(options->registry, &registry);
	else if (registry_open_embedded(&registry) < 0)
		r = cli_error("out of memory");
	if (r != CLI_OK)
		return r;
	if (options->json)
		r = info_json(registry);
	else
		info_text(registry);
	registry_free(registry);
	return r == CLI_OK ? finish_output() : r;
}

static int run_check(const struct options *options)
{
	struct registry *registry;
	int r = open_file(options->operands[0], &registry);

	if (r != CLI_OK)
		return r;
	print_visible(options->operands[0]);
	printf(": OK, of %s, assigned ports:", registry_date(registry));
	for (unsigned int t = 0; t < REGISTRY_TRANSPORTS; t++)
		printf("%s %zu %s", t ? "," : "",
		       registry_count(registry, (enum registry_transport)t, REGISTRY_ASSIGNED),
		       registry_transport_name((enum registry_transport)t));
	putchar('\n');
	registry_free(registry);
	return finish_output();
}

static int run_diff(const struct options *options)
{
	struct registry *old = NULL, *new = NULL;
	struct registry_diff diff;
	int r = open_file(options->operands[0], &old);

	if (r == CLI_OK)
		r = open_file(options->operands[1], &new);
	if (r == CLI_OK) {
		registry_diff(old, new, stdout, &diff);
		printf("%s to %s: %zu added, %zu removed, %zu changed (pairs of port and transport)\n",
		       registry_date(old), registry_date(new), diff.added, diff.removed, diff.changed);
		r = finish_output();
	}
	registry_free(old);
	registry_free(new);
	return r;
}

static int run_convert(const struct options *options)
{
	struct registry *registry;
	int r = open_file(options->operands[0], &registry);

	if (r != CLI_OK)
		return r;
	r = snapshot_write(registry, options->date, stdout);
	registry_free(registry);
	if (r == -EINVAL)
		return cli_usage("registry", "--date: '%s' is not a day; YYYY-MM-DD is wanted", options->date);
	return r < 0 ? cli_error("cannot write the output: %s", strerror(errno)) : CLI_OK;
}

static const struct action actions[] = {
    {"info", run_info, 0, "no file", "ro"},
    {"check", run_check, 1, "one file", ""},
    {"diff", run_diff, 2, "two files", ""},
    {"convert", run_convert, 1, "one file", "d"},
};

static const struct action *find_action(const char *name)
{
	for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++)
		if (strcmp(actions[i].name, name) == 0)
			return &actions[i];
	return NULL;
}

/* 0, or CLI_USAGE */
static int set_option(int option, struct options *options)
{
	if (option == 'r') {
		options->registry = optarg;
	} else if (option == 'd') {
		options->date = optarg;
	} else {
		options->json = strcmp(optarg, "json") == 0;
		if (!options->json && strcmp(optarg, "text") != 0)
			return cli_usage("registry", "--output: '%s' is not text or json", optarg);
	}
	return 0;
}

int cli_registry(int argc, char **argv)
{
	static const struct option longs[] = {
	    {"registry", required_argument, NULL, 'r'}, {"output", required_argument, NULL, 'o'},
	    {"date", required_argument, NULL, 'd'},	{"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'V'},	{NULL, 0, NULL, 0},
	};
	struct options options = {0};
	const struct action *action;
	char given[4] = "";
	size_t given_count = 0;
	int option, r;

	opterr = 0;
	optind = 0;
	while ((option = getopt_long(argc, argv, ":o:h", longs, NULL)) != -1) {
		if (option == 'h')
			return help();
		if (option == 'V')
			return cli_version();
		if (option == ':')
			return cli_usage("registry", "%s needs a value", argv[optind - 1]);
		if (option == '?')
			return cli_usage("registry", "unknown option '%s'", argv[optind - 1]);
		r = set_option(option, &options);
		if (r != 0)
			return r;
		if (!strchr(given, option))
			given[given_count++] = (char)option;
	}
	if (optind == argc)
		return cli_usage("registry", "what? info, check, diff or convert");
	action = find_action(argv[optind]);
	if (!action)
		return cli_usage("registry", "'%s' is not info, check, diff or convert", argv[optind]);
	if (argc - optind - 1 != action->operands)
		return cli_usage("registry", "%s takes %s", action->name, action->operand_names);
	for (const char *c = given; *c; c++)
		if (!strchr(action->takes, *c))
			return cli_usage("registry", "%s does not take --%s", action->name,
					 *c == 'r'   ? "registry"
					 : *c == 'o' ? "output"
						     : "date");
	options.operands = argv + optind + 1;
	return action->run(&options);
}
