/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sense/plan.h"

#include <errno.h>
#include <string.h>

/*
 * From 6.6 on inet_bind() is a wrapper on inet_bind_sk() (e6d360ff87f0), and MPTCP binds its subflow by that and no
 * longer by inet_bind() (8cf2ebdc0078): where _sk exists it sees everything, and hooks on both would see a bind twice.
 */
/* clang-format off */
static const struct plan_hook plan_hooks[] = {
	{PLAN_TRAMPOLINE, "cgroup_sock_create", .attach = ATTACH_CGROUP, .optional = true},
	{PLAN_TRAMPOLINE, "cgroup_cookie4", .attach = ATTACH_CGROUP, .optional = true},
	{PLAN_TRAMPOLINE, "cgroup_cookie6", .attach = ATTACH_CGROUP, .optional = true},
	{PLAN_TRAMPOLINE, "fexit_inet_bind_sk", .needs = KERNEL_INET_BIND_SK, .hook = BW_HOOK_FEXIT_INET_BIND_SK},
	{PLAN_TRAMPOLINE, "fexit_inet6_bind_sk", .needs = KERNEL_INET6_BIND_SK, .hook = BW_HOOK_FEXIT_INET6_BIND_SK},
	{PLAN_TRAMPOLINE, "fexit_inet_bind", .needs = KERNEL_INET_BIND, .instead = KERNEL_INET_BIND_SK,
	 .hook = BW_HOOK_FEXIT_INET_BIND},
	{PLAN_TRAMPOLINE, "fexit_inet6_bind", .needs = KERNEL_INET6_BIND, .instead = KERNEL_INET6_BIND_SK,
	 .hook = BW_HOOK_FEXIT_INET6_BIND},
	{PLAN_TRAMPOLINE, "fexit_listen_start", .needs = KERNEL_LISTEN_START, .optional = true,
	 .hook = BW_HOOK_FEXIT_LISTEN_START},
	{PLAN_TRAMPOLINE, "fexit_listen_start_backlog", .needs = KERNEL_LISTEN_START_BACKLOG, .optional = true,
	 .hook = BW_HOOK_FEXIT_LISTEN_START},
	{PLAN_TRAMPOLINE, "set_state_sctp", .optional = true, .hook = BW_HOOK_SET_STATE_SCTP},
	{PLAN_TRAMPOLINE, "fentry_inet_release", .needs = KERNEL_INET_RELEASE, .optional = true,
	 .hook = BW_HOOK_FENTRY_INET_RELEASE},

	{PLAN_KPROBE, "cgroup_sock_create", .attach = ATTACH_CGROUP, .optional = true},
	{PLAN_KPROBE, "cgroup_cookie4", .attach = ATTACH_CGROUP, .optional = true},
	{PLAN_KPROBE, "cgroup_cookie6", .attach = ATTACH_CGROUP, .optional = true},
	{PLAN_KPROBE, "kprobe_inet_bind_sk", .paired = true, .needs = KERNEL_INET_BIND_SK},
	{PLAN_KPROBE, "kprobe_inet6_bind_sk", .paired = true, .needs = KERNEL_INET6_BIND_SK},
	{PLAN_KPROBE, "kprobe_inet_bind", .paired = true, .needs = KERNEL_INET_BIND, .instead = KERNEL_INET_BIND_SK},
	{PLAN_KPROBE, "kprobe_inet6_bind", .paired = true, .needs = KERNEL_INET6_BIND, .instead = KERNEL_INET6_BIND_SK},
	{PLAN_KPROBE, "kretprobe_inet_bind_sk", .paired = true, .needs = KERNEL_INET_BIND_SK,
	 .hook = BW_HOOK_KRETPROBE_INET_BIND_SK},
	{PLAN_KPROBE, "kretprobe_inet6_bind_sk", .paired = true, .needs = KERNEL_INET6_BIND_SK,
	 .hook = BW_HOOK_KRETPROBE_INET6_BIND_SK},
	{PLAN_KPROBE, "kretprobe_inet_bind", .paired = true, .needs = KERNEL_INET_BIND, .instead = KERNEL_INET_BIND_SK,
	 .hook = BW_HOOK_KRETPROBE_INET_BIND},
	{PLAN_KPROBE, "kretprobe_inet6_bind", .paired = true, .needs = KERNEL_INET6_BIND, .instead = KERNEL_INET6_BIND_SK,
	 .hook = BW_HOOK_KRETPROBE_INET6_BIND},
	{PLAN_KPROBE, "kprobe_listen_start", .paired = true, .needs = KERNEL_LISTEN_START, .optional = true},
	{PLAN_KPROBE, "kprobe_listen_start", .paired = true, .needs = KERNEL_LISTEN_START_BACKLOG, .optional = true},
	{PLAN_KPROBE, "kretprobe_listen_start", .paired = true, .needs = KERNEL_LISTEN_START, .optional = true,
	 .hook = BW_HOOK_KRETPROBE_LISTEN_START},
	{PLAN_KPROBE, "kretprobe_listen_start", .paired = true, .needs = KERNEL_LISTEN_START_BACKLOG, .optional = true,
	 .hook = BW_HOOK_KRETPROBE_LISTEN_START},
	{PLAN_KPROBE, "set_state_sctp", .optional = true, .hook = BW_HOOK_SET_STATE_SCTP},
	{PLAN_KPROBE, "kprobe_inet_release", .needs = KERNEL_INET_RELEASE, .optional = true,
	 .hook = BW_HOOK_KPROBE_INET_RELEASE},

	{PLAN_TRACEPOINT, "cgroup_sock_create", .attach = ATTACH_CGROUP},
	/* the beginning before the end, so that the first end that is seen has its beginning */
	{PLAN_TRACEPOINT, "sys_enter_bind", .paired = true, .attach = ATTACH_TRACEPOINT, .tracepoint = "syscalls/sys_enter_bind"},
	{PLAN_TRACEPOINT, "cgroup_bind4", .attach = ATTACH_CGROUP},
	{PLAN_TRACEPOINT, "cgroup_bind6", .attach = ATTACH_CGROUP},
	{PLAN_TRACEPOINT, "cgroup_post_bind4", .attach = ATTACH_CGROUP, .hook = BW_HOOK_CGROUP_POST_BIND4},
	{PLAN_TRACEPOINT, "cgroup_post_bind6", .attach = ATTACH_CGROUP, .hook = BW_HOOK_CGROUP_POST_BIND6},
	{PLAN_TRACEPOINT, "sys_exit_bind", .paired = true, .attach = ATTACH_TRACEPOINT, .tracepoint = "syscalls/sys_exit_bind",
	 .hook = BW_HOOK_SYS_EXIT_BIND},
	{PLAN_TRACEPOINT, "sys_enter_listen", .paired = true, .attach = ATTACH_TRACEPOINT, .tracepoint = "syscalls/sys_enter_listen"},
	{PLAN_TRACEPOINT, "sys_exit_listen", .paired = true, .attach = ATTACH_TRACEPOINT, .tracepoint = "syscalls/sys_exit_listen",
	 .hook = BW_HOOK_SYS_EXIT_LISTEN},
	{PLAN_TRACEPOINT, "set_state_listen", .optional = true, .hook = BW_HOOK_SET_STATE_LISTEN},
	{PLAN_TRACEPOINT, "cgroup_sock_release", .attach = ATTACH_CGROUP, .hook = BW_HOOK_CGROUP_SOCK_RELEASE},
};
/* clang-format on */

