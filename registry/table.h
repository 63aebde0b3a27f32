/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a registry is built, for the files of registry/ alone. A builder gathers strings and entries, each kept once,
 * and says of each (port, transport) pair which entry it has; table_finish() makes the compact registry of it.
 */
#ifndef REGISTRY_TABLE_H
#define REGISTRY_TABLE_H

#include <stddef.h>
#include <stdint.h>

#include "registry/input.h"
#include "registry/registry.h"
#include "registry/sha256.h"

#define TABLE_PORTS 65536U
#define TABLE_PAIRS (TABLE_PORTS * REGISTRY_TRANSPORTS)

/* The pair's place in an index. */
#define TABLE_PAIR(port, transport) ((uint32_t)(port)*REGISTRY_TRANSPORTS + (transport))

/*
 * More names than this for one pair are a fault of the file. (The most in use are 3 in the registry, and what a site
 * lays over them.)
 */
#define TABLE_NAMES_MAX 64

/* The entry that every registry begins with: REGISTRY_NOT_LISTED. */
#define TABLE_NOT_LISTED 0

struct registry {
	uint16_t *index; /* of an entry, by TABLE_PAIR, for the ports below `ports`: above none is listed */
	uint32_t ports;
	struct registry_entry *entries; /* [0] is of state REGISTRY_NOT_LISTED */
	size_t entries_count;
	char *strings; /* what the entries point to */
	size_t strings_len;
	size_t counts[REGISTRY_TRANSPORTS][REGISTRY_STATES];
	char date[11];
	char digest[SHA256_TEXT_LEN]; /* of the CSV file that it was made from */
	char *source;
};

/* An entry as the builder keeps it: registry_entry with offsets into the strings. */
struct table_entry {
	uint32_t names, title; /* of table_string() */
	uint32_t registered, modified, removed;
	uint8_t state, flags, names_count;
	uint8_t pad;
};

struct table_builder {
	uint16_t *index; /* TABLE_PAIRS */
	struct table_entry *entries;
	size_t entries_count, entries_size;
	uint32_t *entry_slots; /* hash: 1 + an index into entries, or 0 */
	size_t entry_slots_count;
	char *strings;
	size_t strings_len, strings_size;
	struct table_string *string_slots; /* hash */
	size_t strings_count, string_slots_count;
	char date[11];
	char digest[SHA256_TEXT_LEN];
};

/* 0 or -ENOMEM. table_discard() frees what it holds, in any state; NULL is allowed. */
int table_begin(struct table_builder *builder);

/* The same, and lays the contents of a registry into it. */
int table_begin_from(struct table_builder *builder, const struct registry *registry);
void table_discard(struct table_builder *builder);

/*
 * Keeps len bytes and a NUL behind them, once. *ret: where table_text() finds them. The empty string is at 0.
 * 0; -ENOMEM; -E2BIG: more than 4 GB.
 */
int table_string(struct table_builder *builder, const char *bytes, size_t len, uint32_t *ret);
static inline const char *table_text(const struct table_builder *builder, uint32_t string)
{
	return builder->strings + string;
}

/* A list of names as one string; count <= TABLE_NAMES_MAX. As table_string(). */
int table_names(struct table_builder *builder, const char *const *names, size_t count, uint32_t *ret);

/* Keeps an entry once. 0; -ENOMEM; -E2BIG: there are 65,536 others, more than an index can tell apart. */
int table_entry(struct table_builder *builder, const struct table_entry *entry, uint16_t *ret);

/*
 * -EINVAL with a message where this cannot be the whole registry: a port of 0-49151 that no row speaks of (IANA lists
 * the unassigned ones too; a few forgotten ones pass), or no port that is assigned. So a file that was cut off between
 * two rows is refused.
 */
int table_check_whole(const struct table_builder *builder, const struct input *input, char error[REGISTRY_ERROR_LEN]);

/* Writes the message for what table_string() or table_entry() returned, and returns it. */
int table_fault(const struct input *input, uint32_t line, int r, char error[REGISTRY_ERROR_LEN]);

/* Makes the registry; source is copied. 0, or -ENOMEM. The builder must still be discarded. */
int table_finish(const struct table_builder *builder, const char *source, struct registry **ret);

/*
 * The readers of the forms (registry.c has the table of them). Each fills the builder from the first line on.
 * 0, or -errno with a message in error; the builder is then good only for table_discard().
 */
int csv_read(struct input *input, struct table_builder *builder, char error[REGISTRY_ERROR_LEN]);
int snapshot_read(struct input *input, struct table_builder *builder, char error[REGISTRY_ERROR_LEN]);

#endif
