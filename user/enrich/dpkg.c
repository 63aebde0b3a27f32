/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/enrich/dpkg.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/enrich/dpkg_index.h"

struct dpkg {
	char *root;
	struct dpkg_index index;
	bool loaded;
	struct stat status; /* of the file that dpkg replaces with each change, when the index was read */
};

int dpkg_open(const char *root, struct dpkg **ret)
{
	struct dpkg *dpkg = calloc(1, sizeof(*dpkg));

	if (dpkg)
		dpkg->root = strdup(root);
	if (!dpkg || !dpkg->root) {
		free(dpkg);
		return -ENOMEM;
	}
	*ret = dpkg;
	return 0;
}

void dpkg_close(struct dpkg *dpkg)
{
	if (!dpkg)
		return;
	dpkg_index_clear(&dpkg->index);
	free(dpkg->root);
	free(dpkg);
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static int refresh(struct dpkg *dpkg)
{
	char path[PATH_MAX];
	struct stat now;
	int r;

	if (snprintf(path, sizeof(path), "%s/var/lib/dpkg/status", dpkg->root) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	if (stat(path, &now) < 0)
		return errno == ENOENT || errno == ENOTDIR ? -ENODATA : -errno;
	if (dpkg->loaded && is_same(&dpkg->status, &now))
		return 0;
	dpkg->loaded = false;
	r = dpkg_index_load(&dpkg->index, dpkg->root);
	if (r < 0)
		return r == -ENOENT ? -ENODATA : r;
	dpkg->status = now;
	dpkg->loaded = true;
	return 0;
}

/* The line of text that is or begins with `start` up to its end; NULL: there is none. */
static const char *find_line(const char *text, const char *start, bool whole)
{
	size_t length = strlen(start);

	while (*text) {
		if (strncmp(text, start, length) == 0 && (!whole || text[length] == '\n' || !text[length]))
			return text;
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return NULL;
}

/* "bash" is the name of the files "bash" and "bash:amd64". */
static bool is_of_package(const char *file, const char *package)
{
	size_t length = strcspn(file, ":");

	return strlen(package) == length && memcmp(file, package, length) == 0;
}

static void copy_value(const char *line, const char *key, char ret[PACKAGE_TEXT_MAX])
{
	const char *value = line + strlen(key);
	size_t length = strcspn(value, "\n");

	if (length >= PACKAGE_TEXT_MAX)
		return;
	memcpy(ret, value, length);
	ret[length] = '\0';
}

/* From the paragraph of the status file that is of the package, and of its architecture where the file names one. */
static void find_version(const struct dpkg *dpkg, const char *file, struct package_owner *ret)
{
	char *status = dpkg_read(dpkg->root, "", "status", ""), *paragraph = status, *end;
	const char *colon = strchr(file, ':');

	for (; paragraph && *paragraph; paragraph = end) {
		char package[PACKAGE_TEXT_MAX] = "", architecture[PACKAGE_TEXT_MAX] = "";
		const char *line;

		end = strstr(paragraph, "\n\n");
		if (end) {
			end[1] = '\0';
			end += 2;
		}
		if ((line = find_line(paragraph, "Package: ", false)))
			copy_value(line, "Package: ", package);
		if (!is_of_package(file, package))
			continue;
		if ((line = find_line(paragraph, "Architecture: ", false)))
			copy_value(line, "Architecture: ", architecture);
		if (colon && strcmp(architecture, colon + 1) != 0)
			continue;
		if ((line = find_line(paragraph, "Version: ", false)))
			copy_value(line, "Version: ", ret->version);
		break;
	}
	free(status);
}

static bool parse_md5(const char *line, uint8_t ret[16])
{
	for (size_t i = 0; i < 16; i++) {
		char digits[3] = {line[2 * i], line[2 * i + 1], '\0'};
		char *end;

		ret[i] = (uint8_t)strtoul(digits, &end, 16);
		if (end != digits + 2)
			return false;
	}
	return true;
}

/* "0123456789abcdef0123456789abcdef  usr/bin/x" */
static void find_md5(const struct dpkg *dpkg, const char *file, const char *path, struct package_owner *ret)
{
	char *sums = dpkg_read(dpkg->root, "info/", file, ".md5sums");

	for (const char *line = sums; line && *line;) {
		size_t length = strcspn(line, "\n"), name = strlen(path + 1);

		if (length == 34 + name && memcmp(line + 34, path + 1, name) == 0 && line[32] == ' ') {
			if (parse_md5(line, ret->digest))
				ret->digest_kind = PACKAGE_DIGEST_MD5;
			break;
		}
		line += length + (line[length] == '\n');
	}
	free(sums);
}

/* Which packages may own the path: only this one, or all but this one; NULL: all. */
struct condition {
	const char *only, *not ;
};

static int find_listed(const struct dpkg *dpkg, const char *path, const struct condition *condition,
                       struct package_owner *ret)
{
	size_t count;
	const struct dpkg_path *paths = dpkg_index_find(&dpkg->index, path, &count);

	for (size_t i = 0; i < count; i++) {
		const char *file = dpkg->index.packages[paths[i].package];
		struct package_owner owner = {.digest_kind = PACKAGE_DIGEST_NONE};
		char *list;
		bool listed;

		if ((condition->only && !is_of_package(file, condition->only)) ||
		    (condition->not &&is_of_package(file, condition->not )) || strcspn(file, ":") >= PACKAGE_TEXT_MAX)
			continue;
		list = dpkg_read(dpkg->root, "info/", file, ".list");
		listed = list && find_line(list, path, true);
		free(list);
		if (!listed)
			continue;
		memcpy(owner.package, file, strcspn(file, ":"));
		find_version(dpkg, file, &owner);
		find_md5(dpkg, file, path, &owner);
		*ret = owner;
		return 0;
	}
	return -ENOENT;
}

/* Where /bin is /usr/bin the lists may have either: the other name of path; false: there is none. */
static bool find_alias(const struct dpkg *dpkg, const char *path, char ret[PATH_MAX])
{
	const char *rest = strncmp(path, "/usr/", 5) == 0 ? path + 4 : path;
	int first = 1 + (int)strcspn(rest + 1, "/");
	char link[PATH_MAX], target[PATH_MAX], expected[PATH_MAX];
	ssize_t length;

	if (snprintf(link, sizeof(link), "%s%.*s", dpkg->root, first, rest) >= (int)sizeof(link) ||
	    snprintf(expected, sizeof(expected), "/usr%.*s", first, rest) >= (int)sizeof(expected))
		return false;
	length = readlink(link, target, sizeof(target) - 1);
	if (length < 0)
		return false;
	target[length] = '\0';
	if (strcmp(target, expected) != 0 && strcmp(target, expected + 1) != 0)
		return false;
	return snprintf(ret, PATH_MAX, "%s%s", rest == path ? "/usr" : "", rest) < PATH_MAX;
}

static int find_either(const struct dpkg *dpkg, const char *path, const struct condition *condition,
                       struct package_owner *ret)
{
	char alias[PATH_MAX];
	int r = find_listed(dpkg, path, condition, ret);

	if (r == -ENOENT && find_alias(dpkg, path, alias))
		r = find_listed(dpkg, alias, condition, ret);
	return r;
}

int dpkg_find(struct dpkg *dpkg, const char *path, struct package_owner *ret)
{
	struct condition condition = {.only = NULL};
	char alias[PATH_MAX];
	bool has_alias;
	int r = *path == '/' ? refresh(dpkg) : -ENOENT;

	if (r < 0)
		return r;
	has_alias = find_alias(dpkg, path, alias);
	for (size_t i = 0; i < dpkg->index.diversions_count; i++) {
		const struct dpkg_diversion *diversion = &dpkg->index.diversions[i];

		/* moved out of the way of the package that diverts: it stands in the lists by its old name */
		if (strcmp(diversion->to, path) == 0 || (has_alias && strcmp(diversion->to, alias) == 0)) {
			condition.not = diversion->package;
			return find_either(dpkg, diversion->from, &condition, ret);
		}
		if (strcmp(diversion->from, path) == 0 || (has_alias && strcmp(diversion->from, alias) == 0))
			condition.only = diversion->package;
	}
	return find_either(dpkg, path, &condition, ret);
}
