/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine that we are on: what the hooks need of it, and what is there. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <linux/capability.h>

#include <bpf/libbpf.h>

#include "user/base/mountinfo.h"
#include "user/cli/doctor.h"
#include "user/sense/attach.h"
#include "user/sense/probe.h"

#define BTF      "/sys/kernel/btf/vmlinux"
#define LOCKDOWN "/sys/kernel/security/lockdown"

__attribute__((format(printf, 4, 5))) static struct doctor_check *add(struct doctor *doctor, const char *name,
                                                                      enum doctor_state state, const char *format, ...)
{
	struct doctor_check *check = &doctor->checks[doctor->checks_count++];
	va_list arguments;

	*check = (struct doctor_check){.name = name, .state = state};
	va_start(arguments, format);
	(void)vsnprintf(check->detail, sizeof(check->detail), format, arguments);
	va_end(arguments);
	return check;
}

static void need(struct doctor_check *check, const char *advice)
{
	check->needed = true;
	if (check->state == DOCTOR_NO)
		check->advice = advice;
}

static void look_at_kernel(struct doctor *doctor)
{
	struct utsname system;
	struct doctor_check *check;

	(void)uname(&system);
	check = add(doctor, "kernel", probe_release(system.release) >= KERNEL_OLDEST ? DOCTOR_OK : DOCTOR_NO, "%s",
	            system.release);
	need(check, "Linux 5.10 or newer is needed");
	if (access(BTF, R_OK) == 0)
		check = add(doctor, "BTF", DOCTOR_OK, "%s", BTF);
	else
		check = add(doctor, "BTF", DOCTOR_NO, "%s: %s", BTF, strerror(errno));
	need(check, "a kernel built with CONFIG_DEBUG_INFO_BTF=y is needed");
}

/* The first line of a file, without its end. 0, or -errno. */
static int read_line(const char *path, char *line, int size)
{
	FILE *file = fopen(path, "re");
	int r = 0;

	if (!file)
		return -errno;
	errno = 0;
	if (!fgets(line, size, file))
		r = errno ? -errno : -ENODATA;
	else
		line[strcspn(line, "\n")] = '\0';
	(void)fclose(file);
	return r;
}

const char *doctor_lockdown_mode(char *text)
{
	char *begin = strchr(text, '['), *end = begin ? strchr(begin, ']') : NULL;

	if (!end || end == begin + 1)
		return NULL;
	*end = '\0';
	return begin + 1;
}

static void look_at_lockdown(struct doctor *doctor)
{
	char line[128];
	int r = read_line(LOCKDOWN, line, sizeof(line));
	const char *mode = r < 0 ? NULL : doctor_lockdown_mode(line);
	struct doctor_check *check;

	if (!mode) {
		(void)add(doctor, "lockdown", DOCTOR_NONE,
		          r == -ENOENT ? "not told: no securityfs is mounted, or the kernel has no lockdown"
		                       : "not told: %s",
		          r < 0 ? strerror(-r) : LOCKDOWN " names no mode");
		return;
	}
	check = add(doctor, "lockdown", strcmp(mode, "confidentiality") == 0 ? DOCTOR_NO : DOCTOR_OK, "%s", mode);
	if (check->state == DOCTOR_NO)
		check->advice =
		        "kernel memory may not be read by address: only plan trampoline is left, and tells less";
}

static void look_at_probe_reads(struct doctor *doctor, uint64_t capabilities)
{
	static const char name[] = "probe reads";
	char missing[64];

	/* without them the kernel refuses any program, whatever it calls */
	probe_missing_capabilities(capabilities, missing, sizeof(missing));
	if (*missing) {
		(void)add(doctor, name, DOCTOR_NONE, "not known without %s", missing);
		return;
	}
	if (probe_reads())
		(void)add(doctor, name, DOCTOR_OK, "bpf_probe_read_kernel is allowed");
	else
		add(doctor, name, DOCTOR_NO, "bpf_probe_read_kernel is refused")->advice =
		        "lockdown=confidentiality refuses it: only plan trampoline is left, and tells less";
}

/* A sysctl that must not be 0. absent: what it means that there is none. */
static void look_at_sysctl(struct doctor *doctor, const char *name, const char *key, const char *absent,
                           const char *advice)
{
	char path[64], line[32];
	int r;

	(void)snprintf(path, sizeof(path), "/proc/sys/%s", key);
	for (char *dot = strchr(path, '.'); dot; dot = strchr(dot, '.'))
		*dot = '/';
	r = read_line(path, line, sizeof(line));
	if (r == -ENOENT)
		(void)add(doctor, name, DOCTOR_NONE, "%s", absent);
	else if (r < 0)
		(void)add(doctor, name, DOCTOR_NONE, "not known: %s: %s", key, strerror(-r));
	else if (strcmp(line, "0") != 0)
		(void)add(doctor, name, DOCTOR_OK, "%s is %s", key, line);
	else
		add(doctor, name, DOCTOR_NO, "%s is 0", key)->advice = advice;
}

