/*
 * A connection to Redis on the loop: hiredis with five hooks of our own.
 * When it breaks, or answers nothing for too long, or Redis is still
 * loading, it is made again, with backoff, for ever.
 *
 * hiredis would wait for the resolver: it is given an address.
 */
#include "queue_redis_link.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "token.h"

enum {
	LINK_PATIENCE = 5000,	/* ms without an answer */
	LINK_LOOK = 500,	/* ms between two looks at that */
	LINK_LAST = 14,		/* times as many ms, for the last answers */
	LINK_BASE = 100,	/* ms, backoff */
	LINK_MOST = 3000,
};

/* --- the five hooks ----------------------------------------------------- */

static void
queue_redis_link_events(struct queue_redis_link *l, short on, short off)
{
	l->events = (short)((l->events | on) & ~off);
	if (l->context == NULL)
		return;
	if (!loop_watch_start(l->loop, &l->watch, l->context->c.fd,
	    l->events))
		log_error("queue", "out of memory");
}

static void
queue_redis_link_add_read(void *arg)
{
	queue_redis_link_events(arg, POLLIN, 0);
}

static void
queue_redis_link_del_read(void *arg)
{
	queue_redis_link_events(arg, 0, POLLIN);
}

static void
queue_redis_link_add_write(void *arg)
{
	queue_redis_link_events(arg, POLLOUT, 0);
}

static void
queue_redis_link_del_write(void *arg)
{
	queue_redis_link_events(arg, 0, POLLOUT);
}

/* hiredis frees the context: the one sure sign that it is gone. */
static void
queue_redis_link_gone(void *arg)
{
	struct queue_redis_link *l = arg;
	const char *why = l->context->errstr;
	bool was = l->up;

	loop_watch_stop(l->loop, &l->watch);
	loop_timer_stop(l->loop, &l->patience);
	if (!l->mute && (was || l->retry.failures == 0))
		log_warn("queue", "redis at %s port %d (%s): %s",
		    l->url->host, l->url->port, l->what,
		    why != NULL && *why != '\0' ? why : "connection lost");
	l->context = NULL;
	l->up = false;
	l->unanswered = 0;
	l->events = 0;
	if (l->mute)
		return;
	loop_timer_start(l->loop, &l->again, retry_next(&l->retry, LINK_BASE,
	    LINK_MOST, token_chance()));
	if (was)
		l->changed(l);
}

static void
queue_redis_link_ready(struct loop_watch *watch, short revents)
{
	struct queue_redis_link *l = LOOP_OF(struct queue_redis_link, watch,
	    watch);
	bool writes = (l->events & POLLOUT) != 0;

	if (revents & (POLLIN | POLLHUP | POLLERR))
		redisAsyncHandleRead(l->context);
	/* Reading may have been the end of it. */
	if (l->context != NULL && writes && (revents & POLLOUT))
		redisAsyncHandleWrite(l->context);
}

/* --- asking ------------------------------------------------------------- */

/* Breaks it off; what is awaited is answered with NULL. */
static void
queue_redis_link_break(struct queue_redis_link *l, const char *why)
{
	log_warn("queue", "redis (%s): %s", l->what, why);
	redisAsyncFree(l->context);
}

static void
queue_redis_link_answered(redisAsyncContext *context, void *reply, void *arg)
{
	struct queue_redis_ask *ask = arg;
	struct queue_redis_link *l = ask->link;

	(void)context;
	if (l->unanswered > 0)
		l->unanswered--;
	l->heard = loop_now(l->loop);
	ask->answered(ask, reply);
}

static bool
queue_redis_link_ask(struct queue_redis_link *l, struct queue_redis_ask *ask,
    size_t count, const char *const *words)
{
	const char **copy = reallocarray(NULL, count, sizeof(*copy));
	bool sent;

	if (copy == NULL)
		return false;
	memcpy(copy, words, count * sizeof(*copy));
	ask->link = l;
	sent = redisAsyncCommandArgv(l->context, queue_redis_link_answered,
	    ask, (int)count, copy, NULL) == REDIS_OK;
	free(copy);
	if (sent && l->unanswered++ == 0)
		l->heard = loop_now(l->loop);
	return sent;
}

