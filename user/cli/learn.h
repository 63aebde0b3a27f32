/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `bindwatch learn` has seen: which program took which ports. learn.c feeds it, learn_refuse.c says what must not
 * be learnt, learn_write.c writes what was learnt as sections of a policy.
 */
#ifndef USER_CLI_LEARN_H
#define USER_CLI_LEARN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "registry/registry.h"
#include "user/base/event.h"
#include "user/base/user_cache.h"
#include "user/judge/policy.h"

/* Ports of programs, and programs refused. A hundred times what a busy host has; about 150 bytes each. */
#define LEARN_ROWS_MAX (1U << 18)

/* Users told of one port; more are counted as others. */
#define LEARN_USERS 4

/* Who took a port, as a rule can name him again after a restart. Texts are hostile bytes. */
struct learn_program {
	const char *exe;
	const char *unit;  /* NULL: none that a restart would give him again */
	bool in_container; /* whose name a restart changes */
	bool not_in_container;
};

/* One port of one program. */
struct learn_row {
	struct learn_program program;
	uint16_t port;
	enum registry_transport transport;
	uint64_t binds;
	uint64_t first_ns, last_ns; /* wall clock, nanoseconds */
	uint32_t users[LEARN_USERS];
	unsigned int users_count;
	bool more_users;
};

/* A program that was not learnt, and why. */
struct learn_refusal {
	const char *program;   /* its path, or its name in brackets; hostile bytes */
	const char *why;       /* static */
	const char *rule;      /* that alerts on it; NULL: none */
	struct event_facts at; /* the first port of it */
	uint32_t user;
	uint64_t binds;
};

struct learn;

/* *ret is freed with learn_free(), which allows NULL. all: learn also what raises no alert. 0 or -ENOMEM. */
int learn_open(bool all, struct learn **ret);
void learn_free(struct learn *learn);

/*
 * Learns from one event that was judged, or refuses to. Passed over are events that take no port, failures, ports that
 * the kernel chose, those of the loopback, and without `all` what raised no alert. 0; -ENOMEM; -E2BIG: LEARN_ROWS_MAX.
 */
int learn_add(struct learn *learn, const struct event *event);

/* Every row by program, port and transport; every refusal by program and reason. Stops at a non-zero, and returns it.
 */
int learn_each_row(const struct learn *learn, int (*each)(void *context, const struct learn_row *row), void *context);
int learn_each_refusal(const struct learn *learn, int (*each)(void *context, const struct learn_refusal *refusal),
                       void *context);

/* NULL, or why the event's program must not become a rule: what its path or its unit says proves nothing. Static. */
const char *learn_why_not(const struct event *event);

/* What the reader of a rule should know of where the program stands; NULL: nothing. Static. */
const char *learn_note(const char *path);

/* The same of the file that stands at the program's path on this host: its owner, and who may write it. */
const char *learn_file_note(const struct learn_program *program);

/* The program as a rule can name it. The event has a process whose executable is known. */
struct learn_program learn_program_of(const struct event *event);

/*
 * Writes the sections, and nothing where nothing was learnt. The bytes depend on what was learnt and on the policy that
 * stands, not on the order. No section has the name of another, or of a rule of that policy (NULL: there is none). 0;
 * -ENOMEM; or the stream's -errno.
 */
int learn_write(const struct learn *learn, const struct registry *registry, const struct policy *policy,
                struct user_cache *users, FILE *stream);

#endif
