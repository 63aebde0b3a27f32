/* SPDX-License-Identifier: BSD-2-Clause */
/* A row is an event; a script of rows is what one memory saw, and each row says which pattern it must show. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/types.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "bpf/bindwatch.h"
#include "user/base/ipproto.h"
#include "user/judge/classify.h"
#include "user/judge/pattern.h"

#define TCP   IPPROTO_TCP
#define UDP   IPPROTO_UDP
#define PORT  BW_SOCKET_REUSEPORT
#define ADDR  BW_SOCKET_REUSEADDR
#define V6    BW_SOCKET_V6ONLY
#define OWNER PATTERN_SECOND_OWNER
#define TAKEN PATTERN_TAKEOVER
#define B     EVENT_BOUND
#define L     EVENT_LISTEN
#define C     EVENT_CLOSED
#define E     EVENT_EXISTING

static struct registry *registry;

struct program {
	const char *path; /* NULL: not known */
	uint64_t inode;   /* 0: not known */
	uint32_t mntns, uid;
};

/* clang-format off */
static const struct program nginx = {"/usr/sbin/nginx", 10, 1, 0}, upgraded = {"/usr/sbin/nginx", 11, 1, 0},
	elsewhere = {"/usr/sbin/nginx", 12, 2, 0}, www = {"/usr/sbin/nginx", 10, 1, 33}, thief = {"/tmp/thief", 20, 1, 0},
	other_uid = {"/tmp/thief", 20, 1, 33}, linked = {"/usr/sbin/link", 10, 1, 0}, unknown = {NULL, 0, 0, 0},
	unknown_www = {NULL, 0, 0, 33}, no_inode = {"/usr/sbin/nginx", 0, 0, 0}, no_path = {NULL, 10, 1, 0};
/* clang-format on */

struct row {
	enum event_action action;
	uint64_t cookie;
	const struct program *program;
	uint16_t protocol;
	const char *address;
	uint16_t port;
	uint32_t flags;
	uint32_t expected;
	/* of few rows */
	double at; /* seconds; 0: one after the row before */
	uint32_t netns, device;
	int error;
	bool ephemeral, listening;
	double held; /* seconds */
};

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

static struct event event_of(const struct row *row, struct process *process)
{
	const struct program *program = row->program;
	struct event event = {
	        .action = row->action,
	        .boot_ns = (uint64_t)(row->at * 1e9),
	        .error = row->error,
	        .pid = 100,
	        .uid = program->uid,
	        .type = row->protocol == UDP ? SOCK_DGRAM : SOCK_STREAM,
	        .protocol = row->protocol,
	        .socket_flags = row->flags,
	        .cookie = row->cookie,
	        .netns_inode = row->netns,
	        .device = row->device,
	        .unprivileged_port_start = 1024,
	        .held_ns = (uint64_t)(row->held * 1e9),
	        .listening = row->listening,
	};
	struct endpoint *end = &event.requested;

	event.family = end->family = strchr(row->address, ':') ? AF_INET6 : AF_INET;
	assert_int_equal(inet_pton(end->family, row->address, end->address), 1);
	end->has_address = end->has_port = true;
	end->port = row->port;
	if (!row->error)
		event.bound = *end;
	if (row->ephemeral)
		end->port = 0;
	*process = (struct process){
	        .pid = 100,
	        .start_ns = 5,
	        .mntns_inode = program->mntns,
	        .executable = {
	                .path = program->path, .has_inode = program->inode, .device = 1, .inode = program->inode}};
	event.process = program->path || program->inode ? process : NULL;
	classify(registry, &event);
	return event;
}

static void play(const char *name, const struct row *rows, size_t count)
{
	struct pattern *pattern;
	double now = 1000;

	assert_int_equal(pattern_open(&pattern), 0);
	for (size_t i = 0; i < count && rows[i].program; i++) {
		struct row row = rows[i];
		struct process process;
		struct event event;

		now = row.at = row.at ? 1000 + row.at : now + 1;
		event = event_of(&row, &process);
		event.facts.patterns = ~0U;
		pattern_mark(pattern, &event);
		if (event.facts.patterns != row.expected)
			fail_msg("%s, row %zu: patterns %#x, not %#x", name, i, event.facts.patterns, row.expected);
	}
	pattern_free(pattern);
}

