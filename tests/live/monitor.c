/* SPDX-License-Identifier: BSD-2-Clause */
/* A running `bindwatch watch`: start, read, stop. */
#include "tests/live/live.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define READY_LINE "bindwatch: watching"

/* Then a sentinel that was not told is bound once more, where that can be. */
#define SENTINEL_AGAIN_MS 3000

/* Appends what can be read now. Bytes, 0: end of the stream, or -errno. */
static ssize_t text_read(struct live_text *text, int fd)
{
	ssize_t length;

	if (text->size - text->used < 65536) {
		size_t size = text->size * 2 + 2 * 65536;
		char *data = realloc(text->data, size);

		if (!data)
			return -ENOMEM;
		text->data = data;
		text->size = size;
	}
	length = read(fd, text->data + text->used, text->size - text->used - 1);
	if (length < 0)
		return -errno;
	text->used += (size_t)length;
	text->data[text->used] = '\0';
	return length;
}

size_t live_find(const struct monitor *monitor, const char *action, uint16_t port, const json_t **ret)
{
	unsigned int netns = scene_namespace();
	size_t count = 0;
	json_t *event;
	size_t index;

	*ret = NULL;
	json_array_foreach(monitor->events, index, event)
	{
		if (!live_is_action(event, action) || monitor_is_sentinel(event) ||
		    json_integer_value(live_field(event, "server.port")) != port ||
		    json_integer_value(live_field(event, "bindwatch.netns.inode")) != netns)
			continue;
		*ret = event;
		count++;
	}
	return count;
}

static bool is_of_a_call(const json_t *event)
{
	return live_is_action(event, ACTION_BIND) || live_is_action(event, ACTION_LISTEN) ||
	       live_is_action(event, ACTION_CLOSE);
}

/*
 * memmem() and not strstr(), here and below: the latter is written for vector instructions, which an emulated CPU takes
 * one by one.
 */
static bool line_has(const char *line, const char *end, const char *text)
{
	return memmem(line, (size_t)(end - line), text, strlen(text)) != NULL;
}

/* "action":"VALUE" stands near a line's beginning. */
static bool line_is_action(const char *line, const char *end, const char *action)
{
	static const char key[] = "\"action\":\"";
	const char *value = memmem(line, (size_t)(end - line), key, sizeof(key) - 1);
	size_t length = strlen(action);

	value = value ? value + sizeof(key) - 1 : end;
	return (size_t)(end - value) > length && memcmp(value, action, length) == 0 && value[length] == '"';
}

/* A flood would take an emulated CPU minutes to parse. false: the line is one to be looked at. */
static bool count_line(struct monitor *monitor, const char *line, const char *end)
{
	if (!line_is_action(line, end, ACTION_BIND) && !line_is_action(line, end, ACTION_LISTEN) &&
	    !line_is_action(line, end, ACTION_CLOSE))
		return false;
	monitor->told++;
	return true;
}

/* Looks at the lines that are whole. Returns whether the sentinel of this port is among them. */
static bool parse_lines(struct monitor *monitor, uint16_t port)
{
	bool found = false;
	char number[16];

	/* a bare number could stand in a time as well */
	(void)snprintf(number, sizeof(number), monitor->json ? "\"port\":%u" : ":%u", port);
	while (monitor->parsed < monitor->output.used) {
		const char *line = monitor->output.data + monitor->parsed;
		const char *end = memchr(line, '\n', monitor->output.used - monitor->parsed);
		json_error_t error;
		json_t *object;
		bool counted;

		if (!end)
			break;
		if (port && line_has(line, end, LIVE_SENTINEL_ADDRESS) && line_has(line, end, number))
			found = true;
		counted = monitor->counts_only && count_line(monitor, line, end);
		monitor->parsed += (size_t)(end - line) + 1;
		if (!monitor->json || counted)
			continue;
		object = json_loadb(line, (size_t)(end - line), JSON_REJECT_DUPLICATES, &error);
		if (json_is_object(object)) {
			monitor->told += is_of_a_call(object);
			json_array_append_new(monitor->events, object);
			continue;
		}
		json_decref(object);
		monitor->malformed++;
		fprintf(stderr, "not one JSON object: %s: %.*s\n", error.text, (int)(end - line), line);
	}
	return found;
}

