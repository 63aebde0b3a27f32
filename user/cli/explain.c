/* SPDX-License-Identifier: BSD-2-Clause */
/* bindwatch explain: what the policy says of a bind, and why. */
#include "user/cli/explain.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/cli/cli.h"
#include "user/cli/registry_option.h"
#include "user/cli/replay_lines.h"

static int help(void)
{
	(void)puts(
	        "Usage: bindwatch explain --port=PORT [OPTION]...\n"
	        "       bindwatch explain [--event=FILE] [OPTION]...\n"
	        "Tells what the policy says of a bind, which rule decides, where it stands, and of each rule before it "
	        "the\n"
	        "first thing that it wants and that is not so. The bind is described by options, or it is one that\n"
	        "'bindwatch watch --output json' told of: a line each, of a file or of standard input.\n"
	        "\n"
	        "      --port=PORT         22, 22/tcp, 53/udp\n"
	        "      --exe=PATH          the program\n"
	        "      --exe-flags=LIST    memfd, deleted, replaced, overlay-upper, world-writable, modified (none)\n"
	        "      --user=USER         name or number (root)\n"
	        "      --address=ADDRESS   what is bound (0.0.0.0)\n"
	        "      --unit=UNIT         systemd unit of the system's manager (none)\n"
	        "      --user-unit=UNIT    the same of a user's manager (none)\n"
	        "      --slice=SLICE       its slice (none; not known of a unit or container)\n"
	        "      --container=ID      container (none)\n"
	        "      --image=NAME        the image of the container (not known)\n"
	        "      --parent=PATH       the program of the parent\n"
	        "      --netns=NAMESPACE   host, other or its number: the namespace of the network (host)\n"
	        "      --userns=NAMESPACE  the same of users\n"
	        "      --mntns=NAMESPACE   the same of mounts\n"
	        "      --outcome=OUTCOME   success (the default), failure, or the error: EADDRINUSE\n"
	        "      --event=FILE        events as JSON, one a line; - is standard input\n"
	        "      --policy=PATH       this file or directory, in place of the vendor's and the site's rules; may\n"
	        "                          be repeated\n"
	        "      --registry=FILE     the registry to look the port up in: IANA's CSV\n"
	        "      --services=FILE     names of this site, in the form of /etc/services\n"
	        "  -o, --output=text|json  text for a person (the default), or one JSON document an event\n"
	        "  -h, --help              this text\n"
	        "      --version           the version\n"
	        "\n"
	        "What is not described is not known, and satisfies no rule.\n"
	        "Exit: 0 answered; 1 the policy or an event cannot be read; 2 a wrong command line.");
	return fflush(stdout) == 0 ? CLI_OK : CLI_FAILURE;
}

/* Options whose value is kept as it is. */
static const struct text_option {
	const char *name;
	size_t offset;
	bool describes; /* it describes a bind: not together with --event */
} texts[] = {
        {"port", offsetof(struct explain_options, port), true},
        {"exe", offsetof(struct explain_options, exe), true},
        {"exe-flags", offsetof(struct explain_options, exe_flags), true},
        {"user", offsetof(struct explain_options, user), true},
        {"address", offsetof(struct explain_options, address), true},
        {"unit", offsetof(struct explain_options, unit), true},
        {"user-unit", offsetof(struct explain_options, user_unit), true},
        {"slice", offsetof(struct explain_options, slice), true},
        {"container", offsetof(struct explain_options, container), true},
        {"image", offsetof(struct explain_options, image), true},
        {"parent", offsetof(struct explain_options, parent), true},
        {"outcome", offsetof(struct explain_options, outcome), true},
        {"netns", offsetof(struct explain_options, netns), true},
        {"userns", offsetof(struct explain_options, userns), true},
        {"mntns", offsetof(struct explain_options, mntns), true},
        {"event", offsetof(struct explain_options, event), false},
        {"registry", offsetof(struct explain_options, registry), false},
        {"services", offsetof(struct explain_options, services), false},
};

#define TEXTS (sizeof(texts) / sizeof(texts[0]))

enum { OPTION_POLICY = 256, OPTION_VERSION, OPTION_TEXT };

static const char **text_of(struct explain_options *options, const struct text_option *option)
{
	return (const char **)((char *)options + option->offset);
}

