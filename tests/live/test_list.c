/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bindwatch list against sockets that are there, in a network namespace of its own, where nobody else's are in the way:
 * every field is compared with what the kernel told the process that bound.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/live/command.h"
#include "tests/live/listed.h"

#define HOSTILE "\x1b[31m\n\\"

static struct listed listed;

static json_t *list_own(const char *port, const char *more)
{
	return listed_own(&listed, port, more);
}

static void need_namespace(void)
{
	listed_need_namespace(&listed);
}

static void check_string(const json_t *event, const char *path, const char *wanted)
{
	const char *got = json_string_value(live_field(event, path));

	if (!got || strcmp(got, wanted) != 0)
		fail_msg("%s is %s, not %s", path, got ? got : "missing", wanted);
}

static void check_number(const json_t *event, const char *path, json_int_t wanted)
{
	const json_t *got = live_field(event, path);

	if (!json_is_integer(got) || json_integer_value(got) != wanted)
		fail_msg("%s is not %lld", path, (long long)wanted);
}

/* A socket of each kind at once, and what is said of them all: a run costs an emulated CPU its half a second. */
static struct {
	int fds[LISTED_KINDS]; /* -1: there is none in this kernel */
	char ports[LISTED_KINDS][8], cookies[LISTED_KINDS][24];
	int errors[LISTED_KINDS];
	json_t *own, *listening, *after;
	struct run text;
} kinds;

/* How many of the events are of this socket, and in *ret the last of them. */
static size_t events_of(const json_t *events, const char *cookie, const json_t **ret)
{
	size_t index, count = 0;
	const json_t *event;

	*ret = NULL;
	json_array_foreach(events, index, event)
	{
		const char *of = json_string_value(live_field(event, "bindwatch.socket.cookie"));

		if (!of || strcmp(of, cookie) != 0)
			continue;
		*ret = event;
		count++;
	}
	return count;
}

static void check_event(const struct listed_kind *kind, const json_t *event, const char *port)
{
	char comm[16];

	(void)prctl(PR_GET_NAME, comm);
	check_string(event, "event.kind", "state");
	check_string(event, "event.action", "existing-socket");
	check_string(event, "network.transport", kind->transport);
	check_string(event, "server.ip", kind->address);
	check_number(event, "server.port", atol(port));
	check_string(event, "bindwatch.exposure", kind->exposure);
	check_string(event, "bindwatch.socket.protocol", kind->shown);
	check_string(event, "bindwatch.socket.type",
	             kind->type == SOCK_STREAM  ? "stream"
	             : kind->type == SOCK_DGRAM ? "dgram"
	                                        : "seqpacket");
	check_string(event, "user.id", "0");
	check_number(event, "process.pid", getpid());
	check_string(event, "process.name", comm);
	assert_int_equal(json_array_size(live_field(event, "bindwatch.holders")), 1);
	check_number(json_array_get(live_field(event, "bindwatch.holders"), 0), "pid", getpid());
	if (kind->family == AF_INET6)
		assert_true(json_is_true(live_field(event, "bindwatch.socket.v6only")) == kind->v6only);
}

/* A line of the text form without the blanks between the cells: "tcp|127.0.0.1:80|http|...". */
static void cells(const char *row, char *ret, size_t size)
{
	size_t used = 0;

	for (const char *c = row; *c && *c != '\n' && used < size - 1; c++) {
		if (c[0] != ' ')
			ret[used++] = *c;
		else if (c[1] == ' ' && ret[used - 1] != '|')
			ret[used++] = '|';
		else if (c[1] != ' ' && ret[used - 1] != '|')
			ret[used++] = ' ';
	}
	ret[used] = '\0';
}

/* The one line of this kind's socket. */
static void check_text(const struct listed_kind *kind, const char *port)
{
	char state[128], holder[64], socket[32], line[512];
	unsigned int count = 0;

	(void)snprintf(socket, sizeof(socket), ":%s|", port);
	(void)snprintf(state, sizeof(state), "|%s|%s|", kind->state, kind->exposure);
	(void)snprintf(holder, sizeof(holder), "|%d|root", getpid());
	for (const char *row = strchr(kinds.text.out, '\n'); row && row[1]; row = strchr(row + 1, '\n')) {
		cells(row + 1, line, sizeof(line));
		if (strncmp(line, kind->shown, strlen(kind->shown)) != 0 || line[strlen(kind->shown)] != '|' ||
		    !strstr(line, socket))
			continue;
		if (!strstr(line, state) || !strstr(line, holder))
			fail_msg("'%s' has no '%s' or no '%s'", line, state, holder);
		count++;
	}
	if (count != 1)
		fail_msg("%u lines of %s and port %s in\n%s", count, kind->shown, port, kinds.text.out);
}