/*
 * The rules of every monitor that was not given some: what was bound, and not who bound it where, is the matter of most
 * tests here. So each port that was asked for alerts.
 */
static const char policy_of_ports[] = "[alert privileged-port]\n"
                                      "class = privileged\n"
                                      "action = bound-socket\n"
                                      "choice = requested\n"
                                      "outcome = success\n"
                                      "severity = high\n"
                                      "[alert reserved-port]\n"
                                      "state = reserved\n"
                                      "action = bound-socket\n"
                                      "choice = requested\n"
                                      "outcome = success\n"
                                      "severity = medium\n"
                                      "[alert dynamic-port]\n"
                                      "state = not-listed\n"
                                      "class = dynamic\n"
                                      "action = bound-socket\n"
                                      "choice = requested\n"
                                      "outcome = success\n"
                                      "severity = low\n"
                                      "[alert unassigned-port]\n"
                                      "state = unassigned deassigned not-listed\n"
                                      "action = bound-socket\n"
                                      "choice = requested\n"
                                      "outcome = success\n"
                                      "severity = medium\n"
                                      "[alert registered-port]\n"
                                      "state = assigned\n"
                                      "action = bound-socket\n"
                                      "choice = requested\n"
                                      "outcome = success\n"
                                      "severity = low\n"
                                      /* a listen that stands for the bind */
                                      "[ignore sctp-listen]\n"
                                      "port = 8801/sctp\n";

/* "--policy=" and the path of them, for a process that keeps the descriptor. 0 or -errno. */
static int policy_argument(char *ret, size_t size)
{
	int fd = memfd_create("policy", 0);

	if (fd < 0 || write(fd, policy_of_ports, strlen(policy_of_ports)) < 0)
		return -errno;
	(void)snprintf(ret, size, "--policy=/proc/self/fd/%d", fd);
	return 0;
}

/*
 * The arguments of a monitor behind its name, ended by NULL. BINDWATCH_TEST_PLAN in the environment is the plan of
 * every monitor that was not given one: so the same tests run under each plan that a kernel allows (tests/vm).
 */
static void fill_arguments(const struct monitor_options *options, const char **argv, size_t size)
{
	const char *const *arguments = options->arguments;
	const char *plan = getenv("BINDWATCH_TEST_PLAN");
	static char policy[64]; /* of the child alone */
	bool own_policy = options->vendor_policy;
	size_t count = 1;

	for (size_t i = 0; arguments[i]; i++) {
		if (strcmp(arguments[i], "--plan") == 0)
			plan = NULL;
		own_policy |= strncmp(arguments[i], "--policy", strlen("--policy")) == 0;
	}
	for (size_t i = 0; arguments[i] && count + 5 < size; i++) {
		argv[count++] = arguments[i];
		if (i > 0 || strcmp(arguments[i], "watch") != 0)
			continue;
		/* what was bound before is none of these tests' business */
		if (!options->existing)
			argv[count++] = "--no-existing";
		if (!own_policy && policy_argument(policy, sizeof(policy)) == 0)
			argv[count++] = policy;
		if (plan) {
			argv[count++] = "--plan";
			argv[count++] = plan;
		}
	}
	argv[count] = NULL;
}

/* Between fork() and exec(): only what is safe there. Does not return. */
static void child_exec(const struct monitor_options *options, int out, int err)
{
	const char *argv[24] = {options->program};

	/* a test program that dies takes its monitor with it */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	fill_arguments(options, argv, sizeof(argv) / sizeof(argv[0]));
	if (options->before_exec)
		options->before_exec(options->context);
	execv(options->program, (char *const *)argv);
	dprintf(STDERR_FILENO, "%s: %s\n", options->program, strerror(errno));
	_exit(127);
}

