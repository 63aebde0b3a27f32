/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/base/cgroup_path.h"

#include <string.h>

/* Of container and pod ids: a SHA-256 or 256 random bits; RFC 4122; the MD5 that stands for the uid of a static pod. */
#define ID_DIGITS         64
#define UUID_LENGTH       36
#define STATIC_POD_LENGTH 32

/* Linux gives a cgroup no longer name: NAME_MAX. */
#define PART_MAX 255

/* Bytes of the path, not NUL-terminated. text NULL: nothing was found. */
struct piece {
	const char *text;
	size_t length;
};

struct findings {
	struct piece unit, user_unit, slice, container, pod;
	enum container_runtime runtime;
	bool in_units; /* every part so far was a slice */
	bool in_user;  /* every part since user@UID.service was a slice */
};

#define DIGITS  "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool consists_of(const struct piece *piece, const char *characters)
{
	for (size_t i = 0; i < piece->length; i++) {
		if (!piece->text[i] || !strchr(characters, piece->text[i]))
			return false;
	}
	return piece->length != 0;
}

static bool is_word(const struct piece *piece, const char *word)
{
	return piece->length == strlen(word) && memcmp(piece->text, word, piece->length) == 0;
}

static bool cut_prefix(struct piece *piece, const char *prefix)
{
	size_t length = strlen(prefix);

	if (piece->length < length || memcmp(piece->text, prefix, length) != 0)
		return false;
	piece->text += length;
	piece->length -= length;
	return true;
}

static bool cut_suffix(struct piece *piece, const char *suffix)
{
	size_t length = strlen(suffix);

	if (piece->length < length || memcmp(piece->text + piece->length - length, suffix, length) != 0)
		return false;
	piece->length -= length;
	return true;
}

/* systemd.unit(5): which characters a name has, and which kinds of unit have processes. */
static bool is_unit(const struct piece *piece)
{
	static const char *const kinds[] = {".service", ".scope", ".socket", ".mount", ".swap"};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct piece name = *piece;

		if (cut_suffix(&name, kinds[i]))
			return consists_of(&name, DIGITS LETTERS ":-_.\\@");
	}
	return false;
}

static bool is_slice(const struct piece *piece)
{
	struct piece name = *piece;

	return cut_suffix(&name, ".slice") && consists_of(&name, DIGITS LETTERS ":-_.\\");
}

static bool is_user_manager(const struct piece *piece)
{
	struct piece uid = *piece;

	return cut_prefix(&uid, "user@") && cut_suffix(&uid, ".service") && consists_of(&uid, DIGITS);
}

static void find_unit(const struct piece *part, struct findings *found)
{
	struct piece name = *part;

	/* systemd sets "_" before a name that the kernel, too, might give to a file of the directory */
	(void)cut_prefix(&name, "_");
	if (found->in_user && !is_slice(&name)) {
		found->in_user = false;
		if (is_unit(&name))
			found->user_unit = name;
	}
	if (!found->in_units)
		return;
	if (is_slice(&name)) {
		found->slice = name;
		return;
	}
	found->in_units = false;
	if (!is_unit(&name))
		return;
	found->unit = name;
	found->in_user = is_user_manager(&name);
}

static bool is_id(const struct piece *piece)
{
	return piece->length == ID_DIGITS && consists_of(piece, "0123456789abcdef");
}

/* "docker-ID", and "ANYTHING:docker:ID", which is how runc is told of a slice and a name for a scope. */
static bool find_named_id(const struct piece *part, struct findings *found)
{
	/* clang-format off */
	static const struct {
		const char *name;
		enum container_runtime runtime;
	} names[] = {
		{"docker",         RUNTIME_DOCKER},
		{"cri-containerd", RUNTIME_CONTAINERD},
		{"nerdctl",        RUNTIME_CONTAINERD},
		{"crio",           RUNTIME_CRIO},
		{"libpod",         RUNTIME_PODMAN},
		{"libpod-payload", RUNTIME_PODMAN},
	};
	/* clang-format on */
	struct piece id = *part, name = *part;
	char separator;

	if (part->length <= ID_DIGITS + 1)
		return false;
	id.text += part->length - ID_DIGITS;
	id.length = ID_DIGITS;
	separator = id.text[-1];
	name.length -= ID_DIGITS + 1;
	if (!is_id(&id) || (separator != '-' && separator != ':'))
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct piece rest = name;

		if (!cut_suffix(&rest, names[i].name) ||
		    (separator == '-' ? rest.length != 0 : !cut_suffix(&rest, ":")))
			continue;
		found->container = id;
		found->runtime = names[i].runtime;
		return true;
	}
	return false;
}

/* A bare ID: its parent may tell whose it is. */
static bool find_bare_id(const struct piece *part, const struct piece *parent, struct findings *found)
{
	if (!is_id(part))
		return false;
	found->container = *part;
	found->runtime = is_word(parent, "docker") ? RUNTIME_DOCKER : RUNTIME_UNKNOWN;
	return true;
}

static bool find_lxc(const struct piece *part, const struct piece *parent, struct findings *found)
{
	struct piece name = *part;

	if (!cut_prefix(&name, "lxc.payload.") && !is_word(parent, "lxc") && !is_word(parent, "lxc.payload"))
		return false;
	if (!consists_of(&name, DIGITS LETTERS "._-"))
		return false;
	found->container = name;
	found->runtime = RUNTIME_LXC;
	return true;
}

