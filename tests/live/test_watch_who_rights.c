/* SPDX-License-Identifier: BSD-2-Clause */
/* What a process may do at the moment of its bind, and in which containment it does it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/capability.h>

#include "tests/live/live.h"
#include "tests/live/who.h"
#include "user/base/mountinfo.h"

static struct who_test test;

/* --- credentials ---------------------------------------------------------------------------------------------------
 */

/* As the process sees itself: system calls, not /proc. */
struct rights {
	uid_t uid[3];
	gid_t gid[3];
	int groups;
	uint64_t effective, permitted;
};

static int look_at_myself(struct rights *ret)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};

	if (getresuid(&ret->uid[0], &ret->uid[1], &ret->uid[2]) || getresgid(&ret->gid[0], &ret->gid[1], &ret->gid[2]))
		return -errno;
	ret->groups = getgroups(0, NULL);
	if (syscall(SYS_capget, &header, data))
		return -errno;
	ret->effective = (uint64_t)data[1].effective << 32 | data[0].effective;
	ret->permitted = (uint64_t)data[1].permitted << 32 | data[0].permitted;
	return 0;
}

static int set_capabilities(uint64_t effective, uint64_t permitted)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {
	        {.effective = (uint32_t)effective, .permitted = (uint32_t)permitted},
	        {.effective = (uint32_t)(effective >> 32), .permitted = (uint32_t)(permitted >> 32)}};

	return (int)syscall(SYS_capset, &header, data);
}

static int nothing(void)
{
	return 0;
}

static int take_groups(void)
{
	const gid_t groups[] = {1001, 1002, 1003};

	return setgroups(3, groups);
}

static int change_group(void)
{
	return setresgid(1001, 1002, 1003);
}

static int lower_effective(void)
{
	struct rights now;

	return look_at_myself(&now) ||
	       set_capabilities(1ULL << CAP_NET_BIND_SERVICE | 1ULL << CAP_SETUID, now.permitted);
}

static int lend_user(void)
{
	return setresuid(0, 1000, 0);
}

static int drop_all(void)
{
	return setresuid(1000, 1000, 1000);
}

/* Each in a process of its own; the execs of a process are no part of it. */
static int (*const changes[])(void) = {nothing, take_groups, change_group, lower_effective, lend_user, drop_all};

#define CHANGES (sizeof(changes) / sizeof(changes[0]))

static int bind_port(uint16_t port)
{
	struct sockaddr_in address = {
	        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int r, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	r = bind(fd, (struct sockaddr *)&address, sizeof(address)) ? -errno : 0;
	close(fd);
	return r;
}

/* One process that changes what it is allowed step by step, and binds a port after each. */
static int step_by_step(struct rights *rights, const uint16_t *ports)
{
	for (size_t i = 0; i < CHANGES; i++)
		if (changes[i]() || look_at_myself(&rights[i]) || bind_port(ports[i]))
			return (int)i + 1;
	return 0;
}

static void credentials_are_those_of_the_moment(void **state)
{
	struct rights *rights = who_shared(CHANGES * sizeof(*rights));
	uint16_t ports[CHANGES];
	int status;
	pid_t pid;

	(void)state;
	SKIP_BECAUSE(test.why_not);
	assert_non_null(rights);
	for (size_t i = 0; i < CHANGES; i++)
		ports[i] = who_port(&test);
	pid = fork();
	if (pid == 0)
		_exit(step_by_step(rights, ports));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	for (size_t i = 0; i < CHANGES; i++) {
		struct who_event event;
		const struct credentials *told = &event.event.credentials;

		who_await(&test, ports[i], &event);
		assert_int_equal(event.event.pid, pid);
		assert_true(told->known);
		assert_int_equal(event.event.uid, rights[i].uid[0]);
		assert_int_equal(told->effective_uid, rights[i].uid[1]);
		assert_int_equal(event.event.gid, rights[i].gid[0]);
		assert_int_equal(told->effective_gid, rights[i].gid[1]);
		assert_int_equal(told->groups_count, rights[i].groups);
		assert_int_equal(told->effective, rights[i].effective);
		assert_int_equal(told->permitted, rights[i].permitted);
		who_event_free(&event);
	}
	/* the steps did what they are for */
	assert_int_equal(rights[1].groups, 3);
	assert_int_equal(rights[2].gid[1], 1002);
	assert_true(rights[3].effective != rights[3].permitted);
	assert_int_equal(rights[4].uid[1], 1000);
	assert_int_equal(rights[CHANGES - 1].permitted, 0);
}

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool whole = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return whole;
}

