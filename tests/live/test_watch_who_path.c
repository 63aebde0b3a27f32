/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs in odd places: where they stand, and whether they stand there at all. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

#include "tests/live/live.h"
#include "tests/live/who.h"

static struct who_test test;
static bool has_overlay;

static uint32_t flags_of(const struct who_event *event, uint32_t flag)
{
	assert_true(event->process.executable.flags_known & flag);
	return event->process.executable.flags & flag;
}

/* A place in the group's directory. */
static const char *place(const char *name)
{
	static char paths[4][256];
	static unsigned int next;
	char *path = paths[next++ % 4];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", test.directory, name);
	return path;
}

/* --- long paths --------------------------------------------------------------------------------------------------- */

/*
 * Directories in each other, until a file `last` in the innermost has a path of `total` bytes. The innermost, open, and
 * the path.
 */
static int make_deep(size_t total, const char *last, char *ret_path)
{
	char name[256];
	size_t used = (size_t)snprintf(ret_path, 256, "%s", test.directory);
	size_t end = total - strlen(last) - 1;
	int at = open(test.directory, O_PATH | O_DIRECTORY | O_CLOEXEC), next;

	while (used < end) {
		size_t length = end - used - 1;

		/* what is left must be a whole name: a slash and at least one byte */
		if (length > 255)
			length = length - 255 == 1 ? 254 : 255;
		memset(name, 'a' + (int)(used % 26), length);
		name[length] = '\0';
		assert_true(mkdirat(at, name, 0755) == 0 || errno == EEXIST);
		next = openat(at, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close(at);
		at = next;
		ret_path[used] = '/';
		memcpy(ret_path + used + 1, name, length + 1);
		used += length + 1;
	}
	(void)snprintf(ret_path + used, total - used + 1, "/%s", last);
	assert_int_equal(strlen(ret_path), total);
	return at;
}

static int go_there(void *context)
{
	return fchdir(*(const int *)context) ? 102 : 0;
}

static void run_deep(size_t total, char *ret_path, struct who_event *ret)
{
	int directory = make_deep(total, "tool", ret_path);
	const struct who_run run = {.file = "tool", .directory = directory, .prepare = go_there, .context = &directory};

	who_install_at(&test, directory, "tool", 0755);
	who_run_and_await(&test, &run, ret);
	close(directory);
}

static void a_path_of_4096_bytes_comes_whole(void **state)
{
	static const size_t totals[] = {300, 4095, 4096};
	char path[8192];

	(void)state;
	SKIP_BECAUSE(test.why_not);
	for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++) {
		struct who_event event;

		run_deep(totals[i], path, &event);
		assert_false(event.process.executable.path_truncated);
		assert_string_equal(event.process.executable.path, path);
		assert_false(event.process.working_directory_truncated);
		*strrchr(path, '/') = '\0';
		assert_string_equal(event.process.working_directory, path);
		who_event_free(&event);
	}
}

/* Of more there is the end, from a whole name on. */
static void a_longer_path_is_cut_and_marked(void **state)
{
	static const size_t totals[] = {4097, 4351, 6000};
	char path[8192];

	(void)state;
	SKIP_BECAUSE(test.why_not);
	for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++) {
		struct who_event event;
		size_t length;

		run_deep(totals[i], path, &event);
		assert_true(event.process.executable.path_truncated);
		length = strlen(event.process.executable.path);
		assert_in_range(length, 4096 - 255, 4096);
		assert_int_equal(event.process.executable.path[0], '/');
		assert_string_equal(event.process.executable.path, path + totals[i] - length);
		who_event_free(&event);
	}
}

