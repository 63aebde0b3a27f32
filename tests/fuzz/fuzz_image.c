/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A byte that says whose, and what stands in the record of a container. The image found there is a name, and its parts
 * put together are that name; where it is found in one file it is found where the runtime is not known, too.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "user/enrich/image.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
	enum container_runtime runtime;
	const char *path;
} records[] = {
        {RUNTIME_DOCKER, "/var/lib/docker/containers/" ID "/config.v2.json"},
        {RUNTIME_CONTAINERD, "/run/containerd/io.containerd.runtime.v2.task/k8s.io/" ID "/config.json"},
        {RUNTIME_CRIO, "/run/containers/storage/overlay-containers/" ID "/userdata/config.json"},
        {RUNTIME_PODMAN, "/var/lib/containers/storage/overlay-containers/containers.json"},
};

#define RECORDS (sizeof(records) / sizeof(records[0]))

static void check_name(const char *name)
{
	struct image_name parts = image_name_split(name);
	char *whole;

	FUZZ_REQUIRE(image_name_is_sound(name) && fuzz_is_message(name), "not sound: %s", name);
	FUZZ_REQUIRE(asprintf(&whole, "%.*s%s%.*s%s%.*s", (int)parts.name_length, parts.name, parts.tag ? ":" : "",
	                      (int)parts.tag_length, parts.tag ? parts.tag : "", parts.digest ? "@" : "",
	                      (int)parts.digest_length, parts.digest ? parts.digest : "") >= 0,
	             "no memory");
	FUZZ_REQUIRE(strcmp(whole, name) == 0, "%s became %s", name, whole);
	free(whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char name[IMAGE_NAME_MAX] = "untouched", again[IMAGE_NAME_MAX];
	size_t which = size ? data[0] % RECORDS : 0;

	if (!size)
		return 0;
	for (size_t i = 0; i < RECORDS; i++)
		fuzz_root_write(records[i].path, data + 1, i == which ? size - 1 : 0);
	if (!image_find(fuzz_root(), records[which].runtime, ID, name)) {
		FUZZ_REQUIRE(strcmp(name, "untouched") == 0, "not found, but set");
		return 0;
	}
	check_name(name);
	FUZZ_REQUIRE(image_find(fuzz_root(), RUNTIME_UNKNOWN, ID, again) && strcmp(name, again) == 0,
	             "%s is not found of any runtime", name);
	return 0;
}
