/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bindwatch list and ss(8) agree, on this host and in a network namespace of its own: which transport, address and port
 * listens or is bound, and which processes hold it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/live/listed.h"

/* How often the host's sockets may change between a look of ours and one of ss before that is a failure. */
#define TRIES 5

static struct listed listed;

#define SOCKETS_MAX 4096
#define KEY_LEN     1024

struct keys {
	char (*list)[KEY_LEN];
	size_t count;
};

static int compare_keys(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int compare_pids(const void *a, const void *b)
{
	unsigned int left = *(const unsigned int *)a, right = *(const unsigned int *)b;

	return (left > right) - (left < right);
}

/* "tcp 127.0.0.1 80 pids 4 7": what both must agree on. An address "*" is the wildcard of both families. */
static void add_key(struct keys *keys, const char *transport, const char *address, unsigned int port,
                    unsigned int *pids, size_t count)
{
	char *key = keys->list[keys->count];
	size_t used;

	assert_true(keys->count < SOCKETS_MAX);
	keys->count++;
	qsort(pids, count, sizeof(*pids), compare_pids);
	used = (size_t)snprintf(key, KEY_LEN, "%s %s %u pids", transport, address, port);
	for (size_t i = 0; i < count; i++) {
		if (i && pids[i] == pids[i - 1]) /* by two descriptors */
			continue;
		used += (size_t)snprintf(key + used, KEY_LEN - used, " %u", pids[i]);
		assert_true(used < KEY_LEN);
	}
}

/* "[::1]%lo:80" and the like, in place: *ret_port, and what is left is the bare address. */
static char *split_address(char *text, unsigned int *ret_port)
{
	char *colon = strrchr(text, ':'), *zone;
	long port;

	assert_non_null(colon);
	*colon = '\0';
	port = strtol(colon + 1, NULL, 10);
	assert_true(port > 0 && port <= 65535);
	*ret_port = (unsigned int)port;
	zone = strchr(text, '%');
	if (zone)
		*zone = '\0';
	if (text[0] == '[') {
		text++;
		text[strcspn(text, "]")] = '\0';
	}
	return text;
}

static void keys_of_ss(const char *path, struct keys *keys)
{
	char *arguments[] = {"ss", "-tulpnH", NULL}, *save = NULL;
	struct run run = command_run(0, -1, path, arguments);

	assert_int_equal(run.status, 0);
	keys->count = 0;
	for (char *line = strtok_r(run.out, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char transport[16], address[256], *bare;
		unsigned int pids[64], port;
		size_t count = 0;

		if (sscanf(line, "%15s %*s %*s %*s %255s", transport, address) != 2)
			fail_msg("ss: %s", line);
		for (const char *pid = strstr(line, ",pid="); pid; pid = strstr(pid + 1, ",pid=")) {
			assert_true(count < 64);
			pids[count++] = (unsigned int)strtoul(pid + 5, NULL, 10);
		}
		bare = split_address(address, &port);
		add_key(keys, transport, bare, port, pids, count);
	}
	command_free(&run);
	qsort(keys->list, keys->count, KEY_LEN, compare_keys);
}

static void keys_of_list(struct keys *keys)
{
	json_t *events = listed_own(&listed, "1-65535/tcp,1-65535/udp", "--listening"), *event;
	size_t i;

	keys->count = 0;
	json_array_foreach(events, i, event)
	{
		const char *address = json_string_value(live_field(event, "server.ip"));
		const char *transport = json_string_value(live_field(event, "network.transport"));
		const json_t *holders = live_field(event, "bindwatch.holders"), *holder;
		unsigned int pids[64];
		size_t at;

		assert_true(address && transport && json_array_size(holders) <= 64);
		if (strcmp(transport, "udplite") == 0) /* ss has no such sockets */
			continue;
		if (strcmp(address, "::") == 0 && json_is_false(live_field(event, "bindwatch.socket.v6only")))
			address = "*";
		json_array_foreach(holders, at, holder)
		{
			pids[at] = (unsigned int)json_integer_value(live_field(holder, "pid"));
		}
		add_key(keys, transport, address, (unsigned int)json_integer_value(live_field(event, "server.port")),
		        pids, json_array_size(holders));
	}
	json_decref(events);
	qsort(keys->list, keys->count, KEY_LEN, compare_keys);
}

static bool keys_equal(const struct keys *a, const struct keys *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (strcmp(a->list[i], b->list[i]) != 0)
			return false;
	}
	return true;
}

static void print_keys(const char *title, const struct keys *keys)
{
	print_message("%s:\n", title);
	for (size_t i = 0; i < keys->count; i++)
		print_message("  %s\n", keys->list[i]);
}

static bool stay(void *context)
{
	(void)context;
	return true;
}

/* Sockets of every kind that ss knows; twice on one port, by SO_REUSEPORT; on a device; held by two processes. */
static size_t open_for_ss(int fds[LISTED_KINDS + 3])
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof(address);
	size_t count = 0;
	char port[8];
	int yes = 1;

	for (size_t i = 0; i < LISTED_KINDS; i++) {
		fds[count] = listed_bind(&listed_kinds[i], port);
		count += fds[count] >= 0;
	}
	assert_true(count >= 6);
	for (int i = 0; i < 2; i++) {
		fds[count] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		assert_int_equal(setsockopt(fds[count], SOL_SOCKET, SO_REUSEPORT, &yes, sizeof(yes)), 0);
		assert_int_equal(bind(fds[count], (struct sockaddr *)&address, len), 0);
		assert_int_equal(listen(fds[count], 1), 0);
		assert_int_equal(getsockname(fds[count++], (struct sockaddr *)&address, &len), 0);
	}
	fds[count] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	address.sin_port = 0;
	assert_int_equal(bind(fds[count], (struct sockaddr *)&address, len), 0);
	if (setsockopt(fds[count++], SOL_SOCKET, SO_BINDTODEVICE, "lo", 3) < 0)
		print_message("SO_BINDTODEVICE: %s\n", strerror(errno));
	return count;
}

