/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls whose end is not the usual one: the socket is closed meanwhile, or seccomp refuses the call. */
#include "tests/live/watch/watch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- closed by another thread --------------------------------------------------------------------------------------
 */

#define CLOSE_PORT   8550
#define CLOSE_ROUNDS 300
#define CLOSE_DELAY  6000 /* turns of an empty loop at most: as long as a bind, more or less */
#define COMPARE_EACH 150

struct closer {
	_Atomic int fd; /* -1: there is none */
	atomic_bool stop;
};

static void *close_soon(void *context)
{
	struct closer *closer = context;
	unsigned int seed = 1;

	while (!atomic_load(&closer->stop)) {
		int fd = atomic_exchange(&closer->fd, -1);

		if (fd < 0) {
			sched_yield(); /* to the binder, where there is one CPU */
			continue;
		}
		for (volatile int i = rand_r(&seed) % CLOSE_DELAY; i > 0; i--)
			;
		close(fd);
	}
	return NULL;
}

/* Every bind has an end, and no other: by the cookie of its socket. */
static void assert_each_has_its_end(size_t bound)
{
	const json_t *events = fixture.monitor.events, *event;
	size_t binds = 0, ends = 0, i;
	json_t *open = json_object();

	json_array_foreach((json_t *)events, i, event)
	{
		const char *cookie = json_string_value(live_field(event, "bindwatch.socket.cookie"));

		if (json_integer_value(live_field(event, "server.port")) != CLOSE_PORT || !cookie ||
		    strcmp(json_string_value(live_field(event, "event.outcome")), "success") != 0)
			continue;
		if (live_is_action(event, ACTION_BIND)) {
			assert_int_equal(json_object_set_new(open, cookie, json_true()), 0);
			binds++;
		} else if (live_is_action(event, ACTION_CLOSE)) {
			if (json_object_del(open, cookie))
				fail_msg("socket %s ends before it was bound, or twice", cookie);
			ends++;
		}
	}
	if (json_object_size(open))
		fail_msg("%zu of %zu binds have no end", json_object_size(open), binds);
	json_decref(open);
	assert_int_equal(binds, bound);
	assert_int_equal(ends, bound);
	json_array_clear(fixture.monitor.events);
}

static void closed_while_it_is_bound(void **state)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(CLOSE_PORT)};
	struct closer closer = {.fd = -1};
	size_t bound = 0;
	pthread_t thread;
	int on = 1;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	SKIP_BECAUSE(live_kernel_skips(fixture.monitor.plan) ? "this kernel skips the hooks of this plan" : NULL);
	inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
	assert_int_equal(pthread_create(&thread, NULL, close_soon, &closer), 0);
	for (int i = 1; i <= CLOSE_ROUNDS; i++) {
		int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)), 0);
		atomic_store(&closer.fd, fd);
		bound += bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
		while (atomic_load(&closer.fd) >= 0)
			sched_yield();
		if (i % COMPARE_EACH)
			continue;
		/* the last one's end may be under way */
		while (fcntl(fd, F_GETFD) >= 0)
			sched_yield();
		assert_int_equal(monitor_sync(&fixture.monitor, 0), 0);
		assert_each_has_its_end(bound);
		bound = 0;
	}
	atomic_store(&closer.stop, true);
	pthread_join(thread, NULL);
}

/* --- refused by seccomp --------------------------------------------------------------------------------------------
 */

/* bind and listen of this program's own system calls are refused. */
static int refuse_binds(void)
{
	struct sock_filter filter[] = {
	        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bind, 1, 0),
	        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_listen, 0, 1),
	        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]), .filter = filter};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void try_in_vain(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(CLOSE_PORT + 1)};

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (refuse_binds())
		_exit(2);
	for (int i = 0; i < 5; i++) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 || errno != EPERM)
			_exit(3);
		if (listen(fd, 1) == 0 || errno != EPERM)
			_exit(3);
		close(fd);
	}
	_exit(0);
}

/* The call was never made: it is no event, and, as the ledger at the end shows, no loss. */
static void refused_by_seccomp(void **state)
{
	const json_t *event;
	int status;
	pid_t pid;

	(void)state;
	FIXTURE_NEEDED(&fixture);
	pid = fork();
	if (pid == 0)
		try_in_vain();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	SKIP_BECAUSE(status == 2 << 8 ? "this kernel has no seccomp" : NULL);
	assert_int_equal(status, 0);
	assert_int_equal(monitor_sync(&fixture.monitor, 0), 0);
	assert_int_equal(live_find(&fixture.monitor, ACTION_BIND, CLOSE_PORT + 1, &event), 0);
	for (size_t i = 0; i < json_array_size(fixture.monitor.events); i++)
		assert_false(live_is_action(json_array_get(fixture.monitor.events, i), "lost"));
	json_array_clear(fixture.monitor.events);
}

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(closed_while_it_is_bound),
        cmocka_unit_test(refused_by_seccomp),
};

const struct watch_group watch_ends = {"ends", tests, sizeof(tests) / sizeof(tests[0])};
