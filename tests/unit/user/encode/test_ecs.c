/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>

#include "tests/unit/user/encode/sample.h"
#include "user/encode/ecs.h"

static char line[ENCODE_EVENT_MAX + 1];

static size_t encode(const struct encode_host *host, const struct event *event)
{
	struct encode_buffer buffer = {.data = line, .size = ENCODE_EVENT_MAX};

	assert_int_equal(ecs_event(host, event, &buffer), 0);
	assert_true(buffer.used > 0 && line[buffer.used - 1] == '\n');
	line[buffer.used] = '\0';
	assert_ptr_equal(strchr(line, '\n'), line + buffer.used - 1);
	return buffer.used;
}

static json_t *parse(const struct encode_host *host, const struct event *event)
{
	json_error_t error;
	json_t *document;

	encode(host, event);
	document = json_loads(line, JSON_REJECT_DUPLICATES, &error);
	if (!document)
		fail_msg("%s: %s", error.text, line);
	return document;
}

/* "a.b.c" in nested objects; NULL: absent */
static json_t *find(json_t *document, const char *path)
{
	char name[64];

	while (document && *path) {
		size_t len = strcspn(path, ".");

		memcpy(name, path, len);
		name[len] = '\0';
		document = json_object_get(document, name);
		path += len + (path[len] == '.');
	}
	return document;
}

#define TEXT_OF(document, path)	  json_string_value(find(document, path))
#define NUMBER_OF(document, path) json_integer_value(find(document, path))

/* Every field of an alert, its type, its order: whoever changes this line changes a promise. */
static void ecs_whole_alert(void **state)
{
	static const char expected[] =
	    "{\"@timestamp\":\"2026-11-22T04:27:34.123456789Z\",\"ecs\":{\"version\":\"9.4.0\"},"
	    "\"message\":\"nginx (pid 123, uid 33) bound tcp 0.0.0.0:80 (http)\","
	    "\"event\":{\"kind\":\"alert\",\"category\":[\"network\"],\"type\":[\"start\"],"
	    "\"action\":\"bound-socket\",\"outcome\":\"success\","
	    "\"id\":\"5a2b428ef0c64f47aff17ddc470ea2bd-4e9498aacd15-a\",\"sequence\":42,"
	    "\"module\":\"bindwatch\",\"dataset\":\"bindwatch.bind\",\"severity\":73},"
	    "\"rule\":{\"name\":\"privileged-port\"},"
	    "\"server\":{\"ip\":\"0.0.0.0\",\"port\":80},\"destination\":{\"ip\":\"0.0.0.0\",\"port\":80},"
	    "\"network\":{\"transport\":\"tcp\",\"type\":\"ipv4\",\"iana_number\":\"6\"},"
	    "\"process\":{\"pid\":123,\"thread\":{\"id\":124},\"name\":\"nginx\","
	    "\"real_user\":{\"id\":\"33\"},\"real_group\":{\"id\":\"34\"}},"
	    "\"user\":{\"id\":\"33\"},\"group\":{\"id\":\"34\"},"
	    "\"host\":{\"hostname\":\"web-1\",\"boot\":{\"id\":\"5a2b428e-f0c6-4f47-aff1-7ddc470ea2bd\"}},"
	    "\"bindwatch\":{\"requested\":{\"ip\":\"0.0.0.0\",\"port\":80},\"ephemeral\":false,"
	    "\"port_class\":\"system\",\"privileged\":true,"
	    "\"registry\":{\"state\":\"assigned\",\"service\":[\"http\",\"www\",\"www-http\"],"
	    "\"title\":\"World Wide Web HTTP\",\"snapshot\":\"2026-08-17\"},"
	    "\"exposure\":\"wildcard\","
	    "\"socket\":{\"type\":\"stream\",\"protocol\":\"tcp\",\"reuseport\":false,\"reuseaddr\":true,"
	    "\"freebind\":false,\"transparent\":false,\"kernel\":false,\"cookie\":\"18446744073709551615\"},"
	    "\"netns\":{\"inode\":4026531840},\"policy\":{\"verdict\":\"alert\",\"rule\":\"privileged-port\"},"
	    "\"capture\":{\"plan\":\"trampoline\",\"hook\":\"fexit/inet_bind_sk\"}}}\n";
	struct event event = sample_alert();
	json_t *document = parse(&sample_host, &event);

	(void)state;
	assert_string_equal(line, expected);
	json_decref(document);
}

