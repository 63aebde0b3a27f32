/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/judge/classify.h"

#include <linux/types.h> /* before the contract with the kernel side, which includes nothing */
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "bpf/bindwatch.h"
#include "user/base/address.h"
#include "user/base/ipproto.h"

/* The registry's transport of a socket's protocol. */
static const struct {
	uint16_t protocol;
	enum registry_transport transport;
} transports[] = {
        {IPPROTO_TCP, REGISTRY_TCP},
        {IPPROTO_MPTCP, REGISTRY_TCP}, /* the same ports on the wire: RFC 8684 is an option of TCP */
        {IPPROTO_UDP, REGISTRY_UDP},
        {IPPROTO_UDPLITE, REGISTRY_UDP}, /* RFC 3828, section 6: UDP-Lite uses the same set of port numbers */
        {IPPROTO_SCTP, REGISTRY_SCTP},
        {IPPROTO_DCCP, REGISTRY_DCCP},
};

static bool find_transport(uint16_t protocol, enum registry_transport *ret)
{
	for (size_t i = 0; i < sizeof(transports) / sizeof(transports[0]); i++) {
		if (transports[i].protocol != protocol)
			continue;
		*ret = transports[i].transport;
		return true;
	}
	return false;
}

/*
 * What is bound; of a failed bind what was asked for: what the socket holds then is from before. Where a hook could
 * not see what was bound, the bind's success says that it is what was asked for, port 0 excepted.
 */
static struct endpoint find_server(const struct event *event)
{
	struct endpoint server = event->bound;

	if (event->error && event->action == EVENT_BOUND)
		return event->requested;
	if (!server.has_port && event->requested.has_port && event->requested.port != 0) {
		server.has_port = true;
		server.port = event->requested.port;
	}
	if (!server.has_address && event->requested.has_address) {
		server.has_address = true;
		server.family = event->requested.family;
		memcpy(server.address, event->requested.address, sizeof(server.address));
	}
	return server;
}

/* Of what sctp_bindx(3) bound only the last of several addresses is seen: the others need not be of the loopback. */
static enum exposure find_exposure(const struct event *event, const struct endpoint *server)
{
	bool others = event->protocol == IPPROTO_SCTP && (event->socket_flags & BW_SOCKET_UNTOLD);

	if (!server->has_address)
		return EXPOSURE_UNKNOWN;
	if (address_is_loopback(server))
		return others ? EXPOSURE_UNKNOWN : EXPOSURE_LOOPBACK;
	return address_is_wildcard(server) ? EXPOSURE_WILDCARD : EXPOSURE_ADDRESS;
}

/* The plain IPv6 wildcard only: "::ffff:0.0.0.0" takes IPv4 and nothing else. */
static bool is_dual_stack(const struct event *event, const struct endpoint *server)
{
	return event->family == AF_INET6 && server->family == AF_INET6 && address_is_wildcard(server) &&
	       !address_is_mapped(server) && !(event->socket_flags & BW_SOCKET_V6ONLY);
}

void classify(const struct registry *registry, struct event *event)
{
	struct event_facts facts = {.server = find_server(event)};
	const struct endpoint *server = &facts.server;

	facts.has_transport = find_transport(event->protocol, &facts.transport);
	facts.ephemeral = (event->requested.has_port && event->requested.port == 0) ||
	                  (event->socket_flags & BW_SOCKET_AUTOBOUND);
	facts.exposure = find_exposure(event, server);
	facts.dual_stack = is_dual_stack(event, server);
	if (server->has_port) {
		facts.range = registry_range(server->port);
		facts.privileged = server->port != 0 && server->port < event->unprivileged_port_start;
		if (server->port != 0 && facts.has_transport)
			facts.registry = registry_lookup(registry, server->port, facts.transport);
	}
	event->facts = facts;
}
