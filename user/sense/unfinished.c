/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls whose end the kernel left out: nobody will ever tell of them, so they are counted as lost. */
#include "user/sense/sense_private.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/bindwatch.skel.h"

/* Looked at in one call: what is over waits for the next. */
#define UNFINISHED_MAX 1024

/* A bind or listen takes microseconds. One that is held up for longer, by the lock of its socket, may still be told. */
#define UNFINISHED_NS 10000000000ULL

/* Then its entry goes. */
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

/* true: the entry was taken out. */
static bool look_at(struct sense *sense, int calls, uint64_t thread, uint64_t now, bool ids_are_ours)
{
	bool lost, gone = ids_are_ours && is_gone(thread);
	struct bw_call call;
	uint64_t age;

	if (bpf_map_lookup_elem(calls, &thread, &call) < 0 || call.begun_ns > now)
		return false;
	age = now - call.begun_ns;
	lost = !call.told && !call.counted && call.begun_ns >= sense->complete_ns;
	if (gone || age > FORGOTTEN_NS) {
		if (bpf_map_delete_elem(calls, &thread) < 0)
			return false;
		sense->unfinished += lost;
		return true;
	}
	if (lost && age > UNFINISHED_NS) {
		call.counted = 1;
		sense->unfinished += bpf_map_update_elem(calls, &thread, &call, BPF_EXIST) == 0;
	}
	return false;
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
