/* SPDX-License-Identifier: BSD-2-Clause */
/* Binders that do not hold still: the event tells what was bound, and who the binder was at that moment. */
#include "tests/live/watch/watch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/live/ring.h"
#include "user/base/mountinfo.h"
#include "user/base/number.h"
#include "user/sense/attach.h"

#define SOMEBODY 12345

/* --- an address that changes while the call runs ----------------------------------------------------------------- */

#define FLIP_PORT          8520 /* and the next one */
#define ROUNDS_PER_COMPARE 20
#define COMPARES_MAX       40

struct flipper {
	struct sockaddr_in address;
	atomic_bool stop;
};

static void *flip(void *context)
{
	struct flipper *flipper = context;
	volatile in_port_t *port = &flipper->address.sin_port;

	for (uint16_t i = 0; !atomic_load_explicit(&flipper->stop, memory_order_relaxed); i++)
		*port = htons(FLIP_PORT + i % 2);
	return NULL;
}

/*
 * The kernel copies the address once, at its entry (move_addr_to_kernel()); what stands in the caller's memory before
 * or after is nobody's bind. Returns the ports that were bound, a bit each.
 */
static unsigned int bind_while_it_changes(struct flipper *flipper)
{
	unsigned int ports = 0;

	for (int i = 0; i < ROUNDS_PER_COMPARE; i++) {
		int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		struct bind_record *record =
		        scene_before(fixture.scene, fd, &flipper->address, sizeof(struct sockaddr_in));
		int error = bind(fd, (struct sockaddr *)&flipper->address, sizeof(flipper->address)) ? errno : 0;

		assert_int_equal(error, 0);
		scene_after(record, fd, 0);
		record->asked = record->got;
		ports |= 1U << (ntohs(((struct sockaddr_in *)&record->got)->sin_port) - FLIP_PORT);
		close(fd);
	}
	return ports;
}

static void address_rewritten_meanwhile(void **state)
{
	struct flipper flipper = {.address = {.sin_family = AF_INET, .sin_port = htons(FLIP_PORT)}};
	unsigned int ports = 0;
	int differences = 0;
	pthread_t thread;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	inet_pton(AF_INET, "127.0.0.1", &flipper.address.sin_addr);
	/* at least ten times, and until the other thread was seen at work; a single CPU is not left to it meanwhile */
	for (int i = 0; !differences && i < COMPARES_MAX && (i < 10 || ports != 3); i++) {
		atomic_store(&flipper.stop, false);
		assert_int_equal(pthread_create(&thread, NULL, flip, &flipper), 0);
		ports |= bind_while_it_changes(&flipper);
		atomic_store(&flipper.stop, true);
		pthread_join(thread, NULL);
		differences = scene_compare(fixture.scene, &fixture.monitor, NULL);
	}
	assert_int_equal(differences, 0);
	assert_int_equal(ports, 3);
}

/* --- a descriptor that changes while the call runs -----------------------------------------------------------------
 */

#define SWAP_PORT      8534
#define SWAP_EACH      50 /* refused by a socket, and by what is none */
#define SWAP_BINDS_MAX 2000000

struct swapper {
	int fd, socket, other;
	atomic_bool stop;
};

static void *swap(void *context)
{
	struct swapper *swapper = context;

	while (!atomic_load(&swapper->stop)) {
		(void)dup2(swapper->other, swapper->fd);
		(void)dup2(swapper->socket, swapper->fd);
	}
	return NULL;
}

/* What comes of a bind is told of the socket that was asked, whatever stands behind the descriptor by then. */
static void descriptor_swapped_meanwhile(void **state)
{
	struct swapper swapper = {.socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
	                          .other = open("/dev/null", O_RDONLY | O_CLOEXEC)};
	struct sockaddr_storage address;
	socklen_t length = scene_address("192.0.2.1", SWAP_PORT, &address);
	size_t binds = 0, refused = 0, other = 0, told = 0, index;
	json_t *event;
	pthread_t thread;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	swapper.fd = dup(swapper.socket);
	assert_true(swapper.fd >= 0 && swapper.other >= 0);
	assert_int_equal(pthread_create(&thread, NULL, swap, &swapper), 0);
	for (; (refused < SWAP_EACH || other < SWAP_EACH) && binds < SWAP_BINDS_MAX; binds++) {
		assert_int_equal(bind(swapper.fd, (struct sockaddr *)&address, length), -1);
		refused += errno == EADDRNOTAVAIL;
		other += errno == ENOTSOCK;
	}
	atomic_store(&swapper.stop, true);
	pthread_join(thread, NULL);
	close(swapper.fd);
	close(swapper.socket);
	close(swapper.other);
	assert_int_equal(monitor_sync(&fixture.monitor, 0), 0);
	json_array_foreach(fixture.monitor.events, index, event)
	{
		if (json_integer_value(live_field(event, "server.port")) != SWAP_PORT)
			continue;
		assert_string_equal(json_string_value(live_field(event, "error.code")), "EADDRNOTAVAIL");
		told++;
	}
	print_message("%zu of %zu binds were refused by a socket, %zu were told\n", refused, binds, told);
	if (told < refused && fixture_skipped(&fixture, refused - told))
		SKIP_BECAUSE("this kernel skips the hooks of this plan, which is not the one that it is given");
	assert_int_equal(told, refused);
	assert_true(refused >= SWAP_EACH && other >= SWAP_EACH);
}

