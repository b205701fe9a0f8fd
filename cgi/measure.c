/*
 * Metrics. Counters and histograms are added to where things happen; gauges
 * are looked up when somebody asks.
 *
 * It refuses to stand in anybody's way: where the file cannot be had, this
 * process counts for itself and says so once.
 */
#include "measure.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controller.h"
#include "held.h"
#include "housekeep.h"
#include "keep.h"
#include "log.h"
#include "metric.h"

enum measure_row {
	MEASURE_REQUESTS,
	MEASURE_TIME,
	MEASURE_POLLS,
	MEASURE_UNCHANGED,
	MEASURE_HELD,
	MEASURE_APPLIED,
	MEASURE_FAULTS,
	MEASURE_VERSION,
	MEASURE_PUBLISHED,
	MEASURE_INTERVAL,
	MEASURE_AGENTS,
	MEASURE_UP_TO_DATE,
};

/* In microseconds. */
static const long long measure_time_bounds[] = {
	100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000,
	250000, 500000, 1000000, 2500000, 5000000, 10000000, 60000000, 0,
};

/* In milliseconds. */
static const long long measure_applied_bounds[] = {
	100, 250, 500, 1000, 2500, 5000, 10000, 15000, 30000, 45000, 60000,
	120000, 300000, 900000, 3600000, 21600000, 86400000, 0,
};

static const struct metric_row measure_rows[] = {
	[MEASURE_REQUESTS] = { .name = "dcm_requests_total",
	    .kind = METRIC_COUNTER,
	    .doc = "Requests answered; those that lighttpd answered itself "
	    "are counted within three seconds",
	    .labels = "responder method route status", .sets = 500 },
	[MEASURE_TIME] = { .name = "dcm_request_duration_seconds",
	    .kind = METRIC_HISTOGRAM,
	    .doc = "From a request's arrival in a responder to its answer, "
	    "without the time that a poll was held; lighttpd's own are left "
	    "out",
	    .labels = "responder method route", .sets = 150,
	    .unit = 1000000, .bounds = measure_time_bounds },
	[MEASURE_POLLS] = { .name = "dcm_polls_total",
	    .kind = METRIC_COUNTER,
	    .doc = "Reads of the present configuration, by what they were "
	    "answered with", .labels = "answer", .sets = 2 },
	[MEASURE_UNCHANGED] = { .name = "dcm_polls_unchanged_ratio",
	    .kind = METRIC_GAUGE,
	    .doc = "The share of 304 in dcm_polls_total", .unit = 1000000 },
	[MEASURE_HELD] = { .name = "dcm_polls_held", .kind = METRIC_GAUGE,
	    .doc = "Polls that are held now, of all processes" },
	[MEASURE_APPLIED] = { .name = "dcm_publish_to_applied_seconds",
	    .kind = METRIC_HISTOGRAM,
	    .doc = "From a publish to an agent's first heartbeat that "
	    "reports the version applied", .unit = 1000,
	    .bounds = measure_applied_bounds },
	[MEASURE_FAULTS] = { .name = "dcm_store_errors_total",
	    .kind = METRIC_COUNTER, .doc = "What the store could not do",
	    .labels = "error", .sets = 8 },
	[MEASURE_VERSION] = { .name = "dcm_config_version",
	    .kind = METRIC_GAUGE, .doc = "The present version" },
	[MEASURE_PUBLISHED] = {
	    .name = "dcm_config_published_timestamp_seconds",
	    .kind = METRIC_GAUGE, .unit = 1000,
	    .doc = "When the present version was published" },
	[MEASURE_INTERVAL] = { .name = "dcm_poll_interval_seconds",
	    .kind = METRIC_GAUGE, .doc = "How often agents are to poll" },
	[MEASURE_AGENTS] = { .name = "dcm_agents", .kind = METRIC_GAUGE,
	    .doc = "Agents by state", .labels = "state", .sets = 8 },
	[MEASURE_UP_TO_DATE] = { .name = "dcm_agents_up_to_date",
	    .kind = METRIC_GAUGE,
	    .doc = "Agents that have applied the present version" },
	{ .name = NULL },
};

/* --- the file ----------------------------------------------------------- */

bool
measure_place(struct measure *m, const char *state_dir)
{
	measure_close(m);
	m->folder = strdup(state_dir);
	return m->folder != NULL;
}

void
measure_close(struct measure *m)
{
	metric_close(m->metric);
	free(m->folder);
	*m = (struct measure){ .serves = m->serves };
}

static struct metric *
measure_metric(struct measure *m)
{
	struct buf error = BUF_INIT(1024);
	char *path = NULL;

	if (m->metric != NULL || m->folder == NULL || !m->serves)
		return m->metric;
	keep_folder(m->folder);
	if (asprintf(&path, "%s/metrics", m->folder) >= 0)
		m->metric = metric_open(measure_rows, path, &error);
	if (path != NULL && m->metric == NULL) {
		log_warn("metrics", "%s: counted in this process alone",
		    buf_text(&error));
		m->metric = metric_open(measure_rows, NULL, &error);
	}
	free(path);
	buf_free(&error);
	return m->metric;
}

/* --- counting ----------------------------------------------------------- */

/* "config" of config.fcgi, and "controller" of dcm-controller. */
static const char *
measure_responder(void)
{
	static char name[32];
	const char *program = program_invocation_short_name;

	if (name[0] == '\0')
		snprintf(name, sizeof(name), "%.*s",
		    (int)strcspn(program, "."),
		    strncmp(program, "dcm-", 4) == 0 ? program + 4 :
		    program);
	return name;
}

