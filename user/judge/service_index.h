/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ports of the services of a registry by name: registry_find_service() walks the whole table for each name, which a
 * policy of many rules cannot wait for.
 */
#ifndef USER_JUDGE_SERVICE_INDEX_H
#define USER_JUDGE_SERVICE_INDEX_H

#include <stddef.h>

#include "registry/registry.h"
#include "user/base/nearest.h"
#include "user/judge/predicate.h"

struct service_index;

/* 0 or -ENOMEM. The registry is borrowed. */
int service_index_open(const struct registry *registry, struct service_index **ret);

/* NULL is allowed. */
void service_index_free(struct service_index *index);

/*
 * The ranges of a service, by port; its aliases count, letters' case does not (RFC 6335, section 5.1). Valid until the
 * next call. 0; -ENOENT: there is none of this name; -ENOMEM.
 */
int service_index_find(struct service_index *index, const char *name, const struct port_range **ret, size_t *ret_count);

/* Considers every name. */
void service_index_nearest(const struct service_index *index, struct nearest *nearest);

#endif
