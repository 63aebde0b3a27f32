/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/sha256.h"

#include "tests/unit/registry/fixture.h"

static void sum(const char *data, size_t len, size_t step, const char *wanted)
{
	struct sha256 sha;
	char text[SHA256_TEXT_LEN];

	sha256_begin(&sha);
	for (size_t at = 0; at < len; at += step)
		sha256_add(&sha, data + at, len - at < step ? len - at : step);
	sha256_text(&sha, text);
	assert_string_equal(text, wanted);
}

/* NIST's examples for FIPS 180-4, and the empty message */
static void published_sums(void **state)
{
	static const char two_blocks[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	char *million = malloc(1000000);

	(void)state;
	sum("", 0, 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	sum("abc", 3, 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	sum(two_blocks, 56, 56, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	memset(million, 'a', 1000000);
	for (size_t step = 1; step < 200; step += 61)
		sum(million, 1000000, step, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	free(million);
}

/* The padding has three cases: with room for the length, without, and a whole block. Known by two ways to add. */
static void padding(void **state)
{
	(void)state;
	for (size_t len = 50; len < 130; len++) {
		char data[130], whole[SHA256_TEXT_LEN];
		struct sha256 sha;

		memset(data, (int)len, sizeof(data));
		sha256_begin(&sha);
		sha256_add(&sha, data, len);
		sha256_text(&sha, whole);
		assert_int_equal(sha.bytes % 64, 0);
		sum(data, len, 7, whole);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(published_sums),
	    cmocka_unit_test(padding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