/* Names of one byte: as many as fit, 2,048. */
static void a_path_of_many_names_comes_whole(void **state)
{
	char path[8192];
	struct who_event event;
	int at = open(test.directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
	size_t used = (size_t)snprintf(path, sizeof(path), "%s", test.directory);
	struct who_run run = {.file = "t", .prepare = go_there, .context = &at};

	(void)state;
	SKIP_BECAUSE(test.why_not);
	while (used + 4 <= 4096) {
		int next;

		assert_int_equal(mkdirat(at, "n", 0755), 0);
		next = openat(at, "n", O_PATH | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close(at);
		at = next;
		memcpy(path + used, "/n", 3);
		used += 2;
	}
	memcpy(path + used, "/t", 3);
	run.directory = at;
	who_install_at(&test, at, "t", 0755);
	who_run_and_await(&test, &run, &event);
	assert_false(event.process.executable.path_truncated);
	assert_string_equal(event.process.executable.path, path);
	who_event_free(&event);
	close(at);
}

/* --- mounts ------------------------------------------------------------------------------------------------------- */

static int own_mounts(void)
{
	return unshare(CLONE_NEWNS) || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ? -1 : 0;
}

struct mounted {
	const struct who_test *test;
	const char *directory;
};

/* A file system in the directory, a directory of that bound into itself, the program two names below. */
static int mount_twice(void *context)
{
	const struct mounted *mounted = context;
	char from[512], to[512], file[600];

	(void)snprintf(from, sizeof(from), "%s/from", mounted->directory);
	(void)snprintf(to, sizeof(to), "%s/to", mounted->directory);
	(void)snprintf(file, sizeof(file), "%s/from/in/tool", mounted->directory);
	if (own_mounts() || mount("none", mounted->directory, "tmpfs", 0, "mode=0755") || mkdir(from, 0755) ||
	    mkdir(to, 0755))
		return 102;
	(void)snprintf(from, sizeof(from), "%s/from/in", mounted->directory);
	if (mkdir(from, 0755) || mount(from, to, NULL, MS_BIND, NULL))
		return 103;
	who_install(mounted->test, file, 0755);
	return chdir(to) ? 104 : 0;
}

static void a_path_goes_across_mounts(void **state)
{
	const char *directory = place("mounts");
	struct mounted mounted = {&test, directory};
	char file[512];
	const struct who_run run = {.file = file, .stay = true, .prepare = mount_twice, .context = &mounted};
	struct who_event event;
	struct who_child child;

	(void)state;
	SKIP_BECAUSE(test.why_not);
	assert_int_equal(mkdir(directory, 0755), 0);
	(void)snprintf(file, sizeof(file), "%s/to/tool", directory);
	child = who_run(&test, &run);
	who_await(&test, child.port, &event);
	who_compare(&event, child.pid);
	assert_string_equal(event.process.executable.path, file);
	assert_int_equal(flags_of(&event, EXECUTABLE_REPLACED | EXECUTABLE_DELETED), 0);
	who_end(&child);
	who_event_free(&event);
}

/* The whole file system once more below the directory, so that the program finds its libraries. */
static int change_root(void *context)
{
	const char *directory = context;

	if (own_mounts() || mount("/", directory, NULL, MS_BIND | MS_REC, NULL))
		return 102;
	return chroot(directory) || chdir("/usr") ? 103 : 0;
}

static void a_chroot_is_seen_from_outside(void **state)
{
	char *directory = strdup(place("root")), expected[4096 + 512];
	const struct who_run run = {.file = test.tool, .stay = true, .prepare = change_root, .context = directory};
	struct who_event event;
	struct who_child child;

	(void)state;
	SKIP_BECAUSE(test.why_not);
	assert_int_equal(mkdir(directory, 0755), 0);
	child = who_run(&test, &run);
	who_await(&test, child.port, &event);
	who_compare(&event, child.pid);
	assert_string_equal(event.process.root_directory, directory);
	(void)snprintf(expected, sizeof(expected), "%s%s", directory, test.tool);
	assert_string_equal(event.process.executable.path, expected);
	(void)snprintf(expected, sizeof(expected), "%s/usr", directory);
	assert_string_equal(event.process.working_directory, expected);
	/* found through its root, where the path from outside leads nowhere */
	assert_int_equal(flags_of(&event, EXECUTABLE_REPLACED), 0);
	who_end(&child);
	who_event_free(&event);
	free(directory);
}

struct overlay {
	const struct who_test *test;
	const char *directory;
	bool upper;
};

static int mount_overlay(void *context)
{
	const struct overlay *overlay = context;
	char options[1024], name[512];
	static const char *const names[] = {"lower", "upper", "work", "merged"};

	if (own_mounts() || mount("none", overlay->directory, "tmpfs", 0, "mode=0755"))
		return 102;
	for (size_t i = 0; i < 4; i++) {
		(void)snprintf(name, sizeof(name), "%s/%s", overlay->directory, names[i]);
		if (mkdir(name, 0755))
			return 103;
	}
	(void)snprintf(name, sizeof(name), "%s/lower/tool", overlay->directory);
	who_install(overlay->test, name, 0755);
	(void)snprintf(options, sizeof(options), "lowerdir=%s/lower,upperdir=%s/upper,workdir=%s/work",
	               overlay->directory, overlay->directory, overlay->directory);
	(void)snprintf(name, sizeof(name), "%s/merged", overlay->directory);
	if (mount("overlay", name, "overlay", 0, options))
		return 104;
	(void)snprintf(name, sizeof(name), "%s/merged/tool", overlay->directory);
	/* to write to it copies it up */
	return overlay->upper && chmod(name, 0700) ? 105 : 0;
}

static bool find_overlay(void)
{
	FILE *file = fopen("/proc/filesystems", "re");
	char line[128];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file))
		found = strcmp(line, "nodev\toverlay\n") == 0;
	if (file)
		(void)fclose(file);
	return found;
}

