/*
 * libcurl on the loop (curl_multi_socket_action(3)): its sockets become
 * watches (fetch_socket.c), its one timer becomes a timer, and what has ended
 * is reaped after each action.
 *
 * libcurl may not be called from its own callbacks. So what is asked for
 * there (start, resume, cancel) is noted and done in the next turn.
 */
#include <signal.h>
#include <stdlib.h>

#include "fetch_inner.h"

static void
fetch_hub_reap(struct fetch_hub *hub)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(hub->multi, &left)) != NULL) {
		CURLcode code = message->data.result;
		char *own = NULL;
		struct fetch *f;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE,
		    &own);
		f = (struct fetch *)(void *)own;
		if (!f->dead)
			fetch_finish(f, fetch_verdict(f, code));
	}
}

void
fetch_hub_act(struct fetch_hub *hub, curl_socket_t fd, int events)
{
	int running;

	hub->depth++;
	fetch_known_begin(hub);
	curl_multi_socket_action(hub->multi, fd, events, &running);
	fetch_known_end();
	hub->depth--;
	fetch_hub_reap(hub);
}

static void
fetch_hub_expired(struct loop_timer *timer)
{
	fetch_hub_act(LOOP_OF(struct fetch_hub, timer, timer),
	    CURL_SOCKET_TIMEOUT, 0);
}

/* CURLMOPT_TIMERFUNCTION */
static int
fetch_hub_timer(CURLM *multi, long ms, void *arg)
{
	struct fetch_hub *hub = arg;

	(void)multi;
	if (ms < 0)
		loop_timer_stop(hub->loop, &hub->timer);
	else if (!loop_timer_start(hub->loop, &hub->timer, ms))
		return -1;
	return 0;
}

static void
fetch_hub_turn(struct fetch *f)
{
	if (f->dead) {
		fetch_bury(f);
	} else if (f->stopped && !f->headed) {
		fetch_finish(f, f->end);
	} else if (!f->added) {
		if (!fetch_hub_add(f))
			fetch_finish(f, FETCH_UNREACHABLE);
	} else if (f->wake) {
		fetch_wake(f);
	}
}

static void
fetch_hub_later(struct loop_timer *timer)
{
	struct fetch_hub *hub = LOOP_OF(struct fetch_hub, later, timer);

	/* Only what waits now: a caller that resumes from inside its own
	 * callback may not keep the loop from turning. */
	for (size_t n = hub->waiting; n > 0 && hub->waiting > 0; n--) {
		struct fetch *f = TAILQ_FIRST(&hub->work);

		TAILQ_REMOVE(&hub->work, f, turn);
		f->put_off = false;
		hub->waiting--;
		fetch_hub_turn(f);
	}
	if (hub->waiting > 0)
		loop_timer_start(hub->loop, &hub->later, 0);
	fetch_hub_reap(hub);
}

void
fetch_hub_put_off(struct fetch *f)
{
	struct fetch_hub *hub = f->hub;

	if (f->put_off)
		return;
	f->put_off = true;
	TAILQ_INSERT_TAIL(&hub->work, f, turn);
	hub->waiting++;
	loop_timer_start(hub->loop, &hub->later, 0);
}

bool
fetch_hub_add(struct fetch *f)
{
	f->added = curl_multi_add_handle(f->hub->multi, f->easy) == CURLM_OK;
	return f->added;
}

void
fetch_hub_remove(struct fetch *f)
{
	if (f->put_off) {
		TAILQ_REMOVE(&f->hub->work, f, turn);
		f->hub->waiting--;
	}
	if (f->added)
		curl_multi_remove_handle(f->hub->multi, f->easy);
	fetch_socket_leave(f);
	TAILQ_REMOVE(&f->hub->all, f, entry);
}

struct fetch_hub *
fetch_open(struct loop *loop, long max_connections)
{
	struct fetch_hub *hub = calloc(1, sizeof(*hub));

	if (hub == NULL || !fetch_memory_start()) {
		free(hub);
		return NULL;
	}
	hub->multi = curl_multi_init();
	if (hub->multi == NULL) {
		fetch_memory_stop();
		free(hub);
		return NULL;
	}
	/* TLS writes with write(2): without this a peer that goes away ends
	 * the program. */
	signal(SIGPIPE, SIG_IGN);
	hub->loop = loop;
	hub->timer.fire = fetch_hub_expired;
	hub->later.fire = fetch_hub_later;
	TAILQ_INIT(&hub->all);
	TAILQ_INIT(&hub->spare);
	buf_init(&hub->said, SIZE_MAX / 4);
	TAILQ_INIT(&hub->work);
	curl_multi_setopt(hub->multi, CURLMOPT_SOCKETFUNCTION,
	    fetch_socket_asked);
	curl_multi_setopt(hub->multi, CURLMOPT_SOCKETDATA, hub);
	curl_multi_setopt(hub->multi, CURLMOPT_TIMERFUNCTION,
	    fetch_hub_timer);
	curl_multi_setopt(hub->multi, CURLMOPT_TIMERDATA, hub);
	curl_multi_setopt(hub->multi, CURLMOPT_MAXCONNECTS, max_connections);
	curl_multi_setopt(hub->multi, CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
	return hub;
}

void
fetch_close(struct fetch_hub *hub)
{
	struct fetch *f;

	if (hub == NULL)
		return;
	while ((f = TAILQ_FIRST(&hub->all)) != NULL)
		fetch_bury(f);
	fetch_spare_clear(hub);
	curl_multi_cleanup(hub->multi);
	fetch_socket_clear(hub);
	loop_timer_stop(hub->loop, &hub->timer);
	loop_timer_stop(hub->loop, &hub->later);
	fetch_memory_stop();
	free(hub);
}
