/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/cli/doctor_paths.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/base/ipproto.h"
#include "user/cli/doctor_uring.h"

/* clang-format off */
static const struct doctor_path paths[] = {
	{"bind tcp v4", AF_INET, SOCK_STREAM, 0, .action = EVENT_BOUND},
	{"bind tcp v6", AF_INET6, SOCK_STREAM, 0, .action = EVENT_BOUND, .absent = "this kernel has no IPv6"},
	{"bind udp v4", AF_INET, SOCK_DGRAM, 0, .action = EVENT_BOUND},
	{"bind udp v6", AF_INET6, SOCK_DGRAM, 0, .action = EVENT_BOUND, .absent = "this kernel has no IPv6"},
	{"bind mptcp", AF_INET, SOCK_STREAM, IPPROTO_MPTCP, .action = EVENT_BOUND,
	 .absent = "no MPTCP here: it is not in this kernel, or net.mptcp.enabled is 0"},
	{"bind sctp", AF_INET, SOCK_STREAM, IPPROTO_SCTP, .action = EVENT_BOUND, .absent = "no SCTP here"},
	{"listen", AF_INET, SOCK_STREAM, 0, .action = EVENT_LISTEN, .bound_before = true},
	{"listen without bind", AF_INET, SOCK_STREAM, 0, .action = EVENT_LISTEN},
	{"close", AF_INET, SOCK_STREAM, 0, .action = EVENT_CLOSED, .bound_before = true},
	{"io_uring bind", AF_INET, SOCK_STREAM, 0, .action = EVENT_BOUND, .by_ring = true},
	{"io_uring listen", AF_INET, SOCK_STREAM, 0, .action = EVENT_LISTEN, .bound_before = true, .by_ring = true},
	/* there the state changes before the port is taken, and nothing fires behind it (bpf/bindwatch.bpf.c) */
	{"io_uring listen without bind", AF_INET, SOCK_STREAM, 0, .action = EVENT_LISTEN, .by_ring = true,
	 .blind = PLAN_TRACEPOINT},
};
/* clang-format on */

const struct doctor_path *doctor_path(size_t index)
{
	return index < sizeof(paths) / sizeof(paths[0]) ? &paths[index] : NULL;
}

static uint64_t boot_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* Port 0 of the loopback: the kernel chooses one that is free, in whichever namespace this is. */
static socklen_t loopback(int domain, union address *ret)
{
	*ret = (union address){.any.sa_family = (sa_family_t)domain};
	if (domain == AF_INET6) {
		ret->in6.sin6_addr = in6addr_loopback;
		return sizeof(ret->in6);
	}
	ret->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return sizeof(ret->in);
}

/* NULL: there are such sockets, and *ret_fd is one or -errno for another reason. */
static const char *open_socket(const struct doctor_path *path, int *ret_fd)
{
	/* socket(2) would load the module, and a look at a machine must not change it */
	if (path->protocol == IPPROTO_SCTP && access("/proc/net/sctp", F_OK) < 0)
		return path->absent;
	*ret_fd = socket(path->domain, path->type | SOCK_CLOEXEC, path->protocol);
	if (*ret_fd >= 0)
		return NULL;
	*ret_fd = -errno;
	if (errno == EPROTONOSUPPORT || errno == ESOCKTNOSUPPORT || errno == EAFNOSUPPORT || errno == ENOPROTOOPT)
		return path->absent;
	return NULL;
}

/* NULL: the ring is open, or *ret_error says why not. */
static const char *open_ring(struct doctor_uring *uring, int *ret_error)
{
	union address address;
	socklen_t length = loopback(AF_INET, &address);
	int r = doctor_uring_open(uring);

	*ret_error = r < 0 ? -r : 0;
	if (r == -ENOSYS)
		return "no io_uring here";
	if (r == -EPERM)
		return "io_uring is refused here (kernel.io_uring_disabled)";
	if (r == 0 && doctor_uring_bind(uring, -1, &address.any, length) == -EINVAL)
		return "no bind by io_uring here (Linux 6.11)";
	return NULL;
}

/* Publishes the time, then makes the call that is watched for. 0, or -errno. The descriptor is closed in any case. */
static int take(const struct doctor_path *path, int fd, struct doctor_uring *uring, struct doctor_stage *stage)
{
	union address address;
	socklen_t length = loopback(path->domain, &address);
	int r = 0;

	__atomic_store_n(&stage->before_ns, boot_ns(), __ATOMIC_RELEASE);
	if (path->action == EVENT_BOUND && path->by_ring)
		r = doctor_uring_bind(uring, fd, &address.any, length);
	else if (path->action == EVENT_BOUND)
		r = bind(fd, &address.any, length) < 0 ? -errno : 0;
	else if (path->action == EVENT_LISTEN && path->by_ring)
		r = doctor_uring_listen(uring, fd, 1);
	else if (path->action == EVENT_LISTEN)
		r = listen(fd, 1) < 0 ? -errno : 0;
	close(fd);
	return r;
}

