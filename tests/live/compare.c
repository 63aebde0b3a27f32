/* SPDX-License-Identifier: BSD-2-Clause */
/* What the monitor told against what the kernel answered the binder, field by field. */
#include "tests/live/live.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "registry/registry.h"
#include "user/encode/encode.h"

/* Between the boot clock of the record and the wall clock stands an offset that is measured, not exact. */
#define CLOCK_SLACK_NS 5000000LL

struct comparison {
	const json_t *event;
	const struct monitor *monitor;
	const struct bind_record *record;
	bool locked_down; /* kernel memory is out of reach: see missing_allowed() */
	int differences;
};

static void differ(struct comparison *c, const char *path, const char *format, ...)
        __attribute__((format(printf, 3, 4)));

static void differ(struct comparison *c, const char *path, const char *format, ...)
{
	va_list arguments;

	c->differences++;
	fprintf(stderr, "field %s: ", path);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

bool live_locked_down(void)
{
	FILE *file = fopen("/sys/kernel/security/lockdown", "re");
	char line[128] = "";
	bool locked_down;

	if (!file)
		return false;
	locked_down = fgets(line, sizeof(line), file) && strstr(line, "[confidentiality]");
	fclose(file);
	return locked_down;
}

/* What typed loads cannot tell must be missing there; what is told is compared as anywhere. */
static bool missing_allowed(const struct comparison *c, const char *path)
{
	static const char *const of_any[] = {"bindwatch.pidns.pid", "bindwatch.pidns.inode",
	                                     "bindwatch.socket.freebind", "bindwatch.socket.transparent"};
	static const char *const of_failed_v6[] = {"server.ip", "destination.ip", "bindwatch.exposure", "network.type"};
	static const char *const of_mptcp[] = {"bindwatch.socket.kernel", "bindwatch.socket.cookie"};
	const struct bind_record *record = c->record;

	if (!c->locked_down || live_field(c->event, path))
		return false;
	for (size_t i = 0; i < sizeof(of_any) / sizeof(of_any[0]); i++)
		if (strcmp(path, of_any[i]) == 0)
			return true;
	for (size_t i = 0; i < sizeof(of_failed_v6) / sizeof(of_failed_v6[0]); i++)
		if (strcmp(path, of_failed_v6[i]) == 0)
			return record->asked.ss_family == AF_INET6 && record->error;
	for (size_t i = 0; i < sizeof(of_mptcp) / sizeof(of_mptcp[0]); i++)
		if (strcmp(path, of_mptcp[i]) == 0)
			return record->protocol == IPPROTO_MPTCP;
	return strcmp(path, "bindwatch.requested.ip") == 0 && record->asked.ss_family == AF_INET6;
}

static void want_string(struct comparison *c, const char *path, const char *want)
{
	const char *value = json_string_value(live_field(c->event, path));

	if ((!value || strcmp(value, want) != 0) && !missing_allowed(c, path))
		differ(c, path, "\"%s\", not \"%s\"", value ? value : "(no string)", want);
}

static void want_number(struct comparison *c, const char *path, int64_t want)
{
	const json_t *value = live_field(c->event, path);

	if (missing_allowed(c, path))
		return;
	if (!json_is_integer(value))
		differ(c, path, "no integer, not %" PRId64, want);
	else if (json_integer_value(value) != want)
		differ(c, path, "%" JSON_INTEGER_FORMAT ", not %" PRId64, json_integer_value(value), want);
}

static void want_number_string(struct comparison *c, const char *path, uint64_t want)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRIu64, want);
	want_string(c, path, text);
}

static void want_boolean(struct comparison *c, const char *path, bool want)
{
	const json_t *value = live_field(c->event, path);

	if (missing_allowed(c, path))
		return;
	if (!json_is_boolean(value) || json_is_true(value) != want)
		differ(c, path, "not %s", want ? "true" : "false");
}

static void want_absent(struct comparison *c, const char *path)
{
	if (live_field(c->event, path))
		differ(c, path, "should not be there");
}

/* A list of one word. */
static void want_list(struct comparison *c, const char *path, const char *want)
{
	const json_t *list = live_field(c->event, path);
	const char *value = json_string_value(json_array_get(list, 0));

	if (json_array_size(list) != 1 || !value || strcmp(value, want) != 0)
		differ(c, path, "not [\"%s\"]", want);
}

/* The address and port as text and number; false: the record holds no whole address. */
static bool endpoint_text(const struct sockaddr_storage *storage, char text[INET6_ADDRSTRLEN], uint16_t *port)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)storage;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)storage;

	if (storage->ss_family == AF_INET6) {
		*port = ntohs(v6->sin6_port);
		return inet_ntop(AF_INET6, &v6->sin6_addr, text, INET6_ADDRSTRLEN) != NULL;
	}
	/* AF_UNSPEC is taken as AF_INET for the wildcard (29c486df6a20) */
	*port = ntohs(v4->sin_port);
	return inet_ntop(AF_INET, &v4->sin_addr, text, INET6_ADDRSTRLEN) != NULL;
}

