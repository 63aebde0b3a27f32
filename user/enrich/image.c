/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/enrich/image.h"

#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Where a runtime keeps the name, and how. A file of a container: its id stands between the two parts of the path. */
struct record {
	enum container_runtime runtime;
	const char *path, *path_end; /* path_end NULL: one file for all containers, a list, each with its "id" */
	const char *object;          /* what the name stands in; in a list it is a text that is JSON itself */
	const char *key;
};

#define STORAGE "/var/lib/containers/storage/overlay-containers/"
#define RUN     "/run/containers/storage/overlay-containers/"
#define TASKS   "/io.containerd.runtime.v2.task/k8s.io/"

/*
 * Docker: moby, container/container.go (configFileName, Config) and api/types/container/config.go (Image).
 * containerd, of Kubernetes: containerd, internal/cri/annotations/annotations.go (ImageName), in the config.json of the
 *	bundle; K3s has a state directory of its own: k3s, pkg/agent/config/config_linux.go
 *(applyContainerdStateAndAddress). nerdctl writes no name of an image into the bundle: nerdctl, pkg/labels/labels.go.
 * CRI-O: cri-o, server/container_create.go (SaveToFile to containerInfo.RunDir), pkg/annotations (ImageName).
 * Podman: its bundle has no name, the list of containers has: podman, libpod/storage.go (RuntimeContainerMetadata), in
 *	storage, containers.go (Container.Metadata). The second file is of those that are run with --rm, the third of a
 *	store that is transient.
 */
/* clang-format off */
static const struct record records[] = {
	{RUNTIME_DOCKER,     "/var/lib/docker/containers/",        "/config.v2.json",       "Config",      "Image"},
	{RUNTIME_CONTAINERD, "/run/containerd" TASKS,              "/config.json",          "annotations", "io.kubernetes.cri.image-name"},
	{RUNTIME_CONTAINERD, "/run/k3s/containerd" TASKS,          "/config.json",          "annotations", "io.kubernetes.cri.image-name"},
	{RUNTIME_CRIO,       RUN,                                  "/userdata/config.json", "annotations", "io.kubernetes.cri-o.ImageName"},
	{RUNTIME_PODMAN,     STORAGE "containers.json",            NULL,                    "metadata",    "image-name"},
	{RUNTIME_PODMAN,     STORAGE "volatile-containers.json",   NULL,                    "metadata",    "image-name"},
	{RUNTIME_PODMAN,     RUN "volatile-containers.json",       NULL,                    "metadata",    "image-name"},
};
/* clang-format on */

#define RECORDS (sizeof(records) / sizeof(records[0]))

static bool is_of(const struct record *record, enum container_runtime runtime)
{
	return runtime == RUNTIME_UNKNOWN || record->runtime == runtime;
}

bool image_is_recorded(enum container_runtime runtime, const char *id)
{
	if (!id || strnlen(id, IMAGE_ID_DIGITS + 1) != IMAGE_ID_DIGITS ||
	    strspn(id, "0123456789abcdef") != IMAGE_ID_DIGITS)
		return false;
	for (size_t i = 0; i < RECORDS; i++)
		if (is_of(&records[i], runtime))
			return true;
	return false;
}

/* Opened without being read at first: a pipe or a device in its place has no say in it. -1: no such file. */
static int open_record(const char *path, size_t *ret_size)
{
	int described = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC), fd = -1;
	char link[64];
	struct stat file = {.st_size = 0};

	if (described < 0)
		return -1;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", described);
	if (fstat(described, &file) == 0 && S_ISREG(file.st_mode) && file.st_size <= (off_t)IMAGE_RECORD_BYTES_MAX)
		fd = open(link, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	(void)close(described);
	*ret_size = (size_t)file.st_size;
	return fd;
}

static json_t *read_record(const char *path)
{
	size_t size, used = 0;
	int fd = open_record(path, &size);
	char *data = fd >= 0 ? malloc(size + 1) : NULL;
	json_t *root = NULL;
	ssize_t got = 0;

	while (data && used < size && (got = read(fd, data + used, size - used)) > 0)
		used += (size_t)got;
	if (data && used)
		root = json_loadb(data, used, 0, NULL);
	free(data);
	if (fd >= 0)
		(void)close(fd);
	return root;
}

/* NULL: it is no text. A text with a NUL in it was refused with the whole document. */
static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static bool take_name(const json_t *object, const struct record *record, char ret[IMAGE_NAME_MAX])
{
	const char *name = text_of(object, record->key);

	if (!name || !image_name_is_sound(name))
		return false;
	memcpy(ret, name, strlen(name) + 1);
	return true;
}

static bool find_in_list(const json_t *list, const struct record *record, const char *id, char ret[IMAGE_NAME_MAX])
{
	const json_t *container;
	size_t i;

	json_array_foreach(list, i, container)
	{
		const char *its = text_of(container, "id"), *text = text_of(container, record->object);
		json_t *object;
		bool found;

		if (!its || !text || strcmp(its, id) != 0)
			continue;
		object = json_loads(text, 0, NULL);
		found = take_name(object, record, ret);
		json_decref(object);
		return found;
	}
	return false;
}

static bool find_in(const char *root, const struct record *record, const char *id, char ret[IMAGE_NAME_MAX])
{
	char path[PATH_MAX];
	json_t *document;
	bool found;

	if (snprintf(path, sizeof(path), "%s%s%s%s", root, record->path, record->path_end ? id : "",
	             record->path_end ? record->path_end : "") >= (int)sizeof(path))
		return false;
	document = read_record(path);
	found = record->path_end ? take_name(json_object_get(document, record->object), record, ret)
	                         : find_in_list(document, record, id, ret);
	json_decref(document);
	return found;
}

bool image_find(const char *root, enum container_runtime runtime, const char *id, char ret[IMAGE_NAME_MAX])
{
	if (!image_is_recorded(runtime, id))
		return false;
	for (size_t i = 0; i < RECORDS; i++)
		if (is_of(&records[i], runtime) && find_in(root, &records[i], id, ret))
			return true;
	return false;
}
