/* SPDX-License-Identifier: BSD-2-Clause */
/* The events that the encoders' tests begin with. */
#ifndef TESTS_UNIT_USER_ENCODE_SAMPLE_H
#define TESTS_UNIT_USER_ENCODE_SAMPLE_H

#include <arpa/inet.h>
#include <linux/types.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "bpf/bindwatch.h"
#include "user/base/event.h"
#include "user/base/ipproto.h"
#include "user/encode/encode.h"

static const struct registry_entry sample_http = {
    .names = "http\0www\0www-http",
    .title = "World Wide Web HTTP",
    .state = REGISTRY_ASSIGNED,
    .names_count = 3,
};

static const struct encode_host sample_host = {
    .hostname = "web-1",
    .boot_id = "5a2b428e-f0c6-4f47-aff1-7ddc470ea2bd",
    .registry_date = "2026-08-17",
};

static inline struct endpoint sample_endpoint(const char *address, uint16_t port)
{
	struct endpoint endpoint = {.port = port, .has_port = true, .has_address = true};

	endpoint.family = strchr(address, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(endpoint.family, address, endpoint.address) != 1)
		abort();
	return endpoint;
}

/* A bind of 0.0.0.0:80 that is an alert; every field is known. */
static inline struct event sample_alert(void)
{
	struct endpoint server = sample_endpoint("0.0.0.0", 80);

	return (struct event){
	    .time_ns = 1795321654123456789, /* 2026-11-22T04:27:34.123456789Z */
	    .boot_ns = 0x4e9498aacd15,
	    .sequence = 42,
	    .cpu = 10,
	    .pid = 123,
	    .tid = 124,
	    .uid = 33,
	    .gid = 34,
	    .comm = "nginx",
	    .requested = server,
	    .bound = server,
	    .family = AF_INET,
	    .type = SOCK_STREAM,
	    .protocol = IPPROTO_TCP,
	    .socket_flags = BW_SOCKET_REUSEADDR,
	    .cookie = UINT64_MAX,
	    .netns_inode = 4026531840,
	    .unprivileged_port_start = 1024,
	    .plan = PLAN_TRAMPOLINE,
	    .hook = "fexit/inet_bind_sk",
	    .facts = {.server = server,
		      .has_transport = true,
		      .transport = REGISTRY_TCP,
		      .registry = &sample_http,
		      .range = REGISTRY_SYSTEM,
		      .privileged = true,
		      .exposure = EXPOSURE_WILDCARD},
	    .verdict = {.verdict = VERDICT_ALERT, .rule = "privileged-port", .severity = SEVERITY_HIGH},
	};
}

/* A failed bind of which next to nothing is known. */
static inline struct event sample_unknown(void)
{
	return (struct event){.time_ns = 0, .boot_ns = 1, .sequence = 1, .error = 999, .comm = "x", .protocol = 300};
}

static inline void sample_fill(char *bytes, size_t size, char byte)
{
	memset(bytes, byte, size - 1);
	bytes[size - 1] = '\0';
}

#endif
