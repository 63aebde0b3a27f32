/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which package installed a file, by dpkg's database (dpkg(1), /var/lib/dpkg): the lists of files of all packages are
 * read once into a table of hashes, 8 bytes a path, and again when the database has changed; what the table finds is
 * looked up in the package's own list. Diversions (dpkg-divert(1)) and the merged /usr (/bin is /usr/bin) are seen
 * through. Not for two threads at once.
 */
#ifndef USER_ENRICH_DPKG_H
#define USER_ENRICH_DPKG_H

#include "user/enrich/package.h"

struct dpkg;

/* root: "" or the path of a directory that has a system in it, without "/" at its end. 0 or -ENOMEM. */
int dpkg_open(const char *root, struct dpkg **ret);

/* NULL is fine. */
void dpkg_close(struct dpkg *dpkg);

/*
 * path: absolute, as seen from root. 0; -ENOENT: it is of no package; -ENODATA: this system has no such database; or
 * another -errno where it cannot be read. *ret is set on 0 only; its digest is MD5, of configuration files none.
 */
int dpkg_find(struct dpkg *dpkg, const char *path, struct package_owner *ret);

#endif
