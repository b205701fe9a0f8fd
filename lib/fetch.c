/*
 * One request: from fetch_start to done. Knows what libcurl's callbacks mean
 * and keeps the promises of fetch.h: the head once and before the body, no
 * callback after the end, no answer longer than asked for, no connection to
 * an address that the caller refuses.
 *
 * It does not retry, does not cache and does not decompress.
 */
#include "fetch.h"

#include <stdio.h>
#include <string.h>

#include "fetch_inner.h"

static enum fetch_end
fetch_failure(struct fetch *f, CURLcode code)
{
	long redirects = 0, asked = 0;	/* bytes, of a request */

	curl_easy_getinfo(f->easy, CURLINFO_REDIRECT_COUNT, &redirects);
	curl_easy_getinfo(f->easy, CURLINFO_REQUEST_SIZE, &asked);
	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
		return FETCH_TIMEOUT;
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
		return redirects > 0 || asked > 0 ? FETCH_BROKEN :
		    FETCH_UNREACHABLE;
	case CURLE_OUT_OF_MEMORY:	/* also for a line over 100 KB */
	case CURLE_TOO_MANY_REDIRECTS:
	case CURLE_WEIRD_SERVER_REPLY:
		return FETCH_BROKEN;
	default:
		return f->headed ? FETCH_BROKEN : FETCH_UNREACHABLE;
	}
}

enum fetch_end
fetch_verdict(struct fetch *f, CURLcode code)
{
	if (f->stopped)
		return f->end;
	if (code == CURLE_OK && f->headed)
		return FETCH_DONE;
	if (code == CURLE_OK) {
		fetch_stop(f, FETCH_BROKEN, "the answer ended in its head");
		return FETCH_BROKEN;
	}
	/* Of several addresses one was refused, and no other answered. */
	if (f->refused && (code == CURLE_COULDNT_CONNECT ||
	    code == CURLE_ABORTED_BY_CALLBACK)) {
		fetch_stop(f, FETCH_REFUSED, f->refusal);
		return FETCH_REFUSED;
	}
	if (code == CURLE_OUT_OF_MEMORY)
		snprintf(f->error, sizeof(f->error), "a line of the answer's "
		    "head is too long, or memory is short");
	else if (f->error[0] == '\0')
		snprintf(f->error, sizeof(f->error), "%s",
		    curl_easy_strerror(code));
	return fetch_failure(f, code);
}

void
fetch_finish(struct fetch *f, enum fetch_end end)
{
	struct fetch_result result;

	fetch_describe(f, &result);
	result.end = end;
	if (end != FETCH_DONE)
		result.detail = f->stopped ? f->why : f->error[0] != '\0' ?
		    f->error : "the request could not begin";
	if (f->data == NULL)
		result.body = &f->body;
	f->ended = true;
	f->well = end == FETCH_DONE;
	f->hub->depth++;
	if (f->done != NULL)
		f->done(f->arg, &result);
	f->hub->depth--;
	fetch_bury(f);
}

void
fetch_bury(struct fetch *f)
{
	loop_timer_stop(f->hub->loop, &f->timer);
	fetch_hub_remove(f);
	buf_free(&f->body);
	fetch_spare_keep(f);
}

/*
 * When streaming, silence is what counts: the timer is not moved for every
 * piece, but looks, when it fires, how long the silence was.
 */
static void
fetch_expired(struct loop_timer *timer)
{
	struct fetch *f = LOOP_OF(struct fetch, timer, timer);
	int64_t silent = loop_now(f->hub->loop) - f->heard;

	if (f->data != NULL && f->headed && silent < f->timeout_ms) {
		loop_timer_start(f->hub->loop, &f->timer,
		    f->timeout_ms - silent);
		return;
	}
	fetch_stop(f, FETCH_TIMEOUT, f->headed ?
	    "the answer stopped for too long" : "no answer in time");
	fetch_finish(f, FETCH_TIMEOUT);
}

struct fetch *
fetch_start(struct fetch_hub *hub, const struct fetch_request *r)
{
	struct fetch *f = fetch_spare_new(hub, r);

	if (f == NULL)
		return NULL;
	TAILQ_INSERT_TAIL(&hub->all, f, entry);
	f->error[0] = '\0';
	buf_reset(&f->fields);
	f->timeout_ms = r->timeout_ms;
	f->max_body = r->max_body;
	f->length = -1;
	f->follow = r->follow;
	f->allow = r->allow;
	f->head = r->head;
	f->data = r->data;
	f->done = r->done;
	f->arg = r->arg;
	f->timer.fire = fetch_expired;
	f->heard = loop_now(hub->loop);
	buf_init(&f->body, SIZE_MAX / 2);
	if (f->easy == NULL ||
	    (!f->told && !fetch_options_set(f, r)) ||
	    (r->timeout_ms > 0 &&
	    !loop_timer_start(hub->loop, &f->timer, r->timeout_ms))) {
		fetch_bury(f);
		return NULL;
	}
	if (hub->depth > 0 || f->stopped || !fetch_hub_add(f))
		fetch_hub_put_off(f);
	return f;
}

void
fetch_resume(struct fetch *f)
{
	f->wake = true;
	fetch_hub_put_off(f);
}

void
fetch_wake(struct fetch *f)
{
	CURLcode code;

	f->wake = false;
	if (!f->paused)
		return;
	f->paused = false;
	f->heard = loop_now(f->hub->loop);
	if (f->timeout_ms > 0)
		loop_timer_start(f->hub->loop, &f->timer, f->timeout_ms);
	f->hub->depth++;
	code = curl_easy_pause(f->easy, CURLPAUSE_CONT);
	f->hub->depth--;
	if (code != CURLE_OK && !f->dead)
		fetch_finish(f, fetch_verdict(f, code));
}

void
fetch_cancel(struct fetch *f)
{
	if (f->ended || f->dead)
		return;
	f->dead = true;
	if (f->hub->depth > 0)
		fetch_hub_put_off(f);
	else
		fetch_bury(f);
}
