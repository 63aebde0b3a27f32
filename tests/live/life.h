/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of one socket as the process that had it knows it, to be compared with the events that carry its cookie. For
 * tests of cmocka: what is wrong fails the test that calls.
 */
#ifndef TESTS_LIVE_LIFE_H
#define TESTS_LIVE_LIFE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "tests/live/live.h"

/* More than a life has. */
#define LIFE_EVENTS 16

struct life {
	uint64_t cookie;
	struct sockaddr_storage name;        /* as getsockname() says */
	int64_t taken_before, taken_after;   /* CLOCK_BOOTTIME around the call that took the port, nanoseconds */
	int64_t closed_before, closed_after; /* around the last close */
	int backlog;                         /* as the kernel took it */
	int listen_error;                    /* a positive errno */
};

/* In memory that children share; NULL: there is none. */
struct life *life_new(void);
void life_free(struct life *life);

/* CLOCK_BOOTTIME, nanoseconds. */
int64_t life_now(void);

/* A new socket of a life that begins; -1: there is no such protocol. */
int life_socket(struct life *life, int domain, int type, int protocol);

/* These write the life down. 0 or -errno. */
int life_bind(struct life *life, int fd, const char *address, uint16_t port);
int life_listen(struct life *life, int fd, int backlog);
void life_close(struct life *life, int fd);

/* What only the socket knows: its name and its cookie. */
void life_take(struct life *life, int fd);

/* A TCP socket that is bound to this port of 127.0.0.1 and listens. */
int life_listener(struct life *life, uint16_t port);

/* Reads all events so far and puts those of the socket into ret, borrowed; how many. */
size_t life_events(const struct life *life, struct monitor *monitor, const json_t *ret[LIFE_EVENTS]);

/*
 * Compares the events of the socket with its life, a letter each: b bound, l listening, c closed. protocol: as
 * bindwatch.socket.protocol. pid: of the process that made the first of them, 0: this one. Then forgets all events.
 */
void life_assert(const struct life *life, struct monitor *monitor, const char *letters, const char *protocol,
                 pid_t pid);

/* As many events so far, and none of them its end. The events stay. */
void life_assert_open(const struct life *life, struct monitor *monitor, size_t count);

#endif
