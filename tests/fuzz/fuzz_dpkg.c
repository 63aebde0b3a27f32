/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Four files of dpkg's database, with NULs between them: status, the list of one package, its digests, diversions. The
 * package has a file that is a line of its list, and nothing else has it; with diversions, nobody knows.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "user/enrich/dpkg.h"

#define PATH "/opt/tool"

static const char *const files[] = {"/var/lib/dpkg/status", "/var/lib/dpkg/info/pkg:amd64.list",
                                    "/var/lib/dpkg/info/pkg:amd64.md5sums", "/var/lib/dpkg/diversions"};

#define FILES (sizeof(files) / sizeof(files[0]))

static bool has_line(const char *text, const char *line)
{
	bool has = false;

	for (const char *end; *text && !has; text = *end ? end + 1 : end) {
		end = strchrnul(text, '\n');
		has = (size_t)(end - text) == strlen(line) && memcmp(text, line, strlen(line)) == 0;
	}
	return has;
}

static bool is_ended(const char text[PACKAGE_TEXT_MAX])
{
	return memchr(text, '\0', PACKAGE_TEXT_MAX) && !strchr(text, '\n');
}

static void check_owner(const struct package_owner *owner, char *const texts[FILES])
{
	FUZZ_REQUIRE(strcmp(owner->package, "pkg") == 0, "of package %s", owner->package);
	FUZZ_REQUIRE(is_ended(owner->version) && strstr(texts[0], owner->version), "version %s", owner->version);
	FUZZ_REQUIRE(owner->digest_kind == PACKAGE_DIGEST_NONE || strstr(texts[2], &PATH[1]), "a digest of nothing");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct package_owner owner = {.digest_kind = PACKAGE_DIGEST_NONE};
	char *texts[FILES];
	struct dpkg *dpkg;
	int r;

	for (size_t i = 0; i < FILES; i++) {
		texts[i] = fuzz_text(&data, &size);
		fuzz_root_write(files[i], texts[i], strlen(texts[i]));
	}
	FUZZ_REQUIRE(dpkg_open(fuzz_root(), &dpkg) == 0, "no memory");
	r = dpkg_find(dpkg, PATH, &owner);
	FUZZ_REQUIRE(r == 0 || r == -ENOENT, "%d", r);
	if (!*texts[3])
		FUZZ_REQUIRE((r == 0) == has_line(texts[1], PATH), "%d", r);
	if (r == 0)
		check_owner(&owner, texts);
	dpkg_close(dpkg);
	for (size_t i = 0; i < FILES; i++)
		free(texts[i]);
	return 0;
}
