/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "user/base/siphash.h"

/* The key 00 01 ... 0f and the messages "", 00, 00 01, ...: the example of the paper's appendix A is number 15. */
static void vectors_of_the_paper(void **state)
{
	static const struct {
		size_t size;
		uint64_t hash;
	} table[] = {
	        {0, 0x726fdb47dd0e0e31}, {1, 0x74f839c593dc67fd},  {7, 0xab0200f58b01d137},
	        {8, 0x93f5f5799a932462}, {15, 0xa129ca6149be45e5},
	};
	static const uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
	uint8_t message[16];

	(void)state;
	for (uint8_t i = 0; i < sizeof(message); i++)
		message[i] = i;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_int_equal(siphash(key, message, table[i].size), table[i].hash);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(vectors_of_the_paper)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
