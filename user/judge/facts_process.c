/* SPDX-License-Identifier: BSD-2-Clause */
/* Facts of the process: who it is, what it runs, where it belongs. */
#include <string.h>

#include "user/judge/facts.h"

#define ALL_BITS UINT64_MAX

/* A text that may be missing; others: what that means. */
static enum fact text_or(const char *bytes, enum fact others, struct predicate_text *ret)
{
	if (!bytes)
		return others;
	ret->bytes = bytes;
	ret->len = strlen(bytes);
	return FACT_YES;
}

enum fact fact_exe(const struct event *event, size_t index, struct predicate_text *ret)
{
	const struct process *process = event->process;

	if (index)
		return FACT_NO;
	/* the end of a path is not the path */
	if (!process || process->executable.path_truncated)
		return FACT_UNKNOWN;
	return text_or(process->executable.path, FACT_UNKNOWN, ret);
}

enum fact fact_package(const struct event *event, size_t index, struct predicate_text *ret)
{
	const struct process *process = event->process;

	if (index)
		return FACT_NO;
	if (!process)
		return FACT_UNKNOWN;
	return text_or(process->executable.package, process->executable.package_known ? FACT_NO : FACT_UNKNOWN, ret);
}

/* Of a socket that no process is seen to hold, there is none. */
enum fact fact_comm(const struct event *event, size_t index, struct predicate_text *ret)
{
	if (index)
		return FACT_NO;
	if (!event->pid)
		return FACT_UNKNOWN;
	ret->bytes = event->comm;
	ret->len = strnlen(event->comm, sizeof(event->comm));
	return FACT_YES;
}

enum fact fact_args(const struct event *event, size_t index, struct predicate_text *ret)
{
	const struct process *process = event->process;
	size_t len;

	if (index)
		return FACT_NO;
	if (!process || !process->arguments || process->arguments_truncated)
		return FACT_UNKNOWN;
	len = process->arguments_length;
	if (len && !process->arguments[len - 1])
		len--;
	ret->bytes = process->arguments;
	ret->len = len;
	return FACT_YES;
}

static enum fact ancestor_path(const struct ancestor *ancestor, struct predicate_text *ret)
{
	return ancestor->executable_truncated ? FACT_UNKNOWN : text_or(ancestor->executable, FACT_UNKNOWN, ret);
}

enum fact fact_parent(const struct event *event, size_t index, struct predicate_text *ret)
{
	if (index)
		return FACT_NO;
	if (!event->process || !event->process->ancestors_count)
		return FACT_UNKNOWN;
	return ancestor_path(&event->process->ancestors[0], ret);
}

enum fact fact_ancestor(const struct event *event, size_t index, struct predicate_text *ret)
{
	const struct process *process = event->process;

	if (!process || !process->ancestors_count)
		return index ? FACT_NO : FACT_UNKNOWN;
	if (index >= process->ancestors_count)
		return FACT_NO;
	return ancestor_path(&process->ancestors[index], ret);
}

/* One that is deeper than can be told was made by the process, to hide what it is in: that is told, and is nothing. */
static bool cgroup_is_told(const struct process_cgroup *cgroup)
{
	return cgroup->path || cgroup->path_truncated;
}

/* What the cgroup's path tells; where the path is not known, nothing is. */
static enum fact text_of_cgroup(const struct event *event, size_t index, const char *text, struct predicate_text *ret)
{
	const struct process_cgroup *cgroup = &event->process->cgroup;

	return index ? FACT_NO : text_or(text, cgroup_is_told(cgroup) ? FACT_NO : FACT_UNKNOWN, ret);
}

/* Of the system's manager only: a user calls his own units what he likes, sshd.service too. */
enum fact fact_unit(const struct event *event, size_t index, struct predicate_text *ret)
{
	if (!event->process)
		return index ? FACT_NO : FACT_UNKNOWN;
	return text_of_cgroup(event, index, event->process->cgroup.unit, ret);
}

/* The unit of what is in a container is its runtime's, and does not tell what the program is. */
bool fact_has_own_unit(const struct event *event)
{
	const struct process_cgroup *cgroup = event->process ? &event->process->cgroup : NULL;

	return cgroup && (cgroup->unit || (!cgroup->path && cgroup->path_truncated)) && !cgroup->container_id;
}

