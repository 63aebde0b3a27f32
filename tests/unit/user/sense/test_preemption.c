/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "user/sense/plan.h"
#include "user/sense/preemption.h"

#define DYNAMIC "#1 SMP PREEMPT_DYNAMIC Debian 6.1.1"

static void the_model_is_read_as_kernels_write_it(void **state)
{
	static const struct {
		struct preemption preemption;
		bool possible;
	} rows[] = {
	    {{KERNEL_RELEASE(5, 10), "#1 SMP Debian 5.10.259-1 (2026-07-28)", "", "", ""}, false},
	    {{KERNEL_RELEASE(5, 15), "#40-Ubuntu SMP PREEMPT Thu May 2", "", "", ""}, true},
	    {{KERNEL_RELEASE(6, 1), "#1 SMP PREEMPT_RT Debian 6.1.1", "", "", ""}, true},
	    {{KERNEL_RELEASE(7, 0), "#1 SMP x", "", "", ""}, true},
	    /* the model that is in force goes before what was asked for, and that before what was built */
	    {{KERNEL_RELEASE(6, 1), DYNAMIC, "none (voluntary) full \n", "preempt=full", "CONFIG_PREEMPT=y"}, false},
	    {{KERNEL_RELEASE(6, 1), DYNAMIC, "none voluntary (full) \n", "", "CONFIG_PREEMPT_NONE=y"}, true},
	    {{KERNEL_RELEASE(6, 18), DYNAMIC, "none voluntary full (lazy) \n", "", ""}, true},
	    {{KERNEL_RELEASE(6, 1), DYNAMIC, "", "ro preempt=none quiet\n", "CONFIG_PREEMPT=y"}, false},
	    {{KERNEL_RELEASE(6, 1), DYNAMIC, "", "preempt=full\n", "CONFIG_PREEMPT_NONE=y"}, true},
	    {{KERNEL_RELEASE(6, 1), DYNAMIC, "", "xpreempt=none\n", "CONFIG_PREEMPT=y"}, true},
	    {{KERNEL_RELEASE(6, 1), DYNAMIC, "", "", "CONFIG_PREEMPT_VOLUNTARY=y"}, false},
	    {{KERNEL_RELEASE(6, 1), DYNAMIC, "", "", "CONFIG_PREEMPT=y"}, true},
	    /* not to be known */
	    {{KERNEL_RELEASE(6, 1), DYNAMIC, "", "", ""}, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (preemption_is_possible(&rows[i].preemption) != rows[i].possible)
			fail_msg("row %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_model_is_read_as_kernels_write_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