/* Before Linux 5.11 (36e68442d1af) a module has no BTF: where its inode keeps the layer is not known then. */
static bool is_module_without_types(void)
{
	return access("/sys/module/overlay/initstate", F_OK) == 0 && access("/sys/kernel/btf/overlay", F_OK) != 0;
}

static void run_on_overlay(struct overlay *overlay, struct who_event *ret)
{
	char file[512];
	const struct who_run run = {.file = file, .stay = true, .prepare = mount_overlay, .context = overlay};
	struct who_child child;

	assert_int_equal(mkdir(overlay->directory, 0755), 0);
	(void)snprintf(file, sizeof(file), "%s/merged/tool", overlay->directory);
	child = who_run(&test, &run);
	who_await(&test, child.port, ret);
	assert_string_equal(ret->process.executable.path, file);
	assert_int_equal(flags_of(ret, EXECUTABLE_DELETED | EXECUTABLE_REPLACED), 0);
	who_end(&child);
}

static void the_layer_of_an_overlay_is_told(void **state)
{
	struct overlay lower = {&test, place("overlay-lower"), false}, upper = {&test, place("overlay-upper"), true};
	struct who_event event;
	bool known;

	(void)state;
	SKIP_BECAUSE(test.why_not);
	SKIP_BECAUSE(has_overlay ? NULL : "no overlayfs was loaded when the hooks were");
	run_on_overlay(&lower, &event);
	known = event.process.executable.flags_known & EXECUTABLE_OVERLAY_UPPER;
	assert_false(event.process.executable.flags & EXECUTABLE_OVERLAY_UPPER);
	who_event_free(&event);
	run_on_overlay(&upper, &event);
	assert_int_equal(event.process.executable.flags_known & EXECUTABLE_OVERLAY_UPPER ? 1 : 0, known);
	assert_int_equal(event.process.executable.flags & EXECUTABLE_OVERLAY_UPPER ? 1 : 0, known);
	who_event_free(&event);
	assert_int_equal(known, !is_module_without_types());
	SKIP_BECAUSE(known ? NULL
	                   : "overlayfs is a module, and modules of this kernel have no BTF (5.10): no layer is told");
}

/* --- files that are gone ------------------------------------------------------------------------------------------ */

static void a_memfd_is_in_memory_only(void **state)
{
	struct who_run run = {.fd = memfd_create("odd name\n", MFD_CLOEXEC), .stay = true};
	struct who_event event;
	struct who_child child;
	struct stat status;

	(void)state;
	SKIP_BECAUSE(test.why_not);
	who_copy(&test, run.fd);
	child = who_run(&test, &run);
	who_await(&test, child.port, &event);
	assert_string_equal(event.process.executable.path, "/memfd:odd name\n");
	assert_true(flags_of(&event, EXECUTABLE_MEMFD));
	assert_true(flags_of(&event, EXECUTABLE_DELETED));
	assert_false(event.process.executable.flags_known & EXECUTABLE_WORLD_WRITABLE);
	assert_int_equal(fstat(run.fd, &status), 0);
	who_compare_file(&event.process.executable, &status);
	who_end(&child);
	who_event_free(&event);
	close(run.fd);
}

static void a_file_of_no_name_is_in_memory_only(void **state)
{
	int to = open(test.directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0755);
	struct who_run run = {.stay = true};
	char path[64];
	struct who_event event;
	struct who_child child;

	(void)state;
	SKIP_BECAUSE(test.why_not);
	SKIP_BECAUSE(to < 0 ? "no O_TMPFILE here" : NULL);
	who_copy(&test, to);
	/* what is open for writing cannot be executed */
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", to);
	run.fd = open(path, O_RDONLY | O_CLOEXEC);
	close(to);
	child = who_run(&test, &run);
	who_await(&test, child.port, &event);
	assert_true(flags_of(&event, EXECUTABLE_MEMFD));
	assert_true(flags_of(&event, EXECUTABLE_DELETED));
	who_end(&child);
	who_event_free(&event);
	close(run.fd);
}

/* Between the exec and the bind somebody does something to the file. */
static void run_while(const char *file, int (*meanwhile)(const char *file), bool stay, struct who_event *ret)
{
	const struct who_run run = {.file = file, .wait = true, .stay = stay};
	struct who_child child;
	char link[512];

	who_install(&test, file, 0755);
	child = who_run(&test, &run);
	/* until the exec is done it is still this program */
	do
		who_link(child.pid, "exe", link, sizeof(link));
	while (strcmp(link, file) != 0);
	assert_int_equal(meanwhile(file), 0);
	who_go(&child);
	if (!stay)
		who_end(&child);
	who_await(&test, child.port, ret);
	assert_string_equal(ret->process.executable.path, file);
	if (stay)
		who_end(&child);
}

