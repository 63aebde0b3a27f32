/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/base/phrase.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "user/base/visible.h"

#define ELLIPSIS     "..."
#define ELLIPSIS_LEN (sizeof(ELLIPSIS) - 1)

/* One piece of phrase_format(): words and numbers of our own. */
#define FORMAT_MAX 256

void phrase_begin(struct phrase *phrase, char *text, size_t size)
{
	*phrase = (struct phrase){.text = text, .size = size};
	text[0] = '\0';
}

/* A piece that must not be torn: a character, or an escape. Room for the ellipsis is always kept. */
static void append(struct phrase *phrase, const char *piece, size_t len)
{
	if (phrase->full)
		return;
	if (phrase->used + len + ELLIPSIS_LEN + 1 > phrase->size) {
		phrase->full = true;
		piece = ELLIPSIS;
		len = ELLIPSIS_LEN;
	}
	memcpy(phrase->text + phrase->used, piece, len);
	phrase->used += len;
	phrase->text[phrase->used] = '\0';
}

void phrase_text(struct phrase *phrase, const char *text)
{
	for (; *text && !phrase->full; text++)
		append(phrase, text, 1);
}

void phrase_format(struct phrase *phrase, const char *format, ...)
{
	char piece[FORMAT_MAX];
	va_list arguments;

	va_start(arguments, format);
	(void)vsnprintf(piece, sizeof(piece), format, arguments);
	va_end(arguments);
	phrase_text(phrase, piece);
}

void phrase_visible(struct phrase *phrase, const char *text, size_t len)
{
	while (len && !phrase->full) {
		char form[VISIBLE_MAX];
		size_t taken, size = visible_next(text, len, VISIBLE_BACKSLASH, form, &taken);

		append(phrase, form, size);
		text += taken;
		len -= taken;
	}
}
