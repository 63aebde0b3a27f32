/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "user/cli/doctor.h"
#include "user/cli/doctor_paths.h"

/* How long a call may take, and then its record. On an emulated CPU each takes some milliseconds. */
#define CALL_WAIT_MS   5000
#define RECORD_WAIT_MS 1000

/* The same where none is expected. */
#define BLIND_WAIT_MS 50

/* The reader looks this often: what it takes to reach it shows, and not the timer of whoever watches. */
#define LOOK_MS 1

struct trial {
	struct sense *sense;
	struct doctor_actor actor;
	const struct doctor_path *path;
	struct doctor_canary *canary;
	bool seen, blind;
};

static uint64_t boot_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/*
 * By the socket's cookie; or, where the kernel could not tell that (an MPTCP socket's is behind its subflow), by the
 * network namespace, in which nobody else is.
 */
static bool is_expected(const struct trial *trial, const struct event *event)
{
	const struct doctor_stage *stage = trial->actor.stage;
	uint64_t before = doctor_acquire(&stage->before_ns), cookie = doctor_acquire(&stage->cookie);

	if (!before || event->action != trial->path->action || event->error || event->boot_ns < before)
		return false;
	return (cookie && event->cookie == cookie) || (stage->netns_inode && event->netns_inode == stage->netns_inode);
}

static int on_event(void *context, struct event *event)
{
	struct trial *trial = context;
	uint64_t now = boot_ns(), before;

	if (!trial->path || trial->seen || !is_expected(trial, event))
		return 0;
	before = doctor_acquire(&trial->actor.stage->before_ns);
	trial->seen = true;
	trial->canary->hook = event->hook;
	trial->canary->record_ns = event->boot_ns - before;
	trial->canary->reader_ns = now - before;
	return 0;
}

static int read_all(struct trial *trial)
{
	int r;

	do {
		r = sense_read(trial->sense, on_event, trial);
	} while (r > 0);
	return r;
}

/* Until the call is made and its record is here, or can no longer be expected. 0, or -errno: no sense to go on. */
static int wait_for(struct trial *trial)
{
	struct pollfd done = {.fd = trial->actor.channel, .events = POLLIN};
	const struct doctor_stage *stage = trial->actor.stage;
	uint64_t deadline = boot_ns() + CALL_WAIT_MS * 1000000ULL;
	bool called = false;
	char byte;
	int r;

	while (!called || (!trial->seen && !stage->absent && !stage->error)) {
		(void)poll(&done, 1, LOOK_MS);
		if (done.revents) {
			if (recv(trial->actor.channel, &byte, 1, 0) != 1)
				return -ECHILD;
			called = true;
			done.fd = -1;
			done.revents = 0;
			deadline = boot_ns() + (trial->blind ? BLIND_WAIT_MS : RECORD_WAIT_MS) * 1000000ULL;
		}
		r = read_all(trial);
		if (r < 0)
			return r;
		if (boot_ns() > deadline)
			return called ? 0 : -ETIMEDOUT;
	}
	return 0;
}

void doctor_judge(const struct doctor_outcome *outcome, enum capture_plan plan, struct doctor_canary *ret)
{
	ret->state = DOCTOR_NO;
	ret->detail[0] = '\0';
	if (outcome->seen) {
		ret->state = DOCTOR_OK;
	} else if (outcome->absent) {
		ret->state = DOCTOR_NONE;
		(void)snprintf(ret->detail, sizeof(ret->detail), "%s", outcome->absent);
	} else if (outcome->error) {
		(void)snprintf(ret->detail, sizeof(ret->detail), "could not be tried: %s", strerror(outcome->error));
	} else if (outcome->blind) {
		ret->state = DOCTOR_NONE;
		(void)snprintf(ret->detail, sizeof(ret->detail), "plan %s does not see it", plan_name(plan));
	} else {
		(void)snprintf(ret->detail, sizeof(ret->detail), "NOT SEEN");
	}
}

static int try_path(struct doctor *doctor, struct trial *trial, size_t index)
{
	const struct doctor_stage *stage = trial->actor.stage;
	struct doctor_outcome outcome;
	int r;

	trial->seen = false;
	trial->canary = &doctor->canaries[doctor->canaries_count];
	trial->path = doctor_path(index);
	trial->blind = trial->path->blind != PLAN_NONE && trial->path->blind == doctor->chosen;
	*trial->canary = (struct doctor_canary){.name = trial->path->name};
	r = doctor_actor_go(&trial->actor, index);
	if (r == 0)
		r = wait_for(trial);
	if (r < 0)
		return r;
	outcome = (struct doctor_outcome){
	        .absent = stage->absent,
	        .error = stage->error,
	        .seen = trial->seen,
	        .blind = trial->blind,
	};
	doctor_judge(&outcome, doctor->chosen, trial->canary);
	doctor->canaries_count++;
	return 0;
}

int doctor_try_paths(struct doctor *doctor, struct sense *sense, char error[DOCTOR_DETAIL_LEN])
{
	struct trial trial = {.sense = sense};
	int r = doctor_actor_start(&trial.actor);

	doctor->canaries_count = 0;
	for (size_t i = 0; r == 0 && i < DOCTOR_CANARIES_MAX && doctor_path(i); i++)
		r = try_path(doctor, &trial, i);
	/* a record of a path may still come; none is expected any more */
	trial.path = NULL;
	doctor_actor_stop(&trial.actor);
	doctor_ask_hooks(doctor, sense);
	sense_detach(sense);
	if (r == 0)
		r = read_all(&trial);
	if (r == 0)
		r = sense_totals(sense, &doctor->totals);
	if (r == -ETIMEDOUT)
		(void)snprintf(error, DOCTOR_DETAIL_LEN, "%s did not return within %d seconds", trial.canary->name,
		               CALL_WAIT_MS / 1000);
	else if (r < 0)
		(void)snprintf(error, DOCTOR_DETAIL_LEN, "the binds cannot be tried: %s", strerror(-r));
	return r;
}

bool doctor_is_healthy(const struct doctor *doctor)
{
	size_t seen = 0;

	/* what the kernel has and somebody keeps us from: its binds may be those that no path here tries */
	for (size_t i = 0; i < doctor->hooks_count; i++)
		if (doctor->hooks[i].loaded && !doctor->hooks[i].attached)
			return false;
	for (size_t i = 0; i < doctor->canaries_count; i++) {
		if (doctor->canaries[i].state == DOCTOR_NO)
			return false;
		seen += doctor->canaries[i].state == DOCTOR_OK;
	}
	return seen > 0;
}
