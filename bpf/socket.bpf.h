/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a struct sock tells of itself, for the hooks (emit.bpf.h) and for the inventory. `typed` as in compat.bpf.h. */
#ifndef BPF_SOCKET_BPF_H
#define BPF_SOCKET_BPF_H

#include "vmlinux/vmlinux.h"
#include "bpf/bindwatch.h"
#include "bpf/compat.bpf.h"

/* include/linux/socket.h, include/linux/net.h, include/uapi/linux/in.h: ABI */
enum { AF_UNSPEC = 0, AF_INET = 2, AF_INET6 = 10 };
enum { SOCK_RAW = 3 };
enum { SOCK_BINDPORT_LOCK = 8 };         /* include/net/sock.h */
enum { TCP_CLOSE = 7, TCP_LISTEN = 10 }; /* SCTP_SS_LISTENING and DCCP_LISTEN are the same number */
enum {
	IPPROTO_TCP = 6,
	IPPROTO_UDP = 17,
	IPPROTO_DCCP = 33,
	IPPROTO_SCTP = 132,
	IPPROTO_UDPLITE = 136,
	IPPROTO_MPTCP = 262,
};

/* A raw socket's "port" is its protocol, a ping socket's its identifier: skc_num is a port for these protocols only. */
static __always_inline bool has_ports(__u16 family, __u16 type, __u16 protocol)
{
	if ((family != AF_INET && family != AF_INET6) || type == SOCK_RAW)
		return false;
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP ||
	       protocol == IPPROTO_MPTCP || protocol == IPPROTO_UDPLITE || protocol == IPPROTO_DCCP;
}

/* The local address, in network order; of AF_INET the first 4 bytes, the others are left as they are. */
static __always_inline void read_address(__u8 bytes[16], __u16 family, const struct sock *sk, const bool typed)
{
	__be32 *address = (__be32 *)bytes;

	if (family == AF_INET) {
		address[0] = FIELD(typed, sk, __sk_common.skc_rcv_saddr);
		return;
	}
	address[0] = FIELD(typed, sk, __sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32[0]);
	address[1] = FIELD(typed, sk, __sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32[1]);
	address[2] = FIELD(typed, sk, __sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32[2]);
	address[3] = FIELD(typed, sk, __sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32[3]);
}

/* BW_SOCKET_*. owner: the MPTCP socket whose subflow sk is, or NULL. */
static __always_inline __u32 socket_flags(const struct sock *sk, const struct sock *owner, const bool typed)
{
	__u32 flags = 0;

	if (BITFIELD(typed, sk, __sk_common.skc_ipv6only))
		flags |= BW_SOCKET_V6ONLY;
	if (BITFIELD(typed, sk, __sk_common.skc_reuse))
		flags |= BW_SOCKET_REUSEADDR;
	if (BITFIELD(typed, sk, sk_userlocks) & SOCK_BINDPORT_LOCK)
		flags |= BW_SOCKET_PORT_ASKED;
	if (BITFIELD(typed, sk, __sk_common.skc_reuseport))
		flags |= BW_SOCKET_REUSEPORT;
	if (!probe_reads)
		flags |= BW_SOCKET_INET_UNKNOWN;
	if (inet_sock_freebind(sk))
		flags |= BW_SOCKET_FREEBIND;
	if (inet_sock_transparent(sk))
		flags |= BW_SOCKET_TRANSPARENT;
	/* an MPTCP subflow is always the kernel's own: ask its owner */
	if (owner ? BITFIELD(false, owner, sk_kern_sock) : BITFIELD(typed, sk, sk_kern_sock))
		flags |= BW_SOCKET_KERNEL;
	return flags;
}

#endif
