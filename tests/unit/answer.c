/*
 * What the controller and the worker say, well and badly.
 */
#include "unit.h"

#include <stdlib.h>

#include "../../agent/ack.c"
#include "../../agent/answer.c"
#include "../../agent/words.c"

#define JSON "application/json"
#define ID "0b9cf4ac-6a43-4a0f-9bd8-21d1f2a70c7e"

static const char *type, *etag, *later, *interval;
static struct buf said = BUF_INIT(65536);

static const char *
header_of(const struct fetch *fetch, const char *name)
{
	(void)fetch;
	if (strcmp(name, "Content-Type") == 0)
		return type;
	if (strcmp(name, "ETag") == 0)
		return etag;
	if (strcmp(name, "Retry-After") == 0)
		return later;
	return strcmp(name, "X-Poll-Interval-Seconds") == 0 ? interval : NULL;
}

static struct fetch_result
result_of(int status, const char *body)
{
	buf_reset(&said);
	buf_str(&said, body);
	return (struct fetch_result){ .end = FETCH_DONE, .status = status,
		.detail = "", .header = header_of, .body = &said };
}

static struct fetch_result
failure(enum fetch_end end, const char *detail)
{
	struct fetch_result r = result_of(0, "");

	r.end = end;
	r.detail = detail;
	return r;
}

static void
headers(const char *t, const char *e, const char *l, const char *i)
{
	type = t;
	etag = e;
	later = l;
	interval = i;
}

UNIT("a content type is JSON with parameters, suffixes and in any case")
{
	CHECK(answer_is_json(JSON));
	CHECK(answer_is_json("Application/JSON;charset=utf-8"));
	CHECK(answer_is_json("application/json ; charset=utf-8"));
	CHECK(answer_is_json("application/x+json"));
	CHECK(!answer_is_json("application/+json"));
	CHECK(!answer_is_json("text/html"));
	CHECK(!answer_is_json("application/jsonp"));
	CHECK(!answer_is_json("text/json+xml"));
	CHECK(!answer_is_json(""));
	CHECK(!answer_is_json(NULL));
}

UNIT("a poll's answer: a configuration, or the same as before")
{
	struct fetch_result r = result_of(200,
	    "{\"version\":7,\"data\":{},\"poll_interval_seconds\":9}");
	struct answer a;

	headers(JSON, "\"7-x\"", "60", "30");
	answer_poll(&a, &r, false);
	CHECK_INT(a.kind, ANSWER_GOOD);
	CHECK_INT(a.config.version, 7);
	CHECK_TEXT(a.config.etag, "\"7-x\"");
	CHECK_INT(a.interval, 9);	/* the body's */
	CHECK_INT(a.retry_after, -1);
	answer_free(&a);
	r = result_of(304, "");
	answer_poll(&a, &r, true);
	CHECK_INT(a.kind, ANSWER_SAME);
	CHECK_INT(a.interval, 30);
	answer_free(&a);
	answer_poll(&a, &r, false);	/* nobody asked for that */
	CHECK_INT(a.kind, ANSWER_FAILED);
	answer_free(&a);
}

UNIT("an interval in a header counts only when it is one")
{
	static const char *const bad[] = { "0", "-1", "1.5", "86401", " 5",
		"5 ", "", "99999999999999999999", NULL };
	struct fetch_result r = result_of(304, "");
	struct answer a;

	for (int i = 0; i < 9; i++) {
		headers(NULL, NULL, NULL, bad[i]);
		answer_poll(&a, &r, true);
		CHECK_INT(a.interval, 0);
	}
}

