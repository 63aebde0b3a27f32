/* SPDX-License-Identifier: BSD-2-Clause */
/* The policy's times: one event against many rules, and the reading of very many. */
#include <linux/types.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "user/judge/classify.h"
#include "user/judge/policy.h"

#define REPEATS 11
#define EVENTS  2000

struct bench {
	struct registry *registry;
	char path[64]; /* of the file that the rules are read from */
	struct policy *policy;
	struct event event;
	struct process process;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static double load_ms(struct bench *bench)
{
	const char *const paths[] = {bench->path};
	const struct policy_options options = {.registry = bench->registry, .paths = paths, .paths_count = 1};
	struct policy_problems problems = {0};
	uint64_t begin = now_ns();

	policy_free(bench->policy);
	bench->policy = NULL;
	if (policy_load(&options, &bench->policy, &problems) < 0) {
		for (size_t i = 0; i < problems.count && i < 5; i++)
			(void)fprintf(stderr, "%u: %s\n", problems.list[i].line, problems.list[i].text);
		exit(EXIT_FAILURE);
	}
	return (double)(now_ns() - begin) / 1e6;
}

static double judge_us(struct bench *bench)
{
	uint64_t begin = now_ns();

	for (unsigned int i = 0; i < EVENTS; i++)
		policy_judge(bench->policy, &bench->event);
	return (double)(now_ns() - begin) / 1e3 / EVENTS;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void row(struct bench *bench, const char *what, const char *unit, int repeats, double (*measure)(struct bench *))
{
	double times[REPEATS];

	for (int i = 0; i < repeats; i++)
		times[i] = measure(bench);
	qsort(times, (size_t)repeats, sizeof(*times), compare);
	printf("%-52s %9.2f %9.2f  %s\n", what, times[0], times[repeats / 2], unit);
}

/* Rules as learn writes them: a port of its own each, a program and a unit. */
static void write_by_port(FILE *file, unsigned int i)
{
	(void)fprintf(file,
	              "[expect port-%u]\nport = %u/tcp\nexe = /opt/service-%u/bin/server\nunit = service-%u.service\n",
	              i, 1 + (i + 8000) % 65535, i, i);
}

/* All of one port: the list of that port has every rule. */
static void write_one_port(FILE *file, unsigned int i)
{
	(void)fprintf(file, "[expect one-%u]\nport = 8080/tcp\nexe = /opt/service-%u/bin/*\n", i, i);
}

/* By services and programs with wildcards, and some of every kind that names no port. */
static void write_mixed(FILE *file, unsigned int i)
{
	static const struct {
		const char *head, *middle, *end; /* with the number between */
	} kinds[] = {
	        {"[expect mixed-", "]\nservice = ssh http https domain ntp\nexe = /usr/sbin/server-", "\n"},
	        {"[alert mixed-", "]\nclass = privileged\nexe = /home/**/server-", "\nseverity = high\n"},
	        {"[ignore mixed-", "]\naddress = 10.0.0.0/8 fd00::/8\nuser = 2", "\n"},
	        {"[alert mixed-", "]\nexe = /usr/bin/perl* **/python", "\nchoice = requested\nseverity = low\n"},
	        {"[expect mixed-", "]\nport = 1024-49151\nunit = instance-", "@*.service\n"},
	        {"[alert mixed-", "]\nparent = /usr/bin/*sh\nargs = *-m?server", "*\nseverity = medium\n"},
	};

	(void)fprintf(file, "%s%u%s%u%s", kinds[i % 6].head, i, kinds[i % 6].middle, i, kinds[i % 6].end);
}

/* The worst of the kinds that name no port: each has a pattern that must be tried to its end. */
static void write_patterns(FILE *file, unsigned int i)
{
	(void)fprintf(file, "[alert pattern-%u]\nexe = /opt/**/bin/*server-%u\nseverity = low\n", i, i);
}

static void write_rules(struct bench *bench, unsigned int count, void (*write)(FILE *file, unsigned int i))
{
	FILE *file = fopen(bench->path, "w");

	if (!file)
		exit(EXIT_FAILURE);
	for (unsigned int i = 0; i < count; i++)
		write(file, i);
	if (fclose(file) != 0)
		exit(EXIT_FAILURE);
}

static void measure(struct bench *bench, const char *what, unsigned int count,
                    void (*write)(FILE *file, unsigned int i))
{
	char text[64];

	write_rules(bench, count, write);
	(void)snprintf(text, sizeof(text), "%u rules, %s: one event", count, what);
	(void)load_ms(bench);
	row(bench, text, "us", REPEATS, judge_us);
}

/* Some bind that no rule matches, so that all are asked. */
static void make_event(struct bench *bench)
{
	static const char arguments[] = "/opt/service/releases/2026-11-22/bin/server\0--port\0"
	                                "8080\0--config\0/etc/service";
	struct endpoint server = {
	        .family = AF_INET, .port = 8080, .has_port = true, .has_address = true, .address = {192, 0, 2, 1}};

	bench->process = (struct process){
	        .executable = {.path = "/opt/service/releases/2026-11-22/bin/server", .flags_known = 63},
	        .arguments = arguments,
	        .arguments_length = sizeof(arguments),
	        .ancestors = {{.executable = "/usr/lib/systemd/systemd"}},
	        .ancestors_count = 1,
	        .cgroup = {.path = "/system.slice/service.service", .unit = "service.service"},
	};
	bench->event = (struct event){.pid = 100,
	                              .comm = "server",
	                              .uid = 1000,
	                              .protocol = IPPROTO_TCP,
	                              .family = AF_INET,
	                              .requested = server,
	                              .bound = server,
	                              .unprivileged_port_start = 1024,
	                              .process = &bench->process};
	classify(bench->registry, &bench->event);
}

int main(void)
{
	struct bench bench = {.path = "/tmp/bindwatch-bench-XXXXXX"};
	int fd = mkstemp(bench.path);

	if (fd < 0 || registry_open_embedded(&bench.registry) < 0)
		return EXIT_FAILURE;
	(void)close(fd);
	make_event(&bench);
	printf("%-52s %9s %9s\n", "policy", "minimum", "median");
	measure(&bench, "each of a port of its own", 1000, write_by_port);
	measure(&bench, "all of the port at hand", 1000, write_one_port);
	measure(&bench, "of all kinds", 1000, write_mixed);
	measure(&bench, "all with a pattern, none with a port", 1000, write_patterns);
	write_rules(&bench, 100000, write_by_port);
	row(&bench, "load of 100000 rules, each of a port of its own", "ms", 5, load_ms);
	write_rules(&bench, 100000, write_mixed);
	row(&bench, "load of 100000 rules of all kinds", "ms", 5, load_ms);
	policy_free(bench.policy);
	registry_free(bench.registry);
	(void)unlink(bench.path);
	return EXIT_SUCCESS;
}
