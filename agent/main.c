/*
 * dcm-agent: keeps a worker on the configuration that the controller wants.
 * This file only wires: arguments, settings, state, loop, and the end.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "arguments.h"
#include "check.h"
#include "httpd.h"
#include "log.h"
#include "measure.h"
#include "once.h"
#include "reload.h"
#include "routes.h"
#include "supervisor.h"

enum { MAIN_TEXT = 1 << 20, MAIN_CONNECTIONS = 64, MAIN_FETCHES = 4 };

struct main {
	enum arguments_mode mode;
	const char *file;	/* of --config; or NULL */
	struct settings settings;
	struct state state;
	struct loop *loop;
	struct fetch_hub *hub;
	struct httpd *httpd;
	struct route_table table;
	struct metric *metric;
	struct agent agent;
	struct supervisor supervisor;
};

static void
main_settings(struct main *m)
{
	struct buf errors = BUF_INIT(MAIN_TEXT);
	char *rest, *line;

	if (!settings_load(&m->settings, m->file, &errors)) {
		if (m->mode == ARGUMENTS_CHECK) {
			check_settings(errors.data);
			exit(1);
		}
		rest = errors.data;
		while (rest != NULL && (line = strsep(&rest, "\n")) != NULL)
			if (line[0] != '\0')
				log_error("init", "%s", line);
		log_fatal("wrong settings: dcm-agent does not start");
	}
	buf_free(&errors);
	log_setup(m->settings.log_level, m->settings.log_format);
}

/* A lock that cannot be made yet is tried again by whoever saves. */
static bool
main_lock(const struct main *m, const char *path)
{
	int err = state_lock(path);

	if (err == EWOULDBLOCK) {
		log_error("init", "%s is used by another dcm-agent; give each "
		    "a STATE_FILE of its own%s", path, m->mode ==
		    ARGUMENTS_ONCE ? ", or let that one poll with SIGHUP" :
		    "");
		exit(m->mode == ARGUMENTS_ONCE ? ONCE_STATE : 1);
	}
	if (err != 0)
		log_warn("state", "%s.lock: %s; until it can be made, another "
		    "dcm-agent could use the same file", path, strerror(err));
	return err == 0;
}

static void
main_state(struct main *m)
{
	const char *path = m->settings.state_file;
	char aside[4200];
	bool locked = main_lock(m, path);
	enum state_end end = state_load(&m->state, path, aside,
	    sizeof(aside));

	m->state.unlocked = !locked;
	if (end == STATE_READ)
		log_info("state", "%s: agent %s, version %lld", path,
		    m->state.id, m->state.good.version);
	else if (end == STATE_NEW)
		log_info("state", "%s is new", path);
	else
		log_warn("state", "%s %s%s; it %s%s, and the agent goes on as "
		    "new%s", path, end == STATE_BAD ? "is truncated or "
		    "altered" : "cannot be read: ", end == STATE_BAD ? "" :
		    strerror(errno), aside[0] != '\0' ? "is now " :
		    "could not be put aside", aside, m->state.id[0] != '\0' ?
		    ", with its old id" : "");
}

static void
main_over(void *arg)
{
	struct main *m = arg;

	loop_stop(m->loop);
}

static void
main_worker_ended(void *arg)
{
	struct main *m = arg;

	deliver_look(&m->agent.deliver);
}

/* The agent stops at once; a worker of its own may need longer. */
static void
main_caught(void *arg, int number)
{
	struct main *m = arg;

	if (number == SIGHUP) {
		if (m->mode == ARGUMENTS_RUN)
			reload_settings(&m->agent, m->file);
		return;
	}
	log_info("shutdown", "%s", number == SIGTERM ? "SIGTERM" : "SIGINT");
	if (m->mode != ARGUMENTS_RUN) {
		loop_stop(m->loop);
		return;
	}
	agent_stop(&m->agent);
	supervisor_stop(&m->supervisor, main_over);
}

static void
main_open(struct main *m)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);	/* a full disk is an error, no end */
	m->loop = loop_open();
	if (m->loop == NULL)
		log_fatal("the loop: %s", strerror(errno));
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (!loop_signal(m->loop, signals[i], main_caught, m))
			log_fatal("signals: %s", strerror(errno));
	m->hub = fetch_open(m->loop, MAIN_FETCHES);
	if (m->hub == NULL)
		log_fatal("libcurl: out of memory");
}

static void
main_listen(struct main *m)
{
	struct httpd_config config = httpd_defaults;
	struct buf error = BUF_INIT(MAIN_TEXT);

	config.bind = m->settings.bind;
	config.port = m->settings.port;
	config.max_connections = MAIN_CONNECTIONS;
	m->table = routes_of(&m->agent);
	m->httpd = httpd_open(m->loop, &config, &m->table, &error);
	if (m->httpd == NULL)
		log_fatal("AGENT_PORT: %s", buf_text(&error));
	m->metric = measure_open(&error);
	if (m->metric == NULL)
		log_fatal("metrics: %s", buf_text(&error));
	buf_free(&error);
}

static void
main_close(struct main *m)
{
	if (m->mode == ARGUMENTS_RUN)
		log_info("shutdown", "after %llu wake-ups",
		    (unsigned long long)loop_turns(m->loop));
	if (m->agent.at != AGENT_STOPPED)
		agent_stop(&m->agent);
	if (m->httpd != NULL)
		httpd_close(m->httpd);
	metric_close(m->metric);
	fetch_close(m->hub);
	loop_close(m->loop);
	state_free(&m->state);
	settings_free(&m->settings);
}

/* Beside no other agent of this state file, but without a port. */
static int
main_once(struct main *m)
{
	struct once once;
	int end;

	main_state(m);
	agent_start(&m->agent, m->loop, m->hub, &m->settings, &m->state,
	    m->settings.port);
	once_start(&once, &m->agent);
	loop_run(m->loop);
	end = (int)once_finish(&once);
	main_close(m);
	return end;
}

static int
main_check(struct main *m)
{
	int end = check_run(m->loop, m->hub, &m->settings);

	main_close(m);
	return end;
}

static int
main_run(struct main *m)
{
	int err;

	main_listen(m);
	main_state(m);
	log_info("init", "dcm-agent " DCM_VERSION " on %s:%ld, controller %s, "
	    "worker %s", m->settings.bind, httpd_port(m->httpd),
	    m->settings.controller_url, m->settings.worker_url);
	supervisor_start(&m->supervisor, m->loop, &m->settings,
	    main_worker_ended, m);
	agent_start(&m->agent, m->loop, m->hub, &m->settings, &m->state,
	    httpd_port(m->httpd));
	m->agent.metric = m->metric;
	m->agent.supervisor = &m->supervisor;
	err = loop_run(m->loop);
	main_close(m);
	if (err != 0)
		log_error("shutdown", "poll: %s", strerror(err));
	else
		log_info("shutdown", "stopped");
	return err != 0;
}

int
main(int argc, char **argv)
{
	static struct main m;

	m.mode = arguments_read(argc, argv, &m.file);
	if (m.mode == ARGUMENTS_DONE || m.mode == ARGUMENTS_UNSAID)
		return m.mode == ARGUMENTS_UNSAID;
	if (m.mode == ARGUMENTS_WRONG)
		return 2;
	main_settings(&m);
	main_open(&m);
	if (m.mode == ARGUMENTS_ONCE)
		return main_once(&m);
	return m.mode == ARGUMENTS_CHECK ? main_check(&m) : main_run(&m);
}
