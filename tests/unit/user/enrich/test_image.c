/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
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
#include "user/enrich/image.h"

#define HEX32 "0123456789abcdef0123456789abcdef"
#define ID    HEX32 HEX32
#define OTHER "f" HEX32 "0123456789abcdef0123456789abcde"

#define DOCKER  "/var/lib/docker/containers/" ID
#define TASK    "/run/containerd/io.containerd.runtime.v2.task/k8s.io/" ID
#define K3S     "/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/" ID
#define CRIO    "/run/containers/storage/overlay-containers/" ID "/userdata"
#define STORAGE "/var/lib/containers/storage/overlay-containers"
#define RUN     "/run/containers/storage/overlay-containers"

static char root[] = "/tmp/bindwatch-image-XXXXXX";

static int make_root(void **state)
{
	(void)state;
	memcpy(strrchr(root, '-'), "-XXXXXX", sizeof("-XXXXXX"));
	return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
	(void)state;
	tree_remove(root);
	return 0;
}

static void write_record(const char *directory, const char *name, const char *text)
{
	char path[PATH_MAX];
	struct stat there;

	if (stat(tree_path(root, directory), &there) != 0)
		tree_directory(root, directory);
	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	tree_file(root, path, text);
}

static void assert_image(enum container_runtime runtime, const char *id, const char *expected)
{
	char image[IMAGE_NAME_MAX] = "of before";
	bool found = image_find(root, runtime, id, image);

	if (found != (expected != NULL) || strcmp(image, expected ? expected : "of before") != 0)
		fail_msg("runtime %d, %s: %s, not %s", (int)runtime, id ? id : "no id", found ? image : "nothing",
		         expected ? expected : "nothing");
}

/* As each runtime writes it, cut down to a few of its fields. */
/* clang-format off */
static const struct {
	enum container_runtime runtime;
	const char *directory, *name, *text, *image;
} rows[] = {
	{RUNTIME_DOCKER, DOCKER, "config.v2.json",
	 "{\"State\":{\"Running\":true,\"Pid\":4711},\"ID\":\"" ID "\",\"Config\":{\"Hostname\":\"x\",\"Image\":\"nginx:1.27\"},"
	 "\"Image\":\"sha256:" ID "\"}", "nginx:1.27"},
	{RUNTIME_CONTAINERD, TASK, "config.json",
	 "{\"ociVersion\":\"1.1.0\",\"annotations\":{\"io.kubernetes.cri.container-type\":\"container\","
	 "\"io.kubernetes.cri.image-name\":\"registry.k8s.io/coredns/coredns:v1.11.1\"}}",
	 "registry.k8s.io/coredns/coredns:v1.11.1"},
	{RUNTIME_CONTAINERD, K3S, "config.json",
	 "{\"annotations\":{\"io.kubernetes.cri.image-name\":\"docker.io/rancher/klipper-lb:v0.4.7\"}}",
	 "docker.io/rancher/klipper-lb:v0.4.7"},
	{RUNTIME_CRIO, CRIO, "config.json",
	 "{\"annotations\":{\"io.kubernetes.cri-o.Image\":\"" ID "\",\"io.kubernetes.cri-o.ImageName\":\"quay.io/a/b@sha256:" ID "\"}}",
	 "quay.io/a/b@sha256:" ID},
	{RUNTIME_PODMAN, STORAGE, "containers.json",
	 "[{\"id\":\"" OTHER "\",\"metadata\":\"{\\\"image-name\\\":\\\"docker.io/library/other:1\\\"}\"},"
	 "{\"id\":\"" ID "\",\"names\":[\"web\"],\"image\":\"" ID "\","
	 "\"metadata\":\"{\\\"image-name\\\":\\\"docker.io/library/nginx:latest\\\",\\\"name\\\":\\\"web\\\"}\"}]",
	 "docker.io/library/nginx:latest"},
	{RUNTIME_PODMAN, STORAGE, "volatile-containers.json",
	 "[{\"id\":\"" ID "\",\"metadata\":\"{\\\"image-name\\\":\\\"localhost/a:1\\\"}\"}]", "localhost/a:1"},
	{RUNTIME_PODMAN, RUN, "volatile-containers.json",
	 "[{\"id\":\"" ID "\",\"metadata\":\"{\\\"image-name\\\":\\\"localhost/b:1\\\"}\"}]", "localhost/b:1"},
};
/* clang-format on */

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void image_of_each_runtime(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		assert_int_equal(make_root(NULL), 0);
		assert_image(rows[i].runtime, ID, NULL);
		write_record(rows[i].directory, rows[i].name, rows[i].text);
		assert_image(rows[i].runtime, ID, rows[i].image);
		/* a bare id, whose runtime does not show */
		assert_image(RUNTIME_UNKNOWN, ID, rows[i].image);
		/* of another container, and of another runtime: Docker keeps no list, and Podman's has only its own */
		assert_image(rows[i].runtime, "1" HEX32 "0123456789abcdef0123456789abcde", NULL);
		for (int runtime = RUNTIME_DOCKER; runtime < RUNTIMES; runtime++)
			if (runtime != (int)rows[i].runtime)
				assert_image((enum container_runtime)runtime, ID, NULL);
		tree_remove(root);
	}
	assert_int_equal(make_root(NULL), 0);
}

