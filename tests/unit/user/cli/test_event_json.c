/* SPDX-License-Identifier: BSD-2-Clause */
/* What the encoder wrote of an event, read back: whatever a rule can ask has the same answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/user/encode/sample.h"
#include "tests/unit/user/judge/policy_fixture.h"
#include "user/base/event_words.h"
#include "user/cli/event_json.h"
#include "user/judge/explain.h"
#include "user/judge/predicate.h"

#define ROUNDS 3000

static struct registry *registry;
static struct policy *policies[2]; /* that of the program, and one that asks for everything */
static char line[ENCODE_EVENT_MAX];

/* Each key that there is, in rules that some of the events below satisfy. */
static const char everything[] =
        "[expect a]\nexe = /usr/sbin/* **/memfd:?\nexe-flags = !memfd !deleted\nport = 1-30000\n"
        "[ignore b]\npackage = none\nexposure = loopback\n"
        "[alert c]\nseverity = low\nsha256 = 01ab0000000000000000000000000000000000000000000000000000000000ff\n"
        "port = 1-40000\nchoice = requested\n"
        "[expect d]\nunit = ssh*.service u?\nslice = system.slice\ncontainer = none\n"
        "[expect image]\nimage = nginx:* **/b@sha256:?\nport = 1024-65535\n[ignore image-none]\nimage = none\nport = 443\n"
        "[alert e]\nseverity = high\ncontainer = any\nruntime = docker lxc\nuser = 0-100\n"
        "[alert f]\nseverity = medium\nlogin-user = unset\ncapability = CAP_NET_BIND_SERVICE\nsocket = reuseport\n"
        "[ignore g]\nargs = *-g* \"a b\"\nparent = /usr/**\n"
        "[ignore h]\nancestor = !/usr/bin/evil\neffective-user = 1000-2000\n"
        "[alert i]\nseverity = critical\npattern = sweep takeover\naction = !closed-socket\n"
        "[alert j]\nseverity = informational\nerror = EADDRINUSE EACCES\noutcome = failure\nnetns = host\nuserns = !other\nmntns = other\n"
        "[expect k]\naction = listen-for-connections\ntransport = tcp sctp\naddress = 10.0.0.0/8 wildcard\n"
        "[ignore p]\nholders = none\nport = 1-30000\n[ignore q]\nuser-unit = ssh* u?\nuser = 0-100\n"
        "[ignore l]\nkernel-thread = yes\n"
        "[ignore m]\ngroup = 34\nclass = privileged\nstate = assigned\npod = *\n"
        "[alert n]\nseverity = low\ncomm = *\\\\x*\n[alert o]\nseverity = low\nsocket = !transparent !kernel\nclass = "
        "user\n"
        "action = bound-socket existing-socket closed-socket\n";

static uint32_t pick(uint32_t below)
{
	return (uint32_t)random() % below;
}

static const char *text(void)
{
	static const char *const texts[] = {NULL,
	                                    "/usr/sbin/sshd",
	                                    "/tmp/\x01\xff\\x41\n\"",
	                                    "/memfd:x",
	                                    "/usr/bin/python3 (deleted)",
	                                    "/usr/bin/evil",
	                                    "ssh.service",
	                                    "\\",
	                                    "caf\xc3\xa9",
	                                    "\xe2\x80\xae",
	                                    "a b"};

	return texts[pick(sizeof(texts) / sizeof(texts[0]))];
}

/* Of a unit or a container: nothing that the cgroup's reader would refuse. */
static const char *name(void)
{
	static const char *const names[] = {
	        NULL, "ssh.service", "system.slice", "dev-disk\\x2d1.swap", "0123456789abcdef", "u1"};

	return names[pick(sizeof(names) / sizeof(names[0]))];
}

static const char *image(void)
{
	static const char *const images[] = {NULL, "nginx:1", "r.io:5000/b@sha256:0", "r.io/b:2@sha256:0", "nginx", "a:"};

	return images[pick(sizeof(images) / sizeof(images[0]))];
}

