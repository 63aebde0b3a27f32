/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "user/sense/plan.h"

#define OLD (KERNEL_INET_BIND | KERNEL_INET6_BIND | KERNEL_LISTEN_START_BACKLOG | KERNEL_INET_RELEASE)
#define NEW                                                                                                            \
	(KERNEL_INET_BIND | KERNEL_INET6_BIND | KERNEL_INET_BIND_SK | KERNEL_INET6_BIND_SK | KERNEL_LISTEN_START |     \
	 KERNEL_INET_RELEASE)
#define ALL     (OLD | NEW)
#define V4_ONLY (KERNEL_INET_BIND | KERNEL_INET_BIND_SK | KERNEL_LISTEN_START | KERNEL_INET_RELEASE)

#define FEXIT_LIFE "fexit_listen_start set_state_sctp fentry_inet_release "
#define KPROBES_SK                                                                                                     \
	"cgroup_sock_create cgroup_cookie4 cgroup_cookie6 kprobe_inet_bind_sk kprobe_inet6_bind_sk "                   \
	"kretprobe_inet_bind_sk kretprobe_inet6_bind_sk "
#define KPROBE_LIFE "kprobe_listen_start kretprobe_listen_start set_state_sctp kprobe_inet_release "
#define TRACEPOINTS                                                                                                    \
	"cgroup_sock_create sys_enter_bind cgroup_bind4 cgroup_bind6 cgroup_post_bind4 cgroup_post_bind6 "             \
	"sys_exit_bind "                                                                                               \
	"sys_enter_listen sys_exit_listen set_state_listen cgroup_sock_release "

static const struct {
	const char *what;
	uint32_t functions;
	int refused_trampoline, refused_kprobe, refused_tracepoint;
	enum capture_plan forced;
	int result;
	enum capture_plan plan;
	const char *programs; /* in order, each ended by a space */
} cases[] = {
        {"6.12", NEW, 0, 0, 0, PLAN_NONE, 0, PLAN_TRAMPOLINE,
         "cgroup_sock_create cgroup_cookie4 cgroup_cookie6 fexit_inet_bind_sk fexit_inet6_bind_sk " FEXIT_LIFE},
        {"5.10", OLD, 0, 0, 0, PLAN_NONE, 0, PLAN_TRAMPOLINE,
         "cgroup_sock_create cgroup_cookie4 cgroup_cookie6 fexit_inet_bind fexit_inet6_bind fexit_listen_start_backlog "
         "set_state_sctp "
         "fentry_inet_release "},
        /* IPv6 is a module, and its functions not in the kernel's own BTF: the plans that need them would be half blind
         */
        {"IPv6 out of sight", V4_ONLY, 0, 0, 0, PLAN_NONE, 0, PLAN_TRACEPOINT, TRACEPOINTS},
        {"no functions", 0, 0, 0, 0, PLAN_NONE, 0, PLAN_TRACEPOINT, TRACEPOINTS},
        {"trampolines refused", NEW, -EPERM, 0, 0, PLAN_NONE, 0, PLAN_KPROBE, KPROBES_SK KPROBE_LIFE},
        {"trampolines refused, 6.1", OLD, -EPERM, 0, 0, PLAN_NONE, 0, PLAN_KPROBE,
         "cgroup_sock_create cgroup_cookie4 cgroup_cookie6 kprobe_inet_bind kprobe_inet6_bind kretprobe_inet_bind "
         "kretprobe_inet6_bind " KPROBE_LIFE},
        {"no kprobes either", NEW, -EPERM, -ENOENT, 0, PLAN_NONE, 0, PLAN_TRACEPOINT, TRACEPOINTS},
        {"nothing left", NEW, -EPERM, -ENOENT, -EPERM, PLAN_NONE, -ENOENT, PLAN_NONE, ""},
        {"forced", NEW, 0, 0, 0, PLAN_KPROBE, 0, PLAN_KPROBE, KPROBES_SK KPROBE_LIFE},
        {"forced and refused", NEW, 0, -ENOENT, 0, PLAN_KPROBE, -ENOENT, PLAN_NONE, ""},
        {"forced without functions", 0, 0, 0, 0, PLAN_TRAMPOLINE, -ENOENT, PLAN_NONE, ""},
};

