#ifndef QUEUE_REDIS_SCRIPT_H
#define QUEUE_REDIS_SCRIPT_H
/*
 * What Redis does in one step; for the family of queue_redis alone.
 *
 *   worker:hit:tasks        stream, group "workers": entries with an id
 *   worker:hit:later        sorted set: ids to be tried again, by time
 *   worker:hit:task:ID      hash: state, created, attempts; until it has ended
 *                           config, failures, entry, then ended; error
 *   worker:hit:result:ID    JSON, when it has ended
 *   worker:hit:index        sorted set: ids, by arrival
 *   worker:hit:arrivals     counter
 */
#define QUEUE_REDIS_TASKS	"worker:hit:tasks"
#define QUEUE_REDIS_GROUP	"workers"

/* max, config, then id and now of each: how many of them, from the first on,
 * there was room for. */
extern const char queue_redis_script_push[];
/* consumer, count: new ones; {entry, id, config, created, attempts, failures}
 * of each. A config that is that of the one before is "". */
extern const char queue_redis_script_take[];
/* entry and id of each: the same, of those that are there. */
extern const char queue_redis_script_begin[];
/* now, ttl in ms, then id, entry, state, error, result of each: 1, or 0, for
 * each. */
extern const char queue_redis_script_end[];
/* id, entry, error, when it is due: 1, or 0. */
extern const char queue_redis_script_again[];
/* id: {id, state, attempts, created, ended, error, result}, or 0. */
extern const char queue_redis_script_read[];
/* state or "", after or "", limit: rows as above without a result; or 0:
 * there is no `after`. */
extern const char queue_redis_script_list[];
/* id: 1, or 0. */
extern const char queue_redis_script_remove[];
/* consumer, ms: what it was given and did not settle counts as untouched for
 * so long; how many those are. */
extern const char queue_redis_script_leave[];
/* now, offset: what is due goes into the stream, what is over out of the
 * index; {in the stream, later, given out, arrival of the oldest, the next
 * offset}. */
extern const char queue_redis_script_sweep[];

#endif
