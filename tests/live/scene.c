/* SPDX-License-Identifier: BSD-2-Clause */
/* Binds that are made and written down as the kernel answered them. */
#include "tests/live/live.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/base/number.h"

int scene_enter_namespace(void)
{
	struct ifreq request = {.ifr_name = "lo"};
	int result = 0;
	int fd;

	if (unshare(CLONE_NEWNET))
		return -errno;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	request.ifr_flags = IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &request))
		result = -errno;
	close(fd);
	return result;
}

unsigned int scene_namespace(void)
{
	struct stat namespace;

	return stat("/proc/thread-self/ns/net", &namespace) ? 0 : (unsigned int)namespace.st_ino;
}

static unsigned int pid_namespace(void)
{
	struct stat namespace;

	return stat("/proc/self/ns/pid", &namespace) ? 0 : (unsigned int)namespace.st_ino;
}

int scene_sysctl(const char *path, const char *value)
{
	char name[128];
	int result = 0;
	int fd;

	(void)snprintf(name, sizeof(name), "/proc/sys/%s", path);
	fd = open(name, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		result = -errno;
	close(fd);
	return result;
}

struct scene *scene_new(void)
{
	void *memory = mmap(NULL, sizeof(struct scene), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

void scene_free(struct scene *scene)
{
	if (scene)
		munmap(scene, sizeof(*scene));
}

void scene_clear(struct scene *scene)
{
	memset(scene, 0, sizeof(*scene));
}

static int int_option(int fd, int level, int name)
{
	socklen_t length = sizeof(int);
	int value = 0;

	return getsockopt(fd, level, name, &value, &length) ? 0 : value;
}

static unsigned int unprivileged_port_start(void)
{
	char text[16] = "";
	uint64_t value = 0;
	int fd = open("/proc/sys/net/ipv4/ip_unprivileged_port_start", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) > 0) {
		text[strcspn(text, "\n")] = '\0';
		(void)number_parse(text, 0, 65536, &value);
	}
	close(fd);
	return (unsigned int)value;
}

static int64_t wall_clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

struct bind_record *scene_before(struct scene *scene, int fd, const void *address, socklen_t length)
{
	static struct bind_record nowhere; /* more records than a scene holds: scene_compare() says so */
	unsigned int index = scene->used++;
	struct bind_record *record = index < SCENE_RECORDS ? &scene->records[index] : &nowhere;

	*record = (struct bind_record){.pid = getpid(), .tid = (pid_t)syscall(SYS_gettid)};
	record->uid = getuid();
	record->gid = getgid();
	prctl(PR_GET_NAME, record->comm);
	record->domain = int_option(fd, SOL_SOCKET, SO_DOMAIN);
	record->type = int_option(fd, SOL_SOCKET, SO_TYPE);
	record->protocol = int_option(fd, SOL_SOCKET, SO_PROTOCOL);
	record->netns = scene_namespace();
	record->pidns_pid = record->pid;
	record->pidns_inode = pid_namespace();
	record->unprivileged_port_start = unprivileged_port_start();
	record->asked_len = length;
	if (length <= sizeof(record->asked))
		memcpy(&record->asked, address, length);
	record->before_ns = wall_clock_ns();
	return record;
}

void scene_after(struct bind_record *record, int fd, int error)
{
	socklen_t length = sizeof(record->got);

	record->after_ns = wall_clock_ns();
	record->error = error;
	(void)getsockname(fd, (struct sockaddr *)&record->got, &length);
	length = sizeof(record->cookie);
	(void)getsockopt(fd, SOL_SOCKET, SO_COOKIE, &record->cookie, &length);
	length = sizeof(record->device);
	(void)getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, record->device, &length);
	record->device_index = record->device[0] ? if_nametoindex(record->device) : 0;
	record->reuseaddr = int_option(fd, SOL_SOCKET, SO_REUSEADDR);
	record->reuseport = int_option(fd, SOL_SOCKET, SO_REUSEPORT);
	if (record->domain == AF_INET6) {
		record->v6only = int_option(fd, IPPROTO_IPV6, IPV6_V6ONLY);
		record->freebind = int_option(fd, IPPROTO_IPV6, IPV6_FREEBIND);
		record->transparent = int_option(fd, IPPROTO_IPV6, IPV6_TRANSPARENT);
	} else {
		record->freebind = int_option(fd, IPPROTO_IP, IP_FREEBIND);
		record->transparent = int_option(fd, IPPROTO_IP, IP_TRANSPARENT);
	}
}

int scene_bind(struct scene *scene, int fd, const void *address, socklen_t length)
{
	struct bind_record *record = scene_before(scene, fd, address, length);
	int error = bind(fd, address, length) ? errno : 0;

	scene_after(record, fd, error);
	return -error;
}

void scene_quiet(struct scene *scene)
{
	unsigned int index = scene->quiet_used++;

	if (index < SCENE_RECORDS)
		scene->quiet[index] = getpid();
}

int scene_child(void (*body)(struct scene *scene, void *context), struct scene *scene, void *context)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		body(scene, context);
		_exit(0);
	}
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -ECHILD;
}

socklen_t scene_address(const char *text, uint16_t port, struct sockaddr_storage *ret)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;

	*ret = (struct sockaddr_storage){0};
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		return sizeof(*v4);
	}
	if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
		return sizeof(*v6);
	}
	return 0;
}

int live_bind_ports(int domain, int type, const uint16_t *ports, size_t count)
{
	struct sockaddr_storage address;
	int result = 0;

	for (size_t i = 0; i < count && !result; i++) {
		socklen_t length = scene_address(domain == AF_INET6 ? "::1" : "127.0.0.1", ports[i], &address);
		int fd = socket(domain, type | SOCK_CLOEXEC, 0);

		if (fd < 0 || bind(fd, (struct sockaddr *)&address, length))
			result = -errno;
		if (fd >= 0)
			close(fd);
	}
	return result;
}

int scene_socket(struct scene *scene, int domain, int type, int protocol, const char *address, uint16_t port)
{
	struct sockaddr_storage storage;
	socklen_t length = scene_address(address, port, &storage);
	int fd = socket(domain, type | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		return -errno;
	(void)scene_bind(scene, fd, &storage, length);
	return fd;
}