#define SCRIPT_ROWS 8

struct script {
	const char *name;
	struct row rows[SCRIPT_ROWS];
};

static void play_all(const struct script *scripts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		play(scripts[i].name, scripts[i].rows, SCRIPT_ROWS);
}

/* clang-format off */
static void second_owner(void **state)
{
	static const struct script scripts[] = {
		{"another program", {{B, 1, &nginx, TCP, "0.0.0.0", 80, PORT, .expected = 0}, {B, 2, &thief, TCP, "0.0.0.0", 80, PORT, .expected = OWNER}}},
		{"workers of one server", {{B, 1, &nginx, TCP, "0.0.0.0", 80, PORT, .expected = 0}, {B, 2, &nginx, TCP, "0.0.0.0", 80, PORT, .expected = 0}}},
		{"another user", {{B, 1, &nginx, TCP, "0.0.0.0", 80, PORT, .expected = 0}, {B, 2, &www, TCP, "0.0.0.0", 80, PORT, .expected = OWNER}}},
		{"a hard link is the same program", {{B, 1, &nginx, TCP, "0.0.0.0", 80, PORT, .expected = 0}, {B, 2, &linked, TCP, "0.0.0.0", 80, PORT, .expected = 0}}},
		{"an upgrade under way", {{B, 1, &nginx, TCP, "0.0.0.0", 80, PORT, .expected = 0}, {B, 2, &upgraded, TCP, "0.0.0.0", 80, PORT, .expected = 0}}},
		{"the path in another mount namespace", {{B, 1, &nginx, TCP, "0.0.0.0", 80, PORT, .expected = 0}, {B, 2, &elsewhere, TCP, "0.0.0.0", 80, PORT, .expected = OWNER}}},
		{"by path where the inode is not known", {{B, 1, &no_inode, TCP, "0.0.0.0", 80, PORT, .expected = 0}, {B, 2, &thief, TCP, "0.0.0.0", 80, PORT, .expected = OWNER}, {B, 3, &nginx, TCP, "0.0.0.0", 80, PORT, .expected = OWNER}}},
		{"the same path, inode not known", {{B, 1, &no_inode, TCP, "0.0.0.0", 80, PORT, .expected = 0}, {B, 3, &nginx, TCP, "0.0.0.0", 80, PORT, .expected = 0}}},
		{"by inode where the path is not known", {{B, 1, &no_path, TCP, "0.0.0.0", 80, PORT, .expected = 0}, {B, 2, &nginx, TCP, "0.0.0.0", 80, PORT, .expected = 0}, {B, 3, &thief, TCP, "0.0.0.0", 80, PORT, .expected = OWNER}}},
		{"a program that is not known", {{B, 1, &unknown, TCP, "0.0.0.0", 80, PORT, .expected = 0}, {B, 2, &thief, TCP, "0.0.0.0", 80, PORT, .expected = 0}}},
		{"neither is known but the user", {{B, 1, &unknown, TCP, "0.0.0.0", 80, PORT, .expected = 0}, {B, 2, &unknown_www, TCP, "0.0.0.0", 80, PORT, .expected = OWNER}}},
		{"one above the other", {{B, 1, &nginx, TCP, "0.0.0.0", 80, PORT, .expected = 0}, {B, 2, &thief, TCP, "192.0.2.1", 80, PORT, .expected = OWNER}}},
		{"one below the other", {{B, 1, &nginx, TCP, "192.0.2.1", 80, PORT, .expected = 0}, {B, 2, &thief, TCP, "0.0.0.0", 80, PORT, .expected = OWNER}}},
		{"side by side", {{B, 1, &nginx, TCP, "192.0.2.1", 80, PORT, .expected = 0}, {B, 2, &thief, TCP, "192.0.2.2", 80, PORT, .expected = 0}}},
		{"dual-stack over IPv4", {{B, 1, &nginx, TCP, "192.0.2.1", 80, PORT, .expected = 0}, {B, 2, &thief, TCP, "::", 80, PORT, .expected = OWNER}}},
		{"IPv6 only beside IPv4", {{B, 1, &nginx, TCP, "0.0.0.0", 80, PORT, .expected = 0}, {B, 2, &thief, TCP, "::", 80, PORT | V6, .expected = 0}}},
		{"IPv4-mapped is IPv4", {{B, 1, &nginx, TCP, "192.0.2.1", 80, PORT, .expected = 0}, {B, 2, &thief, TCP, "::ffff:192.0.2.1", 80, PORT, .expected = OWNER}}},
		{"IPv6 addresses", {{B, 1, &nginx, TCP, "2001:db8::1", 80, PORT, .expected = 0}, {B, 2, &thief, TCP, "2001:db8::2", 80, PORT, .expected = 0}, {B, 3, &thief, TCP, "2001:db8::1", 80, PORT, .expected = OWNER}}},
		{"another port, transport, namespace", {{B, 1, &nginx, TCP, "0.0.0.0", 80, PORT, .expected = 0}, {B, 2, &thief, TCP, "0.0.0.0", 81, PORT, .expected = 0}, {B, 3, &thief, UDP, "0.0.0.0", 80, PORT, .expected = 0}, {B, 4, &thief, TCP, "0.0.0.0", 80, PORT, .expected = 0, .netns = 9}}},
		{"MPTCP is TCP", {{B, 1, &nginx, TCP, "0.0.0.0", 80, PORT, .expected = 0}, {B, 2, &thief, IPPROTO_MPTCP, "0.0.0.0", 80, PORT, .expected = OWNER}}},
		{"UDP-Lite is not UDP", {{B, 1, &nginx, UDP, "0.0.0.0", 80, PORT, .expected = 0}, {B, 2, &thief, IPPROTO_UDPLITE, "0.0.0.0", 80, PORT, .expected = 0}}},
		{"two devices", {{B, 1, &nginx, UDP, "0.0.0.0", 68, ADDR, .expected = 0, .device = 2}, {B, 2, &thief, UDP, "0.0.0.0", 68, ADDR, .expected = 0, .device = 3}, {B, 3, &thief, UDP, "0.0.0.0", 68, ADDR, .expected = OWNER}}},
		{"UDP shares by SO_REUSEADDR, too", {{B, 1, &nginx, UDP, "0.0.0.0", 5353, ADDR, .expected = 0}, {B, 2, &thief, UDP, "0.0.0.0", 5353, ADDR, .expected = OWNER}}},
		{"TCP does not", {{B, 1, &nginx, TCP, "0.0.0.0", 80, ADDR, .expected = 0}, {B, 2, &thief, TCP, "0.0.0.0", 80, ADDR, .expected = 0}}},
		{"the first is gone", {{B, 1, &nginx, TCP, "0.0.0.0", 8080, PORT, .expected = 0}, {C, 1, &nginx, TCP, "0.0.0.0", 8080, PORT, .expected = 0}, {B, 2, &thief, TCP, "0.0.0.0", 8080, PORT, .expected = 0}}},
		{"one of two is gone", {{B, 1, &nginx, TCP, "0.0.0.0", 8080, PORT, .expected = 0}, {B, 2, &nginx, TCP, "0.0.0.0", 8080, PORT, .expected = 0}, {C, 1, &nginx, TCP, "0.0.0.0", 8080, PORT, .expected = 0}, {B, 3, &thief, TCP, "0.0.0.0", 8080, PORT, .expected = OWNER}}},
		{"closed by another process", {{B, 1, &nginx, TCP, "0.0.0.0", 8080, PORT, .expected = 0}, {C, 1, &thief, TCP, "0.0.0.0", 8080, PORT, .expected = 0}, {B, 2, &thief, TCP, "0.0.0.0", 8080, PORT, .expected = 0}}},
		{"it failed", {{B, 1, &nginx, TCP, "0.0.0.0", 80, PORT, .expected = 0}, {B, 2, &thief, TCP, "0.0.0.0", 80, PORT, .expected = 0, .error = EADDRINUSE}, {B, 3, &nginx, TCP, "0.0.0.0", 80, PORT, .expected = 0}}},
		{"there before", {{E, 1, &nginx, TCP, "0.0.0.0", 80, 0, .expected = 0}, {E, 2, &thief, TCP, "0.0.0.0", 80, 0, .expected = OWNER}, {B, 3, &nginx, TCP, "0.0.0.0", 80, PORT, .expected = OWNER}}},
		{"by its listen, its bind was lost", {{L, 1, &nginx, TCP, "0.0.0.0", 80, PORT, .expected = 0}, {B, 2, &thief, TCP, "0.0.0.0", 80, PORT, .expected = OWNER}}},
		{"its end was lost", {{B, 1, &nginx, TCP, "0.0.0.0", 8080, PORT, .expected = 0}, {B, 2, &thief, TCP, "0.0.0.0", 8080, 0, .expected = 0}, {C, 2, &thief, TCP, "0.0.0.0", 8080, 0, .expected = 0}, {B, 3, &thief, TCP, "0.0.0.0", 8080, PORT, .expected = 0}}},
		{"the end of a listener was lost", {{B, 1, &nginx, TCP, "0.0.0.0", 8080, PORT, .expected = 0}, {L, 1, &nginx, TCP, "0.0.0.0", 8080, PORT, .expected = 0}, {B, 2, &thief, TCP, "0.0.0.0", 8080, ADDR, .expected = 0}, {B, 3, &thief, TCP, "0.0.0.0", 8080, PORT, .expected = 0}}},
		{"an idle one beside it lives", {{B, 1, &nginx, TCP, "0.0.0.0", 8080, PORT, .expected = 0}, {B, 2, &thief, TCP, "0.0.0.0", 8080, ADDR, .expected = 0}, {B, 3, &thief, TCP, "0.0.0.0", 8080, PORT, .expected = OWNER}}},
		{"told twice", {{E, 1, &nginx, TCP, "0.0.0.0", 8080, PORT, .expected = 0}, {E, 1, &nginx, TCP, "0.0.0.0", 8080, PORT, .expected = 0}, {C, 1, &nginx, TCP, "0.0.0.0", 8080, PORT, .expected = 0}, {B, 2, &thief, TCP, "0.0.0.0", 8080, PORT, .expected = 0}}},
		{"without a cookie", {{B, 0, &nginx, TCP, "0.0.0.0", 80, PORT, .expected = 0}, {B, 0, &thief, TCP, "0.0.0.0", 80, PORT, .expected = 0}}},
		{"a port that the kernel chose", {{B, 1, &nginx, TCP, "0.0.0.0", 40000, 0, .expected = 0, .ephemeral = true}, {B, 2, &thief, TCP, "0.0.0.0", 40000, PORT, .expected = OWNER}}},
	};

	(void)state;
	play_all(scripts, sizeof(scripts) / sizeof(scripts[0]));
}

