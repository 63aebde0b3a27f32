/* SPDX-License-Identifier: BSD-2-Clause */
/* With a database that rpm makes here, of two packages that rpmbuild makes here. */
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

#include "tests/unit/user/enrich/described.h"
#include "tests/unit/user/enrich/tree.h"
#include "user/enrich/digest.h"
#include "user/enrich/enrich.h"
#include "user/enrich/rpm.h"

static char root[] = "/tmp/bindwatch-rpm-XXXXXX";
static char empty[] = "/tmp/bindwatch-rpm-XXXXXX";
static const char *why_not;

#define NEEDS_DATABASE                                                                                                 \
	do {                                                                                                           \
		if (why_not) {                                                                                         \
			print_message("skipped: %s\n", why_not);                                                       \
			skip();                                                                                        \
		}                                                                                                      \
	} while (0)

/* librpm loses what SQLite has of a database that it cannot open: user/enrich/rpm.c */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libsqlite3\n";
}

static const char spec[] = "Summary: x\nLicense: x\nBuildArch: noarch\nName: %{name_}\nVersion: 1.2\nRelease: 3\n"
                           "%{?epoch_:Epoch: %{epoch_}}\n%description\nx\n%install\n"
                           "mkdir -p %{buildroot}/usr/bin\ncp %{root_}/usr/bin/%{name_}* %{buildroot}/usr/bin\n"
                           "touch %{buildroot}/usr/bin/ghost-%{name_}\n%files\n/usr/bin/%{name_}\n"
                           "%verify(not filedigest) /usr/bin/%{name_}-own\n%config /usr/bin/%{name_}-config\n"
                           "%ghost /usr/bin/ghost-%{name_}\n";

/* With nothing of what this machine's user has configured, nor of this machine's own database. */
static const char script[] =
        "export HOME=\"$1\"; cd \"$1\" || exit 1\n"
        "build() { rpmbuild -bb --quiet -D \"_topdir $HOME/top\" -D \"_rpmdir $HOME\" -D '_build_name_fmt %{NAME}.rpm' "
        "\\\n"
        "-D \"_tmppath $HOME\" -D \"_dbpath $HOME/none\" -D '__os_install_post %{nil}' -D \"root_ $HOME\" \"$@\" spec; "
        "}\n"
        "build -D 'name_ tools' -D 'epoch_ 2' -D '_binary_filedigest_algorithm 8' &&\n"
        "build -D 'name_ old' -D '_binary_filedigest_algorithm 1' &&\n"
        "rpm --dbpath \"$HOME/var/lib/rpm\" -i --justdb --nodeps --ignorearch --ignoreos tools.rpm old.rpm\n";

static int make_root(void **state)
{
	static const char *const names[] = {"tools",   "tools-own",  "tools-config", "old",
	                                    "old-own", "old-config", "mine"};
	char command[PATH_MAX];

	(void)state;
	if (!mkdtemp(root) || !mkdtemp(empty))
		return -1;
	tree_directory(root, "/usr/bin");
	tree_directory(root, "/usr/lib");
	tree_link(root, "/bin", "usr/bin");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[64];

		(void)snprintf(path, sizeof(path), "/usr/bin/%s", names[i]);
		tree_file(root, path, names[i]);
	}
	tree_file(root, "/spec", spec);
	tree_file(root, "/script", script);
	if (!rpm_is_built_in())
		why_not = "librpm was not there when this was built";
	else if (system("command -v rpmbuild rpm >/dev/null") != 0)
		why_not = "rpmbuild or rpm is not installed: there is nothing to make a database with";
	if (why_not)
		return 0;
	(void)snprintf(command, sizeof(command), "sh %s/script %s >%s/log 2>&1 || { cat %s/log >&2; exit 1; }", root,
	               root, root, root);
	return system(command) == 0 ? 0 : -1;
}

static int remove_root(void **state)
{
	(void)state;
	tree_remove(root);
	tree_remove(empty);
	return 0;
}

