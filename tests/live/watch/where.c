/* SPDX-License-Identifier: BSD-2-Clause */
/* Binds from another user or pid namespace, and those that the kernel makes for a caller. */
#include "tests/live/watch/watch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SOMEBODY 12345

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool done = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return done;
}

/* user_namespaces(7): root inside, SOMEBODY outside. Exit code 3: there is no such namespace to be had. */
static void bind_as_root_of_namespace(struct scene *scene, void *context)
{
	(void)context;
	if (setgroups(0, NULL) || setresgid(SOMEBODY, SOMEBODY, SOMEBODY) || setresuid(SOMEBODY, SOMEBODY, SOMEBODY))
		_exit(1);
	/* the files of a process that gave up rights belong to root: proc(5) */
	prctl(PR_SET_DUMPABLE, 1);
	if (unshare(CLONE_NEWUSER))
		_exit(3);
	if (!write_file("/proc/self/setgroups", "deny") || !write_file("/proc/self/uid_map", "0 12345 1") ||
	    !write_file("/proc/self/gid_map", "0 12345 1"))
		_exit(4);
	if (getuid() != 0 || getgid() != 0 || scene_enter_namespace())
		_exit(5);
	/* a port that only root of this namespace may bind */
	if (scene_socket(scene, AF_INET, SOCK_STREAM, 0, "127.0.0.1", 82) < 0 || scene->records[0].error)
		_exit(6);
}

static void user_namespace(void **state)
{
	struct bind_record *record;
	int code;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	code = scene_child(bind_as_root_of_namespace, fixture.scene, NULL);
	SKIP_BECAUSE(code == 3 ? "no user namespace can be made here" : NULL);
	assert_int_equal(code, 0);
	record = &fixture.scene->records[0];
	assert_int_equal(record->uid, 0);
	/* what the host must see */
	record->uid = SOMEBODY;
	record->gid = SOMEBODY;
	watch_assert_scene("a user namespace");
}

static unsigned int pid_namespace_inode(void)
{
	struct stat namespace;

	return stat("/proc/self/ns/pid", &namespace) ? 0 : (unsigned int)namespace.st_ino;
}

/* pid_namespaces(7): the first child is process 1 of the new one. Exit code 3: there is none to be had. */
static void bind_in_pid_namespace(struct scene *scene, void *context)
{
	struct bind_record *record = &scene->records[0];
	int status = 0;
	pid_t pid;

	(void)context;
	if (unshare(CLONE_NEWPID))
		_exit(3);
	pid = fork();
	if (pid == 0) {
		if (scene_socket(scene, AF_INET, SOCK_STREAM, 0, "127.0.0.1", 8501) < 0)
			_exit(1);
		record->pidns_inode = pid_namespace_inode();
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
		_exit(4);
	record->pidns_pid = record->pid;
	/* what the host sees: we, who stayed outside, do too */
	record->pid = pid;
	record->tid = pid;
}

static void pid_namespace(void **state)
{
	const struct bind_record *record;
	int code;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	code = scene_child(bind_in_pid_namespace, fixture.scene, NULL);
	SKIP_BECAUSE(code == 3 ? "no pid namespace can be made here" : NULL);
	assert_int_equal(code, 0);
	record = &fixture.scene->records[0];
	assert_int_equal(record->pidns_pid, 1);
	assert_int_not_equal(record->pidns_inode, 0);
	assert_int_not_equal(record->pidns_inode, pid_namespace_inode());
	watch_assert_scene("a pid namespace");
}

static void pid_namespace_of_the_host(void **state)
{
	struct bind_record *record;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	close(scene_socket(fixture.scene, AF_INET, SOCK_STREAM, 0, "127.0.0.1", 8502));
	record = &fixture.scene->records[0];
	record->pidns_pid = record->pid;
	record->pidns_inode = pid_namespace_inode();
	assert_int_not_equal(record->pidns_inode, 0);
	watch_assert_scene("the first pid namespace");
}

/* A request to rtnetlink(7) that makes a link. */
struct link_request {
	struct nlmsghdr header;
	struct ifinfomsg link;
	char attributes[256];
};

static struct rtattr *add_attribute(struct link_request *request, unsigned short type, const void *data, size_t size)
{
	struct rtattr *attribute = (struct rtattr *)((char *)request + NLMSG_ALIGN(request->header.nlmsg_len));

	attribute->rta_type = type;
	attribute->rta_len = (unsigned short)RTA_LENGTH(size);
	if (size)
		memcpy(RTA_DATA(attribute), data, size);
	request->header.nlmsg_len = NLMSG_ALIGN(request->header.nlmsg_len) + RTA_ALIGN(attribute->rta_len);
	return attribute;
}

static void end_nested(struct link_request *request, struct rtattr *attribute)
{
	attribute->rta_len =
	        (unsigned short)((char *)request + NLMSG_ALIGN(request->header.nlmsg_len) - (char *)attribute);
}

/* Sends it and waits for the answer. 0 or -errno as the kernel says. */
static int ask_rtnetlink(const struct link_request *request)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char rest[512];
	} answer;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int result = -EPROTO;

	if (fd < 0)
		return -errno;
	if (send(fd, request, request->header.nlmsg_len, 0) < 0)
		result = -errno;
	else if (recv(fd, &answer, sizeof(answer), 0) >= (ssize_t)NLMSG_LENGTH(sizeof(answer.error)) &&
	         answer.header.nlmsg_type == NLMSG_ERROR)
		result = answer.error.error;
	close(fd);
	return result;
}