static int prepare(const struct doctor_path *path, int fd, struct doctor_stage *stage)
{
	union address address;
	socklen_t length = loopback(path->domain, &address);
	socklen_t size = sizeof(uint64_t);
	uint64_t cookie;

	/*
	 * Whoever asks makes the kernel give the socket a cookie. Others do not ask: theirs have one at their bind only
	 * by a hook of ours, and without it their end is not told.
	 */
	if (path->bound_before && bind(fd, &address.any, length) < 0)
		return -errno;
	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) < 0)
		return -errno;
	__atomic_store_n(&stage->cookie, cookie, __ATOMIC_RELEASE);
	return 0;
}

static void act(const struct doctor_path *path, struct doctor_stage *stage)
{
	struct doctor_uring uring = {.fd = -1};
	int fd = -1, r = 0;

	stage->absent = open_socket(path, &fd);
	if (stage->absent)
		return;
	stage->error = fd < 0 ? -fd : 0;
	if (path->by_ring && !stage->error)
		stage->absent = open_ring(&uring, &stage->error);
	if (!stage->absent && !stage->error) {
		r = prepare(path, fd, stage);
		if (r == 0) {
			r = take(path, fd, &uring, stage);
			fd = -1;
		}
		stage->error = -r;
		if (path->domain == AF_INET6 && r == -EADDRNOTAVAIL)
			stage->absent = "the loopback has no IPv6 address (net.ipv6.conf.lo.disable_ipv6)";
	}
	if (fd >= 0)
		close(fd);
	doctor_uring_close(&uring);
}

/* The inode of a network namespace that nobody else is in, with lo up; 0: none is to be had, and we stay where we are.
 */
static uint32_t enter_namespace(void)
{
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	struct stat status;
	int fd;

	/* CAP_SYS_ADMIN, or, where anybody may make one, by a user namespace */
	if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return 0;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		/* if it stays down the binds fail, and that is told */
		(void)ioctl(fd, SIOCSIFFLAGS, &request);
		close(fd);
	}
	return stat("/proc/thread-self/ns/net", &status) == 0 ? (uint32_t)status.st_ino : 0;
}

/* In the child. Does not return. */
static void serve(int channel, struct doctor_stage *stage, pid_t parent)
{
	uint8_t index;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	stage->netns_inode = enter_namespace();
	if (send(channel, "", 1, MSG_NOSIGNAL) != 1)
		_exit(1);
	while (recv(channel, &index, sizeof(index), 0) == sizeof(index)) {
		const struct doctor_path *path = doctor_path(index);

		if (path)
			act(path, stage);
		if (send(channel, &index, sizeof(index), MSG_NOSIGNAL) != sizeof(index))
			break;
	}
	_exit(0);
}

int doctor_actor_start(struct doctor_actor *actor)
{
	pid_t parent = getpid();
	int channel[2];
	void *stage;
	char ready;

	*actor = (struct doctor_actor){.channel = -1};
	stage = mmap(NULL, sizeof(*actor->stage), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (stage == MAP_FAILED)
		return -errno;
	actor->stage = stage;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel) < 0)
		return -errno;
	actor->pid = fork();
	if (actor->pid == 0) {
		close(channel[0]);
		serve(channel[1], actor->stage, parent);
	}
	close(channel[1]);
	actor->channel = channel[0];
	if (actor->pid < 0)
		return -EAGAIN;
	return recv(actor->channel, &ready, 1, 0) == 1 ? 0 : -ECHILD;
}

int doctor_actor_go(struct doctor_actor *actor, size_t path)
{
	uint8_t index = (uint8_t)path;
	uint32_t netns = actor->stage->netns_inode;

	*actor->stage = (struct doctor_stage){.netns_inode = netns};
	return send(actor->channel, &index, sizeof(index), MSG_NOSIGNAL) == sizeof(index) ? 0 : -errno;
}

void doctor_actor_stop(struct doctor_actor *actor)
{
	if (actor->channel >= 0)
		close(actor->channel);
	if (actor->pid > 0) {
		(void)kill(actor->pid, SIGKILL);
		while (waitpid(actor->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	if (actor->stage)
		(void)munmap(actor->stage, sizeof(*actor->stage));
	*actor = (struct doctor_actor){.channel = -1};
}