static int replace(const char *file)
{
	char other[512];

	(void)snprintf(other, sizeof(other), "%s.new", file);
	who_install(&test, other, 0755);
	return rename(other, file);
}

/* The same file under the same name again. */
static int link_again(const char *file)
{
	char other[512];

	(void)snprintf(other, sizeof(other), "%s.other", file);
	return link(file, other) || unlink(file) || link(other, file);
}

static int leave(const char *file)
{
	return access(file, X_OK);
}

static void a_deleted_program_is_marked(void **state)
{
	struct who_event event;

	(void)state;
	SKIP_BECAUSE(test.why_not);
	run_while(place("stays"), leave, true, &event);
	assert_false(flags_of(&event, EXECUTABLE_DELETED));
	assert_false(flags_of(&event, EXECUTABLE_REPLACED));
	assert_false(flags_of(&event, EXECUTABLE_MEMFD));
	who_event_free(&event);
	run_while(place("deleted"), unlink, true, &event);
	assert_true(flags_of(&event, EXECUTABLE_DELETED));
	assert_false(flags_of(&event, EXECUTABLE_REPLACED));
	assert_false(flags_of(&event, EXECUTABLE_MEMFD));
	who_event_free(&event);
	run_while(place("linked"), link_again, true, &event);
	assert_false(flags_of(&event, EXECUTABLE_DELETED));
	assert_false(flags_of(&event, EXECUTABLE_REPLACED));
	who_event_free(&event);
	run_while(place("replaced"), replace, true, &event);
	assert_true(flags_of(&event, EXECUTABLE_DELETED));
	assert_true(flags_of(&event, EXECUTABLE_REPLACED));
	who_event_free(&event);
}

/* The process is gone before anybody asks: what the hook saw, and what stands at the path, is enough. */
static void a_deleted_program_that_is_gone_is_marked(void **state)
{
	struct who_event event;

	(void)state;
	SKIP_BECAUSE(test.why_not);
	run_while(place("deleted-and-gone"), unlink, false, &event);
	assert_true(flags_of(&event, EXECUTABLE_DELETED));
	assert_false(flags_of(&event, EXECUTABLE_REPLACED));
	who_event_free(&event);
	run_while(place("linked-and-gone"), link_again, false, &event);
	assert_true(flags_of(&event, EXECUTABLE_DELETED));
	assert_false(flags_of(&event, EXECUTABLE_REPLACED));
	who_event_free(&event);
	run_while(place("replaced-and-gone"), replace, false, &event);
	assert_true(flags_of(&event, EXECUTABLE_DELETED));
	assert_true(flags_of(&event, EXECUTABLE_REPLACED));
	who_event_free(&event);
}

static void what_everybody_can_write_is_marked(void **state)
{
	static const struct {
		const char *name;
		mode_t directory, file;
		bool marked;
	} rows[] = {{"plain", 0755, 0755, false},
	            {"group", 0775, 0775, false},
	            {"open-directory", 0777, 0755, true},
	            {"sticky", 01777, 0755, true},
	            {"open-file", 0755, 0757, true}};

	(void)state;
	SKIP_BECAUSE(test.why_not);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char file[512];
		const struct who_run run = {.file = file};
		struct who_event event;
		const char *directory = place(rows[i].name);

		assert_int_equal(mkdir(directory, 0755), 0);
		assert_int_equal(chmod(directory, rows[i].directory), 0);
		(void)snprintf(file, sizeof(file), "%s/tool", directory);
		who_install(&test, file, rows[i].file);
		who_run_and_await(&test, &run, &event);
		assert_int_equal(flags_of(&event, EXECUTABLE_WORLD_WRITABLE) ? 1 : 0, rows[i].marked);
		who_event_free(&event);
	}
}

static void the_ledger_agrees(void **state)
{
	(void)state;
	SKIP_BECAUSE(test.why_not);
	who_ledger(&test);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(a_path_of_4096_bytes_comes_whole),
	        cmocka_unit_test(a_longer_path_is_cut_and_marked),
	        cmocka_unit_test(a_path_of_many_names_comes_whole),
	        cmocka_unit_test(a_path_goes_across_mounts),
	        cmocka_unit_test(a_chroot_is_seen_from_outside),
	        cmocka_unit_test(the_layer_of_an_overlay_is_told),
	        cmocka_unit_test(a_memfd_is_in_memory_only),
	        cmocka_unit_test(a_file_of_no_name_is_in_memory_only),
	        cmocka_unit_test(a_deleted_program_is_marked),
	        cmocka_unit_test(a_deleted_program_that_is_gone_is_marked),
	        cmocka_unit_test(what_everybody_can_write_is_marked),
	        cmocka_unit_test(the_ledger_agrees),
	};
	int failed;

	has_overlay = find_overlay();
	if (argc < 1 || who_start(&test, argv[0]))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	who_stop(&test);
	return failed;
}