/* --- a BPF program that changes the address ---------------------------------------------------------------------- */

#define ASKED_PORT 8530
#define MADE_PORT  8531

/* A program for cgroup/bind4 that binds MADE_PORT, whatever was asked. The descriptor, or -errno. */
static int load_rewriter(void)
{
	const struct bpf_insn instructions[] = {
	        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = htons(MADE_PORT)},
	        {.code = BPF_STX | BPF_MEM | BPF_W,
	         .dst_reg = BPF_REG_1,
	         .src_reg = BPF_REG_2,
	         .off = offsetof(struct bpf_sock_addr, user_port)},
	        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 1},
	        {.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr attr = {
	        .prog_type = BPF_PROG_TYPE_CGROUP_SOCK_ADDR,
	        .expected_attach_type = BPF_CGROUP_INET4_BIND,
	        .insns = (uintptr_t)instructions,
	        .insn_cnt = sizeof(instructions) / sizeof(instructions[0]),
	        .license = (uintptr_t) "BSD",
	};

	return live_load_program(&attr, sizeof(attr));
}

static int attach(int cgroup, int program_fd, enum bpf_attach_type type)
{
	union bpf_attr attr = {
	        .target_fd = (uint32_t)cgroup,
	        .attach_bpf_fd = (uint32_t)program_fd,
	        .attach_type = type,
	        .attach_flags = BPF_F_ALLOW_MULTI,
	};

	return syscall(SYS_bpf, BPF_PROG_ATTACH, &attr, sizeof(attr)) ? -errno : 0;
}

