/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sense/preemption.h"
#include "user/sense/probe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <linux/bpf.h>
#include <linux/capability.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

/* Since 5.8 what CAP_SYS_ADMIN was needed for is split up (980737282232, 2c78ee898d8f); it still stands for both. */
static const struct {
	unsigned int number;
	const char *name;
} needed[] = {
        {CAP_BPF, "CAP_BPF"},             /* maps and programs */
        {CAP_PERFMON, "CAP_PERFMON"},     /* kernel memory, tracepoints, kprobes */
        {CAP_NET_ADMIN, "CAP_NET_ADMIN"}, /* cgroup programs that see sockets */
};

static const struct {
	const char *name;
	uint32_t bit;
} functions[] = {
        {"inet_bind", KERNEL_INET_BIND},       {"inet6_bind", KERNEL_INET6_BIND},
        {"inet_bind_sk", KERNEL_INET_BIND_SK}, {"inet6_bind_sk", KERNEL_INET6_BIND_SK},
        {"inet_release", KERNEL_INET_RELEASE},
};

uint32_t probe_release(const char *release)
{
	unsigned int major, minor;

	if (sscanf(release, "%3u.%5u", &major, &minor) != 2)
		return 0;
	return KERNEL_RELEASE(major, minor);
}

void probe_missing_capabilities(uint64_t effective, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	if (effective & 1ULL << CAP_SYS_ADMIN)
		effective |= 1ULL << CAP_BPF | 1ULL << CAP_PERFMON;
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]) && used < size; i++)
		if (!(effective & 1ULL << needed[i].number))
			used += snprintf(text + used, size - used, "%s%s", used ? ", " : "", needed[i].name);
}

uint64_t probe_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

	if (syscall(SYS_capget, &header, data) < 0)
		return 0;
	return (uint64_t)data[1].effective << 32 | data[0].effective;
}

/* How many parameters inet_csk_listen_start() has tells which of its two forms it is: 5.17, e7049395b1c3. */
static uint32_t probe_listen_start(const struct btf *btf)
{
	const struct btf_type *type;
	int id = btf__find_by_name_kind(btf, "inet_csk_listen_start", BTF_KIND_FUNC);

	if (id <= 0)
		return 0;
	type = btf__type_by_id(btf, btf__type_by_id(btf, id)->type);
	return btf_vlen(type) == 1 ? KERNEL_LISTEN_START : btf_vlen(type) == 2 ? KERNEL_LISTEN_START_BACKLOG : 0;
}

/* The offset of a member, bytes; -1: the struct has none of this name. */
static int member_offset(const struct btf *btf, const struct btf_type *type, const char *name)
{
	for (__u32 i = 0; i < btf_vlen(type); i++)
		if (strcmp(btf__name_by_offset(btf, btf_members(type)[i].name_off), name) == 0)
			return (int)(btf_member_bit_offset(type, i) / 8);
	return -1;
}

/* Overlayfs is built in, or a module whose types are there once it is loaded, or neither. */
static struct overlay_offsets probe_overlay(struct btf *kernel)
{
	struct overlay_offsets offsets = {-1, -1};
	struct btf *module = NULL;
	const struct btf_type *type;
	int id = btf__find_by_name_kind(kernel, "ovl_inode", BTF_KIND_STRUCT);

	if (id < 0) {
		module = btf__parse_split("/sys/kernel/btf/overlay", kernel);
		id = module ? btf__find_by_name_kind(module, "ovl_inode", BTF_KIND_STRUCT) : id;
	}
	if (id >= 0) {
		const struct btf *btf = module ? module : kernel;

		type = btf__type_by_id(btf, (__u32)id);
		offsets.inode = member_offset(btf, type, "vfs_inode");
		offsets.upper = member_offset(btf, type, "__upperdentry");
	}
	btf__free(module);
	return offsets;
}

/*
 * lockdown=confidentiality refuses programs that call bpf_probe_read_kernel() (security_locked_down(),
 * LOCKDOWN_BPF_READ_KERNEL): tried with the least program that calls it. libbpf's own probe goes by the words of the
 * verifier, which changed in 6.12.
 */
bool probe_reads(void)
{
	const struct bpf_insn program[] = {
	        {.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_10},
	        {.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = BPF_REG_1, .imm = -8},
	        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = 8},
	        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3, .imm = 0},
	        {.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_probe_read_kernel},
	        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
	        {.code = BPF_JMP | BPF_EXIT},
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_KPROBE, "probe_reads", "GPL", program,
	                       sizeof(program) / sizeof(program[0]), NULL);

	if (fd >= 0)
		close(fd);
	/* only a refusal by the verifier tells; what else fails here will fail again where it is reported */
	return fd >= 0 || (fd != -EINVAL && fd != -EACCES);
}

int probe_kernel(struct plan_probe *ret, char error[PROBE_ERROR_LEN])
{
	struct plan_probe probe = {0};
	struct utsname system;
	struct btf *btf;
	char missing[64];

	uname(&system);
	probe.release = probe_release(system.release);
	probe.preemptible = preemption_probe(probe.release, system.release, system.version);
	if (probe.release < KERNEL_OLDEST) {
		snprintf(error, PROBE_ERROR_LEN, "kernel %.64s is too old: Linux 5.10 or newer is needed",
		         system.release);
		return -ENOSYS;
	}
	probe_missing_capabilities(probe_capabilities(), missing, sizeof(missing));
	if (missing[0]) {
		snprintf(error, PROBE_ERROR_LEN, "this process lacks %s: run it as root (with sudo)",
		         missing);
		return -EPERM;
	}
	btf = btf__load_vmlinux_btf();
	if (!btf) {
		snprintf(error, PROBE_ERROR_LEN,
		         "kernel %.64s has no BTF (/sys/kernel/btf/vmlinux): a kernel built with "
		         "CONFIG_DEBUG_INFO_BTF=y is needed",
		         system.release);
		return -ENOENT;
	}
	probe.btf = true;
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++)
		if (btf__find_by_name_kind(btf, functions[i].name, BTF_KIND_FUNC) > 0)
			probe.functions |= functions[i].bit;
	probe.functions |= probe_listen_start(btf);
	probe.overlay = probe_overlay(btf);
	btf__free(btf);
	probe.ipv6 = access("/proc/net/if_inet6", F_OK) == 0;
	probe.probe_reads = probe_reads();
	*ret = probe;
	return 0;
}
