/* SPDX-License-Identifier: BSD-2-Clause */
/* What was found, for a person and for a program. The names in the JSON form are a promise: one is added, none changed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/cli/doctor.h"
#include "user/cli/table.h"
#include "user/encode/json.h"

/* Every text of struct doctor at its longest, each byte escaped with six, and its names. */
#define DOCUMENT_SIZE (sizeof(struct doctor) * 8)

static void cell(struct cli_table *table, const char *text)
{
	cli_table_cell(table, text, strlen(text), 0);
}

static void row(struct cli_table *table, enum doctor_state state, const char *kind, const char *name)
{
	static const char *const marks[] = {[DOCTOR_OK] = "ok", [DOCTOR_NO] = "no", [DOCTOR_NONE] = "--"};

	cell(table, marks[state]);
	cli_table_format(table, "%s%s", kind, name);
}

static void add_checks(struct cli_table *table, const struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->checks_count; i++) {
		const struct doctor_check *check = &doctor->checks[i];
		char text[2 * DOCTOR_DETAIL_LEN];

		row(table, check->state, "", check->name);
		(void)snprintf(text, sizeof(text), "%s%s%s", check->detail, check->advice ? ": " : "",
		               check->advice ? check->advice : "");
		cell(table, text);
	}
}

static void add_plans(struct cli_table *table, const struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->plans_count; i++) {
		const struct doctor_plan *plan = &doctor->plans[i];
		const char *what = plan->plan == doctor->chosen ? "works, chosen" : "works, not chosen";
		char text[SENSE_ERROR_LEN + 32];

		row(table, plan->works ? DOCTOR_OK : DOCTOR_NO, "plan ", plan_name(plan->plan));
		(void)snprintf(text, sizeof(text), "%s%s%s", plan->works ? what : "",
		               plan->works && plan->detail[0] ? ": " : "", plan->detail);
		cell(table, text);
	}
}

static void add_hooks(struct cli_table *table, const struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->hooks_count; i++) {
		const struct sense_hook *hook = &doctor->hooks[i];
		const char *what = hook->attached ? "attached" : hook->loaded ? "does not attach" : "does not load";

		row(table, hook->attached ? DOCTOR_OK : DOCTOR_NO, "hook ", hook->program);
		if (doctor->runs_counted && hook->loaded)
			cli_table_format(table, "%s, ran %llu times", what, (unsigned long long)hook->runs);
		else
			cell(table, what);
	}
}

static uint64_t microseconds(uint64_t ns)
{
	return (ns + 500) / 1000;
}

static void add_canaries(struct cli_table *table, const struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->canaries_count; i++) {
		const struct doctor_canary *canary = &doctor->canaries[i];

		row(table, canary->state, "", canary->name);
		if (canary->state == DOCTOR_OK)
			cli_table_format(table, "seen by %s after %llu µs, read after %llu µs", canary->hook,
			                 (unsigned long long)microseconds(canary->record_ns),
			                 (unsigned long long)microseconds(canary->reader_ns));
		else
			cell(table, canary->detail);
	}
}

static uint64_t lost_in_all(const struct doctor *doctor)
{
	uint64_t lost = 0;

	for (enum sense_lost cause = 0; cause < LOST_CAUSES; cause++)
		lost += doctor->totals.lost[cause];
	return lost;
}

/* sense.h: what was seen is told, our own, or lost. */
static bool ledger_agrees(const struct doctor *doctor)
{
	const struct sense_totals *totals = &doctor->totals;

	return totals->seen == totals->delivered + totals->own + totals->lost[LOST_RING_FULL] +
	                               totals->lost[LOST_CALL_NOT_KEPT] + totals->lost[LOST_NOT_UNDERSTOOD];
}

static void add_ledger(struct cli_table *table, const struct doctor *doctor)
{
	const struct sense_totals *totals = &doctor->totals;
	uint64_t lost = lost_in_all(doctor);

	if (doctor->canaries_count == 0)
		return;
	row(table, lost == 0 && ledger_agrees(doctor) ? DOCTOR_OK : DOCTOR_NO, "", "ledger");
	cli_table_format(table, "%llu seen: %llu told, %llu of the start's own test, %llu lost",
	                 (unsigned long long)totals->seen, (unsigned long long)totals->delivered,
	                 (unsigned long long)totals->own, (unsigned long long)lost);
}

int doctor_text(const struct doctor *doctor, FILE *stream)
{
	struct cli_table table = {.columns = 3};
	int r;

	cell(&table, "");
	cell(&table, "CHECK");
	cell(&table, "RESULT");
	add_checks(&table, doctor);
	add_plans(&table, doctor);
	add_hooks(&table, doctor);
	add_canaries(&table, doctor);
	add_ledger(&table, doctor);
	r = cli_table_print(&table, stream);
	cli_table_free(&table);
	return r;
}

static void member_text(struct json *json, const char *key, const char *value)
{
	json_key(json, key);
	json_text(json, value);
}