bool
queue_redis_link_send(struct queue_redis_link *l, struct queue_redis_ask *ask,
    size_t count, const char *const *words)
{
	return l->up && l->context != NULL &&
	    queue_redis_link_ask(l, ask, count, words);
}

void
queue_redis_link_write(struct queue_redis_link *l)
{
	if (l->context != NULL && l->up && (l->events & POLLOUT))
		redisAsyncHandleWrite(l->context);
}

static void
queue_redis_link_patience(struct loop_timer *timer)
{
	struct queue_redis_link *l = LOOP_OF(struct queue_redis_link,
	    patience, timer);

	loop_timer_start(l->loop, timer, LINK_LOOK);
	if (l->unanswered > 0 &&
	    loop_now(l->loop) - l->heard > LINK_PATIENCE)
		queue_redis_link_break(l, "it does not answer");
}

/* --- greeting ----------------------------------------------------------- */

struct queue_redis_greeting {
	struct queue_redis_ask ask;
	bool last;
};

static void
queue_redis_link_greeted(struct queue_redis_ask *ask, const redisReply *reply)
{
	struct queue_redis_greeting *g = LOOP_OF(struct queue_redis_greeting,
	    ask, ask);
	struct queue_redis_link *l = ask->link;
	bool last = g->last;

	free(g);
	if (reply == NULL)
		return;
	if (reply->type == REDIS_REPLY_ERROR) {
		if (l->retry.failures == 0)
			log_warn("queue", "redis (%s): %s", l->what,
			    reply->str);
		redisAsyncFree(l->context);
	} else if (last && l->context != NULL && !l->up) {
		l->up = true;
		retry_reset(&l->retry);
		log_info("queue", "redis at %s port %d (%s) is there",
		    l->url->host, l->url->port, l->what);
		l->changed(l);
	}
}

static bool
queue_redis_link_say(struct queue_redis_link *l, bool last, size_t count,
    const char *const *words)
{
	struct queue_redis_greeting *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return false;
	g->ask.answered = queue_redis_link_greeted;
	g->last = last;
	if (queue_redis_link_ask(l, &g->ask, count, words))
		return true;
	free(g);
	return false;
}

static void
queue_redis_link_greet(struct queue_redis_link *l)
{
	const struct broker *u = l->url;
	char number[16];
	bool ok = true;

	snprintf(number, sizeof(number), "%d", u->number);
	if (u->password != NULL && u->user != NULL)
		ok = queue_redis_link_say(l, false, 3, (const char *const[]){
		    "AUTH", u->user, u->password });
	else if (u->password != NULL)
		ok = queue_redis_link_say(l, false, 2, (const char *const[]){
		    "AUTH", u->password });
	if (!ok || !queue_redis_link_say(l, true, 2, (const char *const[]){
	    "SELECT", number }))
		redisAsyncFree(l->context);
}

static void
queue_redis_link_connected(const redisAsyncContext *context, int status)
{
	struct queue_redis_link *l = context->ev.data;

	if (status != REDIS_OK)
		return;
	l->unanswered = 0;
	queue_redis_link_greet(l);
}

static void
queue_redis_link_failed(struct queue_redis_link *l, const char *why)
{
	if (l->retry.failures == 0)
		log_warn("queue", "redis at %s port %d (%s): %s",
		    l->url->host, l->url->port, l->what, why);
	loop_timer_start(l->loop, &l->again, retry_next(&l->retry, LINK_BASE,
	    LINK_MOST, token_chance()));
}

