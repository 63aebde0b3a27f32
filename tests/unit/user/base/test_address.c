/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "user/base/address.h"

static struct endpoint endpoint_of(const char *text)
{
	struct endpoint endpoint = {.has_address = true};

	endpoint.family = strchr(text, ':') ? AF_INET6 : AF_INET;
	assert_int_equal(inet_pton(endpoint.family, text, endpoint.address), 1);
	return endpoint;
}

static void address_table(void **state)
{
	static const struct {
		const char *text;
		bool loopback, wildcard, mapped;
	} table[] = {
	    {"0.0.0.0", false, true, false},
	    {"127.0.0.1", true, false, false},
	    {"127.255.255.255", true, false, false},
	    {"126.255.255.255", false, false, false},
	    {"128.0.0.0", false, false, false},
	    {"0.0.0.1", false, false, false},
	    {"255.255.255.255", false, false, false},
	    {"::", false, true, false},
	    {"::1", true, false, false},
	    {"::2", false, false, false},
	    {"1::", false, false, false},
	    {"::ffff:0.0.0.0", false, true, true},
	    {"::ffff:127.0.0.1", true, false, true},
	    {"::ffff:127.9.0.0", true, false, true},
	    {"::ffff:192.0.2.1", false, false, true},
	    {"::fffe:7f00:1", false, false, false},
	    {"2001:db8::1", false, false, false},
	    {"2001:db8:0:1:1:1:1:1", false, false, false}, /* RFC 5952, 4.2.2: one group is not shortened */
	    {"2001:0:0:1::1", false, false, false},	   /* 4.2.3: the longest run */
	    {"2001:db8::1:0:0:1", false, false, false},	   /* 4.2.3: of two, the first */
	    {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", false, false, false},
	    {"fe80::", false, false, false},
	    {"1:2:3:4:5:6::", false, false, false},
	    {"::3:4:5:6:7:8", false, false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct endpoint endpoint = endpoint_of(table[i].text);
		char text[ADDRESS_TEXT_MAX + 1];
		size_t len = address_format(&endpoint, text);

		assert_true(len <= ADDRESS_TEXT_MAX);
		text[len] = '\0';
		assert_string_equal(text, table[i].text);
		assert_int_equal(address_is_loopback(&endpoint), table[i].loopback);
		assert_int_equal(address_is_wildcard(&endpoint), table[i].wildcard);
		assert_int_equal(address_is_mapped(&endpoint), table[i].mapped);
	}
}

/* As the C library writes it, but for "::1.2.3.4", a form that RFC 4291 section 2.5.5.1 deprecates. */
static void address_agrees_with_the_library(void **state)
{
	struct endpoint endpoint = {.family = AF_INET6, .has_address = true};
	char expected[INET6_ADDRSTRLEN], text[ADDRESS_TEXT_MAX + 1];

	(void)state;
	srandom(2);
	for (unsigned int round = 0; round < 200000; round++) {
		for (unsigned int i = 0; i < 16; i += 2) {
			bool zero = random() % 2;

			endpoint.address[i] = zero ? 0 : (uint8_t)(random() % 3 ? random() : 0);
			endpoint.address[i + 1] = zero ? 0 : (uint8_t)random();
		}
		inet_ntop(AF_INET6, endpoint.address, expected, sizeof(expected));
		if (strncmp(expected, "::", 2) == 0 && strchr(expected, '.') && !address_is_mapped(&endpoint))
			continue;
		text[address_format(&endpoint, text)] = '\0';
		assert_string_equal(text, expected);
	}
}

static void address_unknown(void **state)
{
	struct endpoint unknown = {.family = AF_INET}, odd = {.family = 1, .has_address = true};
	char text[ADDRESS_TEXT_MAX];

	(void)state;
	assert_false(address_is_wildcard(&unknown));
	assert_false(address_is_loopback(&unknown));
	assert_false(address_is_wildcard(&odd));
	assert_int_equal(address_format(&odd, text), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(address_table),
	    cmocka_unit_test(address_agrees_with_the_library),
	    cmocka_unit_test(address_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