static struct endpoint endpoint(void)
{
	static const char *const addresses[] = {
	        "0.0.0.0", "127.0.0.1", "10.1.2.3", "::", "::1", "2001:db8::1", "::ffff:10.0.0.1"};
	static const uint16_t ports[] = {22, 53, 80, 443, 1023, 8080, 31337, 65535};
	struct endpoint made = sample_endpoint(addresses[pick(7)], ports[pick(8)]);

	made.has_address = pick(8);
	if (!made.has_address) {
		memset(made.address, 0, sizeof(made.address));
		made.family = 0;
	}
	return made;
}

static struct process random_process(void)
{
	static char arguments[] = "nginx\0-g\0\0a b";
	struct process process = {.pid = 123};

	process.executable = (struct executable){.path = text(),
	                                         .path_truncated = !pick(8),
	                                         .has_inode = pick(2),
	                                         .inode = UINT64_MAX,
	                                         .flags_known = pick(64),
	                                         .has_sha256 = pick(2),
	                                         .sha256 = {0x01, 0xab, [31] = 0xff},
	                                         .package_known = pick(2)};
	process.executable.flags = pick(64) & process.executable.flags_known;
	process.executable.package = process.executable.package_known ? text() : NULL;
	process.arguments = pick(3) ? arguments : NULL;
	process.arguments_length = process.arguments ? (pick(2) ? sizeof(arguments) : sizeof("nginx\0-g")) : 0;
	process.arguments_truncated = process.arguments && !pick(4);
	process.working_directory = text();
	process.userns_inode = pick(3) ? HOST_USERNS : pick(2);
	process.mntns_inode = pick(3) ? HOST_MNTNS : pick(2);
	process.ancestors_count = pick(PROCESS_ANCESTORS_MAX + 1);
	for (size_t i = 0; i < process.ancestors_count; i++)
		process.ancestors[i] = (struct ancestor){.pid = pick(3) + 1, .comm = "sh", .executable = text()};
	process.cgroup.path = pick(3) ? "/system.slice/x" : NULL;
	if (process.cgroup.path) {
		process.cgroup.unit = name();
		process.cgroup.slice = name();
		process.cgroup.user_unit = name();
		process.cgroup.pod_uid = name();
		process.cgroup.runtime = (enum container_runtime)pick(RUNTIMES);
		process.cgroup.container_id = process.cgroup.runtime == RUNTIME_NONE ? NULL : name();
		process.cgroup.image = process.cgroup.runtime == RUNTIME_NONE ? NULL : image();
	}
	process.kernel_thread = !pick(8);
	if (process.kernel_thread) {
		process.executable = (struct executable){.path = NULL};
		process.arguments = process.working_directory = NULL;
		process.arguments_length = 0;
		process.arguments_truncated = false;
	}
	return process;
}

static struct event random_event(const struct process *process)
{
	static const uint16_t protocols[] = {
	        IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE, IPPROTO_SCTP, IPPROTO_MPTCP, 132, 33, 255};
	static const int errors[] = {0, 0, 0, EADDRINUSE, EACCES, 999};
	struct event event = {.action = (enum event_action)pick(EVENT_LOST),
	                      .time_ns = 1795321654123456789,
	                      .pid = pick(4) ? 123 : 0,
	                      .uid = pick(2) * 1000,
	                      .gid = pick(2) * 34,
	                      .protocol = protocols[pick(8)],
	                      .unprivileged_port_start = pick(2) * 1024,
	                      .netns_inode = pick(3) ? HOST_NETNS : pick(2),
	                      .device = pick(2),
	                      .process = NULL};

