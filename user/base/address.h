/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef USER_BASE_ADDRESS_H
#define USER_BASE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/base/event.h"

/* The longest text, without a NUL: eight groups of four digits, or "::ffff:255.255.255.255". */
#define ADDRESS_TEXT_MAX 39

/*
 * Writes the address of an endpoint whose has_address is true, without a NUL: dotted decimal, or the form of RFC 5952
 * with IPv4-mapped addresses in mixed notation (its section 5). Returns the bytes written; 0: the family is neither
 * AF_INET nor AF_INET6.
 */
size_t address_format(const struct endpoint *endpoint, char out[ADDRESS_TEXT_MAX]);

/* Each is false where has_address is false. An IPv4-mapped address counts as the IPv4 address that it carries. */
bool address_is_loopback(const struct endpoint *endpoint); /* 127.0.0.0/8 (RFC 1122), ::1 (RFC 4291) */
bool address_is_wildcard(const struct endpoint *endpoint); /* 0.0.0.0, :: */
bool address_is_mapped(const struct endpoint *endpoint);   /* ::ffff:0:0/96, RFC 4291 section 2.5.5.2 */

#endif
