/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The project's own form of the registry: the facts that lookups give, as lines of text, so that two of them can be
 * compared by diff. The program carries one, registry/snapshot.iana.
 *
 *	bindwatch-registry 1
 *	date 2026-08-17
 *	source-sha256 (64 hexadecimal digits: of the CSV file that it was made from)
 *	(the names of the nine columns)
 *	80	tcp,udp	assigned		2021-10-01			http|www	World Wide Web HTTP
 *	...
 *	end (the number of lines between the fourth and this)
 *
 * The columns, each behind a tab but the first:
 *
 *	ports       a number, or a range that does not fall
 *	transports  a list in the order tcp, udp, sctp, dccp, or "all"
 *	state       registry_state_name() of any but not-listed: that is what no line speaks of
 *	registered, modified, removed
 *	            YYYY-MM-DD, YYYY-MM or nothing
 *	flags       "unauthorized" or nothing
 *	names       separated by '|', the main one first
 *	title       one line
 *
 * The lines rise by their first port, and no pair of port and transport is in two. UTF-8; each line ends in a line
 * feed.
 */
#ifndef REGISTRY_SNAPSHOT_H
#define REGISTRY_SNAPSHOT_H

#include <stdio.h>

#include "registry/registry.h"

/*
 * Writes a registry in this form; the same registry gives the same bytes. date: "YYYY-MM-DD", or NULL for
 * registry_date(). What registry_overlay_services() laid over it is written as if it were IANA's.
 * 0; -EINVAL: date is not of that form; -EIO: writing failed.
 */
int snapshot_write(const struct registry *registry, const char *date, FILE *out);

/* SHA-256 of the CSV file that the registry was made from, in hexadecimal. */
const char *snapshot_digest(const struct registry *registry);

#endif