	event.error = event.action == EVENT_BOUND || event.action == EVENT_LISTEN ? errors[pick(6)] : 0;
	if (event.pid)
		event.process = process;
	if (event.pid)
		(void)snprintf(event.comm, sizeof(event.comm), "%s", text() ? "x\x01\\y" : "nginx");
	if (event.action == EVENT_BOUND && pick(4)) {
		event.requested = endpoint();
		event.requested.port = pick(4) ? event.requested.port : 0;
	}
	if (event.action != EVENT_BOUND || !event.error)
		event.bound = endpoint();
	event.family = event.bound.family ? event.bound.family : event.requested.family;
	event.socket_flags = pick(1U << 11) & ~BW_SOCKET_AUTOBOUND;
	if (event.family != AF_INET6)
		event.socket_flags &= ~BW_SOCKET_V6ONLY;
	if (event.action == EVENT_LISTEN && pick(2))
		event.socket_flags |= pick(2) ? BW_SOCKET_AUTOBOUND : BW_SOCKET_UNTOLD;
	if (event.socket_flags & BW_SOCKET_UNKNOWN)
		event.socket_flags &= BW_SOCKET_UNKNOWN | BW_SOCKET_V6ONLY | BW_SOCKET_AUTOBOUND | BW_SOCKET_UNTOLD |
		                      BW_SOCKET_PORT_ASKED;
	if (event.pid && pick(2))
		event.credentials = (struct credentials){.known = true,
		                                         .effective_uid = pick(2) * 1500,
		                                         .effective = pick(2) ? 1ULL << 10 | 1ULL << 63 : 0,
		                                         .login_uid = pick(2) ? PROCESS_UNSET : 1000};
	classify(registry, &event);
	event.facts.patterns = pick(3) ? 0 : pick(1U << PATTERNS);
	return event;
}

static struct event_json *round_trip(const struct event *event)
{
	struct encode_buffer buffer = {.data = line, .size = sizeof(line)};
	char error[EVENT_JSON_ERROR_LEN];
	struct event_json *json;

	assert_int_equal(encoder_find("json")->event(&sample_host, event, &buffer), 0);
	if (event_json_read(line, buffer.used, &json, error) != 0)
		fail_msg("%s: %.*s", error, (int)buffer.used, line);
	return json;
}

static void assert_same_facts(const struct event *event, const struct event *back)
{
	const struct predicate *predicate;

	for (size_t i = 0; (predicate = predicate_at(i)); i++) {
		char here[2048], there[2048];
		struct phrase phrase;

		phrase_begin(&phrase, here, sizeof(here));
		predicate->kind->print(predicate, event, &phrase);
		phrase_begin(&phrase, there, sizeof(there));
		predicate->kind->print(predicate, back, &phrase);
		if (strcmp(here, there) != 0)
			fail_msg("%s: \"%s\" became \"%s\" in %s", predicate->key, here, there, line);
	}
}

static int keep_last(void *context, const struct explain_step *step)
{
	*(struct explain_step *)context = *step;
	return 0;
}

/* What a walk over all rules finds. */
static const char *explained(const struct policy *policy, const struct event *event)
{
	static struct explain_step last;

	last = (struct explain_step){.matches = false};
	(void)explain(policy, event, keep_last, &last);
	return last.matches ? last.rule : "(none)";
}

