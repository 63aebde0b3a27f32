/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses and prefixes (RFC 4632, RFC 4291 section 2.3). IPv4 is compared in its mapped form, so it is one with it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "user/base/address.h"
#include "user/base/number.h"
#include "user/judge/predicate.h"

/* Where IPv4 begins in ::ffff:0:0/96. */
#define MAPPED_BITS  96
#define ADDRESS_BITS 128

static const uint8_t mapped_prefix[12] = {[10] = 0xff, [11] = 0xff};

static int refuse(struct predicate_reader *reader, const char *message)
{
	(void)snprintf(reader->message, sizeof(reader->message), "%s", message);
	return -EINVAL;
}

static bool same_prefix(const uint8_t *a, const uint8_t *b, unsigned int bits)
{
	unsigned int bytes = bits / 8, rest = bits % 8;

	if (memcmp(a, b, bytes) != 0)
		return false;
	return !rest || ((a[bytes] ^ b[bytes]) & 0xff << (8 - rest) & 0xff) == 0;
}

/* Whether bits behind the prefix are set: 10.0.0.1/8 is no prefix. */
static bool has_host_bits(const struct predicate_network *network)
{
	for (unsigned int bit = network->bits; bit < ADDRESS_BITS; bit++) {
		if (network->address[bit / 8] & 0x80 >> bit % 8)
			return true;
	}
	return false;
}

/* "loopback" and "wildcard" */
static bool read_exposure(struct predicate_word *word)
{
	uint32_t value;

	if (!event_word_find(WORDS_EXPOSURE, word->text, &value) || value == EXPOSURE_ADDRESS)
		return false;
	word->network = NULL;
	word->number.first = word->number.last = value;
	word->other = OTHER_ANY;
	return true;
}

static int address_read(const struct predicate *predicate, struct predicate_reader *reader, struct predicate_word *word)
{
	struct predicate_network *network = arena_alloc(reader->arena, sizeof(*network));
	const char *slash = strchr(word->text, '/');
	size_t len = slash ? (size_t)(slash - word->text) : strlen(word->text);
	char text[INET6_ADDRSTRLEN];
	uint64_t bits;
	unsigned int offset;

	(void)predicate;
	if (!network)
		return -ENOMEM;
	if (read_exposure(word))
		return 0;
	if (len >= sizeof(text))
		return refuse(reader, "write an address, a prefix as 10.0.0.0/8 or fd00::/8, loopback or wildcard");
	memcpy(text, word->text, len);
	text[len] = '\0';
	if (inet_pton(AF_INET, text, network->address + sizeof(mapped_prefix)) == 1) {
		memcpy(network->address, mapped_prefix, sizeof(mapped_prefix));
		offset = MAPPED_BITS;
	} else if (inet_pton(AF_INET6, text, network->address) == 1) {
		offset = 0;
	} else {
		return refuse(reader, "write an address, a prefix as 10.0.0.0/8 or fd00::/8, loopback or wildcard");
	}
	bits = ADDRESS_BITS - offset;
	if (slash && number_parse(slash + 1, 0, ADDRESS_BITS - offset, &bits)) {
		(void)snprintf(reader->message, sizeof(reader->message), "the length of the prefix is 0-%u",
		               ADDRESS_BITS - offset);
		return -EINVAL;
	}
	network->bits = (uint8_t)(bits + offset);
	if (has_host_bits(network))
		return refuse(reader, "bits behind the prefix are set: write a longer prefix, or zeros there");
	word->network = network;
	return 0;
}

static enum fact address_match(const struct predicate *predicate, const struct predicate_word *word,
                               const struct event *event)
{
	const struct endpoint *server = &event->facts.server;
	uint8_t address[16];

	(void)predicate;
	if (word->other == OTHER_ANY) {
		if (event->facts.exposure == EXPOSURE_UNKNOWN)
			return FACT_UNKNOWN;
		return event->facts.exposure == word->number.first ? FACT_YES : FACT_NO;
	}
	if (!server->has_address)
		return FACT_UNKNOWN;
	if (server->family == AF_INET) {
		memcpy(address, mapped_prefix, sizeof(mapped_prefix));
		memcpy(address + sizeof(mapped_prefix), server->address, 4);
	} else {
		memcpy(address, server->address, sizeof(address));
	}
	return same_prefix(address, word->network->address, word->network->bits) ? FACT_YES : FACT_NO;
}

static void address_print(const struct predicate *predicate, const struct event *event, struct phrase *phrase)
{
	char text[ADDRESS_TEXT_MAX + 1] = "";

	(void)predicate;
	if (event->facts.server.has_address)
		text[address_format(&event->facts.server, text)] = '\0';
	phrase_text(phrase, *text ? text : "not known");
}

static bool address_covers(const struct predicate_word *wide, const struct predicate_word *narrow)
{
	if (wide->other != narrow->other)
		return false;
	if (wide->other == OTHER_ANY)
		return wide->number.first == narrow->number.first;
	return wide->network->bits <= narrow->network->bits &&
	       same_prefix(wide->network->address, narrow->network->address, wide->network->bits);
}

const struct predicate_kind predicate_address = {address_read, address_match, address_print, address_covers};
