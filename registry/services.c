/* SPDX-License-Identifier: BSD-2-Clause */
/* A file of the form of services(5), laid over a registry: a site's own names. */
#include "registry/registry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "registry/table.h"
#include "registry/text.h"

/* The longest line of any use has 100 bytes. */
#define LINE_SIZE 1024

/*
 * AppleTalk's sockets share the file in many systems (services(5) of Debian lists 4). They are numbers of another
 * protocol, not ports, and are passed over.
 */
#define PROTOCOL_APPLETALK "ddp"

#define BLANKS " \t\r"

/* The names of one line, and the pair that they are for. */
struct service {
	uint16_t port;
	enum registry_transport transport;
	const char *names[TABLE_NAMES_MAX];
	size_t count;
};

/*
 * Keeps the names of one pair: first what the overlay gave before, then the line's, then the registry's. The first
 * line for a pair gives the main name, as in getservbyport(3).
 */
static int merge_names(const struct table_builder *builder, const struct table_entry *old,
		       const struct service *service, const char *const site_names[TABLE_NAMES_MAX], size_t site_count,
		       const char **names)
{
	const char *name = table_text(builder, old->names);
	size_t count = 0, sources[] = {site_count, service->count, old->names_count};

	for (size_t source = 0; source < 3; source++) {
		for (size_t i = 0; i < sources[source]; i++) {
			const char *next = source == 0 ? site_names[i] : source == 1 ? service->names[i] : name;
			bool known = false;

			if (source == 2)
				name = registry_next_name(name);
			for (size_t k = 0; k < count && !known; k++)
				known = text_equal(names[k], next);
			if (known)
				continue;
			if (count == TABLE_NAMES_MAX)
				return -EINVAL;
			names[count++] = next;
		}
	}
	return (int)count;
}

/*
 * site: how many of the first names of each pair are the overlay's own.
 */
static int lay(const struct input *input, uint32_t line, struct table_builder *builder, uint8_t *site,
	       const struct service *service, char error[REGISTRY_ERROR_LEN])
{
	uint32_t pair = TABLE_PAIR(service->port, service->transport);
	struct table_entry old = builder->entries[builder->index[pair]], entry = old;
	const char *names[TABLE_NAMES_MAX], *site_names[TABLE_NAMES_MAX], *name = table_text(builder, old.names);
	int count, r;

	for (size_t i = 0; i < site[pair]; i++, name = registry_next_name(name))
		site_names[i] = name;
	count = merge_names(builder, &old, service, site_names, site[pair], names);
	if (count < 0)
		return input_fault(input, line, error, "port %u/%s has more than %d names", service->port,
				   registry_transport_name(service->transport), TABLE_NAMES_MAX);
	/* those of the line that were not known to be the site's; the registry's own may be among them now */
	for (int i = site[pair]; i < count; i++)
		for (size_t k = 0; k < service->count; k++)
			if (names[i] == service->names[k])
				site[pair]++;
	entry.names_count = (uint8_t)count;
	entry.flags |= REGISTRY_SITE;
	r = table_names(builder, names, (size_t)count, &entry.names);
	if (!r)
		r = table_entry(builder, &entry, &builder->index[pair]);
	return r < 0 ? table_fault(input, line, r, error) : 0;
}

/* 1: the line names a service; 0: it is blank, or of another protocol; -EINVAL. */
static int parse_line(const struct input *input, uint32_t number, char *line, struct service *ret,
		      char error[REGISTRY_ERROR_LEN])
{
	char *rest = line, *name, *port, *transport, *alias;
	uint16_t last;

	line[strcspn(line, "#")] = '\0';
	name = strtok_r(rest, BLANKS, &rest);
	if (!name)
		return 0;
	port = strtok_r(NULL, BLANKS, &rest);
	transport = port ? strchr(port, '/') : NULL;
	if (!transport)
		return input_fault(input, number, error,
				   "\"%s\" without a port; NAME PORT/TRANSPORT [ALIAS...] is wanted",
				   text_quote(name).text);
	*transport++ = '\0';
	if (text_ports(port, &ret->port, &last) < 0 || ret->port != last || !ret->port)
		return input_fault(input, number, error, "port \"%s\"; a number of 1-65535 is wanted",
				   text_quote(port).text);
	if (strcmp(transport, PROTOCOL_APPLETALK) == 0)
		return 0;
	if (text_transport(transport, &ret->transport) < 0)
		return input_fault(input, number, error, "transport \"%s\"; tcp, udp, sctp or dccp is wanted",
				   text_quote(transport).text);
	ret->count = 0;
	for (alias = name; alias; alias = strtok_r(NULL, BLANKS, &rest)) {
		if (!text_name_valid(alias))
			return input_fault(input, number, error,
					   "name \"%s\"; 1 to %d printable ASCII characters without '|' are wanted",
					   text_quote(alias).text, TEXT_NAME_MAX);
		if (ret->count == TABLE_NAMES_MAX)
			return input_fault(input, number, error, "more than %d names in one line", TABLE_NAMES_MAX);
		ret->names[ret->count++] = alias;
	}
	return 1;
}

static int read_services(struct input *input, struct table_builder *builder, char error[REGISTRY_ERROR_LEN])
{
	uint8_t *site = calloc(TABLE_PAIRS, 1);
	char line[LINE_SIZE];
	int r;

	if (!site)
		return table_fault(input, 0, -ENOMEM, error);
	for (;;) {
		struct service service;
		uint32_t number = input->line;
		size_t len, bad;
		bool ended;

		r = input_line(input, line, sizeof(line), &ended, error);
		if (r <= 0)
			break;
		len = strlen(line);
		if (len && line[len - 1] == '\r')
			line[--len] = '\0';
		bad = text_check(line, len, true);
		if (bad < len) {
			r = input_fault(input, number, error,
					"the byte 0x%02x begins no character that this file may hold; it is UTF-8 "
					"without control characters",
					(unsigned char)line[bad]);
			break;
		}
		r = parse_line(input, number, line, &service, error);
		if (r > 0)
			r = lay(input, number, builder, site, &service, error);
		if (r < 0)
			break;
	}
	free(site);
	return r;
}

int registry_overlay_services(struct registry *registry, const char *path, char error[REGISTRY_ERROR_LEN])
{
	struct table_builder builder = {0};
	struct registry *laid = NULL, old;
	struct input input;
	int r = input_open(&input, path, error);

	if (r < 0)
		return r;
	r = table_begin_from(&builder, registry);
	if (!r) {
		r = read_services(&input, &builder, error);
		if (r < 0)
			goto out;
		r = table_finish(&builder, registry->source, &laid);
	}
	if (r < 0) {
		(void)table_fault(&input, 0, r, error);
		goto out;
	}
	old = *registry;
	*registry = *laid;
	*laid = old;
	registry_free(laid);
out:
	table_discard(&builder);
	input_close(&input);
	return r;
}