static void takeover(void **state)
{
	static const struct script scripts[] = {
		{"another program", {{B, 1, &nginx, TCP, "0.0.0.0", 80, ADDR, .expected = 0}, {L, 1, &nginx, TCP, "0.0.0.0", 80, ADDR, .expected = 0}, {C, 1, &nginx, TCP, "0.0.0.0", 80, ADDR, .expected = 0}, {B, 2, &thief, TCP, "0.0.0.0", 80, ADDR, .expected = TAKEN}}},
		{"a restart", {{B, 1, &nginx, TCP, "0.0.0.0", 80, ADDR, .expected = 0}, {L, 1, &nginx, TCP, "0.0.0.0", 80, ADDR, .expected = 0}, {C, 1, &nginx, TCP, "0.0.0.0", 80, ADDR, .expected = 0}, {B, 2, &nginx, TCP, "0.0.0.0", 80, ADDR, .expected = 0}}},
		{"upgraded", {{E, 1, &nginx, TCP, "0.0.0.0", 80, 0, .expected = 0, .listening = true}, {C, 1, &nginx, TCP, "0.0.0.0", 80, ADDR, .expected = 0}, {B, 2, &upgraded, TCP, "0.0.0.0", 80, ADDR, .expected = 0}}},
		{"in another container", {{E, 1, &nginx, TCP, "0.0.0.0", 80, 0, .expected = 0, .listening = true}, {C, 1, &nginx, TCP, "0.0.0.0", 80, ADDR, .expected = 0}, {B, 2, &elsewhere, TCP, "0.0.0.0", 80, ADDR, .expected = 0}}},
		{"another user", {{E, 1, &nginx, TCP, "0.0.0.0", 80, 0, .expected = 0, .listening = true}, {C, 1, &nginx, TCP, "0.0.0.0", 80, ADDR, .expected = 0}, {B, 2, &www, TCP, "0.0.0.0", 80, ADDR, .expected = TAKEN}}},
		{"just in time", {{E, 1, &nginx, TCP, "0.0.0.0", 80, 0, .expected = 0, .listening = true, .at = 1}, {C, 1, &nginx, TCP, "0.0.0.0", 80, 0, .expected = 0, .at = 10}, {B, 2, &thief, TCP, "0.0.0.0", 80, 0, .expected = TAKEN, .at = 70}}},
		{"too late", {{E, 1, &nginx, TCP, "0.0.0.0", 80, 0, .expected = 0, .listening = true, .at = 1}, {C, 1, &nginx, TCP, "0.0.0.0", 80, 0, .expected = 0, .at = 10}, {B, 2, &thief, TCP, "0.0.0.0", 80, 0, .expected = 0, .at = 70.001}}},
		{"told before its time", {{E, 1, &nginx, TCP, "0.0.0.0", 80, 0, .expected = 0, .listening = true, .at = 1}, {C, 1, &nginx, TCP, "0.0.0.0", 80, 0, .expected = 0, .at = 10}, {B, 2, &thief, TCP, "0.0.0.0", 80, 0, .expected = TAKEN, .at = 9.9}}},
		{"not well known", {{E, 1, &nginx, TCP, "0.0.0.0", 8080, 0, .expected = 0, .listening = true}, {C, 1, &nginx, TCP, "0.0.0.0", 8080, 0, .expected = 0}, {B, 2, &thief, TCP, "0.0.0.0", 8080, 0, .expected = 0}}},
		{"another address", {{E, 1, &nginx, TCP, "192.0.2.1", 80, 0, .expected = 0, .listening = true}, {C, 1, &nginx, TCP, "192.0.2.1", 80, 0, .expected = 0}, {B, 2, &thief, TCP, "192.0.2.2", 80, 0, .expected = 0}, {B, 3, &thief, TCP, "192.0.2.1", 80, 0, .expected = TAKEN}}},
		{"its neighbour restarts", {{E, 1, &nginx, TCP, "192.0.2.1", 80, 0, .expected = 0, .listening = true}, {E, 2, &thief, TCP, "192.0.2.2", 80, 0, .expected = 0, .listening = true}, {C, 1, &nginx, TCP, "192.0.2.1", 80, 0, .expected = 0}, {C, 2, &thief, TCP, "192.0.2.2", 80, 0, .expected = 0}, {B, 3, &thief, TCP, "0.0.0.0", 80, 0, .expected = 0}}},
		{"it never listened", {{B, 1, &nginx, TCP, "0.0.0.0", 700, 0, .expected = 0}, {C, 1, &nginx, TCP, "0.0.0.0", 700, 0, .expected = 0}, {B, 2, &thief, TCP, "0.0.0.0", 700, 0, .expected = 0}}},
		{"a client of datagrams", {{B, 1, &nginx, UDP, "0.0.0.0", 700, 0, .expected = 0}, {C, 1, &nginx, UDP, "0.0.0.0", 700, 0, .expected = 0, .held = 9.9}, {B, 2, &thief, UDP, "0.0.0.0", 700, 0, .expected = 0}}},
		{"a server of datagrams", {{B, 1, &nginx, UDP, "0.0.0.0", 53, 0, .expected = 0}, {C, 1, &nginx, UDP, "0.0.0.0", 53, 0, .expected = 0, .held = 10}, {B, 2, &thief, UDP, "0.0.0.0", 53, 0, .expected = TAKEN}}},
		{"a server from before", {{E, 1, &nginx, UDP, "0.0.0.0", 53, 0, .expected = 0}, {C, 1, &nginx, UDP, "0.0.0.0", 53, 0, .expected = 0}, {B, 2, &thief, UDP, "0.0.0.0", 53, 0, .expected = TAKEN}}},
		{"one that is not known", {{E, 1, &unknown, TCP, "0.0.0.0", 80, 0, .expected = 0, .listening = true}, {C, 1, &unknown, TCP, "0.0.0.0", 80, 0, .expected = 0}, {B, 2, &thief, TCP, "0.0.0.0", 80, 0, .expected = 0}, {B, 3, &other_uid, TCP, "0.0.0.0", 80, 0, .expected = TAKEN}}},
		{"it failed", {{E, 1, &nginx, TCP, "0.0.0.0", 80, 0, .expected = 0, .listening = true}, {C, 1, &nginx, TCP, "0.0.0.0", 80, 0, .expected = 0}, {B, 2, &thief, TCP, "0.0.0.0", 80, 0, .expected = 0, .error = EACCES}}},
		{"the kernel chose it", {{E, 1, &nginx, TCP, "0.0.0.0", 80, 0, .expected = 0, .listening = true}, {C, 1, &nginx, TCP, "0.0.0.0", 80, 0, .expected = 0}, {B, 2, &thief, TCP, "0.0.0.0", 80, 0, .expected = 0, .ephemeral = true}}},
		{"joined, not taken", {{E, 1, &nginx, TCP, "0.0.0.0", 80, 0, .expected = 0, .listening = true}, {E, 2, &nginx, TCP, "0.0.0.0", 80, 0, .expected = 0, .listening = true}, {C, 1, &nginx, TCP, "0.0.0.0", 80, 0, .expected = 0}, {B, 3, &thief, TCP, "0.0.0.0", 80, PORT, .expected = OWNER}}},
		{"in another namespace", {{E, 1, &nginx, TCP, "0.0.0.0", 80, 0, .expected = 0, .listening = true}, {C, 1, &nginx, TCP, "0.0.0.0", 80, 0, .expected = 0}, {B, 2, &thief, TCP, "0.0.0.0", 80, 0, .expected = 0, .netns = 9}}},
	};

	(void)state;
	play_all(scripts, sizeof(scripts) / sizeof(scripts[0]));
}
/* clang-format on */

