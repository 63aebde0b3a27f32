/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/encode/encode.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "user/encode/ecs.h"
#include "user/encode/text.h"

#define BOOT_ID_PATH "/proc/sys/kernel/random/boot_id"

static const struct encoder encoders[] = {
        {.name = "text", .event = text_event, .header = text_header},
        {.name = "json", .event = ecs_event},
};

const struct encoder *encoder_find(const char *name)
{
	for (size_t i = 0; i < sizeof(encoders) / sizeof(encoders[0]); i++) {
		if (strcmp(encoders[i].name, name) == 0)
			return &encoders[i];
	}
	return NULL;
}

/* "8-4-4-4-12" hexadecimal digits: RFC 4122, section 3 */
static bool is_boot_id(const char *text, size_t len)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	if (len != sizeof(form) - 1)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (form[i] == '-' ? text[i] != '-' : !text[i] || !strchr("0123456789abcdef", text[i]))
			return false;
	}
	return true;
}

static int read_boot_id(char ret[37])
{
	char text[37]; /* one line of 36 bytes and its break */
	int fd = open(BOOT_ID_PATH, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return -errno;
	len = read(fd, text, sizeof(text));
	if (len < 0) {
		int error = -errno;

		(void)close(fd);
		return error;
	}
	(void)close(fd);
	if (len == 0 || text[len - 1] != '\n' || !is_boot_id(text, (size_t)len - 1))
		return -EINVAL;
	memcpy(ret, text, 36);
	ret[36] = '\0';
	return 0;
}

static uint64_t nanoseconds(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

int encode_host_init(struct encode_host *host, const char *registry_date)
{
	struct encode_host filled = {.registry_date = registry_date};
	struct utsname name;
	int error;

	if (uname(&name) < 0)
		return -errno;
	_Static_assert(sizeof(name.nodename) <= sizeof(filled.hostname), "the kernel's host name fits");
	memcpy(filled.hostname, name.nodename, sizeof(name.nodename));
	error = read_boot_id(filled.boot_id);
	if (error)
		return error;
	filled.boot_time_ns = nanoseconds(CLOCK_REALTIME) - nanoseconds(CLOCK_BOOTTIME);
	*host = filled;
	return 0;
}
