/* SPDX-License-Identifier: BSD-2-Clause */
/* What enrich.c has its thread do. */
#ifndef USER_ENRICH_INSPECT_H
#define USER_ENRICH_INSPECT_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "user/enrich/digest.h"
#include "user/enrich/dpkg.h"
#include "user/enrich/image.h"
#include "user/enrich/package.h"
#include "user/enrich/rpm.h"

/* Which file it is, as struct executable describes it. */
struct inspect_file {
	uint64_t device, inode;
	int64_t mtime_ns, ctime_ns;
	uint64_t path_hash; /* a file has a package by its path, and may have two */
};

enum inspect_kind {
	INSPECT_PACKAGES,  /* only read the packages' lists, before they are needed */
	INSPECT_FILE,      /* an executable: file, pid, path */
	INSPECT_CONTAINER, /* container */
};

/* Which container it is, as struct process_cgroup tells. */
struct inspect_container {
	enum container_runtime runtime;
	char id[IMAGE_ID_DIGITS + 4]; /* NULs behind it, so that nothing is between the members and behind them */
};

struct inspect_job {
	/* the question */
	enum inspect_kind kind;
	struct inspect_file file;
	uint32_t pid;
	char path[PATH_MAX]; /* "": not known in full */
	struct inspect_container container;
	/* the answer */
	bool opened; /* the file was there to be looked at */
	bool has_digest;
	struct digest digest;
	bool package_known;
	struct package_owner owner; /* "": of no package */
	char image[IMAGE_NAME_MAX]; /* "": not known */
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
