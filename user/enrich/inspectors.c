/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/enrich/inspectors.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "user/base/worker.h"

/* What a thread was asked. */
struct asked {
	enum inspect_kind kind;
	uint64_t device;
	uint32_t pid;
	int64_t at_ms; /* CLOCK_MONOTONIC */
};

struct aside {
	struct worker *worker; /* NULL: no thread hangs here */
	struct asked asked;
};

struct inspectors {
	char *root;
	uint64_t hash_bytes_max;
	unsigned int patience_ms;
	struct worker *worker;
	bool under_way;
	struct asked asked; /* valid if under_way */
	struct aside asides[INSPECTORS_ASIDE_MAX];
	struct inspectors_hung hung;
};

static int64_t milliseconds_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int start_thread(const struct inspectors *inspectors, struct worker **ret)
{
	struct worker_task task = {.work = inspect, .job_bytes = sizeof(struct inspect_job), .release = inspector_free};
	struct inspector *inspector;
	int r = inspector_new(inspectors->root, inspectors->hash_bytes_max, &inspector);

	if (r < 0)
		return r;
	task.context = inspector;
	r = worker_open(&task, ret);
	if (r < 0)
		inspector_free(inspector);
	return r;
}

int inspectors_open(const char *root, uint64_t hash_bytes_max, unsigned int patience_ms, struct inspectors **ret)
{
	struct inspectors *inspectors = calloc(1, sizeof(*inspectors));
	int r = -ENOMEM;

	if (!inspectors)
		return r;
	inspectors->hash_bytes_max = hash_bytes_max;
	inspectors->patience_ms = patience_ms;
	inspectors->root = strdup(root);
	if (inspectors->root)
		r = start_thread(inspectors, &inspectors->worker);
	if (r < 0) {
		inspectors_close(inspectors);
		return r;
	}
	*ret = inspectors;
	return 0;
}

void inspectors_close(struct inspectors *inspectors)
{
	if (!inspectors)
		return;
	worker_close(inspectors->worker);
	for (size_t i = 0; i < INSPECTORS_ASIDE_MAX; i++)
		worker_close(inspectors->asides[i].worker);
	free(inspectors->root);
	free(inspectors);
}

static bool is_busy(const struct inspectors *inspectors, const struct inspect_job *job)
{
	for (size_t i = 0; i < INSPECTORS_ASIDE_MAX; i++) {
		const struct aside *aside = &inspectors->asides[i];

		if (aside->worker && aside->asked.kind == job->kind && aside->asked.device == job->file.device)
			return true;
	}
	return inspectors->under_way;
}

bool inspectors_ask(struct inspectors *inspectors, const struct inspect_job *job)
{
	if (is_busy(inspectors, job) || !worker_give(inspectors->worker, job))
		return false;
	inspectors->under_way = true;
	inspectors->asked = (struct asked){
	        .kind = job->kind, .device = job->file.device, .pid = job->pid, .at_ms = milliseconds_now()};
	return true;
}

static struct aside *find_room(struct inspectors *inspectors)
{
	for (size_t i = 0; i < INSPECTORS_ASIDE_MAX; i++)
		if (!inspectors->asides[i].worker)
			return &inspectors->asides[i];
	return NULL;
}

/* The thread under way goes aside, and another one takes its place. */
static void give_up(struct inspectors *inspectors)
{
	struct aside *aside = find_room(inspectors);
	struct worker *worker;

	inspectors->hung.stopped = !aside;
	if (!aside || start_thread(inspectors, &worker) < 0)
		return;
	*aside = (struct aside){.worker = inspectors->worker, .asked = inspectors->asked};
	inspectors->worker = worker;
	inspectors->under_way = false;
	inspectors->hung.given_up++;
	inspectors->hung.device = aside->asked.device;
	inspectors->hung.pid = aside->asked.pid;
}

static bool collect_late(struct inspectors *inspectors, struct inspect_job *ret_job)
{
	for (size_t i = 0; i < INSPECTORS_ASIDE_MAX; i++) {
		struct aside *aside = &inspectors->asides[i];

		if (!aside->worker || !worker_collect(aside->worker, 0, ret_job))
			continue;
		worker_close(aside->worker);
		aside->worker = NULL;
		return true;
	}
	return false;
}

bool inspectors_collect(struct inspectors *inspectors, unsigned int milliseconds, struct inspect_job *ret_job)
{
	if (collect_late(inspectors, ret_job))
		return true;
	if (!inspectors->under_way)
		return false;
	if (worker_collect(inspectors->worker, milliseconds, ret_job)) {
		inspectors->under_way = false;
		inspectors->hung.stopped = false;
		return true;
	}
	if (milliseconds_now() >= inspectors->asked.at_ms + inspectors->patience_ms)
		give_up(inspectors);
	return false;
}

struct inspectors_hung inspectors_hung(const struct inspectors *inspectors)
{
	return inspectors->hung;
}