/* What is not known is absent: this is all that is left. */
static void ecs_unknown_is_absent(void **state)
{
	static const char expected[] =
	    "{\"@timestamp\":\"1970-01-01T00:00:00.000000000Z\",\"ecs\":{\"version\":\"9.4.0\"},"
	    "\"message\":\"no process that is seen could not bind 300 -: error 999\","
	    "\"event\":{\"kind\":\"event\",\"category\":[\"network\"],\"type\":[\"start\"],"
	    "\"action\":\"bound-socket\",\"outcome\":\"failure\","
	    "\"id\":\"5a2b428ef0c64f47aff17ddc470ea2bd-1-0\",\"sequence\":1,"
	    "\"module\":\"bindwatch\",\"dataset\":\"bindwatch.bind\"},\"network\":{},"
	    "\"user\":{\"id\":\"0\"},\"group\":{\"id\":\"0\"},\"error\":{\"code\":\"999\"},"
	    "\"host\":{\"hostname\":\"web-1\",\"boot\":{\"id\":\"5a2b428e-f0c6-4f47-aff1-7ddc470ea2bd\"}},"
	    "\"bindwatch\":{\"socket\":{\"type\":\"0\",\"protocol\":\"300\",\"reuseport\":false,"
	    "\"reuseaddr\":false,\"freebind\":false,\"transparent\":false,\"kernel\":false}}}\n";
	struct event event = sample_unknown();
	json_t *document = parse(&sample_host, &event);

	(void)state;
	assert_string_equal(line, expected);
	json_decref(document);
}

static void ecs_protocols(void **state)
{
	static const struct {
		uint16_t protocol, type;
		const char *transport, *number, *own, *type_name;
	} table[] = {
	    {IPPROTO_TCP, SOCK_STREAM, "tcp", "6", "tcp", "stream"},
	    {IPPROTO_MPTCP, SOCK_STREAM, "tcp", "6", "mptcp", "stream"},
	    {IPPROTO_UDP, SOCK_DGRAM, "udp", "17", "udp", "dgram"},
	    {IPPROTO_UDPLITE, SOCK_DGRAM, "udplite", "136", "udplite", "dgram"},
	    {IPPROTO_SCTP, SOCK_SEQPACKET, "sctp", "132", "sctp", "seqpacket"},
	    {IPPROTO_DCCP, SOCK_DCCP, "dccp", "33", "dccp", "dccp"},
	    {200, 9, NULL, "200", "200", "9"},
	    {300, 9, NULL, NULL, "300", "9"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct event event = sample_alert();
		json_t *document;

		event.protocol = table[i].protocol;
		event.type = table[i].type;
		document = parse(&sample_host, &event);
		if (table[i].transport)
			assert_string_equal(TEXT_OF(document, "network.transport"), table[i].transport);
		else
			assert_null(find(document, "network.transport"));
		if (table[i].number)
			assert_string_equal(TEXT_OF(document, "network.iana_number"), table[i].number);
		else
			assert_null(find(document, "network.iana_number"));
		assert_string_equal(TEXT_OF(document, "bindwatch.socket.protocol"), table[i].own);
		assert_string_equal(TEXT_OF(document, "bindwatch.socket.type"), table[i].type_name);
		json_decref(document);
	}
}

static void ecs_addresses(void **state)
{
	static const struct {
		const char *address, *type;
		bool v6only_there;
	} table[] = {
	    {"192.0.2.1", "ipv4", false},
	    {"2001:db8::1", "ipv6", true},
	    {"::ffff:127.0.0.1", "ipv4", true},
	    {"::", "ipv6", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct event event = sample_alert();
		json_t *document;

		event.facts.server = sample_endpoint(table[i].address, 53);
		event.family = event.facts.server.family;
		event.socket_flags = BW_SOCKET_V6ONLY;
		document = parse(&sample_host, &event);
		assert_string_equal(TEXT_OF(document, "server.ip"), table[i].address);
		assert_string_equal(TEXT_OF(document, "destination.ip"), table[i].address);
		assert_int_equal(NUMBER_OF(document, "server.port"), 53);
		assert_string_equal(TEXT_OF(document, "network.type"), table[i].type);
		assert_int_equal(json_is_true(find(document, "bindwatch.socket.v6only")), table[i].v6only_there);
		assert_int_equal(find(document, "bindwatch.socket.v6only") != NULL, table[i].v6only_there);
		json_decref(document);
	}
}

static void ecs_partly_known_server(void **state)
{
	struct event event = sample_alert();
	json_t *document;

	(void)state;
	event.facts.server.has_port = false;
	document = parse(&sample_host, &event);
	assert_string_equal(TEXT_OF(document, "server.ip"), "0.0.0.0");
	assert_null(find(document, "server.port"));
	assert_null(find(document, "bindwatch.port_class"));
	assert_null(find(document, "bindwatch.privileged"));
	json_decref(document);

	event = sample_alert();
	event.facts.server.has_address = false;
	document = parse(&sample_host, &event);
	assert_int_equal(NUMBER_OF(document, "server.port"), 80);
	assert_null(find(document, "server.ip"));
	json_decref(document);
}

static void ecs_flags_one_by_one(void **state)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} table[] = {
	    {BW_SOCKET_V6ONLY, "bindwatch.socket.v6only"},
	    {BW_SOCKET_REUSEADDR, "bindwatch.socket.reuseaddr"},
	    {BW_SOCKET_REUSEPORT, "bindwatch.socket.reuseport"},
	    {BW_SOCKET_FREEBIND, "bindwatch.socket.freebind"},
	    {BW_SOCKET_TRANSPARENT, "bindwatch.socket.transparent"},
	    {BW_SOCKET_KERNEL, "bindwatch.socket.kernel"},
	};
	size_t count = sizeof(table) / sizeof(table[0]);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		struct event event = sample_alert();
		json_t *document;

		event.family = AF_INET6;
		event.socket_flags = table[i].flag;
		document = parse(&sample_host, &event);
		for (size_t j = 0; j < count; j++)
			assert_true(i == j ? json_is_true(find(document, table[j].name))
					   : json_is_false(find(document, table[j].name)));
		json_decref(document);
	}
}

