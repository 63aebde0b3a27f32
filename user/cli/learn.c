/* SPDX-License-Identifier: BSD-2-Clause */
/* bindwatch learn: what runs here, as sections of a policy to be reviewed. */
#include "user/cli/learn.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <string.h>

#include "user/base/number.h"
#include "user/base/visible.h"
#include "user/cli/cli.h"
#include "user/cli/learn_live.h"
#include "user/cli/policy_option.h"
#include "user/cli/registry_option.h"
#include "user/cli/replay_lines.h"
#include "user/judge/classify.h"
#include "user/judge/pattern.h"

#define SECONDS_MAX 31536000U /* a year */

struct options {
	uint64_t seconds; /* 0: the inventory only */
	const char *from, *registry, *services;
	struct cli_policy_paths policy;
	bool all;
};

struct session {
	struct registry *registry;
	struct policy *policy;
	struct pattern *pattern;
	struct learn *learn;
	struct user_cache users;
	int error; /* of learn_add() */
};

static int help(void)
{
	(void)puts(
	        "Usage: bindwatch learn [OPTION]...\n"
	        "Writes rules for the programs that hold ports now, and those that bind one meanwhile: [expect] "
	        "sections by\n"
	        "program and unit, with a comment that says what each was learnt from. Review them, and put them into\n"
	        "/etc/bindwatch/policy.d/55-learnt.conf. Left out are ports of the loopback, those that the kernel "
	        "chose, and\n"
	        "what raises no alert already. A program of which its path says nothing is refused, and named on "
	        "stderr.\n"
	        "\n"
	        "      --for=SECONDS    watch for this time, too (1 to 31536000); Ctrl-C ends it before\n"
	        "      --from=FILE      learn from what 'watch --output json' wrote ('-': stdin), not from this host\n"
	        "      --all            learn also what raises no alert\n"
	        "      --policy=PATH    the rules that alert: a file or directory in place of those installed; may be "
	        "repeated\n"
	        "      --registry=FILE  IANA's CSV file in place of the built-in registry\n"
	        "      --services=FILE  names of the site's own, in the form of /etc/services\n"
	        "  -h, --help           this text\n"
	        "      --version        the version\n"
	        "\n"
	        "Exit: 0 learnt, also where there is nothing new, and where programs were refused; 1 it could not be "
	        "done, or\n"
	        "a line of FILE could not be read; 2 it was not understood.");
	return fflush(stdout) == 0 ? CLI_OK : CLI_FAILURE;
}

static int bad_time(const char *text)
{
	return cli_usage("learn", "learn: --for: '%s' is not a number of seconds from 1 to %u", text, SECONDS_MAX);
}

/* True: *ret_options is whole. False: the command ends with *ret_exit. */
static bool options_parse(int argc, char **argv, struct options *ret_options, int *ret_exit)
{
	enum {
		OPTION_FOR = 256,
		OPTION_FROM,
		OPTION_ALL,
		OPTION_POLICY,
		OPTION_REGISTRY,
		OPTION_SERVICES,
		OPTION_VERSION
	};
	static const struct option table[] = {
	        {"for", required_argument, NULL, OPTION_FOR},
	        {"from", required_argument, NULL, OPTION_FROM},
	        {"all", no_argument, NULL, OPTION_ALL},
	        {"policy", required_argument, NULL, OPTION_POLICY},
	        {"registry", required_argument, NULL, OPTION_REGISTRY},
	        {"services", required_argument, NULL, OPTION_SERVICES},
	        {"help", no_argument, NULL, 'h'},
	        {"version", no_argument, NULL, OPTION_VERSION},
	        {NULL, 0, NULL, 0},
	};
	int option, status;

	*ret_options = (struct options){.seconds = 0};
	opterr = 0;
	optind = 0;
	while ((option = getopt_long(argc, argv, ":h", table, NULL)) != -1) {
		status = CLI_OK;
		if (option == OPTION_FOR)
			status =
			        number_parse(optarg, 1, SECONDS_MAX, &ret_options->seconds) ? bad_time(optarg) : CLI_OK;
		else if (option == OPTION_FROM)
			ret_options->from = optarg;
		else if (option == OPTION_ALL)
			ret_options->all = true;
		else if (option == OPTION_POLICY)
			status = cli_policy_add("learn", "policy", optarg, &ret_options->policy);
		else if (option == OPTION_REGISTRY)
			ret_options->registry = optarg;
		else if (option == OPTION_SERVICES)
			ret_options->services = optarg;
		else
			status = -1;
		if (status == CLI_OK)
			continue;
		if (option == 'h')
			status = help();
		else if (option == OPTION_VERSION)
			status = cli_version();
		else if (status < 0)
			status = cli_bad_option("learn", option, argv);
		*ret_exit = status;
		return false;
	}
	if (optind < argc)
		*ret_exit = cli_usage("learn", "learn: '%s' is one word too many: a file is named with --from",
		                      argv[optind]);
	else if (ret_options->from && ret_options->seconds)
		*ret_exit = cli_usage("learn", "learn: --for watches this host and --from reads a file: one of them");
	else
		return true;
	return false;
}

