#ifndef WORKER_H
#define WORKER_H
/*
 * What the rooms of the worker share: one of these, made by main.
 */
#include "current.h"
#include "fetch.h"
#include "httpd.h"
#include "loop.h"
#include "metric.h"
#include "settings.h"
#include "token.h"

/* Since the start; never reset. */
struct worker_counts {
	long long hits;		/* asked for */
	long long passed;	/* whole answers, whatever their status */
	long long unconfigured, unreachable, refused, late, broken, cut;
	long long crowded;	/* one too many at once */
	long long left;		/* clients that went away */
	long long bytes;	/* of bodies passed on */
	long long taken, rejected;	/* deliveries */
	long long tasks_accepted, tasks_completed, tasks_failed, tasks_again;
};

struct queue_text;
struct tasks;

struct worker {
	struct settings settings;
	struct loop *loop;
	struct fetch_hub *hub;
	struct httpd *httpd;
	struct current *current;	/* in force; NULL: none yet */
	struct queue_text *snapshot;	/* of it, for tasks; NULL: not made */
	struct tasks *tasks;
	struct metric *metric;
	struct worker_counts counts;
	long long active;		/* hits under way */
	long long started;		/* ms since 1970 */
	char queue_name[24];		/* of the queue's file */
	char instance[TOKEN_UUID];
	char via[TOKEN_UUID + 16];	/* value of Via: who loops back here */
	struct buf document;	/* of /swagger.yaml, once it was asked for */
};

#endif
