// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Every socket that holds a port, with every process that holds the socket, over all network namespaces: an iterator
 * over the descriptors of all tasks. It has no map and no hook; it runs while user/sense/socket_iterator.c reads.
 *
 * A socket is held without a descriptor where it is in flight in a message (SCM_RIGHTS), registered in an io_uring
 * only, or the kernel's own: the iterator does not come by those.
 */
#include "vmlinux/vmlinux.h"
#include "vmlinux/iterators.h"
#include "bpf/bindwatch.h"
#include "bpf/compat.bpf.h"
#include "bpf/inventory.h"
#include "bpf/socket.bpf.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/*
 * Whether bpf_sock_from_file() (5.11, 4f19cab76136) and bpf_get_socket_cookie() of a struct sock (5.12, c5dbb89fc2ac)
 * are there: the first gives the socket with its type, so that its fields are loaded and not probed, the second gives
 * a socket its cookie. The reader sets this, and probe_reads of compat.bpf.h, before the load; one must be true.
 */
const volatile bool may_ask = true;

/* include/uapi/linux/stat.h: ABI */
#define S_IFMT   0170000
#define S_IFSOCK 0140000

/*
 * What waits for peers, and what could: no peer, and a port. The kernel takes the port off a TCP socket that loses its
 * peer unless it was bound (tcp_set_state()), so this is no client.
 */
static __always_inline bool holds_port(const struct bw_inventory_row *row)
{
	return row->port && (row->state == BW_INVENTORY_CLOSE || row->state == BW_INVENTORY_LISTEN);
}

static __always_inline bool fill_socket(struct bw_inventory_row *row, struct sock *sk, const bool typed)
{
	const struct sock___inventory *more = (const void *)sk;
	struct net *net;

	row->family = FIELD(typed, sk, __sk_common.skc_family);
	row->type = FIELD(typed, sk, sk_type);
	row->protocol = FIELD(typed, sk, sk_protocol);
	if (!has_ports(row->family, row->type, row->protocol))
		return false;
	row->port = FIELD(typed, sk, __sk_common.skc_num);
	row->state = FIELD(typed, more, __sk_common.skc_state);
	/* to ask gives the socket a cookie where it has none yet: by it its end will be known, and its port if it has
	 * none yet and takes one by a listen */
	row->cookie = typed ? bpf_get_socket_cookie(sk) : BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	if (!holds_port(row))
		return false;
	row->uid = FIELD(typed, more, sk_uid.val);
	row->bound_dev_if = FIELD(typed, sk, __sk_common.skc_bound_dev_if);
	row->socket_flags = socket_flags(sk, NULL, typed);
	read_address(row->address, row->family, sk, typed);
	net = FIELD(typed, sk, __sk_common.skc_net.net);
	row->netns_inode = FIELD(typed, net, ns.inum);
	row->unprivileged_port_start = FIELD(typed, net, ipv4.sysctl_ip_prot_sock);
	return true;
}

static __always_inline bool fill_from_file(struct bw_inventory_row *row, struct file___inventory *file)
{
	struct socket___inventory *socket;
	struct sock *sk;

	if (may_ask) {
		socket = (void *)bpf_sock_from_file((void *)file);
		if (!socket)
			return false;
		sk = socket->sk;
		return sk && fill_socket(row, sk, true);
	}
	/* an O_PATH descriptor of a UNIX socket's name looks like a socket, too: only a socket knows its file */
	if ((file->f_inode->i_mode & S_IFMT) != S_IFSOCK)
		return false;
	socket = file->private_data;
	if (!socket || BPF_CORE_READ(socket, file) != file)
		return false;
	sk = BPF_CORE_READ(socket, sk);
	return sk && fill_socket(row, sk, false);
}

/*
 * The process's number where the reader is. The iterator shows only what lives in the reader's pid namespace or below,
 * and a process has a number in each namespace from the first down to its own.
 */
static __always_inline __u32 pid_for_reader(struct task_struct___inventory *leader)
{
	const struct task_struct___inventory *reader;
	const struct upid___inventory *numbers;
	const struct pid___inventory *pid;
	unsigned int level;

	if (!probe_reads) /* the reader then is in the first namespace */
		return leader->tgid;
	reader = (const void *)bpf_get_current_task();
	level = BPF_CORE_READ(reader, thread_pid, level);
	/* by a probed pointer, which is a number: the verifier refuses to add a variable to one that it knows */
	pid = BPF_CORE_READ(leader, thread_pid);
	numbers = (const void *)pid + bpf_core_field_offset(pid->numbers) +
	          level * bpf_core_type_size(struct upid___inventory);
	return BPF_CORE_READ(numbers, nr);
}

SEC("iter/task_file")
int list_sockets(struct bpf_iter__task_file *ctx)
{
	struct task_struct___inventory *task = ctx->task, *leader;
	struct file___inventory *file = ctx->file;
	struct bw_inventory_row row = {.version = BW_INVENTORY_VERSION, .size = sizeof(row)};

	if (!task || !file)
		return 0;
	/* the threads of a process share its descriptors, unless one has left them: unshare(CLONE_FILES) */
	leader = task->group_leader;
	if (task->pid != task->tgid && leader->files == task->files)
		return 0;
	if (!fill_from_file(&row, file))
		return 0;
	row.inode = file->f_inode->i_ino;
	row.pid = pid_for_reader(leader);
	row.start_ns = leader->start_boottime;
	row.exec_id = leader->self_exec_id;
#pragma unroll
	for (int i = 0; i < BW_INVENTORY_COMM_LEN; i++)
		row.comm[i] = leader->comm[i];
	row.comm[BW_INVENTORY_COMM_LEN - 1] = '\0';
	bpf_seq_write(ctx->meta->seq, &row, sizeof(row));
	return 0;
}
