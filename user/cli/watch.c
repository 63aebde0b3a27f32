/* SPDX-License-Identifier: BSD-2-Clause */
/* bindwatch watch: every bind as it happens, one line each. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "user/base/notify.h"
#include "user/base/number.h"
#include "user/base/user_cache.h"
#include "user/cli/cli.h"
#include "user/encode/encode.h"
#include "user/judge/classify.h"
#include "user/judge/policy.h"
#include "user/sense/plan.h"
#include "user/sense/sense.h"

/*
 * How long a bind may wait to be shown. The kernel wakes us only when much is waiting; this timer finds the rest.
 * Twenty wake-ups a second cost an idle host nothing that can be measured, and a person takes 50 ms for "at once".
 */
#define READ_INTERVAL_MS 50

/* How often the kernel's counters are asked for losses. */
#define LOSS_INTERVAL_MS 1000

/* How long a reader that does not read is waited for after a signal. */
#define STOP_WAIT_MS 1000

#define SECONDS_MAX  31536000U /* a year */
#define OUTPUT_BYTES (64U << 10)

struct watch_options {
	const struct encoder *encoder;
	const char *ports; /* --port as given, NULL: every port */
	const char *registry, *services;
	enum capture_plan plan;
	uint64_t pid, seconds, count; /* 0: any, without end, without end */
};

enum watch_end { RUNNING, ENDED, PIPE_CLOSED, FAILED };

struct watch {
	struct watch_options options;
	struct portlist *ports; /* NULL: every port */
	struct registry *registry;
	struct sense *sense;
	struct encode_host host;
	struct user_cache users;
	struct encode_buffer output;
	int signals;	  /* signalfd */
	int screen;	  /* lines between two headers; 0: one header only */
	int since_header; /* lines */
	uint64_t shown, alerts, lost_told;
	enum watch_end end;
};

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
	     "      --count=N        end after N lines\n"
	     "      --plan=PLAN      only these hooks: trampoline, kprobe or tracepoint; else the best that the kernel "
	     "has\n"
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
	default:
		options->services = optarg;
		return 0;
	}
}

/* -1: go on; else what the program returns at once */
static int parse_command_line(int argc, char **argv, struct watch_options *options)
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
	    {"help", no_argument, NULL, 'h'},
	    {"version", no_argument, NULL, 'V'},
	    {NULL, 0, NULL, 0},
	};
	int option, r;

	*options = (struct watch_options){.encoder = encoder_find("text")};
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":o:p:h", longs, NULL)) != -1) {
		if (option == 'h')
			return help();
		if (option == 'V')
			return cli_version();
		if (option == ':')
			return cli_usage("watch", "%s needs a value", argv[optind - 1]);
		if (option == '?')
			return cli_usage("watch", "no option %s", argv[optind - 1]);
		r = parse_option(option, options);
		if (r)
			return r;
	}
	if (optind < argc)
		return cli_usage("watch", "'%s' is one word too many", argv[optind]);
	return -1;
}

/* A monitor must not go blind for a bad data file: what is refused is said, and the built-in registry stays. */
static int open_registry(struct watch *watch)
{
	char error[REGISTRY_ERROR_LEN];

	if (watch->options.registry && registry_open_file(watch->options.registry, &watch->registry, error) < 0)
		(void)cli_error("%s; the built-in registry stays", error);
	if (!watch->registry && registry_open_embedded(&watch->registry) < 0)
		return cli_error("out of memory");
	if (watch->options.services && registry_overlay_services(watch->registry, watch->options.services, error) < 0)
		(void)cli_error("%s; no name of this file is used", error);
	return 0;
}

static int open_ports(struct watch *watch)
{
	char error[PORTLIST_ERROR_LEN];
	int r;

	if (!watch->options.ports)
		return 0;
	watch->ports = calloc(1, sizeof(*watch->ports));
	if (!watch->ports)
		return cli_error("out of memory");
	r = portlist_parse(watch->options.ports, watch->registry, watch->ports, error);
	return r < 0 ? cli_usage("watch", "--port: %s", error) : 0;
}

