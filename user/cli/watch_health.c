/* SPDX-License-Identifier: BSD-2-Clause */
/* Silence and loss must not look alike: what was not seen, or may not be seen any more, is told. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "user/cli/watch.h"

/* How long a bind of our own may take to come through before its hooks count as silent. */
#define CANARY_WAIT_MS 1000

/* event.cpu of events that no CPU's hook made; with a count in its low half, so that event.id stays unique. */
#define NO_CPU 0xffff0000U

int64_t watch_milliseconds(void)
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

void watch_stamp(const struct watch *watch, struct event *event)
{
	event->time_ns = nanoseconds(CLOCK_REALTIME);
	event->boot_ns = nanoseconds(CLOCK_BOOTTIME);
	event->cpu = NO_CPU | (watch->sequence & 0xffff);
	event->plan = sense_plan(watch->sense);
}

void watch_start_clocks(struct watch *watch)
{
	int64_t now = watch_milliseconds();

	watch->looked_ns = nanoseconds(CLOCK_REALTIME);
	watch->losses_at = now + LOSS_INTERVAL_MS;
	watch->health_at = now + (int64_t)watch->options.health * 1000;
	watch->canary_at = INT64_MAX;
	watch->end_at = watch->options.seconds ? now + (int64_t)watch->options.seconds * 1000 : INT64_MAX;
}

void watch_tell_losses(struct watch *watch)
{
	struct sense_totals totals;
	char cpus[256];
	uint64_t lost = 0;

	if (sense_totals(watch->sense, &totals) < 0)
		return;
	for (int cause = 0; cause < LOST_CAUSES; cause++)
		lost += totals.lost[cause];
	if (lost == watch->lost_told)
		return;
	watch->lost_told = lost;
	for (enum sense_lost cause = 0; cause < LOST_CAUSES; cause++) {
		if (!totals.lost[cause])
			continue;
		if (sense_losses_by_cpu(watch->sense, cause, cpus, sizeof(cpus)) < 0)
			cpus[0] = '\0';
		(void)cli_error("lost so far: %llu, %s%s%s", (unsigned long long)totals.lost[cause],
		                sense_lost_name(cause), *cpus ? ": " : "", cpus);
	}
}

static void show_silence(struct watch *watch, const char *hook, const char *cause)
{
	struct event event = {.action = EVENT_SILENT, .hook = hook, .cause = cause};

	watch_stamp(watch, &event);
	watch_judge(watch, &event);
	watch_show(watch, &event);
	(void)cli_error("the hook %s reports nothing any more: %s", hook ? hook : "of this plan", cause);
}

void watch_show_losses(struct watch *watch)
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
		watch_stamp(watch, &event);
		watch_show(watch, &event);
	}
}

/* A link that was taken off does not come back. */
static void check_links(struct watch *watch)
{
	struct sense_hook hook;

	for (size_t i = 0; sense_hook(watch->sense, i, &hook); i++) {
		if (!hook.detached || (watch->detached_told & 1ULL << i))
			continue;
		show_silence(watch, hook.program, "it was detached");
		watch->detached_told |= 1ULL << i;
	}
}

static uint64_t lost_or_skipped(const struct watch *watch)
{
	struct sense_totals totals;

	return sense_totals(watch->sense, &totals) < 0 ? 0 : totals.lost[LOST_RING_FULL] + totals.lost[LOST_MISSED_RUN];
}

/* A canary that was lost in a full ring buffer, or skipped, or stands behind what is not read yet, says nothing of the
 * hooks. */
static void check_canary(struct watch *watch, int64_t now)
{
	const char *missing = sense_canary_missing(watch->sense);

	watch->canary_at = INT64_MAX;
	if (missing && lost_or_skipped(watch) != watch->canary_lost)
		return;
	if (missing && watch->more) {
		watch->canary_at = now + CANARY_WAIT_MS;
		return;
	}
	/* sentences of a table: one and the same stands at one address */
	if (missing && missing != watch->silent_told)
		show_silence(watch, NULL, missing);
	watch->silent_told = missing;
}

