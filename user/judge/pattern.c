/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/judge/pattern.h"

#include <errno.h>
#include <linux/types.h> /* before the contract with the kernel side, which includes nothing */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "bpf/bindwatch.h"
#include "user/base/address.h"
#include "user/base/ipproto.h"
#include "user/base/siphash.h"
#include "user/judge/recent.h"

/* RFC 6335, section 6: the System Ports, "also known as the Well Known Ports" */
#define WELL_KNOWN_END 1024

/*
 * Holders of one port that a bind is compared with, the newest first. A server has one for each processor; the kernel's
 * own search for a conflict walks as long a list.
 */
#define SHARERS_MAX 1024

/* The program and the user that a port is held by. */
struct owner {
	bool has_inode, has_path;
	uint64_t device, inode;
	uint64_t path;  /* stands for the text */
	uint32_t mntns; /* 0: not known */
	uint32_t user;
};

/* The packets that a socket takes. */
struct span {
	bool ipv4, ipv6;
	bool any;            /* of every address; else of this one: */
	uint8_t address[16]; /* IPv4 uses the first 4 bytes, the others are 0 */
};

/* What two sockets must have in common to be in each other's way. */
struct place {
	uint32_t netns;
	uint16_t protocol; /* whose ports it is one of */
	uint16_t port;
	uint32_t device; /* 0: every one */
	struct span span;
};

struct holder {
	struct place place;
	struct owner owner;
	uint64_t cookie;
	bool well_known;
	bool listened;
};

struct release {
	struct place place;
	struct owner owner;
	uint64_t boot_ns;
};

struct sweeper {
	uint32_t pid;
	uint64_t start_ns;
	bool sweeps;
	uint64_t last_ns;
	struct {
		uint32_t port; /* and the protocol above it; 0: free */
		uint64_t boot_ns;
	} asked[PATTERN_SWEEP_PORTS];
};

enum { BY_PLACE, BY_COOKIE };

struct pattern {
	uint64_t key[2];
	struct recent *by_holder, *by_release, *by_sweeper;
	struct holder *holders;
	struct release *releases;
	struct sweeper *sweepers;
	uint32_t first_holder; /* what is told of the others of that socket, too */
};

int pattern_open(struct pattern **ret)
{
	struct pattern *pattern = calloc(1, sizeof(*pattern));
	int r;

	if (!pattern)
		return -ENOMEM;
	r = getrandom(pattern->key, sizeof(pattern->key), 0) == sizeof(pattern->key) ? 0 : -errno;
	if (r == 0 && ((r = recent_open(PATTERN_HOLDERS_MAX, &pattern->by_holder)) ||
	               (r = recent_open(PATTERN_RELEASES_MAX, &pattern->by_release)) ||
	               (r = recent_open(PATTERN_SWEEPERS_MAX, &pattern->by_sweeper))))
		goto failed;
	pattern->holders = malloc(PATTERN_HOLDERS_MAX * sizeof(*pattern->holders));
	pattern->releases = malloc(PATTERN_RELEASES_MAX * sizeof(*pattern->releases));
	pattern->sweepers = malloc(PATTERN_SWEEPERS_MAX * sizeof(*pattern->sweepers));
	if (r == 0 && (!pattern->holders || !pattern->releases || !pattern->sweepers))
		r = -ENOMEM;
	if (r < 0)
		goto failed;
	*ret = pattern;
	return 0;
failed:
	pattern_free(pattern);
	return r;
}

void pattern_free(struct pattern *pattern)
{
	if (!pattern)
		return;
	recent_free(pattern->by_holder);
	recent_free(pattern->by_release);
	recent_free(pattern->by_sweeper);
	free(pattern->holders);
	free(pattern->releases);
	free(pattern->sweepers);
	free(pattern);
}

/* Across CPUs the stream is not strictly in the order of time. */
static uint64_t since(uint64_t now_ns, uint64_t then_ns)
{
	return now_ns > then_ns ? now_ns - then_ns : 0;
}

static bool is_datagram(uint16_t protocol)
{
	return protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE;
}

static struct owner owner_of(const struct pattern *pattern, const struct event *event)
{
	const struct executable *executable = event->process ? &event->process->executable : NULL;
	/* whom the kernel compares when it lets two sockets share a port; of a socket from before, its owner */
	bool effective = event->credentials.known && event->action != EVENT_EXISTING;
	struct owner owner = {.user = effective ? event->credentials.effective_uid : event->uid};

