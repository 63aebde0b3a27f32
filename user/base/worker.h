/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thread for what may take long or never come back: a name service over the network, a file of a mount that hangs.
 * One job at a time. Who asks waits as long as he likes and goes on; what comes later he collects when he asks again.
 * So the worst that can hang is this thread. Not for two askers at once.
 */
#ifndef USER_BASE_WORKER_H
#define USER_BASE_WORKER_H

#include <stdbool.h>
#include <stddef.h>

struct worker;

struct worker_task {
	/* Done by the thread, to its own copy of a job. */
	void (*work)(void *context, void *job);
	size_t job_bytes;
	void *context;                  /* what the jobs need, the worker's from worker_open() on */
	void (*release)(void *context); /* frees it, when no job runs any more; NULL: nothing is to be freed */
};

/* 0; -ENOMEM; or what pthread_create(3) says: the context is then still the caller's. */
int worker_open(const struct worker_task *task, struct worker **ret);

/* Does not wait for a job that is under way: its thread ends with it, and releases what it holds. NULL is fine. */
void worker_close(struct worker *worker);

/* false: a job is under way, or one waits to be collected. The job is copied. */
bool worker_give(struct worker *worker, const void *job);

/*
 * Waits at most so many milliseconds for the job under way. true: it is done and copied to *ret_job, and the next may
 * be given; false: there is none, or it is not done yet.
 */
bool worker_collect(struct worker *worker, unsigned int milliseconds, void *ret_job);

#endif
