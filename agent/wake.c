/*
 * The strategies. A message says only that there may be something new: what
 * is in it is not looked at, and however many there are, they make one read.
 */
#include "wake.h"

#include <string.h>

#include "token.h"

static const struct wake_engine *const wake_engines[] = {
#ifdef WITH_REDIS
	&wake_redis,
#endif
	&wake_nats,
};

enum { WAKE_MOST = 30000 };	/* ms, of a broker's backoff */

static bool
wake_is(const struct settings *s, const char *strategy)
{
	return s->strategy != NULL && strcmp(s->strategy, strategy) == 0;
}

/* NULL: a strategy without a broker. */
static const struct wake_engine *
wake_engine(const struct settings *s)
{
	size_t count = sizeof(wake_engines) / sizeof(wake_engines[0]);

	for (size_t i = 0; i < count; i++)
		if (wake_is(s, wake_engines[i]->strategy))
			return wake_engines[i];
	return NULL;
}

static const char *
wake_url(const struct settings *s, const struct wake_engine *engine)
{
	return engine == &wake_nats ? s->nats_url : s->redis_url;
}

void
wake_check(const struct settings *s, struct buf *error)
{
	const struct wake_engine *engine = wake_engine(s);
	struct broker_list servers;
	struct buf why = BUF_INIT(1000);
	const char *url;

	if (engine == NULL && wake_is(s, "REDIS"))
		buf_str(error, "DISTRIBUTION_STRATEGY is \"REDIS\": this "
		    "program has no Redis\n");
	if (engine == NULL)
		return;
	url = wake_url(s, engine);
	if (url == NULL) {
		buf_printf(error, "%s is not set: DISTRIBUTION_STRATEGY is "
		    "%s\n", engine->setting, engine->strategy);
		return;
	}
	if (!engine->read(&servers, url, &why))
		buf_printf(error, "%s %s\n", engine->setting, buf_text(&why));
	broker_list_free(&servers);
	buf_free(&why);
}

static void
wake_fires(struct loop_timer *timer)
{
	struct wake *w = LOOP_OF(struct wake, timer, timer);

	w->last = loop_now(w->loop);
	w->hint(w->arg);
}

/* A message; or a subscription, before which there may have been one. A hint
 * that is due already stands for this one. */
static void
wake_said(struct wake_link *link)
{
	struct wake *w = LOOP_OF(struct wake, link, link);
	int64_t ms = (int64_t)(token_chance() % (uint64_t)(w->spread + 1));
	int64_t gap = w->last + WAKE_GAP - loop_now(w->loop);

	if (!loop_timer_runs(&w->timer))
		loop_timer_start(w->loop, &w->timer, w->last > 0 && gap > ms ?
		    gap : ms);
}

void
wake_start(struct wake *w, struct loop *loop, const struct settings *s,
    void (*hint)(void *arg), void *arg)
{
	struct buf why = BUF_INIT(1000);

	*w = (struct wake){ .loop = loop, .hint = hint, .arg = arg,
		.spread = s->hint_spread * INT64_C(1000),
		.timer.fire = wake_fires,
		.hold = wake_is(s, "WATCH") ? WAKE_HOLD : 0 };
	w->engine = wake_engine(s);
	if (w->engine == NULL)
		return;
	w->link.loop = loop;
	w->link.engine = w->engine;
	w->link.said = wake_said;
	w->link.most = s->backoff_max * INT64_C(1000);
	if (w->link.most > WAKE_MOST)
		w->link.most = WAKE_MOST;
	if (w->engine->read(&w->link.servers, wake_url(s, w->engine), &why)) {
		wake_link_start(&w->link);
	} else {	/* wake_check has said why */
		broker_list_free(&w->link.servers);
		w->engine = NULL;
	}
	buf_free(&why);
}

void
wake_stop(struct wake *w)
{
	if (w->engine == NULL)
		return;
	loop_timer_stop(w->loop, &w->timer);
	wake_link_stop(&w->link);
	w->engine = NULL;
}

const char *
wake_word(const struct wake *w)
{
	if (w->engine == NULL)
		return w->hold > 0 ? "held" : "none";
	return w->link.up ? "subscribed" : "connecting";
}

const char *
wake_why(const struct wake *w)
{
	return w->engine != NULL ? w->link.last : "";
}
