/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/enrich/rpm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>

struct rpm {
	char *root;
	unsigned int failures; /* to open this one */
	ino_t inode;
	struct timespec modified;
};

int rpm_open(const char *root, struct rpm **ret)
{
	struct rpm *rpm = calloc(1, sizeof(*rpm));

	if (rpm)
		rpm->root = strdup(root);
	if (!rpm || !rpm->root) {
		free(rpm);
		return -ENOMEM;
	}
	*ret = rpm;
	return 0;
}

void rpm_close(struct rpm *rpm)
{
	if (!rpm)
		return;
	free(rpm->root);
	free(rpm);
}

#ifdef HAVE_RPM

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>

#include <rpm/header.h>
#include <rpm/rpmdb.h>
#include <rpm/rpmfiles.h>
#include <rpm/rpmlog.h>
#include <rpm/rpmmacro.h>
#include <rpm/rpmts.h>

/* OpenPGP's numbers of digests (RFC 4880, 9.4): librpm's own names of them are not the same in all its versions. */
#define OPENPGP_MD5    1
#define OPENPGP_SHA256 8

/* Before Fedora 36 and up to RHEL 9 it is /var/lib/rpm, else a link to the first. */
static const char *const directories[] = {"/usr/lib/sysimage/rpm", "/var/lib/rpm"};

/* One file a form of the database: SQLite, ndb (SUSE), Berkeley DB. */
static const char *const files[] = {"rpmdb.sqlite", "Packages.db", "Packages"};

/*
 * One that could not be opened as many times is left alone until it changes: librpm 4.18 keeps a descriptor and 100 kB
 * of each attempt.
 */
#define FAILURES_MAX 4

/* How long one waits for another thread: the caller's has been left to itself, and has come back meanwhile. */
#define TURN_SECONDS 1

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

bool rpm_is_built_in(void)
{
	return true;
}

/*
 * librpm's macros, log and database are one a process, and not for two threads at once: who uses it, and whoever hangs
 * in it, has it to himself.
 */
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

static bool take_turn(void)
{
	struct timespec until;

	(void)clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += TURN_SECONDS;
	return pthread_mutex_timedlock(&turn, &until) == 0;
}

/* librpm makes a database where it is to read one and there is none: it must not be asked then. */
static const char *find_directory(const char *root, struct stat *ret)
{
	for (size_t i = 0; i < COUNT(directories); i++) {
		for (size_t j = 0; j < COUNT(files); j++) {
			char path[PATH_MAX];

			if (snprintf(path, sizeof(path), "%s%s/%s", root, directories[i], files[j]) <
			            (int)sizeof(path) &&
			    stat(path, ret) == 0 && S_ISREG(ret->st_mode) && ret->st_size > 0)
				return directories[i];
		}
	}
	return NULL;
}

/* In place of writing to stderr. That a search was broken off is told by this only: it finds nothing. */
static int note_error(rpmlogRec record, rpmlogCallbackData data)
{
	bool *failed = data;

	(void)record;
	*failed = true;
	return 0;
}

static void prepare(const char *directory, bool *failed)
{
	(void)rpmlogSetCallback(note_error, failed);
	(void)rpmlogSetMask(RPMLOG_UPTO(RPMLOG_ERR));
	(void)rpmPushMacro(NULL, "_dbpath", NULL, directory, RMIL_CMDLINE);
	/* the usual form; where the files are of another, that one is taken */
	(void)rpmPushMacro(NULL, "_db_backend", NULL, "sqlite", RMIL_CMDLINE);
}

static void leave(void)
{
	(void)rpmPopMacro(NULL, "_db_backend");
	(void)rpmPopMacro(NULL, "_dbpath");
	rpmlogClose(); /* frees the texts of what was told */
	(void)rpmlogSetCallback(NULL, NULL);
}

static bool copy_tag(Header header, rpmTagVal tag, char ret[PACKAGE_TEXT_MAX])
{
	char *text = headerGetAsString(header, tag);
	bool fits = text && strlen(text) < PACKAGE_TEXT_MAX;

	if (fits)
		memcpy(ret, text, strlen(text) + 1);
	free(text);
	return fits;
}

