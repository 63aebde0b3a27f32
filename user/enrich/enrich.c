/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/enrich/enrich.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "user/enrich/inspectors.h"

/*
 * Packages and versions that were ever met, more than a system has packages with programs; and images. A quarter of the
 * table stays empty, so that a search ends soon.
 */
#define TEXTS_MAX  8192
#define NAMES_MAX  4096
#define IMAGES_MAX 2048

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

/* Of a container, whether there was one or not: a runtime writes its record before it starts the container. */
struct image_answer {
	struct inspect_container container;
	bool used;
	const char *image; /* of texts; NULL: not known */
};

struct enrich {
	struct inspectors *inspectors;
	int64_t second;         /* CLOCK_MONOTONIC */
	unsigned int waited_ms; /* in that second */
	bool hangs;             /* what the thread does was waited for, and did not come */
	uint32_t mntns_inode;   /* our own */
	struct inspect_job asked, answered;
	struct answer answers[ENRICH_FILES];
	struct image_answer images[ENRICH_CONTAINERS];
	/* Processes point to them for as long as they like: a text stays. Open addressing. */
	char *texts[TEXTS_MAX];
	size_t names_count, images_count;
};

static uint64_t hash_bytes(uint64_t hash, const void *data, size_t length)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ bytes[i]) * 1099511628211U;
	return hash;
}

#define HASH_START 14695981039346656037U

/* NULL: empty, or of its kind there are max already. */
static const char *keep_text(struct enrich *enrich, const char *text, size_t *count, size_t max)
{
	size_t slot = hash_bytes(HASH_START, text, strlen(text)) % TEXTS_MAX;

	if (!*text)
		return NULL;
	for (; enrich->texts[slot]; slot = (slot + 1) % TEXTS_MAX)
		if (strcmp(enrich->texts[slot], text) == 0)
			return enrich->texts[slot];
	if (*count >= max)
		return NULL;
	enrich->texts[slot] = strdup(text);
	*count += enrich->texts[slot] != NULL;
	return enrich->texts[slot];
}

static const char *keep_name(struct enrich *enrich, const char *text)
{
	return keep_text(enrich, text, &enrich->names_count, NAMES_MAX);
}

static struct answer *answer_of(struct enrich *enrich, const struct inspect_file *file)
{
	return &enrich->answers[hash_bytes(HASH_START, file, sizeof(*file)) % ENRICH_FILES];
}

static struct image_answer *image_answer_of(struct enrich *enrich, const struct inspect_container *container)
{
	return &enrich->images[hash_bytes(HASH_START, container, sizeof(*container)) % ENRICH_CONTAINERS];
}

