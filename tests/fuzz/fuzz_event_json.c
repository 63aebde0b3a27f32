/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line as replay reads it. It is refused with words that say why, or judged. What is encoded of it is such a line as
 * watch writes: read, written and read again, it says the same and is judged alike.
 */
#include <errno.h>

#include "tests/fuzz/event.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char error[EVENT_JSON_ERROR_LEN] = "";
	struct event_json *json = NULL, *second, *third;
	int r = event_json_read((const char *)data, size, &json, error);

	if (r < 0) {
		FUZZ_REQUIRE(r == -EINVAL && !json && *error, "%d: %s", r, error);
		return 0;
	}
	fuzz_judge(fuzz_policy(), &json->event);
	second = fuzz_replay(fuzz_policy(), &json->event);
	third = fuzz_replay(fuzz_policy(), &second->event);
	fuzz_same_facts(&second->event, &third->event);
	FUZZ_REQUIRE(second->event.verdict.rule == third->event.verdict.rule, "rule %s became %s",
	             second->event.verdict.rule, third->event.verdict.rule);
	event_json_free(json);
	event_json_free(second);
	event_json_free(third);
	return 0;
}