/* A tunnel that listens to a UDP port: a link of this kind, with its id and its port (network order). */
struct tunnel {
	const char *kind;
	unsigned short id_attribute, port_attribute, remote_attribute;
	uint16_t port;
};

static int tunnel_make(const struct tunnel *tunnel)
{
	struct link_request request = {
	        .header = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
	                   .nlmsg_type = RTM_NEWLINK,
	                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL},
	        .link = {.ifi_flags = IFF_UP, .ifi_change = IFF_UP},
	};
	struct rtattr *info, *data;
	uint32_t remote = htonl(INADDR_LOOPBACK + 1), id = 7;
	uint16_t port = htons(tunnel->port);

	add_attribute(&request, IFLA_IFNAME, "tunnel0", sizeof("tunnel0"));
	info = add_attribute(&request, IFLA_LINKINFO, NULL, 0);
	add_attribute(&request, IFLA_INFO_KIND, tunnel->kind, strlen(tunnel->kind) + 1);
	data = add_attribute(&request, IFLA_INFO_DATA, NULL, 0);
	add_attribute(&request, tunnel->id_attribute, &id, sizeof(id));
	add_attribute(&request, tunnel->remote_attribute, &remote, sizeof(remote));
	add_attribute(&request, tunnel->port_attribute, &port, sizeof(port));
	end_nested(&request, data);
	end_nested(&request, info);
	return ask_rtnetlink(&request);
}

/* The kernel opens the tunnel's socket as the link goes up, in the call of whoever asked. Exit code 3: no such link. */
static void bind_by_tunnel(struct scene *scene, void *context)
{
	const struct tunnel *tunnel = context;
	struct sockaddr_storage address;
	struct bind_record *record;
	socklen_t length;
	int fd, result;

	if (scene_enter_namespace())
		_exit(1);
	/* a socket like the kernel's own, to be written down in its place */
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	length = scene_address("0.0.0.0", tunnel->port, &address);
	record = scene_before(scene, fd, &address, length);
	result = tunnel_make(tunnel);
	scene_after(record, fd, 0);
	close(fd);
	record->got = address;
	record->kernel = true;
	record->no_system_call = true;
	if (result == -EOPNOTSUPP)
		_exit(3);
	if (result) {
		fprintf(stderr, "a link of kind %s: %s\n", tunnel->kind, strerror(-result));
		_exit(4);
	}
	/* the port is the kernel's now, and the process has no socket with it */
	if (scene_socket(scene, AF_INET, SOCK_DGRAM, 0, "0.0.0.0", tunnel->port) < 0 || record[1].error != EADDRINUSE)
		_exit(5);
}

/* With the process its namespace goes, and with that the link, some time later. */
static size_t count_ends(uint16_t port)
{
	size_t index, count = 0;
	json_t *event;

	assert_int_equal(monitor_sync(&fixture.monitor, 0), 0);
	json_array_foreach(fixture.monitor.events, index, event) count +=
	        live_is_action(event, ACTION_CLOSE) && json_integer_value(live_field(event, "server.port")) == port;
	return count;
}

static void assert_end(uint16_t port)
{
	int64_t deadline = live_now_ms() + LIVE_WAIT_MS;

	/* inet_release() runs the programs of a cgroup for sockets of processes only */
	if (strcmp(fixture.monitor.plan, "tracepoint") == 0) {
		assert_int_equal(count_ends(port), 0);
		return;
	}
	while (count_ends(port) == 0 && live_now_ms() < deadline)
		(void)usleep(50000);
	assert_int_equal(count_ends(port), 1);
}

static void kernel_socket(struct tunnel *tunnel, const char *missing)
{
	int code;

	FIXTURE_NEEDED(&fixture);
	code = scene_child(bind_by_tunnel, fixture.scene, tunnel);
	if (code == 3)
		scene_clear(fixture.scene);
	SKIP_BECAUSE(code == 3 ? missing : NULL);
	assert_int_equal(code, 0);
	assert_end(tunnel->port);
	watch_assert_scene(tunnel->kind);
}

static void kernel_socket_of_vxlan(void **state)
{
	struct tunnel tunnel = {"vxlan", IFLA_VXLAN_ID, IFLA_VXLAN_PORT, IFLA_VXLAN_GROUP, 8510};

	(void)state;
	kernel_socket(&tunnel, "this kernel has no vxlan, or its module is not here");
}

static void kernel_socket_of_geneve(void **state)
{
	struct tunnel tunnel = {"geneve", IFLA_GENEVE_ID, IFLA_GENEVE_PORT, IFLA_GENEVE_REMOTE, 8511};

	(void)state;
	kernel_socket(&tunnel, "this kernel has no geneve, or its module is not here");
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(user_namespace),
        cmocka_unit_test(pid_namespace),
        cmocka_unit_test(pid_namespace_of_the_host),
        cmocka_unit_test(kernel_socket_of_vxlan),
        cmocka_unit_test(kernel_socket_of_geneve),
};

const struct watch_group watch_where = {"where", tests, sizeof(tests) / sizeof(tests[0])};
