/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/bindwatch.h"
#include "bpf/bindwatch.skel.h"
#include "user/base/mountinfo.h"
#include "user/sense/attach.h"
#include "user/sense/probe.h"
#include "user/sense/sense_private.h"
#include "user/sense/who.h"

/* The verifier's account of a refusal; only its last lines are of use to a reader. */
#define VERIFIER_LOG_BYTES (1U << 20)

/* How long a bind of our own may take to come through. On an emulated CPU it takes a few milliseconds. */
#define CANARY_WAIT_MS 1000
#define CANARY_STEP_MS 5

static int attach_hook(struct sense *sense, const struct plan_hook *hook, int cgroup, int tracefs,
                       struct bpf_link **ret)
{
	const struct bpf_program *program;
	struct bpf_link *link = NULL;

	program = bpf_object__find_program_by_name(sense->skeleton->obj, hook->program);
	switch (hook->attach) {
	case ATTACH_TRACEPOINT:
		return tracepoint_attach(program, tracefs, hook->tracepoint, ret);
	case ATTACH_CGROUP:
		link = bpf_program__attach_cgroup(program, cgroup);
		break;
	case ATTACH_BY_SECTION:
		link = bpf_program__attach(program);
		break;
	}
	if (!link)
		return -errno;
	*ret = link;
	return 0;
}

void sense_detach(struct sense *sense)
{
	if (sense->skeleton && sense->complete_ns) {
		sense_count_unfinished(sense);
		sense->skeleton->bss->complete_ns = sense->complete_ns = 0;
	}
	for (unsigned int turn = 0; turn < PLAN_TURNS; turn++) {
		for (size_t i = 0; i < sense->choice.count; i++) {
			if (!sense->links[i] || plan_hook_turn(sense->choice.hooks[i]) != turn)
				continue;
			bpf_link__destroy(sense->links[i]);
			sense->links[i] = NULL;
		}
	}
}

static void unload(struct sense *sense)
{
	sense_detach(sense);
	ring_buffer__free(sense->ring);
	sense->ring = NULL;
	bindwatch_bpf__destroy(sense->skeleton);
	sense->skeleton = NULL;
	/* of hooks that are gone; the next plan counts anew */
	sense_drop_pending(sense);
	sense->delivered = sense->rejected = sense->unfinished = sense->processes_rejected = sense->canary.records = 0;
}

static void note_refusal(struct sense *sense, const char *why)
{
	size_t used = strlen(sense->refusals);
	char note[WHY_LEN + 16];
	int length = snprintf(note, sizeof(note), "%s %s", plan_name(sense->choice.plan), why);

	/* one hook after the other lacks the same */
	if (used >= (size_t)length && strcmp(sense->refusals + used - length, note) == 0)
		return;
	snprintf(sense->refusals + used, sizeof(sense->refusals) - used, "%s%s", used ? "; " : "", note);
}

struct roots {
	int cgroup, tracefs; /* -1: not needed so far */
};

static int attach_one(struct sense *sense, const struct plan_hook *hook, struct roots *roots, struct bpf_link **ret,
                      char why[WHY_LEN])
{
	int r = 0;

	if (hook->attach == ATTACH_CGROUP && roots->cgroup < 0) {
		r = roots->cgroup = cgroup_root_open(MOUNTINFO);
		if (r < 0)
			snprintf(why, WHY_LEN, "needs the root of the cgroup v2 hierarchy: %s", cgroup_root_why_not(r));
	} else if (hook->attach == ATTACH_TRACEPOINT && roots->tracefs < 0) {
		r = roots->tracefs = tracefs_open(MOUNTINFO);
		if (r < 0)
			snprintf(why, WHY_LEN, "needs tracefs: %s%s", strerror(-r),
			         r == -EPERM || r == -EACCES ? " (without root: CAP_SYS_ADMIN)" : "");
	}
	if (r < 0)
		return r;
	r = attach_hook(sense, hook, roots->cgroup, roots->tracefs, ret);
	if (r < 0)
		snprintf(why, WHY_LEN, "%s does not attach: %s", hook->program, strerror(-r));
	return r;
}

static bool is_loaded(const struct sense *sense, const struct plan_hook *hook)
{
	return bpf_program__fd(bpf_object__find_program_by_name(sense->skeleton->obj, hook->program)) >= 0;
}

