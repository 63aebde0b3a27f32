/* SPDX-License-Identifier: BSD-2-Clause */
/* The small forms that the registry's files are made of: each checked, none trusted. */
#ifndef REGISTRY_TEXT_H
#define REGISTRY_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "registry/registry.h"

/*
 * RFC 6335, section 5.1 allows 15 characters; official files up to 2014 hold names of 36 with blanks in them
 * ("Apple Remote Desktop (Net Assistant)").
 */
#define TEXT_NAME_MAX 64

/* All transports of the registry, as a mask of (1 << enum registry_transport). */
#define TEXT_ALL_TRANSPORTS ((1U << REGISTRY_TRANSPORTS) - 1)

/* A value of a file as a message quotes it: escaped as user/base/visible.h says, "..." behind it where it was cut. */
#define TEXT_QUOTE_LEN 64
struct text_quote {
	char text[TEXT_QUOTE_LEN];
};
struct text_quote text_quote(const char *value);

/*
 * The offset of the first byte of text that no registry may hold, or len: not valid UTF-8 (RFC 3629), a control,
 * bidirectional or invisible character. Line breaks and tabs pass where `multiline`.
 */
size_t text_check(const char *text, size_t len, bool multiline);

/* Makes one line of it, in place: each run of blanks and line breaks becomes one space, none at the ends. */
void text_one_line(char *text);

/*
 * "2014-05-23", "2014-05" or "" as the number YYYYMMDD of registry.h. 0; -EINVAL: neither, or no day of the calendar.
 */
int text_date(const char *text, uint32_t *ret);

/* The reverse of text_date(): 0 gives "". */
void text_date_write(uint32_t date, char out[11]);

/* "80", "6000-6063" or (IANA has it) "4748-4748": 0-65535, without leading zeros, not falling. 0 or -EINVAL. */
int text_ports(const char *text, uint16_t *ret_first, uint16_t *ret_last);

/* "tcp". 0 or -EINVAL. */
int text_transport(const char *text, enum registry_transport *ret);

/* A service name: 1 to TEXT_NAME_MAX printable ASCII characters, no '|' (it separates names in the snapshot). */
bool text_name_valid(const char *name);

/* Without regard to ASCII case in any locale; RFC 6335, section 5.1. */
bool text_equal(const char *a, const char *b);
bool text_begins(const char *text, const char *beginning);
const char *text_find(const char *text, const char *part);

#endif
