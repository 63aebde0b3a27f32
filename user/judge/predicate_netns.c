/* SPDX-License-Identifier: BSD-2-Clause */
/* The network namespace: the host's, another, or one by its number. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "user/base/number.h"
#include "user/judge/predicate.h"

static int netns_read(const struct predicate *predicate, struct predicate_reader *reader, struct predicate_word *word)
{
	uint64_t inode;

	(void)predicate;
	word->number.first = reader->host_netns;
	if (strcmp(word->text, "host") == 0)
		return 0;
	word->other = OTHER_THAN;
	if (strcmp(word->text, "other") == 0)
		return 0;
	word->other = OTHER_NOTHING;
	if (number_parse(word->text, 1, UINT32_MAX, &inode)) {
		(void)snprintf(reader->message, sizeof(reader->message),
		               "write host, other or the number of a namespace (lsns -t net, column NS)");
		return -EINVAL;
	}
	word->number.first = (uint32_t)inode;
	return 0;
}

static enum fact netns_match(const struct predicate *predicate, const struct predicate_word *word,
                             const struct event *event)
{
	bool same = event->netns_inode == word->number.first;

	(void)predicate;
	if (!event->netns_inode || !word->number.first)
		return FACT_UNKNOWN;
	return same == (word->other != OTHER_THAN) ? FACT_YES : FACT_NO;
}

static void netns_print(const struct predicate *predicate, const struct event *event, struct phrase *phrase)
{
	(void)predicate;
	if (event->netns_inode)
		phrase_format(phrase, "%u", event->netns_inode);
	else
		phrase_text(phrase, "not known");
}

static bool netns_covers(const struct predicate_word *wide, const struct predicate_word *narrow)
{
	return wide->other == narrow->other && wide->number.first == narrow->number.first;
}

const struct predicate_kind predicate_netns = {netns_read, netns_match, netns_print, netns_covers};
