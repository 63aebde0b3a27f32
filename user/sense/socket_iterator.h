/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which process holds which socket with a port, over all network namespaces at once: the kernel's iterator over the
 * descriptors of all tasks (bpf/inventory.bpf.c). Linux 5.8 and later with BTF; CAP_BPF and CAP_PERFMON.
 *
 * It shows the processes of the caller's pid namespace and of those below. A socket that no descriptor leads to (the
 * kernel's own, in flight in a message, registered in an io_uring only) it does not show.
 */
#ifndef USER_SENSE_SOCKET_ITERATOR_H
#define USER_SENSE_SOCKET_ITERATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h> /* before the contract with the kernel side, which includes nothing */

#include "bpf/inventory.h"

/* Longest reason, NUL included. */
#define SOCKET_ITERATOR_WHY_LEN 200

typedef int (*socket_iterator_found)(void *context, const struct bw_inventory_row *row);

/*
 * The iterator, loaded: by one way of several, 0 being the best that a current kernel allows; what the others leave out,
 * or need, bpf/inventory.bpf.c tells. All find the same sockets and processes. way < SOCKET_ITERATOR_WAYS.
 * 0; -ENOTSUP: this kernel refuses it, or us; -ENOMEM. On an error why says it in one line and *ret is untouched.
 */
#define SOCKET_ITERATOR_WAYS 3
struct socket_iterator;
int socket_iterator_open(unsigned int way, struct socket_iterator **ret, char why[SOCKET_ITERATOR_WHY_LEN]);

/* NULL is allowed. */
void socket_iterator_free(struct socket_iterator *iterator);

/*
 * Calls found(context, ...) for each socket of each process, in the order of the processes. A process shows more than
 * once with a socket of which it has several descriptors.
 *
 * 0; what found() returned, where not 0; -ENOTSUP: this kernel refuses it; -EBADMSG: a row that is not of the form of
 * bpf/inventory.h; -ENOMEM; or the -errno of the reading. On all but what found() returned, why says it in one line.
 */
int socket_iterator_read(struct socket_iterator *iterator, socket_iterator_found found, void *context,
                         char why[SOCKET_ITERATOR_WHY_LEN]);

/*
 * The same by *iterator, or where that is NULL by the best way that there is, which *iterator then holds, also for the
 * next time. On an error of such a first reading it stays NULL.
 */
int socket_iterator_read_best(struct socket_iterator **iterator, socket_iterator_found found, void *context,
                              char why[SOCKET_ITERATOR_WHY_LEN]);

/* Whether the caller's pid namespace is the first one, so that the iterator passes over no process. */
bool socket_iterator_sees_all(void);

/*
 * Calls found(context, ...) for each whole row in data[len]. Returns as socket_iterator_read(); on 0, *ret_used is how
 * many bytes those rows took, and what is behind them is the beginning of a row.
 */
int socket_iterator_parse(const void *data, size_t len, size_t *ret_used, socket_iterator_found found, void *context);

#endif
