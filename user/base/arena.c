/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/base/arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

/* So that a small policy takes one piece and a large one few. */
#define CHUNK_BYTES (64U << 10)

struct arena_chunk {
	struct arena_chunk *next;
	size_t size, used;
	alignas(max_align_t) char bytes[];
};

void *arena_alloc(struct arena *arena, size_t size)
{
	size_t rounded = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	struct arena_chunk *chunk = arena->chunks;
	void *piece;

	if (rounded < size)
		return NULL;
	if (!chunk || chunk->size - chunk->used < rounded) {
		size_t bytes = rounded > CHUNK_BYTES ? rounded : CHUNK_BYTES;

		chunk = calloc(1, sizeof(*chunk) + bytes);
		if (!chunk)
			return NULL;
		chunk->size = bytes;
		chunk->next = arena->chunks;
		arena->chunks = chunk;
	}
	piece = chunk->bytes + chunk->used;
	chunk->used += rounded;
	return piece;
}

char *arena_copy(struct arena *arena, const char *text, size_t len)
{
	char *copy = arena_alloc(arena, len + 1);

	if (copy)
		memcpy(copy, text, len);
	return copy;
}

void arena_free(struct arena *arena)
{
	while (arena->chunks) {
		struct arena_chunk *next = arena->chunks->next;

		free(arena->chunks);
		arena->chunks = next;
	}
}
