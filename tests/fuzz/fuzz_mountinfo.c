/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line of mountinfo as it is: what is found stands within it. And three texts: of a mount with these names the kernel
 * writes a line that gives the names back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "user/base/mountinfo.h"

/* seq_path() and mangle() of the kernel: blanks, line breaks and backslashes as three octal digits. */
static char *escaped(const char *text)
{
	size_t size = 4 * strlen(text) + 1;
	char *line = malloc(size), *at = line;

	FUZZ_REQUIRE(line, "no memory");
	for (; *text; text++)
		at += snprintf(at, size - (size_t)(at - line), strchr(" \t\n\\", *text) ? "\\%03o" : "%c",
		               (unsigned char)*text);
	*at = '\0';
	return line;
}

static void check_line(const uint8_t *data, size_t size)
{
	char *line = fuzz_text(&data, &size);
	size_t length = strlen(line);
	struct mountinfo mount;

	if (mountinfo_parse(line, &mount)) {
		const char *const texts[] = {mount.root, mount.point, mount.type};

		for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
			FUZZ_REQUIRE(texts[i] >= line && texts[i] < line + length && *texts[i],
			             "text %zu is empty, or none of the line", i);
		FUZZ_REQUIRE(!strpbrk(mount.type, " \n"), "%s: a blank in the type", mount.type);
	}
	free(line);
}

static void check_mount(const char *root, const char *point, const char *type)
{
	char *escaped_root = escaped(root), *escaped_point = escaped(point), *line;
	struct mountinfo mount;

	FUZZ_REQUIRE(asprintf(&line, "38 31 0:39 %s %s rw,relatime shared:9 - %s none rw\n", escaped_root,
	                      escaped_point, type) >= 0,
	             "no memory");
	FUZZ_REQUIRE(mountinfo_parse(line, &mount), "%s at %s is refused", root, point);
	FUZZ_REQUIRE(strcmp(mount.root, root) == 0 && strcmp(mount.point, point) == 0 && strcmp(mount.type, type) == 0,
	             "%s at %s became %s at %s", root, point, mount.root, mount.point);
	free(escaped_root);
	free(escaped_point);
	free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *root, *point, *type;

	check_line(data, size);
	root = fuzz_text(&data, &size);
	point = fuzz_text(&data, &size);
	type = fuzz_text(&data, &size);
	/* both are paths, and no type has such bytes in its name */
	if (*root == '/' && *point == '/' && *type && !strpbrk(type, " \t\n\\"))
		check_mount(root, point, type);
	free(root);
	free(point);
	free(type);
	return 0;
}
