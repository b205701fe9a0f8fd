/*
 * Streaming, pausing, deadlines and cancelling.
 */
#include "../../lib/fetch.c"
#include "../../lib/fetch_answer.c"
#include "../../lib/fetch_hub.c"
#include "../../lib/fetch_options.c"
#include "../../lib/fetch_socket.c"

#include <netdb.h>

#include "fetch_trial.h"

/* Names that only this test knows: one resolves slowly. */
int
getaddrinfo(const char *name, const char *service,
    const struct addrinfo *hints, struct addrinfo **out)
{
	(void)name;
	(void)service;
	(void)hints;
	*out = NULL;
	sleep(6);
	return EAI_NONAME;
}

void
freeaddrinfo(struct addrinfo *list)
{
	(void)list;
}

/* Until the time was enough for a busy machine's server to say anything. */
static void
trial_silence(struct trial *t, const char *path)
{
	for (int64_t ms = 100; ms < 10000; ms *= 3) {
		CHECK_INT(trial_get(t, path, (struct fetch_request){
		    .timeout_ms = ms, .head = trial_head,
		    .data = trial_data }), FETCH_TIMEOUT);
		if (t->heads > 0)
			return;
		trial_close(t);
	}
	UNIT_FAIL("%s: there was no head", path);
}

UNIT("when streaming, the head comes at once and silence is what counts")
{
	struct trial t;

	trial_silence(&t, "/head");
	CHECK_INT(t.heads, 1);
	trial_close(&t);
	trial_silence(&t, "/drip");
	CHECK_TEXT(buf_text(&t.body), "drop");
	trial_close(&t);
}

UNIT("a slow resolver neither blocks the loop nor outlives the deadline")
{
	struct trial t;
	time_t before = time(NULL);

	CHECK_INT(trial_get(&t, "http://slow.test/", (struct fetch_request){
	    .timeout_ms = 100 }), FETCH_TIMEOUT);
	CHECK(time(NULL) - before < 6);
	trial_close(&t);
}

UNIT("a large body streams through pauses, whole and in order")
{
	struct trial t;

	trial_open(&t);
	t.stop_at = 100000;
	trial_run(&t, &(struct fetch_request){
	    .url = trial_url(&t, "/big?20000000"), .timeout_ms = 20000,
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

UNIT("a kept connection may be paused before the loop has turned")
{
	struct trial t;

	trial_open(&t);
	for (int i = 0; i < 60; i++) {
		trial_run(&t, &(struct fetch_request){
		    .url = trial_url(&t, "/"), .data = trial_data });
		CHECK_INT(t.result.end, FETCH_DONE);
		t.stop_at = 1;	/* at the first piece */
		t.ends = 0;
		trial_run(&t, &(struct fetch_request){
		    .url = trial_url(&t, "/big?1000000"),
		    .data = trial_data });
		CHECK_INT(t.result.end, FETCH_DONE);
		CHECK_INT(t.body.len, 1000005);
		buf_reset(&t.body);
		t.stop_at = 0;
		t.ends = 0;
	}
	trial_close(&t);
}

static void
unasked_look(struct loop_timer *timer)
{
	struct trial *t = LOOP_OF(struct trial, tick, timer);

	for (size_t i = 0; i < t->hub->sockets_cap; i++)
		if (t->hub->sockets[i] != NULL &&
		    t->hub->sockets[i]->watch.slot == 0)
			loop_stop(t->loop);
	loop_timer_start(t->loop, timer, 1);
}

/* Lets the server say more on the connection that is kept, and waits until
 * it was heard. */
static void
unasked_say(struct trial *t)
{
	char byte = '!';

	CHECK_INT(write(server_go[1], &byte, 1), 1);
	CHECK_INT(read(server_gone[0], &byte, 1), 1);
	t->tick.fire = unasked_look;
	loop_timer_start(t->loop, &t->tick, 0);
	loop_timer_start(t->loop, &t->limit, 20000);
	loop_run(t->loop);
	CHECK(loop_timer_runs(&t->limit));
	loop_timer_stop(t->loop, &t->tick);
}

UNIT("what comes on a kept connection unasked is nobody's answer")
{
	struct trial t;

	trial_open(&t);
	trial_run(&t, &(struct fetch_request){
	    .url = trial_url(&t, "/unasked"), .allow = trial_allow });
	CHECK_TEXT(buf_text(&t.body), "asked");
	for (int i = 0; i < 2; i++) {
		unasked_say(&t);
		buf_reset(&t.body);
		t.ends = 0;
		trial_run(&t, &(struct fetch_request){
		    .url = trial_url(&t, i == 0 ? "/to?/unasked" :
		    "/missing"), .follow = true, .allow = trial_allow });
		CHECK_INT(t.ends, 1);
		CHECK_INT(t.result.end, FETCH_DONE);
		CHECK_TEXT(buf_text(&t.body), i == 0 ? "asked" :
		    "nothing here");
	}
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

UNIT_MAIN