int monitor_spawn(struct monitor *monitor, const struct monitor_options *options)
{
	int out[2] = {-1, -1};
	int err[2] = {-1, -1};
	int result;

	*monitor = (struct monitor){.out = -1,
	                            .err = -1,
	                            .json = options->json,
	                            .counts_only = options->counts_only,
	                            .sentinel = LIVE_SENTINEL_PORT};
	monitor->netns = scene_namespace();
	monitor->events = json_array();
	if (!monitor->events)
		return -ENOMEM;
	if ((!options->out && pipe2(out, O_CLOEXEC)) || pipe2(err, O_CLOEXEC)) {
		result = -errno;
		goto fail;
	}
	fflush(NULL);
	monitor->pid = fork();
	if (monitor->pid < 0) {
		result = -errno;
		monitor->pid = 0;
		goto fail;
	}
	if (monitor->pid == 0)
		child_exec(options, options->out ? options->out : out[1], err[1]);
	if (!options->out)
		close(out[1]);
	close(err[1]);
	monitor->out = out[0];
	monitor->err = err[0];
	return 0;
fail:
	for (int i = 0; i < 2; i++) {
		if (out[i] >= 0)
			close(out[i]);
		if (err[i] >= 0)
			close(err[i]);
	}
	return result;
}

/* Reads one stream; closes it at its end. */
static void read_stream(struct live_text *text, int *fd, short revents)
{
	if (!(revents & (POLLIN | POLLHUP | POLLERR)))
		return;
	if (text_read(text, *fd) <= 0) {
		close(*fd);
		*fd = -1;
	}
}

int monitor_read(struct monitor *monitor, int timeout_ms)
{
	struct pollfd fds[2] = {
	        {.fd = monitor->out, .events = POLLIN},
	        {.fd = monitor->err, .events = POLLIN},
	};

	if (monitor->out < 0 && monitor->err < 0)
		return -EPIPE;
	if (poll(fds, 2, timeout_ms) <= 0)
		return 0;
	read_stream(&monitor->output, &monitor->out, fds[0].revents);
	read_stream(&monitor->message, &monitor->err, fds[1].revents);
	return 1;
}

/* "bindwatch: watching, plan NAME ...": the hooks that were taken. */
static void find_plan(struct monitor *monitor, const char *line)
{
	const char *name = strstr(line, "plan ");
	size_t length = name ? strspn(name + 5, "abcdefghijklmnopqrstuvwxyz") : 0;

	(void)snprintf(monitor->plan, sizeof(monitor->plan), "%.*s", (int)length, name ? name + 5 : "");
}

int monitor_wait_ready(struct monitor *monitor)
{
	int64_t deadline = live_now_ms() + LIVE_WAIT_MS;

	for (;;) {
		const char *line = monitor->message.data ? strstr(monitor->message.data, READY_LINE) : NULL;

		if (line && strchr(line, '\n')) {
			find_plan(monitor, line);
			return 0;
		}
		if (monitor_read(monitor, 100) < 0)
			return -EPIPE;
		if (live_now_ms() > deadline)
			return -ETIMEDOUT;
	}
}

int monitor_start(struct monitor *monitor, const struct monitor_options *options)
{
	int result = monitor_spawn(monitor, options);

	if (!result)
		result = monitor_wait_ready(monitor);
	if (result)
		fprintf(stderr, "%s did not say \"%s\": %s; it said:\n%s", options->program, READY_LINE,
		        strerror(-result), monitor->message.data ? monitor->message.data : "(nothing)\n");
	return result;
}

int monitor_run(struct monitor *monitor, const char *program, const char *const *arguments)
{
	const struct monitor_options options = {.program = program, .arguments = arguments};
	int result = monitor_spawn(monitor, &options);

	return result ? result : monitor_finish(monitor, 0);
}

bool monitor_is_sentinel(const json_t *event)
{
	const char *address = json_string_value(live_field(event, "server.ip"));

	return address && strcmp(address, LIVE_SENTINEL_ADDRESS) == 0;
}

