/* SPDX-License-Identifier: BSD-2-Clause */
/* What enrich.c has its thread do. */
#ifndef USER_ENRICH_INSPECT_H
#define USER_ENRICH_INSPECT_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "user/enrich/digest.h"
#include "user/enrich/dpkg.h"
#include "user/enrich/package.h"
#include "user/enrich/rpm.h"

/* Which file it is, as struct executable describes it. */
struct inspect_file {
	uint64_t device, inode;
	int64_t mtime_ns, ctime_ns;
	uint64_t path_hash; /* a file has a package by its path, and may have two */
};

struct inspect_job {
	/* the question */
	struct inspect_file file;
	uint32_t pid;        /* 0: none, only read the packages' lists, before they are needed */
	char path[PATH_MAX]; /* "": not known in full */
	/* the answer */
	bool opened; /* the file was there to be looked at */
	bool has_digest;
	struct digest digest;
	bool package_known;
	struct package_owner owner; /* "": of no package */
};

/* What the jobs need. */
struct inspector {
	char *root;
	struct dpkg *dpkg;
	struct rpm *rpm;
	uint64_t hash_bytes_max; /* 0: no digest */
};

/* 0 or -ENOMEM. root: as dpkg_open(). */
int inspector_new(const char *root, uint64_t hash_bytes_max, struct inspector **ret);

/* NULL is fine. */
void inspector_free(void *inspector);

/* A task for base/worker.h. job: a struct inspect_job, whose answer is all zeros. */
void inspect(void *inspector, void *job);

#endif
