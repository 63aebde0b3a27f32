/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs whose path says nothing of what they do: what they run, or where they connect to, is told to them. The
 * vendor's policy has the same names (packaging/policy.d; a test compares them).
 */
#ifndef USER_JUDGE_INTERPRETER_H
#define USER_JUDGE_INTERPRETER_H

#include <stdbool.h>

/* Patterns of glob.h over the name of the file; NULL behind the last. */
extern const char *const interpreter_names[];  /* interpreters, shells, virtual machines, loaders, debuggers */
extern const char *const network_tool_names[]; /* what connects anything to a socket */

/* Whether the path's last part is one of either. */
bool interpreter_is_at(const char *path);

#endif
