/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Of the sockets that no process holds, which are the kernel's own: the kernel's iterators over the sockets of a network
 * namespace (bpf/unheld.bpf.c). Linux 5.9 and later with BTF; CAP_BPF and CAP_PERFMON. They show what listens by TCP and
 * what is bound by UDP; of all else it stays unknown.
 */
#ifndef USER_SENSE_UNHELD_H
#define USER_SENSE_UNHELD_H

#include <stddef.h>
#include <linux/types.h> /* before the contract with the kernel side, which includes nothing */

#include "bpf/inventory.h"
#include "user/sense/inventory.h"

/*
 * After inventory_find_holders(). Of each socket without a holder whose BW_SOCKET_KERNEL is not known, sets it where the
 * iterators tell. Where they are refused, or cannot be read, nothing changes. Costs nothing where there is no such
 * socket. 0; -ENOMEM; -ENOTRECOVERABLE: as inventory_take().
 */
int unheld_mark(struct inventory *inventory);

/* A socket that is asked about. */
struct unheld {
	uint64_t cookie;
	size_t index; /* of inventory.sockets */
};

/*
 * Reads whole rows; unheld: sorted by cookie. 0, or -EBADMSG: not of the form of bpf/inventory.h; the rows before it
 * were taken.
 */
int unheld_parse(struct inventory *inventory, const struct unheld *unheld, size_t count, const void *data, size_t len);

#endif
