/* SPDX-License-Identifier: BSD-2-Clause */
/* What must not become a rule, and what of a program stays the same after a restart. */
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "user/base/visible.h"
#include "user/cli/learn.h"
#include "user/judge/interpreter.h"

/* A line of a policy holds 8192 bytes (POLICY_LINE_MAX), and one byte of a path may take four of them. */
#define PATH_LEN_MAX 2000

/* systemd's UNIT_NAME_MAX, its NUL not counted. The comment has both: 2 bytes for one of either, and a few words. */
#define UNIT_LEN_MAX 255

/* Where everybody may write, whatever the directory below it says: the file was put there by nobody who installs. */
static const char *const temporary[] = {"/tmp/", "/var/tmp/", "/dev/shm/", "/run/user/", "/run/lock/", "/var/lock/"};

static bool is_temporary(const char *path)
{
	for (size_t i = 0; i < sizeof(temporary) / sizeof(temporary[0]); i++)
		if (strncmp(path, temporary[i], strlen(temporary[i])) == 0)
			return true;
	return false;
}

/* Where only packages put files, if the package is not known itself. */
static bool is_packaged(const struct executable *executable)
{
	static const char *const places[] = {"/usr/bin/", "/usr/sbin/", "/usr/lib/", "/usr/lib64/", "/usr/libexec/",
	                                     "/bin/",     "/sbin/",     "/lib/",     "/lib64/"};

	if (executable->package_known)
		return executable->package;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (strncmp(executable->path, places[i], strlen(places[i])) == 0)
			return true;
	return false;
}

const char *learn_note(const char *path)
{
	if (strncmp(path, "/home/", 6) == 0)
		return "The program stands in a user's home: who owns it can put any other there.";
	if (strncmp(path, "/root/", 6) == 0)
		return "The program stands in root's home: no package put it there.";
	return NULL;
}

const char *learn_file_note(const struct learn_program *program)
{
	const char *slash = strrchr(program->exe, '/');
	char directory[PATH_LEN_MAX + 1];
	struct stat file, above;

	/* in a container the path leads to another file */
	if (program->in_container || !slash || stat(program->exe, &file) < 0)
		return NULL;
	(void)snprintf(directory, sizeof(directory), "%.*s/", (int)(slash - program->exe), program->exe);
	if (stat(directory, &above) < 0)
		return NULL;
	if ((file.st_mode | above.st_mode) & S_IWOTH)
		return "Everybody may write the program's file here, or put another into its directory.";
	if (file.st_uid || above.st_uid)
		return "The program's file here, or its directory, is not root's: its owner can put any other there.";
	return NULL;
}

/*
 * A unit of which there is a file, so that the next start has the same: not a scope (a login, a container), nor one
 * that systemd-run(1) made, nor the manager of a user's own units, whose name says nothing of what is in it.
 */
static const char *lasting_unit(const char *unit)
{
	static const char *const passing[] = {"*.scope", "run-*.service", "user@*.service"};

	if (unit && !*unit)
		return NULL;
	for (size_t i = 0; unit && i < sizeof(passing) / sizeof(passing[0]); i++)
		if (fnmatch(passing[i], unit, 0) == 0)
			return NULL;
	return unit;
}

struct learn_program learn_program_of(const struct event *event)
{
	const struct process_cgroup *cgroup = &event->process->cgroup;
	struct learn_program program = {.exe = event->process->executable.path};

	program.in_container = cgroup->container_id;
	program.unit = lasting_unit(cgroup->unit);
	/* the path is that of its own root directory: a container has the same paths as the host */
	program.not_in_container = !program.in_container && !program.unit && cgroup->path;
	return program;
}

/*
 * Whether every character shows as itself. A line of a policy takes no control byte, and a person who reviews it does
 * not see the others; and what stands for any byte would let in another program.
 */
static bool can_be_written(const char *text)
{
	size_t len = strlen(text);

	while (len) {
		char form[VISIBLE_MAX];
		size_t taken, size = visible_next(text, len, 0, form, &taken);

		if (size != taken || memcmp(form, text, size) != 0)
			return false;
		text += taken;
		len -= taken;
	}
	return true;
}

/* NULL, or why no rule can name the program, of which the path is known. */
static const char *why_not_written(const struct event *event)
{
	const struct learn_program program = learn_program_of(event);

	if (strlen(program.exe) > PATH_LEN_MAX)
		return "its path is longer than a rule should be";
	if (!can_be_written(program.exe))
		return "its path has bytes that do not show: no rule can name it and no other";
	if (program.unit && strlen(program.unit) > UNIT_LEN_MAX)
		return "the name of its unit is longer than systemd takes";
	if (program.unit && !can_be_written(program.unit))
		return "the name of its unit has bytes that do not show: no rule can name it and no other";
	return NULL;
}

/* The same of the user namespace: who makes one may mount there what he likes where he likes. */
static const char *why_not_userns(const struct event *event)
{
	uint32_t inode = event->process->userns_inode;

	if (inode == PROCESS_FIRST_USERNS)
		return NULL;
	return inode ? "it runs in a user namespace of its own, where any file can be put at its path"
	             : "its user namespace is not known: in one of its own any file can be put at its path";
}

const char *learn_why_not(const struct event *event)
{
	const struct executable *executable = event->process ? &event->process->executable : NULL;
	const char *why;
	uint32_t flags = executable ? executable->flags & executable->flags_known : 0;

	if (flags & EXECUTABLE_MEMFD)
		return "the program exists in memory only";
	if (!executable || !executable->path || executable->path[0] != '/' || executable->path_truncated)
		return "its program is not known";
	why = why_not_written(event);
	if (!why)
		why = why_not_userns(event);
	if (why)
		return why;
	if (flags & EXECUTABLE_DELETED && !(flags & EXECUTABLE_REPLACED))
		return "the program's file was deleted";
	/* a package's upgrade leaves a daemon so until it is started again; elsewhere somebody put another file there
	 */
	if (flags & EXECUTABLE_REPLACED && !is_packaged(executable))
		return "another file stands in the program's place, and no package is known to have put it there";
	if (flags & EXECUTABLE_WORLD_WRITABLE || is_temporary(executable->path))
		return "everybody may write where the program stands";
	if (flags & EXECUTABLE_MODIFIED)
		return "the program is not the file that its package installed";
	if (flags & EXECUTABLE_OVERLAY_UPPER)
		return "the program is not of its container's image";
	if (event->facts.patterns & PATTERN_SECOND_OWNER)
		return "it joined a port that another program or user holds";
	if (event->facts.patterns & PATTERN_TAKEOVER)
		return "another program had just let the port go";
	if (event->facts.patterns & PATTERN_SWEEP)
		return "it tried many ports in a short time";
	if (interpreter_is_at(executable->path) && !learn_program_of(event).unit)
		return "an interpreter of no unit may be any program";
	return NULL;
}
