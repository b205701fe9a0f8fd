#include "unit.h"

#include <fcntl.h>
#include <sys/wait.h>

#include "../../lib/log.c"
#include "../../lib/json.h"

static char got[LOG_LINE_MAX * 8];
static int error_kept, pipe_end;

static void
capture(void)
{
	int ends[2];

	if (pipe(ends) < 0 ||
	    fcntl(ends[1], F_SETPIPE_SZ, (int)sizeof(got)) < 0)
		_exit(1);
	error_kept = dup(STDERR_FILENO);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	pipe_end = ends[0];
}

/* What was written since capture: by one write(2), for there is one read. */
static const char *
captured(void)
{
	ssize_t n;

	dup2(error_kept, STDERR_FILENO);
	close(error_kept);
	n = read(pipe_end, got, sizeof(got) - 1);
	got[n > 0 ? n : 0] = '\0';
	close(pipe_end);
	return got;
}

/* The line without its time, which has to look like one. */
static const char *
after_time(const char *line)
{
	static const char shape[] = "dddd-dd-ddTdd:dd:dd.dddZ ";

	for (size_t i = 0; shape[i] != '\0'; i++) {
		if (shape[i] == 'd' && (line[i] < '0' || line[i] > '9'))
			return "no time";
		if (shape[i] != 'd' && line[i] != shape[i])
			return "no time";
	}
	return line + sizeof(shape) - 1;
}

UNIT("a line has a time, a level, a component and the message")
{
	capture();
	log_info("config", "version %d, url %s", 7, "https://ip.me");
	CHECK_TEXT(after_time(captured()),
	    "info [config] version 7, url https://ip.me\n");
	capture();
	log_error("init", "no");
	CHECK_TEXT(after_time(captured()), "error [init] no\n");
}

UNIT("levels above the one that was set are silent")
{
	static const char *const levels[] = { "error", "warn", "info",
		"debug" };

	for (int most = 0; most < 4; most++) {
		char seen[200] = "";

		log_setup(levels[most], "text");
		log_setup("nonsense", "");
		capture();
		log_error("x", "%s", "0");
		log_warn("x", "%s", "1");
		log_info("x", "%s", "2");
		log_debug("x", "%s", "3");
		captured();
		for (const char *p = got; *p != '\0';
		    p += strcspn(p, "\n") + 1)
			strncat(seen, p + strcspn(p, "\n") - 1, 1);
		CHECK_INT(strlen(seen), most + 1);
		CHECK(strncmp(seen, "0123", strlen(seen)) == 0);
		CHECK(log_wants(LOG_ERROR));
		CHECK_INT(log_wants(LOG_DEBUG), most == 3);
	}
	log_setup("info", "text");
}

UNIT("no text from outside can forge a line")
{
	char all[256];

	for (int i = 1; i < 256; i++)
		all[i - 1] = (char)i;
	all[255] = '\0';
	capture();
	log_info("http", "%s", "a\nb\r\x1b[31m\x7f\xc3\xa9\\x0a");
	CHECK_TEXT(after_time(captured()), "info [http] a\\x0ab\\x0d"
	    "\\x1b[31m\\x7f\\xc3\\xa9\\x0a\n");
	capture();
	log_info("http", "%s", all);
	captured();
	CHECK_INT(strcspn(got, "\n"), strlen(got) - 1);
	for (const char *p = got; p[1] != '\0'; p++)
		CHECK(*p >= 0x20 && *p <= 0x7e);
}

UNIT("the JSON form is JSON, whatever was logged")
{
	char all[256];
	struct json_error why;
	struct json *j;
	const char *text;

	for (int i = 1; i < 256; i++)
		all[i - 1] = (char)i;
	all[255] = '\0';
	log_setup("", "json");
	capture();
	log_warn("http", "%s", all);
	captured();
	log_setup("", "text");
	j = json_parse(got, strlen(got), &why);
	CHECK(j != NULL);
	CHECK_TEXT(json_text(json_get(j, "level")), "warn");
	CHECK_TEXT(json_text(json_get(j, "component")), "http");
	CHECK_INT(strlen(json_text(json_get(j, "time"))), 24);
	text = json_text(json_get(j, "message"));
	CHECK(strncmp(text, "\x01\x02", 2) == 0);
	CHECK(strstr(text, " !\"#$%&'()*+,-./") != NULL);
	CHECK(strstr(text, "[\\]^_`") != NULL);
	json_free(j);
	CHECK_INT(strcspn(got, "\n"), strlen(got) - 1);
}

UNIT("the JSON form keeps the characters of a text, and is ASCII")
{
	static const char said[] = "/srv/\xc3\xa9t\xc3\xa9 \xe2\x80\xa6 "
	    "\xf0\x9f\x98\x80 \xf4\x8f\xbf\xbf.";
	size_t len = sizeof(said) - 1;
	struct json_error why;
	const char *text;
	struct json *j;

	log_setup("", "json");
	capture();
	log_info("http", "%s|\xc3|\xff|\xed\xa0\x80", said);
	captured();
	log_setup("", "text");
	for (const char *p = got; p[1] != '\0'; p++)
		CHECK(*p >= 0x20 && *p <= 0x7e);
	j = json_parse(got, strlen(got), &why);
	CHECK(j != NULL);
	text = json_text(json_get(j, "message"));
	CHECK(strncmp(text, said, len) == 0);
	CHECK_TEXT(text + len, "|\xef\xbf\xbd|\xef\xbf\xbd|"
	    "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
	json_free(j);
}

UNIT("a long message is cut, in one line and one write")
{
	char big[2 * LOG_LINE_MAX];

	memset(big, '\n', sizeof(big));
	big[sizeof(big) - 1] = '\0';
	for (int json = 0; json < 2; json++) {
		log_setup("", json ? "json" : "text");
		capture();
		log_info("http", "%s", big);
		captured();
		CHECK(strlen(got) > 4 * (LOG_LINE_MAX - 1));
		CHECK_INT(strcspn(got, "\n"), strlen(got) - 1);
	}
	CHECK(json_check(got, strlen(got), NULL));
	log_setup("", "text");
}

UNIT("a failure stays in errno while it is logged")
{
	capture();
	errno = ENOTTY;
	log_info("x", "y");
	CHECK_INT(errno, ENOTTY);
	captured();
}

UNIT("a fatal error ends the program with 1")
{
	int status = 0;
	pid_t pid;

	capture();
	pid = fork();
	if (pid == 0)
		log_fatal("PORT: %s", "no");
	waitpid(pid, &status, 0);
	CHECK_TEXT(after_time(captured()), "error [init] PORT: no\n");
	CHECK(WIFEXITED(status));
	CHECK_INT(WEXITSTATUS(status), 1);
}

UNIT_MAIN
