/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <linux/capability.h>
#include <cmocka.h>

#include "user/sense/probe.h"

static void releases_are_read_as_kernels_write_them(void **state)
{
	static const struct {
		const char *text;
		uint32_t release;
	} rows[] = {
	    {"5.10.0-46-cloud-amd64", KERNEL_RELEASE(5, 10)},
	    {"5.9.16", KERNEL_RELEASE(5, 9)},
	    {"6.12.117+deb13-cloud-amd64", KERNEL_RELEASE(6, 12)},
	    {"7.3-rc1", KERNEL_RELEASE(7, 3)},
	    {"6.1", KERNEL_RELEASE(6, 1)},
	    {"", 0},
	    {"6", 0},
	    {"linux", 0},
	    {".5.10", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(probe_release(rows[i].text), rows[i].release);
	assert_true(probe_release("5.9.16") < KERNEL_OLDEST);
	assert_true(probe_release("5.10.1") >= KERNEL_OLDEST);
	assert_true(probe_release("6.1.0") >= KERNEL_OLDEST);
}

#define BIT(n) (1ULL << (n))

static void missing_capabilities_are_named(void **state)
{
	static const struct {
		uint64_t effective;
		const char *text;
	} rows[] = {
	    {0, "CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN"},
	    {BIT(CAP_BPF) | BIT(CAP_PERFMON) | BIT(CAP_NET_ADMIN), ""},
	    {BIT(CAP_BPF) | BIT(CAP_PERFMON), "CAP_NET_ADMIN"},
	    {BIT(CAP_BPF) | BIT(CAP_NET_ADMIN), "CAP_PERFMON"},
	    {BIT(CAP_SYS_ADMIN), "CAP_NET_ADMIN"},
	    {BIT(CAP_SYS_ADMIN) | BIT(CAP_NET_ADMIN), ""},
	    {UINT64_MAX, ""},
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		probe_missing_capabilities(rows[i].effective, text, sizeof(text));
		assert_string_equal(text, rows[i].text);
	}
	/* cut, never overrun */
	probe_missing_capabilities(0, text, 10);
	assert_string_equal(text, "CAP_BPF, ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(releases_are_read_as_kernels_write_them),
	    cmocka_unit_test(missing_capabilities_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