static int open_output(struct watch *watch)
{
	bool terminal = isatty(STDOUT_FILENO);
	const char *kind = getenv("TERM");
	struct winsize size;

	if (encode_host_init(&watch->host, registry_date(watch->registry)) < 0)
		return cli_error("cannot read the host's name or /proc/sys/kernel/random/boot_id: is /proc mounted?");
	watch->host.users = &watch->users;
	watch->host.local_time = true;
	/* no-color.org */
	watch->host.color = terminal && !getenv("NO_COLOR") && kind && strcmp(kind, "dumb") != 0;
	if (terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 2)
		watch->screen = size.ws_row - 2;
	watch->output.data = malloc(OUTPUT_BYTES);
	watch->output.size = OUTPUT_BYTES;
	return watch->output.data ? 0 : cli_error("out of memory");
}

static int open_signals(struct watch *watch)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	watch->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return watch->signals < 0 ? cli_error("signalfd: %s", strerror(errno)) : 0;
}

/*
 * Waits until the output takes more. A reader that is slow is waited for, and the ring buffer holds what comes meanwhile;
 * but once a signal has come the wait has an end: a monitor that is told to stop must not hang on a pipe that nobody
 * reads. false: that end was reached.
 */
static bool output_ready(const struct watch *watch)
{
	struct pollfd fds[] = {{STDOUT_FILENO, POLLOUT, 0}, {watch->signals, POLLIN, 0}};

	while (poll(fds, 2, -1) < 0)
		;
	return fds[0].revents || poll(fds, 1, STOP_WAIT_MS) > 0;
}

/* Writes the buffer out. */
static void flush(struct watch *watch)
{
	struct encode_buffer *output = &watch->output;
	size_t done = 0;

	while (done < output->used && watch->end != PIPE_CLOSED && watch->end != FAILED) {
		/* a pipe that polls writable takes this much without blocking: pipe(7) */
		size_t size = output->used - done < PIPE_BUF ? output->used - done : PIPE_BUF;
		ssize_t n;

		if (!output_ready(watch)) {
			watch->end = FAILED;
			(void)cli_error("stopped while nobody read the output: %zu bytes were not written",
					output->used - done);
			break;
		}
		n = write(STDOUT_FILENO, output->data + done, size);
		if (n >= 0) {
			done += n;
		} else if (errno == EPIPE) {
			watch->end = PIPE_CLOSED;
		} else if (errno != EINTR && errno != EAGAIN) {
			(void)cli_error("cannot write the output: %s", strerror(errno));
			watch->end = FAILED;
		}
	}
	output->used = 0;
}

static bool wanted(const struct watch *watch, const struct event *event)
{
	const struct event_facts *facts = &event->facts;

	if (watch->options.pid && event->pid != watch->options.pid)
		return false;
	if (!watch->ports)
		return true;
	return facts->server.has_port && facts->has_transport &&
	       (watch->ports->ports[facts->server.port] & 1U << facts->transport);
}

static void show_header(struct watch *watch)
{
	const struct encoder *encoder = watch->options.encoder;

	if (!encoder->header || (watch->shown && (!watch->screen || watch->since_header < watch->screen)))
		return;
	(void)encoder->header(&watch->host, &watch->output);
	watch->since_header = 0;
}

static int on_event(void *context, struct event *event)
{
	struct watch *watch = context;

	classify(watch->registry, event);
	policy_judge(event);
	if (!wanted(watch, event))
		return 0;
	if (watch->output.size - watch->output.used < 2 * ENCODE_EVENT_MAX)
		flush(watch);
	show_header(watch);
	event->sequence = ++watch->shown;
	/* cannot fail: there is room for the longest */
	(void)watch->options.encoder->event(&watch->host, event, &watch->output);
	watch->since_header++;
	watch->alerts += event->verdict.rule != NULL;
	if (watch->options.count && watch->shown == watch->options.count)
		watch->end = ENDED;
	return watch->end == RUNNING ? 0 : -ECANCELED;
}

static void read_events(struct watch *watch)
{
	int r = sense_read(watch->sense, on_event, watch);

	if (r < 0 && r != -ECANCELED && watch->end == RUNNING) {
		watch->end = FAILED;
		(void)cli_error("cannot read the ring buffer: %s", strerror(-r));
	}
	flush(watch);
}