static const struct sockaddr_storage *server_of(const struct bind_record *record)
{
	return record->error ? &record->asked : &record->got;
}

static bool is_ephemeral(const struct bind_record *record)
{
	char text[INET6_ADDRSTRLEN];
	uint16_t port;

	return endpoint_text(&record->asked, text, &port) && port == 0;
}

static const char *exposure_of(const char *address)
{
	static const char mapped[] = "::ffff:";

	if (strncmp(address, mapped, sizeof(mapped) - 1) == 0 && strchr(address, '.'))
		address += sizeof(mapped) - 1;
	if (strcmp(address, "0.0.0.0") == 0 || strcmp(address, "::") == 0)
		return "wildcard";
	if (strcmp(address, "::1") == 0 || strncmp(address, "127.", 4) == 0)
		return "loopback";
	return "address";
}

/* server.*, destination.*, bindwatch.requested.* */
static void compare_endpoints(struct comparison *c)
{
	const struct bind_record *record = c->record;
	char text[INET6_ADDRSTRLEN];
	uint16_t port;

	if (endpoint_text(server_of(record), text, &port)) {
		want_string(c, "server.ip", text);
		want_number(c, "server.port", port);
		want_string(c, "destination.ip", text);
		want_number(c, "destination.port", port);
		want_string(c, "bindwatch.exposure", exposure_of(text));
	}
	if (!record->rewritten && endpoint_text(&record->asked, text, &port)) {
		want_string(c, "bindwatch.requested.ip", text);
		want_number(c, "bindwatch.requested.port", port);
	}
	want_boolean(c, "bindwatch.ephemeral", is_ephemeral(record));
}

static const char *transport_name(int protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
	case IPPROTO_MPTCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_SCTP:
		return "sctp";
	case IPPROTO_UDPLITE:
		return "udplite";
	default:
		return "?";
	}
}

/* An index has its meaning in its own namespace only: of another one no name is told. */
static void compare_device(struct comparison *c)
{
	const struct bind_record *record = c->record;
	char index[16];

	(void)snprintf(index, sizeof(index), "#%u", record->device_index);
	if (!record->device[0])
		want_absent(c, "bindwatch.socket.device");
	else
		want_string(c, "bindwatch.socket.device", record->netns == c->monitor->netns ? record->device : index);
}

static void compare_socket(struct comparison *c)
{
	static const char *const types[] = {
	        [SOCK_STREAM] = "stream", [SOCK_DGRAM] = "dgram", [SOCK_SEQPACKET] = "seqpacket"};
	const struct bind_record *record = c->record;
	const char *transport = transport_name(record->protocol);
	char text[INET6_ADDRSTRLEN];
	uint16_t port;
	bool mapped;
	/* the cookie of an MPTCP socket is given when it is first asked for, which may be after the bind */
	bool has_cookie = live_field(c->event, "bindwatch.socket.cookie") != NULL;

	want_string(c, "network.transport", transport);
	want_string(c, "bindwatch.socket.protocol", record->protocol == IPPROTO_MPTCP ? "mptcp" : transport);
	/* RFC 3493, section 3.7: IPv4 on the wire */
	mapped = endpoint_text(server_of(record), text, &port) && strncmp(text, "::ffff:", 7) == 0;
	want_string(c, "network.type", record->domain == AF_INET6 && !mapped ? "ipv6" : "ipv4");
	/* RFC 8684: MPTCP is TCP on the wire, and 262 is no protocol number of IANA's */
	want_number_string(c, "network.iana_number",
	                   record->protocol == IPPROTO_MPTCP ? IPPROTO_TCP : (uint64_t)record->protocol);
	want_string(c, "bindwatch.socket.type", types[record->type]);
	/*
	 * A bind to one IPv6 address that is not a mapped one sets the flag (inet6_bind()); under MPTCP it sets it on
	 * the subflow, where the monitor reads it, and getsockopt() asks the MPTCP socket.
	 */
	if (record->domain == AF_INET6 && record->protocol == IPPROTO_MPTCP && !record->error)
		want_boolean(c, "bindwatch.socket.v6only", record->v6only || (!mapped && strcmp(text, "::") != 0));
	else if (record->domain == AF_INET6)
		want_boolean(c, "bindwatch.socket.v6only", record->v6only);
	else
		want_absent(c, "bindwatch.socket.v6only");
	want_boolean(c, "bindwatch.socket.reuseaddr", record->reuseaddr);
	want_boolean(c, "bindwatch.socket.reuseport", record->reuseport);
	want_boolean(c, "bindwatch.socket.freebind", record->freebind);
	want_boolean(c, "bindwatch.socket.transparent", record->transparent);
	want_boolean(c, "bindwatch.socket.kernel", record->kernel);
	if (!record->kernel && (has_cookie || (!record->error && record->protocol != IPPROTO_MPTCP)))
		want_number_string(c, "bindwatch.socket.cookie", record->cookie);
	compare_device(c);
	want_number(c, "bindwatch.netns.inode", record->netns);
}

