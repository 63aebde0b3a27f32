/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bindwatch port against sockets that are there: every field of its JSON is compared with what the kernel told the
 * process that bound. The test has a network namespace of its own, so nobody else's sockets are in its way.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/live/command.h"
#include "tests/live/live.h"
#include "user/base/ipproto.h"

#define HOSTILE "\x1b[31m\n\\"

static char program[4096];
static const char *why_not; /* NULL, or why nothing can be tested here */

static struct run run_port(const char *port, const char *output)
{
	char *arguments[] = {"bindwatch", "port", "--output", (char *)output, "--", (char *)port, NULL};

	return command_run(0, -1, program, arguments);
}

/* The one document that `bindwatch port PORT --output json` prints. */
static json_t *port_json(const char *spec)
{
	struct run run = run_port(spec, "json");
	json_error_t error;
	json_t *document;

	if (run.status)
		fail_msg("port %s ended with %d: %s", spec, run.status, run.err);
	document = json_loads(run.out, JSON_REJECT_DUPLICATES, &error);
	if (!document)
		fail_msg("port %s: %s in %s", spec, error.text, run.out);
	assert_true(strchr(run.out, '\n') == run.out + strlen(run.out) - 1);
	command_free(&run);
	return document;
}

static json_int_t netns_inode(const char *path)
{
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	return (json_int_t)status.st_ino;
}

/* The sockets of a document that are in this namespace. A new reference. */
static json_t *sockets_in(const json_t *document, json_int_t netns)
{
	json_t *all = json_object_get(document, "sockets"), *found = json_array(), *socket;
	size_t i;

	assert_true(json_is_array(all));
	json_array_foreach(all, i, socket)
	{
		if (json_integer_value(json_object_get(json_object_get(socket, "netns"), "inode")) == netns)
			json_array_append(found, socket);
	}
	return found;
}

static void equal(const json_t *got, json_t *wanted)
{
	char *left, *right;

	if (!json_equal(got, wanted)) {
		left = json_dumps(got, JSON_SORT_KEYS | JSON_ENCODE_ANY);
		right = json_dumps(wanted, JSON_SORT_KEYS | JSON_ENCODE_ANY);
		fail_msg("got    %s\nwanted %s", left, right);
	}
	json_decref(wanted);
}

struct kind {
	const char *name;
	int family, type, protocol;
	const char *address;
	bool v6only, listens, newer; /* newer: seen since Linux 6.8 only */
	const char *transport, *state;
};

static const struct kind kinds[] = {
    {"tcp4_listen", AF_INET, SOCK_STREAM, IPPROTO_TCP, "127.0.0.1", false, true, false, "tcp", "listen"},
    {"tcp4_wildcard", AF_INET, SOCK_STREAM, IPPROTO_TCP, "0.0.0.0", false, true, false, "tcp", "listen"},
    {"tcp6_dual_stack", AF_INET6, SOCK_STREAM, IPPROTO_TCP, "::", false, true, false, "tcp", "listen"},
    {"tcp6_only", AF_INET6, SOCK_STREAM, IPPROTO_TCP, "::", true, true, false, "tcp", "listen"},
    {"tcp6_mapped", AF_INET6, SOCK_STREAM, IPPROTO_TCP, "::ffff:127.0.0.1", false, true, false, "tcp", "listen"},
    {"tcp4_bound", AF_INET, SOCK_STREAM, IPPROTO_TCP, "127.0.0.1", false, false, true, "tcp", "bound"},
    {"udp4", AF_INET, SOCK_DGRAM, IPPROTO_UDP, "127.0.0.1", false, false, false, "udp", "bound"},
    {"udp6_dual_stack", AF_INET6, SOCK_DGRAM, IPPROTO_UDP, "::", false, false, false, "udp", "bound"},
    {"udp6_loopback", AF_INET6, SOCK_DGRAM, IPPROTO_UDP, "::1", true, false, false, "udp", "bound"},
    {"udplite4", AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE, "127.0.0.1", false, false, false, "udplite", "bound"},
    {"mptcp4_listen", AF_INET, SOCK_STREAM, IPPROTO_MPTCP, "127.0.0.1", false, true, false, "mptcp", "listen"},
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* A socket of this kind, on a port of the kernel's choice. -1: there is none here. */
static int bound(const struct kind *kind, uint16_t *ret_port)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address = {.any.sa_family = (sa_family_t)kind->family};
	socklen_t len = kind->family == AF_INET ? sizeof(address.v4) : sizeof(address.v6);
	int fd = socket(kind->family, kind->type | SOCK_CLOEXEC, kind->protocol), value = kind->v6only;

	if (fd < 0)
		return -1;
	assert_int_equal(inet_pton(kind->family, kind->address,
				   kind->family == AF_INET ? (void *)&address.v4.sin_addr : &address.v6.sin6_addr),
			 1);
	if ((kind->family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &value, sizeof(value)) < 0) ||
	    bind(fd, &address.any, len) < 0 || (kind->listens && listen(fd, 1) < 0) ||
	    getsockname(fd, &address.any, &len) < 0) {
		(void)close(fd);
		return -1;
	}
	*ret_port = ntohs(kind->family == AF_INET ? address.v4.sin_port : address.v6.sin6_port);
	return fd;
}

