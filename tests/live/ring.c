/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/live/ring.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* include/uapi/linux/io_uring.h: IORING_OP_BIND (7481fd93fa0a) and IORING_OP_LISTEN (ff140cc8628a), 6.11 */
#define OP_BIND	  56
#define OP_LISTEN 57

#define RING_ENTRIES 4

static size_t submission_size(const struct ring *ring)
{
	return ring->params.sq_off.array + ring->params.sq_entries * sizeof(uint32_t);
}

static size_t completion_size(const struct ring *ring)
{
	return ring->params.cq_off.cqes + ring->params.cq_entries * sizeof(struct io_uring_cqe);
}

static void *ring_map(const struct ring *ring, size_t size, off_t what)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, what);

	return memory == MAP_FAILED ? NULL : memory;
}

const char *ring_open(struct ring *ring, uint32_t flags)
{
	*ring = (struct ring){.params = {.flags = flags, .sq_thread_idle = 1000}};
	ring->fd = (int)syscall(SYS_io_uring_setup, RING_ENTRIES, &ring->params);
	if (ring->fd < 0)
		return errno == ENOSYS ? "this kernel has no io_uring" : "io_uring is refused here";
	ring->submission = ring_map(ring, submission_size(ring), IORING_OFF_SQ_RING);
	ring->completion = ring_map(ring, completion_size(ring), IORING_OFF_CQ_RING);
	ring->entries = ring_map(ring, ring->params.sq_entries * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
	if (ring->submission && ring->completion && ring->entries)
		return NULL;
	ring_close(ring);
	return "an io_uring cannot be mapped here";
}

void ring_close(struct ring *ring)
{
	if (ring->submission)
		munmap(ring->submission, submission_size(ring));
	if (ring->completion)
		munmap(ring->completion, completion_size(ring));
	if (ring->entries)
		munmap(ring->entries, ring->params.sq_entries * sizeof(struct io_uring_sqe));
	if (ring->fd >= 0)
		close(ring->fd);
	*ring = (struct ring){.fd = -1};
}

/* One call. Without SQPOLL the caller's own task makes it, before the return. */
static int ring_call(struct ring *ring, const struct io_uring_sqe *entry)
{
	uint32_t *tail = (uint32_t *)(ring->submission + ring->params.sq_off.tail);
	uint32_t *head = (uint32_t *)(ring->completion + ring->params.cq_off.head);
	uint32_t slot = *tail & (ring->params.sq_entries - 1);
	const struct io_uring_cqe *done;
	uint32_t flags = IORING_ENTER_GETEVENTS;

	if (ring->params.flags & IORING_SETUP_SQPOLL)
		flags |= IORING_ENTER_SQ_WAKEUP;
	ring->entries[slot] = *entry;
	((uint32_t *)(ring->submission + ring->params.sq_off.array))[slot] = slot;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring->fd, 1, 1, flags, NULL, 0) != 1)
		return -errno;
	done = (const struct io_uring_cqe *)(ring->completion + ring->params.cq_off.cqes);
	done += *head & (ring->params.cq_entries - 1);
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return done->res;
}

int ring_bind(struct ring *ring, int fd, const struct sockaddr_storage *address, socklen_t length)
{
	const struct io_uring_sqe entry = {.opcode = OP_BIND, .fd = fd, .addr = (uintptr_t)address, .addr2 = length};

	return ring_call(ring, &entry);
}

int ring_listen(struct ring *ring, int fd, int backlog)
{
	const struct io_uring_sqe entry = {.opcode = OP_LISTEN, .fd = fd, .len = (uint32_t)backlog};

	return ring_call(ring, &entry);
}

const char *ring_why_not(void)
{
	struct sockaddr_storage address = {0};
	struct ring ring;
	const char *why_not = ring_open(&ring, 0);

	if (why_not)
		return why_not;
	/* of a descriptor that is none: -EBADF from a kernel that knows the operation */
	if (ring_bind(&ring, -1, &address, sizeof(address)) != -EBADF)
		why_not = "this kernel has no IORING_OP_BIND (6.11)";
	ring_close(&ring);
	return why_not;
}
