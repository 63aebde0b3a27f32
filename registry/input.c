/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A message has REGISTRY_ERROR_LEN bytes, a path up to 4,096: the end of it tells more than the beginning. */
#define NAME_SHOWN 200

int input_fault(const struct input *input, uint32_t line, char error[REGISTRY_ERROR_LEN], const char *format, ...)
{
	size_t len = strlen(input->name), room = REGISTRY_ERROR_LEN;
	const char *name = len > NAME_SHOWN ? input->name + len - NAME_SHOWN : input->name;
	int head = line ? snprintf(error, room, "%s%s:%u: ", len > NAME_SHOWN ? "..." : "", name, line)
			: snprintf(error, room, "%s%s: ", len > NAME_SHOWN ? "..." : "", name);
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(error + head, room - (size_t)head, format, arguments);
	va_end(arguments);
	/* one line: a path may hold any byte */
	for (char *c = error; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	return -EINVAL;
}

static int fault_errno(const struct input *input, int number, char error[REGISTRY_ERROR_LEN])
{
	if (number == EISDIR)
		(void)input_fault(input, 0, error, "is a directory; a registry file is wanted");
	else
		(void)input_fault(input, 0, error, "%s", strerror(number));
	return -number;
}

int input_open(struct input *input, const char *path, char error[REGISTRY_ERROR_LEN])
{
	struct stat status;
	struct tm utc;
	int r;

	*input = (struct input){.name = path, .fd = -1, .line = 1};
	sha256_begin(&input->sha);
	input->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (input->fd < 0)
		return fault_errno(input, errno, error);
	if (fstat(input->fd, &status) < 0 || !gmtime_r(&status.st_mtime, &utc) ||
	    strftime(input->date, sizeof(input->date), "%Y-%m-%d", &utc) != 10) {
		(void)input_fault(input, 0, error, "has no modification time that a date can be read from");
		r = -EINVAL;
		goto fail;
	}
	input->chunk = malloc(INPUT_CHUNK);
	if (!input->chunk) {
		r = fault_errno(input, ENOMEM, error);
		goto fail;
	}
	input->data = input->chunk;
	if (input_fill(input))
		return 0;
	r = input_ended(input, error);
	if (!r)
		return 0;
fail:
	input_close(input);
	return r;
}

void input_open_memory(struct input *input, const char *name, const void *data, size_t len)
{
	*input = (struct input){.name = name, .fd = -1, .line = 1, .data = data, .length = len};
	sha256_begin(&input->sha);
}

void input_close(struct input *input)
{
	if (!input)
		return;
	if (input->fd >= 0)
		(void)close(input->fd);
	free(input->chunk);
	input->fd = -1;
	input->chunk = NULL;
	input->data = NULL;
	input->at = input->length = 0;
}

bool input_fill(struct input *input)
{
	size_t filled = 0;

	if (input->fd < 0 || input->error)
		return false;
	/* a pipe gives less than was asked for: the first line must be whole */
	while (filled < INPUT_CHUNK) {
		ssize_t got = read(input->fd, input->chunk + filled, INPUT_CHUNK - filled);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			input->error = errno;
		if (got <= 0)
			break;
		filled += (size_t)got;
	}
	input->total += filled;
	if (!input->error && input->total > INPUT_MAX)
		input->error = EFBIG;
	if (input->error)
		filled = 0;
	sha256_add(&input->sha, input->chunk, filled);
	input->at = 0;
	input->length = filled;
	return filled > 0;
}

int input_ended(const struct input *input, char error[REGISTRY_ERROR_LEN])
{
	if (!input->error)
		return 0;
	if (input->error == EFBIG)
		return input_fault(input, 0, error, "is larger than %u bytes; the official file has about 1,200,000",
				   INPUT_MAX);
	return fault_errno(input, input->error, error);
}

int input_line(struct input *input, char *out, size_t size, bool *ret_ended, char error[REGISTRY_ERROR_LEN])
{
	const unsigned char *line_break = NULL;
	size_t used = 0;

	if (input_peek(input) < 0)
		return input_ended(input, error);
	while (!line_break && input_peek(input) >= 0) {
		const unsigned char *from = input->data + input->at;
		size_t len = input->length - input->at;

		line_break = memchr(from, '\n', len);
		if (line_break)
			len = (size_t)(line_break - from);
		if (used + len >= size)
			return input_fault(input, input->line, error, "the line is longer than %zu bytes", size - 1);
		memcpy(out + used, from, len);
		used += len;
		input->at += len + (line_break ? 1 : 0);
	}
	if (input->error)
		return input_ended(input, error);
	if (memchr(out, '\0', used))
		return input_fault(input, input->line, error, "a NUL byte; the file is text");
	out[used] = '\0';
	*ret_ended = line_break != NULL;
	input->line++;
	return 1;
}
