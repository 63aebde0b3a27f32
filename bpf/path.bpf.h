/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * From a dentry, or a cgroup's node, up to its root: the names on the way, put together from the last to the first.
 *
 * What is walked, and the bytes that come of it, stand in a scratch buffer of the thread: a program may be preempted
 * by another that wants to do the same on this CPU, and its stack is 512 bytes. The functions are global ones: the
 * verifier looks at each once, and not at every call, which is what makes loops of this length possible. Before 5.12
 * they take no pointers (e5069b9c23b3), so each asks for the scratch buffer itself.
 */
#ifndef BPF_PATH_BPF_H
#define BPF_PATH_BPF_H

#include "vmlinux/vmlinux.h"
#include "bpf/bindwatch.h"
#include "bpf/compat.bpf.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#define NAME_LEN_MAX 255 /* NAME_MAX of include/uapi/linux/limits.h */

/* The names of one step, and as many steps as BW_TEXT_MAX has room for names of one byte, and for mounts among them. */
#define WALK_STEP  16
#define WALK_STEPS (BW_TEXT_MAX / 2 / WALK_STEP + 16)

/*
 * The whole path of a cgroup is told if no more levels are in it, and it has room: systemd's are five deep, Kubernetes'
 * seven. Whoever was given a cgroup can make as many below it as he likes. Of one that is deeper the first levels are
 * told, for which there is always room: unit, slice and container stand in these.
 */
#define CGROUP_LEVELS_MAX  64
#define CGROUP_LEVELS_HEAD 16
_Static_assert(CGROUP_LEVELS_HEAD *(NAME_LEN_MAX + 1) <= BW_TEXT_MAX, "room for the first levels of a cgroup's path");

/* How far up a kernel is followed that has no table of a cgroup's ancestors. */
#define CGROUP_CLIMB_MAX 1024

enum walk_end {
	WALK_UNDER_WAY,
	WALK_ROOT,     /* came to the root */
	WALK_CUT,      /* no more room */
	WALK_DETACHED, /* came to the root of a file system, and that is mounted nowhere here */
};

struct walk {
	const struct dentry *dentry;
	const struct mount *mount;
	__u32 position; /* in names: of the first byte so far; BW_TEXT_MAX: none */
	enum walk_end end;
	bool named;                                 /* directory_mode is known */
	umode_t directory_mode;                     /* of the directory that the walk's first name stands in */
	char names[BW_TEXT_MAX + NAME_LEN_MAX + 1]; /* a name may be written behind the last position: see prepend() */
};

struct scratch {
	struct walk walk;
	const struct kernfs_node *node; /* of a cgroup: where walk_cgroup() begins; NULL: it is not known */
	struct {
		struct bw_process fixed;
		char texts[BW_PROCESS_TEXTS_MAX];
	} record;
	__u32 used; /* of record.texts */
	char name[NAME_LEN_MAX + 1];
	const struct task_struct *leader; /* of the ancestor that was described last */
};

/*
 * By thread. As many as describe a process at the same moment: one a CPU, and those that are preempted while they do.
 * Who finds none is described at his next call.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 128);
	__type(key, __u64);
	__type(value, struct scratch);
} scratches SEC(".maps");

static __always_inline struct scratch *this_scratch(void)
{
	__u64 thread = bpf_get_current_pid_tgid();

	return bpf_map_lookup_elem(&scratches, &thread);
}

/* Puts "/name" before what is there. false: no room. */
static __always_inline bool prepend(struct walk *walk, const unsigned char *name, __u32 length)
{
	__u32 position = walk->position;

	if (length > NAME_LEN_MAX || position > BW_TEXT_MAX || length + 1 > position)
		return false;
	position -= length + 1;
	walk->position = position;
	/* for the verifier, which loses sight of the bounds: neither changes the value */
	position &= BW_TEXT_MAX - 1;
	length &= NAME_LEN_MAX;
	walk->names[position] = '/';
	bpf_probe_read_kernel(&walk->names[position + 1], length, name);
	return true;
}

#define MNT_NS_ANON_INO 0xeffffff7U /* include/uapi/linux/nsfs.h; older kernels give such a namespace no number */

#define PROC_USER_INIT_INO 0xeffffffdU /* include/linux/proc_ns.h */

/*
 * A mount that was detached (umount -l), or never attached (open_tree(2)), leads to the root of nothing. One of a mount
 * namespace that belongs to another user namespace than the process's leads to a root that somebody else made: a
 * program that was run by way of /proc/PID/root.
 */
static __always_inline bool is_attached(const struct mount *mount)
{
	const struct task_struct *task = (const void *)bpf_get_current_task();
	__u32 inode = BPF_CORE_READ(mount, mnt_ns, ns.inum);
	__u32 owner = BPF_CORE_READ(mount, mnt_ns, user_ns, ns.inum);

	return inode && inode != MNT_NS_ANON_INO &&
	       (owner == PROC_USER_INIT_INO || owner == BPF_CORE_READ(task, cred, user_ns, ns.inum));
}

