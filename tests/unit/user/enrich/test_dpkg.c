/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "tests/unit/user/enrich/tree.h"
#include "user/enrich/digest.h"
#include "user/enrich/dpkg.h"

#define MD5 "0123456789abcdef0123456789ABCDEF"

static char root[] = "/tmp/bindwatch-dpkg-XXXXXX";

static const char status[] = "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2-1\n\n"
                             "Package: bash-doc\nArchitecture: all\nVersion: 9\n\n"
                             "Package: libx\nStatus: install ok installed\nArchitecture: i386\nVersion: 2:1.0~a\n\n"
                             "Package: libx\nArchitecture: amd64\nVersion: 2:1.1\nDescription: of more\n lines\n\n"
                             "Package: perl-wrap\nVersion: 3\n\nPackage: perl\nVersion: 5.36\n";

static int make_root(void **state)
{
	(void)state;
	if (!mkdtemp(root))
		return -1;
	tree_directory(root, "/usr/bin");
	tree_directory(root, "/usr/lib");
	tree_directory(root, "/opt");
	tree_link(root, "/bin", "usr/bin");
	tree_link(root, "/lib", "/usr/lib");
	tree_directory(root, "/var/lib/dpkg/info");
	tree_file(root, "/var/lib/dpkg/status", status);
	tree_file(root, "/var/lib/dpkg/info/bash.list",
	          "/.\n/bin\n/bin/bash\n/etc\n/etc/bash.bashrc\n/usr/bin/bashbug\n");
	tree_file(root, "/var/lib/dpkg/info/bash.md5sums",
	          MD5 "  bin/bash\nfedcba9876543210fedcba9876543210  usr/bin/bashbug\n");
	tree_file(root, "/var/lib/dpkg/info/bash-doc.list", "/usr/share/doc/bash");
	tree_file(root, "/var/lib/dpkg/info/libx:amd64.list", "/usr/lib/x/helper\n/usr/share/x\n");
	tree_file(root, "/var/lib/dpkg/info/libx:amd64.md5sums", "nonsense\n" MD5 "  usr/lib/x/helpe\n");
	tree_file(root, "/var/lib/dpkg/info/libx:i386.list", "/usr/lib/x/other\n/usr/share/x\n");
	tree_file(root, "/var/lib/dpkg/info/perl.list", "/usr/bin/perl\n/usr/bin/here\n/usr/bin/awk\n");
	tree_file(root, "/var/lib/dpkg/info/perl.md5sums", MD5 "  usr/bin/perl\n");
	tree_file(root, "/var/lib/dpkg/info/perl-wrap.list", "/usr/bin/perl\n/usr/bin/awk\n");
	tree_file(root, "/var/lib/dpkg/info/perl-wrap.md5sums", "00000000000000000000000000000001  usr/bin/perl\n");
	tree_file(root, "/var/lib/dpkg/info/gone.postinst", "/usr/bin/script\n");
	tree_file(root, "/var/lib/dpkg/info/noversion.list", "/opt/tool\n/usr/bin/lslpbbh\n");
	tree_file(root, "/var/lib/dpkg/diversions",
	          "/usr/bin/perl\n/usr/bin/perl.real\nperl-wrap\n/usr/bin/awk\n/usr/bin/awk.real\nperl\n/usr/bin/"
	          "here\n/usr/bin/there\n:\n/half\n");
	return 0;
}

static int remove_root(void **state)
{
	(void)state;
	tree_remove(root);
	return 0;
}

static void dpkg_owners(void **state)
{
	/* clang-format off */
	static const struct {
		const char *path, *package, *version;
		int md5; /* the first byte, -1: none */
	} rows[] = {
		{"/bin/bash",          "bash",      "5.2-1",   0x01},
		{"/usr/bin/bash",      "bash",      "5.2-1",   0x01},
		{"/usr/bin/bashbug",   "bash",      "5.2-1",   0xfe},
		{"/bin/bashbug",       "bash",      "5.2-1",   0xfe},
		{"/etc/bash.bashrc",   "bash",      "5.2-1",   -1},
		{"/usr/share/doc/bash", "bash-doc", "9",       -1},
		{"/usr/lib/x/helper",  "libx",      "2:1.1",   -1},
		{"/lib/x/helper",      "libx",      "2:1.1",   -1},
		{"/usr/lib/x/other",   "libx",      "2:1.0~a", -1},
		{"/opt/tool",          "noversion", "",        -1},
		/* diverted */
		{"/usr/bin/perl",      "perl-wrap", "3",       0x00},
		{"/bin/perl",          "perl-wrap", "3",       0x00},
		{"/usr/bin/perl.real", "perl",      "5.36",    0x01},
		{"/usr/bin/awk",       "perl",      "5.36",    -1},
		{"/usr/bin/awk.real",  "perl-wrap", "3",       -1},
		{"/usr/bin/there",     "perl",      "5.36",    -1},
		{"/usr/bin/here",      NULL,        NULL,      -1},
		/* of no package */
		{"/usr/bin/bas",       NULL,        NULL,      -1},
		{"/usr/bin/bash2",     NULL,        NULL,      -1},
		/* of one hash */
		{"/usr/bin/lslpbbh",   "noversion", "",        -1},
		{"/usr/bin/pvuflpl",   NULL,        NULL,      -1},
		{"/usr/bin/script",    NULL,        NULL,      -1},
		{"/usr/etc/bash.bashrc", NULL,      NULL,      -1},
		{"/usr/opt/tool",      NULL,        NULL,      -1},
		{"/",                  NULL,        NULL,      -1},
		{"",                   NULL,        NULL,      -1},
		{"bin/bash",           NULL,        NULL,      -1},
		{"/bin/bash\n/etc",    NULL,        NULL,      -1},
	};
	/* clang-format on */
	struct dpkg *dpkg;

	(void)state;
	assert_int_equal(dpkg_open(root, &dpkg), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct package_owner owner = {.package = "untouched"};
		int r = dpkg_find(dpkg, rows[i].path, &owner);

		if (r != (rows[i].package ? 0 : -ENOENT))
			fail_msg("%s: %d", rows[i].path, r);
		assert_string_equal(owner.package, rows[i].package ? rows[i].package : "untouched");
		if (r < 0)
			continue;
		assert_string_equal(owner.version, rows[i].version);
		if (owner.digest_kind != (rows[i].md5 >= 0 ? PACKAGE_DIGEST_MD5 : PACKAGE_DIGEST_NONE) ||
		    (rows[i].md5 >= 0 && owner.digest[0] != rows[i].md5))
			fail_msg("%s: digest %d %02x", rows[i].path, owner.digest_kind, owner.digest[0]);
	}
	dpkg_close(dpkg);
	dpkg_close(NULL);
}