#define PLAN_HOOKS (sizeof(plan_hooks) / sizeof(plan_hooks[0]))

static const char *const plan_names[PLAN_COUNT] = {
        [PLAN_NONE] = "",
        [PLAN_TRAMPOLINE] = "trampoline",
        [PLAN_KPROBE] = "kprobe",
        [PLAN_TRACEPOINT] = "tracepoint",
};

/*
 * false: this kernel lacks what the plan hooks. Where IPv6 is a module its functions are not in the kernel's own BTF,
 * and the plans that need them there would not see a bind of an IPv6 socket, dual-stack ones among them.
 */
static bool plan_collect(const struct plan_probe *probe, enum capture_plan plan, struct plan_choice *choice)
{
	const uint32_t ipv6 = KERNEL_INET6_BIND | KERNEL_INET6_BIND_SK;
	bool whole = false;

	*choice = (struct plan_choice){.plan = plan};
	if (plan != PLAN_TRACEPOINT && probe->ipv6 && !(probe->functions & ipv6))
		return false;
	for (size_t i = 0; i < PLAN_HOOKS && choice->count < PLAN_HOOKS_MAX; i++) {
		const struct plan_hook *hook = &plan_hooks[i];

		if (hook->plan != plan || (hook->needs & ~probe->functions) || (hook->instead & probe->functions))
			continue;
		choice->hooks[choice->count++] = hook;
		whole |= !hook->optional;
	}
	return whole;
}