/* One level up, as prepend_path() of fs/d_path.c goes. WALK_UNDER_WAY: and there is more. */
static __always_inline enum walk_end walk_up(struct walk *walk)
{
	const struct dentry *dentry = walk->dentry;
	const struct mount *mount = walk->mount, *above;
	const struct dentry *parent;

	if (dentry == BPF_CORE_READ(mount, mnt.mnt_root)) {
		above = BPF_CORE_READ(mount, mnt_parent);
		if (above == mount)
			return is_attached(mount) ? WALK_ROOT : WALK_DETACHED;
		walk->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
		walk->mount = above;
		return WALK_UNDER_WAY;
	}
	parent = BPF_CORE_READ(dentry, d_parent);
	if (parent == dentry || !parent)
		return WALK_DETACHED;
	if (!walk->named) {
		walk->directory_mode = BPF_CORE_READ(parent, d_inode, i_mode);
		walk->named = true;
	}
	walk->dentry = parent;
	return prepend(walk, BPF_CORE_READ(dentry, d_name.name), BPF_CORE_READ(dentry, d_name.len)) ? WALK_UNDER_WAY
	                                                                                            : WALK_CUT;
}

__noinline int walk_some(void)
{
	struct scratch *scratch = this_scratch();

	if (!probe_reads || !scratch)
		return WALK_CUT;
	for (int i = 0; i < WALK_STEP; i++) {
		enum walk_end end = walk_up(&scratch->walk);

		if (end != WALK_UNDER_WAY)
			return end;
	}
	return WALK_UNDER_WAY;
}

/*
 * Walks what walk_begin() prepared. Of functions that call each other the stacks count together, 32 bytes each at
 * least, and the hooks need most of the 512 themselves: so this one is not of its own.
 */
static __always_inline void walk_to_root(struct walk *walk)
{
	int end = WALK_UNDER_WAY;

	for (int i = 0; i < WALK_STEPS && end == WALK_UNDER_WAY; i++)
		end = walk_some();
	walk->end = end == WALK_UNDER_WAY ? WALK_CUT : end;
}

static __always_inline void walk_begin(struct walk *walk, const struct vfsmount *mount, const struct dentry *dentry)
{
	walk->dentry = dentry;
	walk->mount = (const void *)mount - bpf_core_field_offset(struct mount, mnt);
	walk->position = BW_TEXT_MAX;
	walk->end = WALK_UNDER_WAY;
	walk->named = false;
}

/* The names of scratch->node and of those above it, the root's not. */
__noinline int walk_cgroup(void)
{
	struct scratch *scratch = this_scratch();
	const struct kernfs_node *node, *parent;
	long length;

	if (!probe_reads || !scratch)
		return 0;
	scratch->walk.position = BW_TEXT_MAX;
	scratch->walk.end = WALK_CUT;
	node = scratch->node;
	/* the root is one more, which has no name */
	for (int i = 0; node && i <= CGROUP_LEVELS_MAX; i++) {
		parent = kernfs_parent(node);
		if (!parent) {
			scratch->walk.end = WALK_ROOT;
			break;
		}
		length = bpf_probe_read_kernel_str(scratch->name, sizeof(scratch->name), BPF_CORE_READ(node, name));
		if (length <= 1 || !prepend(&scratch->walk, (const void *)scratch->name, length - 1))
			break;
		node = parent;
	}
	return 0;
}

/* Before 6.1. */
static __always_inline const struct kernfs_node *climb(const struct kernfs_node *node, int levels)
{
	for (int i = 0; i < CGROUP_CLIMB_MAX && i < levels; i++)
		node = kernfs_parent(node);
	return levels <= CGROUP_CLIMB_MAX ? node : NULL;
}

/* Sets scratch->node to the last of the levels that there is always room for; the cgroup is deeper. */
__noinline int find_cgroup_head(void)
{
	struct scratch *scratch = this_scratch();
	const struct task_struct *task = (const void *)bpf_get_current_task();
	const struct cgroup *cgroup, *head = NULL;

	if (!probe_reads || !scratch)
		return 0;
	cgroup = BPF_CORE_READ(task, cgroups, dfl_cgrp);
	if (bpf_core_field_exists(cgroup->ancestors)) {
		bpf_probe_read_kernel(&head, sizeof(head),
		                      (const void *)cgroup + bpf_core_field_offset(cgroup->ancestors) +
		                              CGROUP_LEVELS_HEAD * sizeof(head));
		scratch->node = BPF_CORE_READ(head, kn);
	} else {
		scratch->node = climb(BPF_CORE_READ(cgroup, kn), BPF_CORE_READ(cgroup, level) - CGROUP_LEVELS_HEAD);
	}
	return 0;
}

/*
 * Copies the walk's names to the texts, the last `most` bytes of them. WALK_DETACHED with names is a directory that was
 * moved out of what is mounted: its beginning is not to be had.
 */
static __always_inline void keep_names(struct scratch *scratch, struct bw_text *text, __u32 most)
{
	__u32 position = scratch->walk.position, used = scratch->used, length;
	enum walk_end end = scratch->walk.end;

	if (position > BW_TEXT_MAX || end == WALK_UNDER_WAY)
		return;
	if (position == BW_TEXT_MAX) {
		if (end != WALK_ROOT)
			return;
		position--;
		scratch->walk.names[BW_TEXT_MAX - 1] = '/';
	}
	length = BW_TEXT_MAX - position;
	if (length > most) {
		position += length - most;
		length = most;
		end = WALK_CUT;
	}
	/* for the verifier, as in prepend() */
	barrier_var(used);
	barrier_var(length);
	if (used > BW_PROCESS_TEXTS_MAX - most || length > most)
		return;
	position &= BW_TEXT_MAX - 1;
	if (bpf_probe_read_kernel(scratch->record.texts + used, length, scratch->walk.names + position))
		return;
	text->offset = used;
	text->length = length;
	text->flags = BW_TEXT_KNOWN | (end == WALK_ROOT ? 0 : BW_TEXT_CUT);
	scratch->used = used + length;
}

#endif
