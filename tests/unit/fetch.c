/*
 * Requests against a server of odd habits, on a real loop.
 */
#include "../../lib/fetch.c"
#include "../../lib/fetch_answer.c"
#include "../../lib/fetch_hub.c"
#include "../../lib/fetch_options.c"
#include "../../lib/fetch_url.c"

#include <netdb.h>

#include "fetch_server.h"
#include "unit.h"

/* Names that only this test knows: one resolves slowly. */
int
getaddrinfo(const char *name, const char *service,
    const struct addrinfo *hints, struct addrinfo **out)
{
	(void)name;
	(void)service;
	(void)hints;
	*out = NULL;
	sleep(3);
	return EAI_NONAME;
}

void
freeaddrinfo(struct addrinfo *list)
{
	(void)list;
}

struct trial {
	struct loop *loop;
	struct fetch_hub *hub;
	struct fetch *fetch;
	struct loop_timer limit, tick;
	struct buf body;
	struct fetch_result result;	/* its pointers: only `detail` lives */
	char detail[300], type[64], url[256];
	long long length;
	int heads, ends, asked, pauses, head_status;
	bool refuse_all;
	const char *refuse;	/* this address */
	size_t stop_at;		/* pause after so many bytes */
	size_t cancel_at;
	bool cancel_in_head, cancel_in_done;
	bool start_more;
};

static const char *
trial_url(struct trial *t, const char *path)
{
	snprintf(t->url, sizeof(t->url), "http://127.0.0.1:%d%s", server_port,
	    path);
	return t->url;
}

static void
trial_over(struct loop_timer *timer)
{
	loop_stop(LOOP_OF(struct trial, limit, timer)->loop);
}

static void
trial_tick(struct loop_timer *timer)
{
	struct trial *t = LOOP_OF(struct trial, tick, timer);

	fetch_resume(t->fetch);
}

static bool
trial_allow(void *arg, const struct sockaddr *address)
{
	struct trial *t = arg;
	char text[INET_ADDRSTRLEN] = "";
	const struct sockaddr_in *in = (const void *)address;

	t->asked++;
	inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text));
	return !t->refuse_all &&
	    (t->refuse == NULL || strcmp(t->refuse, text) != 0);
}

static void
trial_head(void *arg, const struct fetch_result *result)
{
	struct trial *t = arg;
	const char *type = result->header(result->fetch, "content-type");

	t->heads++;
	t->head_status = result->status;
	t->length = result->length;
	snprintf(t->type, sizeof(t->type), "%s", type != NULL ? type : "");
	if (t->cancel_in_head) {
		fetch_cancel(t->fetch);
		loop_timer_start(t->loop, &t->limit, 50);
	}
}

static bool
trial_data(void *arg, const void *piece, size_t len)
{
	struct trial *t = arg;

	if (t->stop_at > 0 && t->body.len >= t->stop_at) {
		t->stop_at += 300000;
		t->pauses++;
		loop_timer_start(t->loop, &t->tick, 1);
		return false;
	}
	buf_add(&t->body, piece, len);
	if (t->cancel_at > 0 && t->body.len >= t->cancel_at) {
		fetch_cancel(t->fetch);
		loop_timer_start(t->loop, &t->limit, 50);
	}
	return true;
}

static void
trial_done(void *arg, const struct fetch_result *result)
{
	struct trial *t = arg;

	t->ends++;
	t->result = *result;
	snprintf(t->detail, sizeof(t->detail), "%s", result->detail);
	if (result->body != NULL)
		buf_add(&t->body, result->body->data, result->body->len);
	if (t->cancel_in_done)
		fetch_cancel(t->fetch);
	if (t->start_more) {
		struct fetch_request again = {
			.url = t->url, .arg = t, .done = trial_done,
		};
		t->start_more = false;
		t->fetch = fetch_start(t->hub, &again);
		return;
	}
	loop_stop(t->loop);
}

static void
trial_open(struct trial *t)
{
	*t = (struct trial){ .body = BUF_INIT(1 << 30) };
	t->limit.fire = trial_over;
	t->tick.fire = trial_tick;
	t->loop = loop_open();
	t->hub = fetch_open(t->loop, 8);
	CHECK(t->hub != NULL);
}

static void
trial_run(struct trial *t, struct fetch_request *r)
{
	r->arg = t;
	r->done = trial_done;
	loop_timer_start(t->loop, &t->limit, 20000);
	t->fetch = fetch_start(t->hub, r);
	CHECK(t->fetch != NULL);
	CHECK_INT(t->ends, 0);
	loop_run(t->loop);
	loop_timer_stop(t->loop, &t->limit);
}

