/* SPDX-License-Identifier: BSD-2-Clause */
#include "registry/csv_reader.h"

#include <errno.h>
#include <string.h>

#include "registry/text.h"

/* What ended a field. */
enum separator {
	SEPARATOR_COMMA,
	SEPARATOR_RECORD, /* CRLF, or the end of the file */
};

static int put(struct input *input, struct csv_record *record, int byte, char error[REGISTRY_ERROR_LEN])
{
	if (!byte)
		return input_fault(input, input->line, error, "a NUL byte; the file is text");
	/* one byte stays free for the NUL behind the field */
	if (record->used + 1 >= sizeof(record->text))
		return input_fault(input, record->line, error,
				   "the record that begins here is longer than %d bytes; a quote may be missing",
				   CSV_RECORD_MAX);
	record->text[record->used++] = (char)byte;
	return 0;
}

/* The rest of a quoted field, behind the opening quote, up to and with the closing one. */
static int take_quoted(struct input *input, struct csv_record *record, char error[REGISTRY_ERROR_LEN])
{
	uint32_t opened = input->line;

	for (;;) {
		int byte = input_take(input), r;

		if (byte < 0) {
			r = input_ended(input, error);
			return r < 0 ? r
				     : input_fault(input, opened, error,
						   "the quote that opens here is never closed: the file is cut off");
		}
		if (byte == '"') {
			if (input_peek(input) != '"')
				return 0;
			(void)input_take(input);
		}
		r = put(input, record, byte, error);
		if (r < 0)
			return r;
	}
}

static int take_plain(struct input *input, struct csv_record *record, char error[REGISTRY_ERROR_LEN])
{
	for (;;) {
		int byte = input_peek(input), r;

		if (byte < 0 || byte == ',' || byte == '\r' || byte == '\n')
			return 0;
		if (byte == '"')
			return input_fault(input, input->line, error,
					   "a quote inside of a field that does not begin with one; such a field is "
					   "quoted whole, with \"\" for each quote");
		r = put(input, record, input_take(input), error);
		if (r < 0)
			return r;
	}
}

/* What stands behind a field. 0 or -errno. */
static int take_separator(struct input *input, enum separator *ret, char error[REGISTRY_ERROR_LEN])
{
	uint32_t line = input->line;
	int byte = input_take(input);

	*ret = byte == ',' ? SEPARATOR_COMMA : SEPARATOR_RECORD;
	if (byte < 0)
		return input_ended(input, error);
	if (byte == ',' || (byte == '\r' && input_take(input) == '\n'))
		return 0;
	if (byte == '\r')
		return input_fault(input, line, error, "a carriage return without a line feed; a record ends in both");
	if (byte == '\n')
		return input_fault(input, line, error,
				   "a line feed without a carriage return; records end in both, and inside of a field "
				   "it stands in quotes");
	return input_fault(input, line, error, "text behind a closing quote; a comma or the line's end is wanted");
}

/* Takes one field with its separator; *ret_at: where in record->text it begins. */
static int take_field(struct input *input, struct csv_record *record, size_t *ret_at, enum separator *ret_separator,
		      char error[REGISTRY_ERROR_LEN])
{
	uint32_t line = input->line;
	size_t at = record->used, bad;
	int r;

	if (input_peek(input) == '"') {
		(void)input_take(input);
		r = take_quoted(input, record, error);
	} else {
		r = take_plain(input, record, error);
	}
	if (r < 0)
		return r;
	bad = at + text_check(record->text + at, record->used - at, true);
	if (bad < record->used) {
		for (size_t i = at; i < bad; i++)
			line += record->text[i] == '\n';
		return input_fault(input, line, error,
				   "the byte 0x%02x begins no character that this file may hold; it is UTF-8 without "
				   "control characters",
				   (unsigned char)record->text[bad]);
	}
	if (record->used + 1 >= sizeof(record->text))
		return put(input, record, ' ', error);
	record->text[record->used++] = '\0';
	*ret_at = at;
	return take_separator(input, ret_separator, error);
}

int csv_next(struct input *input, struct csv_record *record, char error[REGISTRY_ERROR_LEN])
{
	enum separator separator = SEPARATOR_COMMA;
	unsigned int columns = 0;

	record->line = input->line;
	record->used = 0;
	if (input_peek(input) < 0)
		return input_ended(input, error);
	while (separator == SEPARATOR_COMMA) {
		size_t at = 0;
		int r = take_field(input, record, &at, &separator, error);

		if (r < 0)
			return r;
		if (columns < CSV_COLUMNS)
			record->fields[columns] = record->text + at;
		columns++;
	}
	if (input->error)
		return input_ended(input, error);
	if (columns != CSV_COLUMNS)
		return input_fault(input, record->line, error, "%u column%s; each record has %d", columns,
				   columns == 1 ? "" : "s", CSV_COLUMNS);
	return 1;
}
