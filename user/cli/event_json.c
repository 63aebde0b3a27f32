/* SPDX-License-Identifier: BSD-2-Clause */
/* The socket and the verdict of a line; event_json_process.c has the process. */
#include "user/cli/event_json.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/types.h> /* before the contract with the kernel side, which includes nothing */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "bpf/bindwatch.h"
#include "user/base/address.h"
#include "user/base/errno_name.h"
#include "user/base/ipproto.h"
#include "user/base/number.h"
#include "user/cli/event_json_parts.h"

/* Numbers of errors that have no name. */
#define ERRNO_MAX 4095

/* What the texts of an event are taken from; it lives as long as the event. */
struct event_json_texts {
	struct document document;
};

static const struct {
	const char *name;
	uint16_t protocol;
} protocols[] = {
        {"tcp", IPPROTO_TCP},   {"udp", IPPROTO_UDP},   {"udplite", IPPROTO_UDPLITE},
        {"sctp", IPPROTO_SCTP}, {"dccp", IPPROTO_DCCP}, {"mptcp", IPPROTO_MPTCP},
};

/* The name, or the number as text where the protocol has no ports. */
static void read_protocol(struct document *document, struct event *event)
{
	static const char path[] = "bindwatch.socket.protocol";
	const char *text = document_text(document, NULL, path);
	uint64_t number;

	for (size_t i = 0; text && i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		if (strcmp(protocols[i].name, text) != 0)
			continue;
		event->protocol = protocols[i].protocol;
		return;
	}
	if (text && number_parse(text, 0, UINT16_MAX, &number) == 0)
		event->protocol = (uint16_t)number;
	else
		document_refuse(document, path, text ? "there is no such protocol" : "it is missing");
}

/* "2026-11-22T04:27:34.123456789Z" */
static void read_time(struct document *document, struct event *event)
{
	const char *text = document_text(document, NULL, "@timestamp");
	struct tm tm = {0};
	uint64_t fraction;
	char digits[10];
	const char *rest = text ? strptime(text, "%Y-%m-%dT%H:%M:%S.", &tm) : NULL;

	if (!text)
		return;
	if (rest && strlen(rest) == 10 && rest[9] == 'Z') {
		(void)snprintf(digits, sizeof(digits), "%.9s", rest);
		if (number_parse(digits, 0, 999999999, &fraction) == 0) {
			event->time_ns = (uint64_t)timegm(&tm) * 1000000000 + fraction;
			return;
		}
	}
	document_refuse(document, "@timestamp", "it must be a time, as 2026-11-22T04:27:34.123456789Z");
}

static void read_endpoint(struct document *document, const char *path, struct endpoint *ret)
{
	const json_t *object = document_find(NULL, document, path);
	const char *ip = object ? document_text(document, object, "ip") : NULL;
	uint64_t port;

	if (!object)
		return;
	if (document_number(document, object, "port", UINT16_MAX, &port)) {
		ret->has_port = true;
		ret->port = (uint16_t)port;
	}
	if (!ip)
		return;
	ret->family = strchr(ip, ':') ? AF_INET6 : AF_INET;
	ret->has_address = inet_pton(ret->family, ip, ret->address) == 1;
	if (!ret->has_address)
		document_refuse(document, path, "its ip is no address");
}

static void read_error(struct document *document, struct event *event)
{
	const char *code = document_text(document, NULL, "error.code");
	const char *outcome = document_text(document, NULL, "event.outcome");
	uint64_t number;

	if (code) {
		event->error = errno_find(code);
		if (!event->error && number_parse(code, 1, ERRNO_MAX, &number) == 0)
			event->error = (int)number;
		if (!event->error)
			document_refuse(document, "error.code", "there is no such error");
	} else if (outcome && strcmp(outcome, "failure") == 0) {
		document_refuse(document, "error.code", "it is missing, though event.outcome is failure");
	}
}

/* A flag that the line does not tell is not known. */
static void read_socket_flags(struct document *document, struct event *event)
{
	static const struct {
		const char *path;
		uint32_t flag, unknown;
	} flags[] = {
	        {"bindwatch.socket.v6only", BW_SOCKET_V6ONLY, 0},
	        {"bindwatch.socket.reuseport", BW_SOCKET_REUSEPORT, BW_SOCKET_REUSE_UNKNOWN},
	        {"bindwatch.socket.reuseaddr", BW_SOCKET_REUSEADDR, BW_SOCKET_REUSE_UNKNOWN},
	        {"bindwatch.socket.freebind", BW_SOCKET_FREEBIND, BW_SOCKET_INET_UNKNOWN},
	        {"bindwatch.socket.transparent", BW_SOCKET_TRANSPARENT, BW_SOCKET_INET_UNKNOWN},
	        {"bindwatch.socket.kernel", BW_SOCKET_KERNEL, BW_SOCKET_KERNEL_UNKNOWN},
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		bool value = false;

		if (!document_bool(document, NULL, flags[i].path, &value))
			event->socket_flags |= flags[i].unknown;
		else if (value)
			event->socket_flags |= flags[i].flag;
		if (i == 0)
			event->family = document_find(NULL, document, flags[i].path) ? AF_INET6 : AF_INET;
	}
}