enum fact fact_user_unit(const struct event *event, size_t index, struct predicate_text *ret)
{
	if (!event->process)
		return index ? FACT_NO : FACT_UNKNOWN;
	return text_of_cgroup(event, index, event->process->cgroup.user_unit, ret);
}

enum fact fact_slice(const struct event *event, size_t index, struct predicate_text *ret)
{
	if (!event->process)
		return index ? FACT_NO : FACT_UNKNOWN;
	if (!index && event->process->cgroup.slice_unknown)
		return FACT_UNKNOWN;
	return text_of_cgroup(event, index, event->process->cgroup.slice, ret);
}

enum fact fact_pod(const struct event *event, size_t index, struct predicate_text *ret)
{
	if (!event->process)
		return index ? FACT_NO : FACT_UNKNOWN;
	return text_of_cgroup(event, index, event->process->cgroup.pod_uid, ret);
}

/* A container without an id has bytes NULL: it is one, but not known which. */
enum fact fact_container(const struct event *event, size_t index, struct predicate_text *ret)
{
	const struct process_cgroup *cgroup = event->process ? &event->process->cgroup : NULL;

	if (index)
		return FACT_NO;
	if (!cgroup)
		return FACT_UNKNOWN;
	if (cgroup->container_id)
		return text_or(cgroup->container_id, FACT_UNKNOWN, ret);
	if (cgroup->runtime != RUNTIME_NONE) {
		*ret = (struct predicate_text){NULL, 0};
		return FACT_YES;
	}
	return cgroup_is_told(cgroup) ? FACT_NO : FACT_UNKNOWN;
}

/* Who is in no container has no image. */
enum fact fact_image(const struct event *event, size_t index, struct predicate_text *ret)
{
	const struct process_cgroup *cgroup = event->process ? &event->process->cgroup : NULL;

	if (index)
		return FACT_NO;
	if (!cgroup)
		return FACT_UNKNOWN;
	return text_or(cgroup->image, cgroup->runtime == RUNTIME_NONE && cgroup->path ? FACT_NO : FACT_UNKNOWN, ret);
}

void fact_runtime(const struct event *event, uint64_t *ret_bits, uint64_t *ret_known)
{
	const struct process_cgroup *cgroup = event->process ? &event->process->cgroup : NULL;

	if (!cgroup || cgroup->runtime == RUNTIME_UNKNOWN || (cgroup->runtime == RUNTIME_NONE && !cgroup_is_told(cgroup)))
		return;
	*ret_bits = cgroup->runtime == RUNTIME_NONE ? 0 : 1ULL << cgroup->runtime;
	*ret_known = ALL_BITS;
}

void fact_exe_flags(const struct event *event, uint64_t *ret_bits, uint64_t *ret_known)
{
	if (!event->process)
		return;
	*ret_bits = event->process->executable.flags;
	*ret_known = event->process->executable.flags_known;
}

void fact_capability(const struct event *event, uint64_t *ret_bits, uint64_t *ret_known)
{
	if (!event->credentials.known)
		return;
	*ret_bits = event->credentials.effective;
	*ret_known = ALL_BITS;
}

/* A process with an executable is none; of one without it must be known. */
void fact_kernel_thread(const struct event *event, uint64_t *ret_bits, uint64_t *ret_known)
{
	const struct process *process = event->process;

	if (!process)
		return;
	if (process->kernel_thread)
		*ret_bits = 2;
	else if (process->executable.path || process->executable.has_inode)
		*ret_bits = 1;
	else
		return;
	*ret_known = ALL_BITS;
}

/* Of a socket that is found bound, the owner is known. */
bool fact_user(const struct event *event, uint32_t *ret)
{
	*ret = event->uid;
	return true;
}

bool fact_effective_user(const struct event *event, uint32_t *ret)
{
	*ret = event->credentials.effective_uid;
	return event->credentials.known;
}

bool fact_login_user(const struct event *event, uint32_t *ret)
{
	*ret = event->credentials.login_uid;
	return event->credentials.known;
}

/* Of a socket that is found bound only the owning user is known. */
bool fact_group(const struct event *event, uint32_t *ret)
{
	*ret = event->gid;
	return event->action != EVENT_EXISTING && event->gid != PROCESS_UNSET;
}
