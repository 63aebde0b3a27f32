/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports, as numbers and as names of services: both are ranges once they are read. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "user/base/nearest.h"
#include "user/base/number.h"
#include "user/judge/predicate.h"
#include "user/judge/service_index.h"

/* "65535-65535" and its NUL */
#define RANGE_LEN 12

static int refuse(struct predicate_reader *reader, const char *message)
{
	(void)snprintf(reader->message, sizeof(reader->message), "%s", message);
	return -EINVAL;
}

static int add_ranges(struct predicate_reader *reader, struct predicate_word *word, const struct port_range *ranges,
                      size_t count)
{
	struct port_range *copy;

	word->ranges_count = (uint16_t)count;
	if (count == 1) {
		word->range = ranges[0];
		return 0;
	}
	copy = arena_alloc(reader->arena, count * sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	memcpy(copy, ranges, count * sizeof(*copy));
	word->ranges = copy;
	return 0;
}

/* slash: the '/' of "22/tcp". 0: there is no such transport. */
static uint8_t read_transport(const char *slash)
{
	uint32_t transport;

	if (!slash)
		return ALL_TRANSPORTS;
	return event_word_find(WORDS_TRANSPORT, slash + 1, &transport) ? (uint8_t)(1U << transport) : 0;
}

static int ports_read(const struct predicate *predicate, struct predicate_reader *reader, struct predicate_word *word)
{
	const char *slash = strchr(word->text, '/');
	size_t len = slash ? (size_t)(slash - word->text) : strlen(word->text);
	struct port_range range = {.transports = read_transport(slash)};
	uint64_t first, last;
	char text[RANGE_LEN];
	char *dash = NULL;

	(void)predicate;
	if (!range.transports)
		return refuse(reader, "write tcp, udp, sctp or dccp behind the '/', or nothing for any transport");
	if (len && len < sizeof(text)) {
		memcpy(text, word->text, len);
		text[len] = '\0';
		dash = strchr(text, '-');
		if (dash)
			*dash = '\0';
	}
	if (!len || len >= sizeof(text) || number_parse(text, 1, UINT16_MAX, &first) ||
	    number_parse(dash ? dash + 1 : text, 1, UINT16_MAX, &last)) {
		if (strcspn(word->text, "0123456789") == 0)
			return refuse(reader, "ports are 1-65535: write 22/tcp, 443 or 8000-8099");
		return refuse(reader,
		              "write a port, 22/tcp, 443 or 8000-8099; for the name of a service: service = ssh");
	}
	if (first > last) {
		(void)snprintf(reader->message, sizeof(reader->message), "the range ends before it begins: write %u-%u",
		               (unsigned int)last, (unsigned int)first);
		return -EINVAL;
	}
	range.first = (uint16_t)first;
	range.last = (uint16_t)last;
	return add_ranges(reader, word, &range, 1);
}

static enum fact ports_match(const struct predicate *predicate, const struct predicate_word *word,
                             const struct event *event)
{
	const struct event_facts *facts = &event->facts;
	const struct port_range *ranges = word_ranges(word);
	bool unknown = false;

	(void)predicate;
	if (!facts->server.has_port)
		return FACT_UNKNOWN;
	for (size_t i = 0; i < word->ranges_count; i++) {
		const struct port_range *range = &ranges[i];

		if (facts->server.port < range->first || facts->server.port > range->last)
			continue;
		if (range->transports == ALL_TRANSPORTS)
			return FACT_YES;
		if (!facts->has_transport)
			unknown = true;
		else if (range->transports & 1U << facts->transport)
			return FACT_YES;
	}
	return unknown ? FACT_UNKNOWN : FACT_NO;
}

static void ports_print(const struct predicate *predicate, const struct event *event, struct phrase *phrase)
{
	const struct event_facts *facts = &event->facts;

	(void)predicate;
	if (!facts->server.has_port) {
		phrase_text(phrase, "not known");
		return;
	}
	phrase_format(phrase, "%u", facts->server.port);
	if (facts->has_transport)
		phrase_format(phrase, "/%s", registry_transport_name(facts->transport));
}

static bool range_is_covered(const struct predicate_word *wide, const struct port_range *narrow)
{
	for (size_t i = 0; i < wide->ranges_count; i++) {
		const struct port_range *range = &word_ranges(wide)[i];

		if (range->first <= narrow->first && range->last >= narrow->last &&
		    (narrow->transports & ~range->transports) == 0)
			return true;
	}
	return false;
}

static bool ports_cover(const struct predicate_word *wide, const struct predicate_word *narrow)
{
	for (size_t i = 0; i < narrow->ranges_count; i++) {
		if (!range_is_covered(wide, &word_ranges(narrow)[i]))
			return false;
	}
	return true;
}

const struct predicate_kind predicate_ports = {ports_read, ports_match, ports_print, ports_cover};

static int service_read(const struct predicate *predicate, struct predicate_reader *reader, struct predicate_word *word)
{
	const struct port_range *ranges;
	struct nearest nearest;
	struct phrase phrase;
	size_t count;
	int r;

	(void)predicate;
	r = service_index_find(reader->services, word->text, &ranges, &count);
	if (r == 0)
		return add_ranges(reader, word, ranges, count);
	if (r != -ENOENT)
		return r;
	phrase_begin(&phrase, reader->message, sizeof(reader->message));
	phrase_format(&phrase, "no service has this name in the registry of %s", registry_date(reader->registry));
	nearest_begin(&nearest, word->text);
	service_index_nearest(reader->services, &nearest);
	for (size_t i = 0; i < nearest.count; i++)
		phrase_format(&phrase, "%s%s", i ? " or " : ": did you mean ", nearest.found[i]);
	phrase_text(&phrase, nearest.count ? "?" : ": write its port, port = 8080/tcp");
	return -EINVAL;
}

static void service_print(const struct predicate *predicate, const struct event *event, struct phrase *phrase)
{
	const struct registry_entry *entry = event->facts.registry;
	const char *name = entry ? entry->names : NULL;

	ports_print(predicate, event, phrase);
	for (unsigned int i = 0; entry && i < entry->names_count; i++, name = registry_next_name(name)) {
		phrase_text(phrase, i ? " " : " (");
		phrase_visible(phrase, name, strlen(name));
	}
	if (entry && entry->names_count)
		phrase_text(phrase, ")");
}

const struct predicate_kind predicate_service = {service_read, ports_match, service_print, ports_cover};
