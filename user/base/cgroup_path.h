/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the path of a cgroup (version 2) says of the process in it. Those who place processes put names into it:
 *
 *   systemd           /system.slice/ssh.service, /user.slice/user-1000.slice/user@1000.service/app.slice/x.service
 *   Docker            /docker/ID, /system.slice/docker-ID.scope
 *   containerd        /kubepods.slice/.../cri-containerd-ID.scope, /.../kubepods-podUID.slice:cri-containerd:ID
 *   CRI-O, Podman     /.../crio-ID.scope, /machine.slice/libpod-ID.scope/container, /.../libpod-payload-ID
 *   Kubernetes        /kubepods/burstable/podUID/ID: the runtime does not show
 *   LXC               /lxc.payload.NAME, /lxc/NAME
 *   systemd-nspawn    /machine.slice/systemd-nspawn@NAME.service, /machine.slice/machine-NAME.scope
 *
 * How far it can be believed: the unit is that of the system's own service manager, the first below the slices, whose
 * name only root can give. What stands below it belongs to whoever the subtree was delegated to: a user can name a unit
 * of his own, and a container of his own, as he likes.
 */
#ifndef USER_BASE_CGROUP_PATH_H
#define USER_BASE_CGROUP_PATH_H

#include <stddef.h>

#include "user/base/process.h"

/*
 * Room for all texts of a path of this many bytes: a part of it is at most one of unit, user unit and slice, and a byte
 * of it at most in one of container id and pod uid. Five NULs.
 */
#define CGROUP_TEXTS_SIZE(length) (2 * (size_t)(length) + 5)

/*
 * path: from the root of the hierarchy, "/" first, any bytes. A path that does not begin with "/" has lost its
 * beginning: nothing is derived from it. Sets all of *ret but id: path is borrowed, the texts go to texts
 * (CGROUP_TEXTS_SIZE(strlen(path)) bytes, the caller's). Where containers stand in each other the innermost is told.
 */
void cgroup_path_parse(const char *path, char *texts, struct process_cgroup *ret);

#endif
