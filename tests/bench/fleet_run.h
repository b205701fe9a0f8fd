#ifndef FLEET_RUN_H
#define FLEET_RUN_H
/*
 * The run: agents that are due, answers that come, versions that are
 * published; and what was counted of it.
 */
#include "fleet_conn.h"
#include "fleet_count.h"
#include "fleet_h2.h"
#include "fleet_option.h"
#include "fleet_proc.h"
#include "fleet_wake.h"

/* What happened in one second. */
struct fleet_second {
	uint32_t begun;
	uint32_t same, changed;	/* 304, 200 */
	uint32_t refused;	/* another status */
	uint32_t failed;	/* no answer */
	uint32_t seen;		/* agents that got a new version first here */
	uint32_t p50, p99, max;	/* us */
	uint32_t waits;		/* due, and not asked yet, at its end */
	uint32_t server_us, others_us, own_us;	/* taken in it */
};

/* What was counted from the end of the warmth to the end. */
struct fleet_score {
	struct count latency;	/* from when a poll was due; see fleet.c */
	struct count seen;	/* from a publish to an agent's 200 */
	struct count publish;	/* until its answer */
	uint64_t same, changed, refused, failed, polls;
	uint64_t status[600];	/* refusals */
	uint32_t published, unpublished;
	uint32_t registered;	/* again, of the whole run */
	int64_t us;		/* how long it was */
	struct proc_use use;	/* taken in that time; memory at the end */
	struct proc_use most;	/* memory, of any second */
	struct proc_use rest;	/* memory before the first poll */
	struct proc_use last;	/* when it was last looked at */
	int64_t own_us, own_last;
};

struct fleet {
	struct fleet_option opt;
	struct agent_set agents;
	struct ask ask;
	struct conn_set conns;
	struct h2_set h2;		/* none by HTTP/1.1 */
	struct wake_set wakes;
	struct fleet_score score;
	struct count moment;		/* latencies of this second */
	struct fleet_second *second;	/* owned; also of the warmth */
	uint32_t seconds, at;		/* how many; the present one */
	int epoll;
	int64_t zero;		/* us, monotonic: the start of the warmth */
	int64_t now;		/* us since then */
	int64_t begun;		/* us: when it began to count; 0: not yet */
	int64_t chance;		/* state of the dice */
	uint32_t turn;		/* --interval 0: who is next */
	long long version;	/* the highest seen or expected */
	int64_t published;	/* us: when it was sent; 0: never */
	uint32_t behind;	/* agents that have not got it */
	int64_t next_publish;	/* us; 0: none */
	uint32_t away;		/* the first second with a failure */
	bool first;		/* the first poll has not been answered */
	int first_status;	/* 0: no answer */
	bool told;
};

/* Takes the options. False: said why. fleet_close in any case. */
bool fleet_open(struct fleet *);
void fleet_close(struct fleet *);
/* False: said why. */
bool fleet_run(struct fleet *);

enum { FLEET_SECOND = 1000000 };	/* us */
int64_t fleet_clock(void);		/* us, monotonic */
uint64_t fleet_chance(struct fleet *);
struct fleet_second *fleet_second(struct fleet *);
bool fleet_measures(const struct fleet *);

/* fleet_answer.c. An agent is due in so many ms. */
void fleet_later(struct fleet *, uint32_t who, int64_t ms);
/* From the connections. asked: us. */
void fleet_answered(struct fleet *, uint32_t who, int status,
    const char *etag, int64_t asked);
void fleet_registered(struct fleet *, uint32_t who, int status,
    const char *body);
void fleet_failed(struct fleet *, uint32_t who);
/* From a broker: an agent is told of a change. */
void fleet_hint(struct fleet *, uint32_t who);
/* Says something on standard error, once in a run. */
void fleet_tell(struct fleet *, const char *);

#endif
