/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a rule can ask of an event: one row of the table in predicate.c for each key. A row is of a kind (a set of
 * words, a range of numbers, a pattern, ...), which reads its words and compares them, and has a getter that finds the
 * fact in the event.
 *
 * A fact that is not known satisfies nothing: a word that includes needs FACT_YES, one that excludes needs FACT_NO.
 */
#ifndef USER_JUDGE_PREDICATE_H
#define USER_JUDGE_PREDICATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/base/arena.h"
#include "user/base/event.h"
#include "user/base/event_words.h"
#include "user/base/phrase.h"
#include "user/base/string_map.h"
#include "user/judge/policy.h"

enum fact {
	FACT_UNKNOWN,
	FACT_NO,
	FACT_YES,
};

/* What every transport's ports mean: port = 443. */
#define ALL_TRANSPORTS ((1U << REGISTRY_TRANSPORTS) - 1)

struct port_range {
	uint16_t first, last;
	uint8_t transports; /* bit (1 << enum registry_transport) */
};

enum predicate_other {
	OTHER_NOTHING,
	OTHER_ANY,   /* whatever it is, but not none */
	OTHER_NONE,  /* known to be none */
	OTHER_THAN,  /* any number but this */
	OTHER_NEVER, /* a name that this host does not know: it matches nothing */
};

/* One word of a rule's list, read. Owned by the policy. Small: a thousand rules are read for each event. */
struct predicate_word {
	const char *text; /* as it was written, without quotes and '!' */
	union {
		uint64_t bits; /* a set's word */
		struct {
			uint32_t first, last;
		} number;
		struct port_range range;         /* of ports, if it is one */
		const struct port_range *ranges; /* else */
		const struct predicate_network *network;
		const uint8_t *sha256; /* 32 bytes */
		struct {
			uint16_t prefix,
			        suffix; /* bytes at its ends that are meant themselves; of a literal, all are prefix */
		} pattern;
	};
	uint16_t length;       /* of text, bytes: POLICY_LINE_MAX at most */
	uint16_t ranges_count; /* of ports */
	bool excludes;
	uint8_t other; /* enum predicate_other */
};

struct predicate_network {
	uint8_t bits;        /* of the prefix */
	uint8_t address[16]; /* IPv4 as IPv4-mapped */
};

struct service_index;

#define PREDICATE_MESSAGE_LEN 512

/* What reading a word needs and may say; filled by policy_load(). */
struct predicate_reader {
	struct arena *arena; /* of the policy */
	const struct registry *registry;
	struct service_index *services;      /* user/judge/service_index.h */
	struct string_map users, groups;     /* names to numbers, asked for once */
	uint32_t host[POLICY_NAMESPACES];    /* of policy_options */
	char message[PREDICATE_MESSAGE_LEN]; /* -EINVAL: what is wrong with the word, and what would be right */
	char warning[PREDICATE_MESSAGE_LEN]; /* of a word that was taken; "": none */
};

struct predicate;

struct predicate_kind {
	/* 0; -EINVAL: not such a word, reader->message tells why; -ENOMEM. word->text and ->excludes are set already.
	 */
	int (*read)(const struct predicate *predicate, struct predicate_reader *reader, struct predicate_word *word);
	enum fact (*match)(const struct predicate *predicate, const struct predicate_word *word,
	                   const struct event *event);
	/* What the event has there, for a person. */
	void (*print)(const struct predicate *predicate, const struct event *event, struct phrase *phrase);
	/* Whether every event that narrow matches is matched by wide; false where that is not plain. */
	bool (*covers)(const struct predicate_word *wide, const struct predicate_word *narrow);
};

/* A text of an event: any bytes. */
struct predicate_text {
	const char *bytes; /* NULL: there is one, but it is not known which */
	size_t len;
};

struct predicate {
	const char *key;
	const struct predicate_kind *kind;
	/* the getter, by kind */
	union {
		/* sets: which bits the event has, and of which that is known */
		void (*bits)(const struct event *event, uint64_t *ret_bits, uint64_t *ret_known);
		/* numbers: false: not known */
		bool (*number)(const struct event *event, uint32_t *ret);
		/* patterns: the text at this index. FACT_NO: there is none, or no more */
		enum fact (*text)(const struct event *event, size_t index, struct predicate_text *ret);
		enum policy_namespace namespace;
	};
	enum event_words words; /* of a set */
	bool words_are_flags;   /* the table's values are masks, not numbers of bits */
	unsigned int flags;     /* of patterns: GLOB_*; PATTERN_IS_PATH, ... of predicate_pattern.c */
	/* of numbers: the number of a name. As kind->read; NULL: there are no names */
	int (*resolve)(struct predicate_reader *reader, struct predicate_word *word);
	uint64_t refused; /* bits of a set whose words are not taken, */
	const char *why_refused;
	/* NULL: always. A condition that does not apply to an event holds, whatever its words */
	bool (*applies)(const struct event *event);
};

/* One line of a rule, its repetitions joined. */
struct condition {
	const struct predicate *predicate;
	struct predicate_word *words;
	uint32_t count;
	unsigned int line; /* of the first of its words */
};

extern const struct predicate_kind predicate_set, predicate_number, predicate_pattern, predicate_ports,
        predicate_service, predicate_address, predicate_namespace, predicate_sha256;

/* The ranges of a word of ports: word->ranges_count of them. */
static inline const struct port_range *word_ranges(const struct predicate_word *word)
{
	return word->ranges_count == 1 ? &word->range : word->ranges;
}

/* NULL: there is no such key. */
const struct predicate *predicate_find(const char *key);

/* The rows in their order, which is that of the manual; NULL: there is none at this index. */
const struct predicate *predicate_at(size_t index);

/* The row's place in the table: below 64. */
unsigned int predicate_number_of(const struct predicate *predicate);

/* Whether the event satisfies the condition: one of the words that include, if there are such; none that excludes. */
bool condition_holds(const struct condition *condition, const struct event *event);

/* Whether every event that satisfies narrow satisfies wide; false where that is not plain. The same kind of facts. */
bool condition_covers(const struct condition *wide, const struct condition *narrow);

/* Whether no event satisfies it, since it excludes each word that it includes; false where that is not plain. */
bool condition_is_empty(const struct condition *condition);

/* The condition as it would be written: "exe = /usr/sbin/sshd !/usr/bin/ssh". */
void condition_print(const struct condition *condition, struct phrase *phrase);

/* What the event has at the condition's fact; "not known" where that is so. */
void condition_print_fact(const struct condition *condition, const struct event *event, struct phrase *phrase);

#endif
