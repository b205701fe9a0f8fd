/*
 * dcm-worker: fetches the configured URL for whoever asks. Wires the parts
 * together and ends them; decides nothing.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "clock.h"
#include "log.h"
#include "measure.h"
#include "routes.h"
#include "sandbox.h"
#include "task.h"
#include "task_result.h"
#include "tasks.h"
#include "worker.h"

enum {
	MAIN_DRAIN = 10000,	/* ms that running requests have at the end */
	MAIN_KEPT = 256,	/* connections to targets kept for reuse */
	MAIN_CLIENTS = 10000,	/* connections of clients, at most */
	MAIN_SPARE = 64,	/* descriptors for everything else */
	MAIN_DOCUMENT = 1 << 20,
};

struct main_end {
	struct worker *worker;
	struct loop_timer limit;
	bool served, done;	/* no request, no task is left */
};

static const char main_usage[] =
    "usage: dcm-worker [--config FILE]\n"
    "       dcm-worker --help | --version | --openapi\n"
    "\n"
    "Fetches the configured URL for whoever asks GET /hit. Settings come "
    "from the\nenvironment, then from FILE (NAME=value lines).\n\n";

static int
main_print(struct buf *text)
{
	if (buf_print(text))
		return 0;
	fprintf(stderr, "dcm-worker: standard output: %s\n", strerror(errno));
	return 1;
}

/* The settings as the rows of README.md. */
static int
main_markdown(void)
{
	struct buf text = BUF_INIT(MAIN_DOCUMENT);

	setting_markdown(settings_table, &text);
	return main_print(&text);
}

static int
main_help(void)
{
	struct buf text = BUF_INIT(MAIN_DOCUMENT);

	buf_str(&text, main_usage);
	setting_help(settings_table, &text);
	return main_print(&text);
}

static int
main_openapi(void)
{
	struct buf text = BUF_INIT(MAIN_DOCUMENT);

	openapi_print(&routes_openapi, &text);
	return main_print(&text);
}

static int
main_version(void)
{
	return puts("dcm-worker " DCM_VERSION) < 0 ? 1 : 0;
}

static void
main_settings(struct worker *w, const char *file)
{
	struct buf error = BUF_INIT(65536);
	char *rest, *line;

	if (!settings_load(&w->settings, file, &error)) {
		rest = error.data;
		while ((line = strsep(&rest, "\n")) != NULL)
			if (*line != '\0')
				log_error("init", "%s", line);
		exit(1);
	}
	buf_free(&error);
	log_setup(w->settings.log_level, w->settings.log_format);
}

/* A hit needs a descriptor on either side: how many clients fit. */
static size_t
main_clients(void)
{
	struct rlimit limit;
	size_t fit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return MAIN_SPARE;
	limit.rlim_cur = limit.rlim_max < 65536 ? limit.rlim_max : 65536;
	setrlimit(RLIMIT_NOFILE, &limit);
	getrlimit(RLIMIT_NOFILE, &limit);
	fit = limit.rlim_cur / 2;
	fit = fit > MAIN_SPARE * 2 ? fit - MAIN_SPARE : MAIN_SPARE;
	return fit < MAIN_CLIENTS ? fit : MAIN_CLIENTS;
}

static void
main_open(struct worker *w)
{
	struct httpd_config config = httpd_defaults;
	struct buf error = BUF_INIT(1024);

	w->started = clock_wall();
	token_uuid(w->instance);
	/* 48 random bits tell workers apart; each byte costs every hit */
	snprintf(w->via, sizeof(w->via), "1.1 dcm-%.13s", w->instance);
	config.bind = w->settings.bind;
	config.port = w->settings.port;
	config.max_connections = main_clients();
	config.max_reply = CURRENT_BODY_MAX * 2 +
	    task_result_max((size_t)w->settings.max_result);
	w->loop = loop_open();
	if (w->loop == NULL)
		log_fatal("no loop: %m");
	w->hub = fetch_open(w->loop, MAIN_KEPT);
	if (w->hub == NULL)
		log_fatal("libcurl cannot start");
	routes_table.context = w;
	w->httpd = httpd_open(w->loop, &config, &routes_table, &error);
	if (w->httpd == NULL)
		log_fatal("%s", buf_text(&error));
	buf_free(&error);
}

static void
main_tasks(struct worker *w, struct tasks *tasks)
{
	struct buf error = BUF_INIT(1024);

	w->tasks = tasks;
	snprintf(w->queue_name, sizeof(w->queue_name), "queue-%ld",
	    w->settings.port);
	if (!measure_open(w, &error) || !task_open(tasks, w, &error))
		log_fatal("%s", buf_text(&error));
	buf_free(&error);
}