static void need_root(void)
{
	if (!why_not)
		return;
	print_message("%s\n", why_not);
	skip();
}

/* The line of `ss` for this socket, where it is installed. */
static void compare_with_ss(const struct kind *kind, uint16_t port)
{
	char *arguments[] = {"ss", "-H", "-tuln", NULL};
	const char *path = access("/usr/bin/ss", X_OK) == 0 ? "/usr/bin/ss" : "/usr/sbin/ss";
	char wanted[16];
	struct run run;

	/* it lists no MPTCP or UDP-Lite here, and without -a no socket that is bound only */
	if (strcmp(kind->transport, "tcp") != 0 && strcmp(kind->transport, "udp") != 0)
		return;
	if (kind->newer || access(path, X_OK) != 0)
		return;
	run = command_run(0, -1, path, arguments);
	(void)snprintf(wanted, sizeof(wanted), ":%u ", port);
	if (run.status || !strstr(run.out, wanted))
		fail_msg("ss -tuln does not list port %u: %s%s", port, run.out, run.err);
	command_free(&run);
}

/* Sockets that are bound only are listed since Linux 6.8 (commit 91051f003948). */
static bool lists_bound_only(void)
{
	unsigned int major = 0, minor = 0;
	struct utsname name;

	return uname(&name) == 0 && sscanf(name.release, "%u.%u", &major, &minor) == 2 &&
	       (major > 6 || (major == 6 && minor >= 8));
}

static void port_of_kind(void **state)
{
	const struct kind *kind = *state;
	json_int_t netns = netns_inode("/proc/self/ns/net");
	json_t *document, *found, *wanted;
	char spec[16], comm[16];
	uint16_t port;
	int fd;

	need_root();
	fd = bound(kind, &port);
	if (fd < 0) {
		print_message("no such socket in this kernel: %s\n", strerror(errno));
		skip();
	}
	compare_with_ss(kind, port);
	(void)snprintf(spec, sizeof(spec), "%u", port);
	document = port_json(spec);
	found = sockets_in(document, netns);
	(void)close(fd);
	if (json_array_size(found) == 0 && kind->newer && !lists_bound_only()) {
		print_message("this kernel does not list sockets that are bound only: it is older than 6.8\n");
		skip();
	}
	(void)prctl(PR_GET_NAME, comm);
	wanted = json_pack("[{s:s, s:s, s:i, s:s, s:{s:I, s:b}, s:{s:s}, s:[{s:i, s:s}]}]", "transport",
			   kind->transport, "ip", kind->address, "port", port, "state", kind->state, "netns", "inode",
			   netns, "own", 1, "user", "id", "0", "processes", "pid", getpid(), "name", comm);
	assert_non_null(wanted);
	if (kind->family == AF_INET6)
		json_object_set_new(json_array_get(wanted, 0), "v6only", json_boolean(kind->v6only));
	equal(found, wanted);
	assert_int_equal(json_integer_value(json_object_get(document, "port")), port);
	json_decref(found);
	json_decref(document);
}

static bool loopback_up(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool up = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0;

	if (fd >= 0)
		(void)close(fd);
	return up;
}

/* The same port as ours, in a namespace of its own. */
static bool bind_elsewhere(void *context)
{
	const struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_port = htons(*(const uint16_t *)context), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd;

	if (unshare(CLONE_NEWNET) < 0 || !loopback_up())
		return false;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, 1) == 0;
}

static bool stay(void *context)
{
	(void)context;
	return true;
}

/* Of the two sockets of this port the one of the namespace that the program runs in comes first. */
static void check_two_netns(const char *spec, json_int_t own, json_int_t other)
{
	json_t *document = port_json(spec), *sockets = json_object_get(document, "sockets"), *pair = json_array(),
	       *socket;
	size_t i;

	json_array_foreach(sockets, i, socket)
	{
		json_int_t inode = json_integer_value(json_object_get(json_object_get(socket, "netns"), "inode"));

		if (inode == own || inode == other)
			json_array_append(pair, json_object_get(socket, "netns"));
	}
	equal(pair, json_pack("[{s:I, s:b}, {s:I, s:b}]", "inode", own, "own", 1, "inode", other, "own", 0));
	json_decref(pair);
	json_decref(document);
}

