/* SPDX-License-Identifier: BSD-2-Clause */
/* The paths by which a port is taken, and the process that takes one by each. */
#ifndef USER_CLI_DOCTOR_PATHS_H
#define USER_CLI_DOCTOR_PATHS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "user/base/event.h"

struct doctor_path {
	const char *name;
	int domain, type, protocol;
	enum event_action action; /* what is tried: EVENT_BOUND, EVENT_LISTEN or EVENT_CLOSED */
	bool bound_before;        /* by bind(2), before that */
	bool by_ring;             /* by io_uring */
	enum capture_plan blind;  /* this plan is known not to see it; PLAN_NONE: all do */
	const char *absent;       /* where the kernel has no such socket, in words */
};

/* In memory that both processes have. What is published is read with doctor_acquire(). */
struct doctor_stage {
	/* once */
	uint32_t netns_inode; /* of the child's own network namespace; 0: it has none */
	/* by each path, in this order */
	uint64_t cookie;    /* of the socket; 0: none so far */
	uint64_t before_ns; /* CLOCK_BOOTTIME right before the call */
	int error;          /* of what was tried: 0, or a positive errno */
	const char *absent; /* static: why there is no such path here; NULL: there is, or it went wrong otherwise */
};

static inline uint64_t doctor_acquire(const uint64_t *value)
{
	return __atomic_load_n(value, __ATOMIC_ACQUIRE);
}

/* Path number `index`, from 0; NULL: there are not so many. */
const struct doctor_path *doctor_path(size_t index);

/* A child that takes a path when it is told to. */
struct doctor_actor {
	pid_t pid;
	int channel; /* becomes readable when the path was taken; at the end of the file the child is gone */
	struct doctor_stage *stage;
};

/* 0, or -errno. doctor_actor_stop() in both cases. The child ends with this process. */
int doctor_actor_start(struct doctor_actor *actor);
int doctor_actor_go(struct doctor_actor *actor, size_t path);
void doctor_actor_stop(struct doctor_actor *actor);

#endif