static int log_in(void *context)
{
	return write_file("/proc/self/loginuid", context) ? 0 : 102;
}

static void the_login_is_told_or_unset(void **state)
{
	struct who_run run = {.file = test.tool, .stay = true};
	struct who_event event;
	struct who_child child;
	char user[] = "1234";

	(void)state;
	SKIP_BECAUSE(test.why_not);
	child = who_run(&test, &run);
	who_await(&test, child.port, &event);
	who_compare(&event, child.pid); /* both of them, from /proc */
	who_end(&child);
	who_event_free(&event);
	SKIP_BECAUSE(access("/proc/self/loginuid", W_OK) ? "a kernel without audit" : NULL);
	SKIP_BECAUSE(event.event.credentials.login_uid == PROCESS_UNSET ? NULL : "somebody is logged in already");
	run.prepare = log_in;
	run.context = user;
	child = who_run(&test, &run);
	who_await(&test, child.port, &event);
	assert_int_equal(event.event.credentials.login_uid, 1234);
	assert_int_not_equal(event.event.credentials.session, PROCESS_UNSET);
	who_compare(&event, child.pid);
	who_end(&child);
	who_event_free(&event);
}

/* --- containment ---------------------------------------------------------------------------------------------------
 */

#define CONTAINER_ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

struct container {
	char cgroup[4096]; /* where its hierarchy is mounted, then its directory; "": there is none */
	int *pid;          /* of the process within */
};

static int find_cgroup2(void *context, const struct mountinfo *mount)
{
	struct container *container = context;

	if (strcmp(mount->type, "cgroup2") != 0)
		return 0;
	(void)snprintf(container->cgroup, sizeof(container->cgroup), "%s", mount->point);
	return 1;
}

static bool write_number(const char *directory, const char *name, int number)
{
	char path[4200], text[16];

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	(void)snprintf(text, sizeof(text), "%d", number);
	return write_file(path, text);
}

/* As a container engine does it: a cgroup, then namespaces, then the first process of the pid namespace. */
static int contain(void *context)
{
	const struct container *container = context;
	int status;
	pid_t pid;

	if (container->cgroup[0] && !write_number(container->cgroup, "cgroup.procs", getpid()))
		return 102;
	if (unshare(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUSER | CLONE_NEWCGROUP))
		return 103;
	pid = fork();
	if (pid > 0) {
		*container->pid = pid;
		_exit(waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 104);
	}
	return pid < 0 ? 105 : 0;
}

static void remove_container(const struct container *container)
{
	char *slash;

	if (!container->cgroup[0])
		return;
	(void)rmdir(container->cgroup);
	slash = strrchr(container->cgroup, '/');
	*slash = '\0';
	(void)rmdir(container->cgroup);
	*slash = '/';
}

static void compare_containment(const struct who_event *event, const struct container *container)
{
	struct stat status;

	assert_int_equal(event->event.pid, *container->pid);
	assert_int_equal(event->event.pidns_pid, 1);
	assert_int_equal(event->event.pidns_inode, event->process.pidns_inode);
	assert_int_equal(stat("/proc/self/ns/user", &status), 0);
	assert_int_not_equal(event->process.userns_inode, status.st_ino);
	assert_int_equal(stat("/proc/self/ns/pid", &status), 0);
	assert_int_not_equal(event->process.pidns_inode, status.st_ino);
	if (!container->cgroup[0])
		return;
	assert_string_equal(event->process.cgroup.path, "/docker/" CONTAINER_ID);
	assert_int_equal(stat(container->cgroup, &status), 0);
	assert_int_equal(event->process.cgroup.id, status.st_ino);
	assert_int_equal(event->event.cgroup_id, status.st_ino);
	assert_int_equal(event->process.cgroup.runtime, RUNTIME_DOCKER);
	assert_string_equal(event->process.cgroup.container_id, CONTAINER_ID);
}