static void ecs_severities(void **state)
{
	static const struct {
		enum severity severity;
		int number;
	} table[] = {{SEVERITY_LOW, 21}, {SEVERITY_MEDIUM, 47}, {SEVERITY_HIGH, 73}, {SEVERITY_CRITICAL, 99}};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct event event = sample_alert();
		json_t *document;

		event.verdict.severity = table[i].severity;
		document = parse(&sample_host, &event);
		assert_int_equal(NUMBER_OF(document, "event.severity"), table[i].number);
		json_decref(document);
	}
}

static void ecs_failure_and_device(void **state)
{
	struct event event = sample_alert();
	json_t *document;

	(void)state;
	event.error = EADDRINUSE;
	event.verdict = (struct event_verdict){.rule = NULL};
	event.device = 7;
	document = parse(&sample_host, &event);
	assert_string_equal(TEXT_OF(document, "error.code"), "EADDRINUSE");
	assert_string_equal(TEXT_OF(document, "event.outcome"), "failure");
	assert_string_equal(TEXT_OF(document, "event.kind"), "event");
	assert_null(find(document, "rule"));
	assert_null(find(document, "event.severity"));
	assert_string_equal(TEXT_OF(document, "message"),
			    "nginx (pid 123, uid 33) could not bind tcp 0.0.0.0%#7:80 (http): EADDRINUSE");
	assert_string_equal(TEXT_OF(document, "bindwatch.socket.device"), "#7");
	json_decref(document);

	memcpy(event.device_name, "eth0", sizeof("eth0"));
	document = parse(&sample_host, &event);
	assert_string_equal(TEXT_OF(document, "bindwatch.socket.device"), "eth0");
	json_decref(document);
}

/* The inverse that user/encode/json.h documents. */
static void assert_decodes_to(json_t *value, const char *expected)
{
	const char *text = json_string_value(value);
	char back[512];
	size_t used = 0;

	assert_non_null(text);
	for (; *text; text++) {
		if (text[0] == '\\' && text[1] == 'x') {
			char digits[3] = {text[2], text[3], '\0'};

			back[used++] = (char)strtoul(digits, NULL, 16);
			text += 3;
		} else {
			text += text[0] == '\\';
			back[used++] = *text;
		}
	}
	back[used] = '\0';
	assert_string_equal(back, expected);
}

static void fill_random(char *bytes, size_t size)
{
	static const char pieces[] = "\\\\\"x0\n\x1b\x7f\xc2\x80\xe2\x80\xae\xf0\x9f\x98\xed\xff{}:,a";
	size_t len = (size_t)random() % size;
	bool any = random() % 2;

	memset(bytes, 0, size);
	for (size_t i = 0; i < len; i++)
		bytes[i] = any ? (char)(1 + random() % 255) : pieces[(size_t)random() % (sizeof(pieces) - 1)];
}

