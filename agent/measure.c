/*
 * GET /metrics. Nothing is counted here: what the parts of the agent count
 * for themselves is read when it is asked for.
 */
#include "measure.h"


#include "clock.h"
#include "supervisor.h"

enum {
	MEASURE_POLLS, MEASURE_REGISTRATIONS, MEASURE_REPORTS,
	MEASURE_DELIVERIES, MEASURE_CHECKS, MEASURE_RETRIES,
	MEASURE_FAILURES, MEASURE_BACKOFF, MEASURE_VERSION, MEASURE_APPLIED,
	MEASURE_BEHIND, MEASURE_HEALTHY, MEASURE_RESTARTS, MEASURE_STARTS,
	MEASURE_SAVES, MEASURE_WAKEUPS, MEASURE_START, MEASURE_MEMORY,
	MEASURE_FILES,
};

static const struct metric_row measure_rows[] = {
	[MEASURE_POLLS] = { .name = "dcm_agent_polls_total",
	    .kind = METRIC_COUNTER, .labels = "result", .sets = 4,
	    .doc = "Polls, by what came: changed, unchanged, denied (401), "
	    "failed" },
	[MEASURE_REGISTRATIONS] = { .name = "dcm_agent_registrations_total",
	    .kind = METRIC_COUNTER, .labels = "result", .sets = 3,
	    .doc = "Registrations: done, denied (401), failed" },
	[MEASURE_REPORTS] = { .name = "dcm_agent_reports_total",
	    .kind = METRIC_COUNTER, .labels = "result", .sets = 3,
	    .doc = "Reports of a changed state: done, denied (401), failed" },
	[MEASURE_DELIVERIES] = { .name = "dcm_agent_deliveries_total",
	    .kind = METRIC_COUNTER, .labels = "result", .sets = 3,
	    .doc = "Configurations given to the worker: applied, refused, "
	    "failed" },
	[MEASURE_CHECKS] = { .name = "dcm_agent_worker_checks_total",
	    .kind = METRIC_COUNTER, .labels = "result", .sets = 2,
	    .doc = "Questions what the worker has: answered, failed" },
	[MEASURE_RETRIES] = { .name = "dcm_agent_retries_total",
	    .kind = METRIC_COUNTER, .labels = "peer", .sets = 2,
	    .doc = "Requests to the controller, and deliveries to the "
	    "worker, that followed a failure" },
	[MEASURE_FAILURES] = { .name = "dcm_agent_failures",
	    .kind = METRIC_GAUGE, .labels = "peer", .sets = 2,
	    .doc = "Failures in a row" },
	[MEASURE_BACKOFF] = { .name = "dcm_agent_backoff_seconds",
	    .kind = METRIC_GAUGE, .labels = "peer", .sets = 2, .unit = 1000,
	    .doc = "Time until it is tried again; 0 while all is well" },
	[MEASURE_VERSION] = { .name = "dcm_agent_config_version",
	    .kind = METRIC_GAUGE, .doc = "Newest version known; 0: none" },
	[MEASURE_APPLIED] = { .name = "dcm_agent_applied_version",
	    .kind = METRIC_GAUGE,
	    .doc = "Version that the worker acknowledged last; 0: none" },
	[MEASURE_BEHIND] = { .name = "dcm_agent_versions_behind",
	    .kind = METRIC_GAUGE,
	    .doc = "Versions between the newest known and the applied one" },
	[MEASURE_HEALTHY] = { .name = "dcm_agent_healthy",
	    .kind = METRIC_GAUGE, .doc = "Whether GET /health answers 200" },
	[MEASURE_RESTARTS] = { .name = "dcm_agent_worker_restarts_total",
	    .kind = METRIC_COUNTER,
	    .doc = "Restarts of the worker that were seen" },
	[MEASURE_STARTS] = { .name = "dcm_agent_worker_starts_total",
	    .kind = METRIC_COUNTER, .doc = "Starts of WORKER_COMMAND" },
	[MEASURE_SAVES] = { .name = "dcm_agent_state_file_errors_total",
	    .kind = METRIC_COUNTER,
	    .doc = "Times that the state file could not be written" },
	[MEASURE_WAKEUPS] = { .name = "dcm_agent_wakeups_total",
	    .kind = METRIC_COUNTER, .doc = "Returns of poll(2)" },
	[MEASURE_START] = { .name = "process_start_time_seconds",
	    .kind = METRIC_GAUGE, .unit = 1000,
	    .doc = "When the agent started, since 1970" },
	[MEASURE_MEMORY] = { .name = "process_resident_memory_bytes",
	    .kind = METRIC_GAUGE, .doc = "Resident memory" },
	[MEASURE_FILES] = { .name = "process_open_fds",
	    .kind = METRIC_GAUGE, .doc = "Open descriptors" },
	{ .name = NULL },
};

struct metric *
measure_open(struct buf *error)
{
	struct metric *metric = metric_open(measure_rows, NULL, error);

	if (metric != NULL)
		metric_set(metric, MEASURE_START, NULL, clock_wall());
	return metric;
}

