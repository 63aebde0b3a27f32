/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Who makes a call: the little that can change without an exec goes with each record (fill_caller()), the rest is told
 * once per exec in a record of its own (tell_process()). All of it is read here, at the moment of the call.
 */
#ifndef BPF_PROCESS_BPF_H
#define BPF_PROCESS_BPF_H

#include "vmlinux/vmlinux.h"
#include "bpf/bindwatch.h"
#include "bpf/compat.bpf.h"
#include "bpf/output.bpf.h"
#include "bpf/path.bpf.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

/* include/linux/sched.h, include/uapi/linux/magic.h, include/uapi/linux/stat.h */
#define PF_KTHREAD            0x00200000
#define OVERLAYFS_SUPER_MAGIC 0x794c7630
#define S_IWOTH               00002

#define MINOR_BITS 20   /* of the kernel's own dev_t: include/linux/kdev_t.h */
#define PAGE_BYTES 4096 /* or a multiple of it */

struct described {
	__u32 exec_id; /* with DESCRIBED_PARTLY or without */
	__u32 context; /* context_of() */
};

/* What has been described already. Twice what the reader remembers (user/sense/process_cache.h). */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, struct bw_process_key);
	__type(value, struct described);
} described SEC(".maps");

/* Described while it was exiting, and there was less to be told. */
#define DESCRIBED_PARTLY (1U << 31)

/* What a scratch buffer is made of; nobody writes to it. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} blank SEC(".maps");

/* An exit takes the memory first, then the files, whose sockets are released only after that. */
static __always_inline bool is_exiting(const struct task_struct *task)
{
	return !BPF_CORE_READ(task, mm);
}

static __always_inline bool is_world_writable(const struct walk *walk, umode_t mode)
{
	return (mode & S_IWOTH) || (walk->named && (walk->directory_mode & S_IWOTH));
}

/* 0: no; 1: yes; -1: not known */
static __always_inline int is_in_overlay_upper(const struct inode *inode)
{
	const void *upper = NULL;

	if (BPF_CORE_READ(inode, i_sb, s_magic) != OVERLAYFS_SUPER_MAGIC)
		return 0;
	if (overlay_inode_offset < 0 || overlay_upper_offset < 0)
		return -1;
	if (bpf_probe_read_kernel(&upper, sizeof(upper),
	                          (const void *)inode - overlay_inode_offset + overlay_upper_offset))
		return -1;
	return upper != NULL;
}

/* A file of no directory; its name is of the kernel's making (mm/memfd.c). */
static __always_inline bool is_memfd(const struct dentry *dentry)
{
	__u64 name = 0, memfd = 0;

	if (BPF_CORE_READ(dentry, d_parent) != dentry)
		return false;
	__builtin_memcpy(&memfd, "memfd:", 6);
	bpf_probe_read_kernel(&name, 6, BPF_CORE_READ(dentry, d_name.name));
	return name == memfd;
}

/* true: a memfd, which has a name but stands in no directory. */
static __always_inline bool walk_file(struct scratch *scratch, const struct file *file)
{
	const struct dentry *dentry = BPF_CORE_READ(file, f_path.dentry);

	walk_begin(&scratch->walk, BPF_CORE_READ(file, f_path.mnt), dentry);
	if (!is_memfd(dentry)) {
		walk_to_root(&scratch->walk);
		return false;
	}
	if (prepend(&scratch->walk, BPF_CORE_READ(dentry, d_name.name), BPF_CORE_READ(dentry, d_name.len)))
		scratch->walk.end = WALK_ROOT;
	return true;
}

static __always_inline void fill_inode(struct bw_process *process, const struct inode *inode)
{
	__u32 device = BPF_CORE_READ(inode, i_sb, s_dev);

	process->device_major = device >> MINOR_BITS;
	process->device_minor = device & ((1U << MINOR_BITS) - 1);
	process->inode = BPF_CORE_READ(inode, i_ino);
	process->mtime_ns = inode_mtime_ns(inode);
	process->ctime_ns = inode_ctime_ns(inode);
	process->executable_known |= BW_EXECUTABLE_INODE;
	process->executable_flags |= BW_EXECUTABLE_INODE;
}

