/* SPDX-License-Identifier: BSD-2-Clause */
/* What live tests know of this kernel, their own build, the clock, and what a monitor wrote. */
#include "tests/live/live.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

int live_load_program(union bpf_attr *attr, size_t size)
{
	const struct rlimit infinite = {RLIM_INFINITY, RLIM_INFINITY};
	struct rlimit before;
	bool lifted = getrlimit(RLIMIT_MEMLOCK, &before) == 0 && setrlimit(RLIMIT_MEMLOCK, &infinite) == 0;
	int fd = (int)syscall(SYS_bpf, BPF_PROG_LOAD, attr, size);
	int result = fd < 0 ? -errno : fd;

	/* the monitor must find the limit that it would find anywhere */
	if (lifted)
		(void)setrlimit(RLIMIT_MEMLOCK, &before);
	return result;
}

/* PROC_PID_INIT_INO of include/linux/proc_ns.h */
#define FIRST_PIDNS 0xeffffffcU

const char *live_why_not(void)
{
	/* r0 = 0; exit: the smallest program that there is */
	static const struct bpf_insn instructions[] = {
	        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
	        {.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr attr = {
	        .prog_type = BPF_PROG_TYPE_SOCKET_FILTER,
	        .insns = (uintptr_t)instructions,
	        .insn_cnt = 2,
	        .license = (uintptr_t) "BSD",
	};
	struct stat pidns;
	int fd;

	if (geteuid() != 0)
		return "needs root";
	if (stat("/proc/self/ns/pid", &pidns) || pidns.st_ino != FIRST_PIDNS)
		return "needs the first pid namespace, whose pids the events tell (docker run --pid=host)";
	if (access("/sys/kernel/btf/vmlinux", R_OK) != 0)
		return "this kernel has no BTF (/sys/kernel/btf/vmlinux)";
	fd = live_load_program(&attr, sizeof(attr));
	if (fd < 0)
		return "bpf(BPF_PROG_LOAD) is refused here";
	close(fd);
	return NULL;
}

bool live_kernel_has(unsigned int major, unsigned int minor)
{
	unsigned int is_major = 0, is_minor = 0;
	struct utsname system;

	if (uname(&system) || sscanf(system.release, "%u.%u", &is_major, &is_minor) != 2)
		return false;
	return is_major > major || (is_major == major && is_minor >= minor);
}

bool live_kernel_skips(const char *plan)
{
	if (strcmp(plan, "trampoline") == 0)
		return live_kernel_has(7, 0);
	return strcmp(plan, "kprobe") == 0 && !live_kernel_has(6, 1);
}

int live_program(const char *argv0, char *ret, size_t size)
{
	const char *end = argv0 + strlen(argv0);
	int slashes = 0;
	int length;

	/* B/tests/AREA/NAME: cut from the third slash, counted from the end */
	while (end > argv0 && slashes < 3) {
		end--;
		slashes += *end == '/';
	}
	if (slashes < 3)
		return -EINVAL;
	length = snprintf(ret, size, "%.*s/bindwatch", (int)(end - argv0), argv0);
	return length < 0 || (size_t)length >= size ? -ENAMETOOLONG : 0;
}

int64_t live_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

size_t live_lines(const struct live_text *text)
{
	size_t lines = 0;

	for (size_t i = 0; i < text->used; i++)
		lines += text->data[i] == '\n';
	return lines;
}

bool live_says(const struct live_text *text, const char *needle)
{
	if (text->data && strstr(text->data, needle))
		return true;
	fprintf(stderr, "\"%s\" is not in: %s\n", needle, text->data ? text->data : "(nothing)");
	return false;
}

const json_t *live_field(const json_t *event, const char *path)
{
	while (event) {
		size_t length = strcspn(path, ".");
		char name[64];

		if (length >= sizeof(name))
			return NULL;
		memcpy(name, path, length);
		name[length] = '\0';
		event = json_object_get(event, name);
		if (!path[length])
			return event;
		path += length + 1;
	}
	return NULL;
}

bool live_is_action(const json_t *event, const char *action)
{
	const char *value = json_string_value(live_field(event, "event.action"));

	return value && strcmp(value, action) == 0;
}