/* Those of one turn, in their order. */
static int attach_turn(struct sense *sense, unsigned int turn, struct roots *roots, char why[WHY_LEN])
{
	for (size_t i = 0; i < sense->choice.count; i++) {
		const struct plan_hook *hook = sense->choice.hooks[i];
		int r;

		if (plan_hook_turn(hook) != turn)
			continue;
		if (!is_loaded(sense, hook)) {
			note_refusal(sense, "has to do without a hook that does not load");
			continue;
		}
		r = attach_one(sense, hook, roots, &sense->links[i], why);
		if (r < 0 && !hook->optional)
			return r;
		if (r < 0)
			note_refusal(sense, why);
	}
	return 0;
}

static int attach(struct sense *sense, char why[WHY_LEN])
{
	struct roots roots = {-1, -1};
	size_t noted = strlen(sense->refusals);
	int r = 0;

	for (unsigned int turn = PLAN_TURNS; turn > 0 && r >= 0; turn--)
		r = attach_turn(sense, turn - 1, &roots, why);
	/* of a plan that is not taken it is of no interest what it would have to do without */
	if (r < 0)
		sense->refusals[noted] = '\0';
	if (roots.cgroup >= 0)
		close(roots.cgroup);
	if (roots.tracefs >= 0)
		close(roots.tracefs);
	return r < 0 ? r : 0;
}

/* The line before the verifier's statistics says what it did not like. `log` is changed. */
static const char *verifier_verdict(char *log)
{
	char *end = strstr(log, "\nprocessed ");
	char *line;

	if (!end)
		end = log + strlen(log);
	while (end > log && end[-1] == '\n')
		end--;
	*end = '\0';
	line = strrchr(log, '\n');
	return line ? line + 1 : log;
}

static bool is_wanted(const struct plan_choice *choice, const struct bpf_program *program, bool optional)
{
	for (size_t i = 0; i < choice->count; i++)
		if (strcmp(bpf_program__name(program), choice->hooks[i]->program) == 0)
			return optional || !choice->hooks[i]->optional;
	return false;
}

/* optional: with the hooks that the plan can do without */
static int load(struct sense *sense, const struct plan_probe *probe, bool optional, char why[WHY_LEN])
{
	char *log = calloc(1, VERIFIER_LOG_BYTES);
	LIBBPF_OPTS(bpf_object_open_opts, options, .kernel_log_buf = log, .kernel_log_size = VERIFIER_LOG_BYTES);
	struct bpf_program *program;
	int r = -ENOMEM;

	if (!log)
		goto out;
	sense->skeleton = bindwatch_bpf__open_opts(&options);
	if (!sense->skeleton) {
		r = -errno;
		goto out;
	}
	sense->skeleton->rodata->probe_reads = probe->probe_reads;
	sense->skeleton->rodata->exit_skipped = probe->release >= KERNEL_PREEMPTIBLE;
	sense->skeleton->rodata->cgroup_retval = probe->release >= KERNEL_RELEASE(6, 1);
	sense->skeleton->rodata->release_skips_kernel = sense->choice.plan == PLAN_TRACEPOINT;
	sense->skeleton->rodata->overlay_inode_offset = probe->overlay.inode;
	sense->skeleton->rodata->overlay_upper_offset = probe->overlay.upper;
	bpf_object__for_each_program(program, sense->skeleton->obj)
	        bpf_program__set_autoload(program, is_wanted(&sense->choice, program, optional));
	r = bindwatch_bpf__load(sense->skeleton);
out:
	if (r < 0) {
		snprintf(why, WHY_LEN, "does not load: %s%s%.200s", strerror(-r), log && *log ? ": " : "",
		         log && *log ? verifier_verdict(log) : "");
		bindwatch_bpf__destroy(sense->skeleton);
		sense->skeleton = NULL;
	}
	free(log);
	return r;
}

/* What the hooks that are attached tell beside binds. */
static unsigned int canary_hooks(const struct sense *sense)
{
	unsigned int hooks = 0;

	for (size_t i = 0; i < sense->choice.count; i++) {
		enum bw_record_type tells = sense->links[i] ? plan_hook_tells(sense->choice.hooks[i]->hook) : 0;

		if (tells == BW_RECORD_LISTEN)
			hooks |= CANARY_LISTEN;
		else if (tells == BW_RECORD_CLOSE)
			hooks |= CANARY_CLOSE;
	}
	return hooks;
}