static void rpm_owners(void **state)
{
	/* clang-format off */
	static const struct {
		const char *path, *package, *version;
		enum package_digest digest;
	} rows[] = {
		{"/usr/bin/tools",        "tools", "2:1.2-3", PACKAGE_DIGEST_SHA256},
		{"/bin/tools",            "tools", "2:1.2-3", PACKAGE_DIGEST_SHA256},
		{"/usr/bin/tools-own",    "tools", "2:1.2-3", PACKAGE_DIGEST_NONE},
		{"/usr/bin/tools-config", "tools", "2:1.2-3", PACKAGE_DIGEST_NONE},
		{"/usr/bin/ghost-tools",  "tools", "2:1.2-3", PACKAGE_DIGEST_NONE},
		{"/usr/bin/old",          "old",   "1.2-3",   PACKAGE_DIGEST_MD5},
		{"/usr/bin/mine",         NULL,    NULL,      0},
		{"/usr/bin/tool",         NULL,    NULL,      0},
		{"/opt/tools",            NULL,    NULL,      0},
		{"/usr/bin/*",            NULL,    NULL,      0},
		{"/usr/bin/%{name}",      NULL,    NULL,      0},
		{"/usr/bin/\xff\n",       NULL,    NULL,      0},
		{"/usr/bin",              NULL,    NULL,      0},
		{"/",                     NULL,    NULL,      0},
		{"",                      NULL,    NULL,      0},
		{"usr/bin/tools",         NULL,    NULL,      0},
	};
	/* clang-format on */
	struct rpm *rpm;

	(void)state;
	NEEDS_DATABASE;
	assert_int_equal(rpm_open(root, &rpm), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct package_owner owner = {.package = "untouched"};
		int r = rpm_find(rpm, rows[i].path, &owner);

		if (r != (rows[i].package ? 0 : -ENOENT))
			fail_msg("%s: %d", rows[i].path, r);
		assert_string_equal(owner.package, rows[i].package ? rows[i].package : "untouched");
		if (r < 0)
			continue;
		assert_string_equal(owner.version, rows[i].version);
		if (owner.digest_kind != rows[i].digest)
			fail_msg("%s: digest %d", rows[i].path, owner.digest_kind);
	}
	rpm_close(rpm);
	rpm_close(NULL);
}

static void rpm_in_the_new_place(void **state)
{
	struct package_owner owner;
	struct rpm *rpm;

	(void)state;
	NEEDS_DATABASE;
	tree_directory(root, "/usr/lib/sysimage");
	tree_rename(root, "/var/lib/rpm", "/usr/lib/sysimage/rpm");
	assert_int_equal(rpm_open(root, &rpm), 0);
	assert_int_equal(rpm_find(rpm, "/usr/bin/tools", &owner), 0);
	assert_string_equal(owner.package, "tools");
	rpm_close(rpm);
	tree_rename(root, "/usr/lib/sysimage/rpm", "/var/lib/rpm");
}

/* Nor is one there afterwards: librpm would make it. */
static void rpm_database_is_not_there(void **state)
{
	struct package_owner owner;
	struct rpm *rpm;

	(void)state;
	assert_int_equal(rpm_open(empty, &rpm), 0);
	assert_int_equal(rpm_find(rpm, "/usr/bin/tools", &owner), -ENODATA);
	assert_int_equal(access(tree_path(empty, "/var"), F_OK), -1);
	tree_directory(empty, "/var/lib/rpm");
	assert_int_equal(rpm_find(rpm, "/usr/bin/tools", &owner), -ENODATA);
	assert_int_equal(access(tree_path(empty, "/var/lib/rpm/rpmdb.sqlite"), F_OK), -1);
	rpm_close(rpm);
}

