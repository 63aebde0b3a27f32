/* SPDX-License-Identifier: BSD-2-Clause */
/* What `bindwatch learn` learns from where it has no file: the inventory, and the hooks. */
#include "user/cli/learn_live.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "user/cli/cli.h"
#include "user/sense/existing.h"
#include "user/sense/plan.h"
#include "user/sense/sense.h"
#include "user/sense/who.h"

/* The kernel wakes us when much is waiting; this timer finds the rest. Nobody waits for what is learnt. */
#define READ_INTERVAL_MS 250

static int64_t milliseconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int open_signals(void)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction now;
	sigset_t set;

	sigemptyset(&set);
	/* what the caller had ignored stays so */
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (sigaction(numbers[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
			sigaddset(&set, numbers[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* 0, what deliver() returned, or -errno, said. */
static int read_until(struct sense *sense, int signals, int64_t end_at,
                      int (*deliver)(void *context, struct event *event), void *context)
{
	int r = 0;

	for (bool stop = false; r >= 0 && !stop;) {
		struct pollfd fds[] = {{sense_fd(sense), POLLIN, 0}, {signals, POLLIN, 0}};

		if (poll(fds, 2, r > 0 ? 0 : READ_INTERVAL_MS) < 0 && errno != EINTR)
			return -errno;
		stop = fds[1].revents || milliseconds() >= end_at;
		r = sense_read(sense, deliver, context);
	}
	sense_detach(sense);
	while (r > 0)
		r = sense_read(sense, deliver, context);
	return r;
}

static void tell_losses(const struct sense *sense)
{
	struct sense_totals totals;

	if (sense_totals(sense, &totals) < 0)
		return;
	for (enum sense_lost cause = 0; cause < LOST_CAUSES; cause++)
		if (totals.lost[cause])
			(void)cli_error("learn: note: %llu events were not learnt from: %s",
			                (unsigned long long)totals.lost[cause], sense_lost_name(cause));
}

int learn_live(uint64_t seconds, int (*deliver)(void *context, struct event *event), void *context)
{
	char sense_error[SENSE_ERROR_LEN], inventory_error[INVENTORY_TEXT_LEN];
	int64_t end_at = milliseconds() + (int64_t)seconds * 1000;
	int signals = open_signals(), r;
	struct sense *sense;

	if (signals < 0)
		return cli_error("learn: signalfd: %s", strerror(errno));
	if (sense_open(PLAN_NONE, &sense, sense_error) < 0) {
		(void)close(signals);
		return cli_error("learn: %s", sense_error);
	}
	(void)cli_error("learn: watching for %llu seconds, plan %s; Ctrl-C ends it before", (unsigned long long)seconds,
	                plan_name(sense_plan(sense)));
	inventory_error[0] = '\0';
	r = existing_tell(sense, deliver, context, inventory_error);
	if (r < 0 && inventory_error[0]) {
		(void)cli_error("learn: note: cannot list the sockets that are bound already: %s", inventory_error);
		r = 0;
	}
	if (r >= 0)
		r = read_until(sense, signals, end_at, deliver, context);
	tell_losses(sense);
	sense_close(sense);
	(void)close(signals);
	return r < 0 && r != -ECANCELED ? cli_error("learn: cannot read the ring buffer: %s", strerror(-r)) : CLI_OK;
}

static int tell_sockets(const struct inventory *inventory, struct who *who,
                        int (*deliver)(void *context, struct event *event), void *context)
{
	char note[INVENTORY_TEXT_LEN];
	int r = 0;

	for (size_t i = 0; r >= 0 && i < inventory->sockets_count; i++)
		r = who_tell(who, inventory, &inventory->sockets[i], true, deliver, context);
	for (unsigned int i = 0; inventory_note(inventory, i, note); i++)
		(void)cli_error("learn: note: %s", note);
	return CLI_OK;
}

int learn_inventory(int (*deliver)(void *context, struct event *event), void *context)
{
	struct inventory *inventory = NULL;
	char error[INVENTORY_TEXT_LEN];
	struct who *who;
	int r;

	if (who_new(NULL, NULL, &who) < 0)
		return cli_error("learn: out of memory");
	if (inventory_take(NULL, NULL, &inventory, error) || inventory_find_holders(inventory, error))
		r = cli_error("learn: %s", error);
	else
		r = tell_sockets(inventory, who, deliver, context);
	inventory_free(inventory);
	who_free(who);
	return r;
}
