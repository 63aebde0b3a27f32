/* SPDX-License-Identifier: BSD-2-Clause */
/* Records as the kernel side makes them of a nginx that binds port 80: what damage begins with. */
#ifndef TESTS_FUZZ_SOUND_RECORDS_H
#define TESTS_FUZZ_SOUND_RECORDS_H

#include <linux/types.h>
#include <stddef.h>
#include <sys/socket.h>

#include "bpf/bindwatch.h"
#include "tests/fuzz/event.h"
#include "user/base/ipproto.h"

#define EXE       "/usr/sbin/nginx"
#define ARGUMENTS "nginx\0-g\0daemon off;"
#define CGROUP    "/system.slice/nginx.service"

struct sound_records {
	struct bw_socket socket;
	struct bw_process process;
	char texts[sizeof(EXE) - 1 + sizeof(ARGUMENTS) + sizeof(CGROUP) - 1];
};

static const struct sound_records sound = {
        .socket = {.header = {.version = BW_ABI_VERSION, .type = BW_RECORD_BIND, .size = sizeof(struct bw_socket)},
                   .cookie = 42,
                   .caller = BW_CALLER_PROCESS | BW_CALLER_CREDENTIALS,
                   .pid = 100,
                   .login_uid = BW_AUDIT_UNSET,
                   .netns_inode = FUZZ_HOST_NETNS,
                   .unprivileged_port_start = 1024,
                   .family = AF_INET,
                   .type = SOCK_STREAM,
                   .protocol = IPPROTO_TCP,
                   .bound_port = 80,
                   .hook = BW_HOOK_FEXIT_INET_BIND_SK,
                   .requested_len = 16,
                   .requested = {AF_INET, 0, 0, 80},
                   .comm = "nginx"},
        .process = {.header = {.version = BW_ABI_VERSION,
                               .type = BW_RECORD_PROCESS,
                               .size = sizeof(struct sound_records) - offsetof(struct sound_records, process)},
                    .inode = 4242,
                    .executable_flags = BW_EXECUTABLE_INODE,
                    .executable_known = BW_EXECUTABLE_INODE | BW_EXECUTABLE_DELETED | BW_EXECUTABLE_MEMFD,
                    .pid = 100,
                    .userns_inode = FUZZ_HOST_USERNS,
                    .mntns_inode = FUZZ_HOST_MNTNS,
                    .ancestors_count = 1,
                    .executable = {0, sizeof(EXE) - 1, BW_TEXT_KNOWN, 0},
                    .arguments = {sizeof(EXE) - 1, sizeof(ARGUMENTS), BW_TEXT_KNOWN, 0},
                    .cgroup = {sizeof(EXE) - 1 + sizeof(ARGUMENTS), sizeof(CGROUP) - 1, BW_TEXT_KNOWN, 0},
                    .comm = "nginx",
                    .ancestors = {{.pid = 1, .comm = "systemd", .executable = {0, 4, BW_TEXT_KNOWN, 0}}}},
        .texts = EXE ARGUMENTS "\0" CGROUP,
};

#endif
