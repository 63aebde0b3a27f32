/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the live tests share: a running `bindwatch watch` whose output is read (monitor.c), and binds that are made
 * and written down as the kernel answered them, to be compared with what the monitor told (scene.c, compare.c).
 */
#ifndef TESTS_LIVE_LIVE_H
#define TESTS_LIVE_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/types.h>

#include <jansson.h>

/* How long anything here waits for the monitor: a start with sanitizers on a busy machine takes seconds. */
#define LIVE_WAIT_MS 20000

/* The sentinels' address and first port: no test binds anything else to it. */
#define LIVE_SENTINEL_ADDRESS "127.99.99.99"
#define LIVE_SENTINEL_PORT    20000

/* NULL, or why no bind can be watched here: a static sentence for the line beside a skipped test. */
const char *live_why_not(void);

/*
 * Does this kernel skip runs of the plan's hooks, which the monitor then can only count? It is why another plan goes
 * first there (user/sense/plan.c).
 */
bool live_kernel_skips(const char *plan);

/* Is this kernel of that release, or of a later one? */
bool live_kernel_has(unsigned int major, unsigned int minor);

union bpf_attr;

/*
 * BPF_PROG_LOAD of bpf(2): a descriptor or -errno. Until 5.11 a program counts as locked memory of
 * its user, the monitor's too, so the limit is lifted meanwhile.
 */
int live_load_program(union bpf_attr *attr, size_t size);

/* ".../bindwatch" of the same build as the test program argv0 (B/tests/AREA/NAME: B/bindwatch). 0 or -errno. */
int live_program(const char *argv0, char *ret, size_t size);

/* CLOCK_MONOTONIC, milliseconds. */
int64_t live_now_ms(void);

/* A text that grows; always ended by NUL once it holds something. */
struct live_text {
	char *data;
	size_t used, size;
};

/* Whole lines of a text. */
size_t live_lines(const struct live_text *text);

/* Is the needle in the text? If not, prints both. */
bool live_says(const struct live_text *text, const char *needle);

/* Binds each of these ports of the family's loopback address, and lets it go. 0 or -errno. */
int live_bind_ports(int domain, int type, const uint16_t *ports, size_t count);

struct monitor {
	pid_t pid; /* 0: not running */
	int out, err;
	unsigned int netns;       /* inode of the network namespace that it runs in */
	bool json;                /* parse each line of stdout into events */
	struct live_text output;  /* all of stdout */
	struct live_text message; /* all of stderr */
	size_t parsed;            /* bytes of output that were looked at */
	json_t *events;           /* an array: every object read, sentinels too */
	unsigned malformed;       /* lines that are not one JSON object */
	uint64_t told;            /* of all events read: those of a call that a hook saw (ACTION_*) */
	char plan[32];            /* as the ready line names it */
	bool counts_only;         /* as in monitor_options */
	bool losses_allowed;      /* fixture_skipped() found them told */
	uint16_t sentinel;        /* the port of the last one */
};

struct monitor_options {
	const char *program;
	const char *const *arguments; /* behind the program's name, ended by NULL */
	bool json;
	bool counts_only; /* of json: events of a call are counted into told, and not parsed; for floods */
	int out;          /* the monitor's stdout; 0: a pipe that is read here */
	void (*before_exec)(const void *context); /* in the child; may be NULL */
	const void *context;
	bool existing;      /* with the sockets that were bound before */
	bool vendor_policy; /* judges by the rules that it would judge by anywhere; else by the port alone, also of the
	                       loopback */
};

/* 0 or -errno. The monitor must be given to monitor_free(), also when a test failed. */
int monitor_spawn(struct monitor *monitor, const struct monitor_options *options);

/* Reads until the line "bindwatch: watching" stands on stderr. 0, -ETIMEDOUT, or -EPIPE: it ended before. */
int monitor_wait_ready(struct monitor *monitor);

/* Both of the above; what went wrong is printed with the monitor's stderr. */
int monitor_start(struct monitor *monitor, const struct monitor_options *options);

/* Runs it to its own end, as monitor_finish() of a monitor_spawn(). */
int monitor_run(struct monitor *monitor, const char *program, const char *const *arguments);

/* Of a subcommand's words. */
#define ARGUMENTS(...) ((const char *const[]){"watch", __VA_ARGS__, NULL})

/* Reads what there is, for at most timeout_ms. 1: something; 0: nothing came; -EPIPE: both streams have ended. */
int monitor_read(struct monitor *monitor, int timeout_ms);

/*
 * Makes one bind that is known (the sentinel) and reads until it is told of: every event of an earlier bind stands
 * before it. port 0: the next of the sentinels' own. 0, -ETIMEDOUT, -EPIPE, or the -errno of the sentinel itself.
 */
int monitor_sync(struct monitor *monitor, uint16_t port);

/* Is this event a sentinel's? */
bool monitor_is_sentinel(const json_t *event);

/*
 * Sends the signal (0: none), reads to the end of both streams. Returns the exit code, 128 + the signal that ended it,
 * or -ETIMEDOUT: it had to be killed.
 */
int monitor_finish(struct monitor *monitor, int signal);

/*
 * The ledger: ends the monitor with SIGINT and holds its totals against its stream. Every call that a hook saw was
 * told, or is counted as lost; nothing was lost here, unless live_kernel_skips(). For a JSON monitor without a filter.
 * 0; -EBADMSG: they do not agree, and the difference is printed; or as monitor_finish().
 */
int monitor_ledger(struct monitor *monitor);

/* Kills it if it still runs. */
void monitor_free(struct monitor *monitor);

