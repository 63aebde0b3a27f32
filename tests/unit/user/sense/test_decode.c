/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <linux/types.h>
#include <cmocka.h>

#include "bpf/bindwatch.h"
#include "user/sense/decode.h"

static const struct decode_context context = {.wall_offset_ns = 1700000000000000000, .plan = PLAN_TRACEPOINT};

/* A bind of 127.0.0.1:80 that went well. */
static struct bw_socket sound_record(void)
{
	struct bw_socket bind = {
	        .header = {.version = BW_ABI_VERSION,
	                   .type = BW_RECORD_BIND,
	                   .size = sizeof(bind),
	                   .boot_ns = 42,
	                   .cpu = 3},
	        .cookie = 7,
	        .pid = 100,
	        .tid = 101,
	        .uid = 1000,
	        .gid = 1001,
	        .netns_inode = 4026531840,
	        .unprivileged_port_start = 1024,
	        .bound_dev_if = 2,
	        .family = AF_INET,
	        .type = SOCK_STREAM,
	        .protocol = IPPROTO_TCP,
	        .bound_port = 80,
	        .bound_address = {127, 0, 0, 1},
	        .socket_flags = BW_SOCKET_REUSEADDR,
	        .hook = BW_HOOK_SYS_EXIT_BIND,
	        .comm = "nginx",
	};
	struct sockaddr_in address = {
	        .sin_family = AF_INET, .sin_port = htons(80), .sin_addr.s_addr = htonl(0x7f000001)};

	memcpy(bind.requested, &address, sizeof(address));
	bind.requested_len = sizeof(address);
	return bind;
}