static void
measure_controller(const struct agent *a)
{
	static const struct { size_t row; enum agent_at at; } asked[] = {
		{ MEASURE_REGISTRATIONS, AGENT_REGISTERING },
		{ MEASURE_REPORTS, AGENT_REPORTING },
	};
	const long long *polls = a->ends[AGENT_POLLING];
	int64_t left = a->poll_due - loop_now(a->loop);

	metric_set(a->metric, MEASURE_POLLS, METRIC_LABELS("changed"),
	    polls[ANSWER_GOOD]);
	metric_set(a->metric, MEASURE_POLLS, METRIC_LABELS("unchanged"),
	    polls[ANSWER_SAME]);
	metric_set(a->metric, MEASURE_POLLS, METRIC_LABELS("denied"),
	    polls[ANSWER_DENIED]);
	metric_set(a->metric, MEASURE_POLLS, METRIC_LABELS("failed"),
	    polls[ANSWER_FAILED]);
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		const long long *ends = a->ends[asked[i].at];

		metric_set(a->metric, asked[i].row, METRIC_LABELS("done"),
		    ends[ANSWER_GOOD]);
		metric_set(a->metric, asked[i].row, METRIC_LABELS("denied"),
		    ends[ANSWER_DENIED]);
		metric_set(a->metric, asked[i].row, METRIC_LABELS("failed"),
		    ends[ANSWER_FAILED]);
	}
	metric_set(a->metric, MEASURE_RETRIES, METRIC_LABELS("controller"),
	    a->retries);
	metric_set(a->metric, MEASURE_FAILURES, METRIC_LABELS("controller"),
	    a->retry.failures);
	metric_set(a->metric, MEASURE_BACKOFF, METRIC_LABELS("controller"),
	    a->retry.failures > 0 && left > 0 ? left : 0);
}

static void
measure_worker(const struct agent *a)
{
	const struct deliver *d = &a->deliver;
	const long long *gives = d->ends[DELIVER_GIVING];
	const long long *asks = d->ends[DELIVER_ASKING];
	unsigned failures = d->asks.failures + d->gives.failures;
	int64_t left = loop_timer_runs(&d->timer) ?
	    d->timer.due - loop_now(a->loop) : 0;

	metric_set(a->metric, MEASURE_DELIVERIES, METRIC_LABELS("applied"),
	    gives[ACK_APPLIED]);
	metric_set(a->metric, MEASURE_DELIVERIES, METRIC_LABELS("refused"),
	    gives[ACK_REFUSED]);
	metric_set(a->metric, MEASURE_DELIVERIES, METRIC_LABELS("failed"),
	    gives[ACK_FAILED] + gives[ACK_SILENT]);
	metric_set(a->metric, MEASURE_CHECKS, METRIC_LABELS("answered"),
	    asks[ACK_TOLD]);
	metric_set(a->metric, MEASURE_CHECKS, METRIC_LABELS("failed"),
	    asks[ACK_FAILED] + asks[ACK_SILENT]);
	metric_set(a->metric, MEASURE_RETRIES, METRIC_LABELS("worker"),
	    d->retries);
	metric_set(a->metric, MEASURE_FAILURES, METRIC_LABELS("worker"),
	    failures);
	metric_set(a->metric, MEASURE_BACKOFF, METRIC_LABELS("worker"),
	    failures > 0 && left > 0 ? left : 0);
	metric_set(a->metric, MEASURE_HEALTHY, NULL, deliver_healthy(d));
	metric_set(a->metric, MEASURE_RESTARTS, NULL, d->restarts);
	metric_set(a->metric, MEASURE_STARTS, NULL,
	    a->supervisor != NULL ? a->supervisor->starts : 0);
}

static void
measure_self(const struct agent *a)
{
	long long newest = a->deliver.newest.version;
	long long applied = a->state->good.version;

	metric_set(a->metric, MEASURE_VERSION, NULL, newest);
	metric_set(a->metric, MEASURE_APPLIED, NULL, applied);
	metric_set(a->metric, MEASURE_BEHIND, NULL,
	    newest > applied ? newest - applied : 0);
	metric_set(a->metric, MEASURE_SAVES, NULL, a->save.failures);
	metric_set(a->metric, MEASURE_WAKEUPS, NULL,
	    (long long)loop_turns(a->loop));
	metric_set(a->metric, MEASURE_MEMORY, NULL, metric_memory());
	metric_set(a->metric, MEASURE_FILES, NULL, metric_files());
}

static void
measure_get(struct route_request *req, struct route_reply *reply)
{
	const struct agent *a = req->table->context;

	measure_controller(a);
	measure_worker(a);
	measure_self(a);
	reply->status = 200;
	reply->type = METRIC_TYPE;
	route_header(reply, "Cache-Control", "no-store");
	metric_print(a->metric, &reply->body);
}

const struct route measure_routes[] = {
	{
		.method = "GET", .path = "/metrics", .id = "getMetrics",
		.tag = "agent", .summary = "Counters and gauges",
		.answers = (const struct route_answer[]){
			{ 200, "Prometheus text", METRIC_TYPE,
			    .headers = "Cache-Control",
			    .example = "# HELP dcm_agent_applied_version "
			    "Version that the worker acknowledged last; 0: "
			    "none\n# TYPE dcm_agent_applied_version gauge\n"
			    "dcm_agent_applied_version 7\n" },
			{ .status = 0 },
		},
		.handle = measure_get,
	},
	{ .path = NULL },
};
