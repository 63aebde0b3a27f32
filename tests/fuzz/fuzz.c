/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/fuzz.h"

#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "registry/text.h"

void fuzz_fail(const char *file, int line, const char *format, ...)
{
	va_list arguments;

	(void)fprintf(stderr, "%s:%d: ", file, line);
	va_start(arguments, format);
	(void)vfprintf(stderr, format, arguments);
	va_end(arguments);
	(void)fputc('\n', stderr);
	abort();
}

char *fuzz_text(const uint8_t **data, size_t *size)
{
	size_t length = *size ? strnlen((const char *)*data, *size) : 0, taken = length + (length < *size);
	char *text = malloc(length + 1);

	FUZZ_REQUIRE(text, "no memory");
	if (length)
		memcpy(text, *data, length);
	text[length] = '\0';
	if (taken)
		*data += taken;
	*size -= taken;
	return text;
}

static void write_all(int fd, const void *data, size_t size)
{
	FUZZ_REQUIRE(fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, data, size, 0) == (ssize_t)size,
	             "a file of the test cannot be written");
}

const char *fuzz_file(const void *data, size_t size)
{
	static char path[32];
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("fuzz", MFD_CLOEXEC);
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	write_all(fd, data, size);
	return path;
}

bool fuzz_is_message(const char *text)
{
	return text && *text && text_check(text, strlen(text), false) == strlen(text);
}

struct registry *fuzz_registry(void)
{
	static struct registry *registry;

	FUZZ_REQUIRE(registry || registry_open_embedded(&registry) == 0, "no registry");
	return registry;
}

/* With all the directories on the way, but for what stands behind the last slash. */
static void make_way(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(path, 0755);
		*slash = '/';
	}
}

const char *fuzz_root(void)
{
	static char root[PATH_MAX];
	ssize_t length;

	if (root[0])
		return root;
	length = readlink("/proc/self/exe", root, sizeof(root) - sizeof(".root"));
	FUZZ_REQUIRE(length > 0, "where is this program?");
	memcpy(root + length, ".root", sizeof(".root"));
	return root;
}

void fuzz_root_write(const char *name, const void *data, size_t size)
{
	char path[PATH_MAX];
	int fd;

	FUZZ_REQUIRE(snprintf(path, sizeof(path), "%s%s", fuzz_root(), name) < (int)sizeof(path), "too long: %s", name);
	make_way(path);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	write_all(fd, data, size);
	(void)close(fd);
}
