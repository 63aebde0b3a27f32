/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Event to bytes. An encoder is one file and one row of the table in encode.c. It appends to a buffer that the caller
 * owns and flushes; it allocates nothing, and it never writes half a document: where the room does not suffice it
 * leaves the buffer as it was and says so.
 */
#ifndef USER_ENCODE_ENCODE_H
#define USER_ENCODE_ENCODE_H

#include <stdbool.h>
#include <stddef.h>

#include "user/base/errno_name.h" /* which the encoders share */
#include "user/base/event.h"

struct user_cache;

/*
 * An upper bound of one encoded event in every form: the sum of all fixed text, the longest numbers, six bytes for each
 * hostile byte. Nearly all of it are twelve paths and twice the arguments, 4096 bytes each, and the holders of a
 * socket: an event of every day has one or two thousand bytes. Proven by a unit test with the worst event.
 */
#define ENCODE_EVENT_MAX (640U << 10)

struct encode_buffer {
	char *data; /* owned by the caller */
	size_t size, used;
};

/* What is the same for every event of a run; filled once by encode_host_init(). */
struct encode_host {
	char hostname[65];     /* HOST_NAME_MAX + NUL; hostile bytes */
	char boot_id[37];      /* /proc/sys/kernel/random/boot_id */
	uint64_t boot_time_ns; /* wall clock of the boot, nanoseconds, as of the start of this run; 0: not known */
	const char *registry_date;
	struct user_cache *users; /* names of users and groups, user/base/user_cache.h; NULL: numbers only. Borrowed */
	bool color;               /* text: ANSI colours */
	bool wide;                /* text: the program's path too, and the rule that decided */
	bool local_time;          /* text: local time, else UTC */
};

/*
 * 0, or -errno with *host as it was: the boot id or the host name cannot be read; -EINVAL: the boot id is not of the
 * form of RFC 4122. Users are then shown by number, colours are off and times in UTC: the caller sets what differs.
 * registry_date is borrowed.
 */
int encode_host_init(struct encode_host *host, const char *registry_date);

struct encoder {
	const char *name; /* "json", "text": as --output takes it */
	/* Appends one event, with its line break. 0, or -ENOBUFS with the buffer as it was. */
	int (*event)(const struct encode_host *host, const struct event *event, struct encode_buffer *buffer);
	/* Appends the header that stands above a screen of events; NULL: this form has none. */
	int (*header)(const struct encode_host *host, struct encode_buffer *buffer);
};

/* NULL where no encoder has this name. */
const struct encoder *encoder_find(const char *name);

#endif
