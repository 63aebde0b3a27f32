/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sense/sock_diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "bpf/bindwatch.h"

/* The kernel fills a dump's datagram up to 32 KiB (netlink_dump()), whatever the reader offers beyond that. */
#define DATAGRAM_MAX 32768

/* By byte, for the header of 2020 (Debian 11) has no struct inet_diag_sockopt: the kernel's order of bits differs. */
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define SOCKOPT_BIT(n) (1U << (n))
#else
#define SOCKOPT_BIT(n) (0x80U >> (n))
#endif
#define SOCKOPT_FREEBIND    SOCKOPT_BIT(2)
#define SOCKOPT_TRANSPARENT SOCKOPT_BIT(5)
#define ATTRIBUTE_SKV6ONLY  11
#define ATTRIBUTE_SOCKOPT   22

struct request {
	struct nlmsghdr header;
	struct inet_diag_req_v2 body;
	struct rtattr attribute;
	uint32_t protocol;
};

static int request_send(int fd, uint16_t family, uint16_t protocol, uint32_t states, uint32_t sequence)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	struct request request = {
	    .header = {.nlmsg_type = SOCK_DIAG_BY_FAMILY,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		       .nlmsg_seq = sequence,
		       .nlmsg_len = NLMSG_LENGTH(sizeof(request.body))},
	    .body = {.sdiag_family = (uint8_t)family, .sdiag_protocol = (uint8_t)protocol, .idiag_states = states},
	};

	/*
	 * MPTCP's number does not fit its byte, so it goes into an attribute (commit 3f935c75eb52, Linux 5.9). The byte
	 * is then 0: a kernel that does not know the attribute answers "no such protocol", where 262 & 255 would make
	 * it list TCP.
	 */
	if (protocol > UINT8_MAX) {
		request.body.sdiag_protocol = 0;
		request.attribute.rta_type = INET_DIAG_REQ_PROTOCOL;
		request.attribute.rta_len = RTA_LENGTH(sizeof(request.protocol));
		request.protocol = protocol;
		request.header.nlmsg_len = sizeof(request);
	}
	for (;;) {
		if (sendto(fd, &request, request.header.nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof(kernel)) >= 0)
			return 0;
		if (errno != EINTR)
			return -errno;
	}
}

static void read_attribute(const struct rtattr *attribute, struct sock_diag_socket *socket)
{
	const uint8_t *data = RTA_DATA(attribute);

	if (RTA_PAYLOAD(attribute) < 1)
		return;
	if (attribute->rta_type == ATTRIBUTE_SKV6ONLY && data[0])
		socket->socket_flags |= BW_SOCKET_V6ONLY;
	if (attribute->rta_type == ATTRIBUTE_SOCKOPT)
		socket->socket_flags &= ~BW_SOCKET_INET_UNKNOWN;
	if (attribute->rta_type == ATTRIBUTE_SOCKOPT && data[0] & SOCKOPT_FREEBIND)
		socket->socket_flags |= BW_SOCKET_FREEBIND;
	if (attribute->rta_type == ATTRIBUTE_SOCKOPT && data[0] & SOCKOPT_TRANSPARENT)
		socket->socket_flags |= BW_SOCKET_TRANSPARENT;
}

/* One socket: the fixed part, then attributes of which we need few. */
static int read_socket(const struct nlmsghdr *header, struct sock_diag_socket *ret)
{
	const struct inet_diag_msg *message = NLMSG_DATA(header);
	struct sock_diag_socket socket = {.socket_flags = BW_SOCKET_UNKNOWN};
	const struct rtattr *attribute;
	int left; /* signed: the padding behind the last attribute may be missing, and RTA_NEXT takes it off */

	if (header->nlmsg_len < NLMSG_LENGTH(sizeof(*message)))
		return -EBADMSG;
	if (message->idiag_family != AF_INET && message->idiag_family != AF_INET6)
		return -EBADMSG;
	socket.address.family = message->idiag_family;
	socket.address.has_port = socket.address.has_address = true;
	socket.address.port = ntohs(message->id.idiag_sport);
	memcpy(socket.address.address, message->id.idiag_src, message->idiag_family == AF_INET ? 4 : 16);
	socket.state = message->idiag_state;
	socket.device = message->id.idiag_if;
	socket.uid = message->idiag_uid;
	socket.inode = message->idiag_inode;
	socket.cookie = message->id.idiag_cookie[0] | (uint64_t)message->id.idiag_cookie[1] << 32;

	left = (int)(header->nlmsg_len - NLMSG_LENGTH(sizeof(*message)));
	attribute = (const struct rtattr *)((const char *)message + NLMSG_ALIGN(sizeof(*message)));
	for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left))
		read_attribute(attribute, &socket);
	if (left >= (int)sizeof(*attribute)) /* an attribute whose length cannot be */
		return -EBADMSG;
	*ret = socket;
	return 0;
}

