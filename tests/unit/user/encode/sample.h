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
#include "user/base/image_name.h"
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
    .boot_time_ns = 1795235254000000000, /* 2026-11-21T04:27:34Z */
    .boot_id = "5a2b428e-f0c6-4f47-aff1-7ddc470ea2bd",
    .registry_date = "2026-08-17",
};

static inline void sample_fill(char *bytes, size_t size, char byte)
{
	memset(bytes, byte, size - 1);
	bytes[size - 1] = '\0';
}

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

/* In a container of a pod; everything about it is known, and every flag is set but one. */
static inline struct process sample_process(void)
{
	return (struct process){
	    .pid = 123,
	    .start_ns = 86400000000001,
	    .exec_id = 2,
	    .comm = "nginx",
	    .executable = {.path = "/usr/sbin/nginx",
			   .path_truncated = true,
			   .has_inode = true,
			   .device = 0x801, /* 8:1 */
			   .inode = UINT64_MAX,
			   .mtime_ns = 1000000000,
			   .ctime_ns = 2000000001,
			   .flags = EXECUTABLE_DELETED | EXECUTABLE_REPLACED | EXECUTABLE_OVERLAY_UPPER |
				    EXECUTABLE_WORLD_WRITABLE | EXECUTABLE_MODIFIED,
			   .flags_known = (1U << EXECUTABLE_FLAGS) - 1,
			   .has_sha256 = true,
			   .sha256 = {0x01, 0xab, [31] = 0xff},
			   .package = "nginx-core",
			   .package_version = "1.22.1-9"},
	    .arguments = "nginx\0-g\0daemon off;",
	    .arguments_length = sizeof("nginx\0-g\0daemon off;"),
	    .arguments_count = 3,
	    .working_directory = "/",
	    .ancestors = {{.pid = 7, .start_ns = 1000, .comm = "sh", .executable = "/usr/bin/dash"},
			  {.pid = 1, .comm = "init"}},
	    .ancestors_count = 2,
	    .cgroup = {.id = 4711,
		       .path = "/a.slice/docker-1.service",
		       .unit = "docker-1.service",
		       .slice = "a.slice",
		       .user_unit = "b.scope",
		       .runtime = RUNTIME_DOCKER,
		       .container_id = "0123456789abcdef",
		       .image = "docker.io/library/nginx:1.27@sha256:0a1b",
		       .pod_uid = "6d0bd9f2-9a3e-4c5b-8f1d-2e3c4b5a6978"},
	    .pidns_inode = 4026531836,
	    .mntns_inode = 4026531841,
	    .userns_inode = 4026531837,
	    .netns_inode = 4026531840,
	};
}

/* Everything is as long as it may be, or longer, and of bytes that take the most room. */
static inline struct process sample_worst_process(void)
{
	static char path[5000], name[300], arguments[5000], image[IMAGE_NAME_MAX];
	struct process process = sample_process();

	sample_fill(path, sizeof(path), '\x01');
	sample_fill(name, sizeof(name), '\x01');
	sample_fill(image, sizeof(image), '\x01');
	memset(arguments, 0x01, sizeof(arguments));
	process.pid = UINT32_MAX;
	process.executable.path = process.working_directory = process.cgroup.path = path;
	process.executable.device = UINT64_MAX;
	process.executable.package = process.executable.package_version = name;
	process.arguments = arguments;
	process.arguments_length = sizeof(arguments);
	process.cgroup.id = UINT64_MAX;
	process.cgroup.unit = process.cgroup.slice = process.cgroup.user_unit = name;
	process.cgroup.container_id = process.cgroup.pod_uid = name;
	process.cgroup.image = image;
	process.working_directory_truncated = true;
	process.ancestors_count = PROCESS_ANCESTORS_MAX;
	for (size_t i = 0; i < PROCESS_ANCESTORS_MAX; i++) {
		process.ancestors[i] = (struct ancestor){.pid = UINT32_MAX, .start_ns = 1ULL << 62, .executable = path};
		memset(process.ancestors[i].comm, 0x01, sizeof(process.ancestors[i].comm));
	}
	return process;
}

static inline struct credentials sample_credentials(void)
{
	return (struct credentials){.known = true,
				    .effective_uid = 0,
				    .effective_gid = 1,
				    .groups_count = 3,
				    .effective = 1ULL << 10 | 1ULL << 63,
				    .permitted = 1,
				    .login_uid = 1000,
				    .session = 5};
}

/* A failed bind of which next to nothing is known. */
static inline struct event sample_unknown(void)
{
	return (struct event){.time_ns = 0, .boot_ns = 1, .sequence = 1, .error = 999, .comm = "x", .protocol = 300};
}

#endif
