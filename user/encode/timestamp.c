/* SPDX-License-Identifier: BSD-2-Clause */
#include "user/encode/timestamp.h"

#include <time.h>

#define SECOND_NS   1000000000U
#define DAY_SECONDS 86400U

/* The Gregorian calendar repeats after 400 years. */
#define ERA_DAYS 146097U

/* From 0000-03-01 to 1970-01-01. A year that begins in March has its leap day, if any, as its last. */
#define EPOCH_DAYS 719468U

/* By arithmetic: gmtime_r() takes the lock of the time zone's state, once an event. */
static void write_date(struct writer *writer, uint64_t days_since_1970)
{
	uint64_t days = days_since_1970 + EPOCH_DAYS;
	uint64_t era = days / ERA_DAYS, day_of_era = days % ERA_DAYS;
	/* 365 days a year, and one more each 4 years, but not each 100, but each 400 */
	uint64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	uint64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	/* from March on, five months have 153 days, again and again */
	uint64_t month_from_march = (5 * day_of_year + 2) / 153;
	uint64_t day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
	uint64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;

	writer_digits(writer, era * 400 + year_of_era + (month <= 2), 4);
	writer_char(writer, '-');
	writer_digits(writer, month, 2);
	writer_char(writer, '-');
	writer_digits(writer, day, 2);
}

static void write_time(struct writer *writer, uint64_t second_of_day)
{
	writer_digits(writer, second_of_day / 3600, 2);
	writer_char(writer, ':');
	writer_digits(writer, second_of_day / 60 % 60, 2);
	writer_char(writer, ':');
	writer_digits(writer, second_of_day % 60, 2);
	writer_char(writer, '.');
}

void timestamp_write_utc(struct writer *writer, uint64_t time_ns)
{
	uint64_t seconds = time_ns / SECOND_NS;

	write_date(writer, seconds / DAY_SECONDS);
	writer_char(writer, 'T');
	write_time(writer, seconds % DAY_SECONDS);
	writer_digits(writer, time_ns % SECOND_NS, 9);
	writer_char(writer, 'Z');
}

void timestamp_write_clock(struct writer *writer, uint64_t time_ns, bool local)
{
	time_t seconds = (time_t)(time_ns / SECOND_NS);
	uint64_t second_of_day = (uint64_t)seconds % DAY_SECONDS;
	struct tm parts;

	if (local && localtime_r(&seconds, &parts))
		second_of_day = (uint64_t)(parts.tm_hour * 3600 + parts.tm_min * 60 + parts.tm_sec);
	write_time(writer, second_of_day);
	writer_digits(writer, time_ns % SECOND_NS / 1000000, 3);
}
