/* SPDX-License-Identifier: BSD-2-Clause */
/* An io_uring that makes one call at a time, without a library, which would be younger or older than the kernel. */
#ifndef TESTS_LIVE_RING_H
#define TESTS_LIVE_RING_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/io_uring.h>
#include <sys/socket.h>

struct ring {
	int fd;
	struct io_uring_params params;
	struct io_uring_sqe *entries;
	uint8_t *submission, *completion;
};

/* flags: IORING_SETUP_*. NULL, or why there is no such ring: a static sentence. The ring is given to ring_close(). */
const char *ring_open(struct ring *ring, uint32_t flags);
void ring_close(struct ring *ring);

/* 0 or -errno as the completion gives it; -EINVAL also where the kernel does not know the operation (6.11). */
int ring_bind(struct ring *ring, int fd, const struct sockaddr_storage *address, socklen_t length);
int ring_listen(struct ring *ring, int fd, int backlog);

/* NULL, or why nothing can be bound by a ring here: a static sentence. Binds nothing. */
const char *ring_why_not(void);

#endif
