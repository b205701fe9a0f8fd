/*
 * GET /metrics. Durations are counted as they happen; what others count is
 * read when it is asked for.
 */
#include "measure.h"

#include "clock.h"
#include "metric.h"
#include "routes.h"
#include "task.h"

enum {
	MEASURE_HITS, MEASURE_HIT, MEASURE_BYTES, MEASURE_ACTIVE,
	MEASURE_PUSHED, MEASURE_TASK, MEASURE_WAIT, MEASURE_RUNNING,
	MEASURE_DEPTH, MEASURE_OLDEST, MEASURE_UP,
	MEASURE_CONFIGS, MEASURE_VERSION, MEASURE_CONNECTIONS,
	MEASURE_START, MEASURE_MEMORY, MEASURE_FILES,
};

/* ms */
static const long long measure_times[] = {
	1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000,
	60000, 300000, 0
};

static const struct metric_row measure_rows[] = {
	[MEASURE_HITS] = { .name = "dcm_worker_hits_total",
	    .kind = METRIC_COUNTER, .labels = "end", .sets = 12,
	    .doc = "GET /hit, by how it ended" },
	[MEASURE_HIT] = { .name = "dcm_worker_hit_seconds",
	    .kind = METRIC_HISTOGRAM, .labels = "end", .sets = 3,
	    .unit = 1000, .bounds = measure_times,
	    .doc = "From the request to the end of its answer" },
	[MEASURE_BYTES] = { .name = "dcm_worker_hit_bytes_total",
	    .kind = METRIC_COUNTER, .doc = "Bytes of bodies passed on" },
	[MEASURE_ACTIVE] = { .name = "dcm_worker_hits_active",
	    .kind = METRIC_GAUGE, .doc = "Hits under way" },
	[MEASURE_PUSHED] = { .name = "dcm_worker_tasks_total",
	    .kind = METRIC_COUNTER, .labels = "end", .sets = 4,
	    .doc = "Tasks asked for: accepted, or refused because the queue "
	    "was full or down" },
	[MEASURE_TASK] = { .name = "dcm_worker_task_seconds",
	    .kind = METRIC_HISTOGRAM, .labels = "end", .sets = 3,
	    .unit = 1000, .bounds = measure_times,
	    .doc = "Attempts here, by how they ended" },
	[MEASURE_WAIT] = { .name = "dcm_worker_task_wait_seconds",
	    .kind = METRIC_HISTOGRAM, .unit = 1000, .bounds = measure_times,
	    .doc = "From the 202 to the first attempt" },
	[MEASURE_RUNNING] = { .name = "dcm_worker_tasks_running",
	    .kind = METRIC_GAUGE, .doc = "Tasks that run here" },
	[MEASURE_DEPTH] = { .name = "dcm_worker_queue_tasks",
	    .kind = METRIC_GAUGE, .labels = "state", .sets = 2,
	    .doc = "Tasks in the queue that are not over" },
	[MEASURE_OLDEST] = { .name = "dcm_worker_queue_oldest_seconds",
	    .kind = METRIC_GAUGE, .unit = 1000,
	    .doc = "Age of the oldest task that is not over" },
	[MEASURE_UP] = { .name = "dcm_worker_queue_up",
	    .kind = METRIC_GAUGE, .doc = "Whether the queue can be reached" },
	[MEASURE_CONFIGS] = { .name = "dcm_worker_configs_total",
	    .kind = METRIC_COUNTER, .labels = "end", .sets = 2,
	    .doc = "Deliveries of a configuration: taken or refused" },
	[MEASURE_VERSION] = { .name = "dcm_worker_config_version",
	    .kind = METRIC_GAUGE,
	    .doc = "Version in force; 0: none, or without a number" },
	[MEASURE_CONNECTIONS] = { .name = "dcm_worker_connections",
	    .kind = METRIC_GAUGE, .doc = "Connections of clients" },
	[MEASURE_START] = { .name = "process_start_time_seconds",
	    .kind = METRIC_GAUGE, .unit = 1000,
	    .doc = "When the worker started, since 1970" },
	[MEASURE_MEMORY] = { .name = "process_resident_memory_bytes",
	    .kind = METRIC_GAUGE, .doc = "Resident memory" },
	[MEASURE_FILES] = { .name = "process_open_fds",
	    .kind = METRIC_GAUGE, .doc = "Open descriptors" },
	{ .name = NULL },
};

bool
measure_open(struct worker *w, struct buf *error)
{
	w->metric = metric_open(measure_rows, NULL, error);
	return w->metric != NULL;
}

