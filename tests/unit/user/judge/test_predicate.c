/* SPDX-License-Identifier: BSD-2-Clause */
/* Each predicate: what satisfies it, what does not, what is not known, what is excluded. One row a case. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <linux/types.h>

#include "bpf/bindwatch.h"
#include "tests/unit/user/judge/policy_fixture.h"
#include "user/judge/predicate.h"

static struct registry *registry;

#define MAPPED(a, b, c, d)                                                                                             \
	{                                                                                                              \
		[10] = 0xff, [11] = 0xff, [12] = (a), [13] = (b), [14] = (c), [15] = (d)                               \
	}
#define PORT(number) .server = {.has_port = true, .port = (number)}
#define TCP          .has_transport = true, .transport = REGISTRY_TCP
#define UDP          .has_transport = true, .transport = REGISTRY_UDP
#define IPV4(a, b, c, d)                                                                                               \
	.server = {.has_address = true, .family = AF_INET, .address = {a, b, c, d}}, .exposure = EXPOSURE_ADDRESS

static const struct registry_entry assigned = {.names = "x", .title = "", .state = REGISTRY_ASSIGNED};
static const struct registry_entry removed = {.names = "", .title = "", .state = REGISTRY_DEASSIGNED};

struct row {
	const char *rule; /* its conditions */
	bool matches;
	bool no_process;
	struct event event;
	struct process process;
};

#define YES(conditions) .rule = (conditions), .matches = true
#define NO(conditions)  .rule = (conditions), .matches = false