/* A bind of each of these ports, step seconds between; the patterns of the last. */
static uint32_t sweep(struct pattern *pattern, struct row row, unsigned int count, double step, bool distinct)
{
	uint32_t patterns = 0;

	for (unsigned int i = 0; i < count; i++) {
		struct process process;
		struct event event;

		event = event_of(&row, &process);
		pattern_mark(pattern, &event);
		patterns = event.facts.patterns;
		row.at += step;
		row.cookie++;
		row.port = (uint16_t)(row.port + distinct);
	}
	return patterns;
}

static void sweeps(void **state)
{
	static const struct {
		const char *name;
		struct row row;
		unsigned int count;
		double step;
		bool same_port;
		uint32_t expected;
	} table[] = {
	        {"one less",
	         {B, 1, &thief, TCP, "0.0.0.0", 8000, 0, .expected = 0},
	         PATTERN_SWEEP_PORTS - 1,
	         0.01,
	         false,
	         0},
	        {"so many",
	         {B, 1, &thief, TCP, "0.0.0.0", 8000, 0, .expected = 0},
	         PATTERN_SWEEP_PORTS,
	         0.01,
	         false,
	         PATTERN_SWEEP},
	        {"and more", {B, 1, &thief, TCP, "0.0.0.0", 8000, 0, .expected = 0}, 500, 0.01, false, PATTERN_SWEEP},
	        {"refused",
	         {B, 1, &thief, TCP, "0.0.0.0", 1, 0, .expected = 0, .error = EACCES},
	         30,
	         0.01,
	         false,
	         PATTERN_SWEEP},
	        {"by listens that stand for binds",
	         {L, 1, &thief, TCP, "0.0.0.0", 8000, BW_SOCKET_UNTOLD, .expected = 0},
	         PATTERN_SWEEP_PORTS,
	         0.01,
	         false,
	         PATTERN_SWEEP},
	        {"by listens", {L, 1, &thief, TCP, "0.0.0.0", 8000, 0, .expected = 0}, 500, 0.01, false, 0},
	        {"at leisure", {B, 1, &thief, TCP, "0.0.0.0", 8000, 0, .expected = 0}, 500, 0.6, false, 0},
	        {"at the limit",
	         {B, 1, &thief, TCP, "0.0.0.0", 8000, 0, .expected = 0},
	         500,
	         0.5,
	         false,
	         PATTERN_SWEEP},
	        {"one port only", {B, 1, &thief, TCP, "0.0.0.0", 8000, 0, .expected = 0}, 500, 0.01, true, 0},
	        {"chosen",
	         {B, 1, &thief, TCP, "0.0.0.0", 8000, 0, .expected = 0, .ephemeral = true},
	         500,
	         0.01,
	         false,
	         0},
	        {"streams of media", {B, 1, &thief, UDP, "0.0.0.0", 10000, 0, .expected = 0}, 500, 0.01, false, 0},
	        {"well-known ones",
	         {B, 1, &thief, UDP, "0.0.0.0", 100, 0, .expected = 0},
	         30,
	         0.01,
	         false,
	         PATTERN_SWEEP},
	        {"the kernel's own",
	         {B, 1, &thief, TCP, "0.0.0.0", 700, BW_SOCKET_KERNEL, .expected = 0},
	         30,
	         0.01,
	         false,
	         0},
	        {"not known", {B, 1, &unknown, TCP, "0.0.0.0", 8000, 0, .expected = 0}, 30, 0.01, false, PATTERN_SWEEP},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct pattern *pattern;
		struct row row = table[i].row;
		uint32_t patterns;

		row.at = 100;
		assert_int_equal(pattern_open(&pattern), 0);
		patterns = sweep(pattern, row, table[i].count, table[i].step, !table[i].same_port);
		if (patterns != table[i].expected)
			fail_msg("%s: patterns %#x, not %#x", table[i].name, patterns, table[i].expected);
		pattern_free(pattern);
	}
}

