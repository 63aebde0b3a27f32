/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "user/base/cgroup_path.h"

/* A path as long as the longest file name of Linux, and half as long again. */
#define LONG_PATH 6144

#define ID    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define POD   "6d0bd9f2-9a3e-4c5b-8f1d-2e3c4b5a6978"
#define POD_  "6d0bd9f2_9a3e_4c5b_8f1d_2e3c4b5a6978"
#define HASH  "0123456789abcdef0123456789abcdef"
#define KUBE  "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" POD_ ".slice/"
#define USER  "/user.slice/user-1000.slice/user@1000.service/"

struct row {
	const char *path, *unit, *slice, *user_unit;
	enum container_runtime runtime;
	const char *container, *pod;
};

/* clang-format off */
static const struct row table[] = {
	/* systemd */
	{"/", NULL, NULL, NULL, RUNTIME_NONE, NULL, NULL},
	{"/init.scope", "init.scope", NULL, NULL, RUNTIME_NONE, NULL, NULL},
	{"/system.slice", NULL, "system.slice", NULL, RUNTIME_NONE, NULL, NULL},
	{"/system.slice/ssh.service", "ssh.service", "system.slice", NULL, RUNTIME_NONE, NULL, NULL},
	{"/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service", "system-getty.slice", NULL,
	 RUNTIME_NONE, NULL, NULL},
	{"/system.slice/system-postgresql.slice/postgresql@15-main.service", "postgresql@15-main.service",
	 "system-postgresql.slice", NULL, RUNTIME_NONE, NULL, NULL},
	{"/system.slice/system-x\\x2dy.slice/x\\x2dy@1.service", "x\\x2dy@1.service", "system-x\\x2dy.slice", NULL,
	 RUNTIME_NONE, NULL, NULL},
	{"/system.slice/docker.socket", "docker.socket", "system.slice", NULL, RUNTIME_NONE, NULL, NULL},
	{"/system.slice/home.mount", "home.mount", "system.slice", NULL, RUNTIME_NONE, NULL, NULL},
	{"/system.slice/_cpu.service", "cpu.service", "system.slice", NULL, RUNTIME_NONE, NULL, NULL},
	{"/system.slice/web.service/worker", "web.service", "system.slice", NULL, RUNTIME_NONE, NULL, NULL},
	{"//system.slice//ssh.service/", "ssh.service", "system.slice", NULL, RUNTIME_NONE, NULL, NULL},
	{"/user.slice/user-1000.slice/session-3.scope", "session-3.scope", "user-1000.slice", NULL, RUNTIME_NONE,
	 NULL, NULL},
	{USER "app.slice/x.service", "user@1000.service", "user-1000.slice", "x.service", RUNTIME_NONE, NULL, NULL},
	{USER "init.scope", "user@1000.service", "user-1000.slice", "init.scope", RUNTIME_NONE, NULL, NULL},
	{USER "app.slice/app-org.gnome.Terminal.slice/vte-spawn-1.scope", "user@1000.service", "user-1000.slice",
	 "vte-spawn-1.scope", RUNTIME_NONE, NULL, NULL},
	/* names that somebody to whom a subtree was delegated gave */
	{USER "app.slice/ssh.service", "user@1000.service", "user-1000.slice", "ssh.service", RUNTIME_NONE, NULL, NULL},
	{USER "x/ssh.service", "user@1000.service", "user-1000.slice", NULL, RUNTIME_NONE, NULL, NULL},
	{"/system.slice/web.service/system.slice/ssh.service", "web.service", "system.slice", NULL, RUNTIME_NONE,
	 NULL, NULL},
	{"/x/system.slice/ssh.service", NULL, NULL, NULL, RUNTIME_NONE, NULL, NULL},
	/* Docker */
	{"/docker/" ID, NULL, NULL, NULL, RUNTIME_DOCKER, ID, NULL},
	{"/docker/" ID "/init", NULL, NULL, NULL, RUNTIME_DOCKER, ID, NULL},
	{"/system.slice/docker-" ID ".scope", "docker-" ID ".scope", "system.slice", NULL, RUNTIME_DOCKER, ID, NULL},
	{"/system.slice/docker-" ID ".scope/system.slice/nginx.service", "docker-" ID ".scope", "system.slice", NULL,
	 RUNTIME_DOCKER, ID, NULL},
	{"/docker/" ID "/docker/" OTHER, NULL, NULL, NULL, RUNTIME_DOCKER, OTHER, NULL},
	{"/docker/buildx", NULL, NULL, NULL, RUNTIME_NONE, NULL, NULL},
	{"/docker", NULL, NULL, NULL, RUNTIME_NONE, NULL, NULL},
	/* Kubernetes, with containerd, CRI-O and what does not show */
	{KUBE "cri-containerd-" ID ".scope", "cri-containerd-" ID ".scope", "kubepods-burstable-pod" POD_ ".slice", NULL,
	 RUNTIME_CONTAINERD, ID, POD},
	{KUBE "crio-" ID ".scope", "crio-" ID ".scope", "kubepods-burstable-pod" POD_ ".slice", NULL, RUNTIME_CRIO, ID,
	 POD},
	{KUBE "crio-" ID ".scope/container", "crio-" ID ".scope", "kubepods-burstable-pod" POD_ ".slice", NULL,
	 RUNTIME_CRIO, ID, POD},
	{KUBE "crio-conmon-" ID ".scope", "crio-conmon-" ID ".scope", "kubepods-burstable-pod" POD_ ".slice", NULL,
	 RUNTIME_NONE, NULL, POD},
	{KUBE "docker-" ID ".scope", "docker-" ID ".scope", "kubepods-burstable-pod" POD_ ".slice", NULL, RUNTIME_DOCKER,
	 ID, POD},
	{"/kubepods.slice/kubepods-pod" POD_ ".slice", NULL, "kubepods-pod" POD_ ".slice", NULL, RUNTIME_NONE, NULL, POD},
	{"/kubepods.slice/kubepods-pod" HASH ".slice/cri-containerd-" ID ".scope", "cri-containerd-" ID ".scope",
	 "kubepods-pod" HASH ".slice", NULL, RUNTIME_CONTAINERD, ID, HASH},
	{"/kubepods/besteffort/pod" POD "/" ID, NULL, NULL, NULL, RUNTIME_UNKNOWN, ID, POD},
	{"/kubepods/pod" POD "/" ID "/system.slice/x.service", NULL, NULL, NULL, RUNTIME_UNKNOWN, ID, POD},
	{"/kubepods/burstable/pod" POD "/crio-" ID, NULL, NULL, NULL, RUNTIME_CRIO, ID, POD},
	{"/system.slice/containerd.service/kubepods-besteffort-pod" POD_ ".slice:cri-containerd:" ID,
	 "containerd.service", "system.slice", NULL, RUNTIME_CONTAINERD, ID, POD},
	{"/system.slice/kubepods-pod" POD ".slice:cri-containerd:" ID, NULL, "system.slice", NULL, RUNTIME_CONTAINERD, ID,
	 NULL},
	{"/docker/" OTHER "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod" POD_ ".slice/cri-containerd-" ID
	 ".scope", NULL, NULL, NULL, RUNTIME_CONTAINERD, ID, POD},
	{"/kubepods/burstable/pod" POD, NULL, NULL, NULL, RUNTIME_NONE, NULL, POD},
	{"/kubepods/burstable/pod" POD_, NULL, NULL, NULL, RUNTIME_NONE, NULL, NULL},
	{"/kubepods/burstable/pod" POD "0", NULL, NULL, NULL, RUNTIME_NONE, NULL, NULL},
	{"/kubepods/podracer", NULL, NULL, NULL, RUNTIME_NONE, NULL, NULL},
	{"/default/" ID, NULL, NULL, NULL, RUNTIME_UNKNOWN, ID, NULL},
	{"/system.slice/nerdctl-" ID ".scope", "nerdctl-" ID ".scope", "system.slice", NULL, RUNTIME_CONTAINERD, ID,
	 NULL},
	{"/system.slice:docker:" ID, NULL, NULL, NULL, RUNTIME_DOCKER, ID, NULL},
	/* Podman */
	{"/machine.slice/libpod-" ID ".scope", "libpod-" ID ".scope", "machine.slice", NULL, RUNTIME_PODMAN, ID, NULL},
	{"/machine.slice/libpod-" ID ".scope/container", "libpod-" ID ".scope", "machine.slice", NULL, RUNTIME_PODMAN, ID,
	 NULL},
	{"/machine.slice/libpod-conmon-" ID ".scope", "libpod-conmon-" ID ".scope", "machine.slice", NULL, RUNTIME_NONE,
	 NULL, NULL},
	{USER "user.slice/libpod-" ID ".scope/container", "user@1000.service", "user-1000.slice", "libpod-" ID ".scope",
	 RUNTIME_PODMAN, ID, NULL},
	{"/system.slice/web.service/libpod-payload-" ID, "web.service", "system.slice", NULL, RUNTIME_PODMAN, ID, NULL},
	{"/libpod_parent/libpod-" ID, NULL, NULL, NULL, RUNTIME_PODMAN, ID, NULL},
	/* LXC */
	{"/lxc/web", NULL, NULL, NULL, RUNTIME_LXC, "web", NULL},
	{"/lxc/101/ns/system.slice/ssh.service", NULL, NULL, NULL, RUNTIME_LXC, "101", NULL},
	{"/lxc.payload.web", NULL, NULL, NULL, RUNTIME_LXC, "web", NULL},
	{"/lxc.payload.web-1.a_b/init.scope", NULL, NULL, NULL, RUNTIME_LXC, "web-1.a_b", NULL},
	{"/lxc.payload/web/x", NULL, NULL, NULL, RUNTIME_LXC, "web", NULL},
	{"/lxc.monitor.web", NULL, NULL, NULL, RUNTIME_NONE, NULL, NULL},
	{"/lxc.monitor/web", NULL, NULL, NULL, RUNTIME_NONE, NULL, NULL},
	{"/lxc.payload.", NULL, NULL, NULL, RUNTIME_NONE, NULL, NULL},
	{"/lxc.payload.we\x1b", NULL, NULL, NULL, RUNTIME_NONE, NULL, NULL},
	{"/lxc.payload.web/docker/" ID, NULL, NULL, NULL, RUNTIME_DOCKER, ID, NULL},
	/* systemd-nspawn, and libvirt, which is of the same slice */
	{"/machine.slice/systemd-nspawn@web-1.service/payload/system.slice/x.service", "systemd-nspawn@web-1.service",
	 "machine.slice", NULL, RUNTIME_SYSTEMD_NSPAWN, "web-1", NULL},
	{"/machine.slice/machine-web\\x2d1\\x2dx.scope", "machine-web\\x2d1\\x2dx.scope", "machine.slice", NULL,
	 RUNTIME_SYSTEMD_NSPAWN, "web-1-x", NULL},
	{"/machine.slice/machine-qemu\\x2d1\\x2dvm.scope", "machine-qemu\\x2d1\\x2dvm.scope", "machine.slice", NULL,
	 RUNTIME_NONE, NULL, NULL},
	{"/machine.slice/machine-lxc\\x2d12\\x2dc.scope", "machine-lxc\\x2d12\\x2dc.scope", "machine.slice", NULL,
	 RUNTIME_UNKNOWN, "lxc\\x2d12\\x2dc", NULL},
	{"/system.slice/machine-web.scope", "machine-web.scope", "system.slice", NULL, RUNTIME_NONE, NULL, NULL},
	/* nothing */
	{"", NULL, NULL, NULL, RUNTIME_NONE, NULL, NULL},
	{"system.slice/ssh.service", NULL, NULL, NULL, RUNTIME_NONE, NULL, NULL},
	{"...ice/docker/" ID, NULL, NULL, NULL, RUNTIME_NONE, NULL, NULL},
	{"/.service", NULL, NULL, NULL, RUNTIME_NONE, NULL, NULL},
	{"/.slice/a.service", NULL, NULL, NULL, RUNTIME_NONE, NULL, NULL},
	{"/system.slice/a b.service", NULL, "system.slice", NULL, RUNTIME_NONE, NULL, NULL},
	{"/system.slice/a\n.service", NULL, "system.slice", NULL, RUNTIME_NONE, NULL, NULL},
	{"/system.slice/\xff\xfe.service", NULL, "system.slice", NULL, RUNTIME_NONE, NULL, NULL},
	{"/system.slice/ssh.service (deleted)", NULL, "system.slice", NULL, RUNTIME_NONE, NULL, NULL},
	{"/docker-" ID "0", NULL, NULL, NULL, RUNTIME_NONE, NULL, NULL},
	{"/docker/0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef", NULL, NULL, NULL, RUNTIME_NONE, NULL,
	 NULL},
	{"/xdocker-" ID, NULL, NULL, NULL, RUNTIME_NONE, NULL, NULL},
	{"/-" ID, NULL, NULL, NULL, RUNTIME_NONE, NULL, NULL},
	{"/:" ID, NULL, NULL, NULL, RUNTIME_NONE, NULL, NULL},
};
/* clang-format on */

