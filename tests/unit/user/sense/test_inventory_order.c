/* SPDX-License-Identifier: BSD-2-Clause */
/* What two sources tell of one socket becomes one; what is two stays two. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/types.h> /* before the contract with the kernel side, which includes nothing */
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "bpf/bindwatch.h"
#include "user/base/ipproto.h"
#include "user/sense/inventory_parts.h"

#define LIST     INVENTORY_BY_LIST
#define ITERATOR INVENTORY_BY_ITERATOR
#define BOTH     (LIST | ITERATOR)

/* One word: who says it, of which protocol, network namespace, inode and cookie; and the subflow's cookie. */
struct word {
	uint32_t by;
	uint16_t protocol;
	uint32_t netns;
	uint64_t inode, cookie, subflow;
};

static const struct {
	const char *name;
	struct word said[4], united[4];
} table[] = {
        {"unite_same_cookie",
         {{LIST, IPPROTO_TCP, 1, 5, 9, 0}, {ITERATOR, IPPROTO_TCP, 1, 5, 9, 0}},
         {{BOTH, IPPROTO_TCP, 1, 5, 9, 0}}},
        {"unite_iterator_first",
         {{ITERATOR, IPPROTO_TCP, 1, 5, 9, 0}, {LIST, IPPROTO_TCP, 1, 5, 9, 0}},
         {{BOTH, IPPROTO_TCP, 1, 5, 9, 0}}},
        {"unite_no_cookie_in_the_iterator",
         {{LIST, IPPROTO_TCP, 1, 5, 9, 0}, {ITERATOR, IPPROTO_TCP, 1, 5, 0, 0}},
         {{BOTH, IPPROTO_TCP, 1, 5, 9, 0}}},
        {"unite_many_processes",
         {{ITERATOR, IPPROTO_UDP, 1, 5, 0, 0},
          {ITERATOR, IPPROTO_UDP, 1, 5, 0, 0},
          {ITERATOR, IPPROTO_UDP, 1, 5, 0, 0}},
         {{ITERATOR, IPPROTO_UDP, 1, 5, 0, 0}}},
        {"unite_listed_twice",
         {{LIST, IPPROTO_TCP, 1, 5, 9, 0}, {LIST, IPPROTO_TCP, 1, 5, 9, 0}},
         {{LIST, IPPROTO_TCP, 1, 5, 9, 0}}},
        {"unite_listed_twice_without_a_file",
         {{LIST, IPPROTO_TCP, 1, 0, 9, 0}, {LIST, IPPROTO_TCP, 1, 0, 9, 0}, {LIST, IPPROTO_TCP, 1, 0, 8, 0}},
         {{LIST, IPPROTO_TCP, 1, 0, 8, 0}, {LIST, IPPROTO_TCP, 1, 0, 9, 0}}},
        {"unite_no_file_no_cookie_nothing_says_that_they_are_one",
         {{LIST, IPPROTO_TCP, 1, 0, 0, 0}, {LIST, IPPROTO_TCP, 1, 0, 0, 0}},
         {{LIST, IPPROTO_TCP, 1, 0, 0, 0}, {LIST, IPPROTO_TCP, 1, 0, 0, 0}}},
        {"unite_an_inode_that_was_given_twice",
         {{LIST, IPPROTO_TCP, 1, 5, 9, 0}, {ITERATOR, IPPROTO_TCP, 1, 5, 7, 0}},
         {{ITERATOR, IPPROTO_TCP, 1, 5, 7, 0}, {LIST, IPPROTO_TCP, 1, 5, 9, 0}}},
        {"unite_two_namespaces",
         {{LIST, IPPROTO_TCP, 1, 5, 9, 0}, {ITERATOR, IPPROTO_TCP, 2, 5, 0, 0}},
         {{LIST, IPPROTO_TCP, 1, 5, 9, 0}, {ITERATOR, IPPROTO_TCP, 2, 5, 0, 0}}},
        {"unite_two_protocols",
         {{LIST, IPPROTO_TCP, 1, 5, 9, 0}, {ITERATOR, IPPROTO_UDP, 1, 5, 0, 0}},
         {{LIST, IPPROTO_TCP, 1, 5, 9, 0}, {ITERATOR, IPPROTO_UDP, 1, 5, 0, 0}}},
        {"unite_mptcp_all_three",
         {{ITERATOR, IPPROTO_MPTCP, 1, 5, 9, 0}, {LIST, IPPROTO_TCP, 1, 5, 8, 0}, {LIST, IPPROTO_MPTCP, 1, 5, 9, 0}},
         {{BOTH, IPPROTO_MPTCP, 1, 5, 9, 8}}},
        {"unite_mptcp_not_listed",
         {{ITERATOR, IPPROTO_MPTCP, 1, 5, 9, 0}, {LIST, IPPROTO_TCP, 1, 5, 8, 0}},
         {{ITERATOR, IPPROTO_MPTCP, 1, 5, 9, 8}}},
        {"unite_mptcp_no_iterator",
         {{LIST, IPPROTO_MPTCP, 1, 5, 9, 0}, {LIST, IPPROTO_TCP, 1, 5, 8, 0}},
         {{LIST, IPPROTO_MPTCP, 1, 5, 9, 8}}},
        {"unite_mptcp_two_holders",
         {{LIST, IPPROTO_TCP, 1, 5, 8, 0},
          {ITERATOR, IPPROTO_MPTCP, 1, 5, 0, 0},
          {ITERATOR, IPPROTO_MPTCP, 1, 5, 0, 0}},
         {{ITERATOR, IPPROTO_MPTCP, 1, 5, 0, 8}}},
};

