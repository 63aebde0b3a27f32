/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "user/base/number.h"
#include "user/cli/cli.h"

#define ALL_TRANSPORTS ((1U << REGISTRY_TRANSPORTS) - 1)

/* The registry's longest name has fewer than 40 bytes; a longer item cannot be one. NUL included. */
#define ITEM_LEN 80

struct list {
	const struct registry *registry;
	struct portlist *ports;
	char *error;
	unsigned int transports; /* of the item at hand */
	size_t matched;		 /* pairs that a service name gave */
};

__attribute__((format(printf, 3, 4))) static int fail(char *error, int err, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(error, PORTLIST_ERROR_LEN, format, arguments);
	va_end(arguments);
	return err;
}

static void add_range(struct list *list, uint64_t first, uint64_t last)
{
	for (uint64_t port = first; port <= last; port++)
		list->ports->ports[port] |= (uint8_t)list->transports;
}

static int add_number(struct list *list, const char *text)
{
	uint64_t port;

	if (number_parse(text, 1, 65535, &port))
		return fail(list->error, -EINVAL, "'%s' is not a port: ports are 1-65535", text);
	add_range(list, port, port);
	return 0;
}

/* text: digits and '-' only */
static int add_number_range(struct list *list, char *text)
{
	char *dash = strchr(text, '-');
	uint64_t first, last;
	int err_first, err_last;

	*dash = '\0';
	err_first = number_parse(text, 1, 65535, &first);
	err_last = number_parse(dash + 1, 1, 65535, &last);
	*dash = '-';
	if (err_first == -EINVAL || err_last == -EINVAL)
		return fail(list->error, -EINVAL,
			    "'%s' is not a range of ports: write FIRST-LAST, as 8000-8010, within 1-65535", text);
	if (err_first || err_last)
		return fail(list->error, -EINVAL, "'%s' is not a range of ports: ports are 1-65535", text);
	if (first > last)
		return fail(list->error, -EINVAL, "the range '%s' ends before it starts: write %u-%u within 1-65535",
			    text, (unsigned int)last, (unsigned int)first);
	add_range(list, first, last);
	return 0;
}

static int add_found(void *context, uint16_t port, enum registry_transport transport)
{
	struct list *list = context;

	if (port && list->transports & 1U << transport) {
		list->ports->ports[port] |= (uint8_t)(1U << transport);
		list->matched++;
	}
	return 0;
}

/* What no registry has for a name: RFC 6335, section 5.1, and what older entries have besides. */
static bool is_name(const char *name)
{
	return !(name[0] >= '0' && name[0] <= '9') &&
	       name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.+*/&")] == '\0';
}

static int add_service(struct list *list, const char *name, const char *transport)
{
	const char *date = registry_date(list->registry);
	bool number = name[0] >= '0' && name[0] <= '9';

	list->matched = 0;
	if (!registry_find_service(list->registry, name, add_found, list))
		return fail(list->error, is_name(name) ? -ENOENT : -EINVAL,
			    "no service named '%s' in the registry of %s%s", name, date,
			    number ? ", nor is it a port: ports are 1-65535" : "");
	if (!list->matched)
		return fail(list->error, -ENOENT, "the service '%s' has no %s port in the registry of %s", name,
			    transport ? transport : "usable", date);
	return 0;
}

/* *ret_transports: those that "/tcp" and its kin mean. False: there is no such transport. */
static bool parse_transport(const char *text, unsigned int *ret_transports)
{
	for (unsigned int i = 0; i < REGISTRY_TRANSPORTS; i++) {
		if (strcasecmp(text, registry_transport_name((enum registry_transport)i)) == 0) {
			*ret_transports = 1U << i;
			return true;
		}
	}
	return false;
}

/* One item. "/tcp" is cut off text and put back before an error quotes it. */
static int add_item(struct list *list, char *text)
{
	char *slash = strrchr(text, '/');
	size_t digits;

	list->transports = ALL_TRANSPORTS;
	if (slash && !parse_transport(slash + 1, &list->transports)) {
		/* a few old names have a slash in them: cl/1 */
		list->matched = 0;
		(void)registry_find_service(list->registry, text, add_found, list);
		if (list->matched)
			return 0;
		return fail(list->error, -EINVAL,
			    "'%s' is not a transport in '%s': write tcp, udp, sctp or dccp behind the '/'", slash + 1,
			    text);
	}
	if (slash)
		*slash = '\0';
	if (!*text)
		return fail(list->error, -EINVAL, "there is no port before '/%s': ports are 1-65535", slash + 1);
	digits = strspn(text, "0123456789");
	if (!text[digits])
		return add_number(list, text);
	/* a service name has a letter in it (RFC 6335, section 5.1), so this was meant as a range */
	if (!text[strspn(text, "0123456789-")])
		return add_number_range(list, text);
	return add_service(list, text, slash ? slash + 1 : NULL);
}

int portlist_parse(const char *text, const struct registry *registry, struct portlist *ret,
		   char error[PORTLIST_ERROR_LEN])
{
	struct list list = {.registry = registry, .ports = ret, .error = error};

	memset(ret, 0, sizeof(*ret));
	if (!*text)
		return fail(error, -EINVAL,
			    "the list of ports is empty: write ports (1-65535), ranges or service names, as "
			    "22,80/tcp,8000-8010,domain/udp");
	for (;;) {
		size_t len = strcspn(text, ",");
		char item[ITEM_LEN];
		int err;

		if (!len)
			return fail(error, -EINVAL,
				    "a port is missing before or behind a comma: write ports (1-65535), ranges or "
				    "service names, as 22,80/tcp,8000-8010");
		if (len >= sizeof(item))
			return fail(error, -EINVAL,
				    "'%.40s...' is too long for a port (1-65535) or the name of a service", text);
		memcpy(item, text, len);
		item[len] = '\0';
		err = add_item(&list, item);
		if (err)
			return err;
		text += len;
		if (!*text)
			return 0;
		text++;
	}
}
