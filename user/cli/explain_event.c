/* SPDX-License-Identifier: BSD-2-Clause */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/types.h> /* before the contract with the kernel side, which includes nothing */
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "bpf/bindwatch.h"
#include "user/base/errno_name.h"
#include "user/base/event_words.h"
#include "user/base/ipproto.h"
#include "user/base/image_name.h"
#include "user/base/number.h"
#include "user/cli/cli.h"
#include "user/cli/explain.h"
#include "user/judge/classify.h"

/* Where net.ipv4.ip_unprivileged_port_start stands, and what it is unless it was set: kernel/Documentation ip-sysctl.
 */
#define PORT_START_FILE    "/proc/sys/net/ipv4/ip_unprivileged_port_start"
#define PORT_START_DEFAULT 1024

/* "65535/sctp" and its NUL */
#define PORT_LEN 11

static uint32_t port_start(void)
{
	FILE *file = fopen(PORT_START_FILE, "re");
	unsigned int start;

	if (!file)
		return PORT_START_DEFAULT;
	if (fscanf(file, "%u", &start) != 1)
		start = PORT_START_DEFAULT;
	(void)fclose(file);
	return start;
}

/* "22/tcp"; without a transport it is TCP */
static int take_port(const char *text, struct event *event)
{
	static const uint16_t protocols[REGISTRY_TRANSPORTS] = {[REGISTRY_TCP] = IPPROTO_TCP,
	                                                        [REGISTRY_UDP] = IPPROTO_UDP,
	                                                        [REGISTRY_SCTP] = IPPROTO_SCTP,
	                                                        [REGISTRY_DCCP] = IPPROTO_DCCP};
	const char *slash = strchr(text, '/');
	uint32_t transport = REGISTRY_TCP;
	char digits[PORT_LEN];
	uint64_t port;
	size_t len = slash ? (size_t)(slash - text) : strlen(text);

	(void)snprintf(digits, sizeof(digits), "%.*s", (int)(len < PORT_LEN ? len : PORT_LEN), text);
	if (number_parse(digits, 1, UINT16_MAX, &port) ||
	    (slash && !event_word_find(WORDS_TRANSPORT, slash + 1, &transport)))
		return cli_usage("explain",
		                 "--port: '%s' is not a port: write 1-65535, with /tcp, /udp, /sctp or /dccp "
		                 "behind it unless it is tcp",
		                 text);
	event->protocol = protocols[transport];
	event->requested.port = (uint16_t)port;
	event->requested.has_port = true;
	return CLI_OK;
}

static int take_address(const char *text, struct event *event)
{
	struct endpoint *endpoint = &event->requested;

	if (!text)
		text = "0.0.0.0";
	endpoint->family = strchr(text, ':') ? AF_INET6 : AF_INET;
	endpoint->has_address = true;
	event->family = endpoint->family;
	if (inet_pton(endpoint->family, text, endpoint->address) != 1)
		return cli_usage("explain", "--address: '%s' is not an IPv4 or IPv6 address", text);
	return CLI_OK;
}

/* The group is the user's own; of a number that is no user of this host it is not known. */
static int take_user(const char *text, struct event *event)
{
	const struct passwd *passwd;
	uint64_t uid;

	if (!text)
		return CLI_OK;
	if (number_parse(text, 0, UINT32_MAX - 1, &uid) == 0) {
		passwd = getpwuid((uid_t)uid);
		event->uid = (uint32_t)uid;
		event->gid = passwd ? passwd->pw_gid : PROCESS_UNSET;
		return CLI_OK;
	}
	passwd = getpwnam(text);
	if (!passwd)
		return cli_usage("explain", "--user: '%s' is no user of this host: write a name or a number", text);
	event->uid = passwd->pw_uid;
	event->gid = passwd->pw_gid;
	return CLI_OK;
}

/* "success", "failure" (permission denied: the most frequent one), or the name of an error */
static int take_outcome(const char *text, struct event *event)
{
	if (!text || strcmp(text, "success") == 0)
		return CLI_OK;
	event->error = strcmp(text, "failure") == 0 ? EACCES : errno_find(text);
	if (!event->error)
		return cli_usage("explain",
		                 "--outcome: '%s' is not success, failure or the name of an error, as "
		                 "EADDRINUSE",
		                 text);
	return CLI_OK;
}