UNIT("refusals keep their words, their status and when to come again")
{
	struct fetch_result r = result_of(503, "{\"detail\":\"busy\"}");
	struct answer a;

	headers("application/problem+json", NULL, "7", NULL);
	answer_poll(&a, &r, true);
	CHECK_INT(a.kind, ANSWER_FAILED);
	CHECK_INT(a.status, 503);
	CHECK_INT(a.retry_after, 7);
	CHECK_TEXT(a.why, "answered 503 Service Unavailable: busy");
	r = result_of(401, "");
	answer_register(&a, &r, "http://h");
	CHECK_INT(a.kind, ANSWER_DENIED);
	r = result_of(302, "");
	answer_report(&a, &r);
	CHECK_INT(a.kind, ANSWER_FAILED);
	r = result_of(204, "");
	answer_report(&a, &r);
	CHECK_INT(a.kind, ANSWER_GOOD);
	r = result_of(204, "");
	answer_poll(&a, &r, true);
	CHECK_INT(a.kind, ANSWER_FAILED);
	r = failure(FETCH_TIMEOUT, "timed out after 2001 milliseconds here");
	answer_poll(&a, &r, true);
	CHECK_INT(a.kind, ANSWER_FAILED);
	CHECK_INT(a.status, 0);
	CHECK_TEXT(a.why, "timed out here");
}

UNIT("a registration gives id, poll_url, interval and maybe a token")
{
	struct fetch_result r = result_of(200, "{\"agent_id\":\"" ID "\","
	    "\"poll_url\":\"/api/v1/config\",\"poll_interval_seconds\":5,"
	    "\"token\":\"dcm1.x\",\"more\":[1]}");
	struct answer a;

	headers(JSON, NULL, NULL, NULL);
	answer_register(&a, &r, "http://h:8080/mount");
	CHECK_INT(a.kind, ANSWER_GOOD);
	CHECK_TEXT(a.id, ID);
	CHECK_TEXT(a.poll_url, "http://h:8080/api/v1/config");
	CHECK_TEXT(a.token, "dcm1.x");
	CHECK_INT(a.interval, 5);
	answer_free(&a);
	r = result_of(200, "{\"agent_id\":\"" ID "\","
	    "\"poll_url\":\"HTTP://H:8080/config\",\"token\":null}");
	answer_register(&a, &r, "http://h:8080");
	CHECK_INT(a.kind, ANSWER_GOOD);
	CHECK(a.token == NULL);
	CHECK_INT(a.interval, 0);
	answer_free(&a);
}

UNIT("a registration that is not whole, or leads elsewhere, is refused")
{
	static const char *const bad[][2] = {
		{ "", "not JSON" }, { "[]", "not an object" },
		{ "{}", "UUID" }, { "{\"agent_id\":7}", "UUID" },
		{ "{\"agent_id\":\"x\"}", "UUID" },
		{ "{\"agent_id\":\"" ID "\"}", "poll_url" },
		{ "{\"agent_id\":\"" ID "\",\"poll_url\":\"a b\"}",
		    "poll_url" },
		{ "{\"agent_id\":\"" ID "\",\"poll_url\":\"//h/x\"}",
		    "another origin" },
		{ "{\"agent_id\":\"" ID "\",\"poll_url\":"
		    "\"https://h:8080/x\"}", "another origin" },
		{ "{\"agent_id\":\"" ID "\",\"poll_url\":"
		    "\"http://h:8080@evil/x\"}", "another origin" },
		{ "{\"agent_id\":\"" ID "\",\"poll_url\":\"file:///x\"}",
		    "poll_url" },
		{ "{\"agent_id\":\"" ID "\",\"poll_url\":\"/x\","
		    "\"token\":\"a\\r\\nX-Evil: 1\"}", "token" },
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fetch_result r = result_of(200, bad[i][0]);
		struct answer a;

		headers(JSON, NULL, NULL, NULL);
		answer_register(&a, &r, "http://h:8080");
		CHECK_INT(a.kind, ANSWER_FAILED);
		if (strstr(a.why, bad[i][1]) == NULL)
			UNIT_FAIL("%s: %s", bad[i][0], a.why);
		answer_free(&a);
	}
}

