/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A registry file, IANA's CSV or a snapshot. It is refused with a line that names it, or read; and what is read,
 * written as a snapshot and read back, is written as the same bytes.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/snapshot.h"
#include "tests/fuzz/fuzz.h"

static char *snapshot(const struct registry *registry, size_t *ret_size)
{
	char *text = NULL;
	FILE *stream = open_memstream(&text, ret_size);

	FUZZ_REQUIRE(stream && snapshot_write(registry, NULL, stream) == 0 && fclose(stream) == 0,
	             "no snapshot can be written");
	return text;
}

static struct registry *read_registry(const void *data, size_t size, char error[REGISTRY_ERROR_LEN])
{
	const char *path = fuzz_file(data, size);
	struct registry *registry = NULL;
	int r = registry_open_file(path, &registry, error);

	if (r == 0)
		return registry;
	FUZZ_REQUIRE(r == -EINVAL && !registry, "%d", r);
	FUZZ_REQUIRE(fuzz_is_message(error) && strncmp(error, path, strlen(path)) == 0, "it cannot be shown: %s",
	             error);
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char error[REGISTRY_ERROR_LEN] = "", *first, *second;
	struct registry *registry = read_registry(data, size, error), *back;
	size_t first_size, second_size;

	if (!registry)
		return 0;
	first = snapshot(registry, &first_size);
	back = read_registry(first, first_size, error);
	FUZZ_REQUIRE(back, "its snapshot is refused: %s", error);
	second = snapshot(back, &second_size);
	FUZZ_REQUIRE(first_size == second_size && memcmp(first, second, first_size) == 0, "two snapshots:\n%s\n%s",
	             first, second);
	registry_free(registry);
	registry_free(back);
	free(first);
	free(second);
	return 0;
}
