/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "user/cli/watch.h"

/* How long a reader that does not read is waited for after a signal. */
#define STOP_WAIT_MS 1000

/* The buffer is written when two events might not fit any more: what is beyond that gathers. */
#define OUTPUT_BYTES (2 * ENCODE_EVENT_MAX + (64U << 10))

int watch_open_output(struct watch *watch)
{
	bool terminal = isatty(STDOUT_FILENO);
	const char *kind = getenv("TERM"), *no_color = getenv("NO_COLOR");
	struct winsize size;

	if (encode_host_init(&watch->host, registry_date(watch->registry)) < 0)
		return cli_error("cannot read the host's name or /proc/sys/kernel/random/boot_id: is /proc mounted?");
	/* without a thread, where none can be had, a name service that hangs would be waited for: numbers must do */
	if (user_cache_begin_thread(&watch->users) == 0)
		watch->host.users = &watch->users;
	watch->host.local_time = true;
	watch->host.wide = watch->options.wide;
	/* no-color.org: set, and not to the empty string */
	watch->host.color = terminal && !(no_color && *no_color) && kind && strcmp(kind, "dumb") != 0;
	if (terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 2)
		watch->screen = size.ws_row - 2;
	watch->output.data = malloc(OUTPUT_BYTES);
	watch->output.size = OUTPUT_BYTES;
	return watch->output.data ? 0 : cli_error("out of memory");
}

/*
 * Waits until the output takes more. A reader that is slow is waited for, and the ring buffer holds what comes
 * meanwhile; but once a signal or the end of --for has come the wait has an end: a monitor that is told to stop must
 * not hang on a pipe that nobody reads. false: that end was reached.
 */
static bool output_ready(struct watch *watch)
{
	struct pollfd fds[] = {{STDOUT_FILENO, POLLOUT, 0}, {watch->signals, POLLIN, 0}};
	int64_t now = watch_milliseconds();

	while (!fds[0].revents && !fds[1].revents && now < watch->end_at) {
		(void)poll(fds, 2, READ_INTERVAL_MS);
		now = watch_milliseconds();
		if (now < watch->losses_at)
			continue;
		watch_tell_losses(watch);
		watch->losses_at = now + LOSS_INTERVAL_MS;
	}
	return fds[0].revents || poll(fds, 1, STOP_WAIT_MS) > 0;
}

/* How much to write at once: what a pipe that polls writable takes without blocking (pipe(7)), in whole lines. */
static size_t piece_of(const char *data, size_t size)
{
	const char *end;

	if (size <= PIPE_BUF)
		return size;
	end = memrchr(data, '\n', PIPE_BUF);
	return end ? (size_t)(end - data) + 1 : PIPE_BUF;
}

/* Writes the buffer out. */
void watch_flush(struct watch *watch)
{
	struct encode_buffer *output = &watch->output;
	size_t done = 0;

	while (done < output->used && watch->end != PIPE_CLOSED && watch->end != FAILED) {
		ssize_t n;

		if (!output_ready(watch)) {
			watch->end = FAILED;
			(void)cli_error("stopped while nobody read the output: %zu bytes were not written",
			                output->used - done);
			break;
		}
		n = write(STDOUT_FILENO, output->data + done, piece_of(output->data + done, output->used - done));
		if (n >= 0) {
			done += n;
		} else if (errno == EPIPE) {
			watch->end = PIPE_CLOSED;
		} else if (errno != EINTR && errno != EAGAIN) {
			(void)cli_error("cannot write the output: %s", strerror(errno));
			watch->end = FAILED;
		}
	}
	for (; done < output->used; done++)
		watch->not_written += output->data[done] == '\n';
	output->used = 0;
}

static void show_header(struct watch *watch)
{
	const struct encoder *encoder = watch->options.encoder;

	if (!encoder->header || (watch->sequence && (!watch->screen || watch->since_header < watch->screen)))
		return;
	(void)encoder->header(&watch->host, &watch->output);
	watch->since_header = 0;
}

void watch_judge(struct watch *watch, struct event *event)
{
	policy_judge(watch->policy, event);
	if (event->verdict.verdict != VERDICT_ALERT)
		return;
	policy_reason(watch->policy, event, &watch->users, watch->reason);
	event->verdict.reason = watch->reason;
}

void watch_show(struct watch *watch, struct event *event)
{
	if (watch->output.size - watch->output.used < 2 * ENCODE_EVENT_MAX)
		watch_flush(watch);
	show_header(watch);
	event->sequence = ++watch->sequence;
	/* cannot fail: there is room for the longest */
	(void)watch->options.encoder->event(&watch->host, event, &watch->output);
	watch->since_header++;
	watch->alerts += event->verdict.verdict == VERDICT_ALERT;
}
