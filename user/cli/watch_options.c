/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/cli/watch_options.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>

#include "user/base/number.h"
#include "user/cli/cli.h"
#include "user/sense/plan.h"

/* A detached or silent hook is noticed within this time. A canary is three sockets on the loopback. */
#define HEALTH_SECONDS 30

#define SECONDS_MAX 31536000U /* a year */

static int help(void)
{
	puts("Usage: bindwatch watch [OPTION]...\n"
	     "Shows every bind of a TCP, UDP, SCTP or DCCP port as it happens, with what the IANA registry says of the "
	     "port.\n"
	     "Ends on Ctrl-C, with a count of what was seen and of what was lost.\n\n"
	     "  -o, --output=FORM    text (the default) or json: one ECS object a line\n"
	     "  -p, --port=LIST      only these: numbers, ranges, service names, e.g. 22,80/tcp,8000-8010,domain/udp\n"
	     "      --pid=N          only this process\n"
	     "      --for=SECONDS    end after this time (1 to 31536000)\n"
	     "      --count=N        end after N lines, those of sockets that were there before not counted\n"
	     "      --no-existing    do not show the sockets that are bound already\n"
	     "      --health=SECONDS see every so often that the hooks still report (30)\n"
	     "      --plan=PLAN      only these hooks: trampoline, kprobe or tracepoint; else the best that the kernel "
	     "has\n"
	     "      --policy=PATH    rules of this file or directory, in place of the vendor's and the site's; may be "
	     "repeated\n"
	     "      --alerts         show alerts only, and what was lost\n"
	     "      --hash           read each program once, for its SHA-256 and whether its package's file was modified\n"
	     "  -w, --wide           text: the program's path and the rule that decided, too\n"
	     "      --registry=FILE  IANA's CSV file in place of the built-in registry\n"
	     "      --services=FILE  names of the site's own, in the form of /etc/services\n"
	     "      --help           this text\n"
	     "      --version        the version\n\n"
	     "Needs root, or CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN. Exit: 0, 1 on a failure, 2 on a wrong command "
	     "line.");
	return fflush(stdout) == 0 ? CLI_OK : CLI_FAILURE;
}

/* 0, or CLI_USAGE with the flag, the value and the range on stderr */
static int number_option(const char *flag, const char *text, uint64_t max, uint64_t *ret)
{
	if (number_parse(text, 1, max, ret) == 0)
		return 0;
	return cli_usage("watch", "--%s: '%s' is not a whole number from 1 to %llu", flag, text,
	                 (unsigned long long)max);
}

static int parse_option(int option, struct watch_options *options)
{
	switch (option) {
	case 'o':
		options->encoder = encoder_find(optarg);
		return options->encoder ? 0 : cli_usage("watch", "--output: '%s' is not text or json", optarg);
	case 'p':
		options->ports = optarg;
		return 0;
	case 'P':
		return number_option("pid", optarg, INT_MAX, &options->pid);
	case 'f':
		return number_option("for", optarg, SECONDS_MAX, &options->seconds);
	case 'c':
		return number_option("count", optarg, UINT64_MAX, &options->count);
	case 'l':
		options->plan = plan_find(optarg);
		return options->plan != PLAN_NONE
		               ? 0
		               : cli_usage("watch", "--plan: '%s' is not trampoline, kprobe or tracepoint", optarg);
	case 'r':
		options->registry = optarg;
		return 0;
	case 'H':
		return number_option("health", optarg, SECONDS_MAX, &options->health);
	case 'S':
		options->hash = true;
		return 0;
	case 'w':
		options->wide = true;
		return 0;
	case 'e':
		options->no_existing = true;
		return 0;
	case 'a':
		options->alerts = true;
		return 0;
	case 'y':
		return cli_policy_add("watch", "policy", optarg, &options->policy);
	default:
		options->services = optarg;
		return 0;
	}
}

int watch_options_parse(int argc, char **argv, struct watch_options *options)
{
	static const struct option longs[] = {
	        {"output", required_argument, NULL, 'o'},
	        {"port", required_argument, NULL, 'p'},
	        {"pid", required_argument, NULL, 'P'},
	        {"for", required_argument, NULL, 'f'},
	        {"count", required_argument, NULL, 'c'},
	        {"plan", required_argument, NULL, 'l'},
	        {"registry", required_argument, NULL, 'r'},
	        {"services", required_argument, NULL, 's'},
	        {"no-existing", no_argument, NULL, 'e'},
	        {"health", required_argument, NULL, 'H'},
	        {"policy", required_argument, NULL, 'y'},
	        {"alerts", no_argument, NULL, 'a'},
	        {"hash", no_argument, NULL, 'S'},
	        {"wide", no_argument, NULL, 'w'},
	        {"help", no_argument, NULL, 'h'},
	        {"version", no_argument, NULL, 'V'},
	        {NULL, 0, NULL, 0},
	};
	int option, r;

	*options = (struct watch_options){.encoder = encoder_find("text"), .health = HEALTH_SECONDS};
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":o:p:wh", longs, NULL)) != -1) {
		if (option == 'h')
			return help();
		if (option == 'V')
			return cli_version();
		if (option == ':' || option == '?')
			return cli_bad_option("watch", option, argv);
		r = parse_option(option, options);
		if (r)
			return r;
	}
	if (optind < argc)
		return cli_usage("watch", "'%s' is one word too many", argv[optind]);
	return -1;
}
