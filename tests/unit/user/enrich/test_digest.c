/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "user/enrich/digest.h"

static void to_hex(const uint8_t *bytes, size_t count, char *text)
{
	for (size_t i = 0; i < count; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", bytes[i]);
}

/* The examples of FIPS 180-4 and of RFC 1321, section A.5. */
static void digest_of_known_texts(void **state)
{
	static const struct {
		const char *text, *sha256, *md5;
	} rows[] = {
	        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	         "d41d8cd98f00b204e9800998ecf8427e"},
	        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
	         "900150983cd24fb0d6963f7d28e17f72"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		int fd = memfd_create("digest", MFD_CLOEXEC);
		struct digest digest;
		char text[65];

		assert_int_equal(write(fd, rows[i].text, strlen(rows[i].text)), strlen(rows[i].text));
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		assert_int_equal(digest_read(fd, 3, &digest), 0);
		to_hex(digest.sha256, 32, text);
		assert_string_equal(text, rows[i].sha256);
		to_hex(digest.md5, 16, text);
		assert_string_equal(text, rows[i].md5);
		(void)close(fd);
	}
}

/* A million times "a" (FIPS 180-2, B.3): more than is read at once. */
static void digest_of_a_long_text(void **state)
{
	static char text[1000000];
	int fd = memfd_create("digest", MFD_CLOEXEC);
	struct digest digest, untouched = {.md5 = {7}};
	char hex[65];

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_int_equal(write(fd, text, sizeof(text)), sizeof(text));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(digest_read(fd, sizeof(text), &digest), 0);
	to_hex(digest.sha256, 32, hex);
	assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(digest_read(fd, sizeof(text) - 1, &untouched), -EFBIG);
	assert_int_equal(untouched.md5[0], 7);
	(void)close(fd);
	assert_int_equal(digest_read(fd, UINT64_MAX, &untouched), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(digest_of_known_texts),
	        cmocka_unit_test(digest_of_a_long_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