static void
trial_close(struct trial *t)
{
	fetch_close(t->hub);
	loop_timer_stop(t->loop, &t->limit);
	loop_timer_stop(t->loop, &t->tick);
	loop_close(t->loop);
	buf_free(&t->body);
}

/* One request from start to end: how it ended; body and detail in t. */
static enum fetch_end
trial_get(struct trial *t, const char *path, struct fetch_request r)
{
	trial_open(t);
	r.url = strncmp(path, "/", 1) == 0 ? trial_url(t, path) : path;
	trial_run(t, &r);
	CHECK_INT(t->ends, 1);
	return t->result.end;
}

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
		{ "/garbage", FETCH_UNREACHABLE },
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

UNIT("when streaming, the head comes at once and silence is what counts")
{
	struct trial t;

	CHECK_INT(trial_get(&t, "/head", (struct fetch_request){
	    .timeout_ms = 100, .head = trial_head, .data = trial_data }),
	    FETCH_TIMEOUT);
	CHECK_INT(t.heads, 1);
	trial_close(&t);
	CHECK_INT(trial_get(&t, "/drip", (struct fetch_request){
	    .timeout_ms = 100, .head = trial_head, .data = trial_data }),
	    FETCH_TIMEOUT);
	CHECK_TEXT(buf_text(&t.body), "drop");
	trial_close(&t);
}

UNIT("a slow resolver neither blocks the loop nor outlives the deadline")
{
	struct trial t;
	time_t before = time(NULL);

	CHECK_INT(trial_get(&t, "http://slow.test/", (struct fetch_request){
	    .timeout_ms = 100 }), FETCH_TIMEOUT);
	CHECK(time(NULL) - before < 3);
	trial_close(&t);
}

UNIT("a large body streams through pauses, whole and in order")
{
	struct trial t;

	trial_open(&t);
	t.stop_at = 100000;
	trial_run(&t, &(struct fetch_request){
	    .url = trial_url(&t, "/big?20000000"), .timeout_ms = 5000,
	    .head = trial_head, .data = trial_data });
	CHECK_INT(t.result.end, FETCH_DONE);
	CHECK_INT(t.length, 20000000);
	CHECK_INT(t.body.len, 20000000);
	CHECK(t.pauses > 10);
	trial_close(&t);
}

UNIT("chunks survive a pause too")
{
	struct trial t;

	trial_open(&t);
	t.stop_at = 1;
	trial_run(&t, &(struct fetch_request){
	    .url = trial_url(&t, "/chunked"), .data = trial_data });
	CHECK_INT(t.result.end, FETCH_DONE);
	CHECK_TEXT(buf_text(&t.body), "hello world");
	CHECK_INT(t.pauses, 1);
	trial_close(&t);
}

UNIT("an answer longer than asked for is cut at the byte")
{
	struct trial t;

	CHECK_INT(trial_get(&t, "/big?100000", (struct fetch_request){
	    .max_body = 99999 }), FETCH_TOO_BIG);
	trial_close(&t);
	CHECK_INT(trial_get(&t, "/big?100000", (struct fetch_request){
	    .max_body = 99999, .data = trial_data }), FETCH_TOO_BIG);
	CHECK_INT(t.body.len, 99999);
	trial_close(&t);
	CHECK_INT(trial_get(&t, "/big?100000", (struct fetch_request){
	    .max_body = 100000, .data = trial_data }), FETCH_DONE);
	CHECK_INT(t.body.len, 100000);
	trial_close(&t);
}

UNIT("a connection is used again, also when started from done")
{
	struct trial t;
	char twice[64];

	trial_open(&t);
	t.start_more = true;
	trial_run(&t, &(struct fetch_request){
	    .url = trial_url(&t, "/who") });
	CHECK_INT(t.ends, 2);
	CHECK(t.body.len % 2 == 0);
	snprintf(twice, sizeof(twice), "%.*s%.*s", (int)t.body.len / 2,
	    t.body.data, (int)t.body.len / 2, t.body.data);
	CHECK_TEXT(buf_text(&t.body), twice);
	trial_close(&t);
}