void
measure_request(struct measure *m, const struct route_request *req,
    int status, long long us)
{
	struct metric *metric = measure_metric(m);
	const struct route *route = req->route;
	const char *path = route != NULL ? route->path : "none";
	const char *method = route != NULL ? route->method : "any";
	const char *responder = measure_responder();
	char code[16];

	if (metric == NULL)
		return;
	snprintf(code, sizeof(code), "%d", status);
	metric_add(metric, MEASURE_REQUESTS,
	    METRIC_LABELS(responder, method, path, code), 1);
	metric_note(metric, MEASURE_TIME,
	    METRIC_LABELS(responder, method, path), us);
	if ((status == 200 || status == 304) && route != NULL &&
	    strcmp(route->id, "readConfig") == 0)
		metric_add(metric, MEASURE_POLLS, METRIC_LABELS(code), 1);
}

void
measure_polled(void *measure, int status, long long count)
{
	struct metric *metric = measure_metric(measure);
	char code[16];

	if (metric == NULL)
		return;
	snprintf(code, sizeof(code), "%d", status);
	metric_add(metric, MEASURE_REQUESTS,
	    METRIC_LABELS("lighttpd", "GET", "/config", code), count);
	metric_add(metric, MEASURE_POLLS, METRIC_LABELS(code), count);
}

void
measure_fault(void *measure, enum store_end end)
{
	static const char *const words[] = {
		[STORE_BUSY] = "busy", [STORE_READONLY] = "readonly",
		[STORE_FULL] = "full", [STORE_NEWER] = "newer",
		[STORE_BROKEN] = "broken",
	};
	struct metric *metric = measure_metric(measure);

	if (metric != NULL && end >= STORE_BUSY && end <= STORE_BROKEN)
		metric_add(metric, MEASURE_FAULTS,
		    METRIC_LABELS(words[end]), 1);
}

void
measure_applied(void *measure, long long ms)
{
	struct metric *metric = measure_metric(measure);

	if (metric != NULL)
		metric_note(metric, MEASURE_APPLIED, NULL, ms);
}

/* --- reading ------------------------------------------------------------ */

static void
measure_share(struct metric *m)
{
	long long same = metric_read(m, MEASURE_POLLS, METRIC_LABELS("304"));
	long long all = same + metric_read(m, MEASURE_POLLS,
	    METRIC_LABELS("200"));

	/* in millionths, and no overflow before 9e12 polls */
	metric_set(m, MEASURE_UNCHANGED, NULL,
	    all > 0 ? same * 1000000 / all : 0);
}

static enum store_end
measure_fleet(struct controller *c, struct metric *m, long long version)
{
	static const char *const states[] = {
		"ok", "failed", "no-worker", "offline", "new",
	};
	enum store_end end = STORE_DONE;
	long long count = 0;

	for (size_t i = 0; end == STORE_DONE &&
	    i < sizeof(states) / sizeof(*states); i++) {
		end = store_count(c->store, states[i], -1, &count);
		if (end == STORE_DONE)
			metric_set(m, MEASURE_AGENTS,
			    METRIC_LABELS(states[i]), count);
	}
	count = 0;
	if (end == STORE_DONE && version > 0)
		end = store_count(c->store, NULL, version, &count);
	metric_set(m, MEASURE_UP_TO_DATE, NULL, count);
	return end;
}

static void
measure_read(struct route_request *req, struct route_reply *reply)
{
	struct controller *c = controller_of(req);
	struct metric *m = measure_metric(&c->measure);
	const struct store_version *v;
	enum store_end end = controller_current(c, &v);

	if (m == NULL) {
		route_problem(req, reply, 500, "out of memory");
		return;
	}
	/* what cannot be looked up keeps the number that it had: that the
	 * store fails is among the counters */
	if (end == STORE_DONE) {
		long long version = v->version;

		metric_set(m, MEASURE_VERSION, NULL, version);
		metric_set(m, MEASURE_PUBLISHED, NULL, v->created_at);
		metric_set(m, MEASURE_INTERVAL, NULL, v->interval);
		housekeep_agents(c);
		end = measure_fleet(c, m, version);
	}
	if (end != STORE_DONE)
		log_warn("metrics", "%s", store_detail(c->store));
	measure_share(m);
	metric_set(m, MEASURE_HELD, NULL, held_sum(c->measure.folder));
	reply->status = 200;
	reply->type = METRIC_TYPE;
	metric_print(m, &reply->body);
}

static const struct route_answer measure_answers[] = {
	{ .status = 200, .doc = "Prometheus text, of all processes",
	    .type = METRIC_TYPE,
	    .example = "# HELP dcm_requests_total Requests answered\n"
	    "# TYPE dcm_requests_total counter\n"
	    "dcm_requests_total{responder=\"config\",method=\"GET\","
	    "route=\"/config\",status=\"304\"} 1027\n" },
	{ .status = 0 },
};

const struct route measure_routes[] = {
	{ .method = "GET", .path = "/metrics", .id = "readMetrics",
	    .tag = "status", .summary = "Counters, gauges and histograms",
	    .who = ROUTE_ADMIN, .answers = measure_answers,
	    .handle = measure_read },
	{ .path = NULL },
};
