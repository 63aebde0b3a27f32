/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/base/mountinfo.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/base/number.h"

/* Space, tab, line break and backslash stand as three octal digits. false: a backslash with something else behind it.
 */
static bool unescape(char *text)
{
	char *out = text;

	for (; *text; text++, out++) {
		if (*text != '\\') {
			*out = *text;
			continue;
		}
		if (text[1] < '0' || text[1] > '3' || text[2] < '0' || text[2] > '7' || text[3] < '0' || text[3] > '7')
			return false;
		*out = (char)((text[1] - '0') << 6 | (text[2] - '0') << 3 | (text[3] - '0'));
		if (!*out)
			return false;
		text += 3;
	}
	*out = '\0';
	return true;
}

/* ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [TAG...] - TYPE SOURCE OPTIONS */
bool mountinfo_parse(char *line, struct mountinfo *ret)
{
	char *save = NULL, *number, *root, *point, *type;
	char *tail = strstr(line, " - ");
	uint64_t id;

	if (!tail)
		return false;
	*tail = '\0';
	number = strtok_r(line, " ", &save);
	for (int skip = 0; skip < 2; skip++)
		if (!strtok_r(NULL, " ", &save))
			return false;
	root = strtok_r(NULL, " ", &save);
	point = strtok_r(NULL, " ", &save);
	type = strtok_r(tail + 3, " \n", &save);
	if (!root || !point || !type || !unescape(root) || !unescape(point) || number_parse(number, 0, INT_MAX, &id))
		return false;
	*ret = (struct mountinfo){(int)id, root, point, type};
	return true;
}

int mountinfo_each(const char *file, int (*visit)(void *context, const struct mountinfo *mount), void *context)
{
	FILE *stream = fopen(file, "re");
	struct mountinfo mount;
	char *line = NULL;
	size_t size = 0;
	int r = 0;

	if (!stream)
		return -errno;
	while (r == 0 && getline(&line, &size, stream) >= 0)
		if (mountinfo_parse(line, &mount))
			r = visit(context, &mount);
	if (r == 0 && ferror(stream))
		r = -EIO;
	free(line);
	(void)fclose(stream);
	return r;
}
