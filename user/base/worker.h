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

/*
 * work: done by the thread, to its own copy of a job of job_bytes bytes. 0; -ENOMEM; or what pthread_create(3) says.
 */
int worker_open(size_t job_bytes, void (*work)(void *job), struct worker **ret);

/*
 * Does not wait for a job that is under way: its thread ends with it, and what it holds is freed then. So nothing that
 * a job points to may be freed as long as it might run. NULL is fine.
 */
void worker_close(struct worker *worker);

/* false: a job is under way, or one waits to be collected. The job is copied. */
bool worker_give(struct worker *worker, const void *job);

/*
 * Waits at most so many milliseconds for the job under way. true: it is done and copied to *ret_job, and the next may
 * be given; false: there is none, or it is not done yet.
 */
bool worker_collect(struct worker *worker, unsigned int milliseconds, void *ret_job);

#endif