/* clang-format off */
static const struct row rows[] = {
	{YES("port = 22/tcp"), .event.facts = {PORT(22), TCP}},
	{NO("port = 22/tcp"), .event.facts = {PORT(22), UDP}},
	{NO("port = 22/tcp"), .event.facts = {PORT(23), TCP}},
	{NO("port = 22/tcp"), .event.facts = {PORT(22)}},
	{YES("port = 22"), .event.facts = {PORT(22)}},
	{NO("port = 22")},
	{NO("port = !22")},
	{NO("port = !22/tcp"), .event.facts = {PORT(22)}},
	{YES("port = !22/tcp"), .event.facts = {PORT(23)}},
	{YES("port = 80 8000-8099/tcp"), .event.facts = {PORT(8099), TCP}},
	{NO("port = 80 8000-8099/tcp"), .event.facts = {PORT(8100), TCP}},
	{YES("port = 8000-8099 !8080"), .event.facts = {PORT(8081), TCP}},
	{NO("port = 8000-8099 !8080"), .event.facts = {PORT(8080), TCP}},
	{YES("port = 80\nport = 81"), .event.facts = {PORT(81), TCP}},
	{YES("port = 80\n  81\n\t82"), .event.facts = {PORT(82), TCP}},
	{YES("port = 1-65535"), .event.facts = {PORT(65535), TCP}},

	{YES("service = ssh"), .event.facts = {PORT(22), TCP}},
	{YES("service = SSH"), .event.facts = {PORT(22), TCP}},
	{NO("service = ssh"), .event.facts = {PORT(23), TCP}},
	{NO("service = ssh"), .event.facts = {PORT(22)}},
	{YES("service = www http-alt"), .event.facts = {PORT(80), TCP}},
	{YES("service = !ssh"), .event.facts = {PORT(80), TCP}},
	{NO("service = !ssh"), .event.facts = {PORT(22), TCP}},

	{YES("transport = tcp sctp"), .event.facts = {TCP}},
	{NO("transport = tcp"), .event.facts = {UDP}},
	{NO("transport = tcp")},
	{YES("transport = !tcp"), .event.facts = {UDP}},
	{NO("transport = !tcp")},

	{YES("class = privileged"), .event.facts = {PORT(80), .privileged = true}},
	{NO("class = privileged"), .event.facts = {PORT(80)}},
	{YES("class = system"), .event.facts = {PORT(80), .range = REGISTRY_SYSTEM}},
	{YES("class = user dynamic"), .event.facts = {PORT(50000), .range = REGISTRY_DYNAMIC}},
	{YES("class = !privileged"), .event.facts = {PORT(8080), .range = REGISTRY_USER}},
	{NO("class = !privileged"), .event.facts = {.privileged = false}},

	{YES("state = assigned"), .event.facts = {.registry = &assigned}},
	{NO("state = assigned"), .event.facts = {.registry = &removed}},
	{YES("state = deassigned"), .event.facts = {.registry = &removed}},
	{YES("state = de-assigned"), .event.facts = {.registry = &removed}},
	{NO("state = assigned")},
	{YES("state = !assigned"), .event.facts = {.registry = &removed}},
	{NO("state = !assigned")},

	{YES("exposure = loopback"), .event.facts = {.exposure = EXPOSURE_LOOPBACK}},
	{NO("exposure = loopback"), .event.facts = {.exposure = EXPOSURE_WILDCARD}},
	{YES("exposure = !loopback"), .event.facts = {.exposure = EXPOSURE_WILDCARD}},
	{NO("exposure = !loopback")},

	{YES("address = 10.0.0.0/8"), .event.facts = {IPV4(10, 1, 2, 3)}},
	{NO("address = 10.0.0.0/8"), .event.facts = {IPV4(11, 1, 2, 3)}},
	{YES("address = 10.1.2.3"), .event.facts = {IPV4(10, 1, 2, 3)}},
	{YES("address = 10.1.2.2/31"), .event.facts = {IPV4(10, 1, 2, 3)}},
	{NO("address = 10.1.2.0/31"), .event.facts = {IPV4(10, 1, 2, 3)}},
	{YES("address = 0.0.0.0/0"), .event.facts = {IPV4(10, 1, 2, 3)}},
	{YES("address = ::/0"), .event.facts = {IPV4(10, 1, 2, 3)}},
	{YES("address = 10.0.0.0/8"), .event.facts = {.server = {.has_address = true, .family = AF_INET6, .address = MAPPED(10, 1, 2, 3)}}},
	{NO("address = 0.0.0.0/0"), .event.facts = {.server = {.has_address = true, .family = AF_INET6, .address = {0x20, 0x01}}}},
	{YES("address = 2001::/16"), .event.facts = {.server = {.has_address = true, .family = AF_INET6, .address = {0x20, 0x01}}}},
	{NO("address = fd00::/8"), .event.facts = {.server = {.has_address = true, .family = AF_INET6, .address = {0x20, 0x01}}}},
	{NO("address = 10.0.0.0/8")},
	{YES("address = !10.0.0.0/8"), .event.facts = {IPV4(11, 1, 2, 3)}},
	{NO("address = !10.0.0.0/8")},
	{YES("address = loopback"), .event.facts = {.exposure = EXPOSURE_LOOPBACK}},
	{YES("address = wildcard 10.0.0.0/8"), .event.facts = {.exposure = EXPOSURE_WILDCARD}},
	{YES("address = !loopback"), .event.facts = {.exposure = EXPOSURE_WILDCARD}},
	{NO("address = loopback")},

	{YES("choice = requested"), .event.requested = {.has_port = true, .port = 80}},
	{YES("choice = requested"), .event.socket_flags = BW_SOCKET_PORT_ASKED},
	{NO("choice = requested"), .event.facts = {.ephemeral = true}},
	{YES("choice = ephemeral"), .event.facts = {.ephemeral = true}},
	{NO("choice = requested")},
	{NO("choice = !ephemeral")},
	{YES("choice = !ephemeral"), .event.requested = {.has_port = true, .port = 80}},

	{YES("outcome = success")},
	{NO("outcome = success"), .event.error = EACCES},
	{YES("outcome = failure"), .event.error = EACCES},
	{YES("error = EADDRINUSE EACCES"), .event.error = EACCES},
	{NO("error = EADDRINUSE"), .event.error = EACCES},
	{NO("error = EADDRINUSE")},
	{YES("error = !EADDRINUSE\noutcome = failure"), .event.error = EACCES},

	{YES("action = bound-socket")},
	{YES("action = closed-socket listen-for-connections"), .event.action = EVENT_LISTEN},
	{NO("action = closed-socket"), .event.action = EVENT_LISTEN},
	{YES("action = !bound-socket"), .event.action = EVENT_CLOSED},
	{NO("action = !bound-socket")},

	{YES("exe = /usr/sbin/sshd"), .process.executable.path = "/usr/sbin/sshd"},
	{NO("exe = /usr/sbin/sshd"), .process.executable.path = "/usr/sbin/sshd2"},
	{YES("exe = /usr/*/sshd /opt/**"), .process.executable.path = "/opt/a/b/sshd"},
	{NO("exe = /usr/*"), .process.executable.path = "/usr/bin/sshd"},
	{YES("exe = \"/opt/My Program\""), .process.executable.path = "/opt/My Program"},
	{YES("exe = \"/opt/a\\\"b\\\\*\""), .process.executable.path = "/opt/a\"b*"},
	{NO("exe = /**")},
	{NO("exe = !/usr/**")},
	{YES("exe = !/usr/**"), .process.executable.path = "/opt/x"},
	{NO("exe = !/usr/** !/opt/**"), .process.executable.path = "/opt/x"},
	{NO("exe = /usr/** !/usr/bin/python*"), .process.executable.path = "/usr/bin/python3"},
	{YES("exe = !\"/usr/bin/python3\" /usr/**"), .process.executable.path = "/usr/bin/perl"},
	{NO("exe = /**"), .process.executable = {.path = "/sshd", .path_truncated = true}},
	{NO("exe = /**"), .no_process = true},

	{YES("exe-flags = memfd deleted"), .process.executable = {.flags = EXECUTABLE_DELETED, .flags_known = EXECUTABLE_DELETED}},
	{NO("exe-flags = memfd"), .process.executable = {.flags = EXECUTABLE_DELETED, .flags_known = 0x3f}},
	{NO("exe-flags = memfd"), .process.executable = {.flags = EXECUTABLE_MEMFD}},
	{YES("exe-flags = !memfd"), .process.executable = {.flags_known = EXECUTABLE_MEMFD}},
	{NO("exe-flags = !memfd"), .process.executable = {.flags_known = EXECUTABLE_DELETED}},
	{NO("exe-flags = !memfd"), .no_process = true},

	{YES("sha256 = 00000000000000000000000000000000000000000000000000000000000000aF"), .process.executable = {.has_sha256 = true, .sha256 = {[31] = 0xaf}}},
	{NO("sha256 = 00000000000000000000000000000000000000000000000000000000000000af"), .process.executable = {.has_sha256 = true}},
	{NO("sha256 = 0000000000000000000000000000000000000000000000000000000000000000")},
	{YES("sha256 = !0000000000000000000000000000000000000000000000000000000000000001"), .process.executable = {.has_sha256 = true}},
	{NO("sha256 = !0000000000000000000000000000000000000000000000000000000000000001")},

	{YES("package = openssh-*"), .process.executable.package = "openssh-server"},
	{NO("package = openssh-*"), .process.executable.package = "nginx"},
	{YES("package = none"), .process.executable.package_known = true},
	{NO("package = none"), .process.executable.package = "nginx"},
	{NO("package = none")},
	{YES("package = !none"), .process.executable.package = "nginx"},
	{NO("package = !none")},
	{YES("package = !nginx"), .process.executable.package_known = true},

	{YES("comm = ngin?"), .event = {.pid = 7, .comm = "nginx"}},
	{YES("comm = a*"), .event = {.pid = 7, .comm = "a/b"}},
	{NO("comm = sshd"), .event = {.pid = 7, .comm = "nginx"}},
	{NO("comm = *")},
	{NO("comm = !nginx")},
	{YES("comm = !nginx"), .event = {.pid = 7, .comm = "sshd"}},

	{YES("args = \"python3 -m http.server*\""), .process = {.arguments = "python3\0-m\0http.server", .arguments_length = 23}},
	{YES("args = *http.server"), .process = {.arguments = "python3\0-m\0http.server", .arguments_length = 23}},
	{NO("args = \"python3 -m\""), .process = {.arguments = "python3\0-m\0http.server", .arguments_length = 23}},
	{YES("args = python3"), .process = {.arguments = "python3", .arguments_length = 8}},
	{NO("args = *")},
	{NO("args = *"), .process = {.arguments = "python3", .arguments_length = 8, .arguments_truncated = true}},
	{YES("args = !*-m*"), .process = {.arguments = "python3", .arguments_length = 8}},

	{YES("user = root")},
	{YES("user = 1000-59999"), .event.uid = 59999},
	{NO("user = 1000-59999"), .event.uid = 60000},
	{YES("user = !root"), .event.uid = 1},
	{NO("user = no-such-user-here"), .event.uid = UINT32_MAX},
	{YES("user = !no-such-user-here"), .event.uid = 7},
	{YES("effective-user = 0"), .event = {.uid = 7, .credentials.known = true}},
	{NO("effective-user = 7"), .event = {.uid = 7, .credentials.known = true}},
	{NO("effective-user = 0")},
	{NO("effective-user = !7")},
	{YES("login-user = unset"), .event.credentials = {.known = true, .login_uid = PROCESS_UNSET}},
	{NO("login-user = unset"), .event.credentials = {.known = true, .login_uid = 1000}},
	{NO("login-user = 0-4294967294"), .event.credentials = {.known = true, .login_uid = PROCESS_UNSET}},
	{NO("login-user = !unset")},
	{YES("group = 100"), .event.gid = 100},
	{YES("group = root")},
	{NO("group = root"), .event.action = EVENT_EXISTING},
	{NO("group = !100"), .event.gid = 100},

	{YES("capability = CAP_NET_BIND_SERVICE"), .event.credentials = {.known = true, .effective = 1U << 10}},
	{NO("capability = CAP_NET_BIND_SERVICE"), .event.credentials = {.known = true, .effective = 1U << 11}},
	{NO("capability = CAP_NET_BIND_SERVICE"), .event.credentials = {.effective = 1U << 10}},
	{YES("capability = !CAP_SYS_ADMIN"), .event.credentials = {.known = true, .effective = 1U << 10}},
	{NO("capability = !CAP_SYS_ADMIN")},

	{YES("parent = /usr/bin/*"), .process = {.ancestors = {{.executable = "/usr/bin/sh"}}, .ancestors_count = 1}},
	{NO("parent = /usr/bin/*"), .process = {.ancestors = {{.executable = "/bin/sh"}, {.executable = "/usr/bin/sh"}}, .ancestors_count = 2}},
	{NO("parent = /**"), .process = {.ancestors_count = 1}},
	{NO("parent = !/usr/bin/sh")},
	{YES("ancestor = /usr/bin/sh"), .process = {.ancestors = {{.executable = "/bin/a"}, {.executable = "/usr/bin/sh"}}, .ancestors_count = 2}},
	{YES("ancestor = /usr/bin/sh"), .process = {.ancestors = {{.executable = NULL}, {.executable = "/usr/bin/sh"}}, .ancestors_count = 2}},
	{NO("ancestor = /usr/bin/sh"), .process = {.ancestors = {{.executable = "/bin/a"}}, .ancestors_count = 1}},
	{YES("ancestor = !/usr/bin/sh"), .process = {.ancestors = {{.executable = "/bin/a"}, {.executable = "/bin/b"}}, .ancestors_count = 2}},
	{NO("ancestor = !/usr/bin/sh"), .process = {.ancestors = {{.executable = "/bin/a"}, {.executable = NULL}}, .ancestors_count = 2}},
	/* the end of a path is not the path */
	{NO("ancestor = /bin/a"), .process = {.ancestors = {{.executable = "/bin/a", .executable_truncated = true}}, .ancestors_count = 1}},
	{NO("parent = /bin/a"), .process = {.ancestors = {{.executable = "/bin/a", .executable_truncated = true}}, .ancestors_count = 1}},
	{NO("ancestor = !/usr/bin/sh")},

	{YES("unit = ssh.service"), .process.cgroup = {.path = "/x", .unit = "ssh.service"}},
	{NO("unit = ssh.service"), .process.cgroup = {.path = "/x", .unit = "user@1000.service", .user_unit = "ssh.service"}},
	{YES("unit = user@1000.service"), .process.cgroup = {.path = "/x", .unit = "user@1000.service", .user_unit = "a.service"}},
	{YES("unit-if-any = ssh.service nginx*.service"), .process.cgroup = {.path = "/x", .unit = "nginx@a.service"}},
	{NO("unit-if-any = ssh.service"), .process.cgroup = {.path = "/x", .unit = "session-3.scope"}},
	{NO("unit-if-any = ssh.service"), .process.cgroup = {.path = "/x", .unit = "user@1000.service", .user_unit = "ssh.service"}},
	{YES("unit-if-any = ssh.service"), .process.cgroup = {.path = "/"}},
	{YES("unit-if-any = ssh.service")},
	{YES("unit-if-any = ssh.service"), .no_process = true},
	{YES("unit-if-any = ssh.service"), .process.cgroup = {.path = "/x", .unit = "docker-0123.scope", .container_id = "0123"}},
	{NO("unit-if-any = ssh.service"), .process.cgroup = {.path_truncated = true}},
	{NO("unit-if-any = ssh.service"), .process.cgroup = {.path = "/x", .path_truncated = true, .unit = "user@1.service"}},
	{YES("unit = none"), .process.cgroup = {.path = "/"}},
	{YES("unit = none"), .process.cgroup = {.path_truncated = true}},
	{NO("unit = none"), .process.cgroup = {.path = "/x", .unit = "ssh.service"}},
	{NO("unit = none")},
	{YES("slice = none"), .process.cgroup = {.path = "/"}},
	{YES("slice = none"), .process.cgroup = {.path_truncated = true}},
	{NO("slice = none"), .process.cgroup = {.path = "/x", .slice = "system.slice"}},
	{NO("slice = none"), .process.cgroup = {.path = "/x", .unit = "a.service", .slice_unknown = true}},
	{YES("container = none"), .process.cgroup = {.path_truncated = true}},
	{NO("unit-if-any = !session-*.scope"), .process.cgroup = {.path = "/x", .unit = "session-3.scope"}},
	{YES("unit-if-any = !session-*.scope"), .process.cgroup = {.path = "/x", .unit = "ssh.service"}},
	{YES("unit-if-any = !session-*.scope"), .process.cgroup = {.path = "/"}},
	{YES("user-unit = sync*.service"), .process.cgroup = {.path = "/x", .unit = "user@1000.service", .user_unit = "syncthing.service"}},
	{NO("user-unit = ssh.service"), .process.cgroup = {.path = "/x", .unit = "ssh.service"}},
	{YES("user-unit = !ssh.service"), .process.cgroup = {.path = "/x", .unit = "ssh.service"}},
	{NO("user-unit = !ssh.service")},
	{NO("unit = ssh.service"), .process.cgroup = {.path = "/x", .unit = "nginx.service"}},
	{YES("unit = !ssh.service"), .process.cgroup = {.path = "/x"}},
	{NO("unit = !ssh.service")},
	{YES("slice = system.slice"), .process.cgroup = {.path = "/x", .slice = "system.slice"}},
	{NO("slice = system.slice"), .process.cgroup = {.path = "/x"}},
	{NO("slice = !system.slice")},

	{YES("container = any"), .process.cgroup = {.path = "/x", .runtime = RUNTIME_DOCKER, .container_id = "0123"}},
	{YES("container = any"), .process.cgroup = {.path = "/x", .runtime = RUNTIME_LXC}},
	{NO("container = any"), .process.cgroup = {.path = "/x"}},
	{NO("container = any")},
	{YES("container = none"), .process.cgroup = {.path = "/x"}},
	{NO("container = none")},
	{NO("container = none"), .process.cgroup = {.path = "/x", .runtime = RUNTIME_UNKNOWN}},
	{YES("container = !none"), .process.cgroup = {.path = "/x", .runtime = RUNTIME_UNKNOWN}},
	{YES("container = 01*"), .process.cgroup = {.path = "/x", .runtime = RUNTIME_DOCKER, .container_id = "0123"}},
	{NO("container = 02*"), .process.cgroup = {.path = "/x", .runtime = RUNTIME_DOCKER, .container_id = "0123"}},
	{NO("container = !02*"), .process.cgroup = {.path = "/x", .runtime = RUNTIME_LXC}},
	{YES("image = **/nginx:*"), .process.cgroup = {.path = "/x", .runtime = RUNTIME_DOCKER, .image = "docker.io/library/nginx:1.27"}},
	{NO("image = */nginx:*"), .process.cgroup = {.path = "/x", .runtime = RUNTIME_DOCKER, .image = "docker.io/library/nginx:1.27"}},
	{YES("image = redis nginx nginx:*"), .process.cgroup = {.path = "/x", .runtime = RUNTIME_DOCKER, .image = "nginx"}},
	{NO("image = nginx"), .process.cgroup = {.path = "/x", .runtime = RUNTIME_DOCKER, .image = "nginx:1.27"}},
	{YES("image = !nginx"), .process.cgroup = {.path = "/x", .runtime = RUNTIME_DOCKER, .image = "nginx:1.27"}},
	{YES("image = any"), .process.cgroup = {.path = "/x", .runtime = RUNTIME_DOCKER, .image = "nginx"}},
	{NO("image = none"), .process.cgroup = {.path = "/x", .runtime = RUNTIME_DOCKER, .image = "nginx"}},
	{YES("image = none"), .process.cgroup = {.path = "/x"}},
	{YES("image = !nginx"), .process.cgroup = {.path = "/x"}},
	{NO("image = any"), .process.cgroup = {.path = "/x"}},
	/* in a container, but not known of which image */
	{NO("image = any"), .process.cgroup = {.path = "/x", .runtime = RUNTIME_LXC}},
	{NO("image = none"), .process.cgroup = {.path = "/x", .runtime = RUNTIME_LXC}},
	{NO("image = !nginx"), .process.cgroup = {.path = "/x", .runtime = RUNTIME_DOCKER, .container_id = "0123"}},
	{NO("image = none")},
	{NO("image = !nginx")},
	{YES("runtime = docker podman"), .process.cgroup = {.path = "/x", .runtime = RUNTIME_PODMAN}},
	{NO("runtime = docker"), .process.cgroup = {.path = "/x"}},
	{YES("runtime = !docker"), .process.cgroup = {.path = "/x"}},
	{NO("runtime = !docker"), .process.cgroup = {.path = "/x", .runtime = RUNTIME_UNKNOWN}},
	{NO("runtime = !docker")},
	{YES("pod = 6d0bd9f2-*"), .process.cgroup = {.path = "/x", .pod_uid = "6d0bd9f2-9a3e"}},
	{NO("pod = *"), .process.cgroup = {.path = "/x"}},
	{YES("pod = !*"), .process.cgroup = {.path = "/x"}},
	{NO("pod = !*")},

	{YES("netns = host"), .event.netns_inode = HOST_NETNS},
	{NO("netns = host"), .event.netns_inode = 5},
	{YES("netns = other"), .event.netns_inode = 5},
	{NO("netns = other"), .event.netns_inode = HOST_NETNS},
	{YES("netns = 5"), .event.netns_inode = 5},
	{NO("netns = other")},
	{NO("netns = !5")},
	{YES("netns = !5"), .event.netns_inode = 6},

	{YES("userns = host"), .process.userns_inode = HOST_USERNS},
	{NO("userns = host"), .process.userns_inode = 5},
	{NO("userns = host")},
	{NO("userns = host"), .no_process = true},
	{YES("userns = other"), .process.userns_inode = 5},
	{NO("userns = other"), .process.userns_inode = HOST_USERNS},
	{NO("userns = other")},
	{YES("userns = 5 6"), .process.userns_inode = 6},
	{NO("userns = 5 6"), .process.userns_inode = 7},
	{YES("userns = !5"), .process.userns_inode = 6},
	{NO("userns = !5"), .process.userns_inode = 5},
	{NO("userns = !5")},
	{NO("userns = !other")},
	{YES("userns = !other"), .process.userns_inode = HOST_USERNS},

	{YES("mntns = host"), .process.mntns_inode = HOST_MNTNS},
	{NO("mntns = host"), .process.mntns_inode = 5},
	{NO("mntns = host")},
	{NO("mntns = host"), .no_process = true},
	{YES("mntns = other"), .process.mntns_inode = 5},
	{NO("mntns = other"), .process.mntns_inode = HOST_MNTNS},
	{NO("mntns = other")},
	{YES("mntns = 5 6"), .process.mntns_inode = 6},
	{NO("mntns = 5 6"), .process.mntns_inode = 7},
	{YES("mntns = !5"), .process.mntns_inode = 6},
	{NO("mntns = !5"), .process.mntns_inode = 5},
	{NO("mntns = !5")},
	{NO("mntns = !other")},
	{YES("mntns = !other"), .process.mntns_inode = HOST_MNTNS},

	{YES("socket = reuseport"), .event.socket_flags = BW_SOCKET_REUSEPORT},
	{NO("socket = reuseport"), .event.socket_flags = BW_SOCKET_REUSEADDR},
	{YES("socket = device"), .event.device = 2},
	{YES("socket = !device")},
	{YES("socket = kernel v6only"), .event.socket_flags = BW_SOCKET_KERNEL},
	{NO("socket = !freebind"), .event.socket_flags = BW_SOCKET_INET_UNKNOWN},
	{NO("socket = !kernel"), .event.socket_flags = BW_SOCKET_KERNEL_UNKNOWN},
	{NO("socket = !reuseport"), .event.socket_flags = BW_SOCKET_REUSE_UNKNOWN},
	{YES("socket = !reuseport"), .event.socket_flags = BW_SOCKET_INET_UNKNOWN},

	{YES("pattern = sweep second-owner"), .event.facts = {.patterns = PATTERN_SECOND_OWNER}},
	{NO("pattern = sweep"), .event.facts = {.patterns = PATTERN_TAKEOVER}},
	{YES("pattern = !sweep")},

	{YES("holders = none"), .event = {.action = EVENT_EXISTING, .holders_known = true}},
	{NO("holders = some"), .event = {.action = EVENT_EXISTING, .holders_known = true}},
	{YES("holders = some"), .event = {.action = EVENT_EXISTING, .holders_count = 1}},
	{NO("holders = none"), .event = {.action = EVENT_EXISTING, .holders_count = 1, .holders_known = true}},
	{NO("holders = none"), .event = {.action = EVENT_EXISTING}},
	{NO("holders = !none"), .event = {.action = EVENT_EXISTING}},
	{NO("holders = none"), .event = {.action = EVENT_BOUND}},
	{YES("holders = some"), .event = {.action = EVENT_BOUND}},

	{YES("kernel-thread = yes"), .process = {.pid = 50, .kernel_thread = true}},
	{YES("kernel-thread = no"), .process = {.pid = 50, .executable.path = "/sbin/init"}},
	{YES("kernel-thread = no"), .process = {.pid = 50, .executable.has_inode = true, .ancestors = {{.pid = 2}}, .ancestors_count = 1}},
	{NO("kernel-thread = yes"), .process = {.pid = 50, .executable.path = "/sbin/init"}},
	{NO("kernel-thread = yes no"), .process = {.pid = 50, .ancestors = {{.pid = 2}}, .ancestors_count = 1}},
	{NO("kernel-thread = !yes"), .no_process = true},
};
/* clang-format on */