/* "eth0", or "#7": which index a name had is not told, only that there was one. */
static void read_device(struct document *document, struct event *event)
{
	const char *name = document_bytes(document, NULL, "bindwatch.socket.device", NULL);
	uint64_t index = 1;

	if (!name)
		return;
	if (name[0] != '#' || number_parse(name + 1, 1, UINT32_MAX, &index) != 0)
		(void)snprintf(event->device_name, sizeof(event->device_name), "%s", name);
	event->device = (uint32_t)index;
}

static void read_registry(struct document *document, struct event_json *json)
{
	struct registry_entry *entry = &json->registry;
	const json_t *object = document_find(NULL, document, "bindwatch.registry"), *name;
	const json_t *names = object ? document_array(document, object, "service") : NULL;
	uint32_t state = 0;
	size_t i, used = 0, size = 1;
	char *texts;

	if (!object || !document_word(document, object, "state", WORDS_STATE, &state))
		return;
	json_array_foreach(names, i, name) size += json_string_length(name) + 1;
	texts = arena_alloc(&document->arena, size);
	if (!texts) {
		document->failed = -ENOMEM;
		return;
	}
	json_array_foreach(names, i, name)
	{
		if (i == UINT8_MAX || !json_is_string(name)) {
			document_refuse(document, "bindwatch.registry.service", "it must be 255 texts, or fewer");
			return;
		}
		memcpy(texts + used, json_string_value(name), json_string_length(name) + 1);
		used += json_string_length(name) + 1;
	}
	entry->names = texts;
	entry->names_count = (uint8_t)json_array_size(names);
	entry->state = (uint8_t)state;
	entry->title = document_text(document, object, "title");
	entry->title = entry->title ? entry->title : "";
	json->event.facts.registry = entry;
}

/* The transport of the registry: MPTCP is TCP, UDP-Lite UDP, as classify() has it. */
static void find_transport(struct event *event)
{
	static const struct {
		uint16_t protocol;
		enum registry_transport transport;
	} transports[] = {
	        {IPPROTO_TCP, REGISTRY_TCP},     {IPPROTO_MPTCP, REGISTRY_TCP}, {IPPROTO_UDP, REGISTRY_UDP},
	        {IPPROTO_UDPLITE, REGISTRY_UDP}, {IPPROTO_SCTP, REGISTRY_SCTP}, {IPPROTO_DCCP, REGISTRY_DCCP},
	};

	for (size_t i = 0; i < sizeof(transports) / sizeof(transports[0]); i++) {
		if (transports[i].protocol != event->protocol)
			continue;
		event->facts.has_transport = true;
		event->facts.transport = transports[i].transport;
	}
}

/* Whether the port was chosen, and by whom: where the line does not say, it is not known. */
static void read_choice(struct document *document, struct event *event)
{
	bool known = document_bool(document, NULL, "bindwatch.ephemeral", &event->facts.ephemeral);
	bool untold;

	if (known && !event->facts.ephemeral && !event->requested.has_port)
		event->socket_flags |= BW_SOCKET_PORT_ASKED;
	if (document_bool(document, NULL, "bindwatch.untold_bind", &untold) && untold)
		event->socket_flags |= BW_SOCKET_UNTOLD;
	/* a listen asks for no port: it takes one itself, or has one */
	if (event->action == EVENT_LISTEN && event->facts.ephemeral && !event->requested.has_port)
		event->socket_flags |= BW_SOCKET_AUTOBOUND;
}

static void read_patterns(struct document *document, struct event *event)
{
	const json_t *patterns = document_array(document, NULL, "bindwatch.patterns"), *pattern;
	uint32_t flag;
	size_t i;

	json_array_foreach(patterns, i, pattern)
	{
		const char *name = json_string_value(pattern);

		if (!name || !event_word_find(WORDS_PATTERN, name, &flag))
			document_refuse(document, "bindwatch.patterns", "there is no such pattern");
		else
			event->facts.patterns |= flag;
	}
}

static void read_facts(struct document *document, struct event_json *json)
{
	struct event_facts *facts = &json->event.facts;
	uint32_t exposure;

	read_endpoint(document, "server", &facts->server);
	find_transport(&json->event);
	if (facts->server.has_port)
		facts->range = registry_range(facts->server.port);
	(void)document_bool(document, NULL, "bindwatch.privileged", &facts->privileged);
	if (document_word(document, NULL, "bindwatch.exposure", WORDS_EXPOSURE, &exposure))
		facts->exposure = (enum exposure)exposure;
	facts->dual_stack = json->event.family == AF_INET6 && facts->server.family == AF_INET6 &&
	                    address_is_wildcard(&facts->server) && !address_is_mapped(&facts->server) &&
	                    !(json->event.socket_flags & BW_SOCKET_V6ONLY);
	read_registry(document, json);
	read_patterns(document, &json->event);
}