static void port_in_other_netns(void **state)
{
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), away, fd;
	json_int_t own, other;
	char path[64], spec[16];
	uint16_t port;
	pid_t pid, staying;

	(void)state;
	need_root();
	fd = bound(&kinds[0], &port);
	assert_true(home >= 0 && fd >= 0);
	pid = command_child(bind_elsewhere, &port);
	staying = command_child(stay, NULL); /* a namespace is found by a process that lives in it */
	assert_true(pid > 0 && staying > 0);
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	(void)snprintf(spec, sizeof(spec), "%u/tcp", port);
	own = netns_inode("/proc/self/ns/net");
	other = netns_inode(path);
	assert_int_not_equal(own, other);
	check_two_netns(spec, own, other);
	/* and seen from there: whichever number is the greater, our own comes first */
	away = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(setns(away, CLONE_NEWNET), 0);
	check_two_netns(spec, other, own);
	assert_int_equal(setns(home, CLONE_NEWNET), 0);
	command_child_end(pid);
	command_child_end(staying);
	(void)close(home);
	(void)close(away);
	(void)close(fd);
}

static bool take_hostile_name(void *context)
{
	(void)context;
	return prctl(PR_SET_NAME, HOSTILE) == 0;
}

/* One socket, inherited: both processes hold it, and the second calls itself what would colour a terminal. */
static void port_of_two_processes(void **state)
{
	json_t *document, *found, *wanted;
	char spec[16], comm[16];
	struct run run;
	uint16_t port;
	pid_t pid;
	int fd;

	(void)state;
	need_root();
	fd = bound(&kinds[0], &port);
	assert_true(fd >= 0);
	pid = command_child(take_hostile_name, NULL);
	assert_true(pid > 0);
	(void)snprintf(spec, sizeof(spec), "%u", port);
	document = port_json(spec);
	run = run_port(spec, "text");
	command_child_end(pid);
	(void)close(fd);

	(void)prctl(PR_GET_NAME, comm);
	found = sockets_in(document, netns_inode("/proc/self/ns/net"));
	/* "\\" in the value stands for one backslash, that hostile bytes can be told from escapes */
	wanted = pid > getpid() ? json_pack("[{s:i, s:s}, {s:i, s:s}]", "pid", getpid(), "name", comm, "pid", pid,
					    "name", "\x1b[31m\n\\\\")
				: json_pack("[{s:i, s:s}, {s:i, s:s}]", "pid", pid, "name", "\x1b[31m\n\\\\", "pid",
					    getpid(), "name", comm);
	equal(json_object_get(json_array_get(found, 0), "processes"), wanted);
	assert_int_equal(run.status, 0);
	assert_null(strchr(run.out, '\x1b'));
	assert_non_null(strstr(run.out, "\\x1b[31m\\n\\\\"));
	assert_non_null(strstr(run.out, "listening"));
	command_free(&run);
	json_decref(found);
	json_decref(document);
}

static void port_by_transport(void **state)
{
	json_t *document, *found, *registry;
	char spec[16];
	uint16_t port;
	int fd;

	(void)state;
	need_root();
	fd = bound(&kinds[0], &port);
	assert_true(fd >= 0);
	(void)snprintf(spec, sizeof(spec), "%u/udp", port);
	document = port_json(spec);
	found = sockets_in(document, netns_inode("/proc/self/ns/net"));
	assert_int_equal(json_array_size(found), 0);
	registry = json_object_get(document, "registry");
	assert_int_equal(json_array_size(registry), 1);
	equal(json_object_get(json_array_get(registry, 0), "transports"), json_pack("[s]", "udp"));
	(void)close(fd);
	json_decref(found);
	json_decref(document);
}

/* By name, and what the registry says of it. */
static void port_registry(void **state)
{
	json_t *document, *row;
	struct run run;

	(void)state;
	need_root();
	document = port_json("ssh/tcp");
	row = json_array_get(json_object_get(document, "registry"), 0);
	assert_int_equal(json_integer_value(json_object_get(document, "port")), 22);
	assert_string_equal(json_string_value(json_object_get(document, "range")), "system");
	assert_string_equal(json_string_value(json_object_get(row, "state")), "assigned");
	equal(json_object_get(row, "service"), json_pack("[s]", "ssh"));
	equal(json_object_get(row, "transports"), json_pack("[s]", "tcp"));
	assert_true(json_is_false(json_object_get(row, "unauthorized_use")));
	assert_int_equal(strlen(json_string_value(json_object_get(document, "registry_snapshot"))), 10);
	assert_true(json_is_array(json_object_get(document, "notes")));
	json_decref(document);
	run = run_port("60000-60999", "text"); /* of equal ports one line */
	assert_int_equal(run.status, 0);
	assert_non_null(strstr(run.out, "60000-60999"));
	assert_non_null(strstr(run.out, "dynamic"));
	command_free(&run);
}