static void list_every_kind(void **state)
{
	(void)state;
	need_namespace();
	for (size_t i = 0; i < LISTED_KINDS; i++) {
		uint64_t cookie = 0;
		socklen_t len = sizeof(cookie);

		kinds.fds[i] = listed_bind(&listed_kinds[i], kinds.ports[i]);
		kinds.errors[i] = errno;
		if (kinds.fds[i] < 0)
			continue;
		assert_int_equal(getsockopt(kinds.fds[i], SOL_SOCKET, SO_COOKIE, &cookie, &len), 0);
		(void)snprintf(kinds.cookies[i], sizeof(kinds.cookies[i]), "%llu", (unsigned long long)cookie);
	}
	kinds.own = list_own("1-65535", NULL);
	kinds.listening = list_own("1-65535", "--listening");
	kinds.text = listed_run(&listed, "text", "1-65535", NULL);
	assert_int_equal(kinds.text.status, 0);
	for (size_t i = 0; i < LISTED_KINDS; i++) {
		if (kinds.fds[i] >= 0)
			(void)close(kinds.fds[i]);
	}
	kinds.after = list_own("1-65535", NULL);
	assert_int_equal(json_array_size(kinds.after), 0);
}

static void list_kind(void **state)
{
	const struct listed_kind *kind = *state;
	size_t i = (size_t)(kind - listed_kinds);
	const json_t *event;

	need_namespace();
	assert_non_null(kinds.after);
	if (kinds.fds[i] < 0) {
		print_message("no such socket in this kernel: %s\n", strerror(kinds.errors[i]));
		skip();
	}
	if (events_of(kinds.own, kinds.cookies[i], &event) == 0 && strcmp(kind->state, LISTED_BOUND_ONLY) == 0)
		SKIP_BECAUSE(listed.iterator_why_not);
	assert_int_equal(events_of(kinds.own, kinds.cookies[i], &event), 1);
	check_event(kind, event, kinds.ports[i]);
	check_text(kind, kinds.ports[i]);
	assert_int_equal(events_of(kinds.listening, kinds.cookies[i], &event),
	                 strcmp(kind->state, LISTED_BOUND_ONLY) != 0);
}

static int forget_kinds(void **state)
{
	(void)state;
	json_decref(kinds.own);
	json_decref(kinds.listening);
	json_decref(kinds.after);
	command_free(&kinds.text);
	return 0;
}

/* --- more than one ---------------------------------------------------------------------------------------------- */

static bool take_hostile_name(void *context)
{
	(void)context;
	return prctl(PR_SET_NAME, HOSTILE) == 0;
}

/* One socket, inherited: both processes hold it, and the second calls itself what would colour a terminal. */
static void list_two_holders(void **state)
{
	const json_t *holders;
	char port[8], comm[16];
	struct run run;
	bool second;
	json_t *own;
	pid_t pid;
	int fd;

	(void)state;
	need_namespace();
	fd = listed_bind(&listed_kinds[0], port);
	pid = command_child(take_hostile_name, NULL);
	assert_true(fd >= 0 && pid > 0);
	own = list_own(port, NULL);
	run = listed_run(&listed, "text", port, NULL);
	command_child_end(pid);
	(void)close(fd);
	(void)prctl(PR_GET_NAME, comm);
	assert_int_equal(json_array_size(own), 1);
	holders = live_field(json_array_get(own, 0), "bindwatch.holders");
	assert_int_equal(json_array_size(holders), 2);
	second = pid > getpid();
	check_number(json_array_get(holders, second ? 0 : 1), "pid", getpid());
	check_string(json_array_get(holders, second ? 0 : 1), "name", comm);
	check_number(json_array_get(holders, second ? 1 : 0), "pid", pid);
	/* "\\" in the value stands for one backslash, that hostile bytes can be told from escapes */
	check_string(json_array_get(holders, second ? 1 : 0), "name", "\x1b[31m\n\\\\");
	assert_int_equal(run.status, 0);
	assert_null(strchr(run.out, '\x1b'));
	assert_non_null(strstr(run.out, "\\x1b[31m\\n\\\\"));
	assert_int_equal(run.out[strlen(run.out) - 1], '\n');
	command_free(&run);
	json_decref(own);
}

/* The same port as ours, in a namespace of its own. */
static bool bind_elsewhere(void *context)
{
	struct sockaddr_storage address;
	socklen_t len = scene_address("127.0.0.1", (uint16_t)atol(context), &address);
	int fd;

	if (scene_enter_namespace() < 0)
		return false;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return fd >= 0 && bind(fd, (const struct sockaddr *)&address, len) == 0 && listen(fd, 1) == 0;
}