UNIT("redirects are followed when asked, five at most, http only")
{
	struct trial t;
	char to[200] = "/to?/to?/to?/to?/to?/missing";

	CHECK_INT(trial_get(&t, to, (struct fetch_request){
	    .follow = true, .head = trial_head }), FETCH_DONE);
	CHECK_INT(t.result.status, 404);
	CHECK_INT(t.heads, 1);
	CHECK_TEXT(buf_text(&t.body), "nothing here");
	trial_close(&t);
	CHECK_INT(trial_get(&t, "/to?/to?/to?/to?/to?/to?/missing",
	    (struct fetch_request){ .follow = true }), FETCH_BROKEN);
	trial_close(&t);
	CHECK_INT(trial_get(&t, "/to?/missing", (struct fetch_request){
	    .head = trial_head }), FETCH_DONE);
	CHECK_INT(t.head_status, 302);
	CHECK_TEXT(buf_text(&t.body), "gone");
	trial_close(&t);
	CHECK_INT(trial_get(&t, "/to?file:///etc/passwd",
	    (struct fetch_request){ .follow = true }), FETCH_BROKEN);
	trial_close(&t);
}

UNIT("credentials stay with their host when a redirect leaves it")
{
	struct trial t;
	struct fetch_request r = {
		.follow = true, .username = "u", .password = "p",
	};
	char path[100];

	CHECK_INT(trial_get(&t, "/to?/echo", r), FETCH_DONE);
	CHECK(strstr(t.body.data, "Authorization: Basic dTpw") != NULL);
	trial_close(&t);
	snprintf(path, sizeof(path), "/to?http://127.0.0.2:%d/echo",
	    server_port);
	CHECK_INT(trial_get(&t, path, r), FETCH_DONE);
	CHECK(strcasestr(t.body.data, "Authorization") == NULL);
	trial_close(&t);
	r = (struct fetch_request){ .follow = true, .headers =
	    (const char *const[]){ "Authorization: Bearer x", NULL } };
	CHECK_INT(trial_get(&t, path, r), FETCH_DONE);
	CHECK(strcasestr(t.body.data, "Authorization") == NULL);
	trial_close(&t);
}

UNIT("the caller judges every address: refused means not connected")
{
	struct trial t;
	char path[100];

	trial_open(&t);
	t.refuse_all = true;
	trial_run(&t, &(struct fetch_request){ .url = trial_url(&t, "/"),
	    .allow = trial_allow });
	CHECK_INT(t.result.end, FETCH_REFUSED);
	CHECK_TEXT(t.detail, "address 127.0.0.1 is refused");
	trial_close(&t);
	snprintf(path, sizeof(path), "/to?http://127.0.0.2:%d/",
	    server_port);
	trial_open(&t);
	t.refuse = "127.0.0.2";
	trial_run(&t, &(struct fetch_request){ .url = trial_url(&t, path),
	    .follow = true, .allow = trial_allow });
	CHECK_INT(t.result.end, FETCH_REFUSED);
	CHECK_TEXT(t.detail, "address 127.0.0.2 is refused");
	trial_close(&t);
}

UNIT("a connection that is used again is judged again")
{
	struct trial t;

	trial_open(&t);
	trial_run(&t, &(struct fetch_request){ .url = trial_url(&t, "/") });
	CHECK_INT(t.result.end, FETCH_DONE);
	t.ends = 0;
	t.refuse_all = true;
	trial_run(&t, &(struct fetch_request){ .url = trial_url(&t, "/"),
	    .allow = trial_allow });
	CHECK_INT(t.result.end, FETCH_REFUSED);
	CHECK_INT(t.asked, 1);
	trial_close(&t);
}

UNIT("a proxy is what is connected to, and what is judged")
{
	struct trial t;
	char proxy[64];

	snprintf(proxy, sizeof(proxy), "http://127.0.0.2:%d", server_port);
	trial_open(&t);
	t.refuse = "127.0.0.2";
	trial_run(&t, &(struct fetch_request){ .url = "http://192.0.2.1/",
	    .proxy = proxy, .allow = trial_allow });
	CHECK_INT(t.result.end, FETCH_REFUSED);
	trial_close(&t);
	CHECK_INT(trial_get(&t, "http://192.0.2.1/who",
	    (struct fetch_request){ .proxy = proxy }), FETCH_DONE);
	trial_close(&t);
}

UNIT("proxies of the environment are ignored")
{
	struct trial t;

	setenv("http_proxy", "http://127.0.0.1:1", 1);
	setenv("all_proxy", "http://127.0.0.1:1", 1);
	CHECK_INT(trial_get(&t, "/", (struct fetch_request){0}), FETCH_DONE);
	unsetenv("http_proxy");
	unsetenv("all_proxy");
	trial_close(&t);
}

