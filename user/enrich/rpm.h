/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which package installed a file, by rpm's database, read by librpm where the program was built with it. The database
 * is opened for each question and held no longer: less than a millisecond, nothing to renew, and no lock that rpm would
 * meet. It is looked for where distributions have it; rpm's configuration is not read, since its macros may run
 * commands. One struct rpm is not for two threads at once.
 */
#ifndef USER_ENRICH_RPM_H
#define USER_ENRICH_RPM_H

#include <stdbool.h>

#include "user/enrich/package.h"

/* Was librpm there when this was built? */
bool rpm_is_built_in(void);

struct rpm;

/* root: "" or the path of a directory that has a system in it, absolute, without "/" at its end. 0 or -ENOMEM. */
int rpm_open(const char *root, struct rpm **ret);

/* NULL is fine. */
void rpm_close(struct rpm *rpm);

/*
 * path: absolute, as seen from root. 0; -ENOENT: it is of no package; -ENODATA: this system has no such database, or
 * librpm is not built in; -EIO: it cannot be read, and after some tries it is not tried again. *ret is set on 0 only;
 * its version is EPOCH:VERSION-RELEASE, without "EPOCH:" where there is none.
 */
int rpm_find(struct rpm *rpm, const char *path, struct package_owner *ret);

#endif