/* Explain, the verdict of the event and the verdict of its line agree. */
static void recorded_events_are_judged_alike(void **state)
{
	size_t verdicts[4] = {0};

	(void)state;
	srandom(20261122);
	for (unsigned int round = 0; round < ROUNDS; round++) {
		struct process process = random_process();
		struct event event = random_event(pick(5) ? &process : NULL);

		for (size_t i = 0; i < 2; i++) {
			struct event_json *json;
			char here[POLICY_REASON_LEN], there[POLICY_REASON_LEN];

			policy_judge(policies[i], &event);
			json = round_trip(&event);
			assert_same_facts(&event, &json->event);
			assert_int_equal(json->event.verdict.verdict, event.verdict.verdict);
			assert_int_equal(json->event.verdict.severity, event.verdict.severity);
			assert_int_equal(json->event.verdict.line, event.verdict.line);
			policy_judge(policies[i], &json->event);
			verdicts[event.verdict.verdict]++;
			assert_string_equal(json->event.verdict.rule ? json->event.verdict.rule : "(none)",
			                    event.verdict.rule ? event.verdict.rule : "(none)");
			assert_string_equal(explained(policies[i], &event),
			                    event.verdict.rule ? event.verdict.rule : "(none)");
			assert_string_equal(explained(policies[i], &json->event),
			                    event.verdict.rule ? event.verdict.rule : "(none)");
			policy_reason(policies[i], &event, NULL, here);
			policy_reason(policies[i], &json->event, NULL, there);
			assert_string_equal(here, there);
			event_json_free(json);
		}
	}
	print_message("none %zu, expect %zu, ignore %zu, alert %zu\n", verdicts[0], verdicts[1], verdicts[2],
	              verdicts[3]);
	for (size_t i = 0; i < 4; i++)
		assert_true(verdicts[i] > 100);
}

static void the_rest_of_an_event_comes_back(void **state)
{
	struct event event = sample_alert();
	struct process process = sample_process();
	struct event_json *json;

	(void)state;
	event.process = &process;
	event.credentials = sample_credentials();
	event.verdict.file = "a.conf";
	event.verdict.line = 7;
	event.verdict.reason = "it is so";
	json = round_trip(&event);
	assert_int_equal(json->event.time_ns, event.time_ns);
	assert_int_equal(json->event.sequence, event.sequence);
	assert_int_equal(json->event.cookie, event.cookie);
	assert_int_equal(json->event.tid, event.tid);
	assert_string_equal(json->event.verdict.reason, "it is so");
	assert_string_equal(json->event.verdict.file, "a.conf");
	assert_string_equal(json->event.hook, event.hook);
	assert_string_equal(json->process.working_directory, "/");
	assert_int_equal(json->process.arguments_count, 3);
	assert_int_equal(json->process.arguments_length, process.arguments_length);
	assert_memory_equal(json->process.arguments, process.arguments, process.arguments_length);
	assert_string_equal(json->process.cgroup.user_unit, "b.scope");
	assert_int_equal(json->event.credentials.effective, event.credentials.effective);
	assert_int_equal(json->event.credentials.login_uid, 1000);
	event_json_free(json);
}

/* So many that a byte does not count them. */
static void all_services_come_back_or_none(void **state)
{
	static const char head[] = "{\"event\":{\"action\":\"bound-socket\"},\"@timestamp\":\"2026-11-22T04:27:34."
	                           "123456789Z\",\"process\":{\"pid\":1},\"user\":{\"id\":\"0\"},\"group\":{\"id\":\"0\"},"
	                           "\"bindwatch\":{\"socket\":{\"protocol\":\"tcp\"},\"registry\":{\"state\":\"assigned\","
	                           "\"service\":[";
	static const struct {
		size_t count;
		int result;
	} table[] = {{255, 0}, {256, -EINVAL}, {257, -EINVAL}};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char error[EVENT_JSON_ERROR_LEN] = "";
		struct event_json *json;
		size_t len = (size_t)snprintf(line, sizeof(line), "%s", head);

		for (size_t j = 0; j < table[i].count; j++)
			len += (size_t)snprintf(line + len, sizeof(line) - len, "%s\"s%zu\"", j ? "," : "", j);
		len += (size_t)snprintf(line + len, sizeof(line) - len, "]}}}");
		assert_int_equal(event_json_read(line, len, &json, error), table[i].result);
		if (table[i].result) {
			assert_non_null(strstr(error, "bindwatch.registry.service: "));
			continue;
		}
		assert_int_equal(json->event.facts.registry->names_count, table[i].count);
		event_json_free(json);
	}
}

