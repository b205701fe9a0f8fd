#ifndef FETCH_TRIAL_H
#define FETCH_TRIAL_H
/*
 * One request against the server of odd habits, on a real loop: for the
 * tests of fetch, which include the .c before.
 */
#include "fetch_server.h"
#include "unit.h"

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

__attribute__((unused)) static const char *
trial_url(struct trial *t, const char *path)
{
	snprintf(t->url, sizeof(t->url), "http://127.0.0.1:%d%s", server_port,
	    path);
	return t->url;
}

__attribute__((unused)) static void
trial_over(struct loop_timer *timer)
{
	loop_stop(LOOP_OF(struct trial, limit, timer)->loop);
}

__attribute__((unused)) static void
trial_tick(struct loop_timer *timer)
{
	struct trial *t = LOOP_OF(struct trial, tick, timer);

	fetch_resume(t->fetch);
}

__attribute__((unused)) static bool
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

__attribute__((unused)) static void
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

__attribute__((unused)) static bool
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

__attribute__((unused)) static void
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

__attribute__((unused)) static void
trial_open(struct trial *t)
{
	*t = (struct trial){ .body = BUF_INIT(1 << 30) };
	t->limit.fire = trial_over;
	t->tick.fire = trial_tick;
	t->loop = loop_open();
	t->hub = fetch_open(t->loop, 8);
	CHECK(t->hub != NULL);
}

__attribute__((unused)) static void
trial_run(struct trial *t, struct fetch_request *r)
{
	r->arg = t;
	r->done = trial_done;
	loop_timer_start(t->loop, &t->limit, 60000);
	t->fetch = fetch_start(t->hub, r);
	CHECK(t->fetch != NULL);
	CHECK_INT(t->ends, 0);
	loop_run(t->loop);
	loop_timer_stop(t->loop, &t->limit);
}

__attribute__((unused)) static void
trial_close(struct trial *t)
{
	fetch_close(t->hub);
	loop_timer_stop(t->loop, &t->limit);
	loop_timer_stop(t->loop, &t->tick);
	loop_close(t->loop);
	buf_free(&t->body);
}

/* One request from start to end: how it ended; body and detail in t. */
__attribute__((unused)) static enum fetch_end
trial_get(struct trial *t, const char *path, struct fetch_request r)
{
	trial_open(t);
	r.url = strncmp(path, "/", 1) == 0 ? trial_url(t, path) : path;
	trial_run(t, &r);
	CHECK_INT(t->ends, 1);
	return t->result.end;
}

#endif
