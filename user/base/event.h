/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one event that every stage speaks. sense/ fills what the kernel said, judge/ adds the facts and the verdict,
 * encode/ writes it out. A stage writes only its own part. Nothing in it is owned: an event lives on the stack of
 * whoever reads the ring buffer, and its pointers point into tables that outlive it.
 */
#ifndef USER_BASE_EVENT_H
#define USER_BASE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry/registry.h"
#include "user/base/process.h"

#define EVENT_COMM_LEN 16

/* What happened; names.c gives each its ECS event.action. */
enum event_action {
	EVENT_BOUND,    /* a bind, or the attempt of one */
	EVENT_LISTEN,   /* a listen, or the attempt of one */
	EVENT_CLOSED,   /* a socket that was bound is gone, and its port with it */
	EVENT_EXISTING, /* a socket that was bound before we watched */
	EVENT_LOST,     /* events that were seen and could not be told; `lost` says how many and why */
	EVENT_SILENT,   /* a hook of ours reports nothing any more; `hook` names it, `cause` says how it is known */
	EVENT_ACTIONS,
};

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
	EXPOSURE_UNKNOWN, /* of a failed bind whose address was not given; of an SCTP socket with more than is seen */
	EXPOSURE_LOOPBACK,
	EXPOSURE_WILDCARD,
	EXPOSURE_ADDRESS,
};

enum severity {
	SEVERITY_NONE, /* not an alert */
	SEVERITY_INFORMATIONAL,
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
	uint32_t patterns; /* PATTERN_* */
};

/* What one event alone does not show; judge/pattern.c. */
#define PATTERN_SECOND_OWNER (1U << 0) /* joined a port by SO_REUSEPORT that another program or user holds */
#define PATTERN_SWEEP        (1U << 1) /* one process, many ports in a short time */
#define PATTERN_TAKEOVER     (1U << 2) /* a port that another program let go of a moment ago */
#define PATTERNS             3

enum verdict {
	VERDICT_NONE, /* no rule matched */
	VERDICT_EXPECT,
	VERDICT_IGNORE,
	VERDICT_ALERT,
};

/* Borrowed from the policy, which outlives the event; the reason from whoever wrote it. */
struct event_verdict {
	enum verdict verdict;
	enum severity severity; /* SEVERITY_NONE unless it is an alert */
	const char *rule;       /* NULL: no rule matched */
	const char *file;       /* of the rule */
	unsigned int line;      /* of the rule's section, from 1 */
	const char *message;    /* the rule's own words, or NULL */
	const char *techniques; /* MITRE ATT&CK ids, one space between; NULL: none */
	const char *reason;     /* of an alert: policy_reason(); NULL: it was not asked for */
};

/* EVENT_LOST: between two looks at the counters. */
struct event_lost {
	uint64_t count;
	uint64_t since_ns; /* wall clock of the look before, nanoseconds; the event's own time is the end */
	const char *cause; /* "ring-buffer-full", ...: static */
};

/* Processes told of one socket. A server with more workers shows the first ones, and how many there are. */
#define EVENT_HOLDERS_MAX 1024

/* A process that holds the socket of an EVENT_EXISTING. */
struct event_holder {
	uint32_t pid;
	char comm[EVENT_COMM_LEN]; /* hostile bytes, NUL-terminated */
};

struct event {
	/* sense/decode.c */
	enum event_action action;
	uint64_t time_ns;  /* wall clock, nanoseconds since 1970, UTC */
	uint64_t boot_ns;  /* CLOCK_BOOTTIME, nanoseconds */
	uint64_t sequence; /* of this run's stream, from 1, without a gap */
	uint32_t cpu;
	int error; /* 0, or a positive errno */
	uint32_t pid, tid, uid;
	uint32_t gid; /* PROCESS_UNSET: not known */
	bool has_process_start;
	uint64_t process_start_ns; /* CLOCK_BOOTTIME, nanoseconds; if has_process_start, as process_exec_id */
	uint32_t process_exec_id;  /* counts the process's execs */
	uint64_t cgroup_id;        /* at the moment of the call; 0: not known. process->cgroup is of the exec's first */
	struct credentials credentials;
	const struct process *process; /* NULL: not known; borrowed from the process cache */
	char comm[EVENT_COMM_LEN];     /* hostile bytes, NUL-terminated */
	struct endpoint requested;
	struct endpoint bound; /* of a failed bind it has neither port nor address */
	uint16_t family, type, protocol;
	uint32_t socket_flags; /* BW_SOCKET_*, bpf/bindwatch.h */
	uint32_t device;       /* interface index, 0: none */
	char device_name[16];  /* "" where the index has no name in our network namespace; hostile bytes */
	uint64_t cookie;       /* 0: none */
	uint32_t netns_inode;
	uint32_t unprivileged_port_start;
	enum capture_plan plan;
	const char *hook;     /* the name of the hook, static */
	uint32_t pidns_pid;   /* the process in its own pid namespace; 0: not known */
	uint32_t pidns_inode; /* of that namespace; 0: not known */
	uint32_t backlog;     /* EVENT_LISTEN, if has_backlog */
	bool has_backlog;
	uint64_t held_ns; /* EVENT_CLOSED: since the bind, or the listen that took the port; 0: not known */
	struct event_lost lost;
	const char *cause;                  /* EVENT_SILENT: static */
	const struct event_holder *holders; /* EVENT_EXISTING: borrowed; EVENT_HOLDERS_MAX are told */
	bool listening;                     /* EVENT_EXISTING: it takes connections */
	size_t holders_count;               /* all of them */
	/*
	 * EVENT_EXISTING: holders of different programs, users or units are each told in an event of its own, and the
	 * gravest of them is the socket's.
	 */
	unsigned int holder_number; /* of these: 0 is the first, that of the lowest pid */
	bool more_holders;          /* another one follows */
	bool holders_known; /* EVENT_EXISTING: every process was looked at: 0 of them says that none holds it */

	/* judge/ */
	struct event_facts facts;
	struct event_verdict verdict;
};

#endif
