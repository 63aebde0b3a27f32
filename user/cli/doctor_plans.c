/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>

#include "user/cli/doctor.h"

/* "this kernel allows no kprobe hooks: kprobe ...": what stands in the line already is left out. */
static const char *reason_of(const char *error, enum capture_plan plan)
{
	const char *name = plan_name(plan), *at = strstr(error, " hooks: ");

	if (!at)
		return error;
	at += strlen(" hooks: ");
	if (strncmp(at, name, strlen(name)) == 0 && at[strlen(name)] == ' ')
		at += strlen(name) + 1;
	return at;
}

static void try_plan(enum capture_plan plan, struct doctor_plan *ret)
{
	char error[SENSE_ERROR_LEN] = "";
	struct sense *sense = NULL;

	*ret = (struct doctor_plan){.plan = plan};
	if (sense_open(plan, &sense, error) < 0) {
		(void)snprintf(ret->detail, sizeof(ret->detail), "%s", reason_of(error, plan));
		return;
	}
	ret->works = true;
	(void)snprintf(ret->detail, sizeof(ret->detail), "%s", sense_refusals(sense));
	sense_close(sense);
}

void doctor_try_plans(struct doctor *doctor, enum capture_plan forced, struct sense **ret)
{
	char error[SENSE_ERROR_LEN];

	*ret = NULL;
	doctor->chosen = PLAN_NONE;
	doctor->plans_count = 0;
	for (enum capture_plan plan = PLAN_TRAMPOLINE; plan < PLAN_COUNT; plan++) {
		struct doctor_plan *tried = &doctor->plans[doctor->plans_count++];

		try_plan(plan, tried);
		if (tried->works && doctor->chosen == PLAN_NONE && (forced == PLAN_NONE || forced == plan))
			doctor->chosen = plan;
	}
	if (doctor->chosen == PLAN_NONE || sense_open(doctor->chosen, ret, error) == 0)
		return;
	/* it worked a moment ago */
	for (size_t i = 0; i < doctor->plans_count; i++) {
		if (doctor->plans[i].plan != doctor->chosen)
			continue;
		doctor->plans[i].works = false;
		(void)snprintf(doctor->plans[i].detail, sizeof(doctor->plans[i].detail), "%s",
		               reason_of(error, doctor->chosen));
	}
	doctor->chosen = PLAN_NONE;
}

/* Linux 5.1 (492ecee892c2); one that asks by BPF_ENABLE_STATS (5.8) does not show there, and its figures are his. */
static bool runs_are_counted(void)
{
	FILE *file = fopen("/proc/sys/kernel/bpf_stats_enabled", "re");
	int first = file ? fgetc(file) : EOF;

	if (file)
		(void)fclose(file);
	return first == '1';
}

void doctor_ask_hooks(struct doctor *doctor, const struct sense *sense)
{
	doctor->hooks_count = 0;
	while (doctor->hooks_count < PLAN_HOOKS_MAX &&
	       sense_hook(sense, doctor->hooks_count, &doctor->hooks[doctor->hooks_count]))
		doctor->hooks_count++;
	doctor->runs_counted = runs_are_counted();
}