__noinline int describe_executable(void)
{
	struct scratch *scratch = this_scratch();
	const struct task_struct *task = (const void *)bpf_get_current_task();
	const struct dentry *dentry;
	const struct inode *inode;
	const struct file *file;
	struct bw_process *process;
	int upper;

	if (!probe_reads || !scratch)
		return 0;
	process = &scratch->record.fixed;
	file = BPF_CORE_READ(task, mm, exe_file);
	if (!file)
		return 0;
	dentry = BPF_CORE_READ(file, f_path.dentry);
	inode = BPF_CORE_READ(dentry, d_inode);
	fill_inode(process, inode);
	process->executable_known |= BW_EXECUTABLE_MEMFD | BW_EXECUTABLE_DELETED;
	if (!BPF_CORE_READ(inode, i_nlink) || !BPF_CORE_READ(dentry, d_hash.pprev))
		process->executable_flags |= BW_EXECUTABLE_DELETED;
	upper = is_in_overlay_upper(inode);
	if (upper >= 0)
		process->executable_known |= BW_EXECUTABLE_OVERLAY_UPPER;
	if (upper > 0)
		process->executable_flags |= BW_EXECUTABLE_OVERLAY_UPPER;

	if (walk_file(scratch, file)) {
		process->executable_flags |= BW_EXECUTABLE_MEMFD;
	} else {
		process->executable_known |= BW_EXECUTABLE_WORLD_WRITABLE;
		if (is_world_writable(&scratch->walk, BPF_CORE_READ(inode, i_mode)))
			process->executable_flags |= BW_EXECUTABLE_WORLD_WRITABLE;
	}
	keep_names(scratch, &process->executable, BW_TEXT_MAX);
	return 0;
}

/* Memory that is not present is not fetched: the two pages that 4,096 bytes stand in are read apart. */
__noinline int describe_arguments(void)
{
	struct scratch *scratch = this_scratch();
	const struct task_struct *task = (const void *)bpf_get_current_task();
	const struct mm_struct *mm;
	__u64 start, end, first, second, used;
	bool cut;

	if (!probe_reads || !scratch)
		return 0;
	mm = BPF_CORE_READ(task, mm);
	start = BPF_CORE_READ(mm, arg_start);
	end = BPF_CORE_READ(mm, arg_end);
	used = scratch->used;
	if (!start || end < start || used > BW_PROCESS_TEXTS_MAX - BW_TEXT_MAX)
		return 0;
	cut = end - start > BW_TEXT_MAX;
	if (cut)
		end = start + BW_TEXT_MAX;
	first = PAGE_BYTES - start % PAGE_BYTES;
	if (first > end - start)
		first = end - start;
	second = end - start - first;
	barrier_var(first);
	barrier_var(second);
	if (first > BW_TEXT_MAX || second > BW_TEXT_MAX || first + second > BW_TEXT_MAX)
		return 0;
	if (bpf_probe_read_user(scratch->record.texts + used, first, (const void *)start))
		return 0;
	scratch->record.fixed.arguments.offset = used;
	used += first;
	if (used > BW_PROCESS_TEXTS_MAX - BW_TEXT_MAX ||
	    bpf_probe_read_user(scratch->record.texts + used, second, (const void *)(start + first))) {
		second = 0;
		cut = true;
	}
	scratch->record.fixed.arguments.length = first + second;
	scratch->record.fixed.arguments.flags = BW_TEXT_KNOWN | (cut ? BW_TEXT_CUT : 0);
	scratch->used = used + second;
	return 0;
}

__noinline int describe_directories(void)
{
	struct scratch *scratch = this_scratch();
	const struct task_struct *task = (const void *)bpf_get_current_task();
	const struct fs_struct *fs;

	if (!probe_reads || !scratch)
		return 0;
	fs = BPF_CORE_READ(task, fs);
	if (!fs)
		return 0;
	walk_begin(&scratch->walk, BPF_CORE_READ(fs, pwd.mnt), BPF_CORE_READ(fs, pwd.dentry));
	walk_to_root(&scratch->walk);
	keep_names(scratch, &scratch->record.fixed.directory, BW_TEXT_MAX);
	walk_begin(&scratch->walk, BPF_CORE_READ(fs, root.mnt), BPF_CORE_READ(fs, root.dentry));
	walk_to_root(&scratch->walk);
	keep_names(scratch, &scratch->record.fixed.root, BW_TEXT_MAX);
	return 0;
}

__noinline int describe_cgroup(void)
{
	struct scratch *scratch = this_scratch();
	const struct task_struct *task = (const void *)bpf_get_current_task();
	bool whole;

	if (!probe_reads || !scratch)
		return 0;
	scratch->record.fixed.cgroup_id = bpf_get_current_cgroup_id();
	scratch->node = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn);
	walk_cgroup();
	whole = scratch->walk.end == WALK_ROOT;
	if (!whole) {
		find_cgroup_head();
		walk_cgroup();
	}
	/* any other part of it would be taken for another cgroup's */
	if (scratch->walk.end == WALK_ROOT)
		keep_names(scratch, &scratch->record.fixed.cgroup, BW_TEXT_MAX);
	if (!whole)
		scratch->record.fixed.cgroup.flags |= BW_TEXT_KNOWN | BW_TEXT_CUT;
	return 0;
}

