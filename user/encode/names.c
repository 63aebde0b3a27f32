/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/encode/names.h"

#include <linux/capability.h>
#include <string.h>
#include <sys/socket.h>

#include "user/base/address.h"
#include "user/base/ipproto.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

struct number_name {
	uint16_t number;
	const char *name;
};

static const char *find_name(const struct number_name *names, size_t count, uint16_t number)
{
	for (size_t i = 0; i < count; i++) {
		if (names[i].number == number)
			return names[i].name;
	}
	return NULL;
}

const char *name_of_protocol(uint16_t protocol)
{
	static const struct number_name names[] = {
	        {IPPROTO_TCP, "tcp"},   {IPPROTO_UDP, "udp"},   {IPPROTO_UDPLITE, "udplite"},
	        {IPPROTO_SCTP, "sctp"}, {IPPROTO_DCCP, "dccp"}, {IPPROTO_MPTCP, "mptcp"},
	};

	return find_name(names, LENGTH(names), protocol);
}

const char *name_of_socket_type(uint16_t type)
{
	static const struct number_name names[] = {
	        {SOCK_STREAM, "stream"},
	        {SOCK_DGRAM, "dgram"},
	        {SOCK_SEQPACKET, "seqpacket"},
	        {SOCK_DCCP, "dccp"},
	};

	return find_name(names, LENGTH(names), type);
}

const char *name_of_exposure(enum exposure value)
{
	static const struct number_name names[] = {
	        {EXPOSURE_LOOPBACK, "loopback"},
	        {EXPOSURE_WILDCARD, "wildcard"},
	        {EXPOSURE_ADDRESS, "address"},
	};

	return find_name(names, LENGTH(names), (uint16_t)value);
}

const char *name_of_plan(enum capture_plan plan)
{
	static const struct number_name names[] = {
	        {PLAN_TRAMPOLINE, "trampoline"},
	        {PLAN_KPROBE, "kprobe"},
	        {PLAN_TRACEPOINT, "tracepoint"},
	};

	return find_name(names, LENGTH(names), (uint16_t)plan);
}

const char *name_of_action(enum event_action action)
{
	static const struct number_name names[] = {
	        {EVENT_BOUND, "bound-socket"},
	        {EVENT_LISTEN, "listen-for-connections"},
	        {EVENT_CLOSED, "closed-socket"},
	        {EVENT_EXISTING, "existing-socket"},
	        {EVENT_LOST, "lost"},
	        {EVENT_SILENT, "hook-silent"},
	};

	return find_name(names, LENGTH(names), (uint16_t)action);
}

const char *name_of_verdict(enum verdict verdict)
{
	static const struct number_name names[] = {
	        {VERDICT_EXPECT, "expect"},
	        {VERDICT_IGNORE, "ignore"},
	        {VERDICT_ALERT, "alert"},
	};

	return find_name(names, LENGTH(names), (uint16_t)verdict);
}

const char *name_of_pattern(uint32_t pattern)
{
	static const struct number_name names[] = {
	        {PATTERN_SECOND_OWNER, "second-owner"},
	        {PATTERN_SWEEP, "sweep"},
	        {PATTERN_TAKEOVER, "takeover"},
	};

	return find_name(names, LENGTH(names), (uint16_t)pattern);
}

const char *name_of_runtime(enum container_runtime runtime)
{
	static const struct number_name names[] = {
	        {RUNTIME_DOCKER, "docker"}, {RUNTIME_CONTAINERD, "containerd"},
	        {RUNTIME_CRIO, "cri-o"},    {RUNTIME_PODMAN, "podman"},
	        {RUNTIME_LXC, "lxc"},       {RUNTIME_SYSTEMD_NSPAWN, "systemd-nspawn"},
	};

	return find_name(names, LENGTH(names), (uint16_t)runtime);
}

