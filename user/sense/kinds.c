/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sense/kinds.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "user/base/siphash.h"

struct known {
	uint32_t pid;
	uint64_t start_ns; /* as it was asked for */
	uint64_t kind;
};

struct kinds {
	uint64_t key[2]; /* who names his files as he likes cannot make his kind that of another */
	void *known;     /* of tsearch(3), struct known */
	uint64_t *met;   /* at this socket */
	size_t count, capacity;
};

int kinds_new(struct kinds **ret)
{
	struct kinds *kinds = calloc(1, sizeof(*kinds));

	if (!kinds)
		return -ENOMEM;
	if (getrandom(kinds->key, sizeof(kinds->key), 0) != sizeof(kinds->key)) {
		free(kinds);
		return -EAGAIN;
	}
	*ret = kinds;
	return 0;
}

void kinds_forget(struct kinds *kinds)
{
	tdestroy(kinds->known, free);
	kinds->known = NULL;
}

void kinds_free(struct kinds *kinds)
{
	if (!kinds)
		return;
	kinds_forget(kinds);
	free(kinds->met);
	free(kinds);
}

void kinds_begin(struct kinds *kinds)
{
	kinds->count = 0;
}

static int compare_known(const void *left, const void *right)
{
	const struct known *a = left, *b = right;

	if (a->pid != b->pid)
		return a->pid < b->pid ? -1 : 1;
	return (a->start_ns > b->start_ns) - (a->start_ns < b->start_ns);
}

static uint64_t hash_text(const struct kinds *kinds, const char *text)
{
	return text ? siphash(kinds->key, text, strlen(text)) : 0;
}

static uint64_t kind_of(const struct kinds *kinds, const struct process_reading *reading)
{
	const struct process *process = &reading->process;
	const struct executable *executable = &process->executable;
	const uint64_t words[] = {
	        hash_text(kinds, executable->path),
	        executable->path_truncated,
	        executable->device,
	        executable->inode,
	        executable->flags,
	        hash_text(kinds, process->cgroup.path),
	        (uint64_t)process->userns_inode << 32 | process->mntns_inode,
	        (uint64_t)reading->uid << 32 | reading->credentials.effective_uid,
	};

	return siphash(kinds->key, words, sizeof(words));
}

static bool meet(struct kinds *kinds, uint64_t kind)
{
	for (size_t i = 0; i < kinds->count; i++)
		if (kinds->met[i] == kind)
			return false;
	if (kinds->count == kinds->capacity) {
		size_t wanted = kinds->capacity ? 2 * kinds->capacity : 16;
		uint64_t *met = reallocarray(kinds->met, wanted, sizeof(*met));

		if (!met)
			return true;
		kinds->met = met;
		kinds->capacity = wanted;
	}
	kinds->met[kinds->count++] = kind;
	return true;
}

bool kinds_meet(struct kinds *kinds, const struct process_reading *reading, uint64_t start_ns)
{
	struct known *known = malloc(sizeof(*known));
	uint64_t kind = kind_of(kinds, reading);
	void *place;

	if (known) {
		*known = (struct known){.pid = reading->process.pid, .start_ns = start_ns, .kind = kind};
		place = tsearch(known, &kinds->known, compare_known);
		if (!place || *(struct known **)place != known)
			free(known);
	}
	return meet(kinds, kind);
}

bool kinds_meet_again(struct kinds *kinds, uint32_t pid, uint64_t start_ns, bool *ret)
{
	const struct known wanted = {.pid = pid, .start_ns = start_ns};
	void *found = tfind(&wanted, &kinds->known, compare_known);

	if (found)
		*ret = meet(kinds, (*(struct known **)found)->kind);
	return found;
}
