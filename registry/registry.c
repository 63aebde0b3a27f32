/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/registry.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "registry/table.h"
#include "registry/text.h"

/* The forms that a registry is read from, known by how the first line begins. */
static const struct format {
	const char *first_line;
	int (*read)(struct input *input, struct table_builder *builder, char error[REGISTRY_ERROR_LEN]);
} formats[] = {
    {"Service Name,", csv_read},
    {"bindwatch-registry ", snapshot_read},
};

/* registry/embedded.S */
extern const char registry_embedded[], registry_embedded_end[];

static int read_input(struct input *input, const char *source, struct registry **ret, char error[REGISTRY_ERROR_LEN])
{
	const struct format *format = NULL;
	struct table_builder builder;
	int r;

	for (size_t i = 0; i < sizeof(formats) / sizeof(*formats); i++) {
		size_t len = strlen(formats[i].first_line);

		if (input->length >= len && memcmp(input->data, formats[i].first_line, len) == 0)
			format = &formats[i];
	}
	if (!input->length)
		return input_fault(input, 0, error, "is empty; IANA's service-names-port-numbers.csv is wanted");
	if (!format)
		return input_fault(
		    input, 1, error,
		    "neither IANA's CSV, whose first line begins with \"Service Name,Port Number,\", nor a "
		    "snapshot made by 'bindwatch registry convert'");
	r = table_begin(&builder);
	if (r < 0)
		return table_fault(input, 0, r, error);
	r = format->read(input, &builder, error);
	if (!r) {
		r = table_finish(&builder, source, ret);
		if (r < 0)
			r = table_fault(input, 0, r, error);
	}
	table_discard(&builder);
	return r;
}

int registry_open_embedded(struct registry **ret)
{
	char error[REGISTRY_ERROR_LEN];
	struct input input;

	input_open_memory(&input, "embedded", registry_embedded, (size_t)(registry_embedded_end - registry_embedded));
	return read_input(&input, "embedded", ret, error);
}

int registry_open_file(const char *path, struct registry **ret, char error[REGISTRY_ERROR_LEN])
{
	struct input input;
	int r = input_open(&input, path, error);

	if (r < 0)
		return r;
	r = read_input(&input, path, ret, error);
	input_close(&input);
	return r;
}

void registry_free(struct registry *registry)
{
	if (!registry)
		return;
	free(registry->index);
	free(registry->entries);
	free(registry->strings);
	free(registry->source);
	free(registry);
}

const struct registry_entry *registry_lookup(const struct registry *registry, uint16_t port,
					     enum registry_transport transport)
{
	if (port >= registry->ports || (unsigned int)transport >= REGISTRY_TRANSPORTS)
		return &registry->entries[TABLE_NOT_LISTED];
	return &registry->entries[registry->index[TABLE_PAIR(port, transport)]];
}

static bool entry_bears(const struct registry_entry *entry, const char *name)
{
	const char *each = entry->names;

	for (unsigned int i = 0; i < entry->names_count; i++, each = registry_next_name(each))
		if (text_equal(each, name))
			return true;
	return false;
}

size_t registry_find_service(const struct registry *registry, const char *name,
			     int (*found)(void *context, uint16_t port, enum registry_transport transport),
			     void *context)
{
	/* first the few entries that bear the name, then one pass of the index for their pairs */
	uint8_t bears[(UINT16_MAX + 1) / 8] = {0};
	size_t entries = 0, calls = 0;

	for (size_t i = 0; i < registry->entries_count; i++) {
		if (!entry_bears(&registry->entries[i], name))
			continue;
		bears[i / 8] |= (uint8_t)(1U << i % 8);
		entries++;
	}
	for (uint32_t pair = 0; entries && pair < registry->ports * REGISTRY_TRANSPORTS; pair++) {
		uint16_t number = registry->index[pair];

		if (!(bears[number / 8] & 1U << number % 8))
			continue;
		calls++;
		if (found(context, (uint16_t)(pair / REGISTRY_TRANSPORTS),
			  (enum registry_transport)(pair % REGISTRY_TRANSPORTS)) != 0)
			break;
	}
	return calls;
}

const char *registry_date(const struct registry *registry)
{
	return registry->date;
}

const char *registry_source(const struct registry *registry)
{
	return registry->source;
}

size_t registry_count(const struct registry *registry, enum registry_transport transport, enum registry_state state)
{
	if ((unsigned int)transport >= REGISTRY_TRANSPORTS || (unsigned int)state >= REGISTRY_STATES)
		return 0;
	return registry->counts[transport][state];
}

size_t registry_bytes(const struct registry *registry)
{
	return sizeof(*registry) + (size_t)registry->ports * REGISTRY_TRANSPORTS * sizeof(*registry->index) +
	       registry->entries_count * sizeof(*registry->entries) + registry->strings_len + strlen(registry->source) +
	       1;
}

enum registry_range registry_range(uint16_t port)
{
	if (port <= 1023)
		return REGISTRY_SYSTEM;
	return port <= 49151 ? REGISTRY_USER : REGISTRY_DYNAMIC;
}

const char *registry_transport_name(enum registry_transport transport)
{
	static const char *const names[] = {
	    [REGISTRY_TCP] = "tcp", [REGISTRY_UDP] = "udp", [REGISTRY_SCTP] = "sctp", [REGISTRY_DCCP] = "dccp"};

	return (unsigned int)transport < REGISTRY_TRANSPORTS ? names[transport] : "";
}

const char *registry_state_name(enum registry_state state)
{
	static const char *const names[] = {[REGISTRY_NOT_LISTED] = "not-listed",
					    [REGISTRY_ASSIGNED] = "assigned",
					    [REGISTRY_RESERVED] = "reserved",
					    [REGISTRY_DEASSIGNED] = "de-assigned",
					    [REGISTRY_UNASSIGNED] = "unassigned"};

	return (unsigned int)state < REGISTRY_STATES ? names[state] : "";
}

const char *registry_range_name(enum registry_range range)
{
	static const char *const names[] = {
	    [REGISTRY_SYSTEM] = "system", [REGISTRY_USER] = "user", [REGISTRY_DYNAMIC] = "dynamic"};

	return (unsigned int)range <= REGISTRY_DYNAMIC ? names[range] : "";
}

const char *registry_next_name(const char *name)
{
	return name + strlen(name) + 1;
}
