/*
 * Fetches that are used again: they must not remember the one before.
 */
#include "../../lib/fetch_spare.c"

#include "fetch_trial.h"

static int
ask_kept(struct trial *t, const char *path, struct fetch_request r)
{
	r.url = strchr(path, ':') != NULL ? path : trial_url(t, path);
	t->ends = t->heads = 0;
	buf_reset(&t->body);
	trial_run(t, &r);
	CHECK_INT(t->ends, 1);
	return t->result.end == FETCH_DONE ? t->result.status : 0;
}

UNIT("the same request is made with the same handle, another with another")
{
	struct fetch_request plain = { 0 }, agent = { .user_agent = "a/1" };
	struct trial t;
	struct fetch *first;

	trial_open(&t);
	CHECK_INT(ask_kept(&t, "/echo", plain), 200);
	CHECK_INT(t.hub->spares, 1);
	first = TAILQ_FIRST(&t.hub->spare);
	CHECK_INT(ask_kept(&t, "/echo", plain), 200);
	CHECK(TAILQ_FIRST(&t.hub->spare) == first);
	CHECK_INT(t.hub->spares, 1);
	CHECK_INT(ask_kept(&t, "/echo", agent), 200);
	CHECK(strstr(buf_text(&t.body), "User-Agent: a/1\r\n") != NULL);
	CHECK_INT(t.hub->spares, 2);
	CHECK_INT(ask_kept(&t, "/echo", plain), 200);
	CHECK(strstr(buf_text(&t.body), "User-Agent") == NULL);
	CHECK_INT(ask_kept(&t, "/missing", plain), 404);
	CHECK_INT(t.hub->spares, 3);
	trial_close(&t);
}

UNIT("each difference between two requests makes another handle")
{
	const char *const one[] = { "A: 1", NULL }, *const two[] = { "A: 2",
		NULL }, *const both[] = { "A: 1", "A: 2", NULL };
	const struct fetch_request all[] = {
		{ 0 }, { .method = "HEAD" }, { .headers = one },
		{ .headers = two }, { .headers = both }, { .follow = true },
		{ .timeout_ms = 5000 }, { .user_agent = "x" },
		{ .user_agent = "y" }, { .allow = trial_allow },
	};
	size_t count = sizeof(all) / sizeof(all[0]);
	struct trial t;

	trial_open(&t);
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < count; i++) {
			CHECK_INT(ask_kept(&t, "/echo", all[i]), 200);
			CHECK_INT(t.hub->spares, round > 0 ? count : i + 1);
		}
	trial_close(&t);
}

UNIT("a proxy is asked by those alone who name it")
{
	struct fetch_request direct = { 0 }, asks = { 0 };
	struct trial t;
	char proxy[64];

	snprintf(proxy, sizeof(proxy), "http://127.0.0.2:%d", server_port);
	asks.proxy = proxy;
	trial_open(&t);
	for (int i = 0; i < 2; i++) {
		CHECK_INT(ask_kept(&t, "/echo", direct), 200);
		CHECK(strncmp(buf_text(&t.body), "GET /echo ", 10) == 0);
		CHECK_INT(ask_kept(&t, "/echo", asks), 200);
		CHECK_TEXT(buf_text(&t.body), "hello");
	}
	CHECK_INT(t.hub->spares, 2);
	trial_close(&t);
}

UNIT("a redirect, a pause, a failure leave nothing behind")
{
	struct fetch_request follows = { .follow = true,
		.head = trial_head };
	struct trial t;

	trial_open(&t);
	for (int i = 0; i < 3; i++) {
		CHECK_INT(ask_kept(&t, "/to?/to?/missing", follows), 404);
		CHECK_TEXT(buf_text(&t.body), "nothing here");
		CHECK_INT(t.heads, 1);
	}
	CHECK_INT(t.hub->spares, 1);
	CHECK_INT(ask_kept(&t, "/short", follows), 0);
	CHECK_INT(t.hub->spares, 1);
	t.refuse_all = true;
	follows.allow = trial_allow;
	CHECK_INT(ask_kept(&t, "/to?/to?/missing", follows), 0);
	CHECK_INT(t.result.end, FETCH_REFUSED);
	t.refuse_all = false;
	CHECK_INT(ask_kept(&t, "/to?/to?/missing", follows), 404);
	trial_close(&t);
}

UNIT("what had a body or a password is not kept")
{
	struct fetch_request post = { .body = "x", .body_len = 1 };
	struct fetch_request secret = { .username = "u", .password = "p" };
	struct trial t;

	trial_open(&t);
	ask_kept(&t, "/echo", post);
	ask_kept(&t, "/echo", secret);
	CHECK_INT(t.hub->spares, 0);
	trial_close(&t);
}

UNIT("only so many are kept, those used last")
{
	const struct buf *said;
	struct trial t;
	char agent[20];

	trial_open(&t);
	for (int i = 0; i < FETCH_SPARES + 5; i++) {
		snprintf(agent, sizeof(agent), "a/%d", i);
		CHECK_INT(ask_kept(&t, "/echo", (struct fetch_request){
		    .user_agent = agent }), 200);
	}
	CHECK_INT(t.hub->spares, FETCH_SPARES);
	said = &TAILQ_FIRST(&t.hub->spare)->said;
	CHECK(memmem(said->data, said->len, agent, strlen(agent)) != NULL);
	trial_close(&t);
}

UNIT_MAIN