void
measure_hit(struct worker *w, const char *end, int64_t ms)
{
	metric_note(w->metric, MEASURE_HIT, METRIC_LABELS(end), ms);
}

void
measure_task(struct worker *w, enum queue_state state, int64_t ms)
{
	const char *end = state == QUEUE_PENDING ? "again" :
	    queue_state_name(state);

	if (state == QUEUE_PENDING)
		w->counts.tasks_again++;
	else if (state == QUEUE_COMPLETED)
		w->counts.tasks_completed++;
	else
		w->counts.tasks_failed++;
	metric_note(w->metric, MEASURE_TASK, METRIC_LABELS(end), ms);
}

void
measure_wait(struct worker *w, long long ms)
{
	metric_note(w->metric, MEASURE_WAIT, NULL, ms > 0 ? ms : 0);
}

void
measure_push(struct worker *w, enum queue_end end)
{
	const char *name = end == QUEUE_DONE ? "accepted" :
	    end == QUEUE_FULL ? "full" : "down";

	if (end == QUEUE_DONE)
		w->counts.tasks_accepted++;
	metric_add(w->metric, MEASURE_PUSHED, METRIC_LABELS(name), 1);
}

/* --- what others count -------------------------------------------------- */

static void
measure_hits(struct worker *w)
{
	const struct worker_counts *c = &w->counts;
	const struct { const char *end; long long n; } ends[] = {
		{ "passed", c->passed }, { "unconfigured", c->unconfigured },
		{ "unreachable", c->unreachable }, { "refused", c->refused },
		{ "late", c->late }, { "broken", c->broken },
		{ "cut", c->cut }, { "crowded", c->crowded },
		{ "left", c->left },
	};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		metric_set(w->metric, MEASURE_HITS,
		    METRIC_LABELS(ends[i].end), ends[i].n);
	metric_set(w->metric, MEASURE_BYTES, NULL, c->bytes);
	metric_set(w->metric, MEASURE_ACTIVE, NULL, w->active);
	metric_set(w->metric, MEASURE_CONFIGS, METRIC_LABELS("taken"),
	    c->taken);
	metric_set(w->metric, MEASURE_CONFIGS, METRIC_LABELS("refused"),
	    c->rejected);
	metric_set(w->metric, MEASURE_VERSION, NULL,
	    w->current != NULL ? w->current->version : 0);
	metric_set(w->metric, MEASURE_CONNECTIONS, NULL,
	    (long long)httpd_connections(w->httpd));
}

static void
measure_queue(struct worker *w)
{
	struct queue_facts facts;

	queue_facts(w->tasks->queue, &facts);
	metric_set(w->metric, MEASURE_DEPTH, METRIC_LABELS("queued"),
	    facts.queued);
	metric_set(w->metric, MEASURE_DEPTH, METRIC_LABELS("pending"),
	    facts.pending);
	metric_set(w->metric, MEASURE_OLDEST, NULL, facts.oldest > 0 ?
	    clock_wall() - facts.oldest : 0);
	metric_set(w->metric, MEASURE_UP, NULL, facts.up);
	metric_set(w->metric, MEASURE_RUNNING, NULL,
	    (long long)w->tasks->running);
}

static void
measure_process(struct worker *w)
{
	metric_set(w->metric, MEASURE_START, NULL, w->started);
	metric_set(w->metric, MEASURE_MEMORY, NULL, metric_memory());
	metric_set(w->metric, MEASURE_FILES, NULL, metric_files());
}

static void
measure_get(struct route_request *req, struct route_reply *reply)
{
	struct worker *w = req->table->context;

	measure_hits(w);
	measure_queue(w);
	measure_process(w);
	reply->status = 200;
	reply->type = METRIC_TYPE;
	route_header(reply, "Cache-Control", "no-store");
	metric_print(w->metric, &reply->body);
}

static const struct route_answer measure_answers[] = {
	{ .status = 200, .doc = "Prometheus text", .type = METRIC_TYPE,
	    .headers = "Cache-Control",
	    .example = "# HELP dcm_worker_queue_up Whether the queue can be "
	    "reached\n# TYPE dcm_worker_queue_up gauge\n"
	    "dcm_worker_queue_up 1\n" },
	{ .status = 0 },
};

const struct route measure_routes[] = {
	{ .method = "GET", .path = "/metrics", .id = "readMetrics",
	    .tag = "state", .summary = "Counters, gauges and histograms",
	    .answers = measure_answers, .handle = measure_get },
	{ .path = NULL },
};
