/* SPDX-License-Identifier: BSD-2-Clause */
/* Values of a JSON document by their path, "process.parent.pid", each of the type that it must have. */
#ifndef USER_CLI_EVENT_JSON_VALUE_H
#define USER_CLI_EVENT_JSON_VALUE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/base/arena.h"
#include "user/base/event_words.h"

/* One document. The first thing that is wrong is kept; what is asked after it is absent. */
struct document {
	json_t *root;
	struct arena arena; /* of the texts */
	char *error;
	size_t error_size;
	int failed; /* 0, -EINVAL or -ENOMEM */
};

/* Notes that something is wrong with the value at this path. */
void document_refuse(struct document *document, const char *path, const char *what);

/* The value at a path below an object (NULL: the document); NULL: absent. */
const json_t *document_find(const json_t *object, const struct document *document, const char *path);

/* NULL: absent. A text as it is, borrowed from the document. */
const char *document_text(struct document *document, const json_t *object, const char *path);

/*
 * NULL: absent. The bytes that json_hostile_string() wrote, of the arena; *ret_len without the NUL behind them, NULL if
 * not wanted.
 */
const char *document_bytes(struct document *document, const json_t *object, const char *path, size_t *ret_len);

/* The bytes of one value, which is not absent. */
const char *document_bytes_of(struct document *document, const json_t *value, const char *path, size_t *ret_len);

/* false: absent, *ret is untouched. A number, or a text that is one in decimal. */
bool document_number(struct document *document, const json_t *object, const char *path, uint64_t max, uint64_t *ret);
bool document_u32(struct document *document, const json_t *object, const char *path, uint32_t *ret);

/* false: absent. */
bool document_bool(struct document *document, const json_t *object, const char *path, bool *ret);

/* A word of a table. false: absent. */
bool document_word(struct document *document, const json_t *object, const char *path, enum event_words words,
                   uint32_t *ret);

/* The array at a path, NULL: absent. */
const json_t *document_array(struct document *document, const json_t *object, const char *path);

#endif
