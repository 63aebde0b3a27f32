/* SPDX-License-Identifier: BSD-2-Clause */
/* The process of a line: user/encode/ecs_process.c, back. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "user/base/image_name.h"
#include "user/base/number.h"
#include "user/cli/event_json_parts.h"

/* Bytes of a name that is cut where it is longer, as the kernel's is. */
static void read_comm(struct document *document, const json_t *object, const char *path, char comm[PROCESS_COMM_LEN])
{
	size_t len;
	const char *bytes = document_bytes(document, object, path, &len);

	if (bytes)
		memcpy(comm, bytes, len < PROCESS_COMM_LEN ? len : PROCESS_COMM_LEN - 1);
}

static void read_flags(struct document *document, struct executable *executable)
{
	static const struct {
		const char *path;
		uint32_t flag;
	} flags[EXECUTABLE_FLAGS] = {
	        {"bindwatch.executable.memfd", EXECUTABLE_MEMFD},
	        {"bindwatch.executable.deleted", EXECUTABLE_DELETED},
	        {"bindwatch.executable.replaced", EXECUTABLE_REPLACED},
	        {"bindwatch.executable.overlay_upper", EXECUTABLE_OVERLAY_UPPER},
	        {"bindwatch.executable.world_writable", EXECUTABLE_WORLD_WRITABLE},
	        {"bindwatch.executable.modified", EXECUTABLE_MODIFIED},
	};

	for (size_t i = 0; i < EXECUTABLE_FLAGS; i++) {
		bool value;

		if (!document_bool(document, NULL, flags[i].path, &value))
			continue;
		executable->flags_known |= flags[i].flag;
		executable->flags |= value ? flags[i].flag : 0;
	}
}

static void read_digest(struct document *document, struct executable *executable)
{
	static const char path[] = "process.hash.sha256", digits[] = "0123456789abcdef";
	const char *text = document_text(document, NULL, path);

	if (!text)
		return;
	if (strlen(text) != 2 * sizeof(executable->sha256) || text[strspn(text, digits)]) {
		document_refuse(document, path, "it must be 64 hexadecimal digits");
		return;
	}
	for (size_t i = 0; text[i]; i++)
		executable->sha256[i / 2] =
		        (uint8_t)(executable->sha256[i / 2] << 4 | (strchr(digits, text[i]) - digits));
	executable->has_sha256 = true;
}

static void read_executable(struct document *document, struct executable *executable)
{
	executable->path = document_bytes(document, NULL, "process.executable", NULL);
	(void)document_bool(document, NULL, "bindwatch.executable.path_truncated", &executable->path_truncated);
	executable->has_inode =
	        document_number(document, NULL, "bindwatch.executable.inode", UINT64_MAX, &executable->inode);
	read_flags(document, executable);
	read_digest(document, executable);
	executable->package = document_bytes(document, NULL, "bindwatch.executable.package", NULL);
	executable->package_version = document_bytes(document, NULL, "bindwatch.executable.package_version", NULL);
	if (!document_bool(document, NULL, "bindwatch.executable.packaged", &executable->package_known))
		executable->package_known = executable->package != NULL;
	else
		executable->package_known = true;
}

/* The arguments, each with a NUL behind it. */
static void read_arguments(struct document *document, struct process *process)
{
	const json_t *args = document_array(document, NULL, "process.args"), *arg;
	size_t i, size = 1, used = 0;
	char *arguments;

	if (!args)
		return;
	json_array_foreach(args, i, arg) size += json_string_length(arg) + 1;
	arguments = arena_alloc(&document->arena, size);
	if (!arguments) {
		document->failed = -ENOMEM;
		return;
	}
	json_array_foreach(args, i, arg)
	{
		size_t len;
		const char *bytes = document_bytes_of(document, arg, "process.args", &len);

		if (!bytes)
			return;
		memcpy(arguments + used, bytes, len + 1);
		used += len + 1;
	}
	process->arguments = arguments;
	process->arguments_length = used;
	process->arguments_count = json_array_size(args);
	(void)document_bool(document, NULL, "bindwatch.args_truncated", &process->arguments_truncated);
}

static void read_ancestors(struct document *document, struct process *process)
{
	const json_t *ancestors = document_array(document, NULL, "bindwatch.ancestors"), *object;
	size_t i;

	json_array_foreach(ancestors, i, object)
	{
		struct ancestor *ancestor = &process->ancestors[i];

		if (i == PROCESS_ANCESTORS_MAX || !json_is_object(object)) {
			document_refuse(document, "bindwatch.ancestors", "it must be eight objects, or fewer");
			return;
		}
		(void)document_u32(document, object, "pid", &ancestor->pid);
		read_comm(document, object, "name", ancestor->comm);
		ancestor->executable = document_bytes(document, object, "executable", NULL);
		(void)document_bool(document, object, "executable_truncated", &ancestor->executable_truncated);
		process->ancestors_count++;
	}
}

/* The first text of an array; "": there is none. */
static const char *first_of(struct document *document, const char *path)
{
	const char *text = json_string_value(json_array_get(document_array(document, NULL, path), 0));

	return text ? text : "";
}

static const char *read_image(struct document *document)
{
	const char *name = document_text(document, NULL, "container.image.name");
	const char *tag = first_of(document, "container.image.tag");
	const char *digest = first_of(document, "container.image.hash.all");
	char *image;

	if (!name)
		return NULL;
	image = arena_alloc(&document->arena, IMAGE_NAME_MAX);
	if (!image) {
		document->failed = -ENOMEM;
		return NULL;
	}
	if (snprintf(image, IMAGE_NAME_MAX, "%s%s%s%s%s", name, *tag ? ":" : "", tag, *digest ? "@" : "", digest) >=
	            IMAGE_NAME_MAX ||
	    !image_name_is_sound(image)) {
		document_refuse(document, "container.image", "it must be the name of an image, its tag and its digest");
		return NULL;
	}
	return image;
}

