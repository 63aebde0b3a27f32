/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The image of a container. The kernel knows of none, and a runtime is not asked: its socket would need its protocol
 * and its trust, and could hang. What it keeps on disk for itself is read, as root sees it, from the host's own mount
 * namespace.
 *
 * How far it can be believed: as far as the container's id, which is the name of a cgroup. Whoever owns a subtree of
 * cgroups can name one as the container of somebody else.
 */
#ifndef USER_ENRICH_IMAGE_H
#define USER_ENRICH_IMAGE_H

#include <stdbool.h>

#include "user/base/image_name.h"
#include "user/base/process.h"

/* Of Docker, containerd, CRI-O and Podman alike: 64 hexadecimal digits. */
#define IMAGE_ID_DIGITS 64

/* A longer record is not read: each container has tens of kilobytes of its own, and in Podman's list of all two. */
#define IMAGE_RECORD_BYTES_MAX (4U << 20)

/*
 * Whether there may be a record: of a runtime that keeps one (RUNTIME_UNKNOWN: of any of them), by an id of the one
 * form, which is also what makes it fit for a path. id: any bytes, or NULL.
 */
bool image_is_recorded(enum container_runtime runtime, const char *id);

/*
 * root: as dpkg_open(). true: *ret is the name, sound as image_name_is_sound() has it. false: there is no record that
 * can be read, or it has no such name; *ret is untouched.
 */
bool image_find(const char *root, enum container_runtime runtime, const char *id, char ret[IMAGE_NAME_MAX]);

#endif
