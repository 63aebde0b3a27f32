/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "user/cli/cli.h"

#define TCP (1 << REGISTRY_TCP)
#define UDP (1 << REGISTRY_UDP)
#define ALL ((1 << REGISTRY_TRANSPORTS) - 1)

static struct registry *registry;
static struct portlist list;

static int setup(void **state)
{
	(void)state;
	return registry_open_embedded(&registry);
}

static int teardown(void **state)
{
	(void)state;
	registry_free(registry);
	return 0;
}

/* How many ports are meant, and the mask of one of them. */
static size_t count(void)
{
	size_t ports = 0;

	for (size_t i = 0; i < sizeof(list.ports); i++)
		ports += list.ports[i] != 0;
	return ports;
}

static void portlist_accepts(void **state)
{
	static const struct {
		const char *text;
		size_t count;
		uint16_t port;
		uint8_t mask;
	} table[] = {
	    {"1", 1, 1, ALL},
	    {"65535", 1, 65535, ALL},
	    {"00080", 1, 80, ALL},
	    {"80/tcp", 1, 80, TCP},
	    {"80/UDP", 1, 80, UDP},
	    {"80/tcp,80/udp", 1, 80, TCP | UDP},
	    {"80/tcp,80", 1, 80, ALL},
	    {"8000-8010", 11, 8010, ALL},
	    {"8000-8000", 1, 8000, ALL},
	    {"1-65535", 65535, 1, ALL},
	    {"60000-65535/sctp", 5536, 65535, 1 << REGISTRY_SCTP},
	    {"domain/udp", 1, 53, UDP},
	    {"DOMAIN/udp", 1, 53, UDP},
	    {"www/tcp", 1, 80, TCP}, /* an alias of http */
	    {"ms-sql-s", 1, 1433, TCP | UDP},
	    {"3com-tsmux/tcp", 1, 106, TCP}, /* a name may begin with a digit */
	    {"914c/g", 1, 211, TCP | UDP},   /* and an old one may hold a slash */
	    {"914c/g/tcp", 1, 211, TCP},
	    {"22,80/tcp,8000-8010,domain/udp", 14, 53, UDP},
	};
	char error[PORTLIST_ERROR_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		memset(&list, 0xff, sizeof(list));
		if (portlist_parse(table[i].text, registry, &list, error) != 0)
			fail_msg("'%s': %s", table[i].text, error);
		if (count() != table[i].count || list.ports[table[i].port] != table[i].mask)
			fail_msg("'%s': %zu ports, %u has %#x", table[i].text, count(), table[i].port,
				 list.ports[table[i].port]);
		assert_int_equal(list.ports[0], 0);
	}
}

/* Each error quotes the value and says what would be right. */
static void portlist_refuses(void **state)
{
	static const struct {
		const char *text;
		int error;
		const char *says[3];
	} table[] = {
	    {"0", -EINVAL, {"'0'", "1-65535"}},
	    {"65536", -EINVAL, {"'65536'", "1-65535"}},
	    {"18446744073709551617", -EINVAL, {"'18446744073709551617'", "1-65535"}},
	    {"80x", -EINVAL, {"'80x'", "1-65535", "no service named"}},
	    {"9-3", -EINVAL, {"'9-3'", "3-9", "1-65535"}},
	    {"0-3", -EINVAL, {"'0-3'", "1-65535"}},
	    {"3-65536", -EINVAL, {"'3-65536'", "1-65535"}},
	    {"-5", -EINVAL, {"'-5'", "FIRST-LAST", "1-65535"}},
	    {"5-", -EINVAL, {"'5-'", "FIRST-LAST", "1-65535"}},
	    {"-", -EINVAL, {"'-'", "FIRST-LAST", "1-65535"}},
	    {"1-2-3", -EINVAL, {"'1-2-3'", "FIRST-LAST", "1-65535"}},
	    {"", -EINVAL, {"empty", "1-65535"}},
	    {",", -EINVAL, {"comma", "1-65535"}},
	    {"22,", -EINVAL, {"comma", "1-65535"}},
	    {",22", -EINVAL, {"comma", "1-65535"}},
	    {"22,,23", -EINVAL, {"comma", "1-65535"}},
	    {"80/xyz", -EINVAL, {"'xyz'", "'80/xyz'", "tcp, udp, sctp or dccp"}},
	    {"80/", -EINVAL, {"'80/'", "tcp, udp, sctp or dccp"}},
	    {"80/tcp/udp", -EINVAL, {"'80/tcp'"}},
	    {"/tcp", -EINVAL, {"'/tcp'", "1-65535"}},
	    {"nosuchservice", -ENOENT, {"'nosuchservice'", "registry of 20"}},
	    {"ssh/dccp", -ENOENT, {"'ssh'", "dccp", "registry of 20"}},
	    {" 22", -EINVAL, {"' 22'"}},
	    {"22 ", -EINVAL, {"'22 '", "1-65535"}},
	    {"\xff\x1b[31m", -EINVAL, {"no service named"}},
	    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	     -EINVAL,
	     {"too long", "1-65535"}},
	};
	char error[PORTLIST_ERROR_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int err;

		memset(error, 0, sizeof(error));
		err = portlist_parse(table[i].text, registry, &list, error);
		if (err != table[i].error)
			fail_msg("'%s': %d, not %d: %s", table[i].text, err, table[i].error, error);
		for (size_t k = 0; k < 3 && table[i].says[k]; k++) {
			if (!strstr(error, table[i].says[k]))
				fail_msg("'%s': the error does not say \"%s\": %s", table[i].text, table[i].says[k],
					 error);
		}
	}
}

/* The longest item and the longest error fit. */
static void portlist_bounds(void **state)
{
	char text[4096], error[PORTLIST_ERROR_LEN];

	(void)state;
	for (size_t len = 1; len < sizeof(text) - 1; len++) {
		memset(text, 'a', len);
		text[len] = '\0';
		assert_true(portlist_parse(text, registry, &list, error) < 0);
		assert_true(strlen(error) < sizeof(error));
		text[len / 2] = '/';
		assert_true(portlist_parse(text, registry, &list, error) < 0);
		memset(text, '9', len);
		text[len / 2] = '-';
		assert_true(portlist_parse(text, registry, &list, error) == 0 || strlen(error) < sizeof(error));
		assert_true(len < 11 || portlist_parse(text, registry, &list, error) < 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(portlist_accepts),
	    cmocka_unit_test(portlist_refuses),
	    cmocka_unit_test(portlist_bounds),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