static void ecs_hostile_bytes_come_back(void **state)
{
	struct encode_host host = sample_host;
	struct event event = sample_alert();

	(void)state;
	srandom(4);
	event.device = 2;
	for (unsigned int round = 0; round < 20000; round++) {
		json_t *document;

		fill_random(event.comm, sizeof(event.comm));
		fill_random(event.device_name, sizeof(event.device_name));
		fill_random(host.hostname, sizeof(host.hostname));
		document = parse(&host, &event);
		assert_decodes_to(find(document, "process.name"), event.comm);
		assert_decodes_to(find(document, "host.hostname"), host.hostname);
		if (event.device_name[0])
			assert_decodes_to(find(document, "bindwatch.socket.device"), event.device_name);
		for (const char *c = json_string_value(find(document, "message")); *c; c++)
			assert_true((uint8_t)*c >= 0x20 && *c != 0x7f);
		json_decref(document);
	}
}

/* Not NUL-terminated, as no decoder should leave it: not read past its end all the same. */
static void ecs_unterminated_names(void **state)
{
	struct encode_host host = sample_host;
	struct event event = sample_alert();
	json_t *document;

	(void)state;
	event.device = 1;
	memset(event.comm, 'c', sizeof(event.comm));
	memset(event.device_name, 'd', sizeof(event.device_name));
	memset(host.hostname, 'h', sizeof(host.hostname));
	document = parse(&host, &event);
	assert_string_equal(TEXT_OF(document, "process.name"), "cccccccccccccccc");
	assert_string_equal(TEXT_OF(document, "bindwatch.socket.device"), "dddddddddddddddd");
	json_decref(document);
}