/* Once it sweeps, one more bind of a port that it had is part of it; not so after a pause. */
static void a_sweep_stays_until_it_pauses(void **state)
{
	struct row row = {B, 1, &thief, TCP, "0.0.0.0", 8000, 0, .expected = 0, .at = 100};
	struct pattern *pattern;

	(void)state;
	assert_int_equal(pattern_open(&pattern), 0);
	assert_int_equal(sweep(pattern, row, 40, 0.01, true), PATTERN_SWEEP);
	for (row.at = 110; row.at < 150; row.at += 9.9)
		assert_int_equal(sweep(pattern, row, 1, 0, true), PATTERN_SWEEP);
	row.at += 0.2;
	assert_int_equal(sweep(pattern, row, PATTERN_SWEEP_PORTS - 1, 0.01, true), 0);
	pattern_free(pattern);
}

/* What one process does is not held against another, nor against the next one of its number. */
static void each_process_for_itself(void **state)
{
	struct pattern *pattern;

	(void)state;
	assert_int_equal(pattern_open(&pattern), 0);
	for (unsigned int i = 0; i < 200; i++) {
		struct row row = {B, 1 + i, &thief, TCP, "0.0.0.0", (uint16_t)(8000 + i), 0, .expected = 0, .at = 100};
		struct process process;
		struct event event = event_of(&row, &process);

		process.pid = event.pid = 100 + i % 5;
		process.start_ns = event.process_start_ns = i % 11;
		event.has_process_start = true;
		if (i >= 110) /* not described: the hook's word is enough */
			event.process = NULL;
		pattern_mark(pattern, &event);
		assert_int_equal(event.facts.patterns, 0);
	}
	pattern_free(pattern);
}

