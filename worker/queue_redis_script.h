#ifndef QUEUE_REDIS_SCRIPT_H
#define QUEUE_REDIS_SCRIPT_H
/*
 * What Redis does in one step; for the family of queue_redis alone.
 *
 *   worker:hit:2:tasks      stream, group "workers": task, config; error. An
 *                           entry for each task that waits or runs
 *   worker:hit:2:live       hash: id of what is not over to its entry; ""
 *                           while it is to be tried again
 *   worker:hit:2:later      sorted set: ids to be tried again, by time
 *   worker:hit:2:again:ID   hash: what its entry had, until it has one again
 *   worker:hit:2:over       hash: id of what is over to its record
 *   worker:hit:2:index      sorted set: ids, by arrival
 *   worker:hit:arrivals     counter
 *   worker:hit:result:ID    JSON, when it has ended, until it expires
 *
 * A task is "ID created attempts failures": those before this entry, whose
 * own attempts the group counts. A record is "expires state attempts created
 * ended error". What is taken, beaten and left alone is therefore a matter
 * of the stream; the verbs keep an entry and its place in `live` together.
 *
 * Before there was a 2, worker:hit:tasks had entries with an id alone, and
 * worker:hit:task:ID the rest (worker:hit:later, worker:hit:index as above).
 * What waits there is moved over; what is over is read until it expires.
 */
#define QUEUE_REDIS_TASKS	"worker:hit:2:tasks"
#define QUEUE_REDIS_GROUP	"workers"

/* max, config, then the task of each: how many of them, from the first on,
 * there was room for. */
extern const char queue_redis_script_push[];
/* consumer, lease in ms, cursor, count: cursor, then what no worker touched
 * for so long: {entry, {"task", task, "config", config, …}, times it was
 * given out}. */
extern const char queue_redis_script_claim[];
/* ttl in ms, then id, entry, record, result of each: 1, or 0, for each. A
 * record with 0 attempts: what is known of the task is put in. */
extern const char queue_redis_script_end[];
/* id, entry, error, when it is due, failures as it was given out: 1, or 0:
 * it is over, or this failure is counted already. */
extern const char queue_redis_script_again[];
/* id: {id, state, attempts, created, ended, error, result}, or 0. */
extern const char queue_redis_script_read[];
/* state or "", after or "", limit, now: rows as above without a result; or
 * 0: there is no `after`. */
extern const char queue_redis_script_list[];
/* id: 1, or 0. */
extern const char queue_redis_script_remove[];
/* consumer, ms: what it was given and did not settle counts as untouched for
 * so long; how many those are. */
extern const char queue_redis_script_leave[];
/* now, offset: what is due goes into the stream, what is over out of the
 * index; {in the stream, later, given out, arrival of the oldest, the next
 * offset, 1: there is more to do at once, what there is of the layout
 * before}. */
extern const char queue_redis_script_sweep[];
/* lease in ms: some of what the layout before has is moved over;
 * how many. What a worker of then still runs is left to it for the lease. */
extern const char queue_redis_script_move[];

#endif
