/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The name of a container's image, as a runtime records it: "nginx", "docker.io/library/nginx:1.27@sha256:0a1b...";
 * NAME[:TAG][@DIGEST], the reference of the distribution project (distribution/reference, reference.go).
 */
#ifndef USER_BASE_IMAGE_NAME_H
#define USER_BASE_IMAGE_NAME_H

#include <stdbool.h>
#include <stddef.h>

/* With the NUL: a name has 255 bytes at most, a tag 128, a digest (SHA-512, with its algorithm's name) 135. */
#define IMAGE_NAME_MAX 522

/* Parts of a name, borrowed from it, not NUL-terminated; NULL: it has none. */
struct image_name {
	const char *name, *tag, *digest;
	size_t name_length, tag_length, digest_length;
};

/* Whether it consists of bytes that such a name has (none of them needs an escape anywhere), and is not too long. */
bool image_name_is_sound(const char *text);

/*
 * The parts of any text: put together again, with ':' and '@' between them, they are that text. An id in place of a
 * name ("sha256:0a1b...") has no tag.
 */
struct image_name image_name_split(const char *text);

#endif