/* Two sockets of one port: our own namespace's first, in the text with the other's name beside its own. */
static void list_other_netns(void **state)
{
	char path[64], port[8], name[32];
	struct stat other;
	struct run run;
	json_t *all;
	pid_t pid;
	int fd;

	(void)state;
	need_namespace();
	fd = listed_bind(&listed_kinds[0], port);
	pid = command_child(bind_elsewhere, port);
	assert_true(fd >= 0 && pid > 0);
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	assert_int_equal(stat(path, &other), 0);
	all = listed_json(&listed, port, NULL);
	run = listed_run(&listed, "text", port, NULL);
	command_child_end(pid);
	(void)close(fd);
	assert_int_equal(json_array_size(all), 2);
	assert_true(listed_in_netns(json_array_get(all, 0), scene_namespace()));
	assert_true(listed_in_netns(json_array_get(all, 1), (unsigned int)other.st_ino));
	check_number(json_array_get(all, 1), "process.pid", pid);
	(void)snprintf(name, sizeof(name), "net:[%llu]", (unsigned long long)other.st_ino);
	assert_non_null(strstr(run.out, name));
	command_free(&run);
	json_decref(all);
}

/* A namespace without a process, a mount, or any sign but the socket that is kept of it. */
static void list_netns_of_a_socket_only(void **state)
{
	struct sockaddr_storage address;
	socklen_t len = scene_address("127.0.0.1", 4242, &address);
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), fd;
	unsigned int away;
	json_t *all, *event, *found = NULL;
	size_t i;

	(void)state;
	need_namespace();
	assert_int_equal(scene_enter_namespace(), 0);
	away = scene_namespace();
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(setns(home, CLONE_NEWNET), 0);
	all = listed_json(&listed, "4242", NULL);
	json_array_foreach(all, i, event)
	{
		if (listed_in_netns(event, away))
			found = event;
	}
	(void)close(fd);
	(void)close(home);
	SKIP_BECAUSE(listed.iterator_why_not);
	assert_non_null(found);
	check_number(found, "process.pid", getpid());
	json_decref(all);
}

static void list_is_sorted(void **state)
{
	json_int_t before = 0;
	const json_t *event;
	size_t i;

	(void)state;
	need_namespace();
	assert_true(json_array_size(kinds.own) >= 6);
	json_array_foreach(kinds.own, i, event)
	{
		assert_true(json_integer_value(live_field(event, "server.port")) >= before);
		before = json_integer_value(live_field(event, "server.port"));
	}
}

/* --- the command -------------------------------------------------------------------------------------------------- */

static void list_refuses(void **state)
{
	static const struct {
		const char *word, *value;
		int status;
		const char *says;
	} table[] = {
	        {"--output", "xml", 2, "list: --output: 'xml' is not text or json"},
	        {"--output", NULL, 2, "--output needs a value"},
	        {"--port", "0", 2, "list: --port: '0' is not a port: ports are 1-65535"},
	        {"--port", "xyz", 2, "no service named 'xyz'"},
	        {"--registry", "/nonexistent", 1, "list: /nonexistent"},
	        {"--services", "/nonexistent", 1, "list: /nonexistent"},
	        {"--sideways", NULL, 2, "--sideways"},
	        {"80", NULL, 2, "list: '80' is one word too many: ports are named with --port"},
	        {"\x1b[31m", NULL, 2, "list: '\\x1b[31m' is one word too many"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		char *arguments[] = {"bindwatch", "list", (char *)table[i].word, (char *)table[i].value, NULL};
		struct run run = command_run(0, -1, listed.program, arguments);

		if (run.status != table[i].status || !strstr(run.err, table[i].says) || run.out[0])
			fail_msg("'%s': %d, %s%s", table[i].word, run.status, run.err, run.out);
		command_free(&run);
	}
}

static void list_output_fails(void **state)
{
	char *arguments[] = {"bindwatch", "list", "--output", NULL, NULL};
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC), ends[2], fd;
	struct run run;
	char port[8];

	(void)state;
	need_namespace();
	fd = listed_bind(&listed_kinds[0], port);
	assert_true(full >= 0 && fd >= 0);
	for (int form = 0; form < 2; form++) {
		arguments[3] = form ? "json" : "text";
		run = command_run(0, full, listed.program, arguments);
		assert_int_equal(run.status, 1);
		assert_non_null(strstr(run.err, strerror(ENOSPC)));
		command_free(&run);

		assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
		(void)close(ends[0]);
		run = command_run(0, ends[1], listed.program, arguments);
		(void)close(ends[1]);
		assert_int_equal(run.status, 1);
		assert_string_equal(run.err, "");
		command_free(&run);
	}
	(void)close(full);
	(void)close(fd);
}

