/* SPDX-License-Identifier: BSD-2-Clause */
/* Binds by the 32-bit system calls of an x86-64 kernel, which its tracepoints of system calls leave out. */
#include "tests/live/watch/watch.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __x86_64__

/* arch/x86/entry/syscalls/syscall_32.tbl; include/uapi/linux/net.h */
#define COMPAT_GETPID     20
#define COMPAT_SOCKETCALL 102
#define COMPAT_BIND       361
#define SOCKETCALL_BIND   2

/* Where 32 bits reach. */
struct low_memory {
	struct sockaddr_storage address;
	uint32_t arguments[3];
};

struct compat_bind {
	bool by_socketcall;
	int domain, type;
	const char *address;
	uint16_t port;
	int result; /* that it must have */
};

/* A 64-bit process may make 32-bit calls; their entry left r8 to r11 undefined before 4.17 (6709812f094d). */
static int compat_call(uint32_t number, uint32_t first, uint32_t second, uint32_t third)
{
	uint64_t result = number;

	__asm__ volatile("int $0x80"
	                 : "+a"(result)
	                 : "b"((uint64_t)first), "c"((uint64_t)second), "d"((uint64_t)third)
	                 : "r8", "r9", "r10", "r11", "memory", "cc");
	return (int)(int32_t)result;
}

/* In a child: without the emulation the instruction is a SIGSEGV. */
static const char *compat_why_not(void)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		/* the sanitizers' report would be noise */
		signal(SIGSEGV, SIG_DFL);
		_exit(compat_call(COMPAT_GETPID, 0, 0, 0) == getpid() ? 0 : 1);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return "this kernel has no 32-bit system calls (CONFIG_IA32_EMULATION)";
	return NULL;
}

static int compat_bind(int fd, const struct sockaddr_storage *address, socklen_t length, bool by_socketcall)
{
	struct low_memory *low =
	        mmap(NULL, sizeof(*low), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	int result;

	if (low == MAP_FAILED)
		return -ENOMEM;
	low->address = *address;
	if (by_socketcall) {
		low->arguments[0] = (uint32_t)fd;
		low->arguments[1] = (uint32_t)(uintptr_t)&low->address;
		low->arguments[2] = length;
		result = compat_call(COMPAT_SOCKETCALL, SOCKETCALL_BIND, (uint32_t)(uintptr_t)low->arguments, 0);
	} else {
		result = compat_call(COMPAT_BIND, (uint32_t)fd, (uint32_t)(uintptr_t)&low->address, length);
	}
	munmap(low, sizeof(*low));
	return result;
}

static void bind_and_write_down(const struct compat_bind *bind)
{
	int fd = socket(bind->domain, bind->type | SOCK_CLOEXEC, 0);
	struct sockaddr_storage address;
	socklen_t length = scene_address(bind->address, bind->port, &address);
	struct bind_record *record;
	int result;

	assert_true(fd >= 0);
	record = scene_before(fixture.scene, fd, &address, length);
	result = compat_bind(fd, &address, length, bind->by_socketcall);
	record->no_system_call = true;
	scene_after(record, fd, -result);
	close(fd);
	assert_int_equal(result, bind->result);
}

static void bind_all(const struct compat_bind *binds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		bind_and_write_down(&binds[i]);
	/* and a call of 64 bits behind them */
	close(scene_socket(fixture.scene, AF_INET, SOCK_STREAM, 0, "127.0.0.1", 8609));
	if (scene_compare(fixture.scene, &fixture.monitor, NULL) != 0)
		fail_msg("the events are not the binds");
}

static void socketcall_32bit(void **state)
{
	static const struct compat_bind binds[] = {
	        {true, AF_INET, SOCK_STREAM, "127.0.0.1", 8600, 0},
	        {true, AF_INET6, SOCK_DGRAM, "::1", 8601, 0},
	        {true, AF_INET, SOCK_DGRAM, "127.0.0.1", 0, 0},
	};

	(void)state;
	FIXTURE_NEEDED(&fixture);
	SKIP_BECAUSE(compat_why_not());
	bind_all(binds, 3);
}

static void bind_32bit(void **state)
{
	static const struct compat_bind binds[] = {
	        {false, AF_INET, SOCK_STREAM, "127.0.0.1", 8602, 0},
	        {false, AF_INET6, SOCK_DGRAM, "::1", 8603, 0},
	        {false, AF_INET6, SOCK_STREAM, "::", 0, 0},
	};

	(void)state;
	FIXTURE_NEEDED(&fixture);
	SKIP_BECAUSE(compat_why_not());
	bind_all(binds, 3);
}

static void bind_32bit_refused(void **state)
{
	static const struct compat_bind binds[] = {
	        {false, AF_INET, SOCK_STREAM, "192.0.2.1", 8604, -EADDRNOTAVAIL},
	        {true, AF_INET, SOCK_STREAM, "192.0.2.1", 8605, -EADDRNOTAVAIL},
	        {true, AF_INET6, SOCK_STREAM, "2001:db8::1", 8606, -EADDRNOTAVAIL},
	};

	(void)state;
	FIXTURE_NEEDED(&fixture);
	SKIP_BECAUSE(compat_why_not());
	SKIP_BECAUSE(strcmp(fixture.monitor.plan, "tracepoint") == 0
	                     ? "plan tracepoint has no hook at the end of a 32-bit bind that fails"
	                     : NULL);
	bind_all(binds, 3);
}

#else

static void no_such_thing(void **state)
{
	(void)state;
	SKIP_BECAUSE("32-bit system calls are made here on x86-64 only");
}

#define socketcall_32bit   no_such_thing
#define bind_32bit         no_such_thing
#define bind_32bit_refused no_such_thing

#endif

static const struct CMUnitTest tests[] = {
        cmocka_unit_test(socketcall_32bit),
        cmocka_unit_test(bind_32bit),
        cmocka_unit_test(bind_32bit_refused),
};

const struct watch_group watch_compat = {"compat", tests, sizeof(tests) / sizeof(tests[0])};