/* Hooks can be taken off or fall silent while we watch. Silence is told once, and again after binds were seen. */
static void check_health(struct watch *watch, int64_t now)
{
	if (now >= watch->canary_at)
		check_canary(watch, now);
	if (now >= watch->health_at) {
		check_links(watch);
		watch->canary_lost = lost_or_skipped(watch);
		if (sense_canary(watch->sense) == 0)
			watch->canary_at = now + CANARY_WAIT_MS;
		watch->health_at = now + (int64_t)watch->options.health * 1000;
	}
}

/* Once: a mount that is dead stays so, and each of its programs would be told. */
static void tell_hung(struct watch *watch)
{
	struct inspectors_hung hung;

	if (!watch->enrich)
		return;
	hung = enrich_hung(watch->enrich);
	if (hung.given_up && !watch->hung_told) {
		watch->hung_told = true;
		if (hung.pid)
			(void)cli_error("the program of process %u, on device %u:%u, could not be read within %u "
			                "seconds: what its file and its package tell is not known, nor of others there",
			                hung.pid, major(hung.device), minor(hung.device), ENRICH_PATIENCE_MS / 1000);
		else
			(void)cli_error("a list of packages, or the record of a container, could not be read within %u "
			                "seconds: what it tells is not known",
			                ENRICH_PATIENCE_MS / 1000);
	}
	if (hung.stopped && !watch->stopped_told) {
		watch->stopped_told = true;
		(void)cli_error("%u files hang, and one more: until one of them can be read, packages, digests and "
		                "images of further programs are not known",
		                INSPECTORS_ASIDE_MAX);
	}
}

void watch_on_time(struct watch *watch, int64_t now)
{
	if (now >= watch->losses_at) {
		sense_count_unfinished(watch->sense);
		watch_tell_losses(watch);
		watch_show_losses(watch);
		tell_hung(watch);
		watch->losses_at = now + LOSS_INTERVAL_MS;
	}
	check_health(watch, now);
	watch_flush(watch);
}

/*
 * The ledger: what the hooks saw is shown, left out by --port or --pid, lost, or (where we were stopped before it could
 * be read or written) not delivered.
 */
void watch_tell_totals(struct watch *watch)
{
	struct sense_totals totals;
	uint64_t unread, given_up;

	watch_tell_losses(watch);
	if (sense_totals(watch->sense, &totals) < 0)
		return;
	unread = totals.seen - totals.own - totals.delivered - totals.lost[LOST_RING_FULL] -
	         totals.lost[LOST_CALL_NOT_KEPT] - totals.lost[LOST_NOT_UNDERSTOOD];
	fprintf(stderr, "bindwatch: %llu events seen, %llu shown, %llu alerts, %llu lost",
	        (unsigned long long)(totals.seen - totals.own), (unsigned long long)watch->shown,
	        (unsigned long long)watch->alerts,
	        (unsigned long long)(totals.lost[LOST_RING_FULL] + totals.lost[LOST_CALL_NOT_KEPT] +
	                             totals.lost[LOST_NOT_UNDERSTOOD]));
	if (totals.lost[LOST_MISSED_RUN])
		fprintf(stderr, ", %llu never seen", (unsigned long long)totals.lost[LOST_MISSED_RUN]);
	if (totals.lost[LOST_NOT_TRACKED])
		fprintf(stderr, ", %llu whose release is not told", (unsigned long long)totals.lost[LOST_NOT_TRACKED]);
	if (watch->left_out)
		fprintf(stderr, ", %llu left out", (unsigned long long)watch->left_out);
	if (unread)
		fprintf(stderr, ", %llu not read", (unsigned long long)unread);
	given_up = watch->enrich ? enrich_hung(watch->enrich).given_up : 0;
	if (given_up)
		fprintf(stderr, ", %llu %s not read in time", (unsigned long long)given_up,
		        given_up == 1 ? "file" : "files");
	if (watch->not_written)
		fprintf(stderr, ", %llu lines not written", (unsigned long long)watch->not_written);
	if (watch->existing)
		fprintf(stderr, ", %llu bound before", (unsigned long long)watch->existing);
	fputc('\n', stderr);
}
