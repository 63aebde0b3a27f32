/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of `bindwatch list` share: sockets of every kind, and what the command says of them. */
#ifndef TESTS_LIVE_LISTED_H
#define TESTS_LIVE_LISTED_H

#include <stdbool.h>

#include <jansson.h>

#include "tests/live/command.h"
#include "tests/live/live.h"

#define LISTED_BOUND_ONLY "bound, not listening"

struct listed_kind {
	const char *name;
	int family, type, protocol;
	const char *address;
	bool v6only, listens;
	const char *transport, *shown; /* network.transport; bindwatch.socket.protocol */
	const char *state, *exposure;  /* in the text form */
};

#define LISTED_KINDS 16
extern const struct listed_kind listed_kinds[LISTED_KINDS];

struct listed {
	char program[4096];
	const char *why_not;          /* NULL, or why nothing can be tested in a namespace of our own */
	const char *iterator_why_not; /* of the last list: NULL, or why the iterator was not used */
	bool entered;
};

/* 0, or -errno, said. */
int listed_start(struct listed *listed, const char *argv0);

/* From the first test that says so on, everything happens in a network namespace of our own. Skips where none can be.
 */
void listed_need_namespace(struct listed *listed);

/* A socket of this kind, on a port of the kernel's choice. -1: there is none here. */
int listed_bind(const struct listed_kind *kind, char ret_port[8]);

/* `bindwatch list --output OUTPUT --port PORT MORE`; more may be NULL. */
struct run listed_run(const struct listed *listed, const char *output, const char *port, const char *more);

/* Its objects, one a line, as an array; of a run, of all namespaces, of our own. A new reference. */
json_t *listed_parse(const char *text);
json_t *listed_json(struct listed *listed, const char *port, const char *more);
json_t *listed_own(struct listed *listed, const char *port, const char *more);

bool listed_in_netns(const json_t *event, unsigned int netns);

#endif
