/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that is taken piece by piece and given back as a whole. */
#ifndef USER_BASE_ARENA_H
#define USER_BASE_ARENA_H

#include <stddef.h>

/* All zeros is an empty arena. */
struct arena {
	struct arena_chunk *chunks;
};

/* Zeroed, aligned for any type; NULL: out of memory. */
void *arena_alloc(struct arena *arena, size_t size);

/* A copy of len bytes with a NUL behind it; NULL: out of memory. */
char *arena_copy(struct arena *arena, const char *text, size_t len);

/* Frees all pieces. */
void arena_free(struct arena *arena);

#endif
