/* SPDX-License-Identifier: BSD-2-Clause */
/* The bytes of a registry file, one chunk in memory at a time, with the number of the line, and how faults are told. */
#ifndef REGISTRY_INPUT_H
#define REGISTRY_INPUT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry/registry.h"
#include "registry/sha256.h"

/* Bytes read at once. The first chunk must hold the first line, by which a format is known. */
#define INPUT_CHUNK 65536

/* The official CSV has 1.2 MB after 16 years of growth; what never ends must be refused before it costs much. */
#define INPUT_MAX (16U << 20)

struct input {
	const char *name; /* for messages; not owned */
	const unsigned char *data;
	size_t at, length; /* in data */
	uint32_t line;	   /* of the next byte, from 1 */
	int fd;		   /* -1: all of it is in data */
	int error;	   /* 0, or what reading ended with; input_ended() tells it */
	uint64_t total;	   /* bytes read from fd */
	unsigned char *chunk;
	struct sha256 sha; /* of what was read from fd */
	char date[11];	   /* the file's modification time, UTC, "YYYY-MM-DD" */
};

/*
 * Opens a file and reads its first chunk. 0, or -errno with a message in error; the input is then closed.
 * input_close() ends it. path must live as long.
 */
int input_open(struct input *input, const char *path, char error[REGISTRY_ERROR_LEN]);

/* An input of len bytes that the caller keeps. */
void input_open_memory(struct input *input, const char *name, const void *data, size_t len);

/* NULL is allowed, and an input that was closed. */
void input_close(struct input *input);

/* Reads the next chunk when this one is used up. False: there is no more, or reading failed (input_ended()). */
bool input_fill(struct input *input);

/* The next byte without taking it, or -1. */
static inline int input_peek(struct input *input)
{
	if (input->at == input->length && !input_fill(input))
		return -1;
	return input->data[input->at];
}

/* Takes the next byte, or returns -1. */
static inline int input_take(struct input *input)
{
	int byte = input_peek(input);

	if (byte >= 0)
		input->at++;
	if (byte == '\n')
		input->line++;
	return byte;
}

/* After -1: 0 at the end of the file, or -errno with a message. */
int input_ended(const struct input *input, char error[REGISTRY_ERROR_LEN]);

/*
 * Takes the next line into out without its line break and with a NUL. 1; 0 at the end of the file; or -errno with a
 * message: longer than size - 1 bytes, a NUL in it, reading failed. *ret_ended: a line break stood behind it.
 */
int input_line(struct input *input, char *out, size_t size, bool *ret_ended, char error[REGISTRY_ERROR_LEN]);

/* Writes "NAME:LINE: message"; line 0: "NAME: message". Returns -EINVAL. */
int input_fault(const struct input *input, uint32_t line, char error[REGISTRY_ERROR_LEN], const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
