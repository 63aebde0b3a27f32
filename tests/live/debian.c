/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/live/debian.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* how long a server may take to end before it is killed */
#define STOP_MS 10000

#define DIRECTORY DEBIAN_FOLDER

/* clang-format off */
const struct debian_server debian_servers[] = {
	{
		.name = "sshd", .path = "/usr/sbin/sshd", .executable = "/usr/*bin/sshd",
		.configuration = "HostKey " DIRECTORY "/key\nPidFile none\nUsePAM no\n",
		.prepare = "mkdir -p /run/sshd && ssh-keygen -q -t ed25519 -N '' -f key",
		.arguments = {"-D", "-e", "-f", DIRECTORY "/sshd.conf"},
		.ports = {{"tcp", 22}},
	},
	{
		.name = "nginx", .path = "/usr/sbin/nginx", .executable = "/usr/*bin/nginx",
		.configuration = "daemon off;\nuser www-data;\npid " DIRECTORY "/nginx.pid;\nerror_log stderr;\nevents {}\n"
			"http {\naccess_log off;\nclient_body_temp_path " DIRECTORY "/body;\nproxy_temp_path " DIRECTORY "/proxy;\n"
			"fastcgi_temp_path " DIRECTORY "/fastcgi;\nuwsgi_temp_path " DIRECTORY "/uwsgi;\n"
			"scgi_temp_path " DIRECTORY "/scgi;\nserver {\nlisten 80;\nlisten [::]:80;\nlisten 192.0.2.1:443;\n}\n}\n",
		.arguments = {"-e", "stderr", "-c", DIRECTORY "/nginx.conf"},
		.ports = {{"tcp", 80}, {"tcp", 443}},
	},
	{
		.name = "postgresql", .path = "/usr/lib/postgresql/*/bin/postgres", .user = "postgres",
		.executable = "/usr/lib/postgresql/*/bin/postgres",
		.prepare = "mkdir pg && chown postgres pg && setpriv --reuid=postgres --regid=postgres --clear-groups "
			"/usr/lib/postgresql/*/bin/initdb -D pg -N --auth=trust >initdb.log",
		.arguments = {"-D", DIRECTORY "/pg", "-c", "listen_addresses=*", "-c", "unix_socket_directories=" DIRECTORY "/pg",
			"-c", "fsync=off"},
		.ports = {{"tcp", 5432}},
	},
	{
		.name = "redis", .path = "/usr/bin/redis-server", .executable = "/usr/bin/redis-*",
		.arguments = {"--port", "6379", "--bind", "*", "--protected-mode", "no", "--save", "", "--dir", DIRECTORY},
		.ports = {{"tcp", 6379}},
	},
	{
		.name = "rsyslog", .path = "/usr/sbin/rsyslogd", .executable = "/usr/*bin/rsyslogd",
		.configuration = "module(load=\"imudp\")\ninput(type=\"imudp\" port=\"514\")\nmodule(load=\"imtcp\")\n"
			"input(type=\"imtcp\" port=\"514\")\n*.* " DIRECTORY "/log\n",
		.arguments = {"-n", "-iNONE", "-f", DIRECTORY "/rsyslog.conf"},
		.ports = {{"udp", 514}, {"tcp", 514}},
	},
	{
		/* -x: the clock is not its own here */
		.name = "chrony", .path = "/usr/sbin/chronyd", .executable = "/usr/*bin/chronyd",
		.configuration = "local stratum 10\nallow\nbindcmdaddress 127.0.0.1\nbindcmdaddress /\n"
			"pidfile " DIRECTORY "/chrony.pid\nuser root\n",
		.arguments = {"-x", "-d", "-f", DIRECTORY "/chrony.conf"},
		.ports = {{"udp", 123}, {"udp", 323}},
	},
	{
		.name = "unbound", .path = "/usr/sbin/unbound", .executable = "/usr/*bin/unbound",
		.configuration = "server:\n interface: 0.0.0.0\n interface: ::0\n username: \"\"\n chroot: \"\"\n"
			" directory: \"" DIRECTORY "\"\n pidfile: \"\"\n do-daemonize: no\n use-syslog: no\n"
			"remote-control:\n control-enable: yes\n control-use-cert: no\n control-interface: 192.0.2.1\n",
		.arguments = {"-d", "-c", DIRECTORY "/unbound.conf"},
		.ports = {{"udp", 53}, {"tcp", 53}, {"tcp", 8953}},
	},
	{
		.name = "exim", .path = "/usr/sbin/exim4", .executable = "/usr/*bin/exim4",
		.configuration = "primary_hostname = host.example\nspool_directory = " DIRECTORY "/spool\n"
			"log_file_path = " DIRECTORY "/spool/%slog\npid_file_path = " DIRECTORY "/exim.pid\n"
			"daemon_smtp_ports = 25 : 587\nkeep_environment =\n",
		.prepare = "mkdir spool && chown Debian-exim spool",
		.arguments = {"-bdf", "-C", DIRECTORY "/exim.conf"},
		.ports = {{"tcp", 25}, {"tcp", 587}},
	},
};
/* clang-format on */

const size_t debian_servers_count = sizeof(debian_servers) / sizeof(debian_servers[0]);

/*
 * $1: the folder that `packaging/deps programs` filled, "" where there is none. Users that the installation of a
 * package would have made are added to copies of the machine's own; rules of the machine's own are out of sight.
 */
