/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who did it. Names of fields are as in ecs.c: a promise. What is not known is absent.
 *
 * process.entity_id is the boot, the pid and the start of the process in nanoseconds since that boot, hexadecimal: the
 * same in every event of a process and in those of its children (process.parent.entity_id), another for whoever has the
 * pid next. An exec does not change it.
 */
#include <sys/sysmacros.h>

#include "user/base/image_name.h"
#include "user/base/user_cache.h"
#include "user/encode/ecs_parts.h"
#include "user/encode/names.h"

/* Linux takes no longer path: PATH_MAX. Of one that is longer the end is written, where the file's name stands. */
#define PATH_BYTES 4096

/* As many as are read of a process's arguments: what is longer is not written, and marked. */
#define ARGUMENTS_BYTES 4096

#define UNIT_BYTES 256 /* systemd's UNIT_NAME_MAX, NUL included */

static void member_path(struct json *json, const char *key, const char *path)
{
	size_t length;

	if (!path)
		return;
	length = strlen(path);
	json_key(json, key);
	if (length > PATH_BYTES)
		json_hostile_string(json, path + length - PATH_BYTES, PATH_BYTES);
	else
		json_hostile_string(json, path, length);
}

static void member_start(struct json *json, const struct encode_host *host, uint64_t start_ns)
{
	if (start_ns && host->boot_time_ns)
		member_time(json, "start", host->boot_time_ns + start_ns);
}

static void member_entity_id(struct json *json, const struct encode_host *host, uint32_t pid, uint64_t start_ns)
{
	char text[sizeof(host->boot_id) + 2 * 17];
	struct encode_buffer buffer = {.data = text, .size = sizeof(text)};
	struct writer writer;

	if (!start_ns)
		return;
	writer_begin(&writer, &buffer);
	ecs_write_boot_id(&writer, host);
	writer_char(&writer, '-');
	writer_hex(&writer, pid);
	writer_char(&writer, '-');
	writer_hex(&writer, start_ns);
	if (writer_end(&writer, &buffer) != 0)
		return;
	json_key(json, "entity_id");
	json_text_len(json, text, buffer.used);
}

static void write_id_and_name(struct json *json, uint32_t id, const char *name)
{
	member_u64_string(json, "id", id);
	member_hostile(json, "name", name, USER_CACHE_NAME_LEN);
}

static void member_user(struct json *json, const struct encode_host *host, const char *key, uint32_t uid)
{
	member_object(json, key);
	write_id_and_name(json, uid, host->users ? user_cache_name(host->users, uid) : NULL);
	json_object_end(json);
}

static void member_group(struct json *json, const struct encode_host *host, const char *key, uint32_t gid)
{
	member_object(json, key);
	write_id_and_name(json, gid, host->users ? user_cache_group(host->users, gid) : NULL);
	json_object_end(json);
}

static bool arguments_are_whole(const struct process *process)
{
	return !process->arguments_truncated && process->arguments_length <= ARGUMENTS_BYTES;
}

static void write_arguments(struct json *json, const struct process *process)
{
	size_t length = process->arguments_length < ARGUMENTS_BYTES ? process->arguments_length : ARGUMENTS_BYTES;
	char line[ARGUMENTS_BYTES];

	if (!process->arguments)
		return;
	json_key(json, "args");
	json_array_begin(json);
	for (size_t at = 0; at < length;) {
		size_t bytes = strnlen(process->arguments + at, length - at);

		json_hostile_string(json, process->arguments + at, bytes);
		at += bytes + 1;
	}
	json_array_end(json);
	if (arguments_are_whole(process))
		member_u64(json, "args_count", process->arguments_count);
	if (!length)
		return;
	memcpy(line, process->arguments, length);
	length -= line[length - 1] == '\0';
	for (size_t i = 0; i < length; i++)
		line[i] = line[i] ? line[i] : ' ';
	json_key(json, "command_line");
	json_hostile_string(json, line, length);
}

