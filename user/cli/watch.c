/* SPDX-License-Identifier: BSD-2-Clause */
/* bindwatch watch: every bind as it happens, one line each. */
#include <errno.h>
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
#include "user/base/user_cache.h"
#include "user/cli/cli.h"
#include "user/cli/watch_options.h"
#include "user/encode/encode.h"
#include "user/judge/classify.h"
#include "user/judge/policy.h"
#include "user/sense/existing.h"
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

/* How long a bind of our own may take to come through before its hooks count as silent. */
#define CANARY_WAIT_MS 1000

#define OUTPUT_BYTES (64U << 10)

/* event.cpu of events that no CPU's hook made; with a count in its low half, so that event.id stays unique. */
#define NO_CPU 0xffff0000U

enum watch_end { RUNNING, ENDED, PIPE_CLOSED, FAILED };

struct watch {
	struct watch_options options;
	struct portlist *ports; /* NULL: every port */
	struct registry *registry;
	struct sense *sense;
	struct encode_host host;
	struct user_cache users;
	struct encode_buffer output;
	int signals;       /* signalfd */
	int screen;        /* lines between two headers; 0: one header only */
	int since_header;  /* lines */
	uint64_t sequence; /* lines, of every kind */
	uint64_t shown, left_out, alerts, existing, not_written;
	uint64_t lost_told;                   /* on stderr */
	uint64_t lost_streamed[LOST_CAUSES];  /* as events */
	uint64_t looked_ns;                   /* wall clock of the last look at the counters */
	int64_t end_at, losses_at, health_at; /* CLOCK_MONOTONIC, milliseconds; INT64_MAX: never */
	int64_t canary_at;                    /* when the canary must have been seen; INT64_MAX: none is out */
	bool silent_told, detached_told;
	enum watch_end end;
};

static int64_t milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static uint64_t nanoseconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
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
	if (r == -ENOENT)
		return cli_error("--port: %s", error);
	return r < 0 ? cli_usage("watch", "--port: %s", error) : 0;
}

static int open_output(struct watch *watch)
{
	bool terminal = isatty(STDOUT_FILENO);
	const char *kind = getenv("TERM"), *no_color = getenv("NO_COLOR");
	struct winsize size;

	if (encode_host_init(&watch->host, registry_date(watch->registry)) < 0)
		return cli_error("cannot read the host's name or /proc/sys/kernel/random/boot_id: is /proc mounted?");
	watch->host.users = &watch->users;
	watch->host.local_time = true;
	/* no-color.org: set, and not to the empty string */
	watch->host.color = terminal && !(no_color && *no_color) && kind && strcmp(kind, "dumb") != 0;
	if (terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 2)
		watch->screen = size.ws_row - 2;
	watch->output.data = malloc(OUTPUT_BYTES);
	watch->output.size = OUTPUT_BYTES;
	return watch->output.data ? 0 : cli_error("out of memory");
}