/* Who may not see says so, and names what it takes. */
static void list_without_privilege(void **state)
{
	char *arguments[] = {"bindwatch", "list", "--port", NULL, "--output", "json", NULL};
	struct run run;
	json_t *events;
	char port[8];
	int fd;

	(void)state;
	need_namespace();
	fd = listed_bind(&listed_kinds[0], port);
	assert_true(fd >= 0);
	arguments[3] = port;
	run = command_run(65534, -1, listed.program, arguments);
	(void)close(fd);
	if (run.status == 126 || run.status == 127) {
		print_message("the program cannot be run as another user here\n");
		skip();
	}
	if (run.status == 1 && strstr(run.err, "load the module")) {
		print_message("%s", run.err);
		skip();
	}
	assert_int_equal(run.status, 0);
	events = listed_parse(run.out);
	assert_int_equal(json_array_size(events), 1); /* the socket is seen, its process is not */
	assert_int_equal(json_array_size(live_field(json_array_get(events, 0), "bindwatch.holders")), 0);
	assert_null(live_field(json_array_get(events, 0), "process"));
	assert_non_null(strstr(run.err, "CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH"));
	assert_non_null(strstr(run.err, "CAP_SYS_ADMIN"));
	assert_non_null(strstr(run.err, "CAP_BPF and CAP_PERFMON"));
	json_decref(events);
	command_free(&run);
}

/* There nobody is denied, and others are not there at all: that their socket has no holder must not be said. */
static void list_in_pid_namespace(void **state)
{
	char *arguments[] = {"bindwatch", "list", "--port", NULL, "--output", "json", NULL};
	static const char note[] = "outside of this pid namespace";
	int pids = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC), fd;
	struct run outside, within;
	json_t *events;
	char port[8];

	(void)state;
	need_namespace();
	SKIP_BECAUSE(live_why_not());
	fd = listed_bind(&listed_kinds[0], port);
	assert_true(fd >= 0 && pids >= 0);
	arguments[3] = port;
	outside = command_run(0, -1, listed.program, arguments);
	assert_int_equal(unshare(CLONE_NEWPID), 0);
	within = command_run(0, -1, listed.program, arguments);
	assert_int_equal(setns(pids, CLONE_NEWPID), 0);
	(void)close(pids);
	(void)close(fd);
	assert_int_equal(within.status, 0);
	assert_null(strstr(outside.err, note));
	assert_non_null(strstr(within.err, note));
	events = listed_parse(within.out);
	assert_int_equal(json_array_size(events), 1);
	assert_null(live_field(json_array_get(events, 0), "bindwatch.holders"));
	json_decref(events);
	command_free(&outside);
	command_free(&within);
}

/* The socket remembers whether its port was asked for by number. */
static void list_chosen_port(void **state)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(5999)};

	(void)state;
	need_namespace();
	for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
		int asked = socket(AF_INET, type | SOCK_CLOEXEC, 0), chosen;
		char port[8];
		json_t *own;

		assert_int_equal(bind(asked, (struct sockaddr *)&address, sizeof(address)), 0);
		own = list_own("5999", NULL);
		assert_int_equal(json_array_size(own), 1);
		assert_false(json_is_true(live_field(json_array_get(own, 0), "bindwatch.ephemeral")));
		json_decref(own);
		(void)close(asked);
		SKIP_BECAUSE(listed.iterator_why_not);
		chosen = listed_bind(&listed_kinds[type == SOCK_STREAM ? 3 : 7], port);
		own = list_own(port, NULL);
		assert_int_equal(json_array_size(own), 1);
		assert_true(json_is_true(live_field(json_array_get(own, 0), "bindwatch.ephemeral")));
		json_decref(own);
		(void)close(chosen);
	}
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest first[] = {cmocka_unit_test(list_refuses), cmocka_unit_test(list_every_kind)};
	static const struct CMUnitTest last[] = {
	        cmocka_unit_test(list_two_holders),
	        cmocka_unit_test(list_other_netns),
	        cmocka_unit_test(list_netns_of_a_socket_only),
	        cmocka_unit_test(list_chosen_port),
	        cmocka_unit_test(list_is_sorted),
	        cmocka_unit_test(list_output_fails),
	        cmocka_unit_test(list_without_privilege),
	        cmocka_unit_test(list_in_pid_namespace),
	};
	enum { FIRST = sizeof(first) / sizeof(first[0]), LAST = sizeof(last) / sizeof(last[0]) };
	struct CMUnitTest tests[FIRST + LISTED_KINDS + LAST];

	(void)argc;
	if (listed_start(&listed, argv[0]) < 0)
		return 1;
	memcpy(tests, first, sizeof(first));
	for (size_t i = 0; i < LISTED_KINDS; i++)
		tests[FIRST + i] = (struct CMUnitTest){.name = listed_kinds[i].name,
		                                       .test_func = list_kind,
		                                       .initial_state = (void *)&listed_kinds[i]};
	memcpy(&tests[FIRST + LISTED_KINDS], last, sizeof(last));
	return cmocka_run_group_tests_name("list", tests, NULL, forget_kinds);
}
