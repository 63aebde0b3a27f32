/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/judge/policy_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "user/judge/policy_rule.h"

/*
 * Sixty thousand rules of half a kilobyte each. A byte of text makes up to some forty of rules in memory, so this is what
 * bounds that.
 */
#define FILE_BYTES_MAX (32UL << 20)

/*
 * policy_embedded.S: the files of packaging/policy.d, each as its name and its text, a NUL behind both. It has no other
 * NUL: a test reads it.
 */
extern const char policy_embedded[], policy_embedded_end[];

void policy_sources_free(struct policy_sources *sources)
{
	for (size_t i = 0; i < sources->count; i++) {
		free(sources->list[i].name);
		free(sources->list[i].path);
	}
	free(sources->list);
	*sources = (struct policy_sources){0};
}

/* Adds a file; one of the same name from another place is replaced if `replaces`. */
static int add(struct policy_sources *sources, const struct policy_source *source, bool replaces)
{
	struct policy_source copy = *source;

	copy.name = strdup(source->name);
	copy.path = strdup(source->path);
	if (!copy.name || !copy.path)
		goto out_of_memory;
	for (size_t i = 0; replaces && i < sources->count; i++) {
		struct policy_source *old = &sources->list[i];

		if (strcmp(old->name, copy.name) != 0)
			continue;
		free(old->name);
		free(old->path);
		*old = copy;
		return 0;
	}
	if (sources->count == sources->size) {
		size_t size = sources->size ? sources->size * 2 : 16;
		struct policy_source *list = realloc(sources->list, size * sizeof(*list));

		if (!list)
			goto out_of_memory;
		sources->list = list;
		sources->size = size;
	}
	sources->list[sources->count++] = copy;
	return 0;
out_of_memory:
	free(copy.name);
	free(copy.path);
	return -ENOMEM;
}

static int add_built_in(struct policy_sources *sources)
{
	const char *at = policy_embedded;

	while (at < policy_embedded_end) {
		char path[NAME_MAX + sizeof(POLICY_BUILT_IN)];
		const char *text = at + strlen(at) + 1;
		int r;

		(void)snprintf(path, sizeof(path), "%s%s", POLICY_BUILT_IN, at);
		r = add(sources,
		        &(struct policy_source){.name = (char *)at, .path = path, .vendor = true, .built_in = text},
		        true);
		if (r < 0)
			return r;
		at = text + strlen(text) + 1;
	}
	return 0;
}

static bool is_policy_file(const char *name)
{
	size_t len = strlen(name);

	return name[0] != '.' && len > 5 && strcmp(name + len - 5, ".conf") == 0;
}

/* The *.conf of a directory. 0, -ENOMEM, or another -errno: it cannot be read. */
static int add_directory(struct policy_sources *sources, const char *directory, bool vendor, bool replaces)
{
	DIR *dir = opendir(directory);
	int r = dir ? 0 : -errno;

	while (r == 0) {
		struct dirent *entry;
		char *path;

		errno = 0;
		entry = readdir(dir);
		if (!entry) {
			r = -errno;
			break;
		}
		if (!is_policy_file(entry->d_name))
			continue;
		if (asprintf(&path, "%s%s%s", directory, directory[strlen(directory) - 1] == '/' ? "" : "/",
		             entry->d_name) < 0) {
			r = -ENOMEM;
			break;
		}
		r = add(sources, &(struct policy_source){.name = entry->d_name, .path = path, .vendor = vendor},
		        replaces);
		free(path);
	}
	if (dir)
		(void)closedir(dir);
	return r;
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct policy_source *)a)->name, ((const struct policy_source *)b)->name);
}

static void sort_from(struct policy_sources *sources, size_t first)
{
	if (sources->count - first > 1)
		qsort(sources->list + first, sources->count - first, sizeof(*sources->list), compare);
}

static int find_installed(struct policy_sources *sources, const char *directory, bool vendor,
                          struct policy_problems *problems)
{
	int r = add_directory(sources, directory, vendor, true);

	if (r == 0 || r == -ENOENT || r == -ENOMEM)
		return r == -ENOENT ? 0 : r;
	return policy_problem(problems, false, directory, 0, "the directory cannot be read: %s", strerror(-r));
}

