/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names of all fields stand here and nowhere else, in the order in which they are written. They are a promise to
 * whoever has a query on them: one is added, none is renamed.
 */
#include "user/encode/ecs.h"

#include <linux/types.h> /* before the contract with the kernel side, which includes nothing */
#include <string.h>
#include <sys/socket.h>

#include "bpf/bindwatch.h"
#include "user/base/address.h"
#include "user/base/ipproto.h"
#include "user/base/utf8.h"
#include "user/encode/ecs_parts.h"
#include "user/encode/names.h"
#include "user/encode/sentence.h"
#include "user/encode/timestamp.h"

#define ECS_VERSION "9.4.0"

/*
 * Bounds of what the registry gives, for one event must fit ENCODE_EVENT_MAX whatever file the registry was read from.
 * IANA's longest title has 255 bytes, its longest name 15 (RFC 6335, section 5.1), and no port has more than 3 names.
 */
#define TITLE_MAX 1024
#define NAMES_MAX 16

/* Bytes told of one text of a policy, and techniques told of one rule. */
#define POLICY_TEXT_MAX 1024
#define TECHNIQUES_MAX  16
#define TECHNIQUE_BYTES 16 /* "T1205.001" */

/* The message before it is escaped for JSON: user/encode/sentence.h bounds each part of it. */
#define MESSAGE_MAX 4096

/* value: a literal */
static void member_array_of_one(struct json *json, const char *key, const char *value)
{
	json_key(json, key);
	json_array_begin(json);
	json_text(json, value);
	json_array_end(json);
}

void member_time(struct json *json, const char *key, uint64_t time_ns)
{
	char text[32];
	struct encode_buffer buffer = {.data = text, .size = sizeof(text)};
	struct writer writer;

	writer_begin(&writer, &buffer);
	timestamp_write_utc(&writer, time_ns);
	(void)writer_end(&writer, &buffer);
	json_key(json, key);
	json_text_len(json, text, buffer.used);
}

static void write_message(struct json *json, const struct encode_host *host, const struct event *event)
{
	char text[MESSAGE_MAX];
	struct encode_buffer buffer = {.data = text, .size = sizeof(text)};
	struct writer writer;

	writer_begin(&writer, &buffer);
	write_sentence(&writer, host, event);
	/* MESSAGE_MAX holds the longest, which a test proves; were it not so, the event would go without its message */
	if (writer_end(&writer, &buffer) != 0)
		return;
	json_key(json, "message");
	json_text_len(json, text, buffer.used);
}

void ecs_write_boot_id(struct writer *writer, const struct encode_host *host)
{
	for (size_t i = 0; i < sizeof(host->boot_id) && host->boot_id[i]; i++) {
		if (host->boot_id[i] != '-')
			writer_char(writer, host->boot_id[i]);
	}
}

/*
 * Unique, and the same however often the event is sent: the boot, the moment in it, and the CPU, which cannot end two
 * binds in one nanosecond.
 */
static void write_id(struct json *json, const struct encode_host *host, const struct event *event)
{
	char text[sizeof(host->boot_id) + 2 * 17];
	struct encode_buffer buffer = {.data = text, .size = sizeof(text)};
	struct writer writer;

	writer_begin(&writer, &buffer);
	ecs_write_boot_id(&writer, host);
	writer_char(&writer, '-');
	writer_hex(&writer, event->boot_ns);
	writer_char(&writer, '-');
	writer_hex(&writer, event->cpu);
	if (writer_end(&writer, &buffer) != 0)
		return;
	json_key(json, "id");
	json_text_len(json, text, buffer.used);
}

/* ECS event.kind, .category and .type of each action; a NULL category: "network". */
static const struct {
	const char *kind, *category, *type;
} kinds[EVENT_ACTIONS] = {
        [EVENT_BOUND] = {"event", "network", "start"},      [EVENT_LISTEN] = {"event", "network", "start"},
        [EVENT_CLOSED] = {"event", "network", "end"},       [EVENT_EXISTING] = {"state", "network", "info"},
        [EVENT_LOST] = {"pipeline_error", "host", "error"}, [EVENT_SILENT] = {"pipeline_error", "host", "error"},
};

/* text: of a policy file; NULL: there is none */
static void member_policy(struct json *json, const char *key, const char *text)
{
	if (!text)
		return;
	json_key(json, key);
	json_text_len(json, text, text_bounded(text, POLICY_TEXT_MAX));
}