static void read_cgroup(struct document *document, struct process_cgroup *cgroup)
{
	uint32_t runtime = RUNTIME_UNKNOWN;

	(void)document_number(document, NULL, "bindwatch.cgroup.id", UINT64_MAX, &cgroup->id);
	cgroup->path = document_bytes(document, NULL, "bindwatch.cgroup.path", NULL);
	(void)document_bool(document, NULL, "bindwatch.cgroup.path_truncated", &cgroup->path_truncated);
	/* these are written as they are: they have no byte that needs an escape */
	cgroup->unit = document_text(document, NULL, "bindwatch.cgroup.unit");
	cgroup->slice = document_text(document, NULL, "bindwatch.cgroup.slice");
	cgroup->user_unit = document_text(document, NULL, "bindwatch.cgroup.user_unit");
	cgroup->container_id = document_text(document, NULL, "container.id");
	cgroup->image = read_image(document);
	cgroup->pod_uid = document_text(document, NULL, "orchestrator.resource.id");
	if (document_find(NULL, document, "container")) {
		(void)document_word(document, NULL, "container.runtime", WORDS_RUNTIME, &runtime);
		cgroup->runtime = (enum container_runtime)runtime;
	}
}

/* The bits of the capabilities' names, or numbers where the encoder knew none. */
static uint64_t read_capabilities(struct document *document, const char *path)
{
	const json_t *names = document_array(document, NULL, path), *name;
	uint64_t set = 0, number;
	uint32_t known;
	size_t i;

	json_array_foreach(names, i, name)
	{
		const char *text = json_string_value(name);

		if (text && event_word_find(WORDS_CAPABILITY, text, &known))
			set |= 1ULL << known;
		else if (text && number_parse(text, 0, 63, &number) == 0)
			set |= 1ULL << number;
		else
			document_refuse(document, path, "there is no such capability");
	}
	return set;
}

static void read_credentials(struct document *document, struct event *event)
{
	struct credentials *credentials = &event->credentials;

	credentials->known = document_find(NULL, document, "bindwatch.credentials") != NULL;
	if (!credentials->known)
		return;
	credentials->login_uid = credentials->session = PROCESS_UNSET;
	(void)document_u32(document, NULL, "bindwatch.credentials.groups_count", &credentials->groups_count);
	(void)document_u32(document, NULL, "bindwatch.credentials.login_uid", &credentials->login_uid);
	(void)document_u32(document, NULL, "bindwatch.credentials.session", &credentials->session);
	(void)document_u32(document, NULL, "process.user.id", &credentials->effective_uid);
	(void)document_u32(document, NULL, "user.effective.id", &credentials->effective_uid);
	(void)document_u32(document, NULL, "process.group.id", &credentials->effective_gid);
	credentials->effective = read_capabilities(document, "process.thread.capabilities.effective");
	credentials->permitted = credentials->effective;
	if (document_find(NULL, document, "process.thread.capabilities.permitted"))
		credentials->permitted = read_capabilities(document, "process.thread.capabilities.permitted");
}

static void read_holders(struct document *document, struct event_json *json)
{
	const json_t *holders = document_array(document, NULL, "bindwatch.holders"), *object;
	uint64_t others = 0;
	size_t i;

	json_array_foreach(holders, i, object)
	{
		if (i == EVENT_HOLDERS_MAX)
			break;
		(void)document_u32(document, object, "pid", &json->holders[i].pid);
		read_comm(document, object, "name", json->holders[i].comm);
	}
	(void)document_number(document, NULL, "bindwatch.holders_not_shown", UINT32_MAX, &others);
	json->event.holders_known = holders != NULL;
	json->event.holders = json->holders;
	json->event.holders_count = json_array_size(holders) + others;
}

void event_json_read_process(struct document *document, struct event_json *json)
{
	struct event *event = &json->event;

	(void)document_u32(document, NULL, "process.pid", &event->pid);
	(void)document_u32(document, NULL, "process.thread.id", &event->tid);
	read_comm(document, NULL, "process.name", event->comm);
	/* not root for want of a number */
	if (!document_u32(document, NULL, "user.id", &event->uid))
		document_refuse(document, "user.id", "it is missing");
	if (!document_u32(document, NULL, "group.id", &event->gid) && event->action != EVENT_EXISTING)
		document_refuse(document, "group.id", "it is missing");
	(void)document_u32(document, NULL, "bindwatch.pidns.pid", &event->pidns_pid);
	(void)document_u32(document, NULL, "bindwatch.pidns.inode", &event->pidns_inode);
	read_credentials(document, event);
	read_holders(document, json);

	json->process.pid = event->pid;
	memcpy(json->process.comm, event->comm, sizeof(json->process.comm));
	json->process.working_directory = document_bytes(document, NULL, "process.working_directory", NULL);
	(void)document_bool(document, NULL, "bindwatch.working_directory_truncated",
	                    &json->process.working_directory_truncated);
	(void)document_bool(document, NULL, "bindwatch.kernel_thread", &json->process.kernel_thread);
	read_executable(document, &json->process.executable);
	read_arguments(document, &json->process);
	read_ancestors(document, &json->process);
	read_cgroup(document, &json->process.cgroup);
	(void)document_u32(document, NULL, "bindwatch.namespaces.mount", &json->process.mntns_inode);
	(void)document_u32(document, NULL, "bindwatch.namespaces.user", &json->process.userns_inode);
	event->process = &json->process;
}
