/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two texts: a path of a cgroup, and what stands below it. Whatever is found is a part of the path, and fits into the
 * room that was promised; and nobody to whom a subtree was delegated can take the name of another unit in it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "user/base/cgroup_path.h"

struct parsed {
	struct process_cgroup cgroup;
	char *texts;
};

static void check_text(const struct parsed *parsed, const char *path, const char *text)
{
	FUZZ_REQUIRE(!text || (*text && strlen(text) <= strlen(path)), "%s: a part is empty or too long", path);
	FUZZ_REQUIRE(!text || !strchr(text, '/'), "%s: a part has a slash", path);
	FUZZ_REQUIRE(!text || (text >= parsed->texts && text < parsed->texts + CGROUP_TEXTS_SIZE(strlen(path))),
	             "%s: a part stands elsewhere", path);
}

static struct parsed parse(const char *path)
{
	/* of its very size, so that a write behind it is seen */
	struct parsed parsed = {.cgroup.id = 7, .texts = malloc(CGROUP_TEXTS_SIZE(strlen(path)))};
	const struct process_cgroup *cgroup = &parsed.cgroup;

	FUZZ_REQUIRE(parsed.texts, "no memory");
	cgroup_path_parse(path, parsed.texts, &parsed.cgroup);
	FUZZ_REQUIRE(cgroup->id == 7 && cgroup->path == path, "%s: the id or the path is gone", path);
	check_text(&parsed, path, cgroup->unit);
	check_text(&parsed, path, cgroup->user_unit);
	check_text(&parsed, path, cgroup->slice);
	check_text(&parsed, path, cgroup->container_id);
	check_text(&parsed, path, cgroup->pod_uid);
	FUZZ_REQUIRE((cgroup->runtime == RUNTIME_NONE) == !cgroup->container_id, "%s: runtime without container", path);
	FUZZ_REQUIRE(*path == '/' || (!cgroup->unit && !cgroup->slice && !cgroup->container_id && !cgroup->pod_uid),
	             "%s: its beginning is lost", path);
	FUZZ_REQUIRE(!cgroup->user_unit || cgroup->unit, "%s: a user's unit without his manager", path);
	return parsed;
}

static bool same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *path = fuzz_text(&data, &size), *below = fuzz_text(&data, &size), *whole;
	struct parsed top = parse(path), all;

	FUZZ_REQUIRE(asprintf(&whole, "%s/%s", path, below) >= 0, "no memory");
	all = parse(whole);
	if (top.cgroup.unit)
		FUZZ_REQUIRE(same(top.cgroup.unit, all.cgroup.unit) && same(top.cgroup.slice, all.cgroup.slice),
		             "%s: is of another unit than %s", whole, path);
	if (top.cgroup.user_unit)
		FUZZ_REQUIRE(same(top.cgroup.user_unit, all.cgroup.user_unit), "%s: is of another user unit", whole);
	free(top.texts);
	free(all.texts);
	free(whole);
	free(path);
	free(below);
	return 0;
}
