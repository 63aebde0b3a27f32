/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef USER_CLI_REGISTRY_DIFF_H
#define USER_CLI_REGISTRY_DIFF_H

#include <stdio.h>

#include "registry/registry.h"

/* Pairs of port and transport. */
struct registry_diff {
	size_t added;	/* assigned in the new registry only */
	size_t removed; /* assigned in the old one only */
	size_t changed; /* another state, name or title */
};

/*
 * Writes a line for each difference, neighbours that differ alike in one, and says how many pairs differ. Dates are
 * not compared: IANA changes one with each new contact. Errors of the stream are left to the caller (ferror()).
 */
void registry_diff(const struct registry *old, const struct registry *new, FILE *out, struct registry_diff *ret);

#endif