static void member_u64(struct json *json, const char *key, uint64_t value)
{
	json_key(json, key);
	json_u64(json, value);
}

static void member_bool(struct json *json, const char *key, bool value)
{
	json_key(json, key);
	json_bool(json, value);
}

static void list_begin(struct json *json, const char *key)
{
	json_key(json, key);
	json_array_begin(json);
}

static void write_checks(struct json *json, const struct doctor *doctor)
{
	static const char *const states[] = {[DOCTOR_OK] = "ok", [DOCTOR_NO] = "no", [DOCTOR_NONE] = "none"};

	list_begin(json, "host");
	for (size_t i = 0; i < doctor->checks_count; i++) {
		const struct doctor_check *check = &doctor->checks[i];

		json_object_begin(json);
		member_text(json, "name", check->name);
		member_text(json, "state", states[check->state]);
		member_bool(json, "needed", check->needed);
		json_key(json, "detail");
		json_hostile_string(json, check->detail, strlen(check->detail));
		if (check->advice)
			member_text(json, "advice", check->advice);
		json_object_end(json);
	}
	json_array_end(json);
}

static void write_plans(struct json *json, const struct doctor *doctor)
{
	list_begin(json, "plans");
	for (size_t i = 0; i < doctor->plans_count; i++) {
		const struct doctor_plan *plan = &doctor->plans[i];

		json_object_begin(json);
		member_text(json, "name", plan_name(plan->plan));
		member_bool(json, "works", plan->works);
		member_bool(json, "chosen", plan->plan == doctor->chosen);
		if (plan->detail[0])
			member_text(json, "detail", plan->detail);
		json_object_end(json);
	}
	json_array_end(json);
}

static void write_hooks(struct json *json, const struct doctor *doctor)
{
	list_begin(json, "hooks");
	for (size_t i = 0; i < doctor->hooks_count; i++) {
		const struct sense_hook *hook = &doctor->hooks[i];

		json_object_begin(json);
		member_text(json, "name", hook->program);
		member_bool(json, "loaded", hook->loaded);
		member_bool(json, "attached", hook->attached);
		if (doctor->runs_counted)
			member_u64(json, "runs", hook->runs);
		json_object_end(json);
	}
	json_array_end(json);
}

static void write_canaries(struct json *json, const struct doctor *doctor)
{
	static const char *const states[] = {[DOCTOR_OK] = "seen", [DOCTOR_NO] = "not-seen", [DOCTOR_NONE] = "none"};

	list_begin(json, "canary");
	for (size_t i = 0; i < doctor->canaries_count; i++) {
		const struct doctor_canary *canary = &doctor->canaries[i];

		json_object_begin(json);
		member_text(json, "name", canary->name);
		member_text(json, "state", states[canary->state]);
		if (canary->state == DOCTOR_OK) {
			member_text(json, "hook", canary->hook);
			member_u64(json, "record_us", microseconds(canary->record_ns));
			member_u64(json, "reader_us", microseconds(canary->reader_ns));
		} else {
			member_text(json, "detail", canary->detail);
		}
		json_object_end(json);
	}
	json_array_end(json);
}

static void write_ledger(struct json *json, const struct doctor *doctor)
{
	const struct sense_totals *totals = &doctor->totals;

	json_key(json, "ledger");
	json_object_begin(json);
	member_u64(json, "seen", totals->seen);
	member_u64(json, "delivered", totals->delivered);
	member_u64(json, "own", totals->own);
	json_key(json, "lost");
	json_object_begin(json);
	for (enum sense_lost cause = 0; cause < LOST_CAUSES; cause++)
		member_u64(json, sense_lost_name(cause), totals->lost[cause]);
	json_object_end(json);
	member_bool(json, "agrees", ledger_agrees(doctor));
	json_object_end(json);
}

int doctor_json(const struct doctor *doctor, FILE *stream)
{
	struct encode_buffer buffer = {.data = malloc(DOCUMENT_SIZE), .size = DOCUMENT_SIZE};
	struct json json;
	int r = -ENOMEM;

	if (!buffer.data)
		return r;
	json_begin(&json, &buffer);
	json_object_begin(&json);
	member_text(&json, "version", BINDWATCH_VERSION);
	member_bool(&json, "healthy", doctor_is_healthy(doctor));
	if (doctor->chosen != PLAN_NONE)
		member_text(&json, "plan", plan_name(doctor->chosen));
	write_checks(&json, doctor);
	write_plans(&json, doctor);
	write_hooks(&json, doctor);
	write_canaries(&json, doctor);
	if (doctor->canaries_count)
		write_ledger(&json, doctor);
	json_object_end(&json);
	json_line_end(&json);
	r = json_end(&json);
	errno = 0;
	if (r == 0 && fwrite(buffer.data, 1, buffer.used, stream) != buffer.used)
		r = errno ? -errno : -EIO;
	free(buffer.data);
	return r;
}
