/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "user/sense/unheld.h"

#include "bpf/bindwatch.h"

#define UNKNOWN (BW_SOCKET_REUSEADDR | BW_SOCKET_KERNEL_UNKNOWN)

static const struct unheld unheld[] = {
        {.cookie = 7, .index = 1}, {.cookie = 9, .index = 0}, {.cookie = 11, .index = 2}};

static int parse(struct inventory_socket sockets[3], const void *data, size_t len)
{
	struct inventory inventory = {.sockets = sockets, .sockets_count = 3};

	for (size_t i = 0; i < 3; i++)
		sockets[i] = (struct inventory_socket){.socket_flags = UNKNOWN};
	return unheld_parse(&inventory, unheld, 3, data, len);
}

/* What was asked about and is told becomes known; all else stays as it is. */
static void rows_are_taken(void **state)
{
	static const struct bw_unheld_row rows[] = {
	        {.cookie = 0, .version = BW_INVENTORY_VERSION},
	        {.cookie = 9, .version = BW_INVENTORY_VERSION, .kernel = 1},
	        {.cookie = 8, .version = BW_INVENTORY_VERSION, .kernel = 1},
	        {.cookie = 7, .version = BW_INVENTORY_VERSION, .kernel = 0},
	};
	struct inventory_socket sockets[3];

	(void)state;
	assert_int_equal(parse(sockets, rows, sizeof(rows)), 0);
	assert_int_equal(sockets[0].socket_flags, BW_SOCKET_REUSEADDR | BW_SOCKET_KERNEL);
	assert_int_equal(sockets[1].socket_flags, BW_SOCKET_REUSEADDR);
	assert_int_equal(sockets[2].socket_flags, UNKNOWN);
}

static void what_is_no_row_is_refused(void **state)
{
	static const struct bw_unheld_row wrong[] = {
	        {.cookie = 9, .version = BW_INVENTORY_VERSION + 1},
	        {.cookie = 9, .version = BW_INVENTORY_VERSION, .kernel = 2},
	};
	struct inventory_socket sockets[3];

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(parse(sockets, &wrong[i], sizeof(wrong[i])), -EBADMSG);
		assert_int_equal(sockets[0].socket_flags, UNKNOWN);
	}
	assert_int_equal(parse(sockets, &wrong[0], sizeof(wrong[0]) - 1), -EBADMSG);
}

/* A socket that somebody holds, or of which it is known, is not asked about: no iterator is loaded for it. */
static void nothing_to_ask(void **state)
{
	struct inventory_socket sockets[] = {
	        {.protocol = 6, .cookie = 1, .holders_count = 1, .socket_flags = UNKNOWN},
	        {.protocol = 17, .cookie = 2, .socket_flags = BW_SOCKET_KERNEL},
	        {.protocol = 132, .cookie = 3, .socket_flags = UNKNOWN},
	        {.protocol = 6, .cookie = 4, .state = INVENTORY_BOUND, .socket_flags = UNKNOWN},
	        {.protocol = 17, .socket_flags = UNKNOWN},
	};
	struct inventory inventory = {.sockets = sockets, .sockets_count = 5};

	(void)state;
	assert_int_equal(unheld_mark(&inventory), 0);
	assert_int_equal(sockets[0].socket_flags, UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(rows_are_taken),
	        cmocka_unit_test(what_is_no_row_is_refused),
	        cmocka_unit_test(nothing_to_ask),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