static __always_inline void fill_ancestor(struct scratch *scratch, struct bw_ancestor *ancestor,
                                          const struct task_struct *leader)
{
	const struct file *file = BPF_CORE_READ(leader, mm, exe_file);

	ancestor->start_ns = BPF_CORE_READ(leader, start_boottime);
	ancestor->pid = BPF_CORE_READ(leader, tgid);
	bpf_core_read_str(ancestor->comm, sizeof(ancestor->comm), &leader->comm);
	if (!file || (BPF_CORE_READ(leader, flags) & PF_KTHREAD))
		return;
	walk_file(scratch, file);
	keep_names(scratch, &ancestor->executable, BW_ANCESTOR_TEXT_MAX);
}

/*
 * The next one upwards; 0: there is none. The one above the first process has the number 0: the idle task, which is
 * nobody's program. One a call, since the verifier follows a function of this kind once, and a loop around its body as
 * often as that goes round.
 */
__noinline int describe_next_ancestor(void)
{
	struct scratch *scratch = this_scratch();
	const struct task_struct *task, *parent;
	__u32 count;

	if (!probe_reads || !scratch)
		return 0;
	count = scratch->record.fixed.ancestors_count;
	if (count >= BW_ANCESTORS_MAX)
		return 0;
	/* for the verifier of 5.10, which loses sight of the bound: it does not change the value */
	barrier_var(count);
	count &= BW_ANCESTORS_MAX - 1;
	task = count ? scratch->leader
	             : BPF_CORE_READ((const struct task_struct *)bpf_get_current_task(), group_leader);
	parent = BPF_CORE_READ(task, real_parent, group_leader);
	if (!parent || parent == task || BPF_CORE_READ(parent, tgid) <= 0)
		return 0;
	fill_ancestor(scratch, &scratch->record.fixed.ancestors[count], parent);
	scratch->record.fixed.ancestors_count = count + 1;
	scratch->leader = parent;
	return 1;
}

/* What needs no text. */
static __always_inline void fill_process(struct bw_process *process, const struct task_struct *task)
{
	const struct task_struct *leader = BPF_CORE_READ(task, group_leader);
	const struct nsproxy *nsproxy = BPF_CORE_READ(task, nsproxy);
	__u32 pidns_pid;

	process->header.version = BW_ABI_VERSION;
	process->header.type = BW_RECORD_PROCESS;
	process->header.boot_ns = bpf_ktime_get_boot_ns();
	process->header.cpu = bpf_get_smp_processor_id();
	process->start_ns = BPF_CORE_READ(leader, start_boottime);
	process->pid = BPF_CORE_READ(leader, tgid);
	process->exec_id = BPF_CORE_READ(task, self_exec_id);
	bpf_core_read_str(process->comm, sizeof(process->comm), &leader->comm);
	current_pidns(&pidns_pid, &process->pidns_inode);
	process->userns_inode = BPF_CORE_READ(task, cred, user_ns, ns.inum);
	if (BPF_CORE_READ(task, flags) & PF_KTHREAD)
		process->flags |= BW_PROCESS_KERNEL_THREAD;
	else if (is_exiting(task))
		process->flags |= BW_PROCESS_EXITING;
	if (nsproxy) {
		process->mntns_inode = BPF_CORE_READ(nsproxy, mnt_ns, ns.inum);
		process->netns_inode = BPF_CORE_READ(nsproxy, net_ns, ns.inum);
	}
}

/* Fills and sends the scratch buffer. 0: it is sent; 1: too, but is not whole. */
__noinline int describe_into_scratch(void)
{
	struct scratch *scratch = this_scratch();
	const struct task_struct *task = (const void *)bpf_get_current_task();
	__u32 size;

	if (!probe_reads || !scratch)
		return -1;
	fill_process(&scratch->record.fixed, task);
	describe_cgroup();
	if (!(scratch->record.fixed.flags & BW_PROCESS_KERNEL_THREAD)) {
		describe_executable();
		describe_arguments();
		describe_directories();
		for (int i = 0; i < BW_ANCESTORS_MAX && describe_next_ancestor(); i++)
			;
	}
	size = scratch->used;
	if (size > BW_PROCESS_TEXTS_MAX)
		return -1;
	size += sizeof(scratch->record.fixed);
	scratch->record.fixed.header.size = size;
	if (bpf_ringbuf_output(&events, &scratch->record, size, wakeup_flag(size)))
		return -1;
	return scratch->record.fixed.flags & BW_PROCESS_EXITING ? 1 : 0;
}

/* 0: the process record of the current process was sent; 1: too, but is not whole. */
__noinline int describe_process(void)
{
	__u64 thread = bpf_get_current_pid_tgid();
	__u32 zero = 0;
	const struct scratch *empty;
	int r;

	if (!probe_reads)
		return -1;
	empty = bpf_map_lookup_elem(&blank, &zero);
	/* an interrupt that comes while its thread is under way here finds the buffer taken */
	if (!empty || bpf_map_update_elem(&scratches, &thread, empty, BPF_NOEXIST))
		return -1;
	r = describe_into_scratch();
	bpf_map_delete_elem(&scratches, &thread);
	return r;
}