/*
 * A trampoline's program is skipped where it is running on the same CPU already, in a task that was preempted within
 * it; until that task runs again, every bind on the CPU is missed. On a preemptible 7.2 four processes on one CPU lost
 * a tenth of their binds that way. A kprobe runs with preemption off (it costs five times as much), and a program of a
 * cgroup is not skipped. A kretprobe in turn misses what it has no instance for: see KERNEL_KRETPROBES. On 5.10 four
 * processes on one CPU lost up to three quarters of their binds.
 */
static const enum capture_plan order[PLAN_COUNT - 1] = {PLAN_TRAMPOLINE, PLAN_KPROBE, PLAN_TRACEPOINT};
static const enum capture_plan order_preemptible[PLAN_COUNT - 1] = {PLAN_KPROBE, PLAN_TRACEPOINT, PLAN_TRAMPOLINE};
static const enum capture_plan order_few_kretprobes[PLAN_COUNT - 1] = {PLAN_TRAMPOLINE, PLAN_TRACEPOINT, PLAN_KPROBE};

static const enum capture_plan *order_for(const struct plan_probe *probe)
{
	if (probe->preemptible)
		return order_preemptible;
	return probe->release < KERNEL_KRETPROBES ? order_few_kretprobes : order;
}

int plan_choose(const struct plan_probe *probe, enum capture_plan forced, struct plan_choice *ret)
{
	const enum capture_plan *plans = order_for(probe);
	struct plan_choice choice;

	for (size_t i = 0; i < PLAN_COUNT - 1; i++) {
		if ((forced != PLAN_NONE && plans[i] != forced) || probe->refused[plans[i]])
			continue;
		if (!plan_collect(probe, plans[i], &choice))
			continue;
		*ret = choice;
		return 0;
	}
	return -ENOENT;
}

const char *plan_name(enum capture_plan plan)
{
	return plan < PLAN_COUNT ? plan_names[plan] : "";
}

enum capture_plan plan_find(const char *name)
{
	for (enum capture_plan plan = PLAN_TRAMPOLINE; plan < PLAN_COUNT; plan++)
		if (strcmp(name, plan_names[plan]) == 0)
			return plan;
	return PLAN_NONE;
}

const char *plan_hook_name(unsigned int hook)
{
	for (size_t i = 0; i < PLAN_HOOKS; i++)
		if (hook != BW_HOOK_NONE && plan_hooks[i].hook == hook)
			return plan_hooks[i].program;
	return "";
}

enum bw_record_type plan_hook_tells(enum bw_hook hook)
{
	switch (hook) {
	case BW_HOOK_FEXIT_LISTEN_START:
	case BW_HOOK_KRETPROBE_LISTEN_START:
	case BW_HOOK_SYS_EXIT_LISTEN:
		return BW_RECORD_LISTEN;
	case BW_HOOK_FENTRY_INET_RELEASE:
	case BW_HOOK_KPROBE_INET_RELEASE:
	case BW_HOOK_CGROUP_SOCK_RELEASE:
		return BW_RECORD_CLOSE;
	case BW_HOOK_NONE:
	case BW_HOOK_SET_STATE_SCTP:
	case BW_HOOK_SET_STATE_LISTEN: /* a second way: what it misses another hook tells */
		return 0;
	default:
		return BW_RECORD_BIND;
	}
}

unsigned int plan_hook_turn(const struct plan_hook *hook)
{
	switch (plan_hook_tells(hook->hook)) {
	case BW_RECORD_BIND: /* behind the listens: a listen whose bind was not told would count as one (hold()) */
		return 1;
	case BW_RECORD_CLOSE:
		return 3;
	default:
		return hook->hook == BW_HOOK_NONE ? 2 : 0;
	}
}