/* Silence and loss must not look alike. */
static void tell_losses(struct watch *watch)
{
	struct sense_totals totals;
	char cpus[256];
	uint64_t lost;

	if (sense_totals(watch->sense, &totals) < 0)
		return;
	lost = totals.lost_ring + totals.lost_inflight + totals.rejected;
	if (lost == watch->lost_told || sense_losses_by_cpu(watch->sense, cpus, sizeof(cpus)) < 0)
		return;
	watch->lost_told = lost;
	(void)cli_error("lost %llu binds so far: ring buffer full %llu, calls under way not kept %llu, records not "
			"understood %llu (%s)",
			(unsigned long long)lost, (unsigned long long)totals.lost_ring,
			(unsigned long long)totals.lost_inflight, (unsigned long long)totals.rejected, cpus);
}

static int64_t milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void run(struct watch *watch)
{
	int64_t losses_at = milliseconds() + LOSS_INTERVAL_MS;
	int64_t end_at = watch->options.seconds ? milliseconds() + (int64_t)watch->options.seconds * 1000 : INT64_MAX;

	while (watch->end == RUNNING) {
		/* no event is asked of the output: a pipe whose reader has gone shows as POLLERR */
		struct pollfd fds[] = {
		    {sense_fd(watch->sense), POLLIN, 0}, {watch->signals, POLLIN, 0}, {STDOUT_FILENO, 0, 0}};
		int64_t now;

		if (poll(fds, 3, READ_INTERVAL_MS) < 0 && errno != EINTR)
			break;
		now = milliseconds();
		if (fds[1].revents || now >= end_at)
			break;
		if (fds[2].revents & (POLLERR | POLLHUP)) {
			watch->end = PIPE_CLOSED;
			break;
		}
		read_events(watch);
		if (now >= losses_at) {
			tell_losses(watch);
			losses_at = now + LOSS_INTERVAL_MS;
		}
	}
	/* with the hooks off the counters stand still, and what is read last is the last */
	sense_detach(watch->sense);
	if (watch->end == RUNNING)
		read_events(watch);
}

static void tell_totals(struct watch *watch)
{
	struct sense_totals totals;

	tell_losses(watch);
	if (sense_totals(watch->sense, &totals) < 0)
		return;
	fprintf(stderr, "bindwatch: %llu binds seen, %llu shown, %llu alerts, %llu lost\n",
		(unsigned long long)totals.seen, (unsigned long long)watch->shown, (unsigned long long)watch->alerts,
		(unsigned long long)watch->lost_told);
}

static int start(struct watch *watch)
{
	char error[SENSE_ERROR_LEN];
	const char *refusals;
	int r;

	if (sense_open(watch->options.plan, &watch->sense, error) < 0)
		return cli_error("%s", error);
	refusals = sense_refusals(watch->sense);
	fprintf(stderr, "bindwatch: watching, plan %s%s%s%s, registry of %s (%s)\n",
		plan_name(sense_plan(watch->sense)), *refusals ? " (" : "", refusals, *refusals ? ")" : "",
		registry_date(watch->registry), registry_source(watch->registry));
	r = notify("READY=1");
	if (r < 0)
		(void)cli_error("cannot tell the service manager by NOTIFY_SOCKET: %s", strerror(-r));
	return 0;
}

static int watch_all(struct watch *watch)
{
	int r;

	if ((r = open_registry(watch)) || (r = open_ports(watch)) || (r = open_output(watch)) ||
	    (r = open_signals(watch)) || (r = start(watch)))
		return r;
	run(watch);
	if (watch->end == PIPE_CLOSED)
		return CLI_OK;
	tell_totals(watch);
	return watch->end == FAILED ? CLI_FAILURE : CLI_OK;
}

int cli_watch(int argc, char **argv)
{
	struct watch watch = {.signals = -1};
	int r = parse_command_line(argc, argv, &watch.options);

	if (r >= 0)
		return r;
	r = watch_all(&watch);
	sense_close(watch.sense);
	registry_free(watch.registry);
	free(watch.ports);
	free(watch.output.data);
	if (watch.signals >= 0)
		close(watch.signals);
	return r;
}