/* "1970-01-01T00:00:00.000000000Z" to nanoseconds; -1: not of that form */
static int64_t parse_time(const char *text)
{
	struct tm when = {0};
	const char *rest = text ? strptime(text, "%Y-%m-%dT%H:%M:%S.", &when) : NULL;
	int64_t fraction = 0;
	int digits = 0;

	for (; rest && *rest >= '0' && *rest <= '9'; rest++, digits++)
		fraction = fraction * 10 + (*rest - '0');
	if (!rest || digits != 9 || strcmp(rest, "Z") != 0)
		return -1;
	return timegm(&when) * 1000000000LL + fraction;
}

/* The value that json_hostile_string() promises (user/encode/json.h) for a name that is ASCII. */
static void compare_process(struct comparison *c)
{
	const struct bind_record *record = c->record;
	const char *text = json_string_value(live_field(c->event, "@timestamp"));
	int64_t time = parse_time(text);

	if (time < record->before_ns - CLOCK_SLACK_NS || time > record->after_ns + CLOCK_SLACK_NS)
		differ(c, "@timestamp", "%s is %" PRId64 " ns from the call", text ? text : "(none)",
		       time - record->before_ns);
	want_number(c, "process.pid", record->pid);
	want_number(c, "process.thread.id", record->tid);
	if (!strpbrk(record->comm, "\\\xff"))
		want_string(c, "process.name", record->comm);
	if (record->pidns_inode) {
		want_number(c, "bindwatch.pidns.pid", record->pidns_pid);
		want_number(c, "bindwatch.pidns.inode", record->pidns_inode);
	}
	want_number_string(c, "user.id", record->uid);
	want_number_string(c, "group.id", record->gid);
}

static void compare_host(struct comparison *c)
{
	char hostname[65] = "";
	char boot_id[64] = "";
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (file) {
		if (fgets(boot_id, sizeof(boot_id), file))
			boot_id[strcspn(boot_id, "\n")] = '\0';
		fclose(file);
	}
	gethostname(hostname, sizeof(hostname) - 1);
	want_string(c, "host.hostname", hostname);
	want_string(c, "host.boot.id", boot_id);
}

/* Elastic's scale, as event.severity has it. */
enum { LOW = 21, MEDIUM = 47, HIGH = 73 };

struct alert {
	const char *rule; /* NULL: none */
	int severity;
};

/* The alert that this bind must have raised. */
static struct alert alert_of(const struct bind_record *record, uint16_t port, const struct registry_entry *entry)
{
	if (record->error || is_ephemeral(record))
		return (struct alert){NULL, 0};
	if (port < record->unprivileged_port_start)
		return (struct alert){"privileged-port", HIGH};
	if (entry->state == REGISTRY_RESERVED)
		return (struct alert){"reserved-port", MEDIUM};
	if (entry->state == REGISTRY_ASSIGNED)
		return (struct alert){"registered-port", LOW};
	/* RFC 6335, section 6: the dynamic ports are there to be used, if not by their number */
	if (entry->state == REGISTRY_NOT_LISTED && registry_range(port) == REGISTRY_DYNAMIC)
		return (struct alert){"dynamic-port", LOW};
	return (struct alert){"unassigned-port", MEDIUM};
}

static void compare_alert(struct comparison *c, uint16_t port, const struct registry_entry *entry)
{
	struct alert alert = alert_of(c->record, port, entry);

	want_string(c, "event.kind", alert.rule ? "alert" : "event");
	if (alert.rule) {
		want_string(c, "rule.name", alert.rule);
		want_number(c, "event.severity", alert.severity);
	} else {
		want_absent(c, "rule");
		want_absent(c, "event.severity");
	}
}