static bool matches(const struct row *row)
{
	struct event event = row->event;
	struct policy *policy;
	char text[512];
	bool result;

	(void)snprintf(text, sizeof(text), "[expect rule]\n%s\n%s", row->rule,
	               row->event.action == EVENT_LISTEN || row->event.action == EVENT_CLOSED
	                               || strstr(row->rule, "action =")
	                       ? ""
	                       : "action = bound-socket existing-socket\n");
	policy = fixture_policy(registry, text);
	event.process = row->no_process ? NULL : &row->process;
	policy_judge(policy, &event);
	result = event.verdict.verdict == VERDICT_EXPECT;
	policy_free(policy);
	return result;
}

static void predicate_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (matches(&rows[i]) != rows[i].matches)
			fail_msg("row %zu, %s: it should%s match", i, rows[i].rule, rows[i].matches ? "" : " not");
	}
}

/* No key without a row that matches and one that does not. */
static void every_predicate_has_rows(void **state)
{
	const struct predicate *predicate;

	(void)state;
	for (size_t k = 0; (predicate = predicate_at(k)); k++) {
		unsigned int yes = 0, no = 0;

		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
			size_t len = strlen(predicate->key);

			if (strncmp(rows[i].rule, predicate->key, len) != 0 || rows[i].rule[len] != ' ')
				continue;
			yes += rows[i].matches;
			no += !rows[i].matches;
		}
		if (!yes || !no)
			fail_msg("%s: %u rows that match, %u that do not", predicate->key, yes, no);
	}
}

static int open_registry(void **state)
{
	(void)state;
	return registry_open_embedded(&registry);
}

static int close_registry(void **state)
{
	(void)state;
	registry_free(registry);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(predicate_rows),
	        cmocka_unit_test(every_predicate_has_rows),
	};

	return cmocka_run_group_tests(tests, open_registry, close_registry);
}