/* Hooks that attach may yet never fire; and a bind that nobody reports is what this program must not be blind to. */
static int prove(struct sense *sense, char why[WHY_LEN])
{
	struct sense_totals totals;
	int r;

	sense->canary.hooks = canary_hooks(sense);
	r = canary_bind(&sense->canary);
	if (r < 0) {
		snprintf(why, WHY_LEN, "cannot be tested, no socket is to be had: %s", strerror(-r));
		return r;
	}
	for (int waited = 0; waited <= CANARY_WAIT_MS; waited += CANARY_STEP_MS) {
		r = sense_read_ahead(sense);
		if (r < 0) {
			snprintf(why, WHY_LEN, "cannot be read: %s", strerror(-r));
			return r;
		}
		if (!(canary_missing(&sense->canary) & CANARY_BIND))
			return 0;
		(void)poll(NULL, 0, CANARY_STEP_MS);
	}
	/* under a flood ours may be among those that found the ring buffer full; the hooks work, then */
	if (sense_totals(sense, &totals) == 0 && totals.lost[LOST_RING_FULL])
		return 0;
	snprintf(why, WHY_LEN, "attaches and reports nothing: a bind of our own was not seen");
	return -ENODATA;
}

/* Load, attach and proof of one plan, whole or not at all. */
static int try_plan(struct sense *sense, const struct plan_probe *probe, char why[WHY_LEN])
{
	int r = load(sense, probe, true, why);

	if (r < 0)
		r = load(sense, probe, false, why);
	if (r == 0)
		r = attach(sense, why);
	if (r == 0) {
		sense->ring = ring_buffer__new(bpf_map__fd(sense->skeleton->maps.events), sense_on_record, sense, NULL);
		if (!sense->ring) {
			r = -errno;
			snprintf(why, WHY_LEN, "no ring buffer: %s", strerror(-r));
		}
	}
	if (r == 0) {
		sense->skeleton->bss->complete_ns = sense->complete_ns = sense_boot_ns();
		r = prove(sense, why);
	}
	if (r < 0)
		unload(sense);
	return r;
}

static int choose_and_try(struct sense *sense, struct plan_probe *probe, enum capture_plan forced,
                          char error[SENSE_ERROR_LEN])
{
	char why[WHY_LEN];
	int r;

	while (plan_choose(probe, forced, &sense->choice) == 0) {
		r = try_plan(sense, probe, why);
		if (r == 0)
			return 0;
		probe->refused[sense->choice.plan] = r;
		note_refusal(sense, why);
	}
	snprintf(error, SENSE_ERROR_LEN, "this kernel allows no %s%s hooks: %s", plan_name(forced),
	         forced == PLAN_NONE ? "bind" : "",
	         sense->refusals[0] ? sense->refusals : "it has none of the functions that they hook");
	return -ENOTSUP;
}

int sense_open(enum capture_plan forced, struct sense **ret, char error[SENSE_ERROR_LEN])
{
	struct sense *sense;
	struct plan_probe probe;
	struct stat netns;
	int r;

	/* libbpf's own messages go to stderr and are made for its developers; refusals are told in a sentence each */
	libbpf_set_print(NULL);
	r = probe_kernel(&probe, error);
	if (r < 0)
		return r;
	sense = calloc(1, sizeof(*sense));
	if (!sense)
		goto no_memory;
	sense->cpus = libbpf_num_possible_cpus();
	sense->counters = calloc(sense->cpus > 0 ? sense->cpus : 1, sizeof(*sense->counters));
	if (sense->cpus <= 0 || !sense->counters || who_new(sense_forgotten, sense, &sense->who) < 0)
		goto no_memory;
	if (stat("/proc/self/ns/net", &netns) == 0)
		sense->netns_inode = netns.st_ino;
	r = choose_and_try(sense, &probe, forced, error);
	if (r < 0) {
		sense_close(sense);
		return r;
	}
	*ret = sense;
	return 0;

no_memory:
	sense_close(sense);
	snprintf(error, SENSE_ERROR_LEN, "out of memory");
	return -ENOMEM;
}

void sense_close(struct sense *sense)
{
	if (!sense)
		return;
	unload(sense);
	who_free(sense->who);
	free(sense->pending);
	free(sense->counters);
	free(sense);
}
