/* SPDX-License-Identifier: BSD-2-Clause */
/* Nanoseconds for one event in each form, as the README quotes them: the best of several rounds. */
#include <linux/types.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "bpf/bindwatch.h"
#include "user/base/user_cache.h"
#include "user/encode/encode.h"

#define ROUNDS 10
#define EVENTS 100000

static const struct registry_entry http = {
        .names = "http\0www\0www-http",
        .title = "World Wide Web HTTP",
        .state = REGISTRY_ASSIGNED,
        .names_count = 3,
};

/* Of the documentation prefix: RFC 3849. */
static const struct endpoint server = {.family = AF_INET6,
                                       .port = 80,
                                       .has_port = true,
                                       .has_address = true,
                                       .address = {0x20, 0x01, 0x0d, 0xb8, [15] = 1}};

/* An alert with every field set: the common case is shorter. */
static const struct event alert = {
        .time_ns = 1795321654123456789,
        .boot_ns = 86400123456789,
        .cpu = 3,
        .pid = 1234,
        .tid = 1234,
        .comm = "nginx",
        .family = AF_INET6,
        .type = SOCK_STREAM,
        .protocol = IPPROTO_TCP,
        .socket_flags = BW_SOCKET_REUSEPORT,
        .device = 2,
        .device_name = "eth0",
        .cookie = 4711,
        .netns_inode = 4026531840,
        .unprivileged_port_start = 1024,
        .plan = PLAN_TRAMPOLINE,
        .hook = "fexit/inet6_bind_sk",
        .facts = {.registry = &http, .privileged = true, .exposure = EXPOSURE_ADDRESS},
        .verdict = {.verdict = VERDICT_ALERT, .rule = "privileged-port", .severity = SEVERITY_HIGH},
};

/* A service as it is on most hosts. */
static const struct process process = {
        .pid = 1234,
        .start_ns = 86400000000001,
        .executable = {.path = "/usr/sbin/nginx",
                       .has_inode = true,
                       .device = 0x801,
                       .inode = 1234567,
                       .mtime_ns = 1795321654123456789,
                       .ctime_ns = 1795321654123456789,
                       .flags_known = (1U << EXECUTABLE_FLAGS) - 1,
                       .has_sha256 = true,
                       .package = "nginx-core",
                       .package_version = "1.22.1-9+deb12u1"},
        .arguments = "nginx: worker\0-g\0daemon on; master_process on;",
        .arguments_length = sizeof("nginx: worker\0-g\0daemon on; master_process on;"),
        .arguments_count = 3,
        .working_directory = "/",
        .ancestors = {{.pid = 1233, .start_ns = 86400000000000, .comm = "nginx", .executable = "/usr/sbin/nginx"},
                      {.pid = 1, .start_ns = 10000000, .comm = "systemd", .executable = "/usr/lib/systemd/systemd"}},
        .ancestors_count = 2,
        .cgroup = {.id = 4711, .path = "/system.slice/nginx.service", .unit = "nginx.service", .slice = "system.slice"},
        .pidns_inode = 4026531836,
        .mntns_inode = 4026531841,
        .userns_inode = 4026531837,
        .netns_inode = 4026531840,
};

static double nanoseconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static int measure(const char *name, const struct encode_host *host, uint64_t capabilities, const struct process *who)
{
	static char data[ENCODE_EVENT_MAX];
	const struct encoder *encoder = encoder_find(name);
	struct encode_buffer buffer = {.data = data, .size = sizeof(data)};
	struct event event = alert;
	double best = 0;

	event.process = who;
	event.credentials = (struct credentials){
	        .known = who, .effective = capabilities, .permitted = capabilities, .login_uid = PROCESS_UNSET};
	event.requested = event.bound = event.facts.server = server;
	for (unsigned int round = 0; round < ROUNDS; round++) {
		double begin = nanoseconds(), each;

		for (unsigned int i = 0; i < EVENTS; i++) {
			buffer.used = 0;
			event.sequence++;
			event.time_ns += 1000;
			event.boot_ns += 1000;
			if (encoder->event(host, &event, &buffer) != 0)
				return 1;
		}
		each = (nanoseconds() - begin) / EVENTS;
		best = round == 0 || each < best ? each : best;
	}
	printf("encode %-4s %-24s %5.0f ns/event  %4zu bytes\n", name,
	       !who           ? ""
	       : capabilities ? "process, root"
	                      : "process",
	       best, buffer.used);
	return 0;
}

int main(void)
{
	static struct user_cache users;
	struct encode_host host;

	if (encode_host_init(&host, "2026-08-17") != 0)
		return 1;
	host.users = &users;
	return measure("json", &host, 0, NULL) | measure("json", &host, 0, &process) |
	       measure("json", &host, (1ULL << 41) - 1, &process) | measure("text", &host, 0, &process);
}
