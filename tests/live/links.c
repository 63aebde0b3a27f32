/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/live/links.h"

#include <dirent.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#define IDS_MAX 64

/* The numbers behind this key. */
static size_t ids_of(pid_t pid, const char *key, uint32_t ids[IDS_MAX])
{
	char path[300], line[128];
	struct dirent *entry;
	size_t count = 0;
	DIR *directory;

	(void)snprintf(path, sizeof(path), "/proc/%d/fdinfo", pid);
	directory = opendir(path);
	while (directory && (entry = readdir(directory))) {
		FILE *file;

		(void)snprintf(path, sizeof(path), "/proc/%d/fdinfo/%s", pid, entry->d_name);
		file = entry->d_name[0] == '.' ? NULL : fopen(path, "re");
		while (file && fgets(line, sizeof(line), file) && count < IDS_MAX) {
			if (strncmp(line, key, strlen(key)) == 0)
				ids[count++] = (uint32_t)strtoul(line + strlen(key), NULL, 10);
		}
		if (file)
			(void)fclose(file);
	}
	if (directory)
		closedir(directory);
	return count;
}

bool links_detach(pid_t pid, enum bpf_attach_type type)
{
	uint32_t ids[IDS_MAX];
	size_t count = ids_of(pid, "link_id:", ids);
	bool done = false;

	for (size_t i = 0; i < count && !done; i++) {
		struct bpf_link_info info = {0};
		__u32 size = sizeof(info);
		int fd = bpf_link_get_fd_by_id(ids[i]);

		if (fd < 0)
			continue;
		if (bpf_obj_get_info_by_fd(fd, &info, &size) == 0 && info.type == BPF_LINK_TYPE_CGROUP &&
		    info.cgroup.cgroup_id && info.cgroup.attach_type == type)
			done = bpf_link_detach(fd) == 0;
		close(fd);
	}
	return done;
}

int links_map(pid_t pid, const char *name)
{
	uint32_t ids[IDS_MAX];
	size_t count = ids_of(pid, "map_id:", ids);

	for (size_t i = 0; i < count; i++) {
		struct bpf_map_info info = {0};
		__u32 size = sizeof(info);
		int fd = bpf_map_get_fd_by_id(ids[i]);

		if (fd < 0)
			continue;
		if (bpf_obj_get_info_by_fd(fd, &info, &size) == 0 && strcmp(info.name, name) == 0)
			return fd;
		close(fd);
	}
	return -1;
}