static void read_socket(struct document *document, struct event_json *json)
{
	struct event *event = &json->event;
	uint64_t cookie;

	read_protocol(document, event);
	read_error(document, event);
	read_socket_flags(document, event);
	read_device(document, event);
	read_endpoint(document, "bindwatch.requested", &event->requested);
	read_choice(document, event);
	read_facts(document, json);
	if (event->action != EVENT_BOUND || !event->error)
		event->bound = event->facts.server;
	(void)document_u32(document, NULL, "bindwatch.netns.inode", &event->netns_inode);
	(void)document_bool(document, NULL, "bindwatch.socket.listening", &event->listening);
	event->has_backlog = document_u32(document, NULL, "bindwatch.backlog", &event->backlog);
	if (document_number(document, NULL, "bindwatch.socket.cookie", UINT64_MAX, &cookie))
		event->cookie = cookie;
	(void)document_number(document, NULL, "event.duration", UINT64_MAX, &event->held_ns);
}

/* event.severity: the scale of the encoder, from its number back. */
static void read_severity(struct document *document, struct event_verdict *verdict)
{
	static const uint8_t severities[] = {[SEVERITY_INFORMATIONAL] = 1,
	                                     [SEVERITY_LOW] = 21,
	                                     [SEVERITY_MEDIUM] = 47,
	                                     [SEVERITY_HIGH] = 73,
	                                     [SEVERITY_CRITICAL] = 99};
	uint64_t number;

	if (!document_number(document, NULL, "event.severity", UINT8_MAX, &number))
		return;
	for (size_t i = SEVERITY_INFORMATIONAL; i < sizeof(severities); i++) {
		if (severities[i] == number)
			verdict->severity = (enum severity)i;
	}
}

static void read_verdict(struct document *document, struct event_verdict *verdict)
{
	uint32_t value;

	if (!document_word(document, NULL, "bindwatch.policy.verdict", WORDS_VERDICT, &value))
		return;
	verdict->verdict = (enum verdict)value;
	verdict->rule = document_text(document, NULL, "bindwatch.policy.rule");
	verdict->file = document_text(document, NULL, "bindwatch.policy.file");
	(void)document_u32(document, NULL, "bindwatch.policy.line", &verdict->line);
	verdict->reason = document_text(document, NULL, "event.reason");
	read_severity(document, verdict);
}

static void read_health(struct document *document, struct event *event)
{
	event->cause = document_text(document, NULL, "bindwatch.silent.cause");
	event->cause = event->cause ? event->cause : "";
	event->lost.cause = document_text(document, NULL, "bindwatch.lost.cause");
	event->lost.cause = event->lost.cause ? event->lost.cause : "";
	(void)document_number(document, NULL, "bindwatch.lost.count", UINT64_MAX, &event->lost.count);
}

static void read_document(struct document *document, struct event_json *json)
{
	struct event *event = &json->event;
	uint32_t action;

	if (!document_word(document, NULL, "event.action", WORDS_ACTION, &action)) {
		document_refuse(document, "event.action",
		                "it is missing: give a line of 'bindwatch watch --output json'");
		return;
	}
	event->action = (enum event_action)action;
	event->hook = document_text(document, NULL, "bindwatch.capture.hook");
	read_time(document, event);
	(void)document_number(document, NULL, "event.sequence", UINT64_MAX, &event->sequence);
	read_verdict(document, &event->verdict);
	if (event->action == EVENT_LOST || event->action == EVENT_SILENT) {
		read_health(document, event);
		return;
	}
	read_socket(document, json);
	event_json_read_process(document, json);
}

static int parse(const char *line, size_t len, struct document *document)
{
	json_error_t error;

	if (len > EVENT_JSON_LINE_MAX) {
		(void)snprintf(document->error, document->error_size, "the line is longer than %u bytes",
		               EVENT_JSON_LINE_MAX);
		return -EINVAL;
	}
	document->root = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);
	if (!document->root) {
		(void)snprintf(document->error, document->error_size, "this is no JSON: %s (at byte %d)", error.text,
		               error.position);
		return json_error_code(&error) == json_error_out_of_memory ? -ENOMEM : -EINVAL;
	}
	if (!json_is_object(document->root)) {
		(void)snprintf(document->error, document->error_size,
		               "this is no object: give a line of 'bindwatch watch --output json'");
		return -EINVAL;
	}
	return 0;
}

int event_json_read(const char *line, size_t len, struct event_json **ret, char error[EVENT_JSON_ERROR_LEN])
{
	struct event_json *json = calloc(1, sizeof(*json));
	struct event_json_texts *texts = calloc(1, sizeof(*texts));
	int r;

	if (!json || !texts) {
		free(json);
		free(texts);
		return -ENOMEM;
	}
	json->texts = texts;
	texts->document.error = error;
	texts->document.error_size = EVENT_JSON_ERROR_LEN;
	r = parse(line, len, &texts->document);
	if (r == 0)
		read_document(&texts->document, json);
	r = r ? r : texts->document.failed;
	if (r < 0) {
		event_json_free(json);
		return r;
	}
	*ret = json;
	return 0;
}

void event_json_free(struct event_json *json)
{
	if (!json)
		return;
	json_decref(json->texts->document.root);
	arena_free(&json->texts->document.arena);
	free(json->texts);
	free(json);
}
