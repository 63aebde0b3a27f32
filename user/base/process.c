/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/base/process.h"

#include <string.h>

/* Where the texts that end with a NUL are pointed to. */
static const size_t texts_at[] = {
        offsetof(struct process, executable.path),
        offsetof(struct process, executable.package),
        offsetof(struct process, executable.package_version),
        offsetof(struct process, working_directory),
        offsetof(struct process, root_directory),
        offsetof(struct process, cgroup.path),
        offsetof(struct process, cgroup.unit),
        offsetof(struct process, cgroup.slice),
        offsetof(struct process, cgroup.user_unit),
        offsetof(struct process, cgroup.container_id),
        offsetof(struct process, cgroup.image),
        offsetof(struct process, cgroup.pod_uid),
};

#define TEXTS (sizeof(texts_at) / sizeof(texts_at[0]))

static const char *text_of(const struct process *process, size_t index)
{
	const char *text;

	memcpy(&text, (const char *)process + texts_at[index], sizeof(text));
	return text;
}

size_t process_texts_size(const struct process *process)
{
	size_t size = process->arguments ? process->arguments_length : 0;

	for (size_t i = 0; i < TEXTS; i++)
		if (text_of(process, i))
			size += strlen(text_of(process, i)) + 1;
	for (size_t i = 0; i < process->ancestors_count; i++)
		if (process->ancestors[i].executable)
			size += strlen(process->ancestors[i].executable) + 1;
	return size;
}

static const char *put(const char *text, size_t size, char **texts)
{
	char *at = *texts;

	if (!text)
		return NULL;
	memcpy(at, text, size);
	*texts += size;
	return at;
}

void process_copy(const struct process *from, struct process *ret, char *texts)
{
	*ret = *from;
	ret->arguments = put(from->arguments, from->arguments_length, &texts);
	for (size_t i = 0; i < TEXTS; i++) {
		const char *text = text_of(from, i);
		const char *copy = put(text, text ? strlen(text) + 1 : 0, &texts);

		memcpy((char *)ret + texts_at[i], &copy, sizeof(copy));
	}
	for (size_t i = 0; i < from->ancestors_count; i++) {
		const char *text = from->ancestors[i].executable;

		ret->ancestors[i].executable = put(text, text ? strlen(text) + 1 : 0, &texts);
	}
}