/* What goes first, and what after each refusal, where hooks of a kind can be skipped. */
static void order_where_hooks_are_skipped(void **state)
{
	static const struct {
		uint32_t release;
		bool preemptible;
		enum capture_plan plans[PLAN_COUNT - 1];
	} table[] = {
	    {KERNEL_RELEASE(5, 10), false, {PLAN_TRAMPOLINE, PLAN_TRACEPOINT, PLAN_KPROBE}},
	    {KERNEL_RELEASE(5, 19), false, {PLAN_TRAMPOLINE, PLAN_TRACEPOINT, PLAN_KPROBE}},
	    {KERNEL_RELEASE(6, 1), false, {PLAN_TRAMPOLINE, PLAN_KPROBE, PLAN_TRACEPOINT}},
	    {KERNEL_RELEASE(5, 15), true, {PLAN_KPROBE, PLAN_TRACEPOINT, PLAN_TRAMPOLINE}},
	    {KERNEL_RELEASE(7, 2), true, {PLAN_KPROBE, PLAN_TRACEPOINT, PLAN_TRAMPOLINE}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct plan_probe probe = {
		    .release = table[i].release, .preemptible = table[i].preemptible, .btf = true, .functions = OLD};
		struct plan_choice choice;

		for (size_t j = 0; j < PLAN_COUNT - 1; j++) {
			assert_int_equal(plan_choose(&probe, PLAN_NONE, &choice), 0);
			assert_int_equal(choice.plan, table[i].plans[j]);
			probe.refused[choice.plan] = -EPERM;
		}
		assert_int_equal(plan_choose(&probe, PLAN_NONE, &choice), -ENOENT);
	}
}

static void chooses_the_best_that_is_left(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct plan_probe probe = {
		        .release = KERNEL_RELEASE(6, 1), .btf = true, .ipv6 = true, .functions = cases[i].functions};
		struct plan_choice choice = {.plan = PLAN_NONE};
		char programs[512] = "";

		print_message("%s\n", cases[i].what);
		probe.refused[PLAN_TRAMPOLINE] = cases[i].refused_trampoline;
		probe.refused[PLAN_KPROBE] = cases[i].refused_kprobe;
		probe.refused[PLAN_TRACEPOINT] = cases[i].refused_tracepoint;
		assert_int_equal(plan_choose(&probe, cases[i].forced, &choice), cases[i].result);
		assert_int_equal(choice.plan, cases[i].plan);
		for (size_t j = 0; j < choice.count; j++) {
			strncat(programs, choice.hooks[j]->program, sizeof(programs) - strlen(programs) - 1);
			strncat(programs, " ", sizeof(programs) - strlen(programs) - 1);
		}
		assert_string_equal(programs, cases[i].programs);
	}
}

static void never_hooks_a_function_and_its_wrapper(void **state)
{
	(void)state;
	for (uint32_t functions = 0; functions <= ALL; functions++) {
		for (enum capture_plan plan = PLAN_TRAMPOLINE; plan < PLAN_COUNT; plan++) {
			struct plan_probe probe = {.functions = functions};
			struct plan_choice choice;

			if (plan_choose(&probe, plan, &choice) < 0)
				continue;
			assert_true(choice.count <= PLAN_HOOKS_MAX);
			for (size_t i = 0; i < choice.count; i++) {
				assert_int_equal(choice.hooks[i]->needs & ~functions, 0);
				for (size_t j = 0; j < choice.count; j++)
					assert_int_equal(choice.hooks[i]->instead & choice.hooks[j]->needs, 0);
			}
		}
	}
}

static void a_host_without_ipv6_needs_no_hook_for_it(void **state)
{
	struct plan_probe probe = {.functions = V4_ONLY, .ipv6 = false};
	struct plan_choice choice;

	(void)state;
	assert_int_equal(plan_choose(&probe, PLAN_NONE, &choice), 0);
	assert_int_equal(choice.plan, PLAN_TRAMPOLINE);
	assert_string_equal(choice.hooks[3]->program, "fexit_inet_bind_sk");
}

static void every_hook_of_the_contract_has_a_name(void **state)
{
	(void)state;
	assert_string_equal(plan_hook_name(BW_HOOK_NONE), "");
	for (unsigned int hook = BW_HOOK_NONE + 1; hook < BW_HOOK_COUNT; hook++)
		assert_string_not_equal(plan_hook_name(hook), "");
	assert_string_equal(plan_hook_name(BW_HOOK_COUNT), "");
	assert_string_equal(plan_hook_name(0xffff), "");
}

static void names_and_plans_are_inverse(void **state)
{
	(void)state;
	for (enum capture_plan plan = PLAN_TRAMPOLINE; plan < PLAN_COUNT; plan++)
		assert_int_equal(plan_find(plan_name(plan)), plan);
	assert_int_equal(plan_find(""), PLAN_NONE);
	assert_int_equal(plan_find("trampolin"), PLAN_NONE);
	assert_string_equal(plan_name(PLAN_COUNT), "");
}

/* Whatever tells of a port is off before what gives its socket a cookie, and before what tells of its end. */
static void what_is_told_has_its_end_told(void **state)
{
	(void)state;
	for (enum capture_plan plan = PLAN_TRAMPOLINE; plan < PLAN_COUNT; plan++) {
		struct plan_probe probe = {.functions = ALL};
		struct plan_choice choice;
		unsigned int ends = 0;

		assert_int_equal(plan_choose(&probe, plan, &choice), 0);
		for (size_t i = 0; i < choice.count; i++) {
			unsigned int turn = plan_hook_turn(choice.hooks[i]);

			assert_true(turn < PLAN_TURNS);
			ends += turn == PLAN_TURNS - 1;
			assert_int_equal(turn == PLAN_TURNS - 1,
			                 plan_hook_tells(choice.hooks[i]->hook) == BW_RECORD_CLOSE);
			for (size_t j = 0; j < choice.count && choice.hooks[i]->hook == BW_HOOK_NONE; j++)
				if (plan_hook_tells(choice.hooks[j]->hook) == BW_RECORD_BIND)
					assert_true(plan_hook_turn(choice.hooks[j]) < turn);
		}
		assert_int_equal(ends, 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(chooses_the_best_that_is_left),
	        cmocka_unit_test(never_hooks_a_function_and_its_wrapper),
	        cmocka_unit_test(order_where_hooks_are_skipped),
	        cmocka_unit_test(a_host_without_ipv6_needs_no_hook_for_it),
	        cmocka_unit_test(every_hook_of_the_contract_has_a_name),
	        cmocka_unit_test(names_and_plans_are_inverse),
	        cmocka_unit_test(what_is_told_has_its_end_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
