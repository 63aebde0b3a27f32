/* SPDX-License-Identifier: BSD-2-Clause */
/* A namespace of networks, users or mounts: the host's, another, or one by its number. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "user/base/number.h"
#include "user/judge/predicate.h"

/* 0: not known */
static uint32_t inode_of(const struct predicate *predicate, const struct event *event)
{
	if (predicate->namespace == POLICY_NETNS)
		return event->netns_inode;
	if (!event->process)
		return 0;
	return predicate->namespace == POLICY_USERNS ? event->process->userns_inode : event->process->mntns_inode;
}

static int namespace_read(const struct predicate *predicate, struct predicate_reader *reader,
                          struct predicate_word *word)
{
	static const char *const types[POLICY_NAMESPACES] = {"net", "user", "mnt"};
	uint64_t inode;

	word->number.first = reader->host[predicate->namespace];
	if (strcmp(word->text, "host") == 0)
		return 0;
	word->other = OTHER_THAN;
	if (strcmp(word->text, "other") == 0)
		return 0;
	word->other = OTHER_NOTHING;
	if (number_parse(word->text, 1, UINT32_MAX, &inode)) {
		(void)snprintf(reader->message, sizeof(reader->message),
		               "write host, other or the number of a namespace (lsns -t %s, column NS)",
		               types[predicate->namespace]);
		return -EINVAL;
	}
	word->number.first = (uint32_t)inode;
	return 0;
}

static enum fact namespace_match(const struct predicate *predicate, const struct predicate_word *word,
                                 const struct event *event)
{
	uint32_t inode = inode_of(predicate, event);
	bool same = inode == word->number.first;

	if (!inode || !word->number.first)
		return FACT_UNKNOWN;
	return same == (word->other != OTHER_THAN) ? FACT_YES : FACT_NO;
}

static void namespace_print(const struct predicate *predicate, const struct event *event, struct phrase *phrase)
{
	uint32_t inode = inode_of(predicate, event);

	if (inode)
		phrase_format(phrase, "%u", inode);
	else
		phrase_text(phrase, "not known");
}

static bool namespace_covers(const struct predicate_word *wide, const struct predicate_word *narrow)
{
	return wide->other == narrow->other && wide->number.first == narrow->number.first;
}

const struct predicate_kind predicate_namespace = {namespace_read, namespace_match, namespace_print, namespace_covers};