/* More than there is room for: the oldest are forgotten, the newest are known, and memory does not grow. */
static void bounded(void **state)
{
	struct row row = {B, 1, &nginx, TCP, "0.0.0.0", 80, PORT, .expected = 0, .at = 100};
	struct row other = {B, 1ULL << 40, &thief, TCP, "0.0.0.0", 80, PORT, .expected = 0, .at = 100};
	struct pattern *pattern;
	struct process process;
	struct event event;

	(void)state;
	assert_int_equal(pattern_open(&pattern), 0);
	for (uint32_t i = 0; i < 3 * PATTERN_HOLDERS_MAX; i++, row.cookie++) {
		row.netns = i;
		event = event_of(&row, &process);
		process.pid = i; /* as many processes, too */
		pattern_mark(pattern, &event);
		assert_int_equal(event.facts.patterns, 0);
	}
	/* of a namespace that is forgotten, and of the last one */
	other.netns = PATTERN_HOLDERS_MAX;
	event = event_of(&other, &process);
	pattern_mark(pattern, &event);
	assert_int_equal(event.facts.patterns, 0);
	other.cookie++;
	other.netns = 3 * PATTERN_HOLDERS_MAX - 1;
	event = event_of(&other, &process);
	pattern_mark(pattern, &event);
	assert_int_equal(event.facts.patterns, OWNER);
	pattern_free(pattern);
}

