/* SPDX-License-Identifier: BSD-2-Clause */
/* bindwatch watch: every bind as it happens, one line each. */
#include "user/cli/watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "user/base/notify.h"
#include "user/judge/classify.h"
#include "user/judge/pattern.h"
#include "user/sense/existing.h"
#include "user/sense/plan.h"
#include "user/sense/who.h"

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

static int open_pattern(struct watch *watch)
{
	int r = pattern_open(&watch->pattern);

	return r < 0 ? cli_error("cannot keep what was seen of ports: %s", strerror(-r)) : 0;
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

static bool wanted(const struct watch *watch, const struct event *event)
{
	const struct event_facts *facts = &event->facts;

	if (watch->options.pid && event->pid != watch->options.pid)
		return false;
	if (watch->options.alerts && event->verdict.verdict != VERDICT_ALERT)
		return false;
	if (!watch->ports)
		return true;
	return facts->server.has_port && facts->has_transport &&
	       (watch->ports->ports[facts->server.port] & 1U << facts->transport);
}

static int on_event(void *context, struct event *event)
{
	struct watch *watch = context;

	classify(watch->registry, event);
	pattern_mark(watch->pattern, event);
	watch_judge(watch, event);
	if (!wanted(watch, event)) {
		watch->left_out++;
		return 0;
	}
	watch_show(watch, event);
	if (++watch->shown == watch->options.count)
		watch->end = ENDED;
	return watch->end == RUNNING ? 0 : -ECANCELED;
}

/* The event of the gravest of a socket's holders is shown, and none of the others. */
static int on_existing(void *context, struct event *event)
{
	struct watch *watch = context;
	struct event *gravest = &watch->gravest;

	watch_stamp(watch, event);
	classify(watch->registry, event);
	pattern_mark(watch->pattern, event);
	policy_judge(watch->policy, event);
	if (!event->holder_number || policy_is_graver(&event->verdict, &gravest->verdict)) {
		if (event->holder_number)
			who_release(gravest);
		*gravest = *event;
		who_keep(gravest);
	}
	if (event->more_holders)
		return 0;
	watch_judge(watch, gravest);
	if (!watch->options.no_existing && wanted(watch, gravest)) {
		watch_show(watch, gravest);
		watch->existing++;
	}
	who_release(gravest);
	return watch->end == RUNNING ? 0 : -ECANCELED;
}

/* true: more waits */
static bool read_events(struct watch *watch)
{
	int r = sense_read(watch->sense, on_event, watch);

	if (r < 0 && r != -ECANCELED && watch->end == RUNNING) {
		watch->end = FAILED;
		(void)cli_error("cannot read the ring buffer: %s", strerror(-r));
	}
	watch_flush(watch);
	return r > 0;
}

static void run(struct watch *watch)
{
	while (watch->end == RUNNING) {
		/* no event is asked of the output: a pipe whose reader has gone shows as POLLERR */
		struct pollfd fds[] = {
		        {sense_fd(watch->sense), POLLIN, 0}, {watch->signals, POLLIN, 0}, {STDOUT_FILENO, 0, 0}};
		int64_t now;

		if (poll(fds, 3, watch->more ? 0 : READ_INTERVAL_MS) < 0 && errno != EINTR)
			break;
		now = watch_milliseconds();
		if (fds[1].revents || now >= watch->end_at)
			break;
		if (fds[2].revents & (POLLERR | POLLHUP)) {
			watch->end = PIPE_CLOSED;
			break;
		}
		watch->more = read_events(watch);
		watch_on_time(watch, now);
	}
	/* with the hooks off the counters stand still, and what is read last is the last */
	sense_detach(watch->sense);
	while (watch->end == RUNNING && read_events(watch))
		;
	watch_show_losses(watch);
	watch_flush(watch);
}

static void show_existing(struct watch *watch)
{
	char error[INVENTORY_TEXT_LEN];
	int r;

	/* also where they are not to be shown: that their ports are released is news */
	r = existing_tell(watch->sense, on_existing, watch, error);
	if (r < 0 && r != -ECANCELED)
		(void)cli_error("cannot list the sockets that are bound already: %s", error);
	watch_flush(watch);
}

static int start(struct watch *watch)
{
	char error[SENSE_ERROR_LEN];
	size_t rules = policy_rules(watch->policy), files = policy_files(watch->policy);
	const char *refusals;
	int r;

	if (sense_open(watch->options.plan, &watch->sense, error) < 0)
		return cli_error("%s", error);
	r = enrich_open("", watch->options.hash, &watch->enrich);
	if (r < 0)
		(void)cli_error("packages and digests of programs are not told: %s", strerror(-r));
	else
		sense_enrich(watch->sense, watch->enrich);
	refusals = sense_refusals(watch->sense);
	fprintf(stderr, "bindwatch: watching, plan %s%s%s%s, registry of %s (%s), %zu %s of %zu %s\n",
	        plan_name(sense_plan(watch->sense)), *refusals ? " (" : "", refusals, *refusals ? ")" : "",
	        registry_date(watch->registry), registry_source(watch->registry), rules, rules == 1 ? "rule" : "rules",
	        files, files == 1 ? "file" : "files");
	r = notify("READY=1");
	if (r < 0)
		(void)cli_error("cannot tell the service manager by NOTIFY_SOCKET: %s", strerror(-r));
	return 0;
}

static int watch_all(struct watch *watch)
{
	int r;

	if ((r = open_registry(watch)) ||
	    (r = cli_policy_open("watch", &watch->options.policy, watch->registry, &watch->policy)) ||
	    (r = open_ports(watch)) || (r = open_pattern(watch)) || (r = watch_open_output(watch)) ||
	    (r = open_signals(watch)) || (r = start(watch)))
		return r;
	watch_start_clocks(watch);
	show_existing(watch);
	run(watch);
	if (watch->end == PIPE_CLOSED)
		return CLI_OK;
	watch_tell_totals(watch);
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
	enrich_close(watch.enrich);
	pattern_free(watch.pattern);
	policy_free(watch.policy);
	registry_free(watch.registry);
	free(watch.ports);
	free(watch.output.data);
	user_cache_end_thread(&watch.users);
	if (watch.signals >= 0)
		close(watch.signals);
	return r;
}
