/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one event alone does not show, from what was seen before it. Three patterns:
 *
 *   second owner  a bind joined a port, by SO_REUSEPORT (or SO_REUSEADDR of UDP, which shares as well), that a living
 *                 socket holds on an overlapping address, and the program or the user is another. Workers of one server
 *                 are of one program and user. A program is its file; one that was upgraded, another file at the same
 *                 path of the same mount namespace, stays the same.
 *   sweep         one process asked for PATTERN_SWEEP_PORTS ports by number within PATTERN_SWEEP_NS. Set on the bind
 * that makes it a sweep and on those after it, until the process pauses for that long. takeover      a well-known port
 * (0-1023, or one that the namespace calls privileged) is bound by another program, or as another user, within
 * PATTERN_TAKEOVER_NS after its holder let it go. One that had it itself a moment ago only restarts.
 *
 * A rule on `pattern = sweep` is best read after the rules for what is expected: a web server with thirty ports, a
 * proxy, or a daemon that publishes ports of containers binds as many when it starts. Never counted are ports that the
 * kernel chose, and ports of UDP that need no privilege: a resolver binds a random one for each question (RFC 5452), a
 * media server one for each stream, and nothing in the bind tells them from a sweep. A mail server has five ports; a
 * server that takes passive FTP mostly forks for each session.
 *
 * Bounded: tables of fixed size, taken once; where one is full, what was used least recently is forgotten. What the
 * kernel cannot name (no cookie, no address, no program known and the same user) never makes a pattern.
 */
#ifndef USER_JUDGE_PATTERN_H
#define USER_JUDGE_PATTERN_H

#include "user/base/event.h"

/* Sockets that hold a port. As many as the kernel side keeps (BW_HELD_SOCKETS). */
#define PATTERN_HOLDERS_MAX 65536U

/* More than a process with a good reason binds at once, but for the servers named above; a port scanner asks for
 * hundreds. */
#define PATTERN_SWEEP_PORTS 20

/* Twenty ports in ten seconds is also the pace of a slow, careful sweep; a server binds what it needs within one. */
#define PATTERN_SWEEP_NS (10 * 1000000000ULL)

/* Processes whose last ports are kept: those that bound something most recently. */
#define PATTERN_SWEEPERS_MAX 1024U

/*
 * A service is restarted, and the port waited for, within seconds; systemd's default patience with a stopping service
 * is 90 s, of which the port is free only the last moment.
 */
#define PATTERN_TAKEOVER_NS (60 * 1000000000ULL)

/* Well-known ports that were let go within that time: 1024 of each transport. */
#define PATTERN_RELEASES_MAX 4096U

/*
 * A socket of datagrams that held its port for less was a client: programs of RPC take a privileged port for one call
 * (bindresvport(3)), and the next may get the same. Of what takes connections a server is who listened.
 */
#define PATTERN_SERVED_NS (10 * 1000000000ULL)

struct pattern;

/* *ret is freed with pattern_free(), which allows NULL. 0, -ENOMEM, or -errno: the kernel gave no random bytes. */
int pattern_open(struct pattern **ret);
void pattern_free(struct pattern *pattern);

/*
 * Sets event->facts.patterns, and remembers the event. To be called once for every event, in the order in which they
 * happened, after classify() and before the policy looks. Cannot fail, allocates nothing.
 */
void pattern_mark(struct pattern *pattern, struct event *event);

#endif
