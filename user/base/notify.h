/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef USER_BASE_NOTIFY_H
#define USER_BASE_NOTIFY_H

/*
 * Tells the service manager its state ("READY=1"; sd_notify(3)): one datagram to the socket that NOTIFY_SOCKET names.
 * 0 where it was sent or where no such variable is set; -errno else. -EINVAL: the variable names no socket address.
 */
int notify(const char *state);

#endif