	if (!executable)
		return owner;
	owner.mntns = event->process->mntns_inode;
	owner.has_inode = executable->has_inode;
	owner.device = executable->device;
	owner.inode = executable->inode;
	owner.has_path = executable->path;
	if (executable->path)
		owner.path = siphash(pattern->key, executable->path, strlen(executable->path));
	return owner;
}

static bool same_path(const struct owner *a, const struct owner *b)
{
	return a->has_path && b->has_path && a->path == b->path;
}

/* Two files are one program where the second was put in the place of the first. */
static bool another_file(const struct owner *a, const struct owner *b)
{
	if (a->has_inode && b->has_inode)
		return (a->device != b->device || a->inode != b->inode) &&
		       !(same_path(a, b) && a->mntns && a->mntns == b->mntns);
	return a->has_path && b->has_path && a->path != b->path;
}

/* A restart after an upgrade finds another file; one in a new container also another mount namespace. */
static bool another_path(const struct owner *a, const struct owner *b)
{
	if (a->has_path && b->has_path)
		return a->path != b->path;
	return a->has_inode && b->has_inode && (a->device != b->device || a->inode != b->inode);
}

static struct span span_of(const struct event *event)
{
	const struct endpoint *server = &event->facts.server;
	struct span span = {.ipv4 = server->family == AF_INET || event->facts.dual_stack,
	                    .ipv6 = server->family == AF_INET6,
	                    .any = address_is_wildcard(server)};

	if (address_is_mapped(server)) {
		span.ipv4 = true;
		span.ipv6 = false;
		memcpy(span.address, server->address + 12, 4);
	} else {
		memcpy(span.address, server->address, span.ipv6 ? 16 : 4);
	}
	return span;
}

static struct place place_of(const struct event *event)
{
	return (struct place){
	        .netns = event->netns_inode,
	        /* MPTCP takes its ports from TCP; UDP-Lite has a table of its own in the kernel, as in RFC 3828 */
	        .protocol = event->protocol == IPPROTO_MPTCP ? IPPROTO_TCP : event->protocol,
	        .port = event->facts.server.port,
	        .device = event->device,
	        .span = span_of(event),
	};
}

static bool overlap(const struct place *a, const struct place *b)
{
	const struct span *x = &a->span, *y = &b->span;

	return a->netns == b->netns && a->protocol == b->protocol && a->port == b->port &&
	       (!a->device || !b->device || a->device == b->device) && ((x->ipv4 && y->ipv4) || (x->ipv6 && y->ipv6)) &&
	       (x->any || y->any || memcmp(x->address, y->address, sizeof(x->address)) == 0);
}

/* The finalizer of MurmurHash3, keyed: who chooses ports and namespaces cannot choose the bucket. */
static uint64_t mix(const struct pattern *pattern, uint64_t word)
{
	word ^= pattern->key[0];
	word = (word ^ word >> 33) * 0xff51afd7ed558ccd;
	word = (word ^ word >> 33) * 0xc4ceb9fe1a85ec53;
	return word ^ word >> 33;
}

static uint64_t hash_place(const struct pattern *pattern, const struct place *place)
{
	return mix(pattern, (uint64_t)place->netns << 32 | (uint32_t)place->protocol << 16 | place->port);
}

/* --- second owner --- */

struct neighbours {
	bool any;
	bool other; /* one of them is another program's or user's */
};

enum sharing {
	SHARES_NOT,  /* what is in its way is gone */
	SHARES_IDLE, /* TCP with SO_REUSEADDR: nobody else may listen there, but hold the port idle */
	SHARES,
};

static enum sharing sharing_of(const struct event *event)
{
	bool reuseaddr = event->socket_flags & BW_SOCKET_REUSEADDR;

	/* of a socket that was there before we may not know its options; two of them in one place tell that they share
	 */
	if (event->socket_flags & BW_SOCKET_REUSEPORT || event->action == EVENT_EXISTING)
		return SHARES;
	if (!reuseaddr)
		return SHARES_NOT;
	return is_datagram(event->protocol) ? SHARES : SHARES_IDLE;
}

/* The living sockets in the way of this one. Which cannot be alive any more, for it got its port, is forgotten. */
static struct neighbours find_neighbours(struct pattern *pattern, const struct holder *holder, enum sharing sharing)
{
	struct neighbours found = {.any = false};
	uint32_t slot = recent_find(pattern->by_holder, BY_PLACE, hash_place(pattern, &holder->place)), next;