static void a_record_becomes_an_event(void **state)
{
	struct bw_socket bind = sound_record();
	struct event event;

	(void)state;
	assert_int_equal(decode(&bind, sizeof(bind), &context, &event), 0);
	assert_true(event.time_ns == 1700000000000000042);
	assert_true(event.boot_ns == 42);
	assert_int_equal(event.cpu, 3);
	assert_int_equal(event.error, 0);
	assert_int_equal(event.pid, 100);
	assert_int_equal(event.tid, 101);
	assert_int_equal(event.uid, 1000);
	assert_int_equal(event.gid, 1001);
	assert_string_equal(event.comm, "nginx");
	assert_int_equal(event.requested.family, AF_INET);
	assert_true(event.requested.has_port && event.requested.has_address);
	assert_int_equal(event.requested.port, 80);
	assert_memory_equal(event.requested.address, "\x7f\0\0\1", 4);
	assert_true(event.bound.has_port && event.bound.has_address);
	assert_int_equal(event.bound.port, 80);
	assert_memory_equal(event.bound.address, "\x7f\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_int_equal(event.family, AF_INET);
	assert_int_equal(event.type, SOCK_STREAM);
	assert_int_equal(event.protocol, IPPROTO_TCP);
	assert_int_equal(event.socket_flags, BW_SOCKET_REUSEADDR);
	assert_int_equal(event.device, 2);
	assert_string_equal(event.device_name, "");
	assert_true(event.cookie == 7);
	assert_true(event.netns_inode == 4026531840);
	assert_int_equal(event.unprivileged_port_start, 1024);
	assert_int_equal(event.plan, PLAN_TRACEPOINT);
	assert_string_equal(event.hook, "sys_exit_bind");
	assert_int_equal(event.sequence, 0);
	assert_null(event.facts.registry);
	assert_null(event.verdict.rule);
}

static void the_caller_is_known_as_far_as_it_was_read(void **state)
{
	struct bw_socket bind = sound_record();
	struct event event;

	(void)state;
	bind.start_ns = 5;
	bind.exec_id = 6;
	bind.cgroup_id = 7;
	bind.effective_uid = 8;
	bind.effective_gid = 9;
	bind.groups_count = 10;
	bind.effective = 1ULL << 40;
	bind.permitted = 1ULL << 39;
	bind.login_uid = 11;
	bind.session = BW_AUDIT_UNSET;
	assert_int_equal(decode(&bind, sizeof(bind), &context, &event), 0);
	assert_true(event.cgroup_id == 7);
	assert_false(event.has_process_start || event.credentials.known);
	assert_int_equal(event.credentials.effective_uid, 0);
	assert_null(event.process);
	bind.caller = BW_CALLER_PROCESS;
	assert_int_equal(decode(&bind, sizeof(bind), &context, &event), 0);
	assert_true(event.has_process_start && !event.credentials.known);
	assert_true(event.process_start_ns == 5);
	assert_int_equal(event.process_exec_id, 6);
	bind.caller = BW_CALLER_CREDENTIALS;
	assert_int_equal(decode(&bind, sizeof(bind), &context, &event), 0);
	assert_true(!event.has_process_start && event.credentials.known);
	assert_int_equal(event.credentials.effective_uid, 8);
	assert_int_equal(event.credentials.effective_gid, 9);
	assert_int_equal(event.credentials.groups_count, 10);
	assert_true(event.credentials.effective == 1ULL << 40);
	assert_true(event.credentials.permitted == 1ULL << 39);
	assert_int_equal(event.credentials.login_uid, 11);
	assert_int_equal(event.credentials.session, PROCESS_UNSET);
	/* in an interrupt of an idle CPU: nobody's credentials */
	bind.pid = 0;
	bind.caller = BW_CALLER_PROCESS | BW_CALLER_CREDENTIALS;
	assert_int_equal(decode(&bind, sizeof(bind), &context, &event), 0);
	assert_false(event.has_process_start || event.credentials.known);
}

static void a_failed_bind_has_no_bound_port(void **state)
{
	struct bw_socket bind = sound_record();
	struct event event;

	(void)state;
	bind.result = -EADDRINUSE;
	bind.bound_port = 8080; /* of an earlier bind of the same socket */
	assert_int_equal(decode(&bind, sizeof(bind), &context, &event), 0);
	assert_int_equal(event.error, EADDRINUSE);
	assert_false(event.bound.has_port);
	assert_false(event.bound.has_address);
	assert_int_equal(event.requested.port, 80);
}

static void each_record_becomes_its_action(void **state)
{
	struct bw_socket record = sound_record();
	struct event event;

	(void)state;
	assert_int_equal(decode(&record, sizeof(record), &context, &event), 0);
	assert_int_equal(event.action, EVENT_BOUND);
	record.header.type = BW_RECORD_LISTEN;
	record.backlog = 128;
	record.pidns_pid = 5;
	record.pidns_inode = 4026531836;
	assert_int_equal(decode(&record, sizeof(record), &context, &event), 0);
	assert_int_equal(event.action, EVENT_LISTEN);
	assert_int_equal(event.backlog, 128);
	/* only a bind asks for an address */
	assert_false(event.requested.family || event.requested.has_port || event.requested.has_address);
	assert_int_equal(event.pidns_pid, 5);
	assert_true(event.pidns_inode == 4026531836);
	/* a listen that failed still tells whose port it was about */
	record.result = -EADDRINUSE;
	assert_int_equal(decode(&record, sizeof(record), &context, &event), 0);
	assert_int_equal(event.error, EADDRINUSE);
	assert_true(event.bound.has_port);
	assert_int_equal(event.bound.port, 80);
	record.header.type = BW_RECORD_CLOSE;
	record.result = 0;
	record.held_ns = 1500000000;
	assert_int_equal(decode(&record, sizeof(record), &context, &event), 0);
	assert_int_equal(event.action, EVENT_CLOSED);
	assert_true(event.held_ns == 1500000000);
	/* released before it was taken, by two clocks that do not agree: nobody knows how long it was held */
	record.held_ns = (__u64)-1;
	assert_int_equal(decode(&record, sizeof(record), &context, &event), 0);
	assert_true(event.held_ns == 0);
}

static void a_comm_without_an_end_gets_one(void **state)
{
	struct bw_socket bind = sound_record();
	struct event event;

	(void)state;
	memset(bind.comm, 'x', sizeof(bind.comm));
	assert_int_equal(decode(&bind, sizeof(bind), &context, &event), 0);
	assert_string_equal(event.comm, "xxxxxxxxxxxxxxx");
}

/* What was asked for, cut at every length: what is not there is not known. */
static const struct {
	sa_family_t family;
	uint16_t socket_family;
	uint16_t length;
	uint16_t expect_family;
	bool port, address;
} requests[] = {
        {AF_INET, AF_INET, 0, 0, false, false},          {AF_INET, AF_INET, 1, 0, false, false},
        {AF_INET, AF_INET, 2, AF_INET, false, false},    {AF_INET, AF_INET, 3, AF_INET, false, false},
        {AF_INET, AF_INET, 4, AF_INET, true, false},     {AF_INET, AF_INET, 7, AF_INET, true, false},
        {AF_INET, AF_INET, 8, AF_INET, true, true},      {AF_INET, AF_INET, 16, AF_INET, true, true},
        {AF_INET, AF_INET6, 16, AF_INET, true, true},    {AF_INET6, AF_INET6, 4, AF_INET6, true, false},
        {AF_INET6, AF_INET6, 23, AF_INET6, true, false}, {AF_INET6, AF_INET6, 24, AF_INET6, true, true},
        {AF_INET6, AF_INET6, 28, AF_INET6, true, true},  {AF_UNSPEC, AF_INET, 16, AF_INET, true, true},
        {AF_UNSPEC, AF_INET6, 28, 0, false, false},      {AF_UNIX, AF_INET, 16, 0, false, false},
        {0xffff, AF_INET, 16, 0, false, false},
};

static void what_was_asked_for_is_read_to_its_length(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		struct bw_socket bind = sound_record();
		struct event event;

		memset(bind.requested, 0xee, sizeof(bind.requested));
		memcpy(bind.requested, &requests[i].family, sizeof(sa_family_t));
		bind.requested_len = requests[i].length;
		bind.family = requests[i].socket_family;
		assert_int_equal(decode(&bind, sizeof(bind), &context, &event), 0);
		assert_int_equal(event.requested.family, requests[i].expect_family);
		assert_int_equal(event.requested.has_port, requests[i].port);
		assert_int_equal(event.requested.has_address, requests[i].address);
		assert_int_equal(event.requested.port, requests[i].port ? 0xeeee : 0);
		assert_int_equal(event.requested.address[0], requests[i].address ? 0xee : 0);
		assert_int_equal(event.requested.address[15],
		                 requests[i].address && requests[i].expect_family == AF_INET6 ? 0xee : 0);
	}
}