const char *name_of_capability(unsigned int number)
{
#define CAPABILITY(name) [name] = #name
	static const char *const names[] = {
	        CAPABILITY(CAP_CHOWN),
	        CAPABILITY(CAP_DAC_OVERRIDE),
	        CAPABILITY(CAP_DAC_READ_SEARCH),
	        CAPABILITY(CAP_FOWNER),
	        CAPABILITY(CAP_FSETID),
	        CAPABILITY(CAP_KILL),
	        CAPABILITY(CAP_SETGID),
	        CAPABILITY(CAP_SETUID),
	        CAPABILITY(CAP_SETPCAP),
	        CAPABILITY(CAP_LINUX_IMMUTABLE),
	        CAPABILITY(CAP_NET_BIND_SERVICE),
	        CAPABILITY(CAP_NET_BROADCAST),
	        CAPABILITY(CAP_NET_ADMIN),
	        CAPABILITY(CAP_NET_RAW),
	        CAPABILITY(CAP_IPC_LOCK),
	        CAPABILITY(CAP_IPC_OWNER),
	        CAPABILITY(CAP_SYS_MODULE),
	        CAPABILITY(CAP_SYS_RAWIO),
	        CAPABILITY(CAP_SYS_CHROOT),
	        CAPABILITY(CAP_SYS_PTRACE),
	        CAPABILITY(CAP_SYS_PACCT),
	        CAPABILITY(CAP_SYS_ADMIN),
	        CAPABILITY(CAP_SYS_BOOT),
	        CAPABILITY(CAP_SYS_NICE),
	        CAPABILITY(CAP_SYS_RESOURCE),
	        CAPABILITY(CAP_SYS_TIME),
	        CAPABILITY(CAP_SYS_TTY_CONFIG),
	        CAPABILITY(CAP_MKNOD),
	        CAPABILITY(CAP_LEASE),
	        CAPABILITY(CAP_AUDIT_WRITE),
	        CAPABILITY(CAP_AUDIT_CONTROL),
	        CAPABILITY(CAP_SETFCAP),
	        CAPABILITY(CAP_MAC_OVERRIDE),
	        CAPABILITY(CAP_MAC_ADMIN),
	        CAPABILITY(CAP_SYSLOG),
	        CAPABILITY(CAP_WAKE_ALARM),
	        CAPABILITY(CAP_BLOCK_SUSPEND),
	        CAPABILITY(CAP_AUDIT_READ),
	        CAPABILITY(CAP_PERFMON),
	        CAPABILITY(CAP_BPF),
	        CAPABILITY(CAP_CHECKPOINT_RESTORE),
	};
#undef CAPABILITY

	return number < LENGTH(names) ? names[number] : NULL;
}

const char *name_of_service(const struct event *event)
{
	static const char *const states[REGISTRY_STATES] = {
	        [REGISTRY_NOT_LISTED] = "(not listed)", [REGISTRY_ASSIGNED] = "(assigned)",
	        [REGISTRY_RESERVED] = "(reserved)",     [REGISTRY_DEASSIGNED] = "(de-assigned)",
	        [REGISTRY_UNASSIGNED] = "(unassigned)",
	};
	const struct event_facts *facts = &event->facts;
	const struct registry_entry *entry = facts->registry;

	if (facts->ephemeral)
		return "(ephemeral)";
	if (!entry || entry->state >= REGISTRY_STATES)
		return "-";
	/* a row may keep the name that a port had before: only an assignment, or the site's word, makes it a service */
	if (entry->names_count && (entry->state == REGISTRY_ASSIGNED || (entry->flags & REGISTRY_SITE)))
		return entry->names;
	if (entry->state == REGISTRY_NOT_LISTED && facts->range == REGISTRY_DYNAMIC)
		return "(dynamic)";
	return states[entry->state];
}

static size_t write_device(struct writer *writer, const struct event *event)
{
	const char *start = writer->at;

	if (!event->device)
		return 0;
	writer_char(writer, '%');
	if (event->device_name[0])
		return 1 + writer_visible(writer, event->device_name,
		                          strnlen(event->device_name, sizeof(event->device_name)));
	writer_char(writer, '#');
	writer_u64(writer, event->device);
	return (size_t)(writer->at - start);
}

static size_t write_address(struct writer *writer, const struct event *event)
{
	const struct endpoint *server = &event->facts.server;
	char text[ADDRESS_TEXT_MAX];
	size_t len = server->has_address ? address_format(server, text) : 0;
	bool brackets = len && server->family == AF_INET6;
	size_t device;

	if (event->facts.dual_stack) {
		writer_char(writer, '*');
		return 1 + write_device(writer, event);
	}
	if (brackets)
		writer_char(writer, '[');
	if (len)
		writer_bytes(writer, text, len);
	else
		writer_char(writer, '?');
	device = write_device(writer, event);
	if (brackets)
		writer_char(writer, ']');
	return (len ? len : 1) + device + (brackets ? 2 : 0);
}

size_t write_server(struct writer *writer, const struct event *event)
{
	const struct endpoint *server = &event->facts.server;
	size_t characters;
	const char *port;

	if (!server->has_port && !server->has_address) {
		writer_char(writer, '-');
		return 1;
	}
	characters = write_address(writer, event);
	port = writer->at;
	writer_char(writer, ':');
	if (server->has_port)
		writer_u64(writer, server->port);
	else
		writer_char(writer, '?');
	return characters + (size_t)(writer->at - port);
}

size_t write_health(struct writer *writer, const struct event *event)
{
	const char *start = writer->at;

	if (event->action == EVENT_LOST) {
		writer_u64(writer, event->lost.count);
		writer_text(writer, " events were lost: ");
		writer_text(writer, event->lost.cause);
	} else {
		writer_text(writer, "the hook ");
		writer_text(writer, event->hook ? event->hook : "of this plan");
		writer_text(writer, " reports nothing any more: ");
		writer_text(writer, event->cause);
	}
	return (size_t)(writer->at - start);
}

size_t write_error(struct writer *writer, int error)
{
	const char *start = writer->at, *name = errno_name(error);

	if (*name) {
		writer_text(writer, name);
	} else {
		writer_text(writer, "error ");
		writer_u64(writer, (uint64_t)(unsigned int)error);
	}
	return (size_t)(writer->at - start);
}