/* Once everything is open that has to be. */
static void
main_sandbox(const struct worker *w)
{
	const char *url = w->settings.queue_url, *slash;
	const char *folders[3] = { w->settings.state_dir, ".", NULL };
	struct buf why = BUF_INIT(256);
	char folder[4096];

	if (strcmp(w->settings.sandbox, "off") == 0) {
		log_info("init", "sandbox: off");
		return;
	}
	slash = strrchr(url, '/');
	if (strncmp(url, "sqlite:", 7) != 0 || url[7] == '\0') {
		folders[1] = NULL;
	} else if (slash != NULL) {
		snprintf(folder, sizeof(folder), "%.*s",
		    (int)(slash - url - 7) + (slash == url + 7), url + 7);
		folders[1] = folder;
	}
	switch (sandbox_enter(folders, &why)) {
	case SANDBOX_WHOLE:
		log_info("init", "sandbox: %s", buf_text(&why));
		break;
	case SANDBOX_PARTLY:
		log_warn("init", "sandbox: %s", buf_text(&why));
		break;
	case SANDBOX_FAILED:
		log_fatal("sandbox: %s (SANDBOX=off goes without)",
		    buf_text(&why));
	}
	buf_free(&why);
}

static void
main_idle(void *arg)
{
	struct main_end *end = arg;

	end->served = true;
	if (end->done)
		loop_stop(end->worker->loop);
}

static void
main_done(void *arg)
{
	struct main_end *end = arg;

	end->done = true;
	if (end->served)
		loop_stop(end->worker->loop);
}

static void
main_overdue(struct loop_timer *timer)
{
	struct main_end *end = LOOP_OF(struct main_end, limit, timer);

	log_warn("shutdown", "%lld hits are cut off, %zu tasks are left to "
	    "the queue", end->worker->active, end->worker->tasks->running);
	loop_stop(end->worker->loop);
}

static void
main_caught(void *arg, int number)
{
	struct main_end *end = arg;

	if (loop_timer_runs(&end->limit)) {
		log_info("shutdown", "at once");
		loop_stop(end->worker->loop);
		return;
	}
	log_info("shutdown", "signal %d: finishing %lld hits and %zu tasks",
	    number, end->worker->active, end->worker->tasks->running);
	loop_timer_start(end->worker->loop, &end->limit, MAIN_DRAIN);
	task_drain(end->worker->tasks, main_done, end);
	tasks_release(end->worker);
	httpd_drain(end->worker->httpd, main_idle, end);
}

static void
main_close(struct worker *w)
{
	httpd_close(w->httpd);
	task_close(w->tasks);
	fetch_close(w->hub);
	loop_close(w->loop);
	current_drop(w->current);
	queue_text_drop(w->snapshot);
	metric_close(w->metric);
	buf_free(&w->document);
	settings_free(&w->settings);
}

static int
main_serve(const char *file)
{
	struct worker worker = { 0 };
	struct main_end end = {
		.worker = &worker, .limit = { .fire = main_overdue },
	};
	struct tasks tasks = { 0 };
	int err;

	umask(077);	/* tasks keep their configuration, secrets and all */
	signal(SIGXFSZ, SIG_IGN);	/* a full disk is an error, no end */
	main_settings(&worker, file);
	main_open(&worker);
	main_tasks(&worker, &tasks);
	if (!loop_signal(worker.loop, SIGTERM, main_caught, &end) ||
	    !loop_signal(worker.loop, SIGINT, main_caught, &end))
		log_fatal("no signals: %m");
	log_info("init", "dcm-worker %s on %s port %ld, instance %s",
	    DCM_VERSION, worker.settings.bind, httpd_port(worker.httpd),
	    worker.instance);
	if (worker.settings.key == NULL)
		log_info("init", "no WORKER_API_KEY: /config is for callers "
		    "on this machine only");
	main_sandbox(&worker);
	err = loop_run(worker.loop);
	loop_timer_stop(worker.loop, &end.limit);
	main_close(&worker);
	if (err != 0)
		log_error("shutdown", "the loop ended: %s", strerror(err));
	else
		log_info("shutdown", "done");
	return err != 0;
}

int
main(int argc, char **argv)
{
	if (argc == 1)
		return main_serve(NULL);
	if (argc == 3 && strcmp(argv[1], "--config") == 0)
		return main_serve(argv[2]);
	if (argc == 2 && strcmp(argv[1], "--help") == 0)
		return main_help();
	if (argc == 2 && strcmp(argv[1], "--help-markdown") == 0)
		return main_markdown();
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return main_version();
	if (argc == 2 && strcmp(argv[1], "--openapi") == 0)
		return main_openapi();
	fputs(main_usage, stderr);
	return 2;
}
