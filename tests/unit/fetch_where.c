/*
 * Where a request goes: redirects, proxies, and who judges the address.
 */
#include "../../lib/fetch.c"
#include "../../lib/fetch_answer.c"
#include "../../lib/fetch_hub.c"
#include "../../lib/fetch_options.c"

#include "fetch_trial.h"

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

UNIT("the head that is told and the body are of one answer")
{
	struct trial t;

	CHECK_INT(trial_get(&t, "/nowhere", (struct fetch_request){
	    .follow = true, .head = trial_head }), FETCH_DONE);
	CHECK_INT(t.head_status, 404);
	CHECK_INT(t.heads, 1);
	CHECK_TEXT(buf_text(&t.body), "nothing here");
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

UNIT_MAIN