static void image_of_no_fit_id(void **state)
{
	static const char *const ids[] = {NULL,
	                                  "",
	                                  ".",
	                                  "..",
	                                  "../" HEX32 "0123456789abcdef0123456789abc",
	                                  "0123",
	                                  ID "0",
	                                  HEX32 "/123456789abcdef0123456789abcdef",
	                                  HEX32 "\n123456789abcdef0123456789abcdef",
	                                  HEX32 "A123456789abcdef0123456789abcdef",
	                                  "web"};

	(void)state;
	/* what such ids would lead to is there */
	write_record("/var/lib/docker/containers", "config.v2.json", rows[0].text);
	write_record("/var/lib/docker", "config.v2.json", rows[0].text);
	write_record("/var/lib/docker/containers/web", "config.v2.json", rows[0].text);
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		assert_false(image_is_recorded(RUNTIME_DOCKER, ids[i]));
		assert_image(RUNTIME_DOCKER, ids[i], NULL);
		assert_image(RUNTIME_UNKNOWN, ids[i], NULL);
	}
	assert_true(image_is_recorded(RUNTIME_DOCKER, ID));
	assert_true(image_is_recorded(RUNTIME_UNKNOWN, ID));
	assert_false(image_is_recorded(RUNTIME_LXC, ID));
	assert_false(image_is_recorded(RUNTIME_SYSTEMD_NSPAWN, ID));
	assert_false(image_is_recorded(RUNTIME_NONE, ID));
}

static void image_of_a_bad_record(void **state)
{
	/* clang-format off */
	static const char *const texts[] = {
		"", "{", "\xff\xfe", "null", "[]", "7", "\"Config\"", "{}", "{\"Config\":7}", "{\"Config\":null}",
		"{\"Config\":[\"Image\"]}", "{\"Config\":{}}", "{\"Config\":{\"Image\":7}}", "{\"Config\":{\"Image\":null}}",
		"{\"Config\":{\"Image\":[\"nginx\"]}}", "{\"Config\":{\"Image\":{\"a\":\"b\"}}}", "{\"Config\":{\"Image\":\"\"}}",
		"{\"Config\":{\"Image\":\"a b\"}}", "{\"Config\":{\"Image\":\"\\u001b[2J\"}}", "{\"Config\":{\"Image\":\"a\\nb\"}}",
		"{\"Config\":{\"Image\":\"a\\u0000b\"}}", "{\"Config\":{\"Image\":\"caf\xc3\xa9\"}}",
		"{\"Config\":{\"Image\":\"\xff\"}}", "{\"Config\":{\"Image\":\"nginx\"}", "{\"Config\":{\"Image\":\"nginx\"}} x",
		"{\"Image\":\"nginx\"}", "{\"config\":{\"Image\":\"nginx\"}}",
	};
	static const char *const lists[] = {
		"{}", "[7]", "[null,[],{}]", "[{\"id\":\"" ID "\"}]", "[{\"id\":7,\"metadata\":\"{}\"}]",
		"[{\"id\":\"" ID "\",\"metadata\":{\"image-name\":\"nginx\"}}]", "[{\"id\":\"" ID "\",\"metadata\":\"\"}]",
		"[{\"id\":\"" ID "\",\"metadata\":\"{\"}]", "[{\"id\":\"" ID "\",\"metadata\":\"[]\"}]",
		"[{\"id\":\"" ID "\",\"metadata\":\"{\\\"image-name\\\":7}\"}]",
		"{\"" ID "\":{\"id\":\"" ID "\",\"metadata\":\"{\\\"image-name\\\":\\\"nginx\\\"}\"}}",
	};
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		write_record(DOCKER, "config.v2.json", texts[i]);
		assert_image(RUNTIME_DOCKER, ID, NULL);
	}
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		write_record(STORAGE, "containers.json", lists[i]);
		assert_image(RUNTIME_PODMAN, ID, NULL);
	}
}

