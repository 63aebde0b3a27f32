/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/cli/doctor_uring.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* include/uapi/linux/io_uring.h: 7481fd93fa0a and ff140cc8628a, Linux 6.11; the headers to build with may be older */
#define OPERATION_BIND   56
#define OPERATION_LISTEN 57

#define ENTRIES 2

static size_t submission_size(const struct doctor_uring *uring)
{
	return uring->params.sq_off.array + uring->params.sq_entries * sizeof(uint32_t);
}

static size_t completion_size(const struct doctor_uring *uring)
{
	return uring->params.cq_off.cqes + uring->params.cq_entries * sizeof(struct io_uring_cqe);
}

static size_t entries_size(const struct doctor_uring *uring)
{
	return uring->params.sq_entries * sizeof(struct io_uring_sqe);
}

static void *map(const struct doctor_uring *uring, size_t size, off_t what)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, uring->fd, what);

	return memory == MAP_FAILED ? NULL : memory;
}

int doctor_uring_open(struct doctor_uring *uring)
{
	*uring = (struct doctor_uring){0};
	uring->fd = (int)syscall(SYS_io_uring_setup, ENTRIES, &uring->params);
	if (uring->fd < 0)
		return -errno;
	uring->submission = map(uring, submission_size(uring), IORING_OFF_SQ_RING);
	uring->completion = map(uring, completion_size(uring), IORING_OFF_CQ_RING);
	uring->entries = map(uring, entries_size(uring), IORING_OFF_SQES);
	return uring->submission && uring->completion && uring->entries ? 0 : -ENOMEM;
}

void doctor_uring_close(struct doctor_uring *uring)
{
	if (uring->submission)
		(void)munmap(uring->submission, submission_size(uring));
	if (uring->completion)
		(void)munmap(uring->completion, completion_size(uring));
	if (uring->entries)
		(void)munmap(uring->entries, entries_size(uring));
	if (uring->fd >= 0)
		close(uring->fd);
	*uring = (struct doctor_uring){.fd = -1};
}

/* io_uring(7): the tail is ours to move, the head of the completions too. The call is made by this thread, in here. */
static int call(struct doctor_uring *uring, const struct io_uring_sqe *entry)
{
	const struct io_sqring_offsets *sq = &uring->params.sq_off;
	const struct io_cqring_offsets *cq = &uring->params.cq_off;
	uint32_t *tail = (uint32_t *)((char *)uring->submission + sq->tail);
	uint32_t *array = (uint32_t *)((char *)uring->submission + sq->array);
	uint32_t *head = (uint32_t *)((char *)uring->completion + cq->head);
	uint32_t slot = *tail & (uring->params.sq_entries - 1);
	const struct io_uring_cqe *done;
	int result;

	((struct io_uring_sqe *)uring->entries)[slot] = *entry;
	array[slot] = slot;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, uring->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		return -errno;
	done = (const struct io_uring_cqe *)((const char *)uring->completion + cq->cqes);
	done += *head & (uring->params.cq_entries - 1);
	result = done->res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return result;
}

int doctor_uring_bind(struct doctor_uring *uring, int fd, const struct sockaddr *address, socklen_t length)
{
	const struct io_uring_sqe entry = {
	        .opcode = OPERATION_BIND, .fd = fd, .addr = (uintptr_t)address, .addr2 = length};

	return call(uring, &entry);
}

int doctor_uring_listen(struct doctor_uring *uring, int fd, int backlog)
{
	const struct io_uring_sqe entry = {.opcode = OPERATION_LISTEN, .fd = fd, .len = (uint32_t)backlog};

	return call(uring, &entry);
}
