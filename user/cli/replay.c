/* SPDX-License-Identifier: BSD-2-Clause */
/* bindwatch replay: what a policy would have said of events that were recorded, and what another says differently. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "user/cli/cli.h"
#include "user/cli/policy_option.h"
#include "user/cli/registry_option.h"
#include "user/cli/replay_json.h"
#include "user/cli/replay_lines.h"
#include "user/cli/replay_sum.h"

struct options {
	const char *file, *registry, *services;
	struct cli_policy_paths policy, other; /* other: --diff */
	bool json;
};

struct session {
	const struct options *options;
	struct registry *registry;
	struct policy *policy, *other; /* other: NULL without --diff */
	struct replay_sum *sum;
	uint64_t different; /* from what the other says */
	uint64_t changed;   /* from what was recorded */
	int error;
};

static int help(void)
{
	(void)puts(
	        "Usage: bindwatch replay [OPTION]... FILE\n"
	        "Says what a policy would have said of the events in FILE, which 'watch --output json' wrote ('-': "
	        "stdin):\n"
	        "for each rule how many it decided, and the first of them. With --diff only the events that another "
	        "policy\n"
	        "judges differently: what the first says, and what the other says.\n"
	        "\n"
	        "      --policy=PATH    the rules: a file or directory in place of those installed; may be repeated\n"
	        "      --diff=PATH      the other rules; may be repeated\n"
	        "  -o, --output=FORM    text (the default): a table; or json: one object a line for each event\n"
	        "      --registry=FILE  IANA's CSV file in place of the built-in registry\n"
	        "      --services=FILE  names of the site's own, in the form of /etc/services\n"
	        "  -h, --help           this text\n"
	        "      --version        the version\n"
	        "\n"
	        "Exit: 0 replayed; 1 it could not be done, or a line of FILE could not be read, which is said on "
	        "stderr;\n"
	        "2 it was not understood.");
	return fflush(stdout) == 0 ? CLI_OK : CLI_FAILURE;
}

static int set_output(struct options *options, const char *name)
{
	options->json = strcmp(name, "json") == 0;
	if (options->json || strcmp(name, "text") == 0)
		return CLI_OK;
	return cli_usage("replay", "replay: --output: '%s' is not text or json", name);
}

/* What ends the command is negative for what takes no argument. */
static int take_option(int option, char **argv, struct options *options)
{
	switch (option) {
	case 'p':
		return cli_policy_add("replay", "policy", optarg, &options->policy);
	case 'd':
		return cli_policy_add("replay", "diff", optarg, &options->other);
	case 'o':
		return set_output(options, optarg);
	case 'r':
		options->registry = optarg;
		return CLI_OK;
	case 's':
		options->services = optarg;
		return CLI_OK;
	default:
		return cli_bad_option("replay", option, argv);
	}
}

/* True: *ret_options is whole. False: the command ends with *ret_exit. */
static bool options_parse(int argc, char **argv, struct options *ret_options, int *ret_exit)
{
	static const struct option table[] = {
	        {"policy", required_argument, NULL, 'p'},   {"diff", required_argument, NULL, 'd'},
	        {"output", required_argument, NULL, 'o'},   {"registry", required_argument, NULL, 'r'},
	        {"services", required_argument, NULL, 's'}, {"help", no_argument, NULL, 'h'},
	        {"version", no_argument, NULL, 'v'},        {NULL, 0, NULL, 0},
	};
	int option;

	*ret_options = (struct options){.json = false};
	opterr = 0;
	optind = 0;
	while ((option = getopt_long(argc, argv, ":o:h", table, NULL)) != -1) {
		if (option == 'h' || option == 'v') {
			*ret_exit = option == 'h' ? help() : cli_version();
			return false;
		}
		*ret_exit = take_option(option, argv, ret_options);
		if (*ret_exit != CLI_OK)
			return false;
	}
	if (optind == argc)
		*ret_exit = cli_usage("replay", "replay: which file? one that 'watch --output json' wrote, or '-'");
	else if (optind + 1 < argc)
		*ret_exit =
		        cli_usage("replay", "replay: '%s' is one word too many: one file at a time", argv[optind + 1]);
	ret_options->file = argv[optind];
	return optind + 1 == argc;
}

static int tell(struct session *session, const struct event_verdict *was, const struct event *event, uint64_t line)
{
	if (session->options->json)
		return replay_json(session->other ? was : NULL, event, line, stdout);
	return replay_sum_add(session->sum, session->other ? was : NULL, event, line);
}

static int on_line(void *context, struct event *event, uint64_t line)
{
	struct event_verdict recorded = event->verdict, was;
	struct session *session = context;
	bool different;
	int r = 0;

	policy_judge(session->policy, event);
	session->changed += !replay_same(&recorded, &event->verdict);
	was = event->verdict;
	if (session->other)
		policy_judge(session->other, event);
	different = session->other && !replay_same(&was, &event->verdict);
	session->different += different;
	if (different || !session->other)
		r = tell(session, &was, event, line);
	session->error = r;
	return r < 0 ? -ECANCELED : 0;
}

static int finish(const struct session *session, const struct replay_lines *lines)
{
	int r = 0;

	errno = 0;
	if (!session->options->json)
		r = replay_sum_print(session->sum, stdout);
	if (r == 0 && (fflush(stdout) != 0 || ferror(stdout)))
		r = errno ? -errno : -EIO;
	if (r == -EPIPE)
		return CLI_FAILURE;
	if (r < 0)
		return cli_error("replay: cannot write: %s", strerror(-r));
	if (session->other)
		(void)cli_error("replay: %llu of %llu events are judged differently",
		                (unsigned long long)session->different, (unsigned long long)lines->events);
	else
		(void)cli_error("replay: %llu events, %llu of them judged differently when they were recorded",
		                (unsigned long long)lines->events, (unsigned long long)session->changed);
	if (lines->bad)
		return cli_error("replay: %s: %llu lines could not be read", session->options->file,
		                 (unsigned long long)lines->bad);
	return CLI_OK;
}

static int run(struct session *session)
{
	const struct options *options = session->options;
	struct replay_lines lines;
	int r = replay_lines("replay", options->file, on_line, session, &lines);

	if (session->error == -EPIPE)
		return CLI_FAILURE;
	if (session->error == -E2BIG)
		return cli_error("replay: more than %u pairs of rules: use --output json", REPLAY_ROWS_MAX);
	if (session->error < 0)
		return cli_error("replay: %s", strerror(-session->error));
	return r < 0 ? CLI_FAILURE : finish(session, &lines);
}

int cli_replay(int argc, char **argv)
{
	struct session session = {.error = 0};
	struct options options;
	int status;

	if (!options_parse(argc, argv, &options, &status))
		return status;
	session.options = &options;
	(void)signal(SIGPIPE, SIG_IGN);
	status = cli_registry_open("replay", options.registry, options.services, &session.registry);
	if (!status)
		status = cli_policy_open("replay", &options.policy, session.registry, &session.policy);
	if (!status && options.other.count)
		status = cli_policy_open("replay", &options.other, session.registry, &session.other);
	if (!status && replay_sum_new(&session.sum) < 0)
		status = cli_error("replay: out of memory");
	if (!status)
		status = run(&session);
	replay_sum_free(session.sum);
	policy_free(session.policy);
	policy_free(session.other);
	registry_free(session.registry);
	return status;
}
