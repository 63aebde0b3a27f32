/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls whose end the kernel left out: nobody will ever tell of them, so they are counted as lost. */
#include "user/sense/sense_private.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/bindwatch.skel.h"

/* Looked at in one call: what is over waits for the next. */
#define UNFINISHED_MAX 1024

/* A bind or listen takes microseconds. One that is held up for longer is looked at in /proc. */
#define UNFINISHED_NS 10000000000ULL

/* Where it cannot be looked at. */
#define FORGOTTEN_NS 600000000000ULL

/* The inode of the first pid namespace (include/linux/proc_ns.h): the ids of the kernel's entries are ours there only. */
#define PROC_PID_INIT_INO 0xEFFFFFFCU

static bool in_first_pid_namespace(void)
{
	struct stat status;

	return stat("/proc/self/ns/pid", &status) == 0 && status.st_ino == PROC_PID_INIT_INO;
}

static bool is_gone(uint64_t thread)
{
	return syscall(SYS_tgkill, (pid_t)(thread >> 32), (pid_t)(uint32_t)thread, 0) < 0 && errno == ESRCH;
}

/* bind(2), listen(2) and socketcall(2), by the numbers of 64-bit and of 32-bit programs: the kernel's tables. */
static bool is_bind_or_listen(long number)
{
	static const long numbers[] = {SYS_bind, SYS_listen,
#if defined(__x86_64__)
	                               102, 361, 363
#elif defined(__aarch64__)
	                               282, 284
#endif
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (numbers[i] == number)
			return true;
	return false;
}

/*
 * Is the call held up, by the lock of its socket, by memory or a file system that does not answer? Then it will be told.
 * The file has "running", or the number of the call in which the thread waits (proc(5)); true where it cannot be read.
 */
static bool is_under_way(uint64_t thread)
{
	char path[64], text[32] = "";
	int fd;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/%u/task/%u/syscall", (uint32_t)(thread >> 32), (uint32_t)thread);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return true;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0 || strncmp(text, "running", 7) == 0)
		return true;
	return is_bind_or_listen(strtol(text, NULL, 10));
}

/* true: the entry was taken out. */
static bool look_at(struct sense *sense, int calls, uint64_t thread, uint64_t now, bool ids_are_ours)
{
	struct bw_call call;
	uint64_t age;
	bool over;

	if (bpf_map_lookup_elem(calls, &thread, &call) < 0 || call.begun_ns > now)
		return false;
	age = now - call.begun_ns;
	over = ids_are_ours && (is_gone(thread) || (age > UNFINISHED_NS && !is_under_way(thread)));
	if ((!over && age <= FORGOTTEN_NS) || bpf_map_delete_elem(calls, &thread) < 0)
		return false;
	sense->unfinished += !call.told && call.begun_ns >= sense->complete_ns;
	return true;
}

void sense_count_unfinished(struct sense *sense)
{
	int calls = bpf_map__fd(sense->skeleton->maps.calls);
	bool ids_are_ours = in_first_pid_namespace();
	uint64_t thread, next, now = sense_boot_ns();
	const uint64_t *from = NULL;

	for (unsigned int i = 0; i < UNFINISHED_MAX && bpf_map_get_next_key(calls, from, &next) == 0; i++) {
		/* the key behind one that was taken out is found by starting again: few are */
		from = look_at(sense, calls, next, now, ids_are_ours) ? NULL : &thread;
		thread = next;
	}
}
