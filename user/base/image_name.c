/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/base/image_name.h"

#include <string.h>

#define ID_DIGITS 64 /* of a SHA-256 */

bool image_name_is_sound(const char *text)
{
	static const char bytes[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                            "._-+:/@[]"; /* the brackets: a registry by its IPv6 address */
	size_t length = strnlen(text, IMAGE_NAME_MAX);

	return length != 0 && length < IMAGE_NAME_MAX && strspn(text, bytes) == length;
}

static bool is_id(const struct image_name *parts)
{
	static const char algorithm[] = "sha256";

	return parts->tag_length == ID_DIGITS && parts->name_length == sizeof(algorithm) - 1 &&
	       memcmp(parts->name, algorithm, parts->name_length) == 0;
}

struct image_name image_name_split(const char *text)
{
	struct image_name parts = {.name = text, .name_length = strlen(text)}, whole;
	const char *at = strchr(text, '@'), *slash, *colon;

	if (at && at != text && at[1]) {
		parts.digest = at + 1;
		parts.digest_length = strlen(at + 1);
		parts.name_length = (size_t)(at - text);
	}
	whole = parts;
	/* before the last slash it is the port of a registry */
	slash = memrchr(text, '/', parts.name_length);
	colon = memrchr(text, ':', parts.name_length);
	if (!colon || colon == text || (slash && colon < slash))
		return whole;
	parts.tag = colon + 1;
	parts.tag_length = (size_t)(text + parts.name_length - parts.tag);
	parts.name_length = (size_t)(colon - text);
	return parts.tag_length && !is_id(&parts) ? parts : whole;
}