/* The error that ends a dump: in NLMSG_DONE since 4.15 (commit 0642840b8bb0), in NLMSG_ERROR where it never began. */
static int read_end(const struct nlmsghdr *header)
{
	int32_t error;

	if (header->nlmsg_len < NLMSG_LENGTH(sizeof(error)))
		return header->nlmsg_type == NLMSG_DONE ? 1 : -EBADMSG;
	memcpy(&error, NLMSG_DATA(header), sizeof(error));
	if (error < 0 && error > -4096)
		return error;
	return error == 0 && header->nlmsg_type == NLMSG_DONE ? 1 : -EBADMSG;
}

/* NLMSG_OK, which compares a signed number with an unsigned one */
static bool header_fits(const struct nlmsghdr *header, int left)
{
	return left >= (int)sizeof(*header) && header->nlmsg_len >= sizeof(*header) &&
	       header->nlmsg_len <= (unsigned int)left;
}

int sock_diag_read(const void *data, size_t len, uint32_t sequence, sock_diag_found found, void *context,
		   int *interrupted)
{
	const struct nlmsghdr *header = data;
	int left = (int)len; /* signed, as the macros want it: NLMSG_NEXT takes off the padding too */

	if (len > INT_MAX)
		return -EBADMSG;
	for (; header_fits(header, left); header = NLMSG_NEXT(header, left)) {
		struct sock_diag_socket socket;
		int err;

		if (header->nlmsg_seq != sequence) /* the rest of a dump that was given up */
			continue;
		if (header->nlmsg_flags & NLM_F_DUMP_INTR)
			*interrupted = 1;
		if (header->nlmsg_type == NLMSG_NOOP)
			continue;
		if (header->nlmsg_type == NLMSG_DONE || header->nlmsg_type == NLMSG_ERROR)
			return read_end(header);
		if (header->nlmsg_type != SOCK_DIAG_BY_FAMILY)
			return -EBADMSG;
		err = read_socket(header, &socket);
		if (!err)
			err = found(context, &socket);
		if (err)
			return err;
	}
	return left > 0 ? -EBADMSG : 0;
}

/* One datagram from the kernel. The bytes in it, or -errno. */
static ssize_t receive(int fd, void *buffer, size_t size)
{
	struct sockaddr_nl from = {0};
	struct iovec part = {.iov_base = buffer, .iov_len = size};
	struct msghdr message = {.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &part, .msg_iovlen = 1};

	for (;;) {
		ssize_t len = recvmsg(fd, &message, 0);

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return -ETIMEDOUT;
		if (len < 0)
			return errno == ENOBUFS ? -EAGAIN : -errno;
		if (message.msg_flags & MSG_TRUNC)
			return -EBADMSG;
		if (from.nl_pid == 0) /* port 0 is the kernel: netlink(7) */
			return len;
		message.msg_namelen = sizeof(from);
	}
}

int sock_diag_dump(int fd, uint16_t family, uint16_t protocol, uint32_t states, sock_diag_found found, void *context)
{
	struct timeval patience = {.tv_sec = 10}; /* the kernel answers at once; without it we would hang for ever */
	_Alignas(struct nlmsghdr) char buffer[DATAGRAM_MAX];
	int interrupted = 0, err;
	struct timespec now;
	uint32_t sequence;

	/* each dump has a number of its own, so that what is left of one that failed is told from the next */
	clock_gettime(CLOCK_MONOTONIC, &now);
	sequence = (uint32_t)now.tv_sec * 1000000000U + (uint32_t)now.tv_nsec;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0)
		return -errno;
	err = request_send(fd, family, protocol, states, sequence);
	while (!err) {
		ssize_t len = receive(fd, buffer, sizeof(buffer));

		err = len < 0 ? (int)len : sock_diag_read(buffer, (size_t)len, sequence, found, context, &interrupted);
	}
	if (err == 1)
		return interrupted ? -EAGAIN : 0;
	return err;
}