	for (unsigned int i = 0; slot != RECENT_NONE && i < SHARERS_MAX; i++, slot = next) {
		const struct holder *other = &pattern->holders[slot];

		next = recent_next(pattern->by_holder, BY_PLACE, slot);
		if (!overlap(&holder->place, &other->place))
			continue;
		if (sharing == SHARES_NOT || (sharing == SHARES_IDLE && other->listened)) {
			recent_drop(pattern->by_holder, slot);
		} else if (sharing == SHARES) {
			found.any = true;
			found.other |=
			        other->owner.user != holder->owner.user || another_file(&other->owner, &holder->owner);
		}
	}
	return found;
}

static uint32_t find_cookie(const struct pattern *pattern, uint64_t cookie)
{
	uint32_t slot = cookie ? recent_find(pattern->by_holder, BY_COOKIE, mix(pattern, cookie)) : RECENT_NONE;

	while (slot != RECENT_NONE && pattern->holders[slot].cookie != cookie)
		slot = recent_next(pattern->by_holder, BY_COOKIE, slot);
	return slot;
}

static void remember_holder(struct pattern *pattern, const struct holder *holder)
{
	const uint64_t hashes[RECENT_KEYS] = {
	        [BY_PLACE] = hash_place(pattern, &holder->place), [BY_COOKIE] = mix(pattern, holder->cookie)};

	if (holder->cookie) /* else nobody could tell us when to forget it */
		pattern->holders[recent_take(pattern->by_holder, hashes)] = *holder;
}

/* --- takeover --- */

static uint32_t find_release(const struct pattern *pattern, const struct release *release)
{
	uint32_t slot = recent_find(pattern->by_release, BY_PLACE, hash_place(pattern, &release->place));

	for (; slot != RECENT_NONE; slot = recent_next(pattern->by_release, BY_PLACE, slot)) {
		const struct release *known = &pattern->releases[slot];

		if (overlap(&known->place, &release->place) &&
		    memcmp(&known->place.span, &release->place.span, sizeof(known->place.span)) == 0 &&
		    known->owner.user == release->owner.user && !another_path(&known->owner, &release->owner))
			break;
	}
	return slot;
}

static void remember_release(struct pattern *pattern, const struct holder *holder, uint64_t boot_ns)
{
	const struct release release = {.place = holder->place, .owner = holder->owner, .boot_ns = boot_ns};
	uint64_t hash = hash_place(pattern, &release.place);
	uint32_t slot = find_release(pattern, &release);

	if (slot == RECENT_NONE)
		slot = recent_take(pattern->by_release, (uint64_t[RECENT_KEYS]){hash, hash});
	else
		recent_touch(pattern->by_release, slot);
	pattern->releases[slot] = release;
}

static bool is_takeover(const struct pattern *pattern, const struct holder *holder, uint64_t now_ns)
{
	uint32_t slot = recent_find(pattern->by_release, BY_PLACE, hash_place(pattern, &holder->place));
	bool other = false;

	for (; slot != RECENT_NONE; slot = recent_next(pattern->by_release, BY_PLACE, slot)) {
		const struct release *release = &pattern->releases[slot];

		if (since(now_ns, release->boot_ns) > PATTERN_TAKEOVER_NS || !overlap(&release->place, &holder->place))
			continue;
		if (release->owner.user == holder->owner.user && !another_path(&release->owner, &holder->owner))
			return false;
		other = true;
	}
	return other;
}

/* --- sweep --- */

static struct sweeper *find_sweeper(struct pattern *pattern, const struct event *event)
{
	uint32_t pid = event->process ? event->process->pid : event->pid;
	uint64_t start_ns = event->process             ? event->process->start_ns
	                    : event->has_process_start ? event->process_start_ns
	                                               : 0;
	uint64_t hash = mix(pattern, start_ns ^ (uint64_t)pid << 32);
	uint32_t slot = recent_find(pattern->by_sweeper, 0, hash);
	struct sweeper *sweeper;

	while (slot != RECENT_NONE &&
	       (pattern->sweepers[slot].pid != pid || pattern->sweepers[slot].start_ns != start_ns))
		slot = recent_next(pattern->by_sweeper, 0, slot);
	if (slot != RECENT_NONE) {
		recent_touch(pattern->by_sweeper, slot);
		return &pattern->sweepers[slot];
	}
	sweeper = &pattern->sweepers[recent_take(pattern->by_sweeper, (uint64_t[RECENT_KEYS]){hash, hash})];
	*sweeper = (struct sweeper){.pid = pid, .start_ns = start_ns};
	return sweeper;
}

