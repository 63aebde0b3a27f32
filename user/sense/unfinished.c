/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls whose end the kernel left out, of threads that are gone: nobody will ever tell of them. */
#include "user/sense/sense_private.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/bindwatch.skel.h"

/* Looked at in one call: what is over waits for the next. */
#define UNFINISHED_MAX 1024

void sense_count_unfinished(struct sense *sense)
{
	int calls = bpf_map__fd(sense->skeleton->maps.calls);
	uint64_t thread, next;
	const uint64_t *from = NULL;

	for (unsigned int i = 0; i < UNFINISHED_MAX && bpf_map_get_next_key(calls, from, &next) == 0; i++) {
		bool gone = syscall(SYS_tgkill, (pid_t)(next >> 32), (pid_t)(uint32_t)next, 0) < 0 && errno == ESRCH;

		/* the key after one that was taken out is found by starting again: few are gone */
		if (gone && bpf_map_delete_elem(calls, &next) == 0) {
			sense->unfinished++;
			from = NULL;
			continue;
		}
		thread = next;
		from = &thread;
	}
}