/* The same of what was let go: here the bound is PATTERN_RELEASES_MAX. */
static void releases_are_bounded(void **state)
{
	struct row row = {.cookie = 1, .program = &nginx, .protocol = TCP, .address = "0.0.0.0", .port = 80, .at = 100};
	struct pattern *pattern;
	struct process process;

	(void)state;
	assert_int_equal(pattern_open(&pattern), 0);
	for (row.netns = 0; row.netns < 2 * PATTERN_RELEASES_MAX; row.netns++, row.cookie++) {
		for (enum event_action action = EVENT_BOUND; action <= EVENT_CLOSED; action++) {
			struct event event;

			row.action = action;
			event = event_of(&row, &process);
			pattern_mark(pattern, &event);
			assert_int_equal(event.facts.patterns, 0);
		}
	}
	for (unsigned int i = 1; i < 4 * PATTERN_RELEASES_MAX; i += PATTERN_RELEASES_MAX) {
		struct row taken = {B, row.cookie + i, &thief,    TCP,       "0.0.0.0", 80,
		                    0, .expected = 0,  .at = 101, .netns = i};
		struct event event = event_of(&taken, &process);
		bool kept = i >= PATTERN_RELEASES_MAX && i < 2 * PATTERN_RELEASES_MAX;

		pattern_mark(pattern, &event);
		assert_int_equal(event.facts.patterns, kept ? PATTERN_TAKEOVER : 0);
	}
	pattern_free(pattern);
}