static void enter_cgroup(int cgroup)
{
	int processes = openat(cgroup, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	char pid[16];
	int length = snprintf(pid, sizeof(pid), "%d", getpid());

	if (processes < 0 || write(processes, pid, (size_t)length) != length)
		_exit(1);
	close(processes);
}

static void bind_in_cgroup(struct scene *scene, void *context)
{
	enter_cgroup(*(const int *)context);
	if (scene_socket(scene, AF_INET, SOCK_STREAM, 0, "127.0.0.1", ASKED_PORT) < 0)
		_exit(2);
	scene->records[0].rewritten = true;
	if (((struct sockaddr_in *)&scene->records[0].got)->sin_port != htons(MADE_PORT))
		_exit(3);
}

/*
 * Runs child in a cgroup of its own that the program is attached to; skips where that cannot be. Returns what the child
 * returned.
 */
static int in_cgroup_with(int program_fd, enum bpf_attach_type type, void (*child)(struct scene *, void *))
{
	int root, cgroup, code;
	char name[64];

	root = cgroup_root_open(MOUNTINFO);
	SKIP_BECAUSE(root < 0 ? "the cgroup v2 hierarchy is mounted nowhere" : NULL);
	SKIP_BECAUSE(program_fd < 0 ? "no such program of a cgroup can be loaded here" : NULL);
	(void)snprintf(name, sizeof(name), "bindwatch-test-%d", getpid());
	if (mkdirat(root, name, 0700)) {
		close(program_fd);
		close(root);
		SKIP_BECAUSE("no cgroup can be made here");
	}
	cgroup = openat(root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	code = attach(cgroup, program_fd, type);
	if (!code)
		code = scene_child(child, fixture.scene, &cgroup);
	close(cgroup);
	close(program_fd);
	unlinkat(root, name, AT_REMOVEDIR);
	close(root);
	return code;
}

static void address_rewritten_by_cgroup_program(void **state)
{
	(void)state;
	FIXTURE_NEEDED(&fixture);
	assert_int_equal(in_cgroup_with(load_rewriter(), BPF_CGROUP_INET4_BIND, bind_in_cgroup), 0);
	watch_assert_scene("a program of a cgroup");
}

/* --- a BPF program that refuses what was bound -------------------------------------------------------------------- */

#define REFUSED_PORT 8532

/* A program for cgroup/post_bind4 that refuses. The descriptor, or -errno. */
static int load_refuser(void)
{
	const struct bpf_insn instructions[] = {
	        {.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
	        {.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr attr = {
	        .prog_type = BPF_PROG_TYPE_CGROUP_SOCK,
	        .expected_attach_type = BPF_CGROUP_INET4_POST_BIND,
	        .insns = (uintptr_t)instructions,
	        .insn_cnt = sizeof(instructions) / sizeof(instructions[0]),
	        .license = (uintptr_t) "BSD",
	};

	return live_load_program(&attr, sizeof(attr));
}

/* By bind(2), and by a ring where the kernel has that: a way past every hook on the system call. */
static void bind_refused_in_cgroup(struct scene *scene, void *context)
{
	struct sockaddr_storage address;
	socklen_t length = scene_address("127.0.0.1", REFUSED_PORT, &address);
	struct bind_record *record;
	struct ring ring;
	int fd;

	enter_cgroup(*(const int *)context);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (scene_bind(scene, fd, &address, length) != -EPERM)
		_exit(2);
	close(fd);
	if (ring_why_not())
		return;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ring_open(&ring, 0))
		_exit(3);
	record = scene_before(scene, fd, &address, length);
	if (ring_bind(&ring, fd, &address, length) != -EPERM)
		_exit(4);
	scene_after(record, fd, EPERM);
	ring_close(&ring);
	close(fd);
}

static void refused_by_cgroup_program(void **state)
{
	(void)state;
	FIXTURE_NEEDED(&fixture);
	assert_int_equal(in_cgroup_with(load_refuser(), BPF_CGROUP_INET4_POST_BIND, bind_refused_in_cgroup), 0);
	watch_assert_scene("refused by a program of a cgroup");
}

/* --- many at once ------------------------------------------------------------------------------------------------ */

#define STORM_CHILDREN 200
#define STORM_PORT     21000

/* Waits for the others, binds its port under its own name, and is gone. Does not return. */
static void storm_child(int gate, uint16_t index)
{
	struct sockaddr_storage address;
	socklen_t length = scene_address("127.0.0.1", STORM_PORT + index, &address);
	int fd = socket(AF_INET, (index % 2 ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
	char name[16], byte;

	(void)snprintf(name, sizeof(name), "storm-%u", index);
	if (pthread_setname_np(pthread_self(), name))
		_exit(1);
	while (read(gate, &byte, 1) < 0 && errno == EINTR)
		;
	_exit(fd < 0 || bind(fd, (struct sockaddr *)&address, length) ? 2 : 0);
}

static void assert_storm(const pid_t *children)
{
	size_t never = 0;

	for (uint16_t i = 0; i < STORM_CHILDREN; i++) {
		const json_t *event;
		char name[16];
		size_t told = live_find(&fixture.monitor, ACTION_BIND, STORM_PORT + i, &event);

		if (told > 1)
			fail_msg("port %d was told %zu times", STORM_PORT + i, told);
		never += told == 0;
		if (told == 0)
			continue;
		(void)snprintf(name, sizeof(name), "storm-%u", i);
		assert_int_equal(json_integer_value(live_field(event, "process.pid")), children[i]);
		assert_int_equal(json_integer_value(live_field(event, "process.thread.id")), children[i]);
		assert_string_equal(json_string_value(live_field(event, "process.name")), name);
		assert_string_equal(json_string_value(live_field(event, "network.transport")), i % 2 ? "tcp" : "udp");
	}
	if (never && fixture_skipped(&fixture, never))
		SKIP_BECAUSE("this kernel skips the hooks of this plan, which is not the one that it is given");
	if (never)
		fail_msg("of %d binds %zu were not told", STORM_CHILDREN, never);
}

static void fork_storm(void **state)
{
	pid_t children[STORM_CHILDREN];
	int failed = 0;
	int gate[2];

	(void)state;
	FIXTURE_NEEDED(&fixture);
	json_array_clear(fixture.monitor.events);
	assert_int_equal(pipe2(gate, O_CLOEXEC), 0);
	fflush(NULL);
	for (uint16_t i = 0; i < STORM_CHILDREN; i++) {
		children[i] = fork();
		if (children[i] == 0) {
			close(gate[1]);
			storm_child(gate[0], i);
		}
		failed += children[i] < 0;
	}
	close(gate[0]);
	close(gate[1]);
	for (int i = 0; i < STORM_CHILDREN; i++) {
		int status = -1;

		if (children[i] > 0)
			(void)waitpid(children[i], &status, 0);
		failed += status != 0;
	}
	assert_int_equal(failed, 0);
	assert_int_equal(monitor_sync(&fixture.monitor, 0), 0);
	assert_int_equal(fixture.monitor.malformed, 0);
	assert_storm(children);
	json_array_clear(fixture.monitor.events);
}

/* --- one process, another program or user ------------------------------------------------------------------------ */

static int bind_quietly(uint16_t port)
{
	struct sockaddr_storage address;
	socklen_t length = scene_address("127.0.0.1", port, &address);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int result = fd < 0 || bind(fd, (struct sockaddr *)&address, length) ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return result;
}

/* This program, after an exec: binds as it is, then as the user. The exit code. */
int watch_bind_and_become(char **argv)
{
	uint64_t uid, first, second;

	if (number_parse(argv[2], 0, UINT32_MAX, &uid) || number_parse(argv[3], 1, 65535, &first) ||
	    number_parse(argv[4], 1, 65535, &second))
		return 10;
	if (bind_quietly((uint16_t)first))
		return 11;
	if (setgroups(0, NULL) || setresgid((gid_t)uid, (gid_t)uid, (gid_t)uid) ||
	    setresuid((uid_t)uid, (uid_t)uid, (uid_t)uid))
		return 12;
	return bind_quietly((uint16_t)second) ? 13 : 0;
}

struct change {
	const char *path; /* of the program */
	uint16_t before, after_exec, after_setuid;
};

/* Binds under its name of now, then becomes the program, which binds twice. Does not return. */
static void bind_then_exec(const struct change *change)
{
	char user[16], first[16], second[16];

	(void)snprintf(user, sizeof(user), "%d", SOMEBODY);
	(void)snprintf(first, sizeof(first), "%u", change->after_exec);
	(void)snprintf(second, sizeof(second), "%u", change->after_setuid);
	if (pthread_setname_np(pthread_self(), "name-before") || bind_quietly(change->before))
		_exit(14);
	execl(change->path, "another-argv0", WATCH_BIND_AND_BECOME, user, first, second, NULL);
	_exit(15);
}

static void assert_told(uint16_t port, pid_t pid, const char *name, const char *user)
{
	const json_t *event;

	assert_int_equal(live_find(&fixture.monitor, ACTION_BIND, port, &event), 1);
	assert_int_equal(json_integer_value(live_field(event, "process.pid")), pid);
	assert_string_equal(json_string_value(live_field(event, "process.name")), name);
	assert_string_equal(json_string_value(live_field(event, "user.id")), user);
	assert_string_equal(json_string_value(live_field(event, "group.id")), user);
}

/* Runs the change in a child under a link of this name to this program; the child's pid. */
static pid_t run_change(const char *name, struct change *change)
{
	char directory[] = "/tmp/bindwatch-test-XXXXXX";
	char self[4096] = "", path[128];
	int status = -1;
	pid_t pid;

	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	assert_non_null(mkdtemp(directory));
	/* the child gives up root: let it pass */
	assert_int_equal(chmod(directory, 0755), 0);
	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	assert_int_equal(symlink(self, path), 0);
	change->path = path;
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		bind_then_exec(change);
	if (pid > 0)
		(void)waitpid(pid, &status, 0);
	unlink(path);
	rmdir(directory);
	change->path = NULL;
	assert_int_equal(status, 0);
	assert_int_equal(monitor_sync(&fixture.monitor, 0), 0);
	return pid;
}

static void exec_by_another_name(void **state)
{
	struct change change = {.before = 8540, .after_exec = 8541, .after_setuid = 8542};
	pid_t pid;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	json_array_clear(fixture.monitor.events);
	pid = run_change("name-after", &change);
	assert_told(8540, pid, "name-before", "0");
	/* the name is of the file that was run, not of its argument 0 nor of what the link points to */
	assert_told(8541, pid, "name-after", "0");
	json_array_clear(fixture.monitor.events);
}

static void setuid_after_exec(void **state)
{
	struct change change = {.before = 8543, .after_exec = 8544, .after_setuid = 8545};
	pid_t pid;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	json_array_clear(fixture.monitor.events);
	pid = run_change("setuid-later", &change);
	assert_told(8544, pid, "setuid-later", "0");
	assert_told(8545, pid, "setuid-later", "12345");
	json_array_clear(fixture.monitor.events);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(address_rewritten_meanwhile),
        cmocka_unit_test(descriptor_swapped_meanwhile),
        cmocka_unit_test(address_rewritten_by_cgroup_program),
        cmocka_unit_test(refused_by_cgroup_program),
        cmocka_unit_test(fork_storm),
        cmocka_unit_test(exec_by_another_name),
        cmocka_unit_test(setuid_after_exec),
};

const struct watch_group watch_race = {"race", tests, sizeof(tests) / sizeof(tests[0])};
