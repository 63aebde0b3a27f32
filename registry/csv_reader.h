/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * CSV by RFC 4180, strictly: records end in CRLF, inside of quotes stand bare line feeds and doubled quotes, outside of
 * them no quote. One record in memory at a time.
 */
#ifndef REGISTRY_CSV_READER_H
#define REGISTRY_CSV_READER_H

#include "registry/input.h"

/* Columns of IANA's file. */
#define CSV_COLUMNS 12

/* The longest record of the official file has 1,600 bytes. */
#define CSV_RECORD_MAX 16384

struct csv_record {
	uint32_t line;			 /* where it begins */
	const char *fields[CSV_COLUMNS]; /* into text: UTF-8, with line feeds and tabs, no other control characters */
	size_t used;
	char text[CSV_RECORD_MAX];
};

/*
 * Reads the next record, which must have CSV_COLUMNS fields. 1; 0 at the end of the file; or -errno with a message in
 * error, and the record undefined.
 */
int csv_next(struct input *input, struct csv_record *record, char error[REGISTRY_ERROR_LEN]);

#endif