#define ROWS (sizeof(table) / sizeof(table[0]))

static void unite_row(void **state)
{
	size_t row = (size_t)*state, count = 0, wanted = 0;
	struct inventory_socket sockets[4];

	for (; count < 4 && table[row].said[count].by; count++) {
		const struct word *word = &table[row].said[count];

		sockets[count] = (struct inventory_socket){.seen_by = word->by,
		                                           .protocol = word->protocol,
		                                           .netns_inode = word->netns,
		                                           .inode = word->inode,
		                                           .cookie = word->cookie};
	}
	count = inventory_unite(sockets, count);
	for (; wanted < 4 && table[row].united[wanted].by; wanted++) {
		const struct word *word = &table[row].united[wanted];

		assert_true(wanted < count);
		assert_int_equal(sockets[wanted].seen_by, word->by);
		assert_int_equal(sockets[wanted].protocol, word->protocol);
		assert_int_equal(sockets[wanted].netns_inode, word->netns);
		assert_int_equal(sockets[wanted].inode, word->inode);
		assert_int_equal(sockets[wanted].cookie, word->cookie);
		assert_int_equal(sockets[wanted].subflow_cookie, word->subflow);
	}
	assert_int_equal(count, wanted);
}

/* The iterator looked last: a socket that began to listen meanwhile listens. What only the list can tell stays. */
static void unite_takes_the_later_word(void **state)
{
	struct inventory_socket sockets[] = {
	        {.seen_by = ITERATOR,
	         .inode = 5,
	         .netns_inode = 1,
	         .state = INVENTORY_LISTEN,
	         .type = SOCK_STREAM,
	         .socket_flags = BW_SOCKET_REUSEADDR | BW_SOCKET_KERNEL_UNKNOWN},
	        {.seen_by = LIST,
	         .inode = 5,
	         .netns_inode = 1,
	         .state = INVENTORY_BOUND,
	         .cookie = 9,
	         .socket_flags = BW_SOCKET_TRANSPARENT | BW_SOCKET_REUSE_UNKNOWN | BW_SOCKET_KERNEL_UNKNOWN},
	};

	(void)state;
	assert_int_equal(inventory_unite(sockets, 2), 1);
	assert_int_equal(sockets[0].state, INVENTORY_LISTEN);
	assert_int_equal(sockets[0].type, SOCK_STREAM);
	assert_int_equal(sockets[0].cookie, 9);
	/* what one of them knows is known */
	assert_int_equal(sockets[0].socket_flags,
	                 BW_SOCKET_REUSEADDR | BW_SOCKET_TRANSPARENT | BW_SOCKET_KERNEL_UNKNOWN);
	assert_int_equal(inventory_unite(NULL, 0), 0);
}

/* By port, and of one port our own namespace first, whichever number is the greater. */
static void sort_own_first(void **state)
{
	struct inventory_socket sockets[] = {
	        {.address.port = 2, .netns_inode = 7},
	        {.address.port = 1, .netns_inode = 7},
	        {.address.port = 1, .netns_inode = 8},
	        {.address.port = 1, .netns_inode = 6},
	};

	(void)state;
	inventory_sort(sockets, 4, 7);
	assert_int_equal(sockets[0].netns_inode, 7);
	assert_int_equal(sockets[1].netns_inode, 6);
	assert_int_equal(sockets[2].netns_inode, 8);
	assert_int_equal(sockets[3].address.port, 2);
	inventory_sort(NULL, 0, 7);
}

int main(void)
{
	static const struct CMUnitTest others[] = {
	        cmocka_unit_test(unite_takes_the_later_word),
	        cmocka_unit_test(sort_own_first),
	};
	struct CMUnitTest tests[ROWS + 2];

	for (size_t i = 0; i < ROWS; i++)
		tests[i] =
		        (struct CMUnitTest){.name = table[i].name, .test_func = unite_row, .initial_state = (void *)i};
	memcpy(&tests[ROWS], others, sizeof(others));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
