/* SPDX-License-Identifier: BSD-2-Clause */
/* A process of the test's own tree, as the kernel would describe it, and what enrich.h says of it. */
#ifndef TESTS_UNIT_USER_ENRICH_DESCRIBED_H
#define TESTS_UNIT_USER_ENRICH_DESCRIBED_H

#include "tests/unit/user/enrich/tree.h"
#include "user/enrich/enrich.h"

static inline struct process described(const char *root, pid_t pid, const char *name)
{
	struct process process = {.pid = (uint32_t)pid, .executable = {.path = name, .has_inode = true}};
	struct stat st;

	assert_int_equal(stat(tree_path(root, name), &st), 0);
	process.executable.device = st.st_dev;
	process.executable.inode = st.st_ino;
	process.executable.mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
	process.executable.ctime_ns = (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec;
	return process;
}

/* The answer, however slow this machine is. */
static inline void enrich_patiently(struct enrich *enrich, struct process *process)
{
	for (unsigned int i = 0; i < 60000 && !enrich_process(enrich, process); i++)
		(void)usleep(1000);
	assert_true(enrich_process(enrich, process));
}

#endif
