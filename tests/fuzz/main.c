/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Drives a harness where there is no libFuzzer: through each file of its corpus, and through so many damaged ones, the
 * same every time. Told as cmocka tells a test, so that tests/run counts it. BINDWATCH_SEED damages otherwise.
 *
 * A child does the work: what it dies of is told with the input, which is kept beside the program. "fuzz_NAME FILE..."
 * runs only these files, in this process.
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

#define CORPUS "tests/fuzz/corpus/"
#define SEED   20261122

/* The slowest harness takes 2 ms an input with the sanitizers: all of them are through in ten seconds. */
#define DAMAGED 1000

/* An input that takes longer does not end. */
#define SECONDS_EACH 20

#define FILES_MAX 64

struct input {
	char name[512];
	unsigned int damage; /* number of the damage, from 1; 0: the file as it is */
	size_t size;
	uint8_t data[FUZZ_INPUT_MAX];
};

struct corpus {
	struct input files[FILES_MAX];
	size_t count;
};

static uint64_t random_state;

/* xorshift64*: the same on every machine. */
static size_t below(size_t limit)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (size_t)((random_state * 2685821657736338717ULL >> 32) % limit);
}

static void die(const char *what)
{
	(void)fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(2);
}

static void read_input(const char *path, struct input *ret)
{
	FILE *file = fopen(path, "re");

	if (!file)
		die(path);
	(void)snprintf(ret->name, sizeof(ret->name), "%s", path);
	ret->size = fread(ret->data, 1, sizeof(ret->data), file);
	errno = EFBIG;
	if (fgetc(file) != EOF)
		die(path);
	(void)fclose(file);
}

/* In memory of its very size, so that a read behind it is seen. */
static void run(const struct input *input)
{
	uint8_t *data = malloc(input->size + !input->size);

	if (!data)
		die("malloc");
	memcpy(data, input->data, input->size);
	(void)alarm(SECONDS_EACH);
	(void)LLVMFuzzerTestOneInput(data, input->size);
	free(data);
}

/* Makes room for `size` bytes at `at`, or as many as there is room for. Returns how many. */
static size_t insert(struct input *input, size_t at, size_t size)
{
	if (size > sizeof(input->data) - input->size)
		size = sizeof(input->data) - input->size;
	memmove(input->data + at + size, input->data + at, input->size - at);
	input->size += size;
	return size;
}

static void damage_once(struct input *input, const struct corpus *corpus)
{
	static const uint8_t tempting[] = {0, 1, '\n', ' ', '*', '/', '\\', '"', '[', '-', '9', 0x7f, 0x80, 0xff};
	const struct input *other = &corpus->files[below(corpus->count)];
	size_t at = below(input->size + 1), rest = input->size - at, piece = below(32), from;

	switch (rest ? below(6) : 5) {
	case 0:
		input->data[at] ^= (uint8_t)(1U << below(8));
		break;
	case 1:
		input->data[at] = below(2) ? tempting[below(sizeof(tempting))] : (uint8_t)below(256);
		break;
	case 2: /* a piece lost */
		piece = piece < rest ? piece : rest;
		memmove(input->data + at, input->data + at + piece, rest - piece);
		input->size -= piece;
		break;
	case 3: /* one twice */
		piece = insert(input, at, piece < rest ? piece : rest);
		break;
	case 4: /* a byte elsewhere, too */
		input->data[below(input->size)] = input->data[at];
		break;
	default: /* a piece of another file */
		from = below(other->size + 1);
		piece = insert(input, at, piece < other->size - from ? piece : other->size - from);
		memcpy(input->data + at, other->data + from, piece);
	}
}

static void run_all(const struct corpus *corpus, uint64_t seed, struct input *at)
{
	for (size_t i = 0; i < corpus->count; i++) {
		*at = corpus->files[i];
		run(at);
	}
	for (unsigned int i = 1; i <= DAMAGED; i++) {
		/* xorshift makes nothing but 0 of 0; the constant sets neighbours far apart */
		random_state = (seed + i) * 0x9e3779b97f4a7c15ULL | 1;
		*at = corpus->files[below(corpus->count)];
		at->damage = i;
		for (size_t times = 1 + below(6); times; times--)
			damage_once(at, corpus);
		run(at);
	}
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static void read_corpus(const char *name, struct corpus *ret)
{
	char path[512];
	struct dirent **entries;
	int count;

	(void)snprintf(path, sizeof(path), CORPUS "%s", name);
	count = scandir(path, &entries, NULL, by_name);
	if (count < 0)
		die(path);
	for (int i = 0; i < count; free(entries[i++])) {
		if (entries[i]->d_name[0] == '.')
			continue;
		errno = E2BIG;
		if (ret->count == FILES_MAX ||
		    snprintf(path, sizeof(path), CORPUS "%s/%s", name, entries[i]->d_name) >= (int)sizeof(path))
			die(path);
		read_input(path, &ret->files[ret->count++]);
	}
	free(entries);
	errno = ENOENT;
	if (!ret->count)
		die(path);
}

/* Whether the child came to its end; else its last input is kept. */
static bool ended_well(int status, const char *program, const struct input *last, uint64_t seed)
{
	char path[512];
	FILE *file;

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	(void)snprintf(path, sizeof(path), "%s.failed", program);
	file = fopen(path, "we");
	if (!file || fwrite(last->data, 1, last->size, file) != last->size || fclose(file) != 0)
		die(path);
	printf("%s, damage %u of seed %llu: %s %d\nto repeat it: %s %s\n", last->name, last->damage,
	       (unsigned long long)seed, WIFSIGNALED(status) ? "signal" : "exit code",
	       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), program, path);
	return false;
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/'), *program = slash ? slash + 1 : argv[0];
	const char *text = getenv("BINDWATCH_SEED");
	uint64_t seed = text ? strtoull(text, NULL, 0) : SEED;
	/* the input under way is in memory that survives the child; the corpus is too large for the stack */
	struct input *at = mmap(NULL, sizeof(*at), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct corpus *corpus = calloc(1, sizeof(*corpus));
	int status;
	bool good;
	pid_t child;

	if (at == MAP_FAILED || !corpus)
		die("memory");
	for (int i = 1; i < argc; i++) {
		read_input(argv[i], at);
		run(at);
	}
	if (argc > 1) {
		free(corpus);
		return 0;
	}
	read_corpus(strncmp(program, "fuzz_", 5) == 0 ? program + 5 : program, corpus);
	printf("[==========] Running 1 test(s).\n[ RUN      ] %s\n%zu files, %u times damaged, BINDWATCH_SEED=%llu\n",
	       program, corpus->count, DAMAGED, (unsigned long long)seed);
	(void)fflush(stdout);
	child = fork();
	if (child < 0)
		die("fork");
	if (child == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		run_all(corpus, seed, at);
		free(corpus);
		exit(0);
	}
	if (waitpid(child, &status, 0) != child)
		die("waitpid");
	good = ended_well(status, argv[0], at, seed);
	free(corpus);
	printf("[%s] %s\n[==========] 1 test(s) run.\n", good ? "       OK " : "  FAILED  ", program);
	return good ? 0 : 1;
}
