/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "user/base/notify.h"

static int listen_on(const char *path, size_t length)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, path, length);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, offsetof(struct sockaddr_un, sun_path) + length), 0);
	return fd;
}

static void expect_ready(int fd)
{
	char text[64];
	ssize_t n;

	assert_int_equal(notify("READY=1"), 0);
	n = recv(fd, text, sizeof(text), MSG_DONTWAIT);
	assert_int_equal(n, 7);
	assert_memory_equal(text, "READY=1", 7);
	close(fd);
}

static void a_path_is_told(void **state)
{
	char path[64];
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/bindwatch-notify-%d", (int)getpid());
	fd = listen_on(path, strlen(path));
	setenv("NOTIFY_SOCKET", path, 1);
	expect_ready(fd);
	unlink(path);
}

static void an_abstract_name_is_told(void **state)
{
	char name[64];
	int fd, n;

	(void)state;
	n = snprintf(name, sizeof(name), "@bindwatch-notify-%d", (int)getpid());
	setenv("NOTIFY_SOCKET", name, 1);
	name[0] = '\0';
	fd = listen_on(name, n);
	expect_ready(fd);
}

static void nobody_to_tell_is_no_error(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(notify("READY=1"), 0);
	setenv("NOTIFY_SOCKET", "", 1);
	assert_int_equal(notify("READY=1"), 0);
}

static void a_wrong_address_is_an_error(void **state)
{
	char longest[200];

	(void)state;
	setenv("NOTIFY_SOCKET", "relative/path", 1);
	assert_int_equal(notify("READY=1"), -EINVAL);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[0] = '/';
	longest[sizeof(longest) - 1] = '\0';
	setenv("NOTIFY_SOCKET", longest, 1);
	assert_int_equal(notify("READY=1"), -EINVAL);
	setenv("NOTIFY_SOCKET", "/no/such/socket", 1);
	assert_int_equal(notify("READY=1"), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_path_is_told),
	    cmocka_unit_test(an_abstract_name_is_told),
	    cmocka_unit_test(nobody_to_tell_is_no_error),
	    cmocka_unit_test(a_wrong_address_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
