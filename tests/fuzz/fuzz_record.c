/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records of the ring buffer. The bytes as they are are decoded or refused. Laid over two sound records, of a process
 * and of its bind (each byte changes one), they make an event: it is judged and encoded, and its line is read back and
 * judged alike, as replay does it.
 */
#include <errno.h>

#include "tests/fuzz/event.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/sound_records.h"
#include "user/base/cgroup_path.h"
#include "user/judge/classify.h"
#include "user/sense/decode.h"
#include "user/sense/decode_process.h"

static char texts[DECODE_PROCESS_TEXTS], cgroup_texts[CGROUP_TEXTS_SIZE(BW_TEXT_MAX)];
static const struct decode_context context = {.wall_offset_ns = 1795235254000000000, .plan = PLAN_TRAMPOLINE};

static bool decode_who(const void *data, size_t size, struct process *ret)
{
	int r = decode_process(data, size, ret, texts);

	FUZZ_REQUIRE(r == 0 || r == -EPROTO, "%d", r);
	FUZZ_REQUIRE(r != 0 || decode_is_process(data, size), "a process, or not?");
	if (r == 0 && ret->cgroup.path)
		cgroup_path_parse(ret->cgroup.path, cgroup_texts, &ret->cgroup);
	return r == 0;
}

static bool decode_what(const void *data, size_t size, struct event *ret)
{
	int r = decode(data, size, &context, ret);

	FUZZ_REQUIRE(r == 0 || r == -EPROTO, "%d", r);
	FUZZ_REQUIRE(r != 0 || (ret->error >= 0 && ret->hook[0] && !ret->comm[sizeof(ret->comm) - 1]), "not refused");
	return r == 0;
}

/* Flags that contradict each other are not made by the kernel side, and a line cannot tell them. */
static uint32_t without_contradictions(const struct event *event)
{
	uint32_t flags = event->socket_flags & ~BW_SOCKET_REUSE_UNKNOWN;

	if (event->family != AF_INET6)
		flags &= ~BW_SOCKET_V6ONLY;
	if (flags & BW_SOCKET_INET_UNKNOWN)
		flags &= ~(BW_SOCKET_FREEBIND | BW_SOCKET_TRANSPARENT);
	if (flags & BW_SOCKET_KERNEL_UNKNOWN)
		flags &= ~BW_SOCKET_KERNEL;
	if (event->action != EVENT_LISTEN)
		flags &= ~(BW_SOCKET_AUTOBOUND | BW_SOCKET_UNTOLD);
	return flags;
}

static void check_event(struct event *event)
{
	struct event_json *json;

	event->socket_flags = without_contradictions(event);
	classify(fuzz_registry(), event);
	/* what no record tells, and a rule can ask */
	event->facts.patterns = event->cookie % (1U << PATTERNS);
	fuzz_judge(fuzz_policy(), event);
	json = fuzz_replay(fuzz_policy(), event);
	fuzz_same_facts(event, &json->event);
	FUZZ_REQUIRE(json->event.verdict.rule == event->verdict.rule, "%s is replayed as %s", event->verdict.rule,
	             json->event.verdict.rule);
	event_json_free(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sound_records made = sound;
	struct process process;
	struct event event;

	(void)decode_who(data, size, &process);
	(void)decode_what(data, size, &event);
	for (size_t i = 0; i < size && i < sizeof(made); i++)
		((uint8_t *)&made)[i] ^= data[i];
	if (!decode_what(&made.socket, sizeof(made.socket), &event))
		return 0;
	/* as the process cache finds it; what has no pid is of no process */
	if (decode_who(&made.process, sound.process.header.size, &process) && event.has_process_start && event.pid &&
	    event.pid == process.pid && event.process_start_ns == process.start_ns &&
	    event.process_exec_id == process.exec_id)
		event.process = &process;
	check_event(&event);
	return 0;
}
