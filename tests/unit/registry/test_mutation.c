/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Thousands of damaged files: none may crash a reader, and each is either a registry or refused with one line. The
 * same every time, for the random numbers are seeded; with the sanitizers it sees a byte too far.
 */
#include <errno.h>
#include <sys/mman.h>

#include "registry/table.h"
#include "registry/text.h"
#include "tests/unit/registry/fixture.h"

#define MUTATIONS 4000
#define ROOM	  1024 /* that a mutation may add */

static const char csv[] = HEADER
    "a,10,tcp,\"A \"\"b\"\"\nc\",x,y,2001-02-03,2002-03,[RFC1],,,\"This entry is an alias to \"\"b\"\".\"\r\n"
    "b,10-12,,B,,,,,,7,Known Unauthorized Use on port 11,\r\n,13,udp,Reserved,,,,,,,,De-Assigned on 2019-10-30\r\n"
    "c,,sctp,\xc3\x89 no port,,,,,,,,\r\n" WHOLE;

static const char snapshot[] =
    "bindwatch-registry 1\ndate 2026-08-17\n"
    "source-sha256 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n"
    "ports\ttransports\tstate\tregistered\tmodified\tremoved\tflags\tnames\ttitle\n"
    "0-1\ttcp\tassigned\t2001-02\t2002-03-04\t\tunauthorized\ta|b\tThe \xc3\x89 title\n"
    "1\tudp,sctp\tde-assigned\t\t\t2019-10-30\t\t\t\n2-49151\tall\tunassigned\t\t\t\t\t\t\nend 3\n";

static const char services[] = "# ours\nshop 80/tcp front # x\nagent\t50000/udp\nrtmp 1/ddp\n\nlast 9/dccp a b c";

/* xorshift32 (Marsaglia 2003) */
static uint32_t random_next(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

static size_t mutate(char *text, size_t len, uint32_t *seed)
{
	static const char tempting[] = "\",\r\n\t|-/0 9\0\xff\x1b\xc3x#";
	size_t at = random_next(seed) % len, size = random_next(seed) % 8 + 1, from = random_next(seed) % len;

	switch (random_next(seed) % 6) {
	case 0: /* another byte */
		text[at] = (char)random_next(seed);
		return len;
	case 1:
		text[at] = tempting[random_next(seed) % sizeof(tempting)];
		return len;
	case 2: /* a part lost */
		if (size > len - at)
			size = len - at;
		memmove(text + at, text + at + size, len - at - size);
		return len - size;
	case 3: /* a byte more */
		memmove(text + at + 1, text + at, len - at);
		text[at] = tempting[random_next(seed) % sizeof(tempting)];
		return len + 1;
	case 4: /* a part twice, elsewhere */
		size *= 4;
		if (size > len - from || size > len - at)
			return len;
		memmove(text + at, text + from, size);
		return len;
	default: /* cut off */
		return random_next(seed) % 8 ? len : at;
	}
}

static void check(int r, const char *error, size_t *accepted)
{
	if (!r) {
		(*accepted)++;
		return;
	}
	if (r != -EINVAL || !*error || text_check(error, strlen(error), false) != strlen(error))
		fail_msg("%d, \"%s\"", r, error);
}

/* The reader gets its bytes from a memory file, so that 4,000 files cost no disk. */
static size_t run(const char *original, size_t original_len, uint32_t seed, bool overlay)
{
	struct registry *base = overlay ? fixture_registry("") : NULL;
	char *text = malloc(original_len + ROOM), path[32];
	int fd = memfd_create("mutation", MFD_CLOEXEC);
	size_t accepted = 0;

	assert_true(fd >= 0);
	assert_non_null(text);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	for (int i = 0; i < MUTATIONS; i++) {
		size_t len = original_len;
		char error[REGISTRY_ERROR_LEN] = "";
		struct registry *registry = NULL;
		int r;

		memcpy(text, original, len);
		for (uint32_t times = random_next(&seed) % 4 + 1; times && len; times--)
			len = mutate(text, len, &seed);
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, text, len, 0), len);
		r = overlay ? registry_overlay_services(base, path, error) : registry_open_file(path, &registry, error);
		check(r, error, &accepted);
		registry_free(registry);
	}
	(void)close(fd);
	free(text);
	registry_free(base);
	return accepted;
}

/* Some must be accepted and some refused, else the mutations prove nothing. */
static void csv_mutations(void **state)
{
	size_t accepted = run(csv, sizeof(csv) - 1, 1, false);

	(void)state;
	print_message("%zu of %d accepted\n", accepted, MUTATIONS);
	assert_in_range(accepted, MUTATIONS / 20, MUTATIONS * 19 / 20);
}

static void snapshot_mutations(void **state)
{
	size_t accepted = run(snapshot, sizeof(snapshot) - 1, 2, false);

	(void)state;
	print_message("%zu of %d accepted\n", accepted, MUTATIONS);
	assert_in_range(accepted, MUTATIONS / 20, MUTATIONS * 19 / 20);
}

static void services_mutations(void **state)
{
	size_t accepted = run(services, sizeof(services) - 1, 3, true);

	(void)state;
	print_message("%zu of %d accepted\n", accepted, MUTATIONS);
	assert_in_range(accepted, MUTATIONS / 20, MUTATIONS * 19 / 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(csv_mutations),
	    cmocka_unit_test(snapshot_mutations),
	    cmocka_unit_test(services_mutations),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