static void assert_text(const struct row *row, const char *what, const char *given, const char *expected)
{
	if ((given == NULL) != (expected == NULL) || (given && strcmp(given, expected) != 0))
		fail_msg("%s: %s is %s, not %s", row->path, what, given ? given : "none", expected ? expected : "none");
}

/* As small as the contract allows: AddressSanitizer sees a byte too many. */
static void cgroup_paths(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct row *row = &table[i];
		struct process_cgroup cgroup = {.id = 7, .container_id = "of before", .unit = "of before"};
		char *texts = malloc(CGROUP_TEXTS_SIZE(strlen(row->path)));

		assert_non_null(texts);
		cgroup_path_parse(row->path, texts, &cgroup);
		assert_int_equal(cgroup.id, 7);
		assert_ptr_equal(cgroup.path, row->path);
		assert_text(row, "unit", cgroup.unit, row->unit);
		assert_text(row, "slice", cgroup.slice, row->slice);
		assert_text(row, "user unit", cgroup.user_unit, row->user_unit);
		assert_text(row, "container", cgroup.container_id, row->container);
		assert_text(row, "pod", cgroup.pod_uid, row->pod);
		if (cgroup.runtime != row->runtime)
			fail_msg("%s: runtime %d, not %d", row->path, (int)cgroup.runtime, (int)row->runtime);
		free(texts);
	}
}

