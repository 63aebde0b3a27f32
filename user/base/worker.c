/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/base/worker.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum state { IDLE, GIVEN, DONE };

struct worker {
	pthread_t thread;
	pthread_mutex_t lock; /* of state and closed; the job is the thread's while it is GIVEN, else the asker's */
	pthread_cond_t given, done;
	enum state state;
	bool closed;
	bool left; /* closed with a job under way: nobody waits for the thread, it frees what is here */
	struct worker_task task;
	_Alignas(max_align_t) char job[];
};

static void worker_free(struct worker *worker)
{
	pthread_cond_destroy(&worker->given);
	pthread_cond_destroy(&worker->done);
	pthread_mutex_destroy(&worker->lock);
	if (worker->task.release)
		worker->task.release(worker->task.context);
	free(worker);
}

static void *run(void *context)
{
	struct worker *worker = context;
	bool left;

	pthread_mutex_lock(&worker->lock);
	while (!worker->closed) {
		if (worker->state != GIVEN) {
			pthread_cond_wait(&worker->given, &worker->lock);
			continue;
		}
		pthread_mutex_unlock(&worker->lock);
		worker->task.work(worker->task.context, worker->job);
		pthread_mutex_lock(&worker->lock);
		worker->state = DONE;
		pthread_cond_signal(&worker->done);
	}
	left = worker->left;
	pthread_mutex_unlock(&worker->lock);
	if (left)
		worker_free(worker);
	return NULL;
}

static void worker_init(struct worker *worker)
{
	pthread_condattr_t attributes;

	pthread_mutex_init(&worker->lock, NULL);
	pthread_cond_init(&worker->given, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&worker->done, &attributes);
	pthread_condattr_destroy(&attributes);
}

int worker_open(const struct worker_task *task, struct worker **ret)
{
	struct worker *worker = calloc(1, sizeof(*worker) + task->job_bytes);
	sigset_t all, before;
	int r;

	if (!worker)
		return -ENOMEM;
	worker->task = *task;
	worker_init(worker);
	/* signals are for the program's main thread */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&worker->thread, NULL, run, worker);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r) {
		worker->task.release = NULL;
		worker_free(worker);
		return -r;
	}
	*ret = worker;
	return 0;
}

void worker_close(struct worker *worker)
{
	pthread_t thread;
	bool left;

	if (!worker)
		return;
	pthread_mutex_lock(&worker->lock);
	thread = worker->thread;
	left = worker->left = worker->state == GIVEN;
	worker->closed = true;
	/* before the unlock: a thread that is left may be gone with everything right behind it */
	if (left)
		(void)pthread_detach(thread);
	pthread_cond_signal(&worker->given);
	pthread_mutex_unlock(&worker->lock);
	if (!left) {
		(void)pthread_join(thread, NULL);
		worker_free(worker);
	}
}

bool worker_give(struct worker *worker, const void *job)
{
	bool idle;

	pthread_mutex_lock(&worker->lock);
	idle = worker->state == IDLE;
	if (idle) {
		memcpy(worker->job, job, worker->task.job_bytes);
		worker->state = GIVEN;
		pthread_cond_signal(&worker->given);
	}
	pthread_mutex_unlock(&worker->lock);
	return idle;
}

static struct timespec time_in(unsigned int milliseconds)
{
	struct timespec at;

	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += milliseconds / 1000;
	at.tv_nsec += (long)(milliseconds % 1000) * 1000000;
	if (at.tv_nsec >= 1000000000) {
		at.tv_nsec -= 1000000000;
		at.tv_sec++;
	}
	return at;
}

bool worker_collect(struct worker *worker, unsigned int milliseconds, void *ret_job)
{
	struct timespec until = time_in(milliseconds);
	bool done;
	int r = 0;

	pthread_mutex_lock(&worker->lock);
	while (worker->state == GIVEN && milliseconds && r == 0)
		r = pthread_cond_timedwait(&worker->done, &worker->lock, &until);
	done = worker->state == DONE;
	if (done) {
		memcpy(ret_job, worker->job, worker->task.job_bytes);
		worker->state = IDLE;
	}
	pthread_mutex_unlock(&worker->lock);
	return done;
}