static void write_hash(struct json *json, const struct executable *executable)
{
	char text[2 * sizeof(executable->sha256)];

	if (!executable->has_sha256)
		return;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = "0123456789abcdef"[executable->sha256[i / 2] >> (i % 2 ? 0 : 4) & 0xf];
	member_object(json, "hash");
	json_key(json, "sha256");
	json_text_len(json, text, sizeof(text));
	json_object_end(json);
}

static void write_capabilities(struct json *json, const char *key, uint64_t set)
{
	json_key(json, key);
	json_array_begin(json);
	for (; set; set &= set - 1) {
		unsigned int number = (unsigned int)__builtin_ctzll(set);
		const char *name = name_of_capability(number);

		if (name)
			json_literal(json, name);
		else
			json_u64_string(json, number); /* as ECS has it: of a kernel that is newer than we */
	}
	json_array_end(json);
}

static void write_thread(struct json *json, const struct event *event)
{
	if (!event->tid && !event->credentials.known)
		return;
	member_object(json, "thread");
	if (event->tid)
		member_u64(json, "id", event->tid);
	if (event->credentials.known) {
		member_object(json, "capabilities");
		write_capabilities(json, "effective", event->credentials.effective);
		/* mostly they are the same, and of root a third of the line */
		if (event->credentials.permitted != event->credentials.effective)
			write_capabilities(json, "permitted", event->credentials.permitted);
		json_object_end(json);
	}
	json_object_end(json);
}

static void write_parent(struct json *json, const struct encode_host *host, const struct process *process)
{
	const struct ancestor *parent = &process->ancestors[0];

	if (!process->ancestors_count)
		return;
	member_object(json, "parent");
	member_u64(json, "pid", parent->pid);
	/* /proc tells a start to ten milliseconds: an id made of that would be another than the parent's own */
	if (!process->from_proc) {
		member_entity_id(json, host, parent->pid, parent->start_ns);
		member_start(json, host, parent->start_ns);
	}
	member_hostile(json, "name", parent->comm, sizeof(parent->comm));
	/* the end of a path is not the path */
	if (!parent->executable_truncated)
		member_path(json, "executable", parent->executable);
	json_object_end(json);
}

static void write_description(struct json *json, const struct encode_host *host, const struct process *process)
{
	member_entity_id(json, host, process->pid, process->start_ns);
	member_start(json, host, process->start_ns);
	member_path(json, "executable", process->executable.path);
	write_arguments(json, process);
	member_path(json, "working_directory", process->working_directory);
	write_hash(json, &process->executable);
	write_parent(json, host, process);
}

/* A socket that was there before us has an owner; whether its process runs as that user is not known by it. */
static bool caller_is_known(const struct event *event)
{
	return event->action != EVENT_EXISTING;
}

static void write_process_ids(struct json *json, const struct encode_host *host, const struct event *event)
{
	const struct credentials *credentials = &event->credentials;

	if (caller_is_known(event)) {
		member_user(json, host, "real_user", event->uid);
		member_group(json, host, "real_group", event->gid);
	}
	if (credentials->known) {
		member_user(json, host, "user", credentials->effective_uid);
		member_group(json, host, "group", credentials->effective_gid);
	}
}

void ecs_write_process(struct json *json, const struct encode_host *host, const struct event *event)
{
	if (event->pid) {
		member_object(json, "process");
		member_u64(json, "pid", event->pid);
		if (event->pidns_pid)
			member_u64(json, "vpid", event->pidns_pid);
		write_thread(json, event);
		member_hostile(json, "name", event->comm, sizeof(event->comm));
		if (event->process)
			write_description(json, host, event->process);
		write_process_ids(json, host, event);
		json_object_end(json);
	}
	member_object(json, "user");
	write_id_and_name(json, event->uid, host->users ? user_cache_name(host->users, event->uid) : NULL);
	if (event->credentials.known)
		member_user(json, host, "effective", event->credentials.effective_uid);
	json_object_end(json);
	if (caller_is_known(event))
		member_group(json, host, "group", event->gid);
}