UNIT("cancelling is safe in head, in data, in done, and outside")
{
	struct trial t;

	trial_open(&t);
	t.cancel_in_head = true;
	trial_run(&t, &(struct fetch_request){ .url = trial_url(&t, "/"),
	    .head = trial_head, .data = trial_data });
	CHECK_INT(t.ends, 0);
	CHECK_INT(t.body.len, 0);
	trial_close(&t);
	trial_open(&t);
	t.cancel_at = 50000;
	trial_run(&t, &(struct fetch_request){
	    .url = trial_url(&t, "/big?1000000"), .data = trial_data });
	CHECK_INT(t.ends, 0);
	CHECK(t.body.len < 200000);
	trial_close(&t);
	trial_open(&t);
	t.stop_at = 20000;	/* cancelled in the flush after a pause */
	t.cancel_at = 20001;
	trial_run(&t, &(struct fetch_request){
	    .url = trial_url(&t, "/big?1000000"), .data = trial_data });
	CHECK_INT(t.ends, 0);
	trial_close(&t);
	trial_open(&t);
	t.cancel_in_done = true;
	trial_run(&t, &(struct fetch_request){ .url = trial_url(&t, "/") });
	CHECK_INT(t.ends, 1);
	trial_close(&t);
	trial_open(&t);
	fetch_cancel(fetch_start(t.hub, &(struct fetch_request){
	    .url = trial_url(&t, "/never"), .done = trial_done, .arg = &t }));
	fetch_start(t.hub, &(struct fetch_request){
	    .url = trial_url(&t, "/never"), .done = trial_done, .arg = &t });
	trial_close(&t);
	CHECK_INT(t.ends, 0);
}

UNIT("nobody polls while nothing happens")
{
	struct trial t;

	CHECK_INT(trial_get(&t, "/never", (struct fetch_request){
	    .timeout_ms = 300 }), FETCH_TIMEOUT);
	CHECK(loop_turns(t.loop) < 20);
	trial_close(&t);
}

UNIT("references are resolved as RFC 3986, 5.4 has it")
{
	static const char *const rows[][2] = {
		{ "g", "http://a/b/c/g" }, { "./g", "http://a/b/c/g" },
		{ "g/", "http://a/b/c/g/" }, { "/g", "http://a/g" },
		{ "//g", "http://g/" }, { "?y", "http://a/b/c/d;p?y" },
		{ "g?y", "http://a/b/c/g?y" }, { "#s", "http://a/b/c/d;p?q" },
		{ ";x", "http://a/b/c/;x" }, { "", "http://a/b/c/d;p?q" },
		{ ".", "http://a/b/c/" }, { "./", "http://a/b/c/" },
		{ "..", "http://a/b/" }, { "../g", "http://a/b/g" },
		{ "../..", "http://a/" }, { "../../g", "http://a/g" },
		{ "../../../g", "http://a/g" }, { "/./g", "http://a/g" },
		{ "/../g", "http://a/g" }, { "g.", "http://a/b/c/g." },
		{ "..g", "http://a/b/c/..g" }, { "./../g", "http://a/b/g" },
		{ "g/./h", "http://a/b/c/g/h" },
		{ "g?y/../x", "http://a/b/c/g?y/../x" },
		{ "https://b:8/x#f", "https://b:8/x" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *got = fetch_resolve("http://a/b/c/d;p?q", rows[i][0],
		    NULL);

		CHECK_TEXT(got, rows[i][1]);
		free(got);
	}
}

UNIT("the origin is scheme, host and port, and nonsense resolves to nothing")
{
	bool same;

	free(fetch_resolve("http://a/b", "HTTP://A:80/c", &same));
	CHECK(same);
	free(fetch_resolve("http://a/b", "https://a/c", &same));
	CHECK(!same);
	free(fetch_resolve("http://a/b", "//a:81/c", &same));
	CHECK(!same);
	free(fetch_resolve("http://a/b", "//b/c", &same));
	CHECK(!same);
	CHECK(fetch_resolve("nothing", "g", NULL) == NULL);
	CHECK(fetch_resolve("http://a/", "http:g", NULL) == NULL);
	CHECK(fetch_resolve("http://a/", "//b c/", NULL) == NULL);
	CHECK(fetch_resolve("http://a/", "mailto:x", NULL) == NULL);
}

UNIT_MAIN
