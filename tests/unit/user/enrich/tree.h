/* SPDX-License-Identifier: BSD-2-Clause */
/* A directory of the test's own, with files in it. */
#ifndef TESTS_UNIT_USER_ENRICH_TREE_H
#define TESTS_UNIT_USER_ENRICH_TREE_H

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Until the next call but three. */
static inline const char *tree_path(const char *root, const char *name)
{
	static char paths[4][PATH_MAX];
	static unsigned int next;
	char *path = paths[next++ % 4];

	if (snprintf(path, PATH_MAX, "%s%s", root, name) >= PATH_MAX)
		abort();
	return path;
}

/* With all that lead to it. */
static inline void tree_directory(const char *root, const char *name)
{
	for (const char *slash = strchr(name + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		char part[PATH_MAX];

		(void)snprintf(part, sizeof(part), "%s%.*s", root, (int)(slash - name), name);
		(void)mkdir(part, 0755);
	}
	if (mkdir(tree_path(root, name), 0755) != 0)
		abort();
}

static inline void tree_link(const char *root, const char *name, const char *target)
{
	if (symlink(target, tree_path(root, name)) != 0)
		abort();
}

static inline void tree_file(const char *root, const char *name, const char *text)
{
	FILE *file = fopen(tree_path(root, name), "w");

	if (!file || fputs(text, file) < 0 || fclose(file) != 0)
		abort();
}

static inline void tree_rename(const char *root, const char *from, const char *to)
{
	if (rename(tree_path(root, from), tree_path(root, to)) != 0)
		abort();
}

static inline int tree_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void tree_remove(const char *root)
{
	(void)nftw(root, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