UNIT("an acknowledgement is a 2xx that names the version")
{
	static const struct {
		int status;
		const char *body;
		enum ack_kind kind;
	} rows[] = {
		{ 200, "{\"message\":\"ok\",\"version\":7}", ACK_APPLIED },
		{ 201, "{\"version\":7}", ACK_APPLIED },
		{ 200, "{\"version\":8}", ACK_FAILED },
		{ 200, "{\"version\":\"7\"}", ACK_FAILED },
		{ 200, "{}", ACK_FAILED }, { 200, "", ACK_FAILED },
		{ 200, "<html>", ACK_FAILED }, { 204, "", ACK_FAILED },
		{ 304, "", ACK_FAILED }, { 500, "{\"version\":7}", ACK_FAILED },
		{ 400, "", ACK_REFUSED }, { 413, "", ACK_REFUSED },
		{ 403, "", ACK_REFUSED }, { 408, "", ACK_FAILED },
		{ 425, "", ACK_FAILED }, { 429, "", ACK_FAILED },
	};

	headers(JSON, NULL, "9", NULL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fetch_result r = result_of(rows[i].status,
		    rows[i].body);
		struct ack a;

		ack_config(&a, &r, 7);
		if (a.kind != rows[i].kind)
			UNIT_FAIL("%d %s is %d", rows[i].status,
			    rows[i].body, a.kind);
		CHECK_INT(a.locked, rows[i].status == 403);
		CHECK_INT(a.retry_after, rows[i].status >= 300 ? 9 : -1);
	}
}

UNIT("a silent worker may have applied it, a state may be empty or nonsense")
{
	struct fetch_result r = failure(FETCH_BROKEN, "cut short");
	struct ack a;

	ack_config(&a, &r, 7);
	CHECK_INT(a.kind, ACK_SILENT);
	r = result_of(200, "{\"instance_id\":\"i\",\"version\":7,"
	    "\"etag\":\"\\\"7-x\\\"\"}");
	ack_state(&a, &r);
	CHECK_INT(a.kind, ACK_TOLD);
	CHECK_INT(a.version, 7);
	CHECK_TEXT(a.instance, "i");
	CHECK_TEXT(a.etag, "\"7-x\"");
	r = result_of(200, "{\"version\":null,\"etag\":null}");
	ack_state(&a, &r);
	CHECK_INT(a.kind, ACK_TOLD);
	CHECK_INT(a.version, 0);
	r = result_of(200, "{\"version\":-1}");
	ack_state(&a, &r);
	CHECK_INT(a.kind, ACK_FAILED);
	r = result_of(200, "{\"version\":\"7\"}");
	ack_state(&a, &r);
	CHECK_INT(a.kind, ACK_FAILED);
	r = result_of(404, "{\"version\":7}");
	ack_state(&a, &r);
	CHECK_INT(a.kind, ACK_FAILED);
}

UNIT("the words of a refusal: detail, message, or the first line, cut")
{
	char words[WORDS_MAX];
	struct buf body = BUF_INIT(65536);

	words_of(NULL, words);
	CHECK_TEXT(words, "");
	buf_str(&body, "{\"title\":\"Bad\",\"detail\":\"url: missing\"}");
	words_of(&body, words);
	CHECK_TEXT(words, "url: missing");
	buf_reset(&body);
	buf_str(&body, "\r\n  plain words\r\nsecond line");
	words_of(&body, words);
	CHECK_TEXT(words, "plain words");
	buf_reset(&body);
	for (int i = 0; i < 1000; i++)
		buf_str(&body, "long ");
	words_of(&body, words);
	CHECK_INT(strlen(words), WORDS_MAX - 1);
	buf_free(&body);
}

UNIT("the same failure has the same words, however long it took")
{
	char a[] = "Failed to connect to h port 9 after 13 ms: refused";
	char b[] = "timed out after 2001 milliseconds with 0 bytes";
	char c[] = "seven after nine";

	words_steady(a);
	words_steady(b);
	words_steady(c);
	CHECK_TEXT(a, "Failed to connect to h port 9: refused");
	CHECK_TEXT(b, "timed out with 0 bytes");
	CHECK_TEXT(c, "seven after nine");
}

UNIT_MAIN
