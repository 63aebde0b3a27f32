/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sense/who.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "user/base/cgroup_path.h"
#include "user/enrich/enrich.h"
#include "user/sense/decode_process.h"
#include "user/sense/kinds.h"
#include "user/sense/process_cache.h"
#include "user/sense/process_proc.h"
#include "user/sense/process_read.h"

/* How long it is believed that an executable was not replaced: a look costs ten microseconds. */
#define EXAMINE_EVERY_NS 1000000000ULL

/* The inode of the first pid namespace: PROC_PID_INIT_INO of include/linux/proc_ns.h, ABI. */
#define FIRST_PIDNS_INODE 0xeffffffcU

/* Of a hook's record and of /proc/PID/cgroup (user/sense/process_read.c). */
#define CGROUP_PATH_MAX 4096

struct who {
	struct process_cache *cache;
	bool first_pidns; /* /proc has the pids that the hooks tell */
	void (*forgotten)(void *context, const struct process *process);
	void *context;
	struct enrich *enrich; /* NULL: none */
	struct process_source source;
	struct kinds *kinds;
	struct process_reading reading;
	char texts[DECODE_PROCESS_TEXTS];
	char cgroup_texts[CGROUP_TEXTS_SIZE(CGROUP_PATH_MAX)];
};

static bool lives(void *context, const struct process *process)
{
	const struct who *who = context;

	return process_lives(&who->source, process->pid, process->start_ns);
}

static void forgotten(void *context, const struct process *process)
{
	struct who *who = context;

	if (who->forgotten && !process->from_proc)
		who->forgotten(who->context, process);
}

int who_new(void (*on_forgotten)(void *context, const struct process *process), void *context, struct who **ret)
{
	struct who *who = calloc(1, sizeof(*who));
	const struct process_cache_options options = {.entries = PROCESS_CACHE_ENTRIES,
	                                              .bytes = PROCESS_CACHE_BYTES,
	                                              .lives = lives,
	                                              .forgotten = forgotten,
	                                              .context = who};
	struct stat status;

	if (!who || process_cache_new(&options, &who->cache) < 0 || kinds_new(&who->kinds) < 0) {
		process_cache_free(who ? who->cache : NULL);
		free(who);
		return -ENOMEM;
	}
	who->forgotten = on_forgotten;
	who->context = context;
	who->source = process_source_open();
	who->first_pidns = stat("/proc/self/ns/pid", &status) == 0 && status.st_ino == FIRST_PIDNS_INODE;
	*ret = who;
	return 0;
}

void who_free(struct who *who)
{
	if (!who)
		return;
	process_cache_free(who->cache);
	process_source_close(&who->source);
	kinds_free(who->kinds);
	free(who);
}

static struct process_entry *add(struct who *who, struct process *process)
{
	const char *path = process->cgroup.path;

	/* in a hierarchy that is mounted nowhere every process stands at the root, which says nothing of it */
	if (who->source.cgroup < 0)
		path = process->cgroup.path = NULL;
	if (path && strlen(path) <= CGROUP_PATH_MAX)
		cgroup_path_parse(path, who->cgroup_texts, &process->cgroup);
	return process_cache_add(who->cache, process);
}

int who_on_record(struct who *who, const void *data, size_t size)
{
	struct process process;
	int r = decode_process(data, size, &process, who->texts);

	if (r < 0)
		return r;
	return add(who, &process) ? 0 : -ENOMEM;
}

/*
 * A process that ends is told by what is left of it. What was read of it when we began to watch is more, as long as
 * its name is still the same.
 */
static struct process_entry *find_read(struct who *who, const struct process *process)
{
	uint64_t start_ns = process->start_ns / PROC_TICK_NS * PROC_TICK_NS;
	struct process_entry *found = process_cache_find(who->cache, process->pid, start_ns, 0);

	return found && found->process.from_proc && strcmp(found->process.comm, process->comm) == 0 ? found : NULL;
}

