/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sense/process_mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "user/base/mountinfo.h"
#include "user/base/process.h"
#include "user/sense/process_proc.h"

/*
 * How long a view is believed. Most of what is read of processes is read in one go, when the watch begins; later the id
 * of a mount that is gone may be another's.
 */
#define VIEW_NS 1000000000ULL

static uint64_t boot_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void view_free(struct mounts_view *view)
{
	if (view->mntns)
		close(view->fd);
	free(view->ids);
	*view = (struct mounts_view){0};
}

void process_mounts_free(struct process_mounts *mounts)
{
	for (size_t i = 0; i < PROCESS_MOUNTS_VIEWS; i++)
		view_free(&mounts->views[i]);
	*mounts = (struct process_mounts){0};
}

/* Nothing of the file itself is asked, which may be one of FUSE, whose server answers its own user only. */
static bool mount_of(int proc, const char *link, uint64_t *ret)
{
	struct statx status;

	if (statx(proc, link, AT_STATX_DONT_SYNC, STATX_MNT_ID, &status) < 0 || !(status.stx_mask & STATX_MNT_ID))
		return false;
	*ret = status.stx_mnt_id;
	return true;
}

static uint64_t inode_of(int proc, const char *link)
{
	struct statx status;

	return statx(proc, link, AT_STATX_DONT_SYNC, STATX_INO, &status) == 0 ? status.stx_ino : 0;
}

/* Whom a mount namespace belongs to; 0: not known, or nobody whom we can see. */
static uint32_t owner_of(int mntns)
{
	int userns = ioctl(mntns, NS_GET_USERNS);
	struct stat status;
	uint32_t inode = userns >= 0 && fstat(userns, &status) == 0 ? (uint32_t)status.st_ino : 0;

	if (userns >= 0)
		close(userns);
	return inode;
}

static int compare_ids(const void *a, const void *b)
{
	int left = *(const int *)a, right = *(const int *)b;

	return (left > right) - (left < right);
}

static int add_mount(void *context, const struct mountinfo *mount)
{
	struct mounts_view *view = context;

	if (view->count == view->capacity) {
		size_t wanted = view->capacity ? 2 * view->capacity : 64;
		int *ids = reallocarray(view->ids, wanted, sizeof(*ids));

		if (!ids)
			return -ENOMEM;
		view->ids = ids;
		view->capacity = wanted;
	}
	view->ids[view->count++] = mount->id;
	return 0;
}

static bool view_read(struct mounts_view *view, int proc)
{
	char path[64];

	view->count = 0;
	view->read_ns = boot_ns();
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d/mountinfo", proc);
	if (mountinfo_each(path, add_mount, view) < 0)
		return false;
	if (view->count)
		qsort(view->ids, view->count, sizeof(*view->ids), compare_ids);
	return true;
}

static struct mounts_view *view_begin(struct process_mounts *mounts, const struct mounts_view *wanted, int proc)
{
	struct mounts_view *view = &mounts->views[mounts->next % PROCESS_MOUNTS_VIEWS];
	int fd = openat(proc, "ns/mnt", O_RDONLY | O_CLOEXEC);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0 || (uint32_t)status.st_ino != wanted->mntns) {
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	mounts->next++;
	view_free(view);
	*view = *wanted;
	view->fd = fd;
	view->userns = owner_of(fd);
	return view;
}

/* What this process sees; NULL: it cannot be read. Valid until the next call. */
static const struct mounts_view *view_of(struct process_mounts *mounts, int proc)
{
	struct mounts_view wanted = {.mntns = proc_namespace(proc, "ns/mnt"), .root_inode = inode_of(proc, "root")};
	struct mounts_view *view = NULL;

	if (!wanted.mntns || !mount_of(proc, "root", &wanted.root_mount))
		return NULL;
	for (size_t i = 0; i < PROCESS_MOUNTS_VIEWS && !view; i++) {
		struct mounts_view *other = &mounts->views[i];

		if (other->mntns == wanted.mntns && other->root_mount == wanted.root_mount &&
		    other->root_inode == wanted.root_inode)
			view = other;
	}
	if (view && boot_ns() - view->read_ns < VIEW_NS)
		return view;
	if (!view)
		view = view_begin(mounts, &wanted, proc);
	if (view && !view_read(view, proc)) {
		view_free(view);
		view = NULL;
	}
	return view;
}

enum answer {
	NOT_SEEN, /* by this process */
	BELIEVED,
	ALIEN, /* somebody else's */
};

static enum answer ask_view(const struct mounts_view *view, uint64_t mount, uint32_t userns)
{
	int id = (int)mount;

	if (!view->count || !bsearch(&id, view->ids, view->count, sizeof(id), compare_ids))
		return NOT_SEEN;
	return view->userns && (view->userns == PROCESS_FIRST_USERNS || view->userns == userns) ? BELIEVED : ALIEN;
}

static enum answer ask(struct process_mounts *mounts, int proc, uint64_t mount, uint32_t userns)
{
	const struct mounts_view *view = view_of(mounts, proc);

	return view ? ask_view(view, mount, userns) : NOT_SEEN;
}

/* A mount has its id alone and belongs to one namespace: whoever was asked before knows it for all. */
static enum answer ask_known(const struct process_mounts *mounts, uint64_t mount, uint32_t userns)
{
	enum answer answer = NOT_SEEN;
	uint64_t now = boot_ns();

	for (size_t i = 0; i < PROCESS_MOUNTS_VIEWS && answer == NOT_SEEN; i++) {
		const struct mounts_view *view = &mounts->views[i];

		if (view->mntns && now - view->read_ns < VIEW_NS)
			answer = ask_view(view, mount, userns);
	}
	return answer;
}

bool process_mounts_lead(struct process_mounts *mounts, int root, int proc, const char *link, uint32_t userns)
{
	enum answer answer;
	struct proc_stat stat;
	uint64_t mount;

	if (!mount_of(proc, link, &mount))
		return false;
	answer = ask_known(mounts, mount, userns);
	if (answer == NOT_SEEN)
		answer = ask(mounts, proc, mount, userns);
	if (answer != NOT_SEEN || proc_stat(proc, &stat) < 0)
		return answer == BELIEVED;
	for (unsigned int i = 0; i <= PROCESS_ANCESTORS_MAX && answer == NOT_SEEN; i++) {
		/* the last one that is asked is process 1, however many stand between */
		int above = proc_open(root, i < PROCESS_ANCESTORS_MAX && stat.parent ? stat.parent : 1);

		if (above < 0)
			return false;
		answer = ask(mounts, above, mount, userns);
		if (answer == NOT_SEEN && (!stat.parent || proc_stat(above, &stat) < 0))
			i = PROCESS_ANCESTORS_MAX;
		close(above);
	}
	return answer == BELIEVED;
}
