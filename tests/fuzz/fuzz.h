/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the harnesses share. Each is one file fuzz_NAME.c with libFuzzer's entry point, linked either with libFuzzer
 * (make fuzz) or with main.c, which does without. What a harness finds wrong ends the process: then the input is kept.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry/registry.h"

/* A longer input is not made. */
#define FUZZ_INPUT_MAX 8192

/* The harness. Any bytes; 0. The bytes are the caller's, of their very size. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the process with this line on stderr, unless so. */
#define FUZZ_REQUIRE(so, ...)                                                                                          \
	do {                                                                                                           \
		if (!(so))                                                                                             \
			fuzz_fail(__FILE__, __LINE__, __VA_ARGS__);                                                    \
	} while (0)

__attribute__((noreturn, format(printf, 3, 4))) void fuzz_fail(const char *file, int line, const char *format, ...);

/* The next piece of an input, up to a NUL or the end: a text of its own memory, to be freed. "" behind the last. */
char *fuzz_text(const uint8_t **data, size_t *size);

/* A file of these bytes in memory, the same for each call. Its path, which lives as long as the process. */
const char *fuzz_file(const void *data, size_t size);

/* Whether this is one line that can be shown: not empty, no control bytes, UTF-8. */
bool fuzz_is_message(const char *text);

/* The built-in registry, opened once. */
struct registry *fuzz_registry(void);

/* A directory beside the program, made once, the root of a system: its path. */
const char *fuzz_root(void);

/* Writes a file below fuzz_root(), as "/var/lib/x", with the directories that lead to it. */
void fuzz_root_write(const char *name, const void *data, size_t size);

#endif
