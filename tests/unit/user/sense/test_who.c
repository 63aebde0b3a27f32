/* SPDX-License-Identifier: BSD-2-Clause */
/* One process, met before the hooks were there and after: this one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <linux/types.h>
#include <cmocka.h>

#include "bpf/bindwatch.h"
#include "user/sense/process_proc.h"
#include "user/sense/process_read.h"
#include "user/sense/who.h"

#define EXEC_ID 3

static struct who *who;
static uint64_t tick_ns; /* this process's start, as /proc has it */
static unsigned int forgotten;

static void on_forgotten(void *context, const struct process *process)
{
	(void)context;
	(void)process;
	forgotten++;
}

static int setup(void **state)
{
	struct process_source source = process_source_open();
	int proc = proc_open(source.proc, (uint32_t)getpid());
	struct proc_stat stat;

	(void)state;
	if (proc < 0 || proc_stat(proc, &stat) < 0)
		return -1;
	close(proc);
	process_source_close(&source);
	tick_ns = stat.start_ns;
	forgotten = 0;
	return who_new(on_forgotten, NULL, &who);
}

static int teardown(void **state)
{
	(void)state;
	who_free(who);
	return 0;
}

/* start_ns 0: not known. */
static struct event event_of(enum event_action action, uint64_t start_ns)
{
	return (struct event){.action = action,
	                      .pid = (uint32_t)getpid(),
	                      .has_process_start = start_ns != 0,
	                      .process_start_ns = start_ns,
	                      .process_exec_id = start_ns ? EXEC_ID : 0};
}

static void a_known_start_names_the_process(void **state)
{
	struct event existing = event_of(EVENT_EXISTING, tick_ns + 1234567), again = existing;
	struct event bound = event_of(EVENT_BOUND, tick_ns + 1234567);

	(void)state;
	who_holds(who, &existing);
	assert_non_null(existing.process);
	assert_true(existing.process->from_proc && existing.credentials.known);
	assert_true(existing.process->start_ns == tick_ns + 1234567);
	assert_true(existing.process_start_ns == tick_ns + 1234567);
	assert_int_equal(existing.process->exec_id, EXEC_ID);
	who_holds(who, &again);
	assert_ptr_equal(again.process, existing.process);
	/* no hook described it: what was read is found */
	who_made(who, &bound);
	assert_ptr_equal(bound.process, existing.process);
}

/* Between the list and the look its pid went to another: that one holds nothing. */
static void another_start_is_another_process(void **state)
{
	struct event existing = event_of(EVENT_EXISTING, tick_ns + PROC_TICK_NS);

	(void)state;
	who_holds(who, &existing);
	assert_null(existing.process);
	assert_false(existing.credentials.known);
}

static void without_a_start_it_is_the_same_each_time(void **state)
{
	struct event first = event_of(EVENT_EXISTING, 0), second = first, nobodys = {.action = EVENT_EXISTING};

	(void)state;
	who_holds(who, &first);
	who_holds(who, &second);
	assert_non_null(first.process);
	assert_ptr_equal(second.process, first.process);
	assert_true(first.has_process_start && first.process_start_ns == tick_ns);
	who_holds(who, &nobodys);
	assert_null(nobodys.process);
}

/* What a process has left when it ends: its name, and no executable. */
static void tell_its_end(const struct process *process, uint64_t start_ns)
{
	struct bw_process record = {
	        .header = {.version = BW_ABI_VERSION, .type = BW_RECORD_PROCESS, .size = sizeof(record)},
	        .start_ns = start_ns,
	        .pid = (uint32_t)getpid(),
	        .exec_id = EXEC_ID,
	        .flags = BW_PROCESS_EXITING,
	};

	memcpy(record.comm, process->comm, sizeof(record.comm));
	assert_int_equal(who_on_record(who, &record, sizeof(record)), 0);
}

static void assert_outlives(uint64_t known_ns)
{
	struct event existing = event_of(EVENT_EXISTING, known_ns);
	struct event closed = event_of(EVENT_CLOSED, tick_ns + 1234567);

	who_holds(who, &existing);
	assert_non_null(existing.process);
	who_keep(&existing);
	tell_its_end(existing.process, tick_ns + 1234567);
	who_made(who, &closed);
	assert_ptr_equal(closed.process, existing.process);
	assert_non_null(closed.process->executable.path);
	assert_int_equal(forgotten, 0);
	who_release(&existing);
}

static void what_was_read_outlives_the_process(void **state)
{
	(void)state;
	assert_outlives(tick_ns + 1234567);
}

static void what_was_read_without_a_start_does_too(void **state)
{
	(void)state;
	assert_outlives(0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(a_known_start_names_the_process, setup, teardown),
	        cmocka_unit_test_setup_teardown(another_start_is_another_process, setup, teardown),
	        cmocka_unit_test_setup_teardown(without_a_start_it_is_the_same_each_time, setup, teardown),
	        cmocka_unit_test_setup_teardown(what_was_read_outlives_the_process, setup, teardown),
	        cmocka_unit_test_setup_teardown(what_was_read_without_a_start_does_too, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
