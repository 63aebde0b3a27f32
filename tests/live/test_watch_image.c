/* SPDX-License-Identifier: BSD-2-Clause */
/* The image of a container: a cgroup and a runtime's record, made by hand, as Kubernetes and containerd make them. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/live/live.h"
#include "user/sense/attach.h"

#define PORT 8432

#define ID       "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define OTHER_ID "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"

#define TASKS "/run/containerd/io.containerd.runtime.v2.task/k8s.io/"

/* Of processes of one container: the first may come before its record is read (user/enrich/enrich.h). */
#define TRIES 200

static const char rules[] = "[expect the-image]\nport = 8432/udp\nimage = registry.example/*/web:1.*\n"
                            "[alert of-another]\nport = 8432/udp\nseverity = high\nimage = any\n";

static char program[PATH_MAX];
static char policy[] = "/tmp/bindwatch-image-XXXXXX";
static const char *why_not;
static int root; /* of the cgroups */

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0 && fclose(file) == 0);
}

static void make_record(const char *id, const char *image)
{
	char path[PATH_MAX], text[512];

	(void)snprintf(path, sizeof(path), TASKS "%s", id);
	assert_int_equal(mkdir(path, 0711), 0);
	(void)snprintf(path, sizeof(path), TASKS "%s/config.json", id);
	(void)snprintf(text, sizeof(text),
	               "{\"ociVersion\":\"1.1.0\",\"annotations\":{\"io.kubernetes.cri.image-name\":\"%s\"}}", image);
	write_text(path, text);
}

static const char *cgroup_of(const char *id)
{
	static char name[128];

	(void)snprintf(name, sizeof(name), "cri-containerd-%s.scope", id);
	return name;
}

/* In the child. */
static int bind_in(const char *id)
{
	const struct sockaddr_in address = {
	        .sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int directory, processes, fd;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	directory = openat(root, cgroup_of(id), O_PATH | O_DIRECTORY | O_CLOEXEC);
	processes = openat(directory, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	if (processes < 0 || write(processes, "0", 1) != 1)
		return 2;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0;
}

static void assert_binds(const char *id)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0)
		_exit(bind_in(id));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

static const char *text_of(const json_t *event, const char *field)
{
	const char *text = json_string_value(live_field(event, field));

	return text ? text : "(none)";
}

/* The last bind's event, once its image is known. */
static const json_t *bind_until_known(struct monitor *monitor, const char *id)
{
	const json_t *event = NULL;

	for (unsigned int i = 0; i < TRIES; i++) {
		assert_binds(id);
		assert_int_equal(monitor_sync(monitor, 0), 0);
		assert_true(live_find(monitor, ACTION_BIND, PORT, &event) > 0);
		assert_string_equal(text_of(event, "container.id"), id);
		assert_string_equal(text_of(event, "container.runtime"), "containerd");
		if (live_field(event, "container.image"))
			return event;
	}
	fail_msg("no image of %s", id);
	return NULL;
}

/* In the events, and in what the policy makes of them. */
static void image_is_told_and_judged(void **state)
{
	const struct monitor_options options = {
	        .program = program,
	        .arguments = ARGUMENTS("--output", "json", "--no-existing", "--policy", policy),
	        .json = true,
	        .vendor_policy = true};
	struct monitor monitor;
	const json_t *event;

	(void)state;
	SKIP_BECAUSE(why_not);
	make_record(ID, "registry.example/shop/web:1.27");
	make_record(OTHER_ID, "registry.example:5000/other@sha256:" ID);
	assert_int_equal(monitor_start(&monitor, &options), 0);
	event = bind_until_known(&monitor, ID);
	assert_string_equal(text_of(event, "container.image.name"), "registry.example/shop/web");
	assert_int_equal(json_array_size(live_field(event, "container.image.tag")), 1);
	assert_string_equal(json_string_value(json_array_get(live_field(event, "container.image.tag"), 0)), "1.27");
	assert_null(live_field(event, "container.image.hash"));
	assert_string_equal(text_of(event, "bindwatch.policy.rule"), "the-image");

	event = bind_until_known(&monitor, OTHER_ID);
	assert_string_equal(text_of(event, "container.image.name"), "registry.example:5000/other");
	assert_null(live_field(event, "container.image.tag"));
	assert_string_equal(json_string_value(json_array_get(live_field(event, "container.image.hash.all"), 0)),
	                    "sha256:" ID);
	assert_string_equal(text_of(event, "rule.name"), "of-another");
	assert_non_null(strstr(text_of(event, "event.reason"), " of registry.example:5000/other@sha256:"));

	assert_int_equal(monitor_finish(&monitor, SIGINT), 0);
	monitor_free(&monitor);
}

/* Over /run, in a mount namespace that the monitor is in, too. */
static const char *make_place(void)
{
	static const char *const directories[] = {"/run/containerd", "/run/containerd/io.containerd.runtime.v2.task",
	                                          "/run/containerd/io.containerd.runtime.v2.task/k8s.io"};

	if (scene_enter_namespace() != 0)
		return "no network namespace of its own can be made here";
	if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("none", "/run", "tmpfs", 0, NULL) != 0)
		return "no mount namespace of its own can be made here";
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++)
		if (mkdir(directories[i], 0711) != 0)
			return "no directory can be made in a tmpfs";
	root = cgroup_root_open("/proc/self/mountinfo");
	if (root < 0)
		return "the cgroup v2 hierarchy is mounted nowhere";
	for (unsigned int i = 0; i < 2; i++)
		if (mkdirat(root, cgroup_of(i ? ID : OTHER_ID), 0755) != 0 && errno != EEXIST)
			return "no cgroup can be made here";
	return NULL;
}

static int setup(void **state)
{
	int fd = mkstemp(policy);

	(void)state;
	if (fd < 0 || close(fd) != 0)
		return -1;
	write_text(policy, rules);
	why_not = live_why_not();
	if (!why_not)
		why_not = make_place();
	return 0;
}

static int clean(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 2 && root > 0; i++)
		/* a process that ended a moment ago may still count */
		for (unsigned int tries = 0;
		     unlinkat(root, cgroup_of(i ? ID : OTHER_ID), AT_REMOVEDIR) < 0 && errno == EBUSY && tries < 100;
		     tries++)
			(void)usleep(10000);
	(void)unlink(policy);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(image_is_told_and_judged),
	};

	if (argc < 1 || live_program(argv[0], program, sizeof(program)) != 0) {
		fprintf(stderr, "run this as B/tests/live/NAME: B/bindwatch is what it tests\n");
		return 1;
	}
	return cmocka_run_group_tests_name("images of containers", tests, setup, clean);
}