/* 0 or -errno. */
static int bind_sentinel(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), result = 0;

	inet_pton(AF_INET, LIVE_SENTINEL_ADDRESS, &address.sin_addr);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)))
		result = -errno;
	if (fd >= 0)
		close(fd);
	return result;
}

int monitor_sync(struct monitor *monitor, uint16_t port)
{
	int64_t begin = live_now_ms(), again = begin + SENTINEL_AGAIN_MS;
	int result;

	if (!port)
		port = ++monitor->sentinel;
	result = bind_sentinel(port);
	while (!result && !parse_lines(monitor, port)) {
		if (monitor_read(monitor, 100) < 0)
			result = -EPIPE;
		else if (live_now_ms() > begin + LIVE_WAIT_MS)
			result = -ETIMEDOUT;
		/* such a kernel can leave out the one hook that tells of it; that is counted, and no test is about it */
		if (!result && live_kernel_has(7, 0) && live_now_ms() > again) {
			result = bind_sentinel(port);
			again += SENTINEL_AGAIN_MS;
		}
	}
	if (result)
		fprintf(stderr, "the sentinel %s:%u: %s; stderr of the monitor:\n%s\n", LIVE_SENTINEL_ADDRESS, port,
		        strerror(-result), monitor->message.data ? monitor->message.data : "");
	return result;
}

int monitor_finish(struct monitor *monitor, int signal)
{
	int64_t deadline = live_now_ms() + LIVE_WAIT_MS;
	bool killed = false;
	int status;

	if (!monitor->pid)
		return -ESRCH;
	/* a signal ends the wait for a reader (user/cli/watch.c): let no pipe be full when it comes */
	while (signal && monitor_read(monitor, 0) > 0)
		;
	if (signal)
		kill(monitor->pid, signal);
	while (monitor_read(monitor, 100) >= 0) {
		if (!killed && live_now_ms() > deadline) {
			kill(monitor->pid, SIGKILL);
			killed = true;
		}
	}
	parse_lines(monitor, 0);
	while (waitpid(monitor->pid, &status, 0) < 0 && errno == EINTR)
		;
	monitor->pid = 0;
	if (killed)
		return -ETIMEDOUT;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int monitor_ledger(struct monitor *monitor)
{
	unsigned long long seen, shown, alerts, lost;
	int code = monitor_finish(monitor, SIGINT);
	const char *totals;

	if (code)
		return code < 0 ? code : -EBADMSG;
	totals = monitor->message.data ? strstr(monitor->message.data, " seen, ") : NULL;
	while (totals && totals > monitor->message.data && totals[-1] != '\n')
		totals--;
	if (!totals || sscanf(totals, "bindwatch: %llu %*s seen, %llu shown, %llu alerts, %llu lost", &seen, &shown,
	                      &alerts, &lost) != 4) {
		fprintf(stderr, "no totals in: %s\n", monitor->message.data ? monitor->message.data : "(nothing)");
		return -EBADMSG;
	}
	/* what was there before the monitor stands in the stream, but in none of the three */
	if (seen == monitor->told + lost && shown == monitor->told &&
	    ((lost == 0 && !strstr(totals, " never seen")) || monitor->losses_allowed ||
	     live_kernel_skips(monitor->plan)))
		return 0;
	fprintf(stderr, "%llu events of calls in the stream; it says: %s", (unsigned long long)monitor->told, totals);
	return -EBADMSG;
}

void monitor_free(struct monitor *monitor)
{
	if (!monitor)
		return;
	if (monitor->pid > 0) {
		kill(monitor->pid, SIGKILL);
		waitpid(monitor->pid, NULL, 0);
		monitor->pid = 0;
	}
	if (monitor->out >= 0)
		close(monitor->out);
	if (monitor->err >= 0)
		close(monitor->err);
	free(monitor->output.data);
	free(monitor->message.data);
	json_decref(monitor->events);
	*monitor = (struct monitor){.out = -1, .err = -1};
}
