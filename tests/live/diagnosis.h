/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of `bindwatch doctor` share. */
#ifndef TESTS_LIVE_DIAGNOSIS_H
#define TESTS_LIVE_DIAGNOSIS_H

#include "tests/live/live.h"

#define DOCTOR(...) ((const char *const[]){"doctor", __VA_ARGS__, NULL})

/* Runs it to its end with --output FORM, under the plan of the environment where there is one. Its exit code. */
int diagnosis_run(const char *program, struct monitor *monitor, const char *form);

/* The one object on stdout; a new reference. Fails the test where it is not one. */
json_t *diagnosis_parse(const struct monitor *monitor);

/* Of the report's list, the row of this name, which must be there; and the text in it under this key, or NULL. */
const json_t *diagnosis_row(const json_t *report, const char *list, const char *name);
const char *diagnosis_text(const json_t *report, const char *list, const char *name, const char *key);

#endif