/* The ids of the list that have a sub-technique, in full; or every one without it: "T1205" of "T1205.001". */
static void write_technique_ids(struct json *json, const char *list, bool whole)
{
	json_key(json, "id");
	json_array_begin(json);
	for (size_t i = 0; *list && i < TECHNIQUES_MAX; i++) {
		size_t length = strcspn(list, " "), name = strcspn(list, " .");

		if (length <= TECHNIQUE_BYTES && (!whole || name < length))
			json_text_len(json, list, whole ? length : name);
		list += length + (list[length] == ' ');
	}
	json_array_end(json);
}

/* "T1571 T1205.001": a technique of ATT&CK, or a part of one, which ECS keeps apart. */
static void write_techniques(struct json *json, const struct event_verdict *verdict)
{
	const char *list = verdict->techniques;

	if (!list || !*list)
		return;
	member_object(json, "threat");
	member_string(json, "framework", "MITRE ATT&CK");
	member_object(json, "technique");
	write_technique_ids(json, list, false);
	if (strchr(list, '.')) {
		member_object(json, "subtechnique");
		write_technique_ids(json, list, true);
		json_object_end(json);
	}
	json_object_end(json);
	json_object_end(json);
}

/* Of ECS only for an alert: to whoever asks for rule.name a rule that expects the bind is no find. */
static void write_rule(struct json *json, const struct event_verdict *verdict)
{
	if (verdict->verdict != VERDICT_ALERT)
		return;
	member_object(json, "rule");
	member_policy(json, "name", verdict->rule);
	member_policy(json, "ruleset", verdict->file);
	json_object_end(json);
	write_techniques(json, verdict);
}

static void write_policy(struct json *json, const struct event_verdict *verdict)
{
	if (verdict->verdict == VERDICT_NONE)
		return;
	member_object(json, "policy");
	member_string(json, "verdict", name_of_verdict(verdict->verdict));
	member_policy(json, "rule", verdict->rule);
	member_policy(json, "file", verdict->file);
	if (verdict->file)
		member_u64(json, "line", verdict->line);
	json_object_end(json);
}

static void write_event(struct json *json, const struct encode_host *host, const struct event *event)
{
	/* the scale of Elastic's detection rules, so that one dashboard sorts all */
	static const uint8_t severities[] = {[SEVERITY_INFORMATIONAL] = 1,
	                                     [SEVERITY_LOW] = 21,
	                                     [SEVERITY_MEDIUM] = 47,
	                                     [SEVERITY_HIGH] = 73,
	                                     [SEVERITY_CRITICAL] = 99};
	const struct event_verdict *verdict = &event->verdict;
	bool health = event->action == EVENT_LOST || event->action == EVENT_SILENT;

	member_object(json, "event");
	member_string(json, "kind", verdict->verdict == VERDICT_ALERT ? "alert" : kinds[event->action].kind);
	member_array_of_one(json, "category", kinds[event->action].category);
	member_array_of_one(json, "type", kinds[event->action].type);
	member_string(json, "action", name_of_action(event->action));
	if (!health && event->action != EVENT_EXISTING)
		member_string(json, "outcome", event->error ? "failure" : "success");
	if (event->action == EVENT_CLOSED && event->held_ns)
		member_u64(json, "duration", event->held_ns);
	if (event->action == EVENT_LOST) {
		member_time(json, "start", event->lost.since_ns);
		member_time(json, "end", event->time_ns);
	}
	write_id(json, host, event);
	member_u64(json, "sequence", event->sequence);
	member_string(json, "module", "bindwatch");
	member_string(json, "dataset", health ? "bindwatch.health" : "bindwatch.bind");
	if (verdict->verdict == VERDICT_ALERT && verdict->severity < sizeof(severities) &&
	    severities[verdict->severity])
		member_u64(json, "severity", severities[verdict->severity]);
	if (verdict->verdict == VERDICT_ALERT)
		member_policy(json, "reason", verdict->reason ? verdict->reason : verdict->message);
	json_object_end(json);
	write_rule(json, verdict);
}

static void write_endpoint(struct json *json, const char *key, const struct endpoint *endpoint)
{
	char text[ADDRESS_TEXT_MAX];
	size_t len = endpoint->has_address ? address_format(endpoint, text) : 0;

	if (!len && !endpoint->has_port)
		return;
	member_object(json, key);
	if (len) {
		json_key(json, "ip");
		json_text_len(json, text, len);
	}
	if (endpoint->has_port)
		member_u64(json, "port", endpoint->port);
	json_object_end(json);
}

/*
 * An IPv6 socket that is bound to an IPv4-mapped address carries IPv4 on the wire, and IPv4 only (RFC 3493, section
 * 3.7): network.type says ipv4, server.ip keeps the form in which it was bound.
 */
