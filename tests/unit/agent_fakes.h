#ifndef AGENT_FAKES_H
#define AGENT_FAKES_H
/*
 * Puts the fakes of agent_sky.h in the place of what the agent touches:
 * included before the .c files of the state machine.
 */
#include <stdlib.h>

#include "fetch.h"
#include "log.h"
#include "loop.h"
#include "token.h"

#include "../../agent/agent.h"

static int64_t sky_now(const struct loop *);
static bool sky_timer_start(struct loop *, struct loop_timer *, int64_t);
static void sky_timer_stop(struct loop *, struct loop_timer *);
static void sky_cancel(struct fetch *);
static uint64_t sky_chance(void);
static struct fetch *sky_register(const struct ask *, long, ask_done *,
    void *);
static struct fetch *sky_config(const struct ask *, const struct ask_news *,
    const struct ask_poll *, ask_done *, void *);
static struct fetch *sky_report(const struct ask *, const struct ask_news *,
    ask_done *, void *);
static void sky_save_start(struct save *, struct loop *, struct state *,
    const char *);
static void sky_save_now(struct save *);
static void sky_deliver_start(struct deliver *, struct loop *,
    struct fetch_hub *, const struct settings *, struct config *,
    const struct deliver_hooks *);
static void sky_deliver_stop(struct deliver *);
static void sky_deliver_offer(struct deliver *, struct config *);
static void sky_deliver_confirm(struct deliver *);
static void sky_deliver_hurry(struct deliver *);

#define loop_now sky_now
#define loop_timer_start sky_timer_start
#define loop_timer_stop sky_timer_stop
#define fetch_cancel sky_cancel
#define token_chance sky_chance
#define ask_register sky_register
#define ask_config sky_config
#define ask_report sky_report
#define save_start sky_save_start
#define save_now sky_save_now
#define save_stop(save) ((void)(save))
#define deliver_start sky_deliver_start
#define deliver_stop sky_deliver_stop
#define deliver_offer sky_deliver_offer
#define deliver_confirm sky_deliver_confirm
#define deliver_hurry sky_deliver_hurry

#endif
