/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The thread that inspects, and those that hang. One job is under way at a time. One that takes longer than the
 * patience has met a file that hangs (a file system of the network, or one that a user serves): its thread is left to
 * itself, and another one, with its own view of the packages, takes the next job. As long as it hangs, files of the
 * same device are not asked for; if it ever comes back, so does its answer. No more than INSPECTORS_ASIDE_MAX hang so:
 * then everything waits until one of them comes back. Not for two askers at once.
 */
#ifndef USER_ENRICH_INSPECTORS_H
#define USER_ENRICH_INSPECTORS_H

#include <stdbool.h>
#include <stdint.h>

#include "user/enrich/inspect.h"

/* Each is a thread and, where it has read it, the index of packages: some megabytes. */
#define INSPECTORS_ASIDE_MAX 4

struct inspectors;

/* What hangs, or hung. */
struct inspectors_hung {
	uint64_t given_up; /* jobs */
	uint64_t device;   /* of the last one, as struct inspect_file has it; 0: it was no executable */
	uint32_t pid;      /* whose file it was; 0: none's */
	bool stopped;      /* as many hang as may, and one more: nothing is inspected for now */
};

/* root, hash_bytes_max: as inspector_new(). 0, or -errno: no thread, no memory. */
int inspectors_open(const char *root, uint64_t hash_bytes_max, unsigned int patience_ms, struct inspectors **ret);

/* Does not wait for what hangs: worker_close(). NULL is fine. */
void inspectors_close(struct inspectors *inspectors);

/* The job, whose answer is all zeros, is copied. false: it is not taken, since one is under way, or one like it hangs.
 */
bool inspectors_ask(struct inspectors *inspectors, const struct inspect_job *job);

/*
 * Waits at most so many milliseconds for the job under way. true: that one, or one that was given up, is done and in
 * *ret_job; there may be more.
 */
bool inspectors_collect(struct inspectors *inspectors, unsigned int milliseconds, struct inspect_job *ret_job);

/* As of the last inspectors_collect(). */
struct inspectors_hung inspectors_hung(const struct inspectors *inspectors);

#endif
