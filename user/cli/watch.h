/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The state of `bindwatch watch`, and its parts: watch.c starts and runs it, watch_output.c writes lines,
 * watch_health.c tells of what is not seen.
 */
#ifndef USER_CLI_WATCH_H
#define USER_CLI_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "user/base/user_cache.h"
#include "user/cli/cli.h"
#include "user/cli/watch_options.h"
#include "user/encode/encode.h"
#include "user/enrich/enrich.h"
#include "user/sense/sense.h"

/*
 * How long a bind may wait to be shown. The kernel wakes us only when much is waiting; this timer finds the rest.
 * Twenty wake-ups a second cost an idle host nothing that can be measured, and a person takes 50 ms for "at once".
 */
#define READ_INTERVAL_MS 50

/* How often the kernel's counters are asked for losses. */
#define LOSS_INTERVAL_MS 1000

enum watch_end { RUNNING, ENDED, PIPE_CLOSED, FAILED };

struct watch {
	struct watch_options options;
	struct portlist *ports; /* NULL: every port */
	struct registry *registry;
	struct pattern *pattern; /* what was seen of ports before */
	struct policy *policy;
	char reason[POLICY_REASON_LEN]; /* of the event at hand */
	struct sense *sense;
	struct enrich *enrich; /* NULL: none */
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
	uint64_t canary_lost;                 /* in the ring buffer, when the canary went out */
	bool more;                            /* waits to be read */
	bool hung_told, stopped_told;         /* of enrich */
	const char *silent_told;
	uint64_t detached_told; /* bit n: of hook n of the plan */
	struct event gravest; /* of the holders of one socket that was there before, so far */
	enum watch_end end;
};

/* CLOCK_MONOTONIC. */
int64_t watch_milliseconds(void);

/* Makes the output and its form ready. 0, or CLI_FAILURE after it said why. */
int watch_open_output(struct watch *watch);

/*
 * Writes what is in the buffer. Waits for a reader that is slow, but not for ever once a signal or the end of --for has
 * come; watch->end says what became of it.
 */
void watch_flush(struct watch *watch);

/* Gives the event its verdict and, if that is an alert, the reason. */
void watch_judge(struct watch *watch, struct event *event);

/* Adds the event to the output, with its number and, where it is due, the header. */
void watch_show(struct watch *watch, struct event *event);

/* An event that is ours and no hook's: it happens now. */
void watch_stamp(const struct watch *watch, struct event *event);

/* Starts the clocks by which losses and health are looked at, and --for ends. */
void watch_start_clocks(struct watch *watch);

/* Tells losses on stderr, if there are new ones. */
void watch_tell_losses(struct watch *watch);

/* Tells losses as events of the stream: whoever reads only that must know of them too. */
void watch_show_losses(struct watch *watch);

/* What is due by now: losses, and whether the hooks still report. */
void watch_on_time(struct watch *watch, int64_t now);

/* The ledger of the whole run, on stderr. */
void watch_tell_totals(struct watch *watch);

#endif
