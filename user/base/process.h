/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who did it. A process is described once per exec, as it is at its first call that is seen; the events of that process
 * point to the same description. What could not be read is marked as missing, never guessed: a NULL text, a number with
 * its has_, a flag whose bit is not in flags_known.
 *
 * A description is owned by the process cache (user/sense/process_cache.h) and lives at least as long as the event that
 * points to it. Its texts are hostile bytes, NUL-terminated where no length stands beside them.
 */
#ifndef USER_BASE_PROCESS_H
#define USER_BASE_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROCESS_COMM_LEN      16
#define PROCESS_ANCESTORS_MAX 8

/* The login uid or session of a process that nobody logged in for, audit_get_loginuid(); a group that is not known. */
#define PROCESS_UNSET UINT32_MAX

/* The inode of the first user namespace: PROC_USER_INIT_INO of the kernel's include/linux/proc_ns.h. */
#define PROCESS_FIRST_USERNS 0xEFFFFFFDU

/* executable.flags: a set bit of flags_known tells that the question could be answered. */
#define EXECUTABLE_MEMFD          (1U << 0) /* memfd_create(2), or a file of no name (O_TMPFILE) */
#define EXECUTABLE_DELETED        (1U << 1) /* no name leads to the inode any more */
#define EXECUTABLE_REPLACED       (1U << 2) /* the path leads to another inode by now */
#define EXECUTABLE_OVERLAY_UPPER  (1U << 3) /* written after the container's image was made */
#define EXECUTABLE_WORLD_WRITABLE (1U << 4) /* it, or the directory it stands in, can be written by everybody */
#define EXECUTABLE_MODIFIED       (1U << 5) /* not the file that the package installed */
#define EXECUTABLE_FLAGS          6

struct executable {
	const char *path;    /* from the root of its mount namespace; NULL: not known, or a kernel thread */
	bool path_truncated; /* the beginning is missing: path is the end of the true one */
	bool has_inode;
	uint64_t
	        device; /* st_dev of stat(2); of btrfs and overlayfs that of the file system, where stat shows others */
	uint64_t inode;
	int64_t mtime_ns, ctime_ns;  /* wall clock, at the exec's first bind; valid if has_inode */
	uint32_t flags, flags_known; /* EXECUTABLE_* */
	bool has_sha256;
	uint8_t sha256[32];
	bool package_known;          /* the host's packages were asked: without a package it is of none */
	const char *package;         /* "openssh-server"; NULL: of none, or not known */
	const char *package_version; /* NULL as package */
};

/* From the parent (number 0) upwards. */
struct ancestor {
	uint32_t pid;
	uint64_t start_ns; /* CLOCK_BOOTTIME, nanoseconds */
	char comm[PROCESS_COMM_LEN];
	const char *executable;    /* NULL: not known */
	bool executable_truncated; /* the beginning is missing */
};

enum container_runtime {
	RUNTIME_NONE, /* in no container, as far as its cgroup tells */
	RUNTIME_UNKNOWN,
	RUNTIME_DOCKER,
	RUNTIME_CONTAINERD,
	RUNTIME_CRIO,
	RUNTIME_PODMAN,
	RUNTIME_LXC,
	RUNTIME_SYSTEMD_NSPAWN,
	RUNTIMES,
};

struct process_cgroup {
	uint64_t id;           /* of cgroup v2; 0: not known */
	const char *path;      /* from the root of the hierarchy; NULL: not known */
	bool path_truncated;   /* the end is missing; path NULL: all of it, which is deeper than can be told */
	const char *unit;      /* of the system's service manager: "ssh.service", "user@1000.service"; NULL: none */
	const char *slice;     /* in which the unit stands: "system.slice"; NULL: none, unless slice_unknown */
	bool slice_unknown;    /* the path is not that of a process, but made of a description that names no slice */
	const char *user_unit; /* of the user's service manager below it; a user names it as he likes; NULL: none */
	enum container_runtime runtime;
	const char *container_id; /* NULL: none */
	const char *image;        /* the container's, as base/image_name.h has it; NULL: none, or not known */
	const char *pod_uid;      /* Kubernetes, with dashes; of a static pod 32 digits without; NULL: none */
};

struct process {
	uint32_t pid;      /* the thread group, in the first pid namespace */
	uint64_t start_ns; /* CLOCK_BOOTTIME, nanoseconds: with the pid it names the process */
	uint32_t exec_id;  /* counts its execs */
	char comm[PROCESS_COMM_LEN];
	/*
	 * Read from /proc and not by the hook: at another moment than the event's, so that an exec between the two is
	 * not ruled out.
	 */
	bool from_proc;
	bool kernel_thread; /* has no executable, arguments and directories */
	struct executable executable;
	const char *arguments; /* each ends with a NUL; NULL: not known */
	size_t arguments_length;
	size_t arguments_count; /* of those that are whole */
	bool arguments_truncated;
	const char *working_directory; /* NULL: not known */
	bool working_directory_truncated;
	const char *root_directory; /* "/", or that of a chroot(2), as the other paths; NULL: not known */
	struct ancestor ancestors[PROCESS_ANCESTORS_MAX];
	size_t ancestors_count;
	struct process_cgroup cgroup;
	uint32_t pidns_inode, mntns_inode, userns_inode, netns_inode; /* 0: not known */
};

/* At the moment of the call: a process can change them without an exec. Ids are those of the first user namespace. */
struct credentials {
	bool known; /* false: only the event's uid and gid are */
	uint32_t effective_uid, effective_gid;
	uint32_t groups_count;         /* supplementary groups */
	uint64_t effective, permitted; /* capabilities, bit n is capability n (linux/capability.h) */
	uint32_t login_uid, session;   /* of audit; PROCESS_UNSET: nobody logged in */
};

/* Bytes that process_copy() puts texts into. */
size_t process_texts_size(const struct process *process);

/* All of `from`; its texts are copied to `texts`, which has room for process_texts_size(), and *ret points there. */
void process_copy(const struct process *from, struct process *ret, char *texts);

#endif
