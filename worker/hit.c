/*
 * GET /hit: a streaming proxy for one target. What comes from the target
 * goes to the client piece by piece; when the client is slower, the target
 * waits, so that a body of any size passes in constant memory.
 *
 * A hit keeps the configuration it began with to its end. One that is to be
 * done later is a task (tasks.c).
 */
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "measure.h"
#include "routes.h"
#include "target.h"
#include "tasks.h"

enum {
	HIT_WAITING = 262144,	/* bytes unsent at which the target waits */
	HIT_HEAD = 65536,	/* bytes of headers passed on */
	HIT_WHY = 512,		/* bytes of a refusal's sentence */
	HIT_PROBLEM = 8192,
};

struct hit {
	struct worker *worker;
	struct current *current;	/* held */
	struct route_request *route;
	struct httpd_request *request;
	struct fetch *fetch;
	int64_t began;		/* of the loop's clock */
	size_t waiting;		/* bytes unsent, as last heard */
	bool streams;		/* the head has gone to the client */
	bool paused;
};

static void
hit_free(struct hit *h, const char *end)
{
	measure_hit(h->worker, end, loop_now(h->worker->loop) - h->began);
	h->worker->active--;
	current_drop(h->current);
	free(h);
}

static bool
hit_allow(void *arg, const struct sockaddr *address)
{
	const struct hit *h = arg;

	return target_allows(h->worker, address);
}

static void
hit_head(void *arg, const struct fetch_result *result)
{
	struct hit *h = arg;
	struct buf headers = BUF_INIT(HIT_HEAD);

	target_headers(result, &headers);
	h->streams = true;
	httpd_stream_start(h->request, result->status, buf_text(&headers),
	    result->length);
	buf_free(&headers);
}

static bool
hit_data(void *arg, const void *piece, size_t len)
{
	struct hit *h = arg;

	if (h->waiting >= HIT_WAITING) {
		h->paused = true;
		return false;
	}
	h->waiting = httpd_stream_write(h->request, piece, len);
	h->worker->counts.bytes += (long long)len;
	return true;
}

/* httpd: everything has been sent. */
static void
hit_drained(void *arg)
{
	struct hit *h = arg;

	h->waiting = 0;
	if (!h->paused)
		return;
	h->paused = false;
	fetch_resume(h->fetch);
}

/* httpd: the client went away. */
static void
hit_gone(void *arg)
{
	struct hit *h = arg;

	h->worker->counts.left++;
	fetch_cancel(h->fetch);
	hit_free(h, "left");
}

static void
hit_fail(struct hit *h, const struct fetch_result *result)
{
	struct buf why = BUF_INIT(HIT_WHY);
	struct route_reply reply;
	int status = target_failure(h->worker, result, &why);

	log_info("hit", "%d: %s", status, buf_text(&why));
	if (h->streams && !httpd_stream_retract(h->request)) {
		httpd_stream_abort(h->request);
	} else {
		route_reply_init(&reply, HIT_PROBLEM);
		route_problem(h->route, &reply, status, "%s", buf_text(&why));
		httpd_reply(h->request, &reply);
	}
	buf_free(&why);
}

static void
hit_done(void *arg, const struct fetch_result *result)
{
	struct hit *h = arg;

	if (result->end != FETCH_DONE) {
		hit_fail(h, result);
	} else {
		h->worker->counts.passed++;
		httpd_stream_end(h->request);
	}
	hit_free(h, result->end == FETCH_DONE ? "passed" : "failed");
}

static struct hit *
hit_start(struct worker *w, const struct route_request *req)
{
	const char *caller = target_caller(req);
	struct fetch_request request;
	struct hit *h = malloc(sizeof(*h));
	char **headers = NULL;

	if (h == NULL)
		return NULL;
	*h = (struct hit){ .worker = w, .began = loop_now(w->loop),
		.current = current_hold(w->current) };
	target_request(w, h->current, &request);
	request.method = strcmp(req->method, "HEAD") == 0 ? "HEAD" : "GET";
	request.allow = hit_allow;
	request.head = hit_head;
	request.data = hit_data;
	request.done = hit_done;
	request.arg = h;
	if (caller != NULL)
		headers = target_via(w, caller, &request);
	h->fetch = fetch_start(w->hub, &request);
	free(headers);
	w->active++;
	if (h->fetch != NULL)
		return h;
	hit_free(h, "failed");
	return NULL;
}

