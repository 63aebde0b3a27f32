/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sense/decode_process.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

_Static_assert(PROCESS_COMM_LEN == BW_COMM_LEN, "comm");
_Static_assert(PROCESS_ANCESTORS_MAX == BW_ANCESTORS_MAX, "ancestors");
_Static_assert(PROCESS_UNSET == BW_AUDIT_UNSET, "audit");

#define TEXT_FLAGS    (BW_TEXT_KNOWN | BW_TEXT_CUT)
#define PROCESS_FLAGS (BW_PROCESS_KERNEL_THREAD | BW_PROCESS_EXITING)

static const struct {
	__u32 record;
	uint32_t flag;
} executable_flags[] = {
        {BW_EXECUTABLE_MEMFD, EXECUTABLE_MEMFD},
        {BW_EXECUTABLE_DELETED, EXECUTABLE_DELETED},
        {BW_EXECUTABLE_OVERLAY_UPPER, EXECUTABLE_OVERLAY_UPPER},
        {BW_EXECUTABLE_WORLD_WRITABLE, EXECUTABLE_WORLD_WRITABLE},
        {BW_EXECUTABLE_INODE, 0},
};

#define FLAGS (sizeof(executable_flags) / sizeof(executable_flags[0]))

static uint32_t decode_flags(__u32 bits)
{
	uint32_t flags = 0;

	for (size_t i = 0; i < FLAGS; i++)
		if (bits & executable_flags[i].record)
			flags |= executable_flags[i].flag;
	return flags;
}

static bool flags_are_sound(const struct bw_process *record)
{
	__u32 all = 0;

	for (size_t i = 0; i < FLAGS; i++)
		all |= executable_flags[i].record;
	return !(record->executable_known & ~all) && !(record->executable_flags & ~record->executable_known) &&
	       !(record->flags & ~PROCESS_FLAGS);
}

/* bytes: those behind the record */
static bool text_is_sound(const struct bw_text *text, size_t most, size_t bytes)
{
	if (!(text->flags & BW_TEXT_KNOWN))
		return !text->flags && !text->offset && !text->length && !text->pad;
	return !(text->flags & ~TEXT_FLAGS) && !text->pad && text->length <= most &&
	       (size_t)text->offset + text->length <= bytes;
}

static bool record_is_sound(const struct bw_process *record, size_t size)
{
	const struct bw_text *const texts[] = {&record->executable, &record->arguments, &record->directory,
	                                       &record->root, &record->cgroup};
	size_t bytes = size - sizeof(*record);

	if (record->header.version != BW_ABI_VERSION || record->header.type != BW_RECORD_PROCESS ||
	    record->header.size != size || bytes > BW_PROCESS_TEXTS_MAX || record->ancestors_count > BW_ANCESTORS_MAX ||
	    !flags_are_sound(record))
		return false;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!text_is_sound(texts[i], BW_TEXT_MAX, bytes))
			return false;
	for (size_t i = 0; i < record->ancestors_count; i++)
		if (!text_is_sound(&record->ancestors[i].executable, BW_ANCESTOR_TEXT_MAX, bytes))
			return false;
	return true;
}

struct reader {
	const char *bytes; /* behind the record */
	char *texts;       /* where the next one is put */
};

/* No name has a NUL in it; one that was renamed while it was read may look like that, and is then not known. */
static const char *read_path(struct reader *reader, const struct bw_text *text)
{
	const char *from = reader->bytes + text->offset;
	char *path = reader->texts;

	if (!(text->flags & BW_TEXT_KNOWN) || !text->length || memchr(from, '\0', text->length))
		return NULL;
	memcpy(path, from, text->length);
	path[text->length] = '\0';
	reader->texts += text->length + 1;
	return path;
}