/* None of a file that the package wants to be changed (%ghost, %verify(not filedigest)), and none of another kind. */
static void find_digest(Header header, unsigned int file, struct package_owner *owner)
{
	rpmfiles list = rpmfilesNew(NULL, header, RPMTAG_BASENAMES, RPMFI_FLAGS_VERIFY);
	const unsigned char *digest = NULL;
	int algorithm = 0;
	size_t length = 0;
	int number = (int)file;

	if (file < (unsigned int)rpmfilesFC(list) && (rpmfilesVFlags(list, number) & RPMVERIFY_FILEDIGEST) &&
	    !(rpmfilesFFlags(list, number) & (RPMFILE_GHOST | RPMFILE_CONFIG)))
		digest = rpmfilesFDigest(list, number, &algorithm, &length);
	if (digest && algorithm == OPENPGP_SHA256 && length == 32)
		owner->digest_kind = PACKAGE_DIGEST_SHA256;
	else if (digest && algorithm == OPENPGP_MD5 && length == 16)
		owner->digest_kind = PACKAGE_DIGEST_MD5;
	if (owner->digest_kind != PACKAGE_DIGEST_NONE)
		memcpy(owner->digest, digest, length);
	(void)rpmfilesFree(list);
}

static int describe(Header header, unsigned int file, struct package_owner *ret)
{
	struct package_owner owner = {.digest_kind = PACKAGE_DIGEST_NONE};

	if (!copy_tag(header, RPMTAG_NAME, owner.package))
		return -EIO;
	if (!copy_tag(header, RPMTAG_EVR, owner.version))
		owner.version[0] = '\0';
	find_digest(header, file, &owner);
	*ret = owner;
	return 0;
}

/* Of a path that two packages have (of two architectures) only the one whose file was installed. */
static int find_owner(rpmts transaction, const char *path, struct package_owner *ret)
{
	rpmdbMatchIterator matches = rpmtsInitIterator(transaction, RPMDBI_INSTFILENAMES, path, 0);
	Header header = matches ? rpmdbNextIterator(matches) : NULL;
	int r = header ? describe(header, rpmdbGetIteratorFileNum(matches), ret) : -ENOENT;

	(void)rpmdbFreeIterator(matches);
	return r;
}

static bool is_hopeless(struct rpm *rpm, const struct stat *database)
{
	if (rpm->inode != database->st_ino || rpm->modified.tv_sec != database->st_mtim.tv_sec ||
	    rpm->modified.tv_nsec != database->st_mtim.tv_nsec)
		rpm->failures = 0;
	rpm->inode = database->st_ino;
	rpm->modified = database->st_mtim;
	return rpm->failures >= FAILURES_MAX;
}

static int ask(struct rpm *rpm, const char *path, const char *directory, struct package_owner *ret)
{
	rpmts transaction;
	bool failed = false;
	int r = -EIO;

	prepare(directory, &failed);
	transaction = rpmtsCreate();
	/* signatures and digests of headers: the database is root's, as dpkg's is, which has none */
	(void)rpmtsSetVSFlags(transaction, RPMVSF_NOHDRCHK | RPMVSF_MASK_NODIGESTS | RPMVSF_MASK_NOSIGNATURES);
	if (rpmtsSetRootDir(transaction, *rpm->root ? rpm->root : "/") == 0 && rpmtsOpenDB(transaction, O_RDONLY) == 0)
		r = find_owner(transaction, path, ret);
	else
		rpm->failures++;
	(void)rpmtsFree(transaction);
	leave();
	return r == -ENOENT && failed ? -EIO : r;
}

int rpm_find(struct rpm *rpm, const char *path, struct package_owner *ret)
{
	struct stat database;
	const char *directory = find_directory(rpm->root, &database);
	int r;

	if (!directory)
		return -ENODATA;
	if (*path != '/')
		return -ENOENT;
	if (is_hopeless(rpm, &database) || !take_turn())
		return -EIO;
	r = ask(rpm, path, directory, ret);
	(void)pthread_mutex_unlock(&turn);
	return r;
}

#else

bool rpm_is_built_in(void)
{
	return false;
}

int rpm_find(struct rpm *rpm, const char *path, struct package_owner *ret)
{
	(void)rpm;
	(void)path;
	(void)ret;
	return -ENODATA;
}

#endif