/* What needs no target to be refused. */
static bool
hit_refuse(struct worker *w, const struct route_request *req,
    struct route_reply *reply)
{
	const char *via = req->header(req, "Via");

	if (w->current == NULL) {
		w->counts.unconfigured++;
		route_problem(req, reply, 503, "no configuration has been "
		    "delivered yet");
	} else if (httpd_crowded(w->httpd)) {
		w->counts.crowded++;
		route_header(reply, "Retry-After", "1");
		route_problem(req, reply, 503, "there are too many hits under "
		    "way");
	} else if (via != NULL && strstr(via, w->via) != NULL) {
		w->counts.broken++;
		route_problem(req, reply, 502, "the target leads back to this "
		    "worker");
	} else if (via != NULL && strlen(via) > CURRENT_VIA) {
		/* without it a loop would not find its end */
		w->counts.broken++;
		route_problem(req, reply, 502, "the Via has come too far: it "
		    "is longer than %d bytes", CURRENT_VIA);
	} else {
		return false;
	}
	return true;
}

static void
hit_get(struct route_request *req, struct route_reply *reply)
{
	struct worker *w = req->table->context;
	struct hit *h;

	w->counts.hits++;
	if (hit_refuse(w, req, reply))
		return;
	if (tasks_wanted(w, req)) {
		tasks_post(req, reply);
	} else if ((h = hit_start(w, req)) == NULL) {
		route_problem(req, reply, 503, "out of memory");
	} else {
		h->route = req;
		h->request = httpd_later(req, reply, hit_gone, hit_drained,
		    h);
	}
}

static const struct route_param hit_params[] = {
	{ .name = "async", .in = ROUTE_IN_QUERY, .kind = ROUTE_FLAG,
	    .example = "true",
	    .doc = "Whether it is done later; goes over Prefer and HIT_MODE" },
	{ .name = "Prefer", .in = ROUTE_IN_HEADER, .kind = ROUTE_TEXT,
	    .min = 1, .max = 1000, .example = "respond-async",
	    .doc = "`respond-async`: the same (RFC 7240)" },
	{ .name = NULL },
};

static const struct route_answer hit_answers[] = {
	{ .status = 200, .doc = "The body of the target, with its content "
	    "type", .type = "*/*",
	    .example = "203.0.113.7\n" },
	{ .status = 202, .doc = "It is queued, and will be done with the "
	    "configuration of this moment", .type = "application/json",
	    .headers = "Location Preference-Applied",
	    .example = "{\"task_id\":\"0b0e4dc8-8f7c-4c1b-9b1f-"
	    "5a3c1f6f2a11\",\"status\":\"queued\"}" },
	{ .status = 502, .doc = "The target cannot be reached, broke off, or "
	    "its address is special and not in ALLOW_CIDR",
	    .type = "application/problem+json",
	    .example = "{\"type\":\"about:blank\",\"title\":\"Bad Gateway\","
	    "\"status\":502,\"detail\":\"address 127.0.0.1 is refused: it is "
	    "special, and ALLOW_CIDR does not list it\",\"request_id\":"
	    "\"5f0c2a\"}" },
	{ .status = 503, .doc = "No configuration has been delivered yet, or "
	    "too many hits are under way; or, of a task, the queue is full or "
	    "cannot be reached",
	    .type = "application/problem+json", .headers = "Retry-After",
	    .example = "{\"type\":\"about:blank\",\"title\":\"Service "
	    "Unavailable\",\"status\":503,\"detail\":\"no configuration has "
	    "been delivered yet\",\"request_id\":\"5f0c2a\"}" },
	{ .status = 504, .doc = "The target is too slow",
	    .type = "application/problem+json",
	    .example = "{\"type\":\"about:blank\",\"title\":\"Gateway "
	    "Timeout\",\"status\":504,\"detail\":\"the target is too slow: no "
	    "answer in time\",\"request_id\":\"5f0c2a\"}" },
	{ .status = ROUTE_ANY, .doc = "Whatever else the target answers: its "
	    "own redirects (where they are not followed), 4xx and 5xx",
	    .type = "*/*",
	    .example = "Not here.\n" },
	{ .status = 0 },
};

const struct route hit_routes[] = {
	{ .method = "GET", .path = "/hit", .id = "hit", .tag = "hit",
	    .summary = "What the configured URL serves, streamed, or later",
	    .params = hit_params,
	    .answers = hit_answers, .handle = hit_get },
	{ .path = NULL },
};
