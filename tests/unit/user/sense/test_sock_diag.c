/* SPDX-License-Identifier: BSD-2-Clause */
/* The parser of the kernel's answer, against answers that no kernel should give. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bpf/bindwatch.h"
#include "user/sense/sock_diag.h"

#define SEQUENCE	 77
#define V6ONLY_ATTRIBUTE 11

struct answer {
	_Alignas(struct nlmsghdr) uint8_t data[1024];
	size_t len;
};

struct seen {
	size_t count;
	int stop; /* what found() returns */
	struct sock_diag_socket last;
};

static int found(void *context, const struct sock_diag_socket *socket)
{
	struct seen *seen = context;

	seen->count++;
	seen->last = *socket;
	return seen->stop;
}

static struct nlmsghdr *add(struct answer *answer, uint16_t type, const void *body, size_t len)
{
	struct nlmsghdr *header = (struct nlmsghdr *)(answer->data + answer->len);

	*header =
	    (struct nlmsghdr){.nlmsg_len = (uint32_t)NLMSG_LENGTH(len), .nlmsg_type = type, .nlmsg_seq = SEQUENCE};
	if (len)
		memcpy(NLMSG_DATA(header), body, len);
	answer->len += NLMSG_ALIGN(header->nlmsg_len);
	return header;
}

static struct nlmsghdr *add_socket(struct answer *answer, uint16_t port)
{
	struct {
		struct inet_diag_msg message;
		struct rtattr attribute;
		uint8_t v6only, pad[3];
	} body = {
	    .message = {.idiag_family = AF_INET6, .idiag_state = 10, .idiag_uid = 1000, .idiag_inode = 4711},
	    .attribute = {.rta_len = RTA_LENGTH(1), .rta_type = V6ONLY_ATTRIBUTE},
	    .v6only = 1,
	};

	body.message.id.idiag_sport = htons(port);
	body.message.id.idiag_if = 3;
	body.message.id.idiag_cookie[0] = 5;
	body.message.id.idiag_cookie[1] = 1;
	body.message.id.idiag_src[3] = htonl(1);
	return add(answer, SOCK_DIAG_BY_FAMILY, &body, sizeof(body));
}

static int read_answer(const struct answer *answer, struct seen *seen, int *interrupted)
{
	return sock_diag_read(answer->data, answer->len, SEQUENCE, found, seen, interrupted);
}

static void sock_diag_whole(void **state)
{
	struct answer answer = {0};
	struct seen seen = {0};
	int interrupted = 0, done = 0;
	uint8_t one[16] = {[15] = 1};

	(void)state;
	(void)add_socket(&answer, 1);
	(void)add_socket(&answer, 1923);
	assert_int_equal(read_answer(&answer, &seen, &interrupted), 0); /* there is more to come */
	(void)add(&answer, NLMSG_DONE, &done, sizeof(done));
	seen.count = 0;
	assert_int_equal(read_answer(&answer, &seen, &interrupted), 1);
	assert_int_equal(seen.count, 2);
	assert_int_equal(interrupted, 0);
	assert_int_equal(seen.last.address.family, AF_INET6);
	assert_int_equal(seen.last.address.port, 1923);
	assert_true(seen.last.address.has_port && seen.last.address.has_address);
	assert_memory_equal(seen.last.address.address, one, sizeof(one));
	assert_int_equal(seen.last.state, 10);
	assert_int_equal(seen.last.uid, 1000);
	assert_int_equal(seen.last.inode, 4711);
	assert_int_equal(seen.last.device, 3);
	assert_int_equal(seen.last.cookie, (1ULL << 32) + 5);
	assert_int_equal(seen.last.socket_flags, BW_SOCKET_V6ONLY | BW_SOCKET_UNKNOWN);
}

static void sock_diag_errors(void **state)
{
	static const struct {
		uint16_t type;
		int32_t error;
		size_t len;
		int result;
	} table[] = {
	    {NLMSG_ERROR, -ENOENT, sizeof(struct nlmsgerr), -ENOENT},
	    {NLMSG_DONE, -ENOENT, 4, -ENOENT},
	    {NLMSG_DONE, 0, 4, 1},
	    {NLMSG_DONE, 0, 0, 1},
	    {NLMSG_DONE, 5, 4, -EBADMSG},
	    {NLMSG_DONE, INT32_MIN, 4, -EBADMSG},
	    {NLMSG_ERROR, 0, sizeof(struct nlmsgerr), -EBADMSG}, /* an acknowledgement that nobody asked for */
	    {NLMSG_ERROR, 0, 0, -EBADMSG},
	    {NLMSG_OVERRUN, 0, 4, -EBADMSG},
	    {SOCK_DIAG_BY_FAMILY, 0, 4, -EBADMSG},
	    {SOCK_DIAG_BY_FAMILY, 0, sizeof(struct inet_diag_msg) - 1, -EBADMSG},
	    {SOCK_DIAG_BY_FAMILY, 0, sizeof(struct inet_diag_msg), -EBADMSG}, /* of no family */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		uint8_t body[128] = {0};
		struct answer answer = {0};
		struct seen seen = {0};
		int interrupted = 0, result;

		memcpy(body, &table[i].error, sizeof(table[i].error));
		if (table[i].type == SOCK_DIAG_BY_FAMILY)
			memset(body, 0, sizeof(body));
		(void)add(&answer, table[i].type, body, table[i].len);
		result = read_answer(&answer, &seen, &interrupted);
		if (result != table[i].result || seen.count)
			fail_msg("row %zu: %d, not %d", i, result, table[i].result);
	}
}