static void
queue_redis_link_connect(struct queue_redis_link *l, const char *address)
{
	redisAsyncContext *c = redisAsyncConnect(address, l->url->port);

	if (c == NULL || c->err != 0) {
		queue_redis_link_failed(l, c != NULL ? c->errstr :
		    "out of memory");
		if (c != NULL)
			redisAsyncFree(c);
		return;
	}
	l->context = c;
	c->ev.data = l;
	c->ev.addRead = queue_redis_link_add_read;
	c->ev.delRead = queue_redis_link_del_read;
	c->ev.addWrite = queue_redis_link_add_write;
	c->ev.delWrite = queue_redis_link_del_write;
	c->ev.cleanup = queue_redis_link_gone;
	/* This starts the watch: the first thing to happen is POLLOUT. */
	redisAsyncSetConnectCallback(c, queue_redis_link_connected);
	l->unanswered = 1;	/* the connection itself */
	l->heard = loop_now(l->loop);
	loop_timer_start(l->loop, &l->patience, LINK_LOOK);
}

/* --- the address -------------------------------------------------------- */

/* Another of its addresses each time that one fails. */
static const struct addrinfo *
queue_redis_link_choose(const struct addrinfo *found, unsigned turn)
{
	const struct addrinfo *one = found;

	while (turn-- > 0)
		one = one->ai_next != NULL ? one->ai_next : found;
	return one;
}

static void
queue_redis_link_resolved(struct loop_watch *watch, short revents)
{
	struct queue_redis_link *l = LOOP_OF(struct queue_redis_link,
	    resolved, watch);
	const char *why = "it has no address";
	const struct addrinfo *found = resolve_found(l->resolve, &why);
	char address[NI_MAXHOST];

	(void)revents;
	loop_watch_stop(l->loop, watch);
	if (found != NULL)
		found = queue_redis_link_choose(found, l->retry.failures);
	if (found != NULL && getnameinfo(found->ai_addr, found->ai_addrlen,
	    address, sizeof(address), NULL, 0, NI_NUMERICHOST) == 0)
		queue_redis_link_connect(l, address);
	else
		queue_redis_link_failed(l, why);
	resolve_drop(l->resolve);
	l->resolve = NULL;
}

static void
queue_redis_link_again(struct loop_timer *timer)
{
	struct queue_redis_link *l = LOOP_OF(struct queue_redis_link, again,
	    timer);

	const char *why;

	l->resolve = resolve_start(l->url->host, l->url->port);
	if (l->resolve != NULL && loop_watch_start(l->loop, &l->resolved,
	    resolve_fd(l->resolve), POLLIN))
		return;
	why = strerror(l->resolve != NULL ? ENOMEM : errno);
	resolve_drop(l->resolve);
	l->resolve = NULL;
	queue_redis_link_failed(l, why);
}

void
queue_redis_link_start(struct queue_redis_link *l)
{
	l->watch.ready = queue_redis_link_ready;
	l->resolved.ready = queue_redis_link_resolved;
	l->again.fire = queue_redis_link_again;
	l->patience.fire = queue_redis_link_patience;
	loop_timer_start(l->loop, &l->again, 0);
}

void
queue_redis_link_flush(struct queue_redis_link *l)
{
	for (int i = 0; i < LINK_LAST; i++) {
		struct pollfd p = { .events = POLLIN };

		if (l->context == NULL || !l->up || l->unanswered == 0)
			return;
		redisAsyncHandleWrite(l->context);
		if (l->context == NULL)
			return;
		p.fd = l->context->c.fd;
		if (poll(&p, 1, LINK_LAST) > 0)
			redisAsyncHandleRead(l->context);
	}
}

void
queue_redis_link_stop(struct queue_redis_link *l)
{
	l->mute = true;
	loop_timer_stop(l->loop, &l->again);
	loop_watch_stop(l->loop, &l->resolved);
	resolve_drop(l->resolve);
	l->resolve = NULL;
	if (l->context != NULL)
		redisAsyncFree(l->context);
}