/* event.action of what a hook saw; other events are of the monitor's own making */
#define ACTION_BIND   "bound-socket"
#define ACTION_LISTEN "listen-for-connections"
#define ACTION_CLOSE  "closed-socket"

/* lockdown=confidentiality refuses programs that read kernel memory by its address (LOCKDOWN_BPF_READ_KERNEL). */
bool live_locked_down(void);

bool live_is_action(const json_t *event, const char *action);

/* The value at a path of names joined by dots, NULL where there is none. */
const json_t *live_field(const json_t *event, const char *path);

#define SCENE_RECORDS 64

/* One bind as the binder saw it: what it asked, and everything the kernel answers about it. */
struct bind_record {
	int64_t before_ns, after_ns; /* CLOCK_REALTIME around the bind */
	pid_t pid, tid;
	pid_t pidns_pid;          /* the process as it sees itself; looked at if pidns_inode is not 0 */
	unsigned int pidns_inode; /* of its pid namespace */
	uid_t uid;
	gid_t gid;
	char comm[16];
	int domain, type, protocol;
	int v6only, reuseaddr, reuseport, freebind, transparent;
	char device[IFNAMSIZ]; /* SO_BINDTODEVICE, and its index in the socket's namespace */
	unsigned int device_index;
	uint64_t cookie;
	unsigned int netns;
	unsigned int unprivileged_port_start;
	struct sockaddr_storage asked;
	socklen_t asked_len;
	bool no_system_call; /* through io_uring, or 32-bit: the system call tracepoints do not see it */
	bool kernel;         /* made by the kernel for the caller, who has no descriptor of the socket */
	bool rewritten;      /* by a BPF program on the way: what was asked for is not compared */
	struct sockaddr_storage got;
	int error;
};

/* In memory that children share. */
struct scene {
	_Atomic unsigned int used;
	_Atomic unsigned int quiet_used;
	pid_t quiet[SCENE_RECORDS]; /* processes that made nothing that may be told */
	struct bind_record records[SCENE_RECORDS];
};

/*
 * The events of this network namespace with this action and port (server.port), the sentinels' not: how many, and in
 * *ret the last one of them, borrowed, NULL if there is none.
 */
size_t live_find(const struct monitor *monitor, const char *action, uint16_t port, const json_t **ret);

/* Moves this process into a network namespace of its own with lo up. 0 or -errno. */
int scene_enter_namespace(void);

/* The inode of this thread's network namespace; 0: not known. */
unsigned int scene_namespace(void);

/* Writes a sysctl below /proc/sys. 0 or -errno. */
int scene_sysctl(const char *path, const char *value);

/* NULL: no memory. */
struct scene *scene_new(void);
void scene_free(struct scene *scene);

/* Forgets everything. */
void scene_clear(struct scene *scene);

/* bind(2), written down. 0 or -errno of the bind. */
int scene_bind(struct scene *scene, int fd, const void *address, socklen_t length);

/* The two halves of scene_bind(), for a bind that is not made with bind(2). */
struct bind_record *scene_before(struct scene *scene, int fd, const void *address, socklen_t length);
void scene_after(struct bind_record *record, int fd, int error);

/* This process makes no bind that may be told. */
void scene_quiet(struct scene *scene);

/* Runs body in a child and waits for it. The child's exit code; -errno where there was none. */
int scene_child(void (*body)(struct scene *scene, void *context), struct scene *scene, void *context);

/* Fills an address of the family that the text is written in; the length, or 0 for a text that is none. */
socklen_t scene_address(const char *text, uint16_t port, struct sockaddr_storage *ret);

/* A new socket bound to the address, the bind written down; the descriptor stays open. -errno of socket(2). */
int scene_socket(struct scene *scene, int domain, int type, int protocol, const char *address, uint16_t port);

/*
 * Compares the events of binds since the last call, of every process of the scene and of this one, with the records: as
 * many, in the same order, each field. Listens and closes are not looked at. Then clears the scene. Prints each
 * difference; returns how many there are, or -errno where the monitor did not answer. The events that were compared are
 * added to `seen`, if it is not NULL.
 */
int scene_compare(struct scene *scene, struct monitor *monitor, json_t *seen);

/*
 * What a group of tests shares: one monitor in the namespace that it was started in, one scene in a new one. `why_not`
 * is the reason for which every test of the group must be skipped, or NULL.
 */
struct fixture {
	const char *why_not;
	char program[4096];
	struct monitor monitor;
	struct scene *scene;
};

/* Starts `watch --output json`. 0, also where why_not is set; -errno: what was wrong is printed. */
int fixture_start(struct fixture *fixture, const char *argv0);
void fixture_stop(struct fixture *fixture);

/*
 * Of binds that were made, `missing` were not told. true: the plan was forced where live_kernel_skips(), and the
 * monitor says that it lost as many at least; the message to skip with is printed. false: nobody may lose them
 * silently.
 */
bool fixture_skipped(struct fixture *fixture, size_t missing);

/* The last test of a group: monitor_ledger() of its monitor, which then has ended. Fails or skips as a test does. */
void fixture_ledger(struct fixture *fixture);

/* The first statement of a test that needs the fixture: skips with the reason printed where it cannot be. */
#define FIXTURE_NEEDED(fixture) SKIP_BECAUSE((fixture)->why_not)

#define SKIP_BECAUSE(reason)                                                                                           \
	do {                                                                                                           \
		const char *reason_ = (reason);                                                                        \
		if (reason_) {                                                                                         \
			print_message("skipped: %s\n", reason_);                                                       \
			skip();                                                                                        \
		}                                                                                                      \
	} while (0)

#endif