/* "machine-qemu\x2d1\x2dNAME.scope" is how libvirt names a virtual machine, "lxc" instead of "qemu" a container. */
static bool is_libvirt(const struct piece *name, const char *driver)
{
	struct piece rest = *name;

	return cut_prefix(&rest, driver) && cut_prefix(&rest, "\\x2d") && rest.length && rest.text[0] >= '0' &&
	       rest.text[0] <= '9';
}

static bool find_machine(const struct piece *part, const struct piece *parent, struct findings *found)
{
	struct piece name = *part;

	if (!is_word(parent, "machine.slice"))
		return false;
	if (!(cut_prefix(&name, "systemd-nspawn@") && cut_suffix(&name, ".service")) &&
	    !(cut_prefix(&name, "machine-") && cut_suffix(&name, ".scope")))
		return false;
	if (!consists_of(&name, DIGITS LETTERS "._\\-") || is_libvirt(&name, "qemu"))
		return false;
	found->container = name;
	found->runtime = is_libvirt(&name, "lxc") ? RUNTIME_UNKNOWN : RUNTIME_SYSTEMD_NSPAWN;
	return true;
}

static void find_container(const struct piece *part, const struct piece *parent, struct findings *found)
{
	struct piece name = *part;

	(void)(cut_suffix(&name, ".scope") || cut_suffix(&name, ".service"));
	if (find_named_id(&name, found) || find_bare_id(&name, parent, found))
		return;
	(void)(find_lxc(part, parent, found) || find_machine(part, parent, found));
}

/* "8-4-4-4-12" digits; a slice's name has "_" for "-", which in it means a level. */
static bool is_uuid(const struct piece *piece, char dash)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	if (piece->length != UUID_LENGTH)
		return false;
	for (size_t i = 0; i < UUID_LENGTH; i++) {
		char c = piece->text[i];

		if (form[i] == '-' ? c != dash : !c || !strchr("0123456789abcdef", c))
			return false;
	}
	return true;
}

static bool is_pod_uid(const struct piece *piece, char dash)
{
	return is_uuid(piece, dash) || (piece->length == STATIC_POD_LENGTH && consists_of(piece, "0123456789abcdef"));
}

/* "podUID", "kubepods-burstable-podUID.slice", and the latter with ":cri-containerd:ID" behind it. */
static void find_pod(const struct piece *part, struct findings *found)
{
	const char *colon = memchr(part->text, ':', part->length);
	struct piece name = *part, plain = *part;
	const char *dash;

	if (cut_prefix(&plain, "pod") && is_pod_uid(&plain, '-')) {
		found->pod = plain;
		return;
	}
	if (colon)
		name.length = (size_t)(colon - part->text);
	if (!cut_suffix(&name, ".slice"))
		return;
	dash = memrchr(name.text, '-', name.length);
	if (!dash)
		return;
	name.length -= (size_t)(dash + 1 - name.text);
	name.text = dash + 1;
	if (cut_prefix(&name, "pod") && is_pod_uid(&name, '_'))
		found->pod = name;
}

static const char *keep(char **texts, const struct piece *piece)
{
	char *start = *texts;

	if (!piece->text)
		return NULL;
	memcpy(start, piece->text, piece->length);
	start[piece->length] = '\0';
	*texts += piece->length + 1;
	return start;
}

/* "\\x2d" stands for "-" (systemd-escape(1)); no other byte of a machine's name is ever escaped. */
static void unescape_dashes(char *text)
{
	while ((text = strstr(text, "\\x2d"))) {
		*text++ = '-';
		memmove(text, text + 3, strlen(text + 3) + 1);
	}
}

static void keep_all(const struct findings *found, char *texts, struct process_cgroup *ret)
{
	char *container = texts;

	ret->runtime = found->runtime;
	ret->container_id = keep(&texts, &found->container);
	if (found->runtime == RUNTIME_SYSTEMD_NSPAWN)
		unescape_dashes(container);
	ret->unit = keep(&texts, &found->unit);
	ret->user_unit = keep(&texts, &found->user_unit);
	ret->slice = keep(&texts, &found->slice);
	if (found->pod.text) {
		char *dash = texts;

		ret->pod_uid = keep(&texts, &found->pod);
		while ((dash = strchr(dash, '_')))
			*dash = '-';
	}
}

void cgroup_path_parse(const char *path, char *texts, struct process_cgroup *ret)
{
	struct findings found = {.runtime = RUNTIME_NONE, .in_units = true};
	struct piece parent = {.text = "", .length = 0};

	*ret = (struct process_cgroup){.id = ret->id, .path = path, .path_truncated = ret->path_truncated};
	if (*path != '/')
		return;
	while (*path == '/') {
		struct piece part = {.text = path + 1, .length = strcspn(path + 1, "/")};

		path = part.text + part.length;
		if (!part.length)
			continue;
		if (part.length <= PART_MAX) {
			find_unit(&part, &found);
			find_container(&part, &parent, &found);
			find_pod(&part, &found);
		} else {
			found.in_units = found.in_user = false;
		}
		parent = part;
	}
	keep_all(&found, texts, ret);
}
