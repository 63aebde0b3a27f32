/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/enrich/enrich.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "user/base/worker.h"
#include "user/enrich/inspect.h"

/* Packages and versions that were ever met; more than a system has packages with programs. A power of two. */
#define TEXTS_MAX 8192

/* How soon a file is looked for again that was not there. */
#define RETRY_MS 1000

struct answer {
	struct inspect_file file;
	bool used;
	bool opened;      /* else it is asked for again */
	int64_t asked_ms; /* CLOCK_MONOTONIC */
	bool has_sha256, package_known, modified_known, modified;
	uint8_t sha256[32];
	const char *package, *version; /* of texts; NULL: none */
};

struct enrich {
	struct worker *worker;
	int64_t second;         /* CLOCK_MONOTONIC */
	unsigned int waited_ms; /* in that second */
	bool hangs;             /* what the thread does was waited for, and did not come */
	uint32_t mntns_inode;   /* our own */
	struct inspect_job job;
	struct answer answers[ENRICH_FILES];
	/* Processes point to them for as long as they like: a text stays. Open addressing. */
	char *texts[TEXTS_MAX];
	size_t texts_count;
};

static uint64_t hash_bytes(uint64_t hash, const void *data, size_t length)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ bytes[i]) * 1099511628211U;
	return hash;
}

#define HASH_START 14695981039346656037U

/* NULL: empty, or there is no room for another. */
static const char *keep_text(struct enrich *enrich, const char *text)
{
	size_t slot = hash_bytes(HASH_START, text, strlen(text)) % TEXTS_MAX;

	if (!*text)
		return NULL;
	for (; enrich->texts[slot]; slot = (slot + 1) % TEXTS_MAX)
		if (strcmp(enrich->texts[slot], text) == 0)
			return enrich->texts[slot];
	/* half empty, so that a search ends soon */
	if (enrich->texts_count >= TEXTS_MAX / 2)
		return NULL;
	enrich->texts[slot] = strdup(text);
	enrich->texts_count += enrich->texts[slot] != NULL;
	return enrich->texts[slot];
}

static struct answer *answer_of(struct enrich *enrich, const struct inspect_file *file)
{
	return &enrich->answers[hash_bytes(HASH_START, file, sizeof(*file)) % ENRICH_FILES];
}

static int64_t milliseconds_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool is_answer(const struct answer *answer, const struct inspect_file *file)
{
	return answer->used && memcmp(&answer->file, file, sizeof(*file)) == 0 &&
	       (answer->opened || milliseconds_now() < answer->asked_ms + RETRY_MS);
}

static bool is_modified(const struct package_owner *owner, const struct digest *digest)
{
	if (owner->digest_kind == PACKAGE_DIGEST_MD5)
		return memcmp(digest->md5, owner->digest, sizeof(digest->md5)) != 0;
	return memcmp(digest->sha256, owner->digest, sizeof(digest->sha256)) != 0;
}

/*
 * What was not there to be looked at is kept for a while: the question would be asked with each event. Not for longer,
 * or a run that is over at once would blind us to every later one of the same file.
 */
static void keep(struct enrich *enrich, const struct inspect_job *job)
{
	struct answer *answer = answer_of(enrich, &job->file);

	*answer =
	        (struct answer){.file = job->file, .used = true, .opened = job->opened, .asked_ms = milliseconds_now()};
	answer->package_known = job->package_known;
	answer->package = keep_text(enrich, job->owner.package);
	answer->version = keep_text(enrich, job->owner.version);
	if (job->owner.package[0] && !answer->package)
		answer->package_known = false;
	if (!job->has_digest)
		return;
	answer->has_sha256 = true;
	memcpy(answer->sha256, job->digest.sha256, sizeof(answer->sha256));
	answer->modified_known = job->owner.digest_kind != PACKAGE_DIGEST_NONE;
	answer->modified = is_modified(&job->owner, &job->digest);
}

static void collect(struct enrich *enrich, unsigned int milliseconds)
{
	if (!worker_collect(enrich->worker, milliseconds, &enrich->job))
		return;
	enrich->hangs = false;
	if (enrich->job.pid)
		keep(enrich, &enrich->job);
}