/* Names of units and containers are checked where they are found (base/cgroup_path.h): they need no escape. */
static void member_name(struct json *json, const char *key, const char *name)
{
	if (!name)
		return;
	json_key(json, key);
	json_text_len(json, name, strnlen(name, UNIT_BYTES));
}

static void member_part(struct json *json, const char *key, const char *text, size_t length)
{
	if (!text)
		return;
	json_key(json, key);
	json_array_begin(json);
	json_text_len(json, text, length);
	json_array_end(json);
}

/* The name is checked where it is found, as above (enrich/image.h). */
static void write_image(struct json *json, const char *image)
{
	const struct image_name parts = image_name_split(image);

	member_object(json, "image");
	json_key(json, "name");
	json_text_len(json, parts.name, parts.name_length);
	member_part(json, "tag", parts.tag, parts.tag_length);
	if (parts.digest) {
		member_object(json, "hash");
		member_part(json, "all", parts.digest, parts.digest_length);
		json_object_end(json);
	}
	json_object_end(json);
}

static bool is_service(const char *unit)
{
	static const char suffix[] = ".service";
	size_t length = unit ? strnlen(unit, UNIT_BYTES) : 0;

	return length >= sizeof(suffix) && memcmp(unit + length - sizeof(suffix) + 1, suffix, sizeof(suffix) - 1) == 0;
}

void ecs_write_container(struct json *json, const struct event *event)
{
	const struct process_cgroup *cgroup = event->process ? &event->process->cgroup : NULL;

	if (!cgroup)
		return;
	if (cgroup->container_id || cgroup->runtime != RUNTIME_NONE) {
		member_object(json, "container");
		member_name(json, "id", cgroup->container_id);
		member_string(json, "runtime", name_of_runtime(cgroup->runtime));
		if (cgroup->image)
			write_image(json, cgroup->image);
		json_object_end(json);
	}
	if (cgroup->pod_uid) {
		member_object(json, "orchestrator");
		member_string(json, "type", "kubernetes");
		member_object(json, "resource");
		member_string(json, "type", "pod");
		member_name(json, "id", cgroup->pod_uid);
		json_object_end(json);
		json_object_end(json);
	}
	if (is_service(cgroup->unit)) {
		member_object(json, "service");
		member_name(json, "name", cgroup->unit);
		member_string(json, "type", "systemd");
		json_object_end(json);
	}
}

/* "8:1", as mountinfo and lsblk have it */
static void member_device(struct json *json, uint64_t device)
{
	char text[2 * sizeof("4294967295")];
	struct encode_buffer buffer = {.data = text, .size = sizeof(text)};
	struct writer writer;

	writer_begin(&writer, &buffer);
	writer_u64(&writer, major(device));
	writer_char(&writer, ':');
	writer_u64(&writer, minor(device));
	(void)writer_end(&writer, &buffer);
	json_key(json, "device");
	json_text_len(json, text, buffer.used);
}

static void write_executable(struct json *json, const struct executable *executable)
{
	static const struct {
		uint32_t flag;
		const char *key;
	} flags[EXECUTABLE_FLAGS] = {
	        {EXECUTABLE_MEMFD, "memfd"},
	        {EXECUTABLE_DELETED, "deleted"},
	        {EXECUTABLE_REPLACED, "replaced"},
	        {EXECUTABLE_OVERLAY_UPPER, "overlay_upper"},
	        {EXECUTABLE_WORLD_WRITABLE, "world_writable"},
	        {EXECUTABLE_MODIFIED, "modified"},
	};

	if (!executable->has_inode && !executable->flags_known && !executable->package && !executable->package_known &&
	    !executable->path_truncated)
		return;
	member_object(json, "executable");
	if (executable->path_truncated)
		member_bool(json, "path_truncated", true);
	if (executable->has_inode) {
		member_device(json, executable->device);
		member_u64_string(json, "inode", executable->inode);
		if (executable->mtime_ns >= 0)
			member_time(json, "mtime", (uint64_t)executable->mtime_ns);
		if (executable->ctime_ns >= 0)
			member_time(json, "ctime", (uint64_t)executable->ctime_ns);
	}
	for (size_t i = 0; i < EXECUTABLE_FLAGS; i++) {
		if (executable->flags_known & flags[i].flag)
			member_bool(json, flags[i].key, executable->flags & flags[i].flag);
	}
	if (executable->package_known)
		member_bool(json, "packaged", executable->package);
	member_hostile(json, "package", executable->package, UNIT_BYTES);
	member_hostile(json, "package_version", executable->package_version, UNIT_BYTES);
	json_object_end(json);
}

