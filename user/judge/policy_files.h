/* SPDX-License-Identifier: BSD-2-Clause */
/* Which files a policy is made of, and their text. */
#ifndef USER_JUDGE_POLICY_FILES_H
#define USER_JUDGE_POLICY_FILES_H

#include "user/judge/policy.h"

struct policy_source {
	char *name; /* of the file, without its directory: the order, and what is replaced by what */
	char *path; /* as messages name it */
	bool vendor;
	const char
	        *built_in; /* the text, if it is part of the program, ended by a NUL; else NULL: it is read from path */
};

struct policy_sources {
	struct policy_source *list;
	size_t count, size;
};

/* Finds the files, in their order. 0; -EINVAL with problems; -ENOMEM. Freed in each case by policy_sources_free(). */
int policy_sources_find(const struct policy_options *options, struct policy_sources *ret,
                        struct policy_problems *problems);

void policy_sources_free(struct policy_sources *sources);

/*
 * The text of a file, with a NUL behind it that is not counted in *ret_len; freed by the caller. A link to /dev/null is
 * an empty file. 0; -EINVAL with a problem; -ENOMEM.
 */
int policy_source_read(const struct policy_source *source, char **ret, size_t *ret_len,
                       struct policy_problems *problems);

#endif