static int descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* Not known, with nothing on stderr, and not paid for with each question. */
static void rpm_database_is_broken(void **state)
{
	int before, after = 0, keep = dup(STDERR_FILENO), messages;
	struct package_owner owner;
	struct stat said;
	struct rpm *rpm;

	(void)state;
	NEEDS_DATABASE;
	tree_file(empty, "/var/lib/rpm/rpmdb.sqlite", spec);
	messages = open(tree_path(empty, "/messages"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(messages >= 0 && keep >= 0);
	assert_int_equal(rpm_open(empty, &rpm), 0);
	before = descriptors();
	assert_int_equal(dup2(messages, STDERR_FILENO), STDERR_FILENO);
	for (unsigned int i = 0; i < 64 && after >= 0; i++)
		after = rpm_find(rpm, "/usr/bin/tools", &owner) == -EIO ? descriptors() : -1;
	assert_int_equal(dup2(keep, STDERR_FILENO), STDERR_FILENO);
	assert_true(after >= 0);
	assert_true(after <= before + 8);
	assert_int_equal(fstat(messages, &said), 0);
	assert_int_equal(said.st_size, 0);
	(void)close(messages);
	(void)close(keep);
	rpm_close(rpm);
}

/* Asked again when it is another. */
static void rpm_database_is_mended(void **state)
{
	struct package_owner owner;
	char command[PATH_MAX];
	struct rpm *rpm;

	(void)state;
	NEEDS_DATABASE;
	assert_int_equal(rpm_open(empty, &rpm), 0);
	for (unsigned int i = 0; i < 64; i++)
		assert_int_equal(rpm_find(rpm, "/usr/bin/tools", &owner), -EIO);
	(void)snprintf(command, sizeof(command), "rm -r %s/var/lib/rpm && cp -r %s/var/lib/rpm %s/var/lib", empty, root,
	               empty);
	assert_int_equal(system(command), 0);
	assert_int_equal(rpm_find(rpm, "/usr/bin/tools", &owner), 0);
	rpm_close(rpm);
}

struct expected {
	const char *path;
	const char *package; /* NULL: none */
	uint32_t flags_known, flags;
};

static void assert_enriched(const struct expected *expected)
{
	struct process process = described(root, getpid(), expected->path);
	struct enrich *enrich;

	assert_int_equal(enrich_open(root, true, &enrich), 0);
	enrich_patiently(enrich, &process);
	if (!process.executable.package_known)
		fail_msg("%s: not known", expected->path);
	if (expected->package)
		assert_string_equal(process.executable.package, expected->package);
	else
		assert_null(process.executable.package);
	assert_int_equal(process.executable.flags_known, expected->flags_known);
	assert_int_equal(process.executable.flags, expected->flags);
	enrich_close(enrich);
}

static void enrich_by_rpm(void **state)
{
	static const struct expected rows[] = {
	        {"/usr/bin/tools", "tools", EXECUTABLE_MODIFIED, 0},
	        {"/usr/bin/old", "old", EXECUTABLE_MODIFIED, 0},
	        {"/usr/bin/tools-own", "tools", 0, 0},
	        {"/usr/bin/mine", NULL, 0, 0},
	};
	static const struct expected modified[] = {
	        {"/usr/bin/tools", "tools", EXECUTABLE_MODIFIED, EXECUTABLE_MODIFIED},
	        {"/usr/bin/old", "old", EXECUTABLE_MODIFIED, EXECUTABLE_MODIFIED},
	};

	(void)state;
	NEEDS_DATABASE;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_enriched(&rows[i]);
	tree_file(root, "/usr/bin/tools", "other bytes");
	tree_file(root, "/usr/bin/old", "other bytes");
	for (size_t i = 0; i < sizeof(modified) / sizeof(modified[0]); i++)
		assert_enriched(&modified[i]);
}

/* dpkg goes first; what it does not have, rpm may. */
static void enrich_by_both(void **state)
{
	static const struct expected rows[] = {
	        {"/usr/bin/tools", "of-dpkg", 0, 0},
	        {"/usr/bin/old", "old", EXECUTABLE_MODIFIED, EXECUTABLE_MODIFIED},
	        {"/usr/bin/mine", NULL, 0, 0},
	};

	(void)state;
	NEEDS_DATABASE;
	tree_directory(root, "/var/lib/dpkg/info");
	tree_file(root, "/var/lib/dpkg/status", "Package: of-dpkg\nVersion: 1\n");
	tree_file(root, "/var/lib/dpkg/info/of-dpkg.list", "/usr/bin/tools\n");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_enriched(&rows[i]);
}

/* Where rpm's database is broken, a file that dpkg does not have may be rpm's. */
static void enrich_by_neither(void **state)
{
	struct enrich *enrich;

	(void)state;
	NEEDS_DATABASE;
	tree_file(root, "/var/lib/rpm/rpmdb.sqlite", "no database");
	for (unsigned int i = 0; i < 2; i++) {
		struct process process = described(root, getpid(), "/usr/bin/mine");

		assert_int_equal(enrich_open(root, true, &enrich), 0);
		enrich_patiently(enrich, &process);
		assert_true(process.executable.has_sha256);
		assert_false(process.executable.package_known);
		assert_null(process.executable.package);
		enrich_close(enrich);
		tree_remove(tree_path(root, "/var/lib/dpkg"));
		tree_remove(tree_path(root, "/var/lib/rpm"));
	}
}

/* What rpm itself says of the programs of this machine. */
static void rpm_of_this_machine(void **state)
{
	static const char *const paths[] = {"/usr/bin/env", "/usr/bin/rpm", "/usr/sbin/useradd", "/usr/bin/bash"};
	struct rpm *rpm;

	(void)state;
	if (!rpm_is_built_in() || system("rpm -qf /usr/bin/env >/dev/null 2>&1") != 0) {
		print_message("skipped: this machine's programs are not rpm's\n");
		skip();
	}
	assert_int_equal(rpm_open("", &rpm), 0);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		char command[PATH_MAX + 64], said[512] = "", ours[512] = "";
		struct package_owner owner;
		FILE *query;

		(void)snprintf(command, sizeof(command), "rpm -qf --qf '%%{NAME} %%{EVR}\\n' %s", paths[i]);
		query = popen(command, "r");
		assert_non_null(query);
		assert_non_null(fgets(said, sizeof(said), query));
		if (pclose(query) != 0)
			continue;
		assert_int_equal(rpm_find(rpm, paths[i], &owner), 0);
		(void)snprintf(ours, sizeof(ours), "%s %s\n", owner.package, owner.version);
		assert_string_equal(ours, said);
	}
	rpm_close(rpm);
}

int main(void)
{
	/* in this order: the later ones change the tree */
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(rpm_owners),
	        cmocka_unit_test(rpm_in_the_new_place),
	        cmocka_unit_test(rpm_database_is_not_there),
	        cmocka_unit_test(rpm_database_is_broken),
	        cmocka_unit_test(rpm_database_is_mended),
	        cmocka_unit_test(enrich_by_rpm),
	        cmocka_unit_test(enrich_by_both),
	        cmocka_unit_test(enrich_by_neither),
	        cmocka_unit_test(rpm_of_this_machine),
	};

	return cmocka_run_group_tests(tests, make_root, remove_root);
}