/* That no process holds a socket is known, or is not. */
static void holders_come_back(void **state)
{
	static const struct event_holder holder = {.pid = 7, .comm = "x"};
	struct event event = sample_alert();

	(void)state;
	event.action = EVENT_EXISTING;
	for (unsigned int i = 0; i < 4; i++) {
		struct event_json *json;

		event.holders = &holder;
		event.holders_count = i & 1;
		event.holders_known = i & 2;
		json = round_trip(&event);
		assert_int_equal(json->event.holders_count, i & 1);
		assert_int_equal(json->event.holders_known, i != 0);
		event_json_free(json);
	}
}

static void health_comes_back(void **state)
{
	struct event silent = {.action = EVENT_SILENT, .hook = "fexit/x", .cause = "it was detached"};
	struct event lost = {.action = EVENT_LOST, .lost = {.count = 7, .cause = "ring-buffer-full"}};
	struct event_json *json;

	(void)state;
	policy_judge(policies[0], &silent);
	json = round_trip(&silent);
	policy_judge(policies[0], &json->event);
	assert_string_equal(json->event.verdict.rule, "hook-silent");
	assert_string_equal(json->event.cause, "it was detached");
	event_json_free(json);
	json = round_trip(&lost);
	assert_int_equal(json->event.action, EVENT_LOST);
	assert_int_equal(json->event.lost.count, 7);
	event_json_free(json);
}

#define GOOD   "\"event\":{\"action\":\"bound-socket\"},\"user\":{\"id\":\"0\"},\"group\":{\"id\":\"0\"}"
#define SOCKET "\"bindwatch\":{\"socket\":{\"protocol\":\"tcp\"}"