static void write_ancestors(struct json *json, const struct encode_host *host, const struct process *process)
{
	if (!process->ancestors_count)
		return;
	json_key(json, "ancestors");
	json_array_begin(json);
	for (size_t i = 0; i < process->ancestors_count && i < PROCESS_ANCESTORS_MAX; i++) {
		const struct ancestor *ancestor = &process->ancestors[i];

		json_object_begin(json);
		member_u64(json, "pid", ancestor->pid);
		member_start(json, host, ancestor->start_ns);
		member_hostile(json, "name", ancestor->comm, sizeof(ancestor->comm));
		member_path(json, "executable", ancestor->executable);
		if (ancestor->executable && ancestor->executable_truncated)
			member_bool(json, "executable_truncated", true);
		json_object_end(json);
	}
	json_array_end(json);
}

static void write_cgroup(struct json *json, const struct process_cgroup *cgroup)
{
	if (!cgroup->id && !cgroup->path && !cgroup->path_truncated)
		return;
	member_object(json, "cgroup");
	if (cgroup->id)
		member_u64_string(json, "id", cgroup->id);
	member_path(json, "path", cgroup->path);
	if (cgroup->path_truncated)
		member_bool(json, "path_truncated", true);
	member_name(json, "unit", cgroup->unit);
	member_name(json, "slice", cgroup->slice);
	member_name(json, "user_unit", cgroup->user_unit);
	json_object_end(json);
}

static void write_namespaces(struct json *json, const struct process *process)
{
	const struct {
		const char *key;
		uint32_t inode;
	} namespaces[] = {{"pid", process->pidns_inode},
	                  {"mount", process->mntns_inode},
	                  {"user", process->userns_inode},
	                  {"net", process->netns_inode}};
	bool open = false;

	for (size_t i = 0; i < sizeof(namespaces) / sizeof(namespaces[0]); i++) {
		if (!namespaces[i].inode)
			continue;
		if (!open)
			member_object(json, "namespaces");
		open = true;
		member_u64(json, namespaces[i].key, namespaces[i].inode);
	}
	if (open)
		json_object_end(json);
}

static void write_credentials(struct json *json, const struct credentials *credentials)
{
	if (!credentials->known)
		return;
	member_object(json, "credentials");
	member_u64(json, "groups_count", credentials->groups_count);
	if (credentials->login_uid != PROCESS_UNSET)
		member_u64_string(json, "login_uid", credentials->login_uid);
	if (credentials->session != PROCESS_UNSET)
		member_u64(json, "session", credentials->session);
	json_object_end(json);
}

void ecs_write_own_process(struct json *json, const struct encode_host *host, const struct event *event)
{
	const struct process *process = event->process;

	write_credentials(json, &event->credentials);
	if (!process)
		return;
	if (process->arguments && !arguments_are_whole(process))
		member_bool(json, "args_truncated", true);
	if (process->kernel_thread)
		member_bool(json, "kernel_thread", true);
	if (process->working_directory && process->working_directory_truncated)
		member_bool(json, "working_directory_truncated", true);
	write_executable(json, &process->executable);
	write_ancestors(json, host, process);
	write_cgroup(json, &process->cgroup);
	write_namespaces(json, process);
}