/* --port, or events: not both, and nothing that describes a bind without its port. */
static int options_check(struct explain_options *options)
{
	for (size_t i = 0; !options->port && i < TEXTS; i++) {
		if (texts[i].describes && *text_of(options, &texts[i]))
			return cli_usage("explain", "--%s needs --port beside it", texts[i].name);
	}
	if (options->port && options->event)
		return cli_usage("explain", "--port describes a bind, --event has one: give one of them");
	if (!options->port && !options->event)
		options->event = "-";
	return -1;
}

static int take_option(int option, struct explain_options *options)
{
	if (option >= OPTION_TEXT) {
		*text_of(options, &texts[option - OPTION_TEXT]) = optarg;
		return CLI_OK;
	}
	if (option == OPTION_POLICY)
		return cli_policy_add("explain", "policy", optarg, &options->policy);
	options->json = strcmp(optarg, "json") == 0;
	if (!options->json && strcmp(optarg, "text") != 0)
		return cli_usage("explain", "--output: '%s' is not text or json", optarg);
	return CLI_OK;
}

/* -1: go on; else what the program returns. */
static int options_parse(int argc, char **argv, struct explain_options *options)
{
	struct option longs[TEXTS + 5] = {
	        {"policy", required_argument, NULL, OPTION_POLICY},
	        {"output", required_argument, NULL, 'o'},
	        {"help", no_argument, NULL, 'h'},
	        {"version", no_argument, NULL, OPTION_VERSION},
	};
	int option, r;

	for (size_t i = 0; i < TEXTS; i++)
		longs[4 + i] = (struct option){texts[i].name, required_argument, NULL, OPTION_TEXT + (int)i};
	*options = (struct explain_options){0};
	opterr = 0;
	optind = 0;
	while ((option = getopt_long(argc, argv, ":o:h", longs, NULL)) != -1) {
		if (option == 'h')
			return help();
		if (option == OPTION_VERSION)
			return cli_version();
		if (option == ':' || option == '?')
			return cli_bad_option("explain", option, argv);
		r = take_option(option, options);
		if (r)
			return r;
	}
	if (optind < argc)
		return cli_usage("explain", "'%s' is one word too many", argv[optind]);
	return options_check(options);
}

static int answer(const struct explain_options *options, const struct policy *policy, struct event *event,
                  struct user_cache *users)
{
	int r = explain_write(policy, event, users, options->json);

	return r < 0 ? cli_error("explain: cannot write the answer: %s", strerror(-r)) : CLI_OK;
}

struct explaining {
	const struct explain_options *options;
	const struct policy *policy;
	struct user_cache *users;
	uint64_t answers;
};

static int on_line(void *context, struct event *event, uint64_t line)
{
	struct explaining *explaining = context;
	(void)line;

	if (explaining->answers++ && !explaining->options->json)
		(void)putchar('\n');
	return answer(explaining->options, explaining->policy, event, explaining->users) == CLI_OK ? 0 : -ECANCELED;
}

/* A line that cannot be read is told with its number, and the others are answered all the same. */
static int explain_lines(const struct explain_options *options, const struct policy *policy, struct user_cache *users)
{
	struct explaining explaining = {.options = options, .policy = policy, .users = users};
	struct replay_lines lines;

	if (replay_lines("explain", options->event, on_line, &explaining, &lines) < 0 || lines.bad)
		return CLI_FAILURE;
	if (!lines.events)
		return cli_error("explain: %s: there is no event in it",
		                 strcmp(options->event, "-") == 0 ? "standard input" : options->event);
	return CLI_OK;
}

static int explain_all(const struct explain_options *options, const struct registry *registry, struct user_cache *users)
{
	struct policy *policy;
	struct explain_event made;
	int r;

	if (options->port) {
		r = explain_event_make(options, registry, &made);
		if (r)
			return r;
	}
	r = cli_policy_open("explain", &options->policy, registry, &policy);
	if (r)
		return r;
	r = options->port ? answer(options, policy, &made.event, users) : explain_lines(options, policy, users);
	policy_free(policy);
	return r;
}

int cli_explain(int argc, char **argv)
{
	struct explain_options options;
	struct user_cache *users;
	struct registry *registry;
	int r = options_parse(argc, argv, &options);

	if (r >= 0)
		return r;
	users = calloc(1, sizeof(*users));
	if (!users)
		return cli_error("explain: out of memory");
	r = cli_registry_open("explain", options.registry, options.services, &registry);
	if (r == CLI_OK) {
		r = explain_all(&options, registry, users);
		registry_free(registry);
	}
	free(users);
	return r;
}