static int find_standard(const struct policy_options *options, struct policy_sources *sources,
                         struct policy_problems *problems)
{
	const char *vendor = options->vendor_directory ? options->vendor_directory : POLICY_VENDOR_DIRECTORY;
	const char *site = options->site_directory ? options->site_directory : POLICY_SITE_DIRECTORY;
	int r;

	if ((r = add_built_in(sources)) || (r = find_installed(sources, vendor, true, problems)) ||
	    (r = find_installed(sources, site, false, problems)))
		return r;
	sort_from(sources, 0);
	return 0;
}

/* A file or a directory that the user names. */
static int find_named(const char *path, struct policy_sources *sources, struct policy_problems *problems)
{
	size_t before = sources->count;
	const char *slash = strrchr(path, '/');
	struct stat status;
	int r;

	if (stat(path, &status) != 0)
		return policy_problem(problems, false, path, 0, "it cannot be read: %s", strerror(errno));
	if (!S_ISDIR(status.st_mode))
		return add(sources,
		           &(struct policy_source){.name = (char *)(slash ? slash + 1 : path), .path = (char *)path},
		           false);
	r = add_directory(sources, path, false, false);
	if (r < 0)
		return r == -ENOMEM ? r
		                    : policy_problem(problems, false, path, 0, "the directory cannot be read: %s",
		                                     strerror(-r));
	if (sources->count == before)
		return policy_problem(problems, false, path, 0, "there is no file in it whose name ends with .conf");
	sort_from(sources, before);
	return 0;
}

int policy_sources_find(const struct policy_options *options, struct policy_sources *ret,
                        struct policy_problems *problems)
{
	int r = 0;

	*ret = (struct policy_sources){0};
	if (!options->paths_count)
		return find_standard(options, ret, problems);
	for (size_t i = 0; i < options->paths_count && r != -ENOMEM; i++) {
		int error = find_named(options->paths[i], ret, problems);

		r = error ? error : r;
	}
	return r;
}

/* The size of what can be read from fd; the null device has nothing. 0, or -errno. */
static int size_of(int fd, size_t *ret)
{
	struct stat status;

	if (fstat(fd, &status) != 0)
		return -errno;
	*ret = 0;
	if (S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3))
		return 0;
	if (!S_ISREG(status.st_mode))
		return -EISDIR;
	if ((unsigned long)status.st_size > FILE_BYTES_MAX)
		return -EFBIG;
	*ret = (size_t)status.st_size;
	return 0;
}

/* Reads up to len bytes; a file that has become shorter has its new length. 0, or -errno. */
static int read_all(int fd, char *text, size_t *len)
{
	size_t used = 0;

	while (used < *len) {
		ssize_t n = read(fd, text + used, *len - used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		used += (size_t)n;
	}
	*len = used;
	return 0;
}

static int read_file(const char *path, char **ret, size_t *ret_len)
{
	/* not blocked by a pipe that stands where a file should */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *text = NULL;
	size_t len = 0;
	int r = fd < 0 ? -errno : size_of(fd, &len);

	if (r == 0) {
		text = malloc(len + 1);
		r = text ? read_all(fd, text, &len) : -ENOMEM;
	}
	if (fd >= 0)
		(void)close(fd);
	if (r < 0) {
		free(text);
		return r;
	}
	text[len] = '\0';
	*ret = text;
	*ret_len = len;
	return 0;
}

int policy_source_read(const struct policy_source *source, char **ret, size_t *ret_len,
                       struct policy_problems *problems)
{
	int r;

	if (source->built_in) {
		*ret = strdup(source->built_in);
		*ret_len = strlen(source->built_in);
		return *ret ? 0 : -ENOMEM;
	}
	r = read_file(source->path, ret, ret_len);
	if (r == 0 || r == -ENOMEM)
		return r;
	if (r == -EISDIR)
		return policy_problem(problems, false, source->path, 0,
		                      "this is no file: write one, or link it to /dev/null for none");
	if (r == -EFBIG)
		return policy_problem(problems, false, source->path, 0, "the file is larger than %lu MiB",
		                      FILE_BYTES_MAX >> 20);
	return policy_problem(problems, false, source->path, 0, "the file cannot be read: %s", strerror(-r));
}
