/* SPDX-License-Identifier: BSD-2-Clause */
/* The registry's times: a lookup with its entry in the caches and without, the start from the snapshot, the CSV. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "registry/registry.h"

#define REPEATS	    21
#define LOOKUPS	    (1U << 20)
#define WORKING_SET 64
/* More than the last cache of a current server core's share; written before each cold lookup batch. */
#define FLUSH_BYTES (64U << 20)
/* So few that they do not warm each other's cache lines: the table has some 12,000. */
#define COLD_LOOKUPS 256

struct pair {
	uint16_t port;
	enum registry_transport transport;
};

struct bench {
	struct registry *registry;
	struct pair *pairs; /* LOOKUPS */
	char *flush;
	const char *csv;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static uint32_t random_next(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/* The next lookup waits for the entry of the one before: so its latency is measured, not how many overlap. */
static double lookups_ns(const struct bench *bench, uint32_t count)
{
	static volatile uintptr_t sink;
	uint64_t begin = now_ns();
	uintptr_t zero = 0;

	for (uint32_t i = 0; i < count; i++) {
		const struct pair *pair = &bench->pairs[i];
		const struct registry_entry *entry =
		    registry_lookup(bench->registry, (uint16_t)(pair->port ^ zero), pair->transport);

		zero = entry->state >> 7; /* 0, and the compiler cannot know */
	}
	sink = zero;
	(void)sink;
	return (double)(now_ns() - begin) / count;
}

static void choose_pairs(struct bench *bench, uint32_t working_set)
{
	uint32_t seed = 7;

	for (uint32_t i = 0; i < LOOKUPS; i++) {
		if (i < working_set)
			bench->pairs[i] = (struct pair){(uint16_t)(random_next(&seed) % 49152),
							(enum registry_transport)(random_next(&seed) % 2)};
		else
			bench->pairs[i] = bench->pairs[random_next(&seed) % working_set];
	}
}

static double one_port(struct bench *bench)
{
	return lookups_ns(bench, LOOKUPS);
}

static double cold(struct bench *bench)
{
	for (uint32_t i = 0; i < FLUSH_BYTES; i += 64)
		bench->flush[i]++;
	/* what asks is warm, what is asked for is not */
	for (uint32_t i = 0; i < COLD_LOOKUPS; i++)
		*(volatile uint16_t *)&bench->pairs[i].port;
	return lookups_ns(bench, COLD_LOOKUPS);
}

static double start_ms(struct bench *bench)
{
	uint64_t begin = now_ns();
	struct registry *registry;

	(void)bench;
	if (registry_open_embedded(&registry) < 0)
		return -1;
	registry_free(registry);
	return (double)(now_ns() - begin) / 1e6;
}

static double csv_ms(struct bench *bench)
{
	char error[REGISTRY_ERROR_LEN];
	uint64_t begin = now_ns();
	struct registry *registry;

	if (registry_open_file(bench->csv, &registry, error) < 0)
		return -1;
	registry_free(registry);
	return (double)(now_ns() - begin) / 1e6;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void row(struct bench *bench, const char *what, const char *unit, double (*measure)(struct bench *bench))
{
	double times[REPEATS];

	for (int i = 0; i < REPEATS; i++)
		times[i] = measure(bench);
	qsort(times, REPEATS, sizeof(*times), compare);
	printf("%-44s %9.2f %9.2f  %s\n", what, times[0], times[REPEATS / 2], unit);
}

int main(void)
{
	struct bench bench = {.pairs = malloc(LOOKUPS * sizeof(*bench.pairs)), .flush = calloc(1, FLUSH_BYTES)};
	const char *shared = getenv("BINDWATCH_SHARED");
	char csv[4096];

	if (!bench.pairs || !bench.flush || registry_open_embedded(&bench.registry) < 0)
		return EXIT_FAILURE;
	printf("%-44s %9s %9s\n", "registry", "minimum", "median");
	choose_pairs(&bench, 1);
	row(&bench, "lookup, one port again and again", "ns", one_port);
	choose_pairs(&bench, WORKING_SET);
	row(&bench, "lookup, among 64 ports", "ns", one_port);
	choose_pairs(&bench, LOOKUPS);
	row(&bench, "lookup, any port", "ns", one_port);
	row(&bench, "lookup, caches written over before", "ns", cold);
	row(&bench, "start from the embedded snapshot", "ms", start_ms);
	(void)snprintf(csv, sizeof(csv), "%s/iana/service-names-port-numbers-2026-08-17.csv",
		       shared ? shared : "../shared");
	bench.csv = csv;
	if (access(csv, R_OK) == 0)
		row(&bench, "start from IANA's CSV", "ms", csv_ms);
	printf("%-44s %9zu            bytes\n", "table in memory", registry_bytes(bench.registry));
	registry_free(bench.registry);
	free(bench.pairs);
	free(bench.flush);
	return EXIT_SUCCESS;
}