/* Of our own making, or without what makes a port: nothing is known of it, and nothing goes wrong. */
static void what_has_no_port(void **state)
{
	struct pattern *pattern;

	(void)state;
	assert_int_equal(pattern_open(&pattern), 0);
	for (enum event_action action = 0; action < EVENT_ACTIONS; action++) {
		struct event event = {.action = action, .cookie = 7, .facts = {.patterns = ~0U}};

		pattern_mark(pattern, &event);
		assert_int_equal(event.facts.patterns, 0);
	}
	pattern_free(pattern);
	pattern_free(NULL);
}

/* A socket with several holders takes its port once: the others neither join it nor stand for it. */
static void holders_of_one_socket(void **state)
{
	static const struct process server = {.executable = {.path = "/usr/sbin/nginx"}};
	static const struct process other = {.executable = {.path = "/opt/other"}};
	struct event event = {.action = EVENT_EXISTING,
	                      .family = AF_INET,
	                      .protocol = TCP,
	                      .bound = {.family = AF_INET, .has_address = true, .has_port = true, .port = 80}};
	static const struct {
		uint64_t cookie;
		unsigned int number;
		const struct process *process;
		uint32_t expected;
	} rows[] = {
	        {1, 0, &server, 0},     {1, 1, &other, 0},      {2, 0, &server, 0},
	        {2, 1, &other, 0},      {3, 0, &other, OWNER}, {3, 1, &server, OWNER},
	};
	struct pattern *pattern;

	(void)state;
	assert_int_equal(pattern_open(&pattern), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		event.cookie = rows[i].cookie;
		event.holder_number = rows[i].number;
		event.process = rows[i].process;
		classify(registry, &event);
		pattern_mark(pattern, &event);
		if (event.facts.patterns != rows[i].expected)
			fail_msg("row %zu: %u", i, event.facts.patterns);
	}
	pattern_free(pattern);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(second_owner),
	        cmocka_unit_test(takeover),
	        cmocka_unit_test(sweeps),
	        cmocka_unit_test(a_sweep_stays_until_it_pauses),
	        cmocka_unit_test(each_process_for_itself),
	        cmocka_unit_test(bounded),
	        cmocka_unit_test(releases_are_bounded),
	        cmocka_unit_test(what_has_no_port),
	        cmocka_unit_test(holders_of_one_socket),
	};

	return cmocka_run_group_tests(tests, open_registry, close_registry);
}