static int open_signals(struct watch *watch)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction now;
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	/* what the caller had ignored stays so: a shell does it with SIGINT of a job in the background */
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (sigaction(numbers[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
			sigaddset(&set, numbers[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	watch->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return watch->signals < 0 ? cli_error("signalfd: %s", strerror(errno)) : 0;
}

/* Silence and loss must not look alike. */
static void tell_losses(struct watch *watch)
{
	struct sense_totals totals;
	char cpus[256];
	uint64_t lost = 0;

	if (sense_totals(watch->sense, &totals) < 0)
		return;
	for (int cause = 0; cause < LOST_CAUSES; cause++)
		lost += totals.lost[cause];
	if (lost == watch->lost_told || sense_losses_by_cpu(watch->sense, cpus, sizeof(cpus)) < 0)
		return;
	watch->lost_told = lost;
	for (enum sense_lost cause = 0; cause < LOST_CAUSES; cause++)
		if (totals.lost[cause])
			(void)cli_error("lost so far: %llu, %s%s%s", (unsigned long long)totals.lost[cause],
			                sense_lost_name(cause), *cpus ? ": " : "", cpus);
}

/*
 * Waits until the output takes more. A reader that is slow is waited for, and the ring buffer holds what comes
 * meanwhile; but once a signal or the end of --for has come the wait has an end: a monitor that is told to stop must
 * not hang on a pipe that nobody reads. false: that end was reached.
 */
static bool output_ready(struct watch *watch)
{
	struct pollfd fds[] = {{STDOUT_FILENO, POLLOUT, 0}, {watch->signals, POLLIN, 0}};
	int64_t now = milliseconds();

	while (!fds[0].revents && !fds[1].revents && now < watch->end_at) {
		(void)poll(fds, 2, READ_INTERVAL_MS);
		now = milliseconds();
		if (now < watch->losses_at)
			continue;
		tell_losses(watch);
		watch->losses_at = now + LOSS_INTERVAL_MS;
	}
	return fds[0].revents || poll(fds, 1, STOP_WAIT_MS) > 0;
}

/* How much to write at once: what a pipe that polls writable takes without blocking (pipe(7)), in whole lines. */
static size_t piece_of(const char *data, size_t size)
{
	const char *end;

	if (size <= PIPE_BUF)
		return size;
	end = memrchr(data, '\n', PIPE_BUF);
	return end ? (size_t)(end - data) + 1 : PIPE_BUF;
}

/* Writes the buffer out. */
static void flush(struct watch *watch)
{
	struct encode_buffer *output = &watch->output;
	size_t done = 0;

	while (done < output->used && watch->end != PIPE_CLOSED && watch->end != FAILED) {
		ssize_t n;

		if (!output_ready(watch)) {
			watch->end = FAILED;
			(void)cli_error("stopped while nobody read the output: %zu bytes were not written",
			                output->used - done);
			break;
		}
		n = write(STDOUT_FILENO, output->data + done, piece_of(output->data + done, output->used - done));
		if (n >= 0) {
			done += n;
		} else if (errno == EPIPE) {
			watch->end = PIPE_CLOSED;
		} else if (errno != EINTR && errno != EAGAIN) {
			(void)cli_error("cannot write the output: %s", strerror(errno));
			watch->end = FAILED;
		}
	}
	for (; done < output->used; done++)
		watch->not_written += output->data[done] == '\n';
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

	if (!encoder->header || (watch->sequence && (!watch->screen || watch->since_header < watch->screen)))
		return;
	(void)encoder->header(&watch->host, &watch->output);
	watch->since_header = 0;
}

static void show(struct watch *watch, struct event *event)
{
	if (watch->output.size - watch->output.used < 2 * ENCODE_EVENT_MAX)
		flush(watch);
	show_header(watch);
	event->sequence = ++watch->sequence;
	/* cannot fail: there is room for the longest */
	(void)watch->options.encoder->event(&watch->host, event, &watch->output);
	watch->since_header++;
	watch->alerts += event->verdict.rule != NULL;
}

static int on_event(void *context, struct event *event)
{
	struct watch *watch = context;

	classify(watch->registry, event);
	policy_judge(event);
	if (!wanted(watch, event)) {
		watch->left_out++;
		return 0;
	}
	show(watch, event);
	if (++watch->shown == watch->options.count)
		watch->end = ENDED;
	return watch->end == RUNNING ? 0 : -ECANCELED;
}

/* An event that is ours and no hook's: it happens now. */
static void stamp(struct watch *watch, struct event *event)
{
	event->time_ns = nanoseconds(CLOCK_REALTIME);
	event->boot_ns = nanoseconds(CLOCK_BOOTTIME);
	event->cpu = NO_CPU | (watch->sequence & 0xffff);
	event->plan = sense_plan(watch->sense);
}

static int on_existing(void *context, struct event *event)
{
	struct watch *watch = context;

	stamp(watch, event);
	classify(watch->registry, event);
	policy_judge(event);
	if (wanted(watch, event)) {
		show(watch, event);
		watch->existing++;
	}
	return watch->end == RUNNING ? 0 : -ECANCELED;
}

static void show_silence(struct watch *watch, const char *hook, const char *cause)
{
	struct event event = {.action = EVENT_SILENT, .hook = hook, .cause = cause};

	stamp(watch, &event);
	policy_judge(&event);
	show(watch, &event);
	(void)cli_error("the hook %s reports nothing any more: %s", hook ? hook : "of this plan", cause);
}

/* The losses since the last look, as events of the stream: whoever reads only that must know of them too. */
static void show_losses(struct watch *watch)
{
	struct sense_totals totals;
	uint64_t since = watch->looked_ns;

	watch->looked_ns = nanoseconds(CLOCK_REALTIME);
	if (sense_totals(watch->sense, &totals) < 0)
		return;
	for (enum sense_lost cause = 0; cause < LOST_CAUSES; cause++) {
		struct event event = {.action = EVENT_LOST};

		if (totals.lost[cause] == watch->lost_streamed[cause])
			continue;
		event.lost = (struct event_lost){
		        .count = totals.lost[cause] - watch->lost_streamed[cause],
		        .since_ns = since,
		        .cause = sense_lost_name(cause),
		};
		watch->lost_streamed[cause] = totals.lost[cause];
		stamp(watch, &event);
		show(watch, &event);
	}
}

/* Hooks can be taken off or fall silent while we watch. Each is told once, and again after it has worked. */
static void check_health(struct watch *watch, int64_t now)
{
	if (now >= watch->canary_at) {
		bool seen = sense_canary_seen(watch->sense);

		watch->canary_at = INT64_MAX;
		if (!seen && !watch->silent_told)
			show_silence(watch, NULL, "a bind of our own was not seen");
		watch->silent_told = !seen;
	}
	if (now >= watch->health_at) {
		const char *detached = sense_detached_hook(watch->sense);

		if (detached && !watch->detached_told)
			show_silence(watch, detached, "it was detached");
		watch->detached_told = detached != NULL;
		if (sense_canary(watch->sense) == 0)
			watch->canary_at = now + CANARY_WAIT_MS;
		watch->health_at = now + (int64_t)watch->options.health * 1000;
	}
}

/* true: more waits */
static bool read_events(struct watch *watch)
{
	int r = sense_read(watch->sense, on_event, watch);

	if (r < 0 && r != -ECANCELED && watch->end == RUNNING) {
		watch->end = FAILED;
		(void)cli_error("cannot read the ring buffer: %s", strerror(-r));
	}
	flush(watch);
	return r > 0;
}

static void on_time(struct watch *watch, int64_t now)
{
	if (now >= watch->losses_at) {
		tell_losses(watch);
		show_losses(watch);
		watch->losses_at = now + LOSS_INTERVAL_MS;
	}
	check_health(watch, now);
	flush(watch);
}

static void run(struct watch *watch)
{
	bool more = false;

	while (watch->end == RUNNING) {
		/* no event is asked of the output: a pipe whose reader has gone shows as POLLERR */
		struct pollfd fds[] = {
		        {sense_fd(watch->sense), POLLIN, 0}, {watch->signals, POLLIN, 0}, {STDOUT_FILENO, 0, 0}};
		int64_t now;

		if (poll(fds, 3, more ? 0 : READ_INTERVAL_MS) < 0 && errno != EINTR)
			break;
		now = milliseconds();
		if (fds[1].revents || now >= watch->end_at)
			break;
		if (fds[2].revents & (POLLERR | POLLHUP)) {
			watch->end = PIPE_CLOSED;
			break;
		}
		more = read_events(watch);
		on_time(watch, now);
	}
	/* with the hooks off the counters stand still, and what is read last is the last */
	sense_detach(watch->sense);
	while (watch->end == RUNNING && read_events(watch))
		;
	show_losses(watch);
	flush(watch);
}

/*
 * The ledger: what the hooks saw is shown, left out by --port or --pid, lost, or (where we were stopped before it could
 * be read or written) not delivered.
 */
static void tell_totals(struct watch *watch)
{
	struct sense_totals totals;
	uint64_t unread;

	tell_losses(watch);
	if (sense_totals(watch->sense, &totals) < 0)
		return;
	unread = totals.seen - totals.own - totals.delivered - totals.lost[LOST_RING_FULL] -
	         totals.lost[LOST_NOT_UNDERSTOOD];
	fprintf(stderr, "bindwatch: %llu events seen, %llu shown, %llu alerts, %llu lost",
	        (unsigned long long)(totals.seen - totals.own), (unsigned long long)watch->shown,
	        (unsigned long long)watch->alerts, (unsigned long long)watch->lost_told);
	if (watch->left_out)
		fprintf(stderr, ", %llu left out", (unsigned long long)watch->left_out);
	if (unread)
		fprintf(stderr, ", %llu not read", (unsigned long long)unread);
	if (watch->not_written)
		fprintf(stderr, ", %llu lines not written", (unsigned long long)watch->not_written);
	if (watch->existing)
		fprintf(stderr, ", %llu bound before", (unsigned long long)watch->existing);
	fputc('\n', stderr);
}

static void show_existing(struct watch *watch)
{
	char error[INVENTORY_TEXT_LEN];
	int r;

	if (watch->options.no_existing)
		return;
	r = existing_tell(watch->sense, on_existing, watch, error);
	if (r < 0 && r != -ECANCELED)
		(void)cli_error("cannot list the sockets that are bound already: %s", error);
	flush(watch);
}

static void start_clocks(struct watch *watch)
{
	int64_t now = milliseconds();

	watch->looked_ns = nanoseconds(CLOCK_REALTIME);
	watch->losses_at = now + LOSS_INTERVAL_MS;
	watch->health_at = now + (int64_t)watch->options.health * 1000;
	watch->canary_at = INT64_MAX;
	watch->end_at = watch->options.seconds ? now + (int64_t)watch->options.seconds * 1000 : INT64_MAX;
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
	start_clocks(watch);
	show_existing(watch);
	run(watch);
	if (watch->end == PIPE_CLOSED)
		return CLI_OK;
	tell_totals(watch);
	return watch->end == FAILED ? CLI_FAILURE : CLI_OK;
}

int cli_watch(int argc, char **argv)
{
	struct watch watch = {.signals = -1};
	int r = watch_options_parse(argc, argv, &watch.options);

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