static int64_t milliseconds_now(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool is_answered(struct enrich *enrich, const struct inspect_job *question)
{
	const struct answer *answer = answer_of(enrich, &question->file);
	const struct image_answer *image = image_answer_of(enrich, &question->container);

	if (question->kind == INSPECT_CONTAINER)
		return image->used && memcmp(&image->container, &question->container, sizeof(image->container)) == 0;
	return answer->used && memcmp(&answer->file, &question->file, sizeof(answer->file)) == 0 &&
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
static void keep_file(struct enrich *enrich, const struct inspect_job *job)
{
	struct answer *answer = answer_of(enrich, &job->file);

	*answer =
	        (struct answer){.file = job->file, .used = true, .opened = job->opened, .asked_ms = milliseconds_now()};
	answer->package_known = job->package_known;
	answer->package = keep_name(enrich, job->owner.package);
	answer->version = keep_name(enrich, job->owner.version);
	if (job->owner.package[0] && !answer->package)
		answer->package_known = false;
	if (!job->has_digest)
		return;
	answer->has_sha256 = true;
	memcpy(answer->sha256, job->digest.sha256, sizeof(answer->sha256));
	answer->modified_known = job->owner.digest_kind != PACKAGE_DIGEST_NONE;
	answer->modified = is_modified(&job->owner, &job->digest);
}

static void keep_image(struct enrich *enrich, const struct inspect_job *job)
{
	*image_answer_of(enrich, &job->container) =
	        (struct image_answer){.container = job->container,
	                              .used = true,
	                              .image = keep_text(enrich, job->image, &enrich->images_count, IMAGES_MAX)};
}

/* Also what was given up and has come late. */
static void collect(struct enrich *enrich, unsigned int milliseconds)
{
	struct inspect_job *job = &enrich->answered;

	for (; inspectors_collect(enrich->inspectors, milliseconds, job); milliseconds = 0) {
		enrich->hangs = false;
		if (job->kind == INSPECT_FILE)
			keep_file(enrich, job);
		else if (job->kind == INSPECT_CONTAINER)
			keep_image(enrich, job);
	}
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

/* true: the answer is there. First perhaps that to what was asked before: it is waited for, too. */
static bool is_found(struct enrich *enrich, const struct inspect_job *question)
{
	for (unsigned int i = 0; i < 2 && !is_answered(enrich, question); i++) {
		collect(enrich, 0);
		if (is_answered(enrich, question))
			return true;
		if (inspectors_ask(enrich->inspectors, question))
			enrich->hangs = false;
		wait_for_answer(enrich);
	}
	return is_answered(enrich, question);
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

/* Below his own service manager a user makes cgroups of whatever name he likes, also that of a container of root. */
static bool is_of_user(const struct process_cgroup *cgroup)
{
	return cgroup->unit && strncmp(cgroup->unit, "user@", strlen("user@")) == 0;
}

static bool enrich_image(struct enrich *enrich, struct process_cgroup *cgroup)
{
	struct inspect_job *question = &enrich->asked;

	if (!image_is_recorded(cgroup->runtime, cgroup->container_id) || is_of_user(cgroup))
		return true;
	memset(question, 0, sizeof(*question));
	question->kind = INSPECT_CONTAINER;
	question->container.runtime = cgroup->runtime;
	memcpy(question->container.id, cgroup->container_id, IMAGE_ID_DIGITS);
	if (!is_found(enrich, question))
		return false;
	cgroup->image = image_answer_of(enrich, &question->container)->image;
	return true;
}

static void describe_file(const struct enrich *enrich, const struct process *process, struct inspect_job *ret)
{
	const struct executable *executable = &process->executable;

	memset(ret, 0, sizeof(*ret));
	ret->kind = INSPECT_FILE;
	ret->pid = process->pid;
	ret->file.device = executable->device;
	ret->file.inode = executable->inode;
	ret->file.mtime_ns = executable->mtime_ns;
	ret->file.ctime_ns = executable->ctime_ns;
	if (!executable->path)
		return;
	ret->file.path_hash = hash_bytes(HASH_START, executable->path, strlen(executable->path));
	if (!executable->path_truncated && strlen(executable->path) < sizeof(ret->path) &&
	    (process->mntns_inode == enrich->mntns_inode || is_of_the_system(executable->path)))
		memcpy(ret->path, executable->path, strlen(executable->path) + 1);
}

static bool enrich_file(struct enrich *enrich, struct process *process)
{
	struct inspect_job *question = &enrich->asked;
	const struct answer *answer;

	if (!process->executable.has_inode)
		return true;
	describe_file(enrich, process, question);
	if (!is_found(enrich, question))
		return false;
	answer = answer_of(enrich, &question->file);
	apply(answer, &process->executable);
	return answer->opened;
}

bool enrich_process(struct enrich *enrich, struct process *process)
{
	/* a file that hangs must not keep back what else there is: the image first, whose record root has */
	bool image = enrich_image(enrich, &process->cgroup);

	return enrich_file(enrich, process) && image;
}

struct inspectors_hung enrich_hung(const struct enrich *enrich)
{
	return inspectors_hung(enrich->inspectors);
}

int enrich_open(const char *root, bool hash, struct enrich **ret)
{
	struct enrich *enrich = calloc(1, sizeof(*enrich));
	struct stat mntns;
	int r = -ENOMEM;

	if (enrich)
		r = inspectors_open(root, hash ? ENRICH_HASH_BYTES_MAX : 0, ENRICH_PATIENCE_MS, &enrich->inspectors);
	if (r < 0) {
		free(enrich);
		return r;
	}
	if (stat("/proc/self/ns/mnt", &mntns) == 0)
		enrich->mntns_inode = (uint32_t)mntns.st_ino;
	/* the packages' lists, before the first process needs them */
	enrich->asked.kind = INSPECT_PACKAGES;
	(void)inspectors_ask(enrich->inspectors, &enrich->asked);
	*ret = enrich;
	return 0;
}

void enrich_close(struct enrich *enrich)
{
	if (!enrich)
		return;
	inspectors_close(enrich->inspectors);
	for (size_t i = 0; i < TEXTS_MAX; i++)
		free(enrich->texts[i]);
	free(enrich);
}