static const char setup[] =
        "set -e\n"
        "[ -z \"$1\" ] || mount -t overlay overlay -o \"lowerdir=$1/usr:/usr\" /usr || "
        "echo 'no overlay on /usr: only what is installed can be started' >&2\n"
        /* a guest of tests/vm has next to nothing */
        "mkdir -p /run && for file in /etc/passwd /etc/group; do [ -e $file ] || : >$file; done\n"
        "mount -t tmpfs tmpfs /run && chmod 755 /run && mkdir " DIRECTORY " && chmod 755 " DIRECTORY "\n"
        "cp /etc/passwd /etc/group /run\n"
        "number=64000\n"
        "for user in sshd postgres _chrony unbound Debian-exim redis www-data; do\n"
        "	number=$((number + 1))\n"
        "	grep -q \"^$user:\" /etc/passwd ||\n"
        "		echo \"$user:x:$number:$number::/nonexistent:/usr/sbin/nologin\" >>/run/passwd\n"
        "	grep -q \"^$user:\" /etc/group || echo \"$user:x:$number:\" >>/run/group\n"
        "done\n"
        "mount --bind /run/passwd /etc/passwd && mount --bind /run/group /etc/group\n"
        "for folder in /etc/bindwatch /usr/lib/bindwatch; do\n"
        "	[ ! -d $folder ] || mount -t tmpfs tmpfs $folder\n"
        "done\n";

/* on the loopback's device: not every kernel has a dummy one */
static const char address[] = "ip address add 192.0.2.1/24 dev lo";

/* sh -c SCRIPT sh ARGUMENT in a folder. 0 or -EIO: it said itself what was wrong. */
static int shell(const char *folder, const char *script, const char *argument)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		if (chdir(folder) == 0)
			execl("/bin/sh", "sh", "-c", script, "sh", argument, (char *)NULL);
		_exit(127);
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

/* Where packaging/deps leaves it; "": nowhere. */
static void find_cache(char *ret, size_t size)
{
	const char *own = getenv("BINDWATCH_PROGRAMS_CACHE");
	const char *cache = getenv("XDG_CACHE_HOME");
	const char *home = getenv("HOME");

	if (own)
		(void)snprintf(ret, size, "%s/root", own);
	else if (cache)
		(void)snprintf(ret, size, "%s/bindwatch-programs/root", cache);
	else
		(void)snprintf(ret, size, "%s/.cache/bindwatch-programs/root", home ? home : "");
	if (access(ret, X_OK) != 0)
		ret[0] = '\0';
}

int debian_enter(void)
{
	char cache[4096];
	int result;

	find_cache(cache, sizeof(cache));
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) {
		result = -errno;
		fprintf(stderr, "a mount namespace of its own: %s\n", strerror(-result));
		return result;
	}
	return shell("/", setup, cache);
}

int debian_network(void)
{
	return shell("/", address, "");
}

int debian_find(const struct debian_server *server, char *path, size_t size)
{
	glob_t found;
	int result = -ENOENT;

	if (glob(server->path, 0, NULL, &found) == 0) {
		(void)snprintf(path, size, "%s", found.gl_pathv[0]);
		result = 0;
	}
	globfree(&found);
	return result;
}

static int write_configuration(const struct debian_server *server)
{
	char name[256];
	FILE *file;

	(void)snprintf(name, sizeof(name), "%s/%s.conf", DEBIAN_FOLDER, server->name);
	file = fopen(name, "we");
	if (!file)
		return -errno;
	fputs(server->configuration, file);
	return fclose(file) ? -errno : 0;
}

/* Between fork() and exec(). Does not return. */
static void become(const struct debian_server *server, const char *path)
{
	const char *argv[1 + sizeof(server->arguments) / sizeof(server->arguments[0])] = {path};
	const struct passwd *user = server->user ? getpwnam(server->user) : NULL;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	for (size_t i = 0; i + 1 < sizeof(server->arguments) / sizeof(server->arguments[0]); i++)
		argv[1 + i] = server->arguments[i];
	if (server->user && (!user || setgroups(0, NULL) || setgid(user->pw_gid) || setuid(user->pw_uid))) {
		dprintf(STDERR_FILENO, "%s: cannot become %s\n", server->name, server->user);
		_exit(126);
	}
	/* a new user means a new say on it */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (chdir(DEBIAN_FOLDER) == 0)
		execv(path, (char *const *)argv);
	dprintf(STDERR_FILENO, "%s: %s\n", path, strerror(errno));
	_exit(127);
}

pid_t debian_start(const struct debian_server *server)
{
	char path[256];
	int result = debian_find(server, path, sizeof(path));
	pid_t pid;

	if (!result && server->configuration)
		result = write_configuration(server);
	if (!result && server->prepare)
		result = shell(DEBIAN_FOLDER, server->prepare, "");
	if (result)
		return result;
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		become(server, path);
	return pid < 0 ? -errno : pid;
}

void debian_stop(pid_t pid)
{
	const struct timespec pause = {.tv_nsec = 10000000};

	kill(pid, SIGTERM);
	for (int waited = 0; waitpid(pid, NULL, WNOHANG) == 0; waited += 10) {
		if (waited > STOP_MS)
			kill(pid, SIGKILL);
		nanosleep(&pause, NULL);
	}
}