static int learn_event(struct session *session, struct event *event)
{
	int r;

	policy_judge(session->policy, event);
	r = learn_add(session->learn, event);
	if (r < 0)
		session->error = r;
	return r < 0 ? -ECANCELED : 0;
}

static int on_event(void *context, struct event *event)
{
	struct session *session = context;

	classify(session->registry, event);
	pattern_mark(session->pattern, event);
	return learn_event(session, event);
}

static int on_line(void *context, struct event *event, uint64_t line)
{
	(void)line;
	return learn_event(context, event);
}

static int feed(const struct options *options, struct session *session)
{
	struct replay_lines lines;
	int status;

	if (options->from) {
		int r = replay_lines("learn", options->from, on_line, session, &lines);

		status = r < 0 && !session->error ? CLI_FAILURE : CLI_OK;
		if (lines.bad)
			status = cli_error("learn: %s: %llu lines could not be read", options->from,
			                   (unsigned long long)lines.bad);
	} else if (options->seconds) {
		status = learn_live(options->seconds, on_event, session);
	} else {
		status = learn_inventory(on_event, session);
	}
	if (session->error == -E2BIG)
		return cli_error(
		        "learn: more than %u ports and programs: this is no host that rules can be learnt from",
		        LEARN_ROWS_MAX);
	return session->error ? cli_error("learn: %s", strerror(-session->error)) : status;
}

static int tell_refusal(void *context, const struct learn_refusal *refusal)
{
	struct session *session = context;
	const char *user = user_cache_name(&session->users, refusal->user);
	char number[16];

	(void)snprintf(number, sizeof(number), "%u", refusal->user);
	(void)cli_error("learn: not learnt: %s run by %s, on %u/%s%s: %s", refusal->program, user ? user : number,
	                refusal->at.server.port, registry_transport_name(refusal->at.transport),
	                refusal->binds > 1 ? " and more" : "", refusal->why);
	return 0;
}

static int run(const struct options *options, struct session *session)
{
	int status = feed(options, session), r;

	/* of a file with bad lines the good ones are learnt; of nothing else that failed */
	if (session->error || (status && !options->from))
		return status;
	r = learn_write(session->learn, session->registry, session->policy, &session->users, stdout);
	if (r == -EPIPE)
		return CLI_FAILURE;
	if (r < 0)
		return cli_error("learn: cannot write the rules: %s", strerror(-r));
	(void)learn_each_refusal(session->learn, tell_refusal, session);
	return status;
}

int cli_learn(int argc, char **argv)
{
	struct session session = {.error = 0};
	struct options options;
	int status;

	if (!options_parse(argc, argv, &options, &status))
		return status;
	(void)signal(SIGPIPE, SIG_IGN);
	status = cli_registry_open("learn", options.registry, options.services, &session.registry);
	if (!status)
		status = cli_policy_open("learn", &options.policy, session.registry, &session.policy);
	if (!status && (learn_open(options.all, &session.learn) < 0 || pattern_open(&session.pattern) < 0))
		status = cli_error("learn: out of memory");
	if (!status)
		status = run(&options, &session);
	learn_free(session.learn);
	pattern_free(session.pattern);
	policy_free(session.policy);
	registry_free(session.registry);
	return status;
}