static void look_at_capabilities(struct doctor *doctor, uint64_t effective)
{
	static const struct {
		unsigned int number;
		bool needed, by_admin; /* CAP_SYS_ADMIN stands for it: capabilities(7) */
		const char *name, *what;
	} capabilities[] = {
	        {CAP_BPF, true, true, "CAP_BPF", "to load programs and maps"},
	        {CAP_PERFMON, true, true, "CAP_PERFMON", "to attach to the kernel's functions and tracepoints"},
	        {CAP_NET_ADMIN, true, false, "CAP_NET_ADMIN", "to attach programs to cgroups"},
	        {CAP_SYS_ADMIN, false, false, "CAP_SYS_ADMIN",
	         "to mount tracefs and to look into other network namespaces"},
	        {CAP_SYS_PTRACE, false, false, "CAP_SYS_PTRACE", "to name the holders of other users' sockets"},
	};

	for (size_t i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]); i++) {
		bool has = effective & 1ULL << capabilities[i].number;
		bool stands_in = capabilities[i].by_admin && (effective & 1ULL << CAP_SYS_ADMIN);
		struct doctor_check *check;

		check = add(doctor, capabilities[i].name,
		            has         ? DOCTOR_OK
		            : stands_in ? DOCTOR_NONE
		                        : DOCTOR_NO,
		            "%s%s", capabilities[i].what, !has && stands_in ? ": CAP_SYS_ADMIN stands for it" : "");
		check->needed = capabilities[i].needed;
		if (check->state == DOCTOR_NO)
			check->advice = "run it as root (sudo bindwatch doctor)";
	}
}

struct search {
	const char *type;
	char point[DOCTOR_DETAIL_LEN];
};

/* As user/sense/attach.c takes it: the first that shows the root of the file system. */
static int visit(void *context, const struct mountinfo *mount)
{
	struct search *search = context;

	if (strcmp(mount->type, search->type) != 0 || strcmp(mount->root, "/") != 0)
		return 0;
	(void)snprintf(search->point, sizeof(search->point), "%s", mount->point);
	return 1;
}

static void look_at_cgroup(struct doctor *doctor)
{
	int fd = cgroup_root_open(MOUNTINFO);
	char link[32], point[DOCTOR_DETAIL_LEN];
	ssize_t length;

	if (fd < 0) {
		add(doctor, "cgroup v2", DOCTOR_NO, "%s", cgroup_root_why_not(fd))->advice =
		        fd == -ENOENT
		                ? "plan tracepoint needs it, and other plans the sockets' cookies: mount -t cgroup2 "
		                  "none DIRECTORY"
		                : "plan tracepoint needs its root, and other plans the sockets' cookies";
		return;
	}
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, point, sizeof(point));
	close(fd);
	(void)add(doctor, "cgroup v2", DOCTOR_OK, "%.*s", length < 0 ? 0 : (int)length, point);
}

static void look_at_tracefs(struct doctor *doctor)
{
	struct search search = {.type = "tracefs"};
	int fd;

	if (mountinfo_each(MOUNTINFO, visit, &search) > 0) {
		(void)add(doctor, "tracefs", DOCTOR_OK, "%s", search.point);
		return;
	}
	fd = tracefs_open(MOUNTINFO);
	if (fd >= 0) {
		close(fd);
		(void)add(doctor, "tracefs", DOCTOR_OK,
		          "mounted nowhere: a mount of its own is made, that no one sees");
		return;
	}
	add(doctor, "tracefs", DOCTOR_NO, "mounted nowhere, and not to be mounted: %s", strerror(-fd))->advice =
	        "plan tracepoint needs it: mount -t tracefs none /sys/kernel/tracing";
}

void doctor_look(struct doctor *doctor)
{
	uint64_t capabilities = probe_capabilities();

	libbpf_set_print(NULL); /* its own words are for its developers */
	doctor->checks_count = 0;
	look_at_kernel(doctor);
	look_at_lockdown(doctor);
	look_at_probe_reads(doctor, capabilities);
	look_at_sysctl(doctor, "JIT", "net.core.bpf_jit_enable",
	               "not known: only the first network namespace shows net.core.bpf_jit_enable",
	               "trampolines need it: sysctl net.core.bpf_jit_enable=1");
	look_at_sysctl(
	        doctor, "ftrace", "kernel.ftrace_enabled", "this kernel has no kernel.ftrace_enabled",
	        "hooks of plans trampoline and kprobe would attach and never fire: sysctl kernel.ftrace_enabled=1");
	look_at_capabilities(doctor, capabilities);
	look_at_cgroup(doctor);
	look_at_tracefs(doctor);
}
