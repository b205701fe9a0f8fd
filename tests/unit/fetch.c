/*
 * Requests and whole answers, against a server of odd habits.
 */
#include "../../lib/fetch.c"
#include "../../lib/fetch_answer.c"
#include "../../lib/fetch_hub.c"
#include "../../lib/fetch_options.c"

#include "fetch_trial.h"

UNIT("a whole answer is collected, with its status and headers")
{
	struct trial t;

	CHECK_INT(trial_get(&t, "/", (struct fetch_request){
	    .head = trial_head }), FETCH_DONE);
	CHECK_TEXT(buf_text(&t.body), "hello");
	CHECK_TEXT(t.type, "text/plain");
	CHECK_INT(t.result.status, 200);
	CHECK_INT(t.length, 5);
	CHECK_INT(t.heads, 1);
	trial_close(&t);
}

UNIT("a target's own 404 is an answer like any other")
{
	struct trial t;

	CHECK_INT(trial_get(&t, "/missing", (struct fetch_request){0}),
	    FETCH_DONE);
	CHECK_INT(t.result.status, 404);
	CHECK_TEXT(buf_text(&t.body), "nothing here");
	trial_close(&t);
}

UNIT("chunks are put together and trailers call no second head")
{
	struct trial t;

	CHECK_INT(trial_get(&t, "/chunked", (struct fetch_request){
	    .head = trial_head, .data = trial_data }), FETCH_DONE);
	CHECK_TEXT(buf_text(&t.body), "hello world");
	CHECK_INT(t.heads, 1);
	CHECK_INT(t.length, -1);
	trial_close(&t);
}

UNIT("an interim answer is not the head")
{
	struct trial t;

	CHECK_INT(trial_get(&t, "/early", (struct fetch_request){
	    .head = trial_head }), FETCH_DONE);
	CHECK_INT(t.heads, 1);
	CHECK_INT(t.head_status, 200);
	CHECK_TEXT(buf_text(&t.body), "after");
	trial_close(&t);
}

UNIT("204 has a head and no body")
{
	struct trial t;

	CHECK_INT(trial_get(&t, "/nothing", (struct fetch_request){
	    .head = trial_head, .data = trial_data }), FETCH_DONE);
	CHECK_INT(t.head_status, 204);
	CHECK_INT(t.body.len, 0);
	trial_close(&t);
}

UNIT("HEAD brings the length and no body")
{
	struct trial t;

	CHECK_INT(trial_get(&t, "/missing", (struct fetch_request){
	    .method = "HEAD", .head = trial_head }), FETCH_DONE);
	CHECK_INT(t.length, 12);
	CHECK_INT(t.body.len, 0);
	trial_close(&t);
}

UNIT("a body is posted, without Expect, and nothing is sent unasked")
{
	struct trial t;

	CHECK_INT(trial_get(&t, "/echo", (struct fetch_request){
	    .body = "{}", .body_len = 2, .user_agent = "dcm-test",
	    .headers = (const char *const[]){ "Accept: text/x",
	    "X-Empty:", "Content-Type: application/json", NULL } }),
	    FETCH_DONE);
	CHECK(strncmp(t.body.data, "POST /echo HTTP/1.1\r\n", 21) == 0);
	CHECK(strstr(t.body.data, "\r\nUser-Agent: dcm-test\r\n") != NULL);
	CHECK(strstr(t.body.data, "\r\nAccept: text/x\r\n") != NULL);
	CHECK(strstr(t.body.data, "\r\nX-Empty:\r\n") != NULL);
	CHECK(strstr(t.body.data, "application/json\r\n") != NULL);
	CHECK(strstr(t.body.data, "*/*") == NULL);
	CHECK(strcasestr(t.body.data, "Expect") == NULL);
	CHECK(strcasestr(t.body.data, "Accept-Encoding") == NULL);
	trial_close(&t);
}

