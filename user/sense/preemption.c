/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/sense/preemption.h"

#include <stdio.h>
#include <string.h>

#include <zlib.h>

#include "user/sense/plan.h"

/* Longer than any line that is looked for. */
#define LINE_LEN 4096

static bool is_preemptible(const char *model)
{
	return strncmp(model, "full", 4) == 0 || strncmp(model, "lazy", 4) == 0;
}

bool preemption_is_possible(const struct preemption *preemption)
{
	const char *chosen = strchr(preemption->model, '(');
	const char *asked = strstr(preemption->command_line, "preempt=");

	if (preemption->release >= KERNEL_PREEMPTIBLE)
		return true;
	/* a kernel with one model names it: PREEMPT, PREEMPT_RT, PREEMPT_LAZY; or names none */
	if (!strstr(preemption->version, " PREEMPT_DYNAMIC"))
		return strstr(preemption->version, " PREEMPT") != NULL;
	if (chosen)
		return is_preemptible(chosen + 1);
	/* not the end of another word */
	if (asked && (asked == preemption->command_line || asked[-1] == ' '))
		return is_preemptible(asked + strlen("preempt="));
	return strcmp(preemption->built, "CONFIG_PREEMPT_NONE=y") != 0 &&
	       strcmp(preemption->built, "CONFIG_PREEMPT_VOLUNTARY=y") != 0;
}

static void read_line(const char *path, char line[LINE_LEN])
{
	FILE *file = fopen(path, "re");

	line[0] = '\0';
	if (!file)
		return;
	if (!fgets(line, LINE_LEN, file))
		line[0] = '\0';
	fclose(file);
}

/* The model that a configuration was built with; false: the file is not there, or names none. gz or plain. */
static bool read_built(const char *path, char line[LINE_LEN])
{
	static const char *const models[] = {"CONFIG_PREEMPT_NONE=y", "CONFIG_PREEMPT_VOLUNTARY=y", "CONFIG_PREEMPT=y",
					     "CONFIG_PREEMPT_LAZY=y"};
	gzFile file = gzopen(path, "rbe");
	bool found = false;

	if (!file)
		return false;
	while (!found && gzgets(file, line, LINE_LEN)) {
		line[strcspn(line, "\n")] = '\0';
		for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++)
			found |= strcmp(line, models[i]) == 0;
	}
	gzclose(file);
	return found;
}

bool preemption_probe(uint32_t release, const char *release_text, const char *version)
{
	char model[LINE_LEN], command_line[LINE_LEN], built[LINE_LEN], path[256];
	const struct preemption preemption = {release, version, model, command_line, built};

	read_line("/sys/kernel/debug/sched/preempt", model);
	read_line("/proc/cmdline", command_line);
	(void)snprintf(path, sizeof(path), "/boot/config-%s", release_text);
	if (!read_built("/proc/config.gz", built) && !read_built(path, built))
		built[0] = '\0';
	return preemption_is_possible(&preemption);
}