static void port_refuses(void **state)
{
	static const struct {
		const char *spec;
		int status;
		const char *says;
	} table[] = {
	    {"0", 2, "'0' is not a port: ports are 1-65535"},
	    {"65536", 2, "'65536' is not a port: ports are 1-65535"},
	    {"9-3", 2, "'9-3'"},
	    {"", 2, "empty"},
	    {"xyz", 1, "bindwatch: port: no service named 'xyz' in the registry of 20"},
	    {"\x1b[31m", 2, "no service named '\\x1b[31m'"},
	};

	(void)state;
	need_root();
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct run run = run_port(table[i].spec, "text");

		if (run.status != table[i].status || !strstr(run.err, table[i].says) || run.out[0])
			fail_msg("'%s': %d, %s%s", table[i].spec, run.status, run.err, run.out);
		command_free(&run);
	}
}

static void port_output_fails(void **state)
{
	char *arguments[] = {"bindwatch", "port", "1-65535", "--output", "json", NULL};
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC), ends[2];
	struct run run;

	(void)state;
	need_root();
	assert_true(full >= 0);
	/* few bytes fail when they are flushed, many when they are written */
	for (int form = 0; form < 4; form++) {
		arguments[2] = form & 2 ? "22" : "1-65535";
		arguments[4] = form & 1 ? "json" : "text";
		run = command_run(0, full, program, arguments);
		assert_int_equal(run.status, 1);
		assert_non_null(strstr(run.err, strerror(ENOSPC)));
		command_free(&run);

		assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
		(void)close(ends[0]);
		run = command_run(0, ends[1], program, arguments);
		(void)close(ends[1]);
		assert_int_equal(run.status, 1);
		assert_string_equal(run.err, "");
		command_free(&run);
	}
	(void)close(full);
}

/* Who may not see says so, and names what it takes. */
static void port_without_privilege(void **state)
{
	char *arguments[] = {"bindwatch", "port", NULL, "--output", "json", NULL};
	json_t *document, *found;
	char spec[16];
	struct run run;
	uint16_t port;
	int fd;

	(void)state;
	need_root();
	fd = bound(&kinds[0], &port);
	assert_true(fd >= 0);
	(void)snprintf(spec, sizeof(spec), "%u", port);
	arguments[2] = spec;
	run = command_run(65534, -1, program, arguments);
	(void)close(fd);
	if (run.status == 126 || run.status == 127) {
		print_message("the program cannot be run as another user here\n");
		skip();
	}
	assert_int_equal(run.status, 0);
	document = json_loads(run.out, 0, NULL);
	assert_non_null(document);
	found = sockets_in(document, netns_inode("/proc/self/ns/net"));
	assert_int_equal(json_array_size(found), 1); /* the socket is seen, its process is not */
	assert_int_equal(json_array_size(json_object_get(json_array_get(found, 0), "processes")), 0);
	assert_non_null(strstr(run.err, "CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH"));
	assert_non_null(strstr(run.err, "CAP_SYS_ADMIN"));
	assert_true(json_array_size(json_object_get(document, "notes")) >= 2);
	json_decref(found);
	json_decref(document);
	command_free(&run);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest others[] = {
	    cmocka_unit_test(port_in_other_netns),    cmocka_unit_test(port_of_two_processes),
	    cmocka_unit_test(port_by_transport),      cmocka_unit_test(port_registry),
	    cmocka_unit_test(port_refuses),	      cmocka_unit_test(port_output_fails),
	    cmocka_unit_test(port_without_privilege),
	};
	struct CMUnitTest tests[KINDS + sizeof(others) / sizeof(others[0])];

	(void)argc;
	if (live_program(argv[0], program, sizeof(program)) < 0) {
		(void)fputs("there is no bindwatch beside this test\n", stderr);
		return 1;
	}
	if (geteuid() != 0)
		why_not = "this takes root: a network namespace of its own";
	else if (unshare(CLONE_NEWNET) < 0 || !loopback_up())
		why_not = "no network namespace can be made here";
	for (size_t i = 0; i < KINDS; i++)
		tests[i] = (struct CMUnitTest){
		    .name = kinds[i].name, .test_func = port_of_kind, .initial_state = (void *)&kinds[i]};
	memcpy(&tests[KINDS], others, sizeof(others));
	return cmocka_run_group_tests_name("port", tests, NULL, NULL);
}