static void bad_lines_are_told(void **state)
{
	static const struct {
		const char *line, *error; /* NULL: it is good */
	} table[] = {
	        {"{" GOOD "," SOCKET "}}", NULL},
	        {"{" GOOD "," SOCKET "}}\n", NULL},
	        {"", "this is no JSON: "},
	        {"\n", "this is no JSON: "},
	        {"{" GOOD "," SOCKET "}} x", "this is no JSON: "},
	        {"{" GOOD "," SOCKET "}", "this is no JSON: "},
	        {"{\"a\":1,\"a\":2}", "this is no JSON: "},
	        {"[]", "this is no object"},
	        {"{}", "event.action: it is missing"},
	        {"{\"event\":{\"action\":7}}", "event.action: it must be a text"},
	        {"{\"event\":{\"action\":\"connected-socket\"}}", "event.action: there is no such word"},
	        {"{\"event\":{\"action\":\"bound-socket\"}}", "bindwatch.socket.protocol: it is missing"},
	        {"{" GOOD ",\"bindwatch\":{\"socket\":{\"protocol\":\"xtp\"}}}",
	         "bindwatch.socket.protocol: there is no"},
	        {"{\"event\":{\"action\":\"bound-socket\"}," SOCKET "}}", "user.id: it is missing"},
	        {"{" GOOD "," SOCKET "},\"server\":{\"port\":65536}}", "port: it must be a number"},
	        {"{" GOOD "," SOCKET "},\"server\":{\"port\":-1}}", "port: it must be a number"},
	        {"{" GOOD "," SOCKET "},\"server\":{\"port\":1.5}}", "port: it must be a number"},
	        {"{" GOOD "," SOCKET "},\"server\":{\"ip\":\"10.0.0\"}}", "server: its ip is no address"},
	        {"{" GOOD "," SOCKET "},\"server\":5}", NULL},
	        {"{" GOOD "," SOCKET "},\"process\":{\"executable\":\"\\\\x4\"}}", "process.executable: a backslash"},
	        {"{" GOOD "," SOCKET "},\"process\":{\"executable\":\"\\\\x00\"}}", "process.executable: a backslash"},
	        {"{" GOOD "," SOCKET "},\"process\":{\"executable\":\"\\u0000\"}}", "this is no JSON: "},
	        {"{" GOOD "," SOCKET "},\"process\":{\"args\":[1]}}", "process.args: it must be a text"},
	        {"{" GOOD "," SOCKET "},\"process\":{\"args\":\"a\"}}", "process.args: it must be an array"},
	        {"{" GOOD "," SOCKET "},\"process\":{\"hash\":{\"sha256\":\"01\"}}}",
	         "process.hash.sha256: it must be 64"},
	        {"{" GOOD "," SOCKET ",\"ephemeral\":1}}", "bindwatch.ephemeral: it must be true or false"},
	        {"{" GOOD "," SOCKET ",\"ancestors\":[{},{},{},{},{},{},{},{},{}]}}",
	         "bindwatch.ancestors: it must be eight"},
	        {"{" GOOD "," SOCKET ",\"ancestors\":[1]}}", "bindwatch.ancestors: it must be eight"},
	        {"{" GOOD "," SOCKET ",\"patterns\":[\"x\"]}}", "bindwatch.patterns: there is no such pattern"},
	        {"{" GOOD "," SOCKET "},\"error\":{\"code\":\"EWHAT\"}}", "error.code: there is no such error"},
	        {"{" GOOD "," SOCKET "},\"@timestamp\":\"2026\"}", "@timestamp: it must be a time"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char error[EVENT_JSON_ERROR_LEN] = "";
		struct event_json *json = NULL;
		int r = event_json_read(table[i].line, strlen(table[i].line), &json, error);

		print_message("%s: %s\n", table[i].line, error);
		assert_int_equal(r, table[i].error ? -EINVAL : 0);
		if (table[i].error)
			assert_memory_equal(error, table[i].error, strlen(table[i].error));
		event_json_free(json);
	}
}

/* Lines with a byte changed, left out or cut off: none crashes, the sanitizers look on. */
static void mutated_lines_are_harmless(void **state)
{
	struct event event = sample_alert();
	struct process process = sample_process();
	struct encode_buffer buffer = {.data = line, .size = sizeof(line)};
	static char copy[65536];
	size_t good = 0;

	(void)state;
	event.process = &process;
	event.credentials = sample_credentials();
	assert_int_equal(encoder_find("json")->event(&sample_host, &event, &buffer), 0);
	assert_true(buffer.used < sizeof(copy));
	srandom(3);
	for (unsigned int round = 0; round < 20000; round++) {
		size_t at = (size_t)random() % buffer.used, len = pick(10) ? buffer.used : at;
		char error[EVENT_JSON_ERROR_LEN];
		struct event_json *json;

		memcpy(copy, line, buffer.used);
		copy[at] = (char)("{}[]\",:0\\x-1tfn"[pick(15)]);
		if (event_json_read(copy, len, &json, error) != 0)
			continue;
		policy_judge(policies[1], &json->event);
		event_json_free(json);
		good++;
	}
	assert_true(good > 1000);
}

static int open_all(void **state)
{
	const struct policy_options options = {.registry = NULL,
	                                       .host = HOST_NAMESPACES,
	                                       .vendor_directory = "/nonexistent",
	                                       .site_directory = "/nonexistent"};
	struct policy_options built_in = options;
	struct policy_problems problems = {0};

	(void)state;
	if (registry_open_embedded(&registry) < 0)
		return -1;
	built_in.registry = registry;
	if (policy_load(&built_in, &policies[0], &problems) < 0)
		return -1;
	policy_problems_free(&problems);
	policies[1] = fixture_policy(registry, everything);
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	policy_free(policies[0]);
	policy_free(policies[1]);
	registry_free(registry);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(recorded_events_are_judged_alike),
	        cmocka_unit_test(the_rest_of_an_event_comes_back),
	        cmocka_unit_test(all_services_come_back_or_none),
	        cmocka_unit_test(holders_come_back),
	        cmocka_unit_test(health_comes_back),
	        cmocka_unit_test(bad_lines_are_told),
	        cmocka_unit_test(mutated_lines_are_harmless),
	};

	return cmocka_run_group_tests(tests, open_all, close_all);
}
