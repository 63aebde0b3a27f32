/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/enrich/inspect.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static int64_t nanoseconds(const struct timespec *time)
{
	return (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
}

/* The number behind "mnt_id:" in /proc/self/fdinfo/FD; -1: it cannot be read. */
static int mount_of(int fd)
{
	char path[64], line[256];
	int id = -1;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	while (file && id < 0 && fgets(line, sizeof(line), file))
		if (sscanf(line, "mnt_id: %d", &id) != 1)
			id = -1;
	if (file)
		(void)fclose(file);
	return id;
}

/*
 * The device of the file system, which on btrfs and overlayfs is not the one that stat(2) gives of a file: as
 * proc_pid_mountinfo(5) has it. pid: whose mount namespace the file was opened in; 0: ours.
 */
static bool is_on_device(int fd, uint32_t pid, uint64_t device)
{
	int id = mount_of(fd), number;
	unsigned int high, low;
	char path[64], line[PATH_MAX];
	bool found = false, whole = true;
	FILE *file;

	(void)snprintf(path, sizeof(path), pid ? "/proc/%" PRIu32 "/mountinfo" : "/proc/self/mountinfo", pid);
	file = id >= 0 ? fopen(path, "re") : NULL;
	while (file && !found && fgets(line, sizeof(line), file)) {
		if (whole && sscanf(line, "%d %*d %u:%u ", &number, &high, &low) == 3 && number == id) {
			found = true;
			break;
		}
		whole = strchr(line, '\n'); /* else the rest of a long line comes next */
	}
	if (file)
		(void)fclose(file);
	return found && makedev(high, low) == device;
}

static bool is_described(int fd, uint32_t pid, const struct inspect_file *file, struct stat *ret)
{
	if (fstat(fd, ret) != 0 || !S_ISREG(ret->st_mode) || ret->st_ino != file->inode ||
	    nanoseconds(&ret->st_mtim) != file->mtime_ns)
		return false;
	/* a file that was unlinked since has a later ctime; while it runs nobody can have written to it */
	if (nanoseconds(&ret->st_ctim) != file->ctime_ns && !(pid && ret->st_nlink == 0))
		return false;
	return ret->st_dev == file->device || is_on_device(fd, pid, file->device);
}

/*
 * Opened without being read, so that what is no file (a device, a pipe) has no say in it. pid 0: it was the path that
 * led there.
 */
static int open_described(const struct inspector *inspector, const struct inspect_job *job, struct stat *ret)
{
	char path[PATH_MAX];
	int fd;

	for (unsigned int by_path = 0; by_path < 2; by_path++) {
		uint32_t pid = by_path ? 0 : job->pid;

		if (by_path && !job->path[0])
			continue;
		if (by_path)
			(void)snprintf(path, sizeof(path), "%s%s", inspector->root, job->path);
		else
			(void)snprintf(path, sizeof(path), "/proc/%" PRIu32 "/exe", pid);
		fd = open(path, O_PATH | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (is_described(fd, pid, &job->file, ret))
			return fd;
		(void)close(fd);
	}
	return -ENOENT;
}

static void find_digest(const struct inspector *inspector, int described, const struct stat *before,
                        struct inspect_job *job)
{
	char path[64];
	struct stat after;
	int fd;

	if ((uint64_t)before->st_size > inspector->hash_bytes_max)
		return;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", described);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return;
	/* written to meanwhile: neither the one file nor the other */
	job->has_digest = digest_read(fd, inspector->hash_bytes_max, &job->digest) == 0 && fstat(fd, &after) == 0 &&
	                  nanoseconds(&after.st_mtim) == nanoseconds(&before->st_mtim) &&
	                  after.st_size == before->st_size;
	(void)close(fd);
}

/*
 * true: *ret is the owner, or it is unset and no package has the file. false: it is not known, since there is no
 * database, or one that cannot be read and might have had it.
 */
static bool find_owner(const struct inspector *inspector, const char *path, struct package_owner *ret)
{
	int dpkg = dpkg_find(inspector->dpkg, path, ret), rpm;

	if (dpkg == 0)
		return true;
	rpm = rpm_find(inspector->rpm, path, ret);
	if (rpm == 0)
		return true;
	if (dpkg == -ENOENT)
		return rpm == -ENOENT || rpm == -ENODATA;
	return dpkg == -ENODATA && rpm == -ENOENT;
}

static void find_package(const struct inspector *inspector, const struct stat *file, struct inspect_job *job)
{
	char path[PATH_MAX];
	struct stat here;

	if (!job->path[0] || snprintf(path, sizeof(path), "%s%s", inspector->root, job->path) >= (int)sizeof(path))
		return;
	/* in a container, and where another file has the name by now, the path says nothing */
	if (lstat(path, &here) != 0 || here.st_dev != file->st_dev || here.st_ino != file->st_ino)
		return;
	job->package_known = find_owner(inspector, job->path, &job->owner);
}

int inspector_new(const char *root, uint64_t hash_bytes_max, struct inspector **ret)
{
	struct inspector *inspector = calloc(1, sizeof(*inspector));

	if (!inspector)
		return -ENOMEM;
	inspector->hash_bytes_max = hash_bytes_max;
	inspector->root = strdup(root);
	if (!inspector->root || dpkg_open(root, &inspector->dpkg) < 0 || rpm_open(root, &inspector->rpm) < 0) {
		inspector_free(inspector);
		return -ENOMEM;
	}
	*ret = inspector;
	return 0;
}

void inspector_free(void *context)
{
	struct inspector *inspector = context;

	if (!inspector)
		return;
	rpm_close(inspector->rpm);
	dpkg_close(inspector->dpkg);
	free(inspector->root);
	free(inspector);
}

static void look_at_file(const struct inspector *inspector, struct inspect_job *job)
{
	struct stat file;
	int fd = open_described(inspector, job, &file);

	if (fd < 0)
		return;
	job->opened = true;
	find_package(inspector, &file, job);
	if (inspector->hash_bytes_max)
		find_digest(inspector, fd, &file, job);
	(void)close(fd);
}

void inspect(void *context, void *question)
{
	const struct inspector *inspector = context;
	struct inspect_job *job = question;

	switch (job->kind) {
	case INSPECT_PACKAGES:
		(void)dpkg_find(inspector->dpkg, "/", &job->owner);
		break;
	case INSPECT_FILE:
		look_at_file(inspector, job);
		break;
	case INSPECT_CONTAINER:
		(void)image_find(inspector->root, job->container.runtime, job->container.id, job->image);
		break;
	}
}