/* Absent where there is none; each by its name; bits that are none of ours say nothing. */
static void ecs_patterns(void **state)
{
	static const struct {
		uint32_t patterns;
		const char *written;
	} table[] = {
	    {0, NULL},
	    {1U << PATTERNS, NULL},
	    {PATTERN_SECOND_OWNER, "[\"second-owner\"]"},
	    {PATTERN_SWEEP | PATTERN_TAKEOVER, "[\"sweep\", \"takeover\"]"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct event event = sample_alert();
		json_t *document, *found;
		char *text;

		event.facts.patterns = table[i].patterns;
		(void)encode(&sample_host, &event);
		document = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
		found = find(document, "bindwatch.patterns");
		assert_int_equal(found == NULL, table[i].written == NULL);
		if (found) {
			text = json_dumps(found, 0);
			assert_string_equal(text, table[i].written);
			free(text);
		}
		json_decref(document);
	}
}

static void make_worst(struct encode_host *host, struct event *event)
{
	*host = sample_host;
	*event = sample_alert();
	sample_fill(host->hostname, sizeof(host->hostname), '\x01');
	sample_fill(event->comm, sizeof(event->comm), '\x01');
	sample_fill(event->device_name, sizeof(event->device_name), '\x01');
	event->time_ns = event->boot_ns = event->cookie = UINT64_MAX;
	event->sequence = INT64_MAX; /* what a `long` of the schema, and of the parser, holds */
	event->pid = event->tid = event->uid = event->gid = event->cpu = event->device = UINT32_MAX;
	event->netns_inode = UINT32_MAX;
	event->error = ENOTRECOVERABLE;
	event->family = AF_INET6;
	event->type = event->protocol = UINT16_MAX;
	event->requested = sample_endpoint("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535);
	event->facts.server = event->requested;
	event->hook = "kretprobe/inet6_bind_sk_and_some_more_than_any_hook";
	event->facts.patterns = UINT32_MAX;
	event->verdict.severity = SEVERITY_CRITICAL;
}

/* No port of the registry makes an event that does not fit, or loses a byte of its title or names. */
static void ecs_every_port_of_the_registry_fits(void **state)
{
	static const char *seen; /* neighbours share their title */
	struct registry *registry;
	struct encode_host host;
	struct event event;
	size_t longest = 0;

	(void)state;
	assert_int_equal(registry_open_embedded(&registry), 0);
	make_worst(&host, &event);
	for (unsigned int port = 0; port <= UINT16_MAX; port++) {
		for (unsigned int transport = 0; transport < REGISTRY_TRANSPORTS; transport++) {
			const struct registry_entry *entry =
			    registry_lookup(registry, (uint16_t)port, (enum registry_transport)transport);
			json_t *document;
			size_t len;

			if (entry->title == seen)
				continue;
			seen = entry->title;
			event.facts.registry = entry;
			len = encode(&host, &event);
			longest = len > longest ? len : longest;
			document = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
			assert_non_null(document);
			if (entry->title[0])
				assert_string_equal(TEXT_OF(document, "bindwatch.registry.title"), entry->title);
			assert_int_equal(json_array_size(find(document, "bindwatch.registry.service")),
					 entry->names_count);
			json_decref(document);
		}
	}
	print_message("longest: %zu of %d bytes\n", longest, ENCODE_EVENT_MAX);
	registry_free(registry);
}

/* A registry of the site's own, with titles and names as long as no reader of one would let them be. */
static void ecs_worst_event_fits(void **state)
{
	static char names[255 * 200], title[5000];
	static char words[5000];
	struct registry_entry entry = {.names = names, .title = title, .names_count = 255, .state = REGISTRY_ASSIGNED};
	struct event_holder holders[EVENT_HOLDERS_MAX];
	struct process process = sample_worst_process();
	struct encode_host host;
	struct event event;
	json_t *document;
	size_t len;

	(void)state;
	make_worst(&host, &event);
	for (unsigned int i = 0; i < 255; i++)
		sample_fill(names + i * 200, 200, '"');
	sample_fill(title, sizeof(title), '"');
	event.facts.registry = &entry;
	event.process = &process;
	event.pidns_pid = event.pidns_inode = UINT32_MAX;
	event.credentials = sample_credentials();
	event.credentials.effective = event.credentials.permitted = UINT64_MAX;
	for (size_t i = 0; i < EVENT_HOLDERS_MAX; i++) {
		holders[i].pid = UINT32_MAX;
		memset(holders[i].comm, 0x01, sizeof(holders[i].comm));
	}
	event.action = EVENT_EXISTING;
	event.holders = holders;
	event.holders_count = INT64_MAX;
	sample_fill(words, sizeof(words), '\x01');
	event.verdict.rule = event.verdict.file = event.verdict.message = words;
	event.verdict.techniques = "T1205.001 T1205.001 T1205.001 T1205.001 T1205.001 T1205.001 T1205.001 T1205.001 "
				   "T1205.001 T1205.001 T1205.001 T1205.001 T1205.001 T1205.001 T1205.001 T1205.001 T";
	len = encode(&host, &event);
	print_message("worst: %zu of %d bytes\n", len, ENCODE_EVENT_MAX);
	document = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(find(document, "message"));
	assert_int_equal(json_array_size(find(document, "bindwatch.ancestors")), PROCESS_ANCESTORS_MAX);
	assert_int_equal(json_array_size(find(document, "threat.technique.id")), 16);
	json_decref(document);
	event.action = EVENT_BOUND; /* the caller's own ids in place of the holders */
	encode(&host, &event);
	assert_non_null(strstr(line, "\"message\":"));

	/* cut between characters only */
	for (size_t i = 0; i + 2 < sizeof(title); i += 2)
		memcpy(title + 1 + i, "\xc3\xa9", 2);
	title[0] = 'a';
	title[4001] = '\0';
	document = parse(&host, &event);
	assert_int_equal(json_string_length(find(document, "bindwatch.registry.title")), 1023);
	assert_null(strchr(TEXT_OF(document, "bindwatch.registry.title"), '\\'));
	json_decref(document);
}

/* A buffer of any smaller size is left as it was; nothing is written past its end (AddressSanitizer). */
static void ecs_too_small_leaves_the_buffer(void **state)
{
	struct event event = sample_alert();
	size_t whole = encode(&sample_host, &event);

	(void)state;
	for (size_t size = 1; size <= whole + 1; size++) {
		struct encode_buffer buffer = {.data = malloc(size), .size = size, .used = 1};

		assert_non_null(buffer.data);
		buffer.data[0] = '!';
		assert_int_equal(ecs_event(&sample_host, &event, &buffer), size <= whole ? -ENOBUFS : 0);
		assert_int_equal(buffer.used, size <= whole ? 1 : whole + 1);
		assert_int_equal(buffer.data[0], '!');
		free(buffer.data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ecs_whole_alert),
	    cmocka_unit_test(ecs_unknown_is_absent),
	    cmocka_unit_test(ecs_protocols),
	    cmocka_unit_test(ecs_addresses),
	    cmocka_unit_test(ecs_partly_known_server),
	    cmocka_unit_test(ecs_flags_one_by_one),
	    cmocka_unit_test(ecs_severities),
	    cmocka_unit_test(ecs_patterns),
	    cmocka_unit_test(ecs_failure_and_device),
	    cmocka_unit_test(ecs_hostile_bytes_come_back),
	    cmocka_unit_test(ecs_unterminated_names),
	    cmocka_unit_test(ecs_every_port_of_the_registry_fits),
	    cmocka_unit_test(ecs_worst_event_fits),
	    cmocka_unit_test(ecs_too_small_leaves_the_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