UNIT("a document's own User-Agent header wins over the default")
{
	struct trial t;

	CHECK_INT(trial_get(&t, "/echo", (struct fetch_request){
	    .user_agent = "default", .headers = (const char *const[]){
	    "user-agent: mine", NULL } }), FETCH_DONE);
	CHECK(strstr(t.body.data, "user-agent: mine\r\n") != NULL);
	CHECK(strstr(t.body.data, "default") == NULL);
	trial_close(&t);
}

UNIT("a malformed URL, header, agent or proxy ends in done, never inside")
{
	const struct fetch_request wrong[] = {
		{ .url = "no scheme" },
		{ .url = "http://" },
		{ .url = "http://a b/" },
		{ .url = "ftp://127.0.0.1/" },
		{ .url = "file:///etc/passwd" },
		{ .url = "http://127.0.0.1:1/", .proxy = "ftp://x:1" },
		{ .url = "http://127.0.0.1:1/", .user_agent = "a\r\nb" },
		{ .url = "http://127.0.0.1:1/", .headers =
		    (const char *const[]){ "X: a\r\nY: b", NULL } },
		{ .url = "http://127.0.0.1:1/", .headers =
		    (const char *const[]){ "nonsense", NULL } },
	};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct trial t;

		CHECK_INT(trial_get(&t, wrong[i].url, wrong[i]),
		    FETCH_UNREACHABLE);
		CHECK(t.detail[0] != '\0');
		trial_close(&t);
	}
}

UNIT("nobody listens: unreachable")
{
	struct trial t;

	CHECK_INT(trial_get(&t, "http://127.0.0.1:1/",
	    (struct fetch_request){0}), FETCH_UNREACHABLE);
	CHECK(strstr(t.detail, "connect") != NULL);
	trial_close(&t);
}

UNIT("answers that are none, or stop short, are told apart from whole ones")
{
	static const struct {
		const char *path;
		enum fetch_end end;
	} rows[] = {
		{ "/closed", FETCH_UNREACHABLE },
		{ "/garbage", FETCH_BROKEN },	/* reached, but no HTTP */
		{ "/short", FETCH_BROKEN },
		{ "/cut", FETCH_BROKEN },
		{ "/gzip", FETCH_BROKEN },
		{ "/lengths", FETCH_BROKEN },
		{ "/switch", FETCH_BROKEN },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct trial t;

		CHECK_INT(trial_get(&t, rows[i].path,
		    (struct fetch_request){0}), rows[i].end);
		CHECK(t.detail[0] != '\0');
		trial_close(&t);
	}
}

static bool
headless(void *arg, const void *piece, size_t len)
{
	struct trial *t = arg;

	CHECK_INT(t->heads, 1);
	return trial_data(t, piece, len);
}

UNIT("no body comes before a head, whatever the status line looks like")
{
	static const char *const paths[] = { "/brief", "/apart", "/minus" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct trial t;

		trial_get(&t, paths[i], (struct fetch_request){
		    .head = trial_head, .data = headless });
		CHECK(t.heads == 1 || t.body.len == 0);
		trial_close(&t);
	}
}

UNIT("a head without end is cut off, and the reason is told")
{
	struct trial t;

	CHECK_INT(trial_get(&t, "/heads?500", (struct fetch_request){0}),
	    FETCH_DONE);
	trial_close(&t);
	CHECK_INT(trial_get(&t, "/heads?5000", (struct fetch_request){0}),
	    FETCH_BROKEN);
	CHECK_TEXT(t.detail, "the answer's head is too long");
	trial_close(&t);
}

UNIT("no answer in time")
{
	struct trial t;

	CHECK_INT(trial_get(&t, "/never", (struct fetch_request){
	    .timeout_ms = 100 }), FETCH_TIMEOUT);
	trial_close(&t);
	CHECK_INT(trial_get(&t, "/drip", (struct fetch_request){
	    .timeout_ms = 100 }), FETCH_TIMEOUT);
	trial_close(&t);
}

UNIT_MAIN