/* One field of a sound record made wrong, each in its turn. */
static void what_is_not_a_record_is_rejected(void **state)
{
	struct bw_socket bind;
	struct event event;

	(void)state;
#define REJECTED(change)                                                                                               \
	do {                                                                                                           \
		bind = sound_record();                                                                                 \
		change;                                                                                                \
		assert_int_equal(decode(&bind, sizeof(bind), &context, &event), -EPROTO);                              \
	} while (0)
	REJECTED(bind.header.version = BW_ABI_VERSION + 1);
	REJECTED(bind.caller = BW_CALLER_CREDENTIALS << 1);
	REJECTED(bind.header.type = 0);
	REJECTED(bind.header.type = BW_RECORD_CLOSE + 1);
	REJECTED(bind.header.type = 99);
	REJECTED(bind.header.size = sizeof(bind) - 1);
	REJECTED(bind.family = AF_UNIX);
	REJECTED(bind.family = 0);
	REJECTED(bind.requested_len = BW_SOCKADDR_LEN + 1);
	REJECTED(bind.requested_len = 0xffff);
	REJECTED(bind.result = 1);
	REJECTED(bind.result = -4096);
	REJECTED(bind.result = INT32_MIN);
	REJECTED(bind.hook = BW_HOOK_NONE);
	REJECTED(bind.hook = BW_HOOK_COUNT);
#undef REJECTED
	bind = sound_record();
	for (size_t size = 0; size < sizeof(bind); size++) {
		void *copy = malloc(size ? size : 1); /* of its very size, so that a read behind it is seen */

		memcpy(copy, &bind, size);
		assert_int_equal(decode(copy, size, &context, &event), -EPROTO);
		free(copy);
	}
}

static void random_bytes_do_no_harm(void **state)
{
	struct bw_socket bind;
	struct event event;
	unsigned int seed = 1;

	(void)state;
	for (int round = 0; round < 200000; round++) {
		unsigned char *bytes = (unsigned char *)&bind;

		bind = sound_record();
		for (int i = 0; i < 4; i++)
			bytes[rand_r(&seed) % sizeof(bind)] = (unsigned char)rand_r(&seed);
		if (decode(&bind, sizeof(bind), &context, &event) < 0)
			continue;
		assert_true(event.error >= 0 && event.error <= 4095);
		assert_true(memchr(event.comm, 0, sizeof(event.comm)) != NULL);
		assert_true(event.hook[0] != '\0');
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_record_becomes_an_event),
	        cmocka_unit_test(the_caller_is_known_as_far_as_it_was_read),
	        cmocka_unit_test(a_failed_bind_has_no_bound_port),
	        cmocka_unit_test(each_record_becomes_its_action),
	        cmocka_unit_test(a_comm_without_an_end_gets_one),
	        cmocka_unit_test(what_was_asked_for_is_read_to_its_length),
	        cmocka_unit_test(what_is_not_a_record_is_rejected),
	        cmocka_unit_test(random_bytes_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