/* "memfd,deleted" */
static int take_flags(const char *text, struct executable *executable)
{
	while (text && *text) {
		size_t len = strcspn(text, ", ");
		char word[32];
		uint32_t flag;

		(void)snprintf(word, sizeof(word), "%.*s", (int)(len < sizeof(word) ? len : sizeof(word)), text);
		if (len && !event_word_find(WORDS_EXECUTABLE_FLAG, word, &flag))
			return cli_usage("explain",
			                 "--exe-flags: '%s' is not memfd, deleted, replaced, overlay-upper, "
			                 "world-writable or modified",
			                 word);
		executable->flags |= len ? flag : 0;
		text += len + (text[len] != '\0');
	}
	executable->flags_known = (1U << EXECUTABLE_FLAGS) - 1;
	return CLI_OK;
}

/* "host", "other", or the number of one */
static int take_namespace(const char *option, const char *text, uint32_t host, uint32_t *ret)
{
	uint64_t inode;

	*ret = host;
	if (!text || strcmp(text, "host") == 0)
		return CLI_OK;
	if (strcmp(text, "other") == 0) {
		*ret = UINT32_MAX; /* the kernel counts up from the host's and is not there yet */
		return CLI_OK;
	}
	if (number_parse(text, 1, UINT32_MAX, &inode))
		return cli_usage("explain", "--%s: '%s' is not host, other or the number of a namespace", option, text);
	*ret = (uint32_t)inode;
	return CLI_OK;
}

static int take_namespaces(const struct explain_options *options, struct explain_event *made)
{
	uint32_t host[POLICY_NAMESPACES];
	int r;

	cli_host_namespaces(host);
	r = take_namespace("netns", options->netns, host[POLICY_NETNS], &made->event.netns_inode);
	if (!r)
		r = take_namespace("userns", options->userns, host[POLICY_USERNS], &made->process.userns_inode);
	if (!r)
		r = take_namespace("mntns", options->mntns, host[POLICY_MNTNS], &made->process.mntns_inode);
	return r;
}

static void take_process(const struct explain_options *options, struct explain_event *made)
{
	struct process *process = &made->process;
	const char *slash = options->exe ? strrchr(options->exe, '/') : NULL;

	made->event.process = process;
	process->executable.path = options->exe;
	process->cgroup.path = "/";
	process->cgroup.unit = options->unit;
	process->cgroup.user_unit = options->user_unit;
	process->cgroup.slice = options->slice;
	/* a unit and a container stand in a slice, which is theirs to choose */
	process->cgroup.slice_unknown =
	        !options->slice && (options->unit || options->user_unit || options->container || options->image);
	if (options->container || options->image) {
		process->cgroup.container_id = options->container;
		process->cgroup.image = options->image;
		process->cgroup.runtime = RUNTIME_UNKNOWN;
	}
	if (options->parent) {
		process->ancestors[0].executable = options->parent;
		process->ancestors_count = 1;
	}
	/* the kernel's name of a process is its program's until it gives itself another */
	if (options->exe)
		(void)snprintf(made->event.comm, sizeof(made->event.comm), "%s", slash ? slash + 1 : options->exe);
	memcpy(process->comm, made->event.comm, sizeof(process->comm));
	/* it has a number, which no rule asks for */
	made->event.pid = process->pid = options->exe ? UINT32_MAX : 0;
}

int explain_event_make(const struct explain_options *options, const struct registry *registry,
                       struct explain_event *ret)
{
	struct event *event = &ret->event;
	int r;

	*ret = (struct explain_event){.event = {.action = EVENT_BOUND}};
	if (options->exe && options->exe[0] != '/')
		return cli_usage("explain", "--exe: '%s' is not a whole path", options->exe);
	if (options->parent && options->parent[0] != '/')
		return cli_usage("explain", "--parent: '%s' is not a whole path", options->parent);
	if (options->image && !image_name_is_sound(options->image))
		return cli_usage("explain",
		                 "--image: '%s' is not the name of an image, as docker.io/library/nginx:1.27",
		                 options->image);
	if ((r = take_port(options->port, event)) || (r = take_address(options->address, event)) ||
	    (r = take_user(options->user, event)) || (r = take_outcome(options->outcome, event)) ||
	    (r = take_flags(options->exe_flags, &ret->process.executable)) || (r = take_namespaces(options, ret)))
		return r;
	take_process(options, ret);
	event->type = event->protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM;
	event->unprivileged_port_start = port_start();
	if (!event->error)
		event->bound = event->requested;
	classify(registry, event);
	return CLI_OK;
}
