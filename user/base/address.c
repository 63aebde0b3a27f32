/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/base/address.h"

#include <string.h>
#include <sys/socket.h>

#define GROUPS 8

static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

bool address_is_mapped(const struct endpoint *endpoint)
{
	return endpoint->has_address && endpoint->family == AF_INET6 &&
	       memcmp(endpoint->address, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

/* The four bytes of an IPv4 address, plain or mapped; NULL: it is none. */
static const uint8_t *ipv4_bytes(const struct endpoint *endpoint)
{
	if (address_is_mapped(endpoint))
		return endpoint->address + sizeof(mapped_prefix);
	return endpoint->has_address && endpoint->family == AF_INET ? endpoint->address : NULL;
}

bool address_is_loopback(const struct endpoint *endpoint)
{
	static const uint8_t loopback[16] = {[15] = 1};
	const uint8_t *ipv4 = ipv4_bytes(endpoint);

	if (ipv4)
		return ipv4[0] == 127;
	return endpoint->has_address && endpoint->family == AF_INET6 &&
	       memcmp(endpoint->address, loopback, sizeof(loopback)) == 0;
}

bool address_is_wildcard(const struct endpoint *endpoint)
{
	static const uint8_t zeros[16];
	const uint8_t *ipv4 = ipv4_bytes(endpoint);

	if (ipv4)
		return memcmp(ipv4, zeros, 4) == 0;
	return endpoint->has_address && endpoint->family == AF_INET6 &&
	       memcmp(endpoint->address, zeros, sizeof(zeros)) == 0;
}

static size_t format_ipv4(const uint8_t bytes[4], char *out)
{
	size_t used = 0;

	for (unsigned int i = 0; i < 4; i++) {
		if (i)
			out[used++] = '.';
		if (bytes[i] >= 100)
			out[used++] = (char)('0' + bytes[i] / 100);
		if (bytes[i] >= 10)
			out[used++] = (char)('0' + bytes[i] / 10 % 10);
		out[used++] = (char)('0' + bytes[i] % 10);
	}
	return used;
}

static size_t format_group(unsigned int group, char *out)
{
	size_t used = 0;

	for (int shift = 12; shift >= 0; shift -= 4) {
		if (group >> shift || shift == 0)
			out[used++] = "0123456789abcdef"[group >> shift & 0xf];
	}
	return used;
}

/* RFC 5952, section 4.2: the first of the longest runs of zero groups, if it is longer than one group. */
static void find_zeros(const unsigned int groups[GROUPS], unsigned int *ret_first, unsigned int *ret_count)
{
	unsigned int first = 0, count = 1;

	for (unsigned int i = 0; i < GROUPS; i++) {
		unsigned int run = 0;

		while (i + run < GROUPS && !groups[i + run])
			run++;
		if (run > count) {
			first = i;
			count = run;
		}
		i += run;
	}
	*ret_first = first;
	*ret_count = count > 1 ? count : 0;
}

static size_t format_ipv6(const uint8_t bytes[16], char *out)
{
	unsigned int groups[GROUPS], first, count;
	size_t used = 0;

	for (unsigned int i = 0; i < GROUPS; i++)
		groups[i] = (unsigned int)bytes[2 * i] << 8 | bytes[2 * i + 1];
	find_zeros(groups, &first, &count);
	for (unsigned int i = 0; i < GROUPS; i++) {
		if (count && i == first) {
			out[used++] = ':';
			out[used++] = ':';
			i += count - 1;
			continue;
		}
		if (i && out[used - 1] != ':')
			out[used++] = ':';
		used += format_group(groups[i], out + used);
	}
	return used;
}

size_t address_format(const struct endpoint *endpoint, char out[ADDRESS_TEXT_MAX])
{
	if (endpoint->family == AF_INET)
		return format_ipv4(endpoint->address, out);
	if (address_is_mapped(endpoint)) {
		memcpy(out, "::ffff:", 7);
		return 7 + format_ipv4(endpoint->address + sizeof(mapped_prefix), out + 7);
	}
	return endpoint->family == AF_INET6 ? format_ipv6(endpoint->address, out) : 0;
}
