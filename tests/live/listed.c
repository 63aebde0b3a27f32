/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
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
#include "user/base/ipproto.h"

const struct listed_kind listed_kinds[LISTED_KINDS] = {
        {"tcp4", AF_INET, SOCK_STREAM, IPPROTO_TCP, "127.0.0.1", 0, 1, "tcp", "tcp", "listening", "loopback"},
        {"tcp4_wildcard", AF_INET, SOCK_STREAM, IPPROTO_TCP, "0.0.0.0", 0, 1, "tcp", "tcp", "listening", "wildcard"},
        {"tcp4_address", AF_INET, SOCK_STREAM, IPPROTO_TCP, "127.0.0.7", 0, 1, "tcp", "tcp", "listening", "loopback"},
        {"tcp4_bound", AF_INET, SOCK_STREAM, IPPROTO_TCP, "127.0.0.1", 0, 0, "tcp", "tcp", LISTED_BOUND_ONLY,
         "loopback"},
        {"tcp6_dual", AF_INET6, SOCK_STREAM, IPPROTO_TCP, "::", 0, 1, "tcp", "tcp", "listening", "wildcard"},
        {"tcp6_v6only", AF_INET6, SOCK_STREAM, IPPROTO_TCP, "::", 1, 1, "tcp", "tcp", "listening", "wildcard"},
        {"tcp6_mapped", AF_INET6, SOCK_STREAM, IPPROTO_TCP, "::ffff:127.0.0.1", 0, 1, "tcp", "tcp", "listening",
         "loopback"},
        {"udp4", AF_INET, SOCK_DGRAM, IPPROTO_UDP, "127.0.0.1", 0, 0, "udp", "udp", "bound", "loopback"},
        {"udp6_dual", AF_INET6, SOCK_DGRAM, IPPROTO_UDP, "::", 0, 0, "udp", "udp", "bound", "wildcard"},
        {"udp6_loopback", AF_INET6, SOCK_DGRAM, IPPROTO_UDP, "::1", 1, 0, "udp", "udp", "bound", "loopback"},
        {"udplite4", AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE, "127.0.0.1", 0, 0, "udplite", "udplite", "bound",
         "loopback"},
        {"mptcp4", AF_INET, SOCK_STREAM, IPPROTO_MPTCP, "127.0.0.1", 0, 1, "tcp", "mptcp", "listening", "loopback"},
        {"mptcp6_dual", AF_INET6, SOCK_STREAM, IPPROTO_MPTCP, "::", 0, 1, "tcp", "mptcp", "listening", "wildcard"},
        {"mptcp4_bound", AF_INET, SOCK_STREAM, IPPROTO_MPTCP, "127.0.0.1", 0, 0, "tcp", "mptcp", LISTED_BOUND_ONLY,
         "loopback"},
        {"sctp4", AF_INET, SOCK_STREAM, IPPROTO_SCTP, "127.0.0.1", 0, 1, "sctp", "sctp", "listening", "loopback"},
        {"sctp4_bound", AF_INET, SOCK_SEQPACKET, IPPROTO_SCTP, "127.0.0.1", 0, 0, "sctp", "sctp", LISTED_BOUND_ONLY,
         "loopback"},
};

struct run listed_run(const struct listed *listed, const char *output, const char *port, const char *more)
{
	char *arguments[] = {"bindwatch", "list",       "--output",   (char *)output,
	                     "--port",    (char *)port, (char *)more, NULL};

	return command_run(0, -1, listed->program, arguments);
}

json_t *listed_parse(const char *text)
{
	json_t *events = json_array();

	for (const char *end; *text; text = end + 1) {
		json_error_t error;
		json_t *event;

		end = strchr(text, '\n');
		assert_non_null(end);
		event = json_loadb(text, (size_t)(end - text), JSON_REJECT_DUPLICATES, &error);
		if (!event)
			fail_msg("%s in %.*s", error.text, (int)(end - text), text);
		assert_int_equal(json_integer_value(live_field(event, "event.sequence")), json_array_size(events) + 1);
		json_array_append_new(events, event);
	}
	return events;
}

json_t *listed_json(struct listed *listed, const char *port, const char *more)
{
	struct run run = listed_run(listed, "json", port, more);
	json_t *events;

	if (run.status)
		fail_msg("list --port %s ended with %d: %s", port, run.status, run.err);
	events = listed_parse(run.out);
	listed->iterator_why_not =
	        strstr(run.err, "iterator") ? "the kernel refuses the iterator over descriptors" : NULL;
	command_free(&run);
	return events;
}

bool listed_in_netns(const json_t *event, unsigned int netns)
{
	return json_integer_value(live_field(event, "bindwatch.netns.inode")) == (json_int_t)netns;
}

json_t *listed_own(struct listed *listed, const char *port, const char *more)
{
	json_t *all = listed_json(listed, port, more), *own = json_array(), *event;
	size_t i;

	json_array_foreach(all, i, event)
	{
		if (listed_in_netns(event, scene_namespace()))
			json_array_append(own, event);
	}
	json_decref(all);
	return own;
}

int listed_bind(const struct listed_kind *kind, char ret_port[8])
{
	struct sockaddr_storage address;
	socklen_t len = scene_address(kind->address, 0, &address);
	int fd = socket(kind->family, kind->type | SOCK_CLOEXEC, kind->protocol), value = kind->v6only;
	socklen_t cookie_len = sizeof(uint64_t);
	uint64_t cookie;

	if (fd < 0)
		return -1;
	if ((kind->family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &value, sizeof(value)) < 0) ||
	    bind(fd, (struct sockaddr *)&address, len) < 0 || (kind->listens && listen(fd, 1) < 0) ||
	    getsockname(fd, (struct sockaddr *)&address, &len) < 0) {
		(void)close(fd);
		return -1;
	}
	/* a kernel that does not list this socket may not give it a cookie unasked either */
	(void)getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &cookie_len);
	/* the port stands at the same place in both */
	(void)snprintf(ret_port, 8, "%u", ntohs(((struct sockaddr_in *)&address)->sin_port));
	return fd;
}

int listed_start(struct listed *listed, const char *argv0)
{
	int result;

	*listed = (struct listed){.why_not = geteuid() ? "this takes root: a network namespace of its own" : NULL};
	result = live_program(argv0, listed->program, sizeof(listed->program));
	if (result)
		(void)fputs("there is no bindwatch beside this test\n", stderr);
	return result;
}

void listed_need_namespace(struct listed *listed)
{
	if (!listed->entered && !listed->why_not && scene_enter_namespace() < 0)
		listed->why_not = "no network namespace of its own can be made here";
	listed->entered = true;
	SKIP_BECAUSE(listed->why_not);
}