static void compare_with_ss(void)
{
	const char *path = access("/usr/bin/ss", X_OK) == 0 ? "/usr/bin/ss" : "/usr/sbin/ss";
	struct keys ours = {0}, theirs = {0};
	int fds[LISTED_KINDS + 3], tries = 0;
	bool equal = false;
	size_t count;
	pid_t pid;

	SKIP_BECAUSE(geteuid() != 0 ? "this takes root: to see everybody's sockets" : NULL);
	SKIP_BECAUSE(access(path, X_OK) != 0 ? "ss(8) is not installed" : NULL);
	ours.list = calloc(SOCKETS_MAX, KEY_LEN);
	theirs.list = calloc(SOCKETS_MAX, KEY_LEN);
	assert_true(ours.list && theirs.list);
	count = open_for_ss(fds);
	pid = command_child(stay, NULL);
	assert_true(pid > 0);
	for (; tries < TRIES && !equal; tries++) {
		keys_of_list(&ours);
		keys_of_ss(path, &theirs);
		equal = keys_equal(&ours, &theirs);
	}
	if (!equal) {
		print_keys("bindwatch list", &ours);
		print_keys("ss -tulpnH", &theirs);
	}
	print_message("%zu sockets, as ss has them, at try %d\n", theirs.count, tries);
	command_child_end(pid);
	while (count)
		(void)close(fds[--count]);
	assert_true(equal);
	assert_true(theirs.count >= 6);
	free(ours.list);
	free(theirs.list);
}

static void list_equals_ss_on_this_host(void **state)
{
	(void)state;
	compare_with_ss();
}

static void list_equals_ss_in_a_namespace(void **state)
{
	(void)state;
	listed_need_namespace(&listed);
	compare_with_ss();
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
	        cmocka_unit_test(list_equals_ss_on_this_host),
	        cmocka_unit_test(list_equals_ss_in_a_namespace),
	};

	(void)argc;
	if (listed_start(&listed, argv[0]) < 0)
		return 1;
	return cmocka_run_group_tests_name("list_ss", tests, NULL, NULL);
}