static void a_container_is_known_as_one(void **state)
{
	static struct container container;
	const struct who_run run = {.file = test.tool, .stay = true, .prepare = contain, .context = &container};
	struct who_event event;
	struct who_child child;
	size_t used;

	(void)state;
	SKIP_BECAUSE(test.why_not);
	container.pid = who_shared(sizeof(int));
	assert_non_null(container.pid);
	(void)mountinfo_each(MOUNTINFO, find_cgroup2, &container);
	if (container.cgroup[0]) {
		used = strlen(container.cgroup);
		(void)snprintf(container.cgroup + used, sizeof(container.cgroup) - used, "/docker");
		assert_true(mkdir(container.cgroup, 0755) == 0 || errno == EEXIST);
		used = strlen(container.cgroup);
		(void)snprintf(container.cgroup + used, sizeof(container.cgroup) - used, "/" CONTAINER_ID);
		assert_true(mkdir(container.cgroup, 0755) == 0 || errno == EEXIST);
	}
	child = who_run(&test, &run);
	who_await(&test, child.port, &event);
	compare_containment(&event, &container);
	who_compare(&event, *container.pid);
	who_end(&child);
	who_event_free(&event);
	remove_container(&container);
	SKIP_BECAUSE(container.cgroup[0] ? NULL : "cgroup v2 is mounted nowhere");
}

/* --- deep cgroups --- */

/* As user/sense and the kernel side have it: so many levels of a path that is too deep are told. */
#define LEVELS_TOLD 16
#define USER_SLICE  "/user.slice/user-1234.slice"
#define USER_UNIT   USER_SLICE "/user@1234.service"

struct deep {
	char root[4096]; /* where the hierarchy is mounted */
	size_t levels;   /* below USER_UNIT */
	const char *name;
};

/* Goes down from the root, and makes what is not there. false: it cannot. */
static bool go_down(const char *root, const char *path)
{
	char part[256];

	if (chdir(root))
		return false;
	while (*path == '/') {
		size_t length = strcspn(path + 1, "/");

		(void)snprintf(part, sizeof(part), "%.*s", (int)length, path + 1);
		if ((mkdir(part, 0755) && errno != EEXIST) || chdir(part))
			return false;
		path += length + 1;
	}
	return true;
}

static int enter_deep(void *context)
{
	const struct deep *deep = context;

	if (!go_down(deep->root, USER_UNIT))
		return 102;
	for (size_t i = 0; i < deep->levels; i++)
		if ((mkdir(deep->name, 0755) && errno != EEXIST) || chdir(deep->name)) /* a failed run leaves them */
			return 103;
	return write_number(".", "cgroup.procs", getpid()) && chdir("/") == 0 ? 0 : 104;
}

/* From the deepest upwards: by a path it could not be named. */
static void leave_deep(const struct deep *deep)
{
	bool there = chdir(deep->root) == 0 && chdir("." USER_UNIT) == 0;

	for (size_t i = 0; there && i < deep->levels; i++)
		there = chdir(deep->name) == 0;
	for (size_t i = 0; i < deep->levels; i++) {
		assert_int_equal(chdir(".."), 0);
		assert_int_equal(rmdir(deep->name), 0);
	}
	assert_int_equal(chdir("/"), 0);
}

static int find_root(void *context, const struct mountinfo *mount)
{
	struct deep *deep = context;

	if (strcmp(mount->type, "cgroup2") != 0)
		return 0;
	(void)snprintf(deep->root, sizeof(deep->root), "%s", mount->point);
	return 1;
}

static size_t count_levels(const char *path)
{
	size_t levels = 0;

	for (; *path; path++)
		levels += *path == '/';
	return levels;
}