static const char *network_type(const struct event *event)
{
	if (event->family == AF_INET || address_is_mapped(&event->facts.server))
		return "ipv4";
	return event->family == AF_INET6 ? "ipv6" : NULL;
}

static void write_network(struct json *json, const struct event *event)
{
	/* MPTCP is TCP on the wire (RFC 8684): 262 is no number of IANA's, but the kernel's own for the socket */
	uint16_t number = event->protocol == IPPROTO_MPTCP ? IPPROTO_TCP : event->protocol;

	member_object(json, "network");
	member_string(json, "transport", name_of_protocol(number));
	member_string(json, "type", network_type(event));
	if (number <= UINT8_MAX)
		member_u64_string(json, "iana_number", number);
	json_object_end(json);
}

/* The name, or the number where it has none. */
static void write_error_code(struct json *json, const struct event *event)
{
	const char *name = errno_name(event->error);

	if (!event->error)
		return;
	member_object(json, "error");
	if (*name)
		member_string(json, "code", name);
	else
		member_u64_string(json, "code", (uint64_t)(unsigned int)event->error);
	json_object_end(json);
}

static void write_host(struct json *json, const struct encode_host *host)
{
	member_object(json, "host");
	member_hostile(json, "hostname", host->hostname, sizeof(host->hostname));
	member_object(json, "boot");
	json_key(json, "id");
	json_text_len(json, host->boot_id, strnlen(host->boot_id, sizeof(host->boot_id)));
	json_object_end(json);
	json_object_end(json);
}

static void write_registry(struct json *json, const struct encode_host *host, const struct registry_entry *entry)
{
	const char *name;

	if (!entry)
		return;
	member_object(json, "registry");
	member_string(json, "state", registry_state_name(entry->state));
	if (entry->names_count) {
		json_key(json, "service");
		json_array_begin(json);
		name = entry->names;
		for (unsigned int i = 0; i < entry->names_count && i < NAMES_MAX; i++) {
			if (i)
				name = registry_next_name(name);
			json_text_len(json, name, text_bounded(name, NAME_MAX_BYTES));
		}
		json_array_end(json);
	}
	if (entry->title[0]) {
		json_key(json, "title");
		json_text_len(json, entry->title, text_bounded(entry->title, TITLE_MAX));
	}
	member_string(json, "snapshot", host->registry_date);
	json_object_end(json);
}

/* The name, or "#7" where only the index is known. */
static void write_device(struct json *json, const struct event *event)
{
	char text[sizeof("#4294967295")] = "#";
	struct encode_buffer buffer = {.data = text, .size = sizeof(text), .used = 1};
	struct writer writer;

	if (!event->device)
		return;
	json_key(json, "device");
	if (event->device_name[0]) {
		json_hostile_string(json, event->device_name, strnlen(event->device_name, sizeof(event->device_name)));
		return;
	}
	writer_begin(&writer, &buffer);
	writer_u64(&writer, event->device);
	(void)writer_end(&writer, &buffer);
	json_text_len(json, text, buffer.used);
}

static void write_socket(struct json *json, const struct event *event)
{
	const char *type = name_of_socket_type(event->type), *protocol = name_of_protocol(event->protocol);
	uint32_t flags = event->socket_flags;

	member_object(json, "socket");
	if (type)
		member_string(json, "type", type);
	else
		member_u64_string(json, "type", event->type);
	if (protocol)
		member_string(json, "protocol", protocol);
	else
		member_u64_string(json, "protocol", event->protocol);
	if (event->family == AF_INET6)
		member_bool(json, "v6only", flags & BW_SOCKET_V6ONLY);
	if (!(flags & BW_SOCKET_REUSE_UNKNOWN)) {
		member_bool(json, "reuseport", flags & BW_SOCKET_REUSEPORT);
		member_bool(json, "reuseaddr", flags & BW_SOCKET_REUSEADDR);
	}
	if (!(flags & BW_SOCKET_INET_UNKNOWN)) {
		member_bool(json, "freebind", flags & BW_SOCKET_FREEBIND);
		member_bool(json, "transparent", flags & BW_SOCKET_TRANSPARENT);
	}
	if (!(flags & BW_SOCKET_KERNEL_UNKNOWN))
		member_bool(json, "kernel", flags & BW_SOCKET_KERNEL);
	if (event->action == EVENT_EXISTING)
		member_bool(json, "listening", event->listening);
	write_device(json, event);
	if (event->cookie)
		member_u64_string(json, "cookie", event->cookie);
	json_object_end(json);
}

static void member_inode(struct json *json, const char *key, uint32_t inode)
{
	if (!inode)
		return;
	member_object(json, key);
	member_u64(json, "inode", inode);
	json_object_end(json);
}

