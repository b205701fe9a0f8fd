/*
 * A wheel with a slot for each millisecond. An agent is in one list at most,
 * and its neighbours there are numbers, so that a million of them take 20 MB.
 */
#include "fleet_agent.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../cgi/pass.h"
#include "fleet_id.h"

/* The last part of each one's token of generation 1. */
static bool
agents_sign(struct agent_set *set, uint64_t seed, const char *path)
{
	struct pass_key key = { .known = false };
	char id[TOKEN_UUID], token[PASS_SIZE];
	FILE *there = fopen(path, "re");
	int err;

	/* pass_load would make it */
	if (there != NULL)
		fclose(there);
	err = there != NULL ? pass_load(&key, path) : -1;
	if (err != 0) {
		fprintf(stderr, "fleet: --token-key %s cannot be read%s%s\n",
		    path, err > 0 ? ": " : "", err > 0 ? strerror(err) : "");
		return false;
	}
	set->sign = calloc(set->n, sizeof(*set->sign));
	for (uint32_t i = 0; set->sign != NULL && i < set->n; i++) {
		id_make(id, seed, i);
		pass_make(&key, id, 1, token);
		memcpy(set->sign[i], strrchr(token, '.') + 1, AGENT_SIGN);
	}
	pass_forget(&key);
	return set->sign != NULL;
}

bool
agents_open(struct agent_set *set, uint32_t n, uint64_t seed, const char *key)
{
	*set = (struct agent_set){ .n = n, .first = AGENT_NONE,
	    .last = AGENT_NONE };
	set->all = calloc(n, sizeof(*set->all));
	set->slot = malloc(AGENT_SLOTS * sizeof(*set->slot));
	if (set->all == NULL || set->slot == NULL)
		return false;
	for (uint32_t i = 0; i < AGENT_SLOTS; i++)
		set->slot[i] = AGENT_NONE;
	for (uint32_t i = 0; i < n; i++)
		set->all[i] = (struct agent){ .list = AGENT_ASKS,
		    .generation = 1 };
	return key == NULL || agents_sign(set, seed, key);
}

void
agents_close(struct agent_set *set)
{
	free(set->all);
	free(set->sign);
	free(set->slot);
}

static void
agents_ready(struct agent_set *set, uint32_t who)
{
	struct agent *a = &set->all[who];

	/* it asks soon: one of a million is in no cache */
	if (set->sign != NULL)
		__builtin_prefetch(set->sign[who]);
	a->list = AGENT_READY;
	a->next = AGENT_NONE;
	a->prev = set->last;
	if (set->last == AGENT_NONE)
		set->first = who;
	else
		set->all[set->last].next = who;
	set->last = who;
	set->waits++;
}

static void
agents_leave(struct agent_set *set, uint32_t who)
{
	struct agent *a = &set->all[who];

	if (a->prev != AGENT_NONE)
		set->all[a->prev].next = a->next;
	else if (a->list == AGENT_READY)
		set->first = a->next;
	else
		set->slot[a->list] = a->next;
	if (a->next != AGENT_NONE)
		set->all[a->next].prev = a->prev;
	else if (a->list == AGENT_READY)
		set->last = a->prev;
	set->waits -= a->list == AGENT_READY;
	a->list = AGENT_ASKS;
}

void
agents_wait(struct agent_set *set, uint32_t who, uint32_t due)
{
	struct agent *a = &set->all[who];
	uint32_t at = due;

	a->due = due;
	if (due < set->turned) {
		agents_ready(set, who);
		return;
	}
	if (at - set->turned >= AGENT_SLOTS)
		at = set->turned + AGENT_SLOTS - 1;
	a->list = at % AGENT_SLOTS;
	a->prev = AGENT_NONE;
	a->next = set->slot[a->list];
	if (a->next != AGENT_NONE)
		set->all[a->next].prev = who;
	set->slot[a->list] = who;
}

void
agents_move(struct agent_set *set, uint32_t who, uint32_t due)
{
	agents_leave(set, who);
	agents_wait(set, who, due);
}

void
agents_turn(struct agent_set *set, uint32_t now)
{
	while (set->turned <= now) {
		uint32_t *slot = &set->slot[set->turned++ % AGENT_SLOTS];
		uint32_t next, who = *slot;

		*slot = AGENT_NONE;
		for (; who != AGENT_NONE; who = next) {
			next = set->all[who].next;
			agents_wait(set, who, set->all[who].due);
		}
	}
}

uint32_t
agents_take(struct agent_set *set)
{
	uint32_t who = set->first;

	if (who != AGENT_NONE)
		agents_leave(set, who);
	return who;
}
