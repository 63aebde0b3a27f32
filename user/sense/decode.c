/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sense/decode.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/types.h>
#include <netinet/in.h>
#include <string.h>

#include "bpf/bindwatch.h"
#include "user/sense/plan.h"

_Static_assert(EVENT_COMM_LEN == BW_COMM_LEN, "comm");
_Static_assert(sizeof(struct sockaddr_in6) == BW_SOCKADDR_LEN, "sockaddr");

#define MAX_ERRNO 4095 /* include/linux/err.h */

/*
 * The sockaddr as the caller passed it: any length, any family. What is not there is not known; what lies behind
 * `length` is not looked at. AF_UNSPEC with an AF_INET socket means AF_INET (inet_bind() in net/ipv4/af_inet.c).
 */
static void decode_requested(const __u8 *bytes, size_t length, uint16_t socket_family, struct endpoint *endpoint)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	sa_family_t family;

	if (length < sizeof(family))
		return;
	memcpy(&family, bytes, sizeof(family));
	if (family == AF_UNSPEC && socket_family == AF_INET)
		family = AF_INET;
	if (family != AF_INET && family != AF_INET6)
		return;
	endpoint->family = family;
	/* the port stands at the same place in both */
	if (length < offsetof(struct sockaddr_in, sin_port) + sizeof(in.sin_port))
		return;
	memset(&in, 0, sizeof(in));
	memcpy(&in, bytes, length < sizeof(in) ? length : sizeof(in));
	endpoint->port = ntohs(in.sin_port);
	endpoint->has_port = true;
	if (family == AF_INET && length >= offsetof(struct sockaddr_in, sin_addr) + sizeof(in.sin_addr)) {
		memcpy(endpoint->address, &in.sin_addr, sizeof(in.sin_addr));
		endpoint->has_address = true;
	} else if (family == AF_INET6 && length >= offsetof(struct sockaddr_in6, sin6_addr) + sizeof(in6.sin6_addr)) {
		memcpy(&in6.sin6_addr, bytes + offsetof(struct sockaddr_in6, sin6_addr), sizeof(in6.sin6_addr));
		memcpy(endpoint->address, &in6.sin6_addr, sizeof(in6.sin6_addr));
		endpoint->has_address = true;
	}
}

static const enum event_action actions[] = {
        [BW_RECORD_BIND] = EVENT_BOUND,
        [BW_RECORD_LISTEN] = EVENT_LISTEN,
        [BW_RECORD_CLOSE] = EVENT_CLOSED,
};

static bool record_is_sound(const struct bw_socket *record, size_t size)
{
	return record->header.version == BW_ABI_VERSION && record->header.type >= BW_RECORD_BIND &&
	       record->header.type <= BW_RECORD_CLOSE && record->header.size == size &&
	       (record->family == AF_INET || record->family == AF_INET6) && record->requested_len <= BW_SOCKADDR_LEN &&
	       !(record->caller & ~(BW_CALLER_PROCESS | BW_CALLER_CREDENTIALS)) && record->result <= 0 && record->result >= -MAX_ERRNO && plan_hook_name(record->hook)[0] != '\0';
}

static void decode_caller(const struct bw_socket *record, struct event *ret)
{
	ret->cgroup_id = record->cgroup_id;
	/* of an interrupt on an idle CPU: the idle task holds every capability, and did nothing */
	if (!record->pid)
		return;
	if (record->caller & BW_CALLER_PROCESS) {
		ret->has_process_start = true;
		ret->process_start_ns = record->start_ns;
		ret->process_exec_id = record->exec_id;
	}
	if (record->caller & BW_CALLER_CREDENTIALS)
		ret->credentials = (struct credentials){
		        .known = true,
		        .effective_uid = record->effective_uid,
		        .effective_gid = record->effective_gid,
		        .groups_count = record->groups_count,
		        .effective = record->effective,
		        .permitted = record->permitted,
		        .login_uid = record->login_uid,
		        .session = record->session,
		};
}

int decode(const void *data, size_t size, const struct decode_context *context, struct event *ret)
{
	struct bw_socket record;

	if (size != sizeof(record))
		return -EPROTO;
	memcpy(&record, data, sizeof(record));
	if (!record_is_sound(&record, size))
		return -EPROTO;

	*ret = (struct event){
	        .action = actions[record.header.type],
	        .time_ns = record.header.boot_ns + context->wall_offset_ns,
	        .boot_ns = record.header.boot_ns,
	        .cpu = record.header.cpu,
	        .error = -record.result,
	        .pid = record.pid,
	        .tid = record.tid,
	        .uid = record.uid,
	        .gid = record.gid,
	        .pidns_pid = record.pidns_pid,
	        .pidns_inode = record.pidns_inode,
	        .backlog = record.backlog,
	        .has_backlog = record.header.type == BW_RECORD_LISTEN && record.backlog != BW_BACKLOG_UNKNOWN,
	        /* the two clocks that it is the difference of can be read on two CPUs: below 0 it is not known */
	        .held_ns = record.held_ns <= INT64_MAX ? record.held_ns : 0,
	        .family = record.family,
	        .type = record.type,
	        .protocol = record.protocol,
	        .socket_flags = record.socket_flags,
	        .device = record.bound_dev_if,
	        .cookie = record.cookie,
	        .netns_inode = record.netns_inode,
	        .unprivileged_port_start = record.unprivileged_port_start,
	        .plan = context->plan,
	        .hook = plan_hook_name(record.hook),
	};
	memcpy(ret->comm, record.comm, sizeof(ret->comm) - 1);
	decode_caller(&record, ret);
	if (ret->action == EVENT_BOUND)
		decode_requested(record.requested, record.requested_len, record.family, &ret->requested);
	/* of a failed bind the socket shows what it was before: nothing, or the port of an earlier bind */
	if ((record.result == 0 || ret->action != EVENT_BOUND) && record.bound_port != 0) {
		ret->bound.family = record.family;
		ret->bound.port = record.bound_port;
		ret->bound.has_port = ret->bound.has_address = true;
		memcpy(ret->bound.address, record.bound_address, sizeof(ret->bound.address));
	}
	return 0;
}
