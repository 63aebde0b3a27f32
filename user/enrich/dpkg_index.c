/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/enrich/dpkg_index.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The largest file of the database that is read: the status of a system with all packages of Debian has 70 MB. */
#define FILE_BYTES_MAX (128 << 20)

static char *read_whole(int fd, size_t size)
{
	char *text = malloc(size + 1);
	size_t used = 0;

	while (text && used < size) {
		ssize_t n = read(fd, text + used, size - used);

		if (n == 0)
			break;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			free(text);
			return NULL;
		}
		used += (size_t)n;
	}
	if (text)
		text[used] = '\0';
	return text;
}

char *dpkg_read(const char *root, const char *directory, const char *name, const char *suffix)
{
	char path[PATH_MAX];
	struct stat st;
	char *text = NULL;
	int fd, error;

	if (snprintf(path, sizeof(path), "%s/var/lib/dpkg/%s%s%s", root, directory, name, suffix) >=
	    (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0) {
		errno = EFBIG;
		if (S_ISREG(st.st_mode) && st.st_size <= FILE_BYTES_MAX)
			text = read_whole(fd, (size_t)st.st_size);
	}
	error = errno;
	(void)close(fd);
	errno = error;
	return text;
}

/* FNV-1a: what it finds is always looked up in the list itself, so that it need not withstand anybody. */
static uint32_t hash_of(const char *text, size_t length)
{
	uint32_t hash = 2166136261U;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (uint8_t)text[i]) * 16777619U;
	return hash;
}

/* Room for one more. */
static int grow(void **list, size_t *room, size_t count, size_t element)
{
	size_t more = *room ? 2 * *room : 1024;
	void *larger;

	if (count < *room)
		return 0;
	larger = reallocarray(*list, more, element);
	if (!larger)
		return -ENOMEM;
	*list = larger;
	*room = more;
	return 0;
}

static int add_paths(struct dpkg_index *index, const char *list)
{
	while (*list) {
		size_t length = strcspn(list, "\n");

		if (*list == '/' && index->paths_count < DPKG_PATHS_MAX) {
			if (grow((void **)&index->paths, &index->paths_room, index->paths_count,
			         sizeof(*index->paths)) < 0)
				return -ENOMEM;
			index->paths[index->paths_count++] = (struct dpkg_path){
			        .hash = hash_of(list, length), .package = (uint32_t)index->packages_count - 1};
		}
		list += length + (list[length] == '\n');
	}
	return 0;
}

static int add_package(struct dpkg_index *index, const char *root, const char *file)
{
	size_t length = strlen(file), suffix = strlen(".list");
	char *name, *list;
	int r;

	if (length <= suffix || strcmp(file + length - suffix, ".list") != 0)
		return 0;
	if (grow((void **)&index->packages, &index->packages_room, index->packages_count, sizeof(*index->packages)) < 0)
		return -ENOMEM;
	name = strndup(file, length - suffix);
	if (!name)
		return -ENOMEM;
	index->packages[index->packages_count++] = name;
	/* one that went while we read is of no matter: the change of the status will be seen */
	list = dpkg_read(root, "info/", file, "");
	r = list ? add_paths(index, list) : 0;
	free(list);
	return r;
}

static int load_packages(struct dpkg_index *index, const char *root)
{
	char path[PATH_MAX];
	struct dirent *entry;
	DIR *directory;
	int r = 0;

	if (snprintf(path, sizeof(path), "%s/var/lib/dpkg/info", root) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	directory = opendir(path);
	if (!directory)
		return -errno;
	while (r == 0 && (entry = readdir(directory)))
		r = add_package(index, root, entry->d_name);
	(void)closedir(directory);
	return r;
}

static char *cut_line(char **text)
{
	char *line = *text, *end = strchr(line, '\n');

	if (!end)
		return NULL;
	*end = '\0';
	*text = end + 1;
	return line;
}

/* Three lines each: from, to, package. */
static int load_diversions(struct dpkg_index *index, const char *root)
{
	char *text = dpkg_read(root, "", "diversions", ""), *from, *to, *package;
	size_t room = 0;

	if (!text)
		return errno == ENOENT ? 0 : -errno;
	index->diversions_text = text;
	while ((from = cut_line(&text)) && (to = cut_line(&text)) && (package = cut_line(&text))) {
		if (grow((void **)&index->diversions, &room, index->diversions_count, sizeof(*index->diversions)) < 0)
			return -ENOMEM;
		index->diversions[index->diversions_count++] =
		        (struct dpkg_diversion){.from = from, .to = to, .package = package};
	}
	return 0;
}

static int compare_paths(const void *a, const void *b)
{
	const struct dpkg_path *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	return (x->package > y->package) - (x->package < y->package);
}

int dpkg_index_load(struct dpkg_index *index, const char *root)
{
	int r;

	dpkg_index_clear(index);
	r = load_packages(index, root);
	if (r == 0)
		r = load_diversions(index, root);
	if (r < 0) {
		dpkg_index_clear(index);
		return r;
	}
	if (index->paths_count)
		qsort(index->paths, index->paths_count, sizeof(*index->paths), compare_paths);
	return 0;
}

void dpkg_index_clear(struct dpkg_index *index)
{
	for (size_t i = 0; i < index->packages_count; i++)
		free(index->packages[i]);
	free(index->packages);
	free(index->paths);
	free(index->diversions);
	free(index->diversions_text);
	*index = (struct dpkg_index){.paths = NULL};
}

const struct dpkg_path *dpkg_index_find(const struct dpkg_index *index, const char *path, size_t *ret_count)
{
	uint32_t hash = hash_of(path, strlen(path));
	size_t low = 0, high = index->paths_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (index->paths[middle].hash < hash)
			low = middle + 1;
		else
			high = middle;
	}
	for (high = low; high < index->paths_count && index->paths[high].hash == hash; high++)
		;
	*ret_count = high - low;
	return high > low ? &index->paths[low] : NULL;
}