/* Puts the port in the place of itself, or of the one asked for longest ago. How many it asked for lately. */
static unsigned int count_port(struct sweeper *sweeper, uint32_t port, uint64_t now_ns)
{
	unsigned int place = 0, recent = 0;

	for (unsigned int i = 0; i < PATTERN_SWEEP_PORTS; i++) {
		if (sweeper->asked[i].port == port) {
			place = i;
			break;
		}
		if (sweeper->asked[i].boot_ns < sweeper->asked[place].boot_ns)
			place = i;
	}
	sweeper->asked[place].port = port;
	sweeper->asked[place].boot_ns = now_ns;
	for (unsigned int i = 0; i < PATTERN_SWEEP_PORTS; i++)
		recent += sweeper->asked[i].port && since(now_ns, sweeper->asked[i].boot_ns) <= PATTERN_SWEEP_NS;
	return recent;
}

static bool is_sweep(struct pattern *pattern, const struct event *event)
{
	const struct event_facts *facts = &event->facts;
	struct sweeper *sweeper;
	bool paused;

	/* the kernel's own sockets are bound in the name of whoever runs at the moment */
	if (facts->ephemeral || !facts->server.port || event->socket_flags & BW_SOCKET_KERNEL ||
	    (is_datagram(event->protocol) && !facts->privileged && facts->server.port >= WELL_KNOWN_END))
		return false;
	sweeper = find_sweeper(pattern, event);
	paused = since(event->boot_ns, sweeper->last_ns) > PATTERN_SWEEP_NS;
	sweeper->sweeps = (sweeper->sweeps && !paused) ||
	                  count_port(sweeper, (uint32_t)event->protocol << 16 | facts->server.port, event->boot_ns) >=
	                          PATTERN_SWEEP_PORTS;
	sweeper->last_ns = event->boot_ns;
	return sweeper->sweeps;
}

/* --- events --- */

/* Or the listen stands for it, since it was not told. */
static bool is_bind(const struct event *event)
{
	return event->action == EVENT_BOUND ||
	       (event->action == EVENT_LISTEN && event->socket_flags & BW_SOCKET_UNTOLD);
}

static void take_port(struct pattern *pattern, struct event *event)
{
	struct event_facts *facts = &event->facts;
	const struct holder holder = {
	        .place = place_of(event),
	        .owner = owner_of(pattern, event),
	        .cookie = event->cookie,
	        .well_known = facts->server.port < WELL_KNOWN_END || facts->privileged,
	        .listened = event->listening || event->action == EVENT_LISTEN,
	};
	struct neighbours found = find_neighbours(pattern, &holder, sharing_of(event));

	if (found.other)
		facts->patterns |= PATTERN_SECOND_OWNER;
	if (is_bind(event) && !facts->ephemeral && !found.any && holder.well_known &&
	    is_takeover(pattern, &holder, event->boot_ns))
		facts->patterns |= PATTERN_TAKEOVER;
	remember_holder(pattern, &holder);
}

static void close_port(struct pattern *pattern, const struct event *event)
{
	uint32_t slot = find_cookie(pattern, event->cookie);
	const struct holder *holder;
	bool served;

	if (slot == RECENT_NONE)
		return;
	holder = &pattern->holders[slot];
	/* a socket that was there before us held its port for longer than anybody knows */
	served = is_datagram(holder->place.protocol) ? !event->held_ns || event->held_ns >= PATTERN_SERVED_NS
	                                             : holder->listened;
	if (holder->well_known && served)
		remember_release(pattern, holder, event->boot_ns);
	recent_drop(pattern->by_holder, slot);
}

static void mark(struct pattern *pattern, struct event *event)
{
	const struct endpoint *server = &event->facts.server;
	uint32_t slot;

	event->facts.patterns = 0;
	if (event->action == EVENT_CLOSED)
		close_port(pattern, event);
	if (!server->has_port || !event->facts.has_transport)
		return;
	if (is_bind(event) && is_sweep(pattern, event))
		event->facts.patterns |= PATTERN_SWEEP;
	if (event->error || !server->port || !server->has_address)
		return;
	slot = find_cookie(pattern, event->cookie);
	if (event->action == EVENT_LISTEN && slot != RECENT_NONE) {
		pattern->holders[slot].listened = true;
		recent_touch(pattern->by_holder, slot);
	} else if (event->action == EVENT_BOUND || event->action == EVENT_EXISTING || event->action == EVENT_LISTEN) {
		if (slot != RECENT_NONE)
			recent_drop(pattern->by_holder, slot);
		take_port(pattern, event);
	}
}

void pattern_mark(struct pattern *pattern, struct event *event)
{
	/* a socket takes its port once, however many hold it */
	if (event->holder_number) {
		event->facts.patterns = pattern->first_holder;
		return;
	}
	mark(pattern, event);
	pattern->first_holder = event->facts.patterns;
}