/* One NUL more where the last argument has none: it is cut, or the process wrote over it. */
static void read_arguments(struct reader *reader, const struct bw_text *text, struct process *process)
{
	char *arguments = reader->texts;
	size_t length = text->length;
	bool open;

	if (!(text->flags & BW_TEXT_KNOWN))
		return;
	memcpy(arguments, reader->bytes + text->offset, length);
	process->arguments_truncated = text->flags & BW_TEXT_CUT;
	open = length && arguments[length - 1] != '\0';
	if (open || !length)
		arguments[length] = '\0';
	process->arguments = arguments;
	process->arguments_length = length + open;
	for (size_t i = 0; i < process->arguments_length; i++)
		process->arguments_count += arguments[i] == '\0';
	if (open && process->arguments_truncated)
		process->arguments_count--;
	reader->texts += length + 1;
}

/* A file that open(2) made with O_TMPFILE is called by its inode's number: d_tmpfile() in fs/dcache.c. */
static bool has_no_name(const struct executable *executable)
{
	const char *name = executable->path ? strrchr(executable->path, '/') : NULL;
	char number[24];

	(void)snprintf(number, sizeof(number), "/#%llu", (unsigned long long)executable->inode);
	return name && strcmp(name, number) == 0;
}

static void read_executable(struct reader *reader, const struct bw_process *record, struct executable *ret)
{
	ret->path = read_path(reader, &record->executable);
	ret->path_truncated = record->executable.flags & BW_TEXT_CUT;
	ret->has_inode = record->executable_flags & BW_EXECUTABLE_INODE;
	ret->device = makedev(record->device_major, record->device_minor);
	ret->inode = record->inode;
	ret->mtime_ns = record->mtime_ns;
	ret->ctime_ns = record->ctime_ns;
	ret->flags = decode_flags(record->executable_flags);
	ret->flags_known = decode_flags(record->executable_known);
	if ((ret->flags & EXECUTABLE_DELETED) && has_no_name(ret))
		ret->flags |= EXECUTABLE_MEMFD;
}

static void read_ancestor(struct reader *reader, const struct bw_ancestor *record, struct ancestor *ret)
{
	ret->pid = record->pid;
	ret->start_ns = record->start_ns;
	memcpy(ret->comm, record->comm, sizeof(ret->comm) - 1);
	ret->executable = read_path(reader, &record->executable);
	ret->executable_truncated = record->executable.flags & BW_TEXT_CUT;
}

bool decode_is_process(const void *data, size_t size)
{
	struct bw_record_header header;

	if (size < sizeof(header))
		return false;
	memcpy(&header, data, sizeof(header));
	return header.type == BW_RECORD_PROCESS;
}

int decode_process(const void *data, size_t size, struct process *ret, char texts[DECODE_PROCESS_TEXTS])
{
	struct reader reader = {.texts = texts};
	struct bw_process record;

	if (size < sizeof(record))
		return -EPROTO;
	memcpy(&record, data, sizeof(record));
	if (!record_is_sound(&record, size))
		return -EPROTO;
	reader.bytes = (const char *)data + sizeof(record);

	*ret = (struct process){
	        .pid = record.pid,
	        .start_ns = record.start_ns,
	        .exec_id = record.exec_id,
	        .kernel_thread = record.flags & BW_PROCESS_KERNEL_THREAD,
	        .ancestors_count = record.ancestors_count,
	        .cgroup.id = record.cgroup_id,
	        .pidns_inode = record.pidns_inode,
	        .mntns_inode = record.mntns_inode,
	        .userns_inode = record.userns_inode,
	        .netns_inode = record.netns_inode,
	};
	memcpy(ret->comm, record.comm, sizeof(ret->comm) - 1);
	read_executable(&reader, &record, &ret->executable);
	read_arguments(&reader, &record.arguments, ret);
	ret->working_directory = read_path(&reader, &record.directory);
	ret->working_directory_truncated = record.directory.flags & BW_TEXT_CUT;
	if (!(record.root.flags & BW_TEXT_CUT))
		ret->root_directory = read_path(&reader, &record.root);
	ret->cgroup.path = read_path(&reader, &record.cgroup);
	ret->cgroup.path_truncated = record.cgroup.flags & BW_TEXT_CUT;
	for (size_t i = 0; i < record.ancestors_count; i++)
		read_ancestor(&reader, &record.ancestors[i], &ret->ancestors[i]);
	return 0;
}