/* A million levels, on the small stack that a thread may have. */
static void image_of_a_deep_record(void **state)
{
	const size_t levels = 1000000;
	char *text = malloc(levels + 1);

	(void)state;
	assert_non_null(text);
	memset(text, '[', levels);
	text[levels] = '\0';
	write_record(DOCKER, "config.v2.json", text);
	assert_image(RUNTIME_DOCKER, ID, NULL);
	free(text);
}

static void remake(const char *name)
{
	assert_int_equal(unlink(tree_path(root, name)), 0);
}

static void image_of_no_file(void **state)
{
	static const char name[] = DOCKER "/config.v2.json";

	(void)state;
	write_record("/elsewhere", "config.v2.json", rows[0].text);
	write_record(DOCKER, "config.v2.json", rows[0].text);
	assert_image(RUNTIME_DOCKER, ID, "nginx:1.27");
	remake(name);
	tree_link(root, name, tree_path(root, "/elsewhere/config.v2.json"));
	assert_image(RUNTIME_DOCKER, ID, NULL);
	remake(name);
	/* a pipe that nobody writes to: it would be waited for, for ever */
	assert_int_equal(mkfifo(tree_path(root, name), 0600), 0);
	assert_image(RUNTIME_DOCKER, ID, NULL);
	remake(name);
	assert_int_equal(mkdir(tree_path(root, name), 0700), 0);
	assert_image(RUNTIME_DOCKER, ID, NULL);
	assert_int_equal(rmdir(tree_path(root, name)), 0);
	write_record(DOCKER, "config.v2.json", rows[0].text);
	assert_image(RUNTIME_DOCKER, ID, "nginx:1.27");
}

/* Blanks behind it, which JSON allows. */
static void fill_up(const char *name, off_t size)
{
	char blanks[65536];
	int fd = open(tree_path(root, name), O_WRONLY | O_APPEND | O_CLOEXEC);
	struct stat file;

	assert_true(fd >= 0);
	memset(blanks, ' ', sizeof(blanks));
	for (assert_int_equal(fstat(fd, &file), 0); file.st_size < size; assert_int_equal(fstat(fd, &file), 0)) {
		size_t left = (size_t)(size - file.st_size);

		assert_true(write(fd, blanks, left < sizeof(blanks) ? left : sizeof(blanks)) > 0);
	}
	(void)close(fd);
}

static void image_of_a_long_record(void **state)
{
	static const char name[] = DOCKER "/config.v2.json";

	(void)state;
	write_record(DOCKER, "config.v2.json", rows[0].text);
	fill_up(name, IMAGE_RECORD_BYTES_MAX);
	assert_image(RUNTIME_DOCKER, ID, "nginx:1.27");
	fill_up(name, IMAGE_RECORD_BYTES_MAX + 1);
	assert_image(RUNTIME_DOCKER, ID, NULL);
	assert_int_equal(truncate(tree_path(root, name), 100 << 20), 0);
	assert_image(RUNTIME_DOCKER, ID, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(image_of_each_runtime, make_root, remove_root),
	        cmocka_unit_test_setup_teardown(image_of_no_fit_id, make_root, remove_root),
	        cmocka_unit_test_setup_teardown(image_of_a_bad_record, make_root, remove_root),
	        cmocka_unit_test_setup_teardown(image_of_a_deep_record, make_root, remove_root),
	        cmocka_unit_test_setup_teardown(image_of_no_file, make_root, remove_root),
	        cmocka_unit_test_setup_teardown(image_of_a_long_record, make_root, remove_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
