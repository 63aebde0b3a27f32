/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of ecs.c: each writes members into the object that is open. Keys are literals. */
#ifndef USER_ENCODE_ECS_PARTS_H
#define USER_ENCODE_ECS_PARTS_H

#include <stdint.h>
#include <string.h>

#include "user/base/event.h"
#include "user/encode/encode.h"
#include "user/encode/json.h"

static inline void member_string(struct json *json, const char *key, const char *text)
{
	if (!text)
		return;
	json_key(json, key);
	json_text(json, text);
}

/* text: of another process, NUL-terminated if it is shorter than max; NULL: not known */
static inline void member_hostile(struct json *json, const char *key, const char *text, size_t max)
{
	if (!text)
		return;
	json_key(json, key);
	json_hostile_string(json, text, strnlen(text, max));
}

static inline void member_u64(struct json *json, const char *key, uint64_t value)
{
	json_key(json, key);
	json_u64(json, value);
}

static inline void member_u64_string(struct json *json, const char *key, uint64_t value)
{
	json_key(json, key);
	json_u64_string(json, value);
}

static inline void member_bool(struct json *json, const char *key, bool value)
{
	json_key(json, key);
	json_bool(json, value);
}

static inline void member_object(struct json *json, const char *key)
{
	json_key(json, key);
	json_object_begin(json);
}

/* time_ns: of the wall clock */
void member_time(struct json *json, const char *key, uint64_t time_ns);

/* The boot id, without its dashes. */
void ecs_write_boot_id(struct writer *writer, const struct encode_host *host);

/* process, user, group */
void ecs_write_process(struct json *json, const struct encode_host *host, const struct event *event);

/* container, orchestrator, service: what the cgroup tells */
void ecs_write_container(struct json *json, const struct event *event);

/* Of bindwatch: what ECS has no name for. */
void ecs_write_own_process(struct json *json, const struct encode_host *host, const struct event *event);

#endif