static void write_pidns(struct json *json, const struct event *event)
{
	if (!event->pidns_pid)
		return;
	member_object(json, "pidns");
	member_u64(json, "pid", event->pidns_pid);
	member_u64(json, "inode", event->pidns_inode);
	json_object_end(json);
}

static void write_holders(struct json *json, const struct event *event)
{
	if (event->action != EVENT_EXISTING || (!event->holders_count && !event->holders_known))
		return;
	json_key(json, "holders");
	json_array_begin(json);
	for (size_t i = 0; i < event->holders_count && i < EVENT_HOLDERS_MAX; i++) {
		json_object_begin(json);
		member_u64(json, "pid", event->holders[i].pid);
		member_hostile(json, "name", event->holders[i].comm, EVENT_COMM_LEN);
		json_object_end(json);
	}
	json_array_end(json);
	if (event->holders_count > EVENT_HOLDERS_MAX)
		member_u64(json, "holders_not_shown", event->holders_count - EVENT_HOLDERS_MAX);
}

static void write_capture(struct json *json, const struct event *event)
{
	if (!name_of_plan(event->plan) && !event->hook)
		return;
	member_object(json, "capture");
	member_string(json, "plan", name_of_plan(event->plan));
	member_string(json, "hook", event->hook);
	json_object_end(json);
}

/* What the events before it make of this one. */
static void write_patterns(struct json *json, uint32_t patterns)
{
	if (!(patterns & ((1U << PATTERNS) - 1)))
		return;
	json_key(json, "patterns");
	json_array_begin(json);
	for (uint32_t pattern = 1; pattern < 1U << PATTERNS; pattern <<= 1)
		if (patterns & pattern)
			json_text(json, name_of_pattern(pattern));
	json_array_end(json);
}

static void write_own_socket(struct json *json, const struct encode_host *host, const struct event *event)
{
	const struct event_facts *facts = &event->facts;

	write_endpoint(json, "requested", &event->requested);
	/* BW_SOCKET_PORT_ASKED: known of the socket, where the call that asked for it is not told */
	if (event->requested.has_port || facts->ephemeral || (event->socket_flags & BW_SOCKET_PORT_ASKED))
		member_bool(json, "ephemeral", facts->ephemeral);
	if (facts->server.has_port) {
		member_string(json, "port_class", registry_range_name(facts->range));
		member_bool(json, "privileged", facts->privileged);
	}
	if (event->socket_flags & BW_SOCKET_UNTOLD)
		member_bool(json, "untold_bind", true);
	write_registry(json, host, facts->registry);
	member_string(json, "exposure", name_of_exposure(facts->exposure));
	write_patterns(json, facts->patterns);
	write_socket(json, event);
	if (event->has_backlog)
		member_u64(json, "backlog", event->backlog);
	member_inode(json, "netns", event->netns_inode);
	write_pidns(json, event);
	write_holders(json, event);
	ecs_write_own_process(json, host, event);
}

static void write_own(struct json *json, const struct encode_host *host, const struct event *event)
{
	member_object(json, "bindwatch");
	if (event->action == EVENT_LOST) {
		member_object(json, "lost");
		member_u64(json, "count", event->lost.count);
		member_string(json, "cause", event->lost.cause);
		json_object_end(json);
	} else if (event->action == EVENT_SILENT) {
		member_object(json, "silent");
		member_string(json, "cause", event->cause);
		json_object_end(json);
	} else {
		write_own_socket(json, host, event);
	}
	write_policy(json, &event->verdict);
	write_capture(json, event);
	json_object_end(json);
}

int ecs_event(const struct encode_host *host, const struct event *event, struct encode_buffer *buffer)
{
	struct json json;

	json_begin(&json, buffer);
	json_object_begin(&json);
	member_time(&json, "@timestamp", event->time_ns);
	member_object(&json, "ecs");
	member_string(&json, "version", ECS_VERSION);
	json_object_end(&json);
	write_message(&json, host, event);
	write_event(&json, host, event);
	if (event->action != EVENT_LOST && event->action != EVENT_SILENT) {
		/* the bound end serves; destination holds the same for queries that know only that pair of ECS */
		write_endpoint(&json, "server", &event->facts.server);
		write_endpoint(&json, "destination", &event->facts.server);
		write_network(&json, event);
		ecs_write_process(&json, host, event);
		ecs_write_container(&json, event);
		write_error_code(&json, event);
	}
	write_host(&json, host);
	write_own(&json, host, event);
	json_object_end(&json);
	json_line_end(&json);
	return json_end(&json);
}
