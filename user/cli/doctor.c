/* SPDX-License-Identifier: BSD-2-Clause */
/* bindwatch doctor: whether watching works on this machine, proven by binds of our own, and what is missing. */
#include "user/cli/doctor.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "user/cli/cli.h"

struct options {
	enum capture_plan plan; /* PLAN_NONE: the best */
	int (*form)(const struct doctor *doctor, FILE *stream);
};

static int help(void)
{
	(void)puts(
	        "Usage: bindwatch doctor [OPTION]...\n"
	        "Tells whether binds can be watched on this machine: what the hooks need and what is there, which of "
	        "them the\n"
	        "kernel allows, and, by taking a port of the loopback in every way that the kernel has, which are "
	        "seen, by which\n"
	        "hook and how soon.\n\n"
	        "  -o, --output=FORM  text (the default) or json: one object\n"
	        "      --plan=PLAN    try the ports with these hooks: trampoline, kprobe or tracepoint; else with the "
	        "best\n"
	        "                     that the kernel has\n"
	        "      --help         this text\n"
	        "      --version      the version\n\n"
	        "Needs root, or CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN. Exit: 0 all that\n"
	        "exist, and that the plan can see, were seen, and all hooks are there; 1 one was "
	        "not, or\n"
	        "nothing can be attached; 2 a wrong command line.");
	return fflush(stdout) == 0 ? CLI_OK : CLI_FAILURE;
}

static bool set_form(struct options *options, const char *name)
{
	if (strcmp(name, "text") == 0)
		options->form = doctor_text;
	else if (strcmp(name, "json") == 0)
		options->form = doctor_json;
	else
		return false;
	return true;
}

/* -1: *options is whole; else the exit code. */
static int options_parse(int argc, char **argv, struct options *options)
{
	static const struct option longs[] = {
	        {"output", required_argument, NULL, 'o'},
	        {"plan", required_argument, NULL, 'l'},
	        {"help", no_argument, NULL, 'h'},
	        {"version", no_argument, NULL, 'V'},
	        {NULL, 0, NULL, 0},
	};
	int option;

	*options = (struct options){.form = doctor_text};
	opterr = 0;
	optind = 0;
	while ((option = getopt_long(argc, argv, ":o:h", longs, NULL)) != -1) {
		switch (option) {
		case 'o':
			if (!set_form(options, optarg))
				return cli_usage("doctor", "doctor: --output: '%s' is not text or json", optarg);
			break;
		case 'l':
			options->plan = plan_find(optarg);
			if (options->plan == PLAN_NONE)
				return cli_usage("doctor",
				                 "doctor: --plan: '%s' is not trampoline, kprobe or tracepoint",
				                 optarg);
			break;
		case 'h':
			return help();
		case 'V':
			return cli_version();
		default:
			return cli_bad_option("doctor", option, argv);
		}
	}
	if (optind < argc)
		return cli_usage("doctor", "doctor: '%s' is one word too many", argv[optind]);
	return -1;
}

/* Nothing is attached: a sentence for each thing that is missing, or else for each plan that was refused. */
static void tell_missing(const struct doctor *doctor, enum capture_plan forced)
{
	unsigned int told = 0;

	for (size_t i = 0; i < doctor->checks_count; i++) {
		const struct doctor_check *check = &doctor->checks[i];

		if (!check->needed || check->state != DOCTOR_NO)
			continue;
		(void)cli_error("doctor: %s is missing (%s): %s", check->name, check->detail,
		                check->advice ? check->advice : "nothing can be attached without it");
		told++;
	}
	for (size_t i = 0; !told && i < doctor->plans_count; i++) {
		const struct doctor_plan *plan = &doctor->plans[i];

		if (!plan->works && (forced == PLAN_NONE || forced == plan->plan))
			(void)cli_error("doctor: plan %s: %s", plan_name(plan->plan), plan->detail);
	}
}

static int write_report(const struct options *options, const struct doctor *doctor)
{
	int r = options->form(doctor, stdout);

	if (r == 0 && fflush(stdout) != 0)
		r = -errno;
	if (r == -EPIPE) /* the reader has seen enough */
		return CLI_FAILURE;
	if (r < 0)
		return cli_error("doctor: cannot write the report: %s", strerror(-r));
	return CLI_OK;
}

int cli_doctor(int argc, char **argv)
{
	char error[DOCTOR_DETAIL_LEN] = "";
	struct doctor *doctor;
	struct sense *sense;
	struct options options;
	int r = options_parse(argc, argv, &options);

	if (r >= 0)
		return r;
	(void)signal(SIGPIPE, SIG_IGN); /* EPIPE is told from a full disk in write_report() */
	doctor = calloc(1, sizeof(*doctor));
	if (!doctor)
		return cli_error("out of memory");
	doctor_look(doctor);
	doctor_try_plans(doctor, options.plan, &sense);
	if (sense)
		(void)doctor_try_paths(doctor, sense, error);
	r = write_report(&options, doctor);
	if (!sense)
		tell_missing(doctor, options.plan);
	if (*error)
		(void)cli_error("doctor: %s", error);
	if (*error || !doctor_is_healthy(doctor))
		r = CLI_FAILURE;
	sense_close(sense);
	free(doctor);
	return r;
}
