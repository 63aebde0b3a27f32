/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The IANA Service Name and Transport Protocol Port Number Registry (RFC 6335) as a compact, read-only table.
 *
 * A registry is built once, from one of the formats of registry.c's table of formats, and is then immutable: a
 * lookup takes no lock, allocates nothing and touches two cache lines. Strings in it are UTF-8 (checked when it was
 * built), hold no control bytes, and live until registry_free().
 */
#ifndef REGISTRY_REGISTRY_H
#define REGISTRY_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The transports that the registry knows; an index into the table. */
enum registry_transport {
	REGISTRY_TCP,
	REGISTRY_UDP,
	REGISTRY_SCTP,
	REGISTRY_DCCP,
	REGISTRY_TRANSPORTS,
};

enum registry_state {
	REGISTRY_NOT_LISTED, /* no row speaks of this port and transport */
	REGISTRY_ASSIGNED,
	REGISTRY_RESERVED,
	REGISTRY_DEASSIGNED, /* was assigned; removed or de-assigned since, `removed` says when */
	REGISTRY_UNASSIGNED,
	REGISTRY_STATES,
};

/* RFC 6335, section 6 */
enum registry_range {
	REGISTRY_SYSTEM,  /* 0-1023 */
	REGISTRY_USER,	  /* 1024-49151 */
	REGISTRY_DYNAMIC, /* 49152-65535 */
};

#define REGISTRY_UNAUTHORIZED_USE (1U << 0) /* IANA notes unauthorised use of this port */
#define REGISTRY_SITE		  (1U << 1) /* the name comes from the site's own overlay, not from IANA */

struct registry_entry {
	/* names_count strings, each ended by NUL, one behind the other; the first is the main name. Some assigned
	 * ports bear none (24, "any private mail system"). */
	const char *names;
	const char *title; /* one line; "" where there is none */
	/* dates as the number YYYYMMDD, day 0 where the registry does not tell it; 0: none */
	uint32_t registered;
	uint32_t modified;
	uint32_t removed;
	uint8_t state; /* enum registry_state */
	uint8_t flags; /* REGISTRY_UNAUTHORIZED_USE, REGISTRY_SITE */
	uint8_t names_count;
};

struct registry;

/* Longest message that any function here writes, NUL included. */
#define REGISTRY_ERROR_LEN 512

/*
 * The registry that is part of the program. *ret must be freed with registry_free().
 * Returns 0 or -ENOMEM. (That the embedded snapshot parses is proven by a test.)
 */
int registry_open_embedded(struct registry **ret);

/*
 * Reads an official CSV file (or the project's own snapshot form; the format is recognised by its first line).
 * 0, or -errno with one line "FILE:LINE: what is wrong, and what would be right" in error; *ret is then untouched.
 * -EINVAL: the file is not a whole, well-formed registry.
 */
int registry_open_file(const char *path, struct registry **ret, char error[REGISTRY_ERROR_LEN]);

/*
 * Lays the names of a file of /etc/services' form over the registry: each becomes the main name of its port and
 * transport, marked REGISTRY_SITE. All or nothing: on an error (-errno, message as above) the registry is unchanged.
 * State, title and dates stay IANA's. Entries that were looked up before are gone after it: lay it first.
 */
int registry_overlay_services(struct registry *registry, const char *path, char error[REGISTRY_ERROR_LEN]);

/* NULL is allowed. */
void registry_free(struct registry *registry);

/* Never NULL: where no row speaks of the pair, an entry of state REGISTRY_NOT_LISTED. O(1). */
const struct registry_entry *registry_lookup(const struct registry *registry, uint16_t port,
					     enum registry_transport transport);

/*
 * Every (port, transport) pair that bears this service name, aliases too, by port and then transport; names are
 * compared as RFC 6335 section 5.1 says: without regard to ASCII case. Calls found(context, ...) for each until it
 * returns non-zero; returns the number of calls made, 0 where no service has this name.
 */
size_t registry_find_service(const struct registry *registry, const char *name,
			     int (*found)(void *context, uint16_t port, enum registry_transport transport),
			     void *context);

/*
 * The date of the registry as "YYYY-MM-DD". IANA's CSV does not tell it: the newest date of any row stands for it, and the
 * file's modification time where no row has one.
 */
const char *registry_date(const struct registry *registry);

/* Where it was read from: "embedded", or the path. */
const char *registry_source(const struct registry *registry);

/* How many (port, transport) pairs are in this state and transport, and the bytes that the table takes. */
size_t registry_count(const struct registry *registry, enum registry_transport transport, enum registry_state state);
size_t registry_bytes(const struct registry *registry);

enum registry_range registry_range(uint16_t port);

/* Static strings, as they stand in every output: "tcp", "assigned", "system". "" for a value out of range. */
const char *registry_transport_name(enum registry_transport transport);
const char *registry_state_name(enum registry_state state);
const char *registry_range_name(enum registry_range range);

/* The next of an entry's names after `name`. The caller counts. */
const char *registry_next_name(const char *name);

#endif
