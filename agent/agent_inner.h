#ifndef AGENT_INNER_H
#define AGENT_INNER_H
/*
 * The family of agent among itself: the steps of the state machine, by file.
 * Each step returns what the agent waits for.
 */
#include "agent.h"

enum agent_event {
	AGENT_TIMER,
	AGENT_GOOD, AGENT_SAME, AGENT_DENIED,
	AGENT_FAILED,		/* in the order of enum answer_kind */
	AGENT_NEWS,		/* of the worker */
	AGENT_HURRY,
	AGENT_HINT,		/* of wake */
	AGENT_ANEW,
	AGENT_EVENTS
};

void agent_happens(struct agent *, enum agent_event);

/* agent_wait.c: when */
int64_t agent_interval(const struct agent *);	/* ms */
int64_t agent_delay(struct agent *);	/* ms, after one more failure */
int64_t agent_early(const struct agent *);	/* ms, until news go out */
int64_t agent_pause(struct agent *);	/* ms, after a poll that went well */
enum agent_at agent_wait(struct agent *, enum agent_at, int64_t ms);
void agent_note_interval(struct agent *);
void agent_note_failure(struct agent *, const char *what, const char *why);
void agent_note_success(struct agent *);

/* agent_ask.c: questions */
enum agent_at agent_register(struct agent *);
enum agent_at agent_poll(struct agent *);
enum agent_at agent_report(struct agent *);	/* from where it rests */

/* agent_enroll.c: answers to a registration */
enum agent_at agent_registered(struct agent *);
enum agent_at agent_unregistered(struct agent *);
enum agent_at agent_register_denied(struct agent *);

/* agent_follow.c: answers to a poll and to a report */
enum agent_at agent_changed(struct agent *);
enum agent_at agent_unchanged(struct agent *);
enum agent_at agent_poll_failed(struct agent *);
enum agent_at agent_denied(struct agent *);
enum agent_at agent_reported(struct agent *);

#endif
