#ifndef TASK_RESULT_H
#define TASK_RESULT_H
/*
 * The answer to GET /hit/{task_id}: what became of a task.
 */
#include "buf.h"
#include "json.h"
#include "queue.h"

struct task_result {
	const char *id;
	enum queue_state state;
	int status_code;		/* 0: null */
	const char *content_type;	/* or NULL */
	const char *body;		/* or NULL */
	size_t body_len;
	const char *error;		/* or NULL */
	long long attempts;
};

void task_result_write(const struct task_result *, struct buf *);

/* How many bytes that takes at most, for a body of so many. */
size_t task_result_max(size_t body_len);

extern const struct field task_result_fields[];		/* for a schema */

#endif
