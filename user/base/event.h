/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one event that every stage speaks. sense/ fills what the kernel said, judge/ adds the facts and the verdict,
 * encode/ writes it out. A stage writes only its own part. Nothing in it is owned: an event lives on the stack of
 * whoever reads the ring buffer, and its pointers point into tables that outlive it.
 */
#ifndef USER_BASE_EVENT_H
#define USER_BASE_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "registry/registry.h"

#define EVENT_COMM_LEN 16

/* Which set of hooks is attached; user/sense/plan.c. */
enum capture_plan {
	PLAN_NONE,
	PLAN_TRAMPOLINE,
	PLAN_KPROBE,
	PLAN_TRACEPOINT,
	PLAN_COUNT,
};

/* An address and port. family 0: not known. IPv4-mapped IPv6 addresses stay what they are: AF_INET6. */
struct endpoint {
	uint16_t family; /* AF_INET, AF_INET6 or 0 */
	uint16_t port;   /* host order; valid if has_port */
	bool has_port;
	bool has_address;
	uint8_t address[16]; /* network order; AF_INET uses the first 4 bytes */
};

enum exposure {
	EXPOSURE_UNKNOWN, /* a failed bind whose address was not given */
	EXPOSURE_LOOPBACK,
	EXPOSURE_WILDCARD,
	EXPOSURE_ADDRESS,
};

enum severity {
	SEVERITY_NONE, /* not an alert */
	SEVERITY_LOW,
	SEVERITY_MEDIUM,
	SEVERITY_HIGH,
	SEVERITY_CRITICAL,
};

/* judge/classify.c: what is so, without an opinion */
struct event_facts {
	struct endpoint server; /* what was bound; of a failed bind what was asked for */
	bool has_transport;     /* the registry knows this transport (a udplite port is looked up as udp: RFC 3828) */
	enum registry_transport transport;
	const struct registry_entry *registry; /* NULL where there is no port or no transport to look up */
	enum registry_range range;             /* of server.port, if server.has_port */
	bool privileged;                       /* 0 < server.port < the namespace's ip_unprivileged_port_start */
	bool ephemeral;                        /* port 0 was asked for: the kernel chose */
	bool dual_stack;                       /* an IPv6 wildcard that takes IPv4 too */
	enum exposure exposure;
};

struct event_verdict {
	const char *rule; /* NULL: no alert */
	enum severity severity;
};

struct event {
	/* sense/decode.c */
	uint64_t time_ns;  /* wall clock, nanoseconds since 1970, UTC */
	uint64_t boot_ns;  /* CLOCK_BOOTTIME, nanoseconds */
	uint64_t sequence; /* of this run's stream, from 1, without a gap */
	uint32_t cpu;
	int error; /* 0, or a positive errno */
	uint32_t pid, tid, uid, gid;
	char comm[EVENT_COMM_LEN]; /* hostile bytes, NUL-terminated */
	struct endpoint requested;
	struct endpoint bound; /* has_port only when error is 0 */
	uint16_t family, type, protocol;
	uint32_t socket_flags; /* BW_SOCKET_*, bpf/bindwatch.h */
	uint32_t device;       /* interface index, 0: none */
	char device_name[16];  /* "" where the index has no name in our network namespace; hostile bytes */
	uint64_t cookie;       /* 0: none */
	uint32_t netns_inode;
	uint32_t unprivileged_port_start;
	enum capture_plan plan;
	const char *hook; /* the name of the hook, static */

	/* judge/ */
	struct event_facts facts;
	struct event_verdict verdict;
};

#endif