static size_t length_of(const char *text)
{
	return text ? strlen(text) + 1 : 0;
}

/* Whatever the bytes, no text is longer than the contract says, and none holds a byte that is not of such a name. */
static void cgroup_paths_of_any_bytes(void **state)
{
	static const char *const pieces[] = {"/",
	                                     "docker",
	                                     "-",
	                                     ":",
	                                     ID,
	                                     ".scope",
	                                     "system.slice",
	                                     "user@1.service",
	                                     "_",
	                                     ".slice",
	                                     "pod" POD,
	                                     "pod" POD_,
	                                     "lxc",
	                                     "lxc.payload.",
	                                     "machine-",
	                                     "\\x2d",
	                                     "\\x",
	                                     "machine.slice",
	                                     "\xff",
	                                     "\n",
	                                     "libpod-",
	                                     "a",
	                                     "@",
	                                     ".service"};
	static char path[LONG_PATH + 128], texts[CGROUP_TEXTS_SIZE(LONG_PATH + 128)];

	(void)state;
	srandom(6);
	for (unsigned int round = 0; round < 20000; round++) {
		struct process_cgroup cgroup = {.id = 0};
		size_t used = 1, wanted = (size_t)random() % (round % 100 ? 300 : LONG_PATH);
		const char *texts_of[5];

		memcpy(path, "/", 2);
		while (used < wanted) {
			const char *piece = pieces[(size_t)random() % (sizeof(pieces) / sizeof(pieces[0]))];

			memcpy(path + used, piece, strlen(piece) + 1);
			used += strlen(piece);
		}
		cgroup_path_parse(path, texts, &cgroup);
		texts_of[0] = cgroup.unit, texts_of[1] = cgroup.slice, texts_of[2] = cgroup.user_unit;
		texts_of[3] = cgroup.container_id, texts_of[4] = cgroup.pod_uid;
		used = 0;
		for (size_t i = 0; i < 5; i++) {
			used += length_of(texts_of[i]);
			for (const char *c = texts_of[i]; c && *c; c++)
				assert_true(*c > ' ' && *c < 0x7f && *c != '/');
		}
		assert_true(used <= CGROUP_TEXTS_SIZE(strlen(path)));
	}
}

/* No cgroup has such a name: the path is not one of the kernel's. */
static void cgroup_part_too_long(void **state)
{
	static char path[LONG_PATH], texts[CGROUP_TEXTS_SIZE(LONG_PATH)];
	struct process_cgroup cgroup = {.id = 0};

	(void)state;
	memset(path, 'a', 300);
	path[0] = '/';
	memcpy(path + 300, ".service", sizeof(".service"));
	cgroup_path_parse(path, texts, &cgroup);
	assert_null(cgroup.unit);
	memcpy(path + 248, ".service", sizeof(".service"));
	cgroup_path_parse(path, texts, &cgroup);
	assert_string_equal(cgroup.unit, path + 1);
	memcpy(path + 249, ".service", sizeof(".service"));
	cgroup_path_parse(path, texts, &cgroup);
	assert_null(cgroup.unit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(cgroup_paths),
	        cmocka_unit_test(cgroup_paths_of_any_bytes),
	        cmocka_unit_test(cgroup_part_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