/* Waits for the thread, as long as this second has of waiting left. */
static void wait_for_answer(struct enrich *enrich)
{
	int64_t begin = milliseconds_now();
	unsigned int left;

	if (begin / 1000 != enrich->second) {
		enrich->second = begin / 1000;
		enrich->waited_ms = 0;
	}
	if (enrich->hangs)
		return;
	left = ENRICH_WAIT_SHARE_MS > enrich->waited_ms ? ENRICH_WAIT_SHARE_MS - enrich->waited_ms : 0;
	enrich->hangs = true; /* until it is collected: not waited for twice */
	collect(enrich, left < ENRICH_WAIT_MS ? left : ENRICH_WAIT_MS);
	enrich->waited_ms += (unsigned int)(milliseconds_now() - begin);
}

/*
 * Where packages put programs. A path of another mount namespace is of its process's choosing: one that leads to an
 * automounter, or to another host, must not be followed here.
 */
static bool is_of_the_system(const char *path)
{
	static const char *const places[] = {"/usr/", "/bin/", "/sbin/", "/lib", "/opt/"};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (strncmp(path, places[i], strlen(places[i])) == 0)
			return !strstr(path, "/../");
	return false;
}

static bool ask(struct enrich *enrich, const struct process *process, const struct inspect_file *file)
{
	const struct executable *executable = &process->executable;
	struct inspect_job *job = &enrich->job;

	*job = (struct inspect_job){.file = *file, .pid = process->pid};
	if (executable->path && !executable->path_truncated && strlen(executable->path) < sizeof(job->path) &&
	    (process->mntns_inode == enrich->mntns_inode || is_of_the_system(executable->path)))
		memcpy(job->path, executable->path, strlen(executable->path) + 1);
	return worker_give(enrich->worker, job);
}

static void apply(const struct answer *answer, struct executable *executable)
{
	executable->has_sha256 = answer->has_sha256;
	memcpy(executable->sha256, answer->sha256, sizeof(executable->sha256));
	executable->package_known = answer->package_known;
	executable->package = answer->package;
	executable->package_version = answer->version;
	if (!answer->modified_known)
		return;
	executable->flags_known |= EXECUTABLE_MODIFIED;
	executable->flags &= ~EXECUTABLE_MODIFIED;
	executable->flags |= answer->modified ? EXECUTABLE_MODIFIED : 0;
}

bool enrich_process(struct enrich *enrich, struct process *process)
{
	struct executable *executable = &process->executable;
	struct inspect_file file;
	struct answer *answer;

	if (!executable->has_inode)
		return true;
	memset(&file, 0, sizeof(file));
	file.device = executable->device;
	file.inode = executable->inode;
	file.mtime_ns = executable->mtime_ns;
	file.ctime_ns = executable->ctime_ns;
	if (executable->path)
		file.path_hash = hash_bytes(HASH_START, executable->path, strlen(executable->path));
	answer = answer_of(enrich, &file);
	/* first perhaps for what was asked before */
	for (unsigned int i = 0; i < 2 && !is_answer(answer, &file); i++) {
		collect(enrich, 0);
		if (!is_answer(answer, &file)) {
			(void)ask(enrich, process, &file);
			wait_for_answer(enrich);
		}
	}
	if (!is_answer(answer, &file))
		return false;
	apply(answer, executable);
	return answer->opened;
}

int enrich_open(const char *root, bool hash, struct enrich **ret)
{
	struct worker_task task = {.work = inspect, .job_bytes = sizeof(struct inspect_job), .release = inspector_free};
	struct enrich *enrich = calloc(1, sizeof(*enrich));
	struct inspector *inspector = NULL;
	struct stat mntns;
	int r = enrich ? inspector_new(root, hash ? ENRICH_HASH_BYTES_MAX : 0, &inspector) : -ENOMEM;

	task.context = inspector;
	if (r == 0)
		r = worker_open(&task, &enrich->worker);
	if (r < 0) {
		inspector_free(inspector);
		free(enrich);
		return r;
	}
	if (stat("/proc/self/ns/mnt", &mntns) == 0)
		enrich->mntns_inode = (uint32_t)mntns.st_ino;
	/* the packages' lists, before the first process needs them */
	(void)worker_give(enrich->worker, &enrich->job);
	*ret = enrich;
	return 0;
}

void enrich_close(struct enrich *enrich)
{
	if (!enrich)
		return;
	worker_close(enrich->worker);
	for (size_t i = 0; i < TEXTS_MAX; i++)
		free(enrich->texts[i]);
	free(enrich);
}
