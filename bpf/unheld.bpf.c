// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which sockets have a file: iterators over the listening TCP sockets and the UDP sockets of the network namespace that
 * the iterator is opened in. What has none is the kernel's own, whatever sk_kern_sock says: iSCSI's target and OCFS2 open
 * theirs by sock_create(), as for a process. They run while user/sense/unheld.c reads.
 *
 * Typed loads only, so that it loads where bpf_probe_read_kernel() is refused.
 */
#include "vmlinux/vmlinux.h"
#include "vmlinux/iterators.h"
#include "bpf/bindwatch.h"
#include "bpf/inventory.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline void write_row(struct seq_file *seq, struct sock___inventory *sk)
{
	struct bw_unheld_row row = {.version = BW_INVENTORY_VERSION};
	struct socket___inventory *socket = sk->sk_socket;

	/* it is about to end */
	if (!socket)
		return;
	row.cookie = ((struct sock *)sk)->__sk_common.skc_cookie.counter;
	row.kernel = !socket->file || BPF_CORE_READ_BITFIELD((struct sock *)sk, sk_kern_sock);
	bpf_seq_write(seq, &row, sizeof(row));
}

SEC("iter/tcp")
int list_tcp(struct bpf_iter__tcp *ctx)
{
	struct sock_common___inventory *common = ctx->sk_common;
	void *sk;

	if (!common || common->skc_state != BW_INVENTORY_LISTEN)
		return 0;
	sk = bpf_skc_to_tcp_sock(common);
	if (sk)
		write_row(ctx->meta->seq, sk);
	return 0;
}

SEC("iter/udp")
int list_udp(struct bpf_iter__udp *ctx)
{
	void *sk = ctx->udp_sk;

	if (sk)
		write_row(ctx->meta->seq, sk);
	return 0;
}