static void compare_registry(struct comparison *c, const struct registry *registry)
{
	const struct bind_record *record = c->record;
	enum registry_transport transport = record->protocol == IPPROTO_TCP || record->protocol == IPPROTO_MPTCP
	                                            ? REGISTRY_TCP
	                                    : record->protocol == IPPROTO_SCTP ? REGISTRY_SCTP
	                                                                       : REGISTRY_UDP;
	const struct registry_entry *entry;
	const char *name;
	char text[INET6_ADDRSTRLEN];
	uint16_t port;

	if (!endpoint_text(server_of(record), text, &port) || port == 0)
		return;
	entry = registry_lookup(registry, port, transport);
	want_string(c, "bindwatch.port_class", registry_range_name(registry_range(port)));
	want_boolean(c, "bindwatch.privileged", port > 0 && port < record->unprivileged_port_start);
	want_string(c, "bindwatch.registry.state", registry_state_name(entry->state));
	want_string(c, "bindwatch.registry.snapshot", registry_date(registry));
	name = entry->names;
	for (size_t i = 0; i < entry->names_count; i++, name = registry_next_name(name)) {
		const json_t *names = live_field(c->event, "bindwatch.registry.service");
		const char *told = json_string_value(json_array_get(names, i));

		if (!told || strcmp(told, name) != 0 || json_array_size(names) != entry->names_count)
			differ(c, "bindwatch.registry.service", "no \"%s\" at %zu", name, i);
	}
	compare_alert(c, port, entry);
}

static void compare_event(struct comparison *c, const struct registry *registry)
{
	const struct bind_record *record = c->record;
	const char *hook = json_string_value(live_field(c->event, "bindwatch.capture.hook"));
	const char *id = json_string_value(live_field(c->event, "event.id"));

	want_list(c, "event.category", "network");
	want_list(c, "event.type", "start");
	want_string(c, "event.action", ACTION_BIND);
	want_string(c, "event.outcome", record->error ? "failure" : "success");
	want_string(c, "event.dataset", "bindwatch.bind");
	want_string(c, "event.module", "bindwatch");
	if (!id || !*id)
		differ(c, "event.id", "none");
	if (record->error)
		want_string(c, "error.code", errno_name(record->error));
	else
		want_absent(c, "error");
	if (!json_is_string(live_field(c->event, "ecs.version")))
		differ(c, "ecs.version", "none");
	want_string(c, "bindwatch.capture.plan", c->monitor->plan);
	if (!hook || !*hook)
		differ(c, "bindwatch.capture.hook", "none");
	else if (record->no_system_call && strstr(hook, "sys_exit"))
		differ(c, "bindwatch.capture.hook", "%s cannot see io_uring", hook);
	compare_endpoints(c);
	compare_socket(c);
	compare_process(c);
	compare_host(c);
	compare_registry(c, registry);
}

static bool is_ours(const struct scene *scene, const json_t *event)
{
	json_int_t pid = json_integer_value(live_field(event, "process.pid"));

	if (monitor_is_sentinel(event))
		return false;
	if (pid == getpid())
		return true;
	for (unsigned int i = 0; i < scene->used && i < SCENE_RECORDS; i++) {
		if (scene->records[i].pid == pid)
			return true;
	}
	for (unsigned int i = 0; i < scene->quiet_used && i < SCENE_RECORDS; i++) {
		if (scene->quiet[i] == pid)
			return true;
	}
	return false;
}

static void print_event(const char *what, const json_t *event)
{
	char *text = json_dumps(event, JSON_COMPACT);

	fprintf(stderr, "%s: %s\n", what, text ? text : "?");
	free(text);
}

/* Compares one event with its record and says what it was about if they differ. */
static int compare_one(const json_t *event, const struct bind_record *record, const struct monitor *monitor,
                       const struct registry *registry)
{
	struct comparison c = {.event = event, .monitor = monitor, .record = record, .locked_down = live_locked_down()};

	compare_event(&c, registry);
	if (c.differences)
		print_event("in this event", event);
	return c.differences;
}

int scene_compare(struct scene *scene, struct monitor *monitor, json_t *seen)
{
	/* opened once, and kept for as long as the program runs */
	static struct registry *registry;
	unsigned int used = scene->used;
	unsigned int matched = 0;
	int differences = 0;
	json_t *event;
	size_t index;
	int result;

	if (used > SCENE_RECORDS || scene->quiet_used > SCENE_RECORDS)
		return -E2BIG;
	result = registry ? 0 : registry_open_embedded(&registry);
	if (!result)
		result = monitor_sync(monitor, 0);
	if (result)
		return result;
	json_array_foreach(monitor->events, index, event)
	{
		if (!is_ours(scene, event) || !live_is_action(event, ACTION_BIND))
			continue;
		if (matched < used) {
			differences += compare_one(event, &scene->records[matched], monitor, registry);
		} else {
			differences++;
			print_event("one event too many", event);
		}
		matched++;
		if (seen)
			json_array_append(seen, event);
	}
	for (; matched < used; matched++) {
		differences++;
		fprintf(stderr, "no event for bind %u of the scene (errno %d)\n", matched,
		        scene->records[matched].error);
	}
	differences += (int)monitor->malformed;
	json_array_clear(monitor->events);
	scene_clear(scene);
	return differences;
}
