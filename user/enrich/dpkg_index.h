/* SPDX-License-Identifier: BSD-2-Clause */
/* dpkg's database in memory; a part of dpkg.c. */
#ifndef USER_ENRICH_DPKG_INDEX_H
#define USER_ENRICH_DPKG_INDEX_H

#include <stddef.h>
#include <stdint.h>

/* No system has as many: 32 MB of hashes. What is beyond is not found. */
#define DPKG_PATHS_MAX (4U << 20)

struct dpkg_index {
	struct dpkg_path {
		uint32_t hash;
		uint32_t package; /* its number in packages */
	} * paths;                /* by hash */
	size_t paths_count, paths_room;
	char **packages; /* as its files are named: "bash", "libc6:amd64" */
	size_t packages_count, packages_room;
	struct dpkg_diversion {
		const char *from, *to; /* paths */
		const char *package;   /* which made it; ":" the administrator */
	} * diversions;
	size_t diversions_count;
	char *diversions_text; /* what they point into */
};

/* All zeros is an empty one. Reads it anew. 0, or -errno with it empty. */
int dpkg_index_load(struct dpkg_index *index, const char *root);
void dpkg_index_clear(struct dpkg_index *index);

/* The first of those whose path has the hash of path: *ret_count in a row; NULL: none. */
const struct dpkg_path *dpkg_index_find(const struct dpkg_index *index, const char *path, size_t *ret_count);

/* The whole of a file of the database, NUL-terminated, to be freed: ROOT/var/lib/dpkg/ and the three. NULL: errno. */
char *dpkg_read(const char *root, const char *directory, const char *name, const char *suffix);

#endif
