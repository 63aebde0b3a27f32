/* SPDX-License-Identifier: BSD-2-Clause */
/* io_uring without its library, for one call at a time: io_uring_setup(2), io_uring_enter(2). */
#ifndef USER_CLI_DOCTOR_URING_H
#define USER_CLI_DOCTOR_URING_H

#include <stddef.h>
#include <sys/socket.h>
#include <linux/io_uring.h>

struct doctor_uring {
	int fd;
	struct io_uring_params params;
	void *submission, *completion, *entries; /* mapped, or NULL */
};

/* 0, or -errno; *uring is given to doctor_uring_close() in both cases. */
int doctor_uring_open(struct doctor_uring *uring);
void doctor_uring_close(struct doctor_uring *uring);

/*
 * As bind(2) and listen(2): 0, or -errno, of the ring or of the call. On a descriptor of -1 they give -EBADF where the
 * kernel knows the operation (6.11), and -EINVAL where it does not.
 */
int doctor_uring_bind(struct doctor_uring *uring, int fd, const struct sockaddr *address, socklen_t length);
int doctor_uring_listen(struct doctor_uring *uring, int fd, int backlog);

#endif