static void dpkg_sees_a_change(void **state)
{
	struct package_owner owner;
	struct dpkg *dpkg;

	(void)state;
	assert_int_equal(dpkg_open(root, &dpkg), 0);
	assert_int_equal(dpkg_find(dpkg, "/usr/bin/new", &owner), -ENOENT);
	tree_file(root, "/var/lib/dpkg/info/new.list", "/usr/bin/new\n");
	assert_int_equal(dpkg_find(dpkg, "/usr/bin/new", &owner), -ENOENT); /* dpkg is not done yet */
	tree_file(root, "/var/lib/dpkg/status-new", "Package: new\nVersion: 1\n");
	tree_rename(root, "/var/lib/dpkg/status-new", "/var/lib/dpkg/status");
	assert_int_equal(dpkg_find(dpkg, "/usr/bin/new", &owner), 0);
	assert_string_equal(owner.package, "new");
	assert_string_equal(owner.version, "1");
	dpkg_close(dpkg);
}

static void dpkg_database_is_not_there(void **state)
{
	char empty[] = "/tmp/bindwatch-dpkg-XXXXXX";
	struct package_owner owner;
	struct dpkg *dpkg;

	(void)state;
	assert_non_null(mkdtemp(empty));
	assert_int_equal(dpkg_open(empty, &dpkg), 0);
	assert_int_equal(dpkg_find(dpkg, "/bin/bash", &owner), -ENODATA);
	tree_directory(empty, "/var/lib/dpkg");
	tree_file(empty, "/var/lib/dpkg/status", "");
	assert_int_equal(dpkg_find(dpkg, "/bin/bash", &owner), -ENODATA);
	tree_directory(empty, "/var/lib/dpkg/info");
	assert_int_equal(dpkg_find(dpkg, "/bin/bash", &owner), -ENOENT);
	dpkg_close(dpkg);
	tree_remove(empty);
}

/* What dpkg itself says of the programs of this machine. */
static void dpkg_of_this_machine(void **state)
{
	static const char *const paths[] = {"/bin/sh", "/usr/bin/env", "/usr/bin/dpkg", "/usr/sbin/useradd",
	                                    "/sbin/init"};
	struct dpkg *dpkg;
	unsigned int seen = 0;

	(void)state;
	if (access("/var/lib/dpkg/status", R_OK) != 0 || access("/usr/bin/dpkg", X_OK) != 0) {
		print_message("skipped: this machine has no database of dpkg\n");
		skip();
	}
	assert_int_equal(dpkg_open("", &dpkg), 0);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		char real[PATH_MAX], command[PATH_MAX + 64], said[256] = "";
		struct package_owner owner;
		struct digest digest;
		FILE *dpkg_query;
		int fd;

		if (!realpath(paths[i], real))
			continue;
		assert_int_equal(dpkg_find(dpkg, real, &owner), 0);
		(void)snprintf(command, sizeof(command), "dpkg-query -W -f '${Version}' '%s'", owner.package);
		dpkg_query = popen(command, "r");
		assert_non_null(dpkg_query);
		assert_non_null(fgets(said, sizeof(said), dpkg_query));
		assert_int_equal(pclose(dpkg_query), 0);
		assert_string_equal(owner.version, said);
		if (owner.digest_kind == PACKAGE_DIGEST_MD5) {
			fd = open(real, O_RDONLY | O_CLOEXEC);
			assert_int_equal(digest_read(fd, UINT64_MAX, &digest), 0);
			assert_memory_equal(digest.md5, owner.digest, 16);
			(void)close(fd);
		}
		seen++;
	}
	assert_true(seen >= 3);
	dpkg_close(dpkg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(dpkg_owners),
	        cmocka_unit_test(dpkg_sees_a_change),
	        cmocka_unit_test(dpkg_database_is_not_there),
	        cmocka_unit_test(dpkg_of_this_machine),
	};

	return cmocka_run_group_tests(tests, make_root, remove_root);
}
