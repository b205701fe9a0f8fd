#ifndef LOG_H
#define LOG_H
/*
 * Log lines on standard error, one write(2) each, so that the lines of
 * several processes never mix. A message is cut at LOG_LINE_MAX bytes and made
 * ASCII, so that no text from outside can forge a line: control characters and
 * bytes over 0x7e are \xNN, in JSON the characters are \uNNNN, and what is no
 * UTF-8 is \ufffd.
 *
 *   text  2026-01-26T12:00:00.000Z info [config] version 7, url https://…
 *   json  {"time":"…","level":"info","component":"config","message":"…"}
 */
#include <stdarg.h>
#include <stdbool.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

enum { LOG_LINE_MAX = 4096 };

/* level: "error", "warn", "info" or "debug"; format: "text" or "json".
 * Anything else leaves the present one. Before it is called: info, text. */
void log_setup(const char *level, const char *format);

/* Whether a line of that level would be written. */
bool log_wants(enum log_level);

/* component: one word, "config", "http", "init" …; no newline in fmt. */
void log_error(const char *component, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void log_warn(const char *component, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void log_info(const char *component, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void log_debug(const char *component, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* At start-up, or where a program cannot go on at all: logs an error of
 * component "init" and exits with 1. */
void log_fatal(const char *fmt, ...)
    __attribute__((format(printf, 1, 2), noreturn));

#endif