/* Who was given a cgroup can go as deep below it as he likes, and cannot hide by it where it stands. */
static void a_deep_cgroup_has_its_unit(void **state)
{
	static char long_name[251];
	static const struct {
		size_t levels, length; /* of a name */
	} table[] = {{70, 1}, {20, 250}};
	static struct deep deep;
	const struct who_run run = {.file = test.tool, .stay = true, .prepare = enter_deep, .context = &deep};

	(void)state;
	SKIP_BECAUSE(test.why_not);
	(void)mountinfo_each(MOUNTINFO, find_root, &deep);
	SKIP_BECAUSE(deep.root[0] ? NULL : "cgroup v2 is mounted nowhere");
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct who_event event;
		struct who_child child;

		memset(long_name, 'd', table[i].length);
		long_name[table[i].length] = '\0';
		deep.name = long_name;
		deep.levels = table[i].levels;
		child = who_run(&test, &run);
		who_await(&test, child.port, &event);
		assert_non_null(event.process.cgroup.path);
		assert_true(event.process.cgroup.path_truncated);
		assert_int_equal(count_levels(event.process.cgroup.path), LEVELS_TOLD);
		assert_memory_equal(event.process.cgroup.path, USER_UNIT "/d", strlen(USER_UNIT "/d"));
		assert_string_equal(event.process.cgroup.unit, "user@1234.service");
		assert_string_equal(event.process.cgroup.slice, "user-1234.slice");
		who_end(&child);
		who_event_free(&event);
		leave_deep(&deep);
	}
	assert_int_equal(chdir(deep.root), 0);
	(void)rmdir("." USER_UNIT);
	(void)rmdir("." USER_SLICE);
	(void)rmdir("user.slice");
	assert_int_equal(chdir("/"), 0);
}

/* --- namespaces --- */

#define MOVES 8

struct moves {
	uint16_t ports[MOVES + 1];
	ino_t networks[MOVES], users;
};

static ino_t namespace_of(const char *name)
{
	char path[64];
	struct stat status;

	(void)snprintf(path, sizeof(path), "/proc/self/ns/%s", name);
	return stat(path, &status) ? 0 : status.st_ino;
}

static bool bind_to(int fd, uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};

	return bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
}

/*
 * Without an exec, each bind from other namespaces than the one before. The memory of what names a process's namespaces
 * is taken again at once when it moves twice. The sockets stay in the network that they were made in.
 */
static void move_about(struct moves *moves)
{
	int sockets[MOVES + 1];

	for (size_t i = 0; i <= MOVES; i++)
		sockets[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	for (size_t i = 0; i < MOVES; i++) {
		if (unshare(CLONE_NEWNET) || unshare(CLONE_NEWNET) || !bind_to(sockets[i], moves->ports[i]))
			_exit(1);
		moves->networks[i] = namespace_of("net");
	}
	if (unshare(CLONE_NEWUSER) || !bind_to(sockets[MOVES], moves->ports[MOVES]))
		_exit(2);
	moves->users = namespace_of("user");
	_exit(0);
}

static void namespaces_are_those_of_the_moment(void **state)
{
	struct moves *moves = who_shared(sizeof(*moves));
	struct who_event event;
	int status;
	pid_t pid;

	(void)state;
	SKIP_BECAUSE(test.why_not);
	assert_non_null(moves);
	for (size_t i = 0; i <= MOVES; i++)
		moves->ports[i] = who_port(&test);
	pid = fork();
	if (pid == 0)
		move_about(moves);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	for (size_t i = 0; i <= MOVES; i++) {
		who_await(&test, moves->ports[i], &event);
		assert_int_equal(event.process.netns_inode, moves->networks[i < MOVES ? i : MOVES - 1]);
		if (i == MOVES)
			assert_int_equal(event.process.userns_inode, moves->users);
		who_event_free(&event);
	}
}

static void the_ledger_agrees(void **state)
{
	(void)state;
	SKIP_BECAUSE(test.why_not);
	who_ledger(&test);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(credentials_are_those_of_the_moment), cmocka_unit_test(the_login_is_told_or_unset),
	        cmocka_unit_test(a_container_is_known_as_one),         cmocka_unit_test(a_deep_cgroup_has_its_unit),
	        cmocka_unit_test(namespaces_are_those_of_the_moment),  cmocka_unit_test(the_ledger_agrees),
	};
	int failed;

	if (argc < 1 || who_start(&test, argv[0]))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	who_stop(&test);
	return failed;
}