static void examine(const struct who *who, struct process_entry *entry, uint64_t now_ns)
{
	if (!who->first_pidns && !entry->process.from_proc)
		return;
	if (entry->examined_ns && now_ns < entry->examined_ns + EXAMINE_EVERY_NS)
		return;
	process_examine(&who->source, &entry->process);
	entry->examined_ns = now_ns;
}

void who_enrich(struct who *who, struct enrich *enrich)
{
	who->enrich = enrich;
}

/* Not with each event: what came too late for the first is there for the next, and then no more is asked. */
static void enrich_once(const struct who *who, struct process_entry *entry)
{
	if (who->enrich && !entry->enriched)
		entry->enriched = enrich_process(who->enrich, &entry->process);
}

void who_made(struct who *who, struct event *event)
{
	struct process_entry *entry, *read;

	if (!event->has_process_start)
		return;
	entry = process_cache_find(who->cache, event->pid, event->process_start_ns, event->process_exec_id);
	/* a description that was lost is missing: /proc would tell of what the process is by now */
	if (!entry)
		return;
	if (!entry->process.executable.path && !entry->process.kernel_thread) {
		read = find_read(who, &entry->process);
		entry = read ? read : entry;
	}
	examine(who, entry, event->boot_ns);
	enrich_once(who, entry);
	event->process = &entry->process;
}

void who_holds(struct who *who, struct event *event)
{
	struct process_entry *entry;
	struct process *process = &who->reading.process;
	uint64_t start_ns = event->has_process_start ? event->process_start_ns : 0;

	if (!event->pid || process_read(&who->source, event->pid, start_ns, &who->reading) < 0)
		return;
	process->exec_id = event->process_exec_id;
	event->credentials = who->reading.credentials;
	entry = process_cache_find(who->cache, process->pid, process->start_ns, process->exec_id);
	if (!entry)
		entry = add(who, process);
	if (!entry)
		return;
	examine(who, entry, event->boot_ns);
	enrich_once(who, entry);
	event->process = &entry->process;
	event->has_process_start = true;
	event->process_start_ns = process->start_ns;
}

/* The first holder at or behind `from` of a kind that was not told. One that is gone meanwhile holds nothing. */
static size_t next_kind(struct who *who, const struct inventory *inventory, const struct inventory_socket *socket,
                        size_t from)
{
	bool is_new;

	for (; from < socket->holders_count; from++) {
		const struct holder *holder = &inventory->holders.list[socket->holders + from];

		if (!kinds_meet_again(who->kinds, holder->pid, holder->start_ns, &is_new))
			is_new = process_read(&who->source, holder->pid, holder->start_ns, &who->reading) == 0 &&
			         kinds_meet(who->kinds, &who->reading, holder->start_ns);
		if (is_new)
			break;
	}
	return from;
}

int who_tell(struct who *who, const struct inventory *inventory, const struct inventory_socket *socket,
             bool holders_known, int (*deliver)(void *context, struct event *event), void *context)
{
	unsigned int number = 0;
	size_t at = 0, next;
	int r;

	kinds_begin(who->kinds);
	/* most have one, whose kind need not be known */
	if (socket->holders_count > 1)
		at = next_kind(who, inventory, socket, 0) % socket->holders_count;
	do {
		struct event event;

		inventory_event(inventory, socket, &event);
		if (socket->holders_count)
			inventory_event_holder(inventory, socket, at, &event);
		event.holders_known &= holders_known;
		who_holds(who, &event);
		next = socket->holders_count > 1 ? next_kind(who, inventory, socket, at + 1) : socket->holders_count;
		event.holder_number = number++;
		event.more_holders = next < socket->holders_count;
		r = deliver(context, &event);
		at = next;
	} while (r >= 0 && next < socket->holders_count);
	return r < 0 ? r : 0;
}

void who_tell_end(struct who *who)
{
	kinds_forget(who->kinds);
	process_mounts_free(&who->source.mounts);
}

void who_keep(const struct event *event)
{
	process_cache_pin(event->process);
}

void who_release(const struct event *event)
{
	process_cache_unpin(event->process);
}
