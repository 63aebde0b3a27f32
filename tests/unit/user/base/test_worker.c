/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "user/base/worker.h"

/* The thread stands still until go is posted; more of no time is ever waited for than a job that is done takes. */
#define PATIENT_MS 60000

struct job {
	sem_t *begun, *go, *gone; /* NULL: not posted, not waited for */
	int value;
	bool signals_blocked;
};

static sem_t released; /* posted for each worker that is gone */

static void work(void *context, void *given);

static void release(void *context)
{
	sem_post(context);
}

static const struct worker_task task = {
        .work = work, .job_bytes = sizeof(struct job), .context = &released, .release = release};

static void work(void *context, void *given)
{
	struct job *job = given;
	sigset_t blocked;

	pthread_sigmask(SIG_BLOCK, NULL, &blocked);
	job->signals_blocked = sigismember(&blocked, SIGINT) == 1 && sigismember(&blocked, SIGTERM) == 1;
	assert_ptr_equal(context, &released);
	if (job->begun)
		sem_post(job->begun);
	if (job->go)
		sem_wait(job->go);
	job->value++;
	if (job->gone)
		sem_post(job->gone);
}

static void worker_does_one_job_after_another(void **state)
{
	struct worker *worker;
	struct job job = {.value = 0};

	(void)state;
	assert_int_equal(worker_open(&task, &worker), 0);
	assert_false(worker_collect(worker, PATIENT_MS, &job)); /* none was given: not waited for */
	for (int i = 0; i < 1000; i++) {
		assert_true(worker_give(worker, &job));
		assert_true(worker_collect(worker, PATIENT_MS, &job));
		assert_int_equal(job.value, i + 1);
		assert_true(job.signals_blocked);
	}
	worker_close(worker);
	worker_close(NULL);
}

static void worker_is_not_waited_for_when_it_hangs(void **state)
{
	struct worker *worker;
	struct job job = {.value = 7}, other = {.value = 0};
	sem_t go;

	(void)state;
	assert_int_equal(sem_init(&go, 0, 0), 0);
	job.go = &go;
	assert_int_equal(worker_open(&task, &worker), 0);
	assert_true(worker_give(worker, &job));
	assert_false(worker_collect(worker, 0, &other));
	assert_false(worker_collect(worker, 1, &other));
	assert_false(worker_give(worker, &other));
	assert_int_equal(sem_post(&go), 0);
	assert_true(worker_collect(worker, PATIENT_MS, &other));
	assert_int_equal(other.value, 8);
	other.go = NULL;
	assert_true(worker_give(worker, &other));
	worker_close(worker);
	sem_destroy(&go);
}

/* Closed in each state; the sanitizers see what is not freed, or twice. */
static void worker_is_closed_in_any_state(void **state)
{
	(void)state;
	sem_init(&released, 0, 0);
	for (int i = 0; i < 300; i++) {
		struct worker *worker;
		struct job job = {.value = 0};
		sem_t begun, go, gone;

		assert_int_equal(sem_init(&begun, 0, 0) | sem_init(&go, 0, 0) | sem_init(&gone, 0, 0), 0);
		assert_int_equal(worker_open(&task, &worker), 0);
		if (i % 4 == 1) /* done, and not collected */
			job.gone = &gone;
		if (i % 4 == 2) /* under way */
			job = (struct job){.begun = &begun, .go = &go, .gone = &gone};
		if (i % 4) /* 3: perhaps not begun */
			assert_true(worker_give(worker, &job));
		if (i % 4 == 1)
			sem_wait(&gone);
		if (i % 4 == 2)
			sem_wait(&begun);
		worker_close(worker);
		if (i % 4 == 2) {
			sem_post(&go);
			sem_wait(&gone);
		}
		sem_wait(&released);
		sem_destroy(&begun);
		sem_destroy(&go);
		sem_destroy(&gone);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(worker_does_one_job_after_another),
	        cmocka_unit_test(worker_is_not_waited_for_when_it_hangs),
	        cmocka_unit_test(worker_is_closed_in_any_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
