/*
 * The log: one escaped line, one write.
 */
#include "log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "buf.h"
#include "json_rune.h"

static const char *const log_names[] = { "error", "warn", "info", "debug" };
static enum log_level log_most = LOG_INFO;
static bool log_json;

void
log_setup(const char *level, const char *format)
{
	for (unsigned i = 0; i < 4; i++)
		if (strcmp(level, log_names[i]) == 0)
			log_most = (enum log_level)i;
	if (strcmp(format, "json") == 0 || strcmp(format, "text") == 0)
		log_json = format[0] == 'j';
}

bool
log_wants(enum log_level level)
{
	return level <= log_most;
}

static void
log_time(char *out, size_t size)
{
	struct timespec now;
	struct tm tm;
	char day[32];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out, size, "%s.%03ldZ", day, now.tv_nsec / 1000000);
}

static void
log_escape_text(struct buf *line, const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (*p < 0x20 || *p > 0x7e)
			buf_printf(line, "\\x%02x", *p);
		else
			buf_char(line, (char)*p);
	}
}

static void
log_escape_json(struct buf *line, const char *text)
{
	const char *end = text + strlen(text);
	uint32_t rune;

	while (text < end) {
		rune = json_rune_plain(&text, end);
		if (rune > 0x10ffff)
			rune = 0xfffd;
		if (rune > 0xffff)
			buf_printf(line, "\\u%04x\\u%04x",
			    0xd7c0 + (rune >> 10), 0xdc00 + (rune & 0x3ff));
		else if (rune < 0x20 || rune > 0x7e)
			buf_printf(line, "\\u%04x", rune);
		else if (rune == '"' || rune == '\\')
			buf_printf(line, "\\%c", (char)rune);
		else
			buf_char(line, (char)rune);
	}
}

static void log_write(enum log_level, const char *, const char *, va_list)
    __attribute__((format(printf, 3, 0)));

static void
log_write(enum log_level level, const char *component, const char *fmt,
    va_list ap)
{
	struct buf line = BUF_INIT((size_t)LOG_LINE_MAX * 8);
	char text[LOG_LINE_MAX] = "", when[64];
	int kept = errno;

	if (!log_wants(level))
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	log_time(when, sizeof(when));
	if (log_json)
		buf_printf(&line, "{\"time\":\"%s\",\"level\":\"%s\","
		    "\"component\":\"%s\",\"message\":\"", when,
		    log_names[level], component);
	else
		buf_printf(&line, "%s %s [%s] ", when, log_names[level],
		    component);
	(log_json ? log_escape_json : log_escape_text)(&line, text);
	buf_str(&line, log_json ? "\"}\n" : "\n");
	if (line.data != NULL &&
	    write(STDERR_FILENO, line.data, line.len) < 0) {
		/* nowhere left to say it */
	}
	buf_free(&line);
	errno = kept;	/* who logs a failure may still want to look at it */
}

void
log_error(const char *component, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_write(LOG_ERROR, component, fmt, ap);
	va_end(ap);
}

void
log_warn(const char *component, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_write(LOG_WARN, component, fmt, ap);
	va_end(ap);
}

void
log_info(const char *component, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_write(LOG_INFO, component, fmt, ap);
	va_end(ap);
}

void
log_debug(const char *component, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_write(LOG_DEBUG, component, fmt, ap);
	va_end(ap);
}

void
log_fatal(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_write(LOG_ERROR, "init", fmt, ap);
	va_end(ap);
	exit(1);
}
