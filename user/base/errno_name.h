/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef USER_BASE_ERRNO_NAME_H
#define USER_BASE_ERRNO_NAME_H

/* "EADDRINUSE" for a positive errno, "" where it has no name. */
const char *errno_name(int error);

/* The errno of a name as errno_name() gives it; 0: there is none. */
int errno_find(const char *name);

#endif