static __always_inline __u32 mix(__u32 hash, __u64 value)
{
	return (hash ^ (__u32)value ^ (__u32)(value >> 32)) * 0x01000193; /* as FNV-1a does */
}

/*
 * What a process can change without an exec, and a description tells of it: where it stands, in what, and as what. By
 * number, where there is one: the memory of a namespace that nobody is in any more is taken for the next.
 * A function of its own, which the verifier looks at apart from what calls it.
 */
__noinline int context_of_current(void)
{
	const struct task_struct *task = (const void *)bpf_get_current_task();
	__u32 hash = mix(0x811c9dc5, bpf_get_current_cgroup_id());
	struct path root = {}, pwd = {};
	const struct nsproxy *nsproxy;
	const struct fs_struct *fs;

	if (!probe_reads)
		return 0;
	nsproxy = BPF_CORE_READ(task, nsproxy);
	fs = BPF_CORE_READ(task, fs);
	bpf_core_read(&root, sizeof(root), &fs->root);
	bpf_core_read(&pwd, sizeof(pwd), &fs->pwd);
	hash = mix(hash, BPF_CORE_READ(nsproxy, mnt_ns, ns.inum));
	hash = mix(hash, BPF_CORE_READ(nsproxy, net_ns, ns.inum));
	hash = mix(hash, BPF_CORE_READ(task, cred, user_ns, ns.inum));
	hash = mix(hash, (__u64)BPF_CORE_READ(task, mm, exe_file)); /* PR_SET_MM_EXE_FILE */
	hash = mix(hash, (__u64)root.dentry);
	hash = mix(hash, (__u64)root.mnt);
	hash = mix(hash, (__u64)pwd.dentry);
	return (int)mix(hash, (__u64)pwd.mnt);
}

/*
 * Has it been told who the current process is, since its last exec and as it stands now? An exit takes away what there
 * is to tell: then what was told before holds. Not if a thread of it was exiting when it was told, and the one that is
 * here now has all there is to tell.
 */
static __always_inline bool was_told(const struct bw_process_key *key, __u32 exec_id, __u32 context)
{
	const struct described *told = bpf_map_lookup_elem(&described, key);
	bool exiting;

	if (!told)
		return false;
	exiting = is_exiting((const void *)bpf_get_current_task());
	return (told->exec_id == exec_id && (told->context == context || exiting)) ||
	       (told->exec_id == (exec_id ^ DESCRIBED_PARTLY) && exiting);
}

static __always_inline void tell_process(const struct bw_socket *record, struct bw_counters *count)
{
	struct bw_process_key key = {.start_ns = record->start_ns, .pid = record->pid};
	struct described told = {.exec_id = record->exec_id};
	int r;

	if (!probe_reads)
		return;
	told.context = context_of_current();
	if (was_told(&key, record->exec_id, told.context))
		return;
	r = describe_process();
	if (r < 0) {
		__sync_fetch_and_add(&count->processes_lost, 1);
		return;
	}
	if (r > 0)
		told.exec_id ^= DESCRIBED_PARTLY;
	__sync_fetch_and_add(&count->processes, 1);
	(void)bpf_map_update_elem(&described, &key, &told, BPF_ANY);
}

static __always_inline void fill_credentials(struct bw_socket *record, const struct task_struct *task)
{
	const struct cred *cred = BPF_CORE_READ(task, cred);

	record->effective_uid = BPF_CORE_READ(cred, euid.val);
	record->effective_gid = BPF_CORE_READ(cred, egid.val);
	record->groups_count = BPF_CORE_READ(cred, group_info, ngroups);
	record->effective = read_capabilities(&cred->cap_effective);
	record->permitted = read_capabilities(&cred->cap_permitted);
	record->login_uid = task_login_uid(task);
	record->session = task_session(task);
}

static __always_inline void fill_caller(struct bw_socket *record)
{
	const struct task_struct *task = (const void *)bpf_get_current_task();
	__u64 ids = bpf_get_current_pid_tgid();
	__u64 owner = bpf_get_current_uid_gid();

	record->pid = ids >> 32;
	record->tid = ids;
	record->gid = owner >> 32;
	record->uid = owner;
	record->cgroup_id = bpf_get_current_cgroup_id();
	bpf_get_current_comm(record->comm, sizeof(record->comm));
	current_pidns(&record->pidns_pid, &record->pidns_inode);
	if (!probe_reads)
		return;
	record->start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	record->exec_id = BPF_CORE_READ(task, self_exec_id);
	fill_credentials(record, task);
	record->caller = BW_CALLER_PROCESS | BW_CALLER_CREDENTIALS;
}

#endif