/* Lengths that point outside of the datagram. */
static void sock_diag_lengths(void **state)
{
	struct answer answer = {0};
	struct seen seen = {0};
	struct nlmsghdr *header = add_socket(&answer, 80);
	struct rtattr *attribute =
	    (struct rtattr *)((uint8_t *)NLMSG_DATA(header) + NLMSG_ALIGN(sizeof(struct inet_diag_msg)));
	static const uint32_t lengths[] = {0, 1, 15, 200, UINT32_MAX, 0x80000000U};
	static const uint16_t attribute_lengths[] = {0, 3, 9, UINT16_MAX};
	uint32_t whole = header->nlmsg_len;
	int interrupted = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		header->nlmsg_len = lengths[i];
		assert_int_equal(read_answer(&answer, &seen, &interrupted), -EBADMSG);
	}
	header->nlmsg_len = whole;
	for (size_t i = 0; i < sizeof(attribute_lengths) / sizeof(attribute_lengths[0]); i++) {
		attribute->rta_len = attribute_lengths[i];
		assert_int_equal(read_answer(&answer, &seen, &interrupted), -EBADMSG);
	}
	assert_int_equal(seen.count, 0);
	header->nlmsg_len = whole - 4; /* four bytes are left behind the last message */
	attribute->rta_len = RTA_LENGTH(0);
	assert_int_equal(read_answer(&answer, &seen, &interrupted), -EBADMSG);
	assert_int_equal(seen.last.socket_flags, BW_SOCKET_UNKNOWN); /* an attribute without a value */
	header->nlmsg_len = whole;
	attribute->rta_len = RTA_LENGTH(1);
	for (size_t len = 1; len < answer.len; len++) {
		struct answer part = {.len = len};

		memcpy(part.data, answer.data, len);
		assert_int_equal(read_answer(&part, &seen, &interrupted), -EBADMSG);
	}
}

static void sock_diag_flags(void **state)
{
	struct answer answer = {0};
	struct seen seen = {0};
	int interrupted = 0;

	(void)state;
	add_socket(&answer, 80)->nlmsg_seq = SEQUENCE - 1; /* what is left of another dump */
	assert_int_equal(read_answer(&answer, &seen, &interrupted), 0);
	assert_int_equal(seen.count, 0);
	add_socket(&answer, 81)->nlmsg_flags = NLM_F_DUMP_INTR;
	assert_int_equal(read_answer(&answer, &seen, &interrupted), 0);
	assert_int_equal(seen.count, 1);
	assert_int_equal(interrupted, 1);
	seen.stop = -ENOMEM;
	assert_int_equal(read_answer(&answer, &seen, &interrupted), -ENOMEM);
}

/* Any bytes: no crash, no read outside (the sanitizers watch an allocation of the exact size). */
static void sock_diag_noise(void **state)
{
	unsigned int seed = 1923;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct answer answer = {0};
		struct seen seen = {0};
		int interrupted = 0, changes = rand_r(&seed) % 8;
		size_t len;
		uint8_t *data;

		(void)add_socket(&answer, 80);
		(void)add_socket(&answer, 81);
		for (int i = 0; i < changes; i++)
			answer.data[(size_t)rand_r(&seed) % answer.len] = (uint8_t)rand_r(&seed);
		len = round % 2 ? answer.len : (size_t)rand_r(&seed) % answer.len;
		data = malloc(len + !len);
		assert_non_null(data);
		memcpy(data, answer.data, len);
		assert_true(sock_diag_read(data, len, SEQUENCE, found, &seen, &interrupted) <= 1);
		assert_true(seen.count <= 2);
		free(data);
	}
}

/* A protocol that no kernel lists. */
static void sock_diag_absent(void **state)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	struct seen seen = {0};

	(void)state;
	if (fd < 0) {
		print_message("no NETLINK_SOCK_DIAG here: %s\n", strerror(errno));
		skip();
	}
	assert_int_equal(sock_diag_dump(fd, AF_INET, 999, SOCK_DIAG_LISTEN, found, &seen), -ENOENT);
	assert_int_equal(sock_diag_dump(fd, AF_INET, 254, SOCK_DIAG_LISTEN, found, &seen), -ENOENT);
	assert_int_equal(seen.count, 0);
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sock_diag_whole), cmocka_unit_test(sock_diag_errors), cmocka_unit_test(sock_diag_lengths),
	    cmocka_unit_test(sock_diag_flags), cmocka_unit_test(sock_diag_noise),  cmocka_unit_test(sock_diag_absent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
