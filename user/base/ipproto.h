/* SPDX-License-Identifier: BSD-2-Clause */
/* The protocols that have ports, and are younger than some libraries' <netinet/in.h>: include/uapi/linux/in.h. */
#ifndef USER_BASE_IPPROTO_H
#define USER_BASE_IPPROTO_H

#include <netinet/in.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262 /* kernel commit faf391c3826c, 5.6 */
#endif

#endif
