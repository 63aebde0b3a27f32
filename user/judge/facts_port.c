/* SPDX-License-Identifier: BSD-2-Clause */
/* Facts of the port, the socket and the call. */
#include <linux/types.h> /* before the contract with the kernel side, which includes nothing */

#include "bpf/bindwatch.h"
#include "user/judge/facts.h"

#define ALL_BITS UINT64_MAX

void fact_transport(const struct event *event, uint64_t *ret_bits, uint64_t *ret_known)
{
	if (!event->facts.has_transport)
		return;
	*ret_bits = 1ULL << event->facts.transport;
	*ret_known = ALL_BITS;
}

void fact_class(const struct event *event, uint64_t *ret_bits, uint64_t *ret_known)
{
	const struct event_facts *facts = &event->facts;

	if (!facts->server.has_port || !facts->server.port)
		return;
	*ret_bits = 1ULL << facts->range | (facts->privileged ? 1ULL << EVENT_CLASS_PRIVILEGED : 0);
	*ret_known = ALL_BITS;
}

void fact_state(const struct event *event, uint64_t *ret_bits, uint64_t *ret_known)
{
	if (!event->facts.registry)
		return;
	*ret_bits = 1ULL << event->facts.registry->state;
	*ret_known = ALL_BITS;
}

void fact_exposure(const struct event *event, uint64_t *ret_bits, uint64_t *ret_known)
{
	if (event->facts.exposure == EXPOSURE_UNKNOWN)
		return;
	*ret_bits = 1ULL << event->facts.exposure;
	*ret_known = ALL_BITS;
}

/* Of a socket that is found bound, nobody knows whether its port was asked for. */
void fact_choice(const struct event *event, uint64_t *ret_bits, uint64_t *ret_known)
{
	bool known =
	        event->facts.ephemeral || event->requested.has_port || (event->socket_flags & BW_SOCKET_PORT_ASKED);

	if (!known)
		return;
	*ret_bits = event->facts.ephemeral ? 2 : 1;
	*ret_known = ALL_BITS;
}

void fact_outcome(const struct event *event, uint64_t *ret_bits, uint64_t *ret_known)
{
	*ret_bits = event->error ? 2 : 1;
	*ret_known = ALL_BITS;
}

void fact_action(const struct event *event, uint64_t *ret_bits, uint64_t *ret_known)
{
	*ret_bits = 1ULL << event->action;
	*ret_known = ALL_BITS;
}

void fact_socket(const struct event *event, uint64_t *ret_bits, uint64_t *ret_known)
{
	uint32_t flags = event->socket_flags;

	*ret_bits = flags & ~EVENT_SOCKET_DEVICE;
	if (event->device)
		*ret_bits |= EVENT_SOCKET_DEVICE;
	*ret_known = ALL_BITS;
	if (flags & BW_SOCKET_REUSE_UNKNOWN)
		*ret_known &= ~(uint64_t)(BW_SOCKET_REUSEPORT | BW_SOCKET_REUSEADDR);
	if (flags & BW_SOCKET_INET_UNKNOWN)
		*ret_known &= ~(uint64_t)(BW_SOCKET_FREEBIND | BW_SOCKET_TRANSPARENT);
	if (flags & BW_SOCKET_KERNEL_UNKNOWN)
		*ret_known &= ~(uint64_t)BW_SOCKET_KERNEL;
}

/* Of a socket that is found bound. Of all others whoever called holds it. */
void fact_holders(const struct event *event, uint64_t *ret_bits, uint64_t *ret_known)
{
	if (event->action == EVENT_EXISTING && !event->holders_count && !event->holders_known)
		return;
	*ret_bits = event->action == EVENT_EXISTING && !event->holders_count ? 1 : 2;
	*ret_known = ALL_BITS;
}

void fact_pattern(const struct event *event, uint64_t *ret_bits, uint64_t *ret_known)
{
	*ret_bits = event->facts.patterns;
	*ret_known = ALL_BITS;
}

bool fact_error(const struct event *event, uint32_t *ret)
{
	*ret = (uint32_t)event->error;
	return true;
}
