/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `bindwatch doctor` finds out, and the files that do: doctor_host.c looks at the machine, doctor_plans.c tries
 * the hooks, doctor_canary.c binds by each path and sees what comes of it, doctor_write.c tells it all.
 */
#ifndef USER_CLI_DOCTOR_H
#define USER_CLI_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "user/base/event.h"
#include "user/sense/plan.h"
#include "user/sense/sense.h"

enum doctor_state {
	DOCTOR_OK,
	DOCTOR_NO,   /* missing, refused, or not seen */
	DOCTOR_NONE, /* not to be had here, or not known: nobody's fault */
};

/* A detail that is longer (a path) is cut. */
#define DOCTOR_DETAIL_LEN 256

struct doctor_check {
	const char *name;
	enum doctor_state state;
	bool needed; /* without it nothing can be attached */
	char detail[DOCTOR_DETAIL_LEN];
	const char *advice; /* what to do; static; NULL: nothing */
};

#define DOCTOR_CHECKS_MAX 16

struct doctor_plan {
	enum capture_plan plan;
	bool works;
	char detail[SENSE_ERROR_LEN]; /* why not; or what it has to do without; or "" */
};

/* One way to take a port, or to let it go. */
struct doctor_canary {
	const char *name; /* "bind tcp v4" */
	enum doctor_state state;
	char detail[DOCTOR_DETAIL_LEN]; /* why it is not DOCTOR_OK */
	/* valid where it is */
	const char *hook;
	uint64_t record_ns; /* from the call to the record's time stamp */
	uint64_t reader_ns; /* from the call to the moment when the reader had it */
};

#define DOCTOR_CANARIES_MAX 16

struct doctor {
	struct doctor_check checks[DOCTOR_CHECKS_MAX];
	size_t checks_count;
	struct doctor_plan plans[PLAN_COUNT];
	size_t plans_count;
	enum capture_plan chosen; /* PLAN_NONE: none works, and nothing below is filled */
	struct sense_hook hooks[PLAN_HOOKS_MAX];
	size_t hooks_count;
	bool runs_counted; /* the kernel counts runs (kernel.bpf_stats_enabled) */
	struct doctor_canary canaries[DOCTOR_CANARIES_MAX];
	size_t canaries_count;
	struct sense_totals totals; /* the ledger, with the hooks off and everything read */
};

/* Looks at the kernel, the rights of this process and what is mounted. Changes nothing. */
void doctor_look(struct doctor *doctor);

/* The word in brackets of /sys/kernel/security/lockdown, in place ("none [integrity] ..."); NULL where there is none.
 */
const char *doctor_lockdown_mode(char *text);

/*
 * Loads, attaches and proves each plan, one after the other; then opens the best one that works, or only `forced`
 * where it is not PLAN_NONE. *ret is closed with sense_close(); NULL: none is to be had, doctor->chosen is PLAN_NONE.
 */
void doctor_try_plans(struct doctor *doctor, enum capture_plan forced, struct sense **ret);

/* The state of each hook of the plan that is open. */
void doctor_ask_hooks(struct doctor *doctor, const struct sense *sense);

/*
 * Takes a loopback port by each path, in a child and a network namespace of its own, and waits for the record of each.
 * Then takes the hooks off and closes the ledger. 0, or -errno with one line in error: nothing could be tried.
 */
int doctor_try_paths(struct doctor *doctor, struct sense *sense, char error[DOCTOR_DETAIL_LEN]);

/* The rule of one path: blind: the plan is known not to see it. Fills state and detail; detail is a line of its own. */
struct doctor_outcome {
	const char *absent; /* why there is no such path here; static; NULL: there is */
	int error;          /* of the call: 0, or a positive errno */
	bool seen, blind;
};
void doctor_judge(const struct doctor_outcome *outcome, enum capture_plan plan, struct doctor_canary *ret);

/* All paths that exist were seen, there was one, and each hook that the kernel takes is attached. */
bool doctor_is_healthy(const struct doctor *doctor);

/* Each writes all of it. 0, or -errno. */
int doctor_text(const struct doctor *doctor, FILE *stream);
int doctor_json(const struct doctor *doctor, FILE *stream);

#endif
