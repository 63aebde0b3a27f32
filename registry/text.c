/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "user/base/number.h"
#include "user/base/visible.h"

/* No assignment is older than the first RFC. */
#define YEAR_MIN 1969

struct text_quote text_quote(const char *value)
{
	struct text_quote quote;
	size_t used = 0, len = strlen(value);

	while (len) {
		char form[VISIBLE_MAX];
		size_t taken, size = visible_next(value, len, 0, form, &taken);

		if (used + size + sizeof("...") > sizeof(quote.text)) {
			memcpy(quote.text + used, "...", 3);
			used += 3;
			break;
		}
		memcpy(quote.text + used, form, size);
		used += size;
		value += taken;
		len -= taken;
	}
	quote.text[used] = '\0';
	return quote;
}

size_t text_check(const char *text, size_t len, bool multiline)
{
	size_t at = 0;

	while (at < len) {
		char form[VISIBLE_MAX];
		size_t taken, size;

		if ((text[at] >= ' ' && text[at] <= '~') || (multiline && (text[at] == '\n' || text[at] == '\t'))) {
			at++;
			continue;
		}
		size = visible_next(text + at, len - at, 0, form, &taken);
		if (size != taken || memcmp(form, text + at, size) != 0)
			return at;
		at += taken;
	}
	return at;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

void text_one_line(char *text)
{
	char *out = text;

	for (const char *in = text; *in; in++) {
		if (!is_blank(*in))
			*out++ = *in;
		else if (out != text && out[-1] != ' ')
			*out++ = ' ';
	}
	if (out != text && out[-1] == ' ')
		out--;
	*out = '\0';
}

/* digits characters of text as a number, or UINT32_MAX */
static uint32_t digits_parse(const char *text, size_t digits)
{
	uint32_t value = 0;

	for (size_t i = 0; i < digits; i++) {
		if (text[i] < '0' || text[i] > '9')
			return UINT32_MAX;
		value = value * 10 + (uint32_t)(text[i] - '0');
	}
	return value;
}

int text_date(const char *text, uint32_t *ret)
{
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	size_t len = strlen(text);
	uint32_t year, month, day = 0, last;

	if (!len) {
		*ret = 0;
		return 0;
	}
	if ((len != 7 && len != 10) || text[4] != '-' || (len == 10 && text[7] != '-'))
		return -EINVAL;
	year = digits_parse(text, 4);
	month = digits_parse(text + 5, 2);
	if (year < YEAR_MIN || year > 9999 || month < 1 || month > 12)
		return -EINVAL;
	if (len == 10) {
		last = days[month - 1];
		if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0))
			last++;
		day = digits_parse(text + 8, 2);
		if (day < 1 || day > last)
			return -EINVAL;
	}
	*ret = year * 10000 + month * 100 + day;
	return 0;
}

void text_date_write(uint32_t date, char out[11])
{
	uint32_t year = date / 10000 % 10000, month = date / 100 % 100, day = date % 100;

	out[0] = '\0';
	if (day)
		(void)snprintf(out, 11, "%04u-%02u-%02u", year, month, day);
	else if (month)
		(void)snprintf(out, 11, "%04u-%02u", year, month);
}

static int port_parse(const char *text, size_t len, uint16_t *ret)
{
	char number[6];
	uint64_t value;

	if (!len || len >= sizeof(number) || (len > 1 && text[0] == '0'))
		return -EINVAL;
	memcpy(number, text, len);
	number[len] = '\0';
	if (number_parse(number, 0, 65535, &value) < 0)
		return -EINVAL;
	*ret = (uint16_t)value;
	return 0;
}

int text_ports(const char *text, uint16_t *ret_first, uint16_t *ret_last)
{
	const char *dash = strchr(text, '-');
	uint16_t first, last;

	if (port_parse(text, dash ? (size_t)(dash - text) : strlen(text), &first) < 0)
		return -EINVAL;
	last = first;
	if (dash && (port_parse(dash + 1, strlen(dash + 1), &last) < 0 || first > last))
		return -EINVAL;
	*ret_first = first;
	*ret_last = last;
	return 0;
}

int text_transport(const char *text, enum registry_transport *ret)
{
	for (unsigned int t = 0; t < REGISTRY_TRANSPORTS; t++) {
		if (strcmp(text, registry_transport_name((enum registry_transport)t)) == 0) {
			*ret = (enum registry_transport)t;
			return 0;
		}
	}
	return -EINVAL;
}

bool text_name_valid(const char *name)
{
	size_t len = strlen(name);

	if (!len || len > TEXT_NAME_MAX || name[0] == ' ' || name[len - 1] == ' ')
		return false;
	for (; *name; name++)
		if (*name < ' ' || *name > '~' || *name == '|')
			return false;
	return true;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool text_begins(const char *text, const char *beginning)
{
	for (; *beginning; text++, beginning++)
		if (lower(*text) != lower(*beginning))
			return false;
	return true;
}

bool text_equal(const char *a, const char *b)
{
	return text_begins(a, b) && strlen(a) == strlen(b);
}

const char *text_find(const char *text, const char *part)
{
	for (; *text; text++)
		if (text_begins(text, part))
			return text;
	return NULL;
}
