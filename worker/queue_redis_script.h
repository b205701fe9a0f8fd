#ifndef QUEUE_REDIS_SCRIPT_H
#define QUEUE_REDIS_SCRIPT_H
/*
 * What Redis does in one step; for the family of queue_redis alone.
 *
 *   worker:hit:tasks        stream, group "workers": entries with an id
 *   worker:hit:later        sorted set: ids to be tried again, by time
 *   worker:hit:task:ID      hash: state, config until it has ended, …
 *   worker:hit:result:ID    JSON, when it has ended
 *   worker:hit:index        sorted set: ids, by arrival
 *   worker:hit:arrivals     counter
 */
#define QUEUE_REDIS_TASKS	"worker:hit:tasks"
#define QUEUE_REDIS_GROUP	"workers"

/* max, id, config, now: 1, or 0 when it is full. */
extern const char queue_redis_script_push[];
/* entry, id, …: for each that is there, {entry, id, config, created,
 * attempts, failures}. */
extern const char queue_redis_script_begin[];
/* id, entry, state, error, now, ttl in ms, result: 1, or 0. */
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
