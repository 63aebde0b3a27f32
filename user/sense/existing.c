/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is bound already, joined to what happens from now on. The hooks are attached first, then the sockets are listed,
 * and what happened meanwhile decides:
 *
 *   bound since, and listed            the bind will be told: not told here
 *   released before it was held        it is in the first list and not in the second: not told at all
 *   released after it was held         told here, and its release will be told
 */
#include "user/sense/existing.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

#include "bpf/bindwatch.h"
#include "user/sense/unheld.h"

/* Cookies, sorted. */
struct cookies {
	uint64_t *list;
	size_t count;
};

static int compare_cookies(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static bool cookies_have(const struct cookies *cookies, uint64_t cookie)
{
	return cookie && cookies->count &&
	       bsearch(&cookie, cookies->list, cookies->count, sizeof(cookie), compare_cookies);
}

static int cookies_begin(struct cookies *cookies, size_t most)
{
	*cookies = (struct cookies){.list = calloc(most ? most : 1, sizeof(*cookies->list))};
	return cookies->list ? 0 : -ENOMEM;
}

static void cookies_end(struct cookies *cookies)
{
	qsort(cookies->list, cookies->count, sizeof(*cookies->list), compare_cookies);
}

/* held: only of those that a process holds */
static int cookies_of_inventory(const struct inventory *inventory, bool held, struct cookies *ret)
{
	int r = cookies_begin(ret, inventory->sockets_count);

	for (size_t i = 0; r == 0 && i < inventory->sockets_count; i++)
		if (!held || inventory->sockets[i].holders_count)
			ret->list[ret->count++] = inventory->sockets[i].cookie;
	if (r == 0)
		cookies_end(ret);
	return r;
}

/*
 * A listen of a socket that was bound before is no reason not to tell of it, unless it is judged as the bind would be:
 * a port is judged once.
 */
static bool takes_port(const struct event *event)
{
	const uint32_t takes = BW_SOCKET_AUTOBOUND | BW_SOCKET_UNTOLD;

	return !event->error && (event->action == EVENT_BOUND ||
	                         (event->action == EVENT_LISTEN && (event->socket_flags & takes)));
}

/* The sockets whose release is about to be told, or those whose bind is. */
static int cookies_of_pending(const struct sense *sense, bool closed, struct cookies *ret)
{
	size_t count;
	const struct event *events = sense_pending(sense, &count);
	int r = cookies_begin(ret, count);

	for (size_t i = 0; r == 0 && i < count; i++)
		if (closed ? events[i].action == EVENT_CLOSED : takes_port(&events[i]))
			ret->list[ret->count++] = events[i].cookie;
	if (r == 0)
		cookies_end(ret);
	return r;
}

struct reconciliation {
	struct cookies second;        /* the list taken after every socket of the first was held */
	struct cookies bound, closed; /* by events that will be told */
	/*
	 * Those of the second list that a process holds. A socket on its way from one to another, by a fork or in a
	 * message, may be in neither when they are looked at: that nobody holds it is told where both lists have it so.
	 */
	struct cookies held;
	bool holders_known;
};

static int tell_all(struct sense *sense, const struct inventory *inventory, const struct reconciliation *since,
                    int (*deliver)(void *context, struct event *event), void *context)
{
	for (size_t i = 0; i < inventory->sockets_count; i++) {
		const struct inventory_socket *socket = &inventory->sockets[i];
		bool gone = socket->cookie && !cookies_have(&since->second, socket->cookie) &&
		            !cookies_have(&since->closed, socket->cookie);
		int r;

		if (gone)
			sense_let_go(sense, socket->cookie);
		if (gone || cookies_have(&since->bound, socket->cookie))
			continue;
		r = sense_tell(sense, inventory, socket,
		               since->holders_known && !cookies_have(&since->held, socket->cookie), deliver, context);
		if (r < 0)
			return r;
	}
	return 0;
}

int existing_tell(struct sense *sense, int (*deliver)(void *context, struct event *event), void *context,
                  char error[INVENTORY_TEXT_LEN])
{
	struct inventory *first = NULL, *second = NULL;
	struct reconciliation since = {0};
	int r = inventory_take(NULL, NULL, &first, error);

	if (r == 0)
		r = inventory_find_holders(first, error);
	for (size_t i = 0; r == 0 && i < first->sockets_count; i++)
		(void)sense_hold(sense, first->sockets[i].cookie, &first->sockets[i].address);
	if (r == 0)
		r = inventory_take(NULL, first, &second, error);
	/* by /proc it would take long, and what no process holds is not known by that anyway */
	if (r == 0 && second->iterated)
		r = inventory_find_holders(second, error);
	if (r == 0 && (r = unheld_mark(first)) < 0)
		(void)snprintf(error, INVENTORY_TEXT_LEN, "%s", strerror(-r));
	if (r == 0 && ((r = sense_read_ahead(sense)) || (r = cookies_of_inventory(second, false, &since.second)) ||
	               (r = cookies_of_inventory(second, true, &since.held)) ||
	               (r = cookies_of_pending(sense, false, &since.bound)) ||
	               (r = cookies_of_pending(sense, true, &since.closed))))
		(void)snprintf(error, INVENTORY_TEXT_LEN, "%s", strerror(-r));
	since.holders_known = r == 0 && second->holders_known;
	if (r == 0)
		r = tell_all(sense, first, &since, deliver, context);
	sense_tell_end(sense);
	free(since.second.list);
	free(since.held.list);
	free(since.bound.list);
	free(since.closed.list);
	inventory_free(first);
	inventory_free(second);
	return r;
}
