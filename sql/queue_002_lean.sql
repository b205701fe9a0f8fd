-- Less to write for each task. Results have a table of their own, so that
-- rows stay as small as they were. Which tasks run is known to the process
-- that has the file; after it, what is not over is due, and has been begun
-- `attempts` times.

CREATE TABLE lean (
	arrival INTEGER PRIMARY KEY,
	id TEXT NOT NULL,		-- a UUID, lower case
	state INTEGER NOT NULL,		-- 0 until it is over, then 2 or 3
	config INTEGER,			-- NULL when it is over
	created_at INTEGER NOT NULL,
	due_at INTEGER,			-- from when on it may be given out, or
					-- was; NULL when it is over
	ended_at INTEGER,
	attempts INTEGER NOT NULL DEFAULT 0,
	failures INTEGER NOT NULL DEFAULT 0,
	error TEXT,
	CHECK (state IN (0, 2, 3)),
	CHECK ((config IS NULL) = (state <> 0)),
	CHECK ((due_at IS NULL) = (state <> 0)),
	CHECK ((ended_at IS NULL) = (state = 0))
) STRICT;

CREATE TABLE result (
	arrival INTEGER PRIMARY KEY,
	body TEXT NOT NULL		-- JSON
) STRICT;

-- That the file could be written, when it was opened last.
CREATE TABLE opened (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	at INTEGER NOT NULL
) STRICT;

INSERT INTO lean
SELECT arrival, id, iif(state < 2, 0, state), config, created_at,
    iif(state < 2, coalesce(due_at, created_at), NULL), ended_at, attempts,
    failures, error
FROM task;
INSERT INTO result
SELECT arrival, result FROM task WHERE result IS NOT NULL;

DROP TABLE task;
ALTER TABLE lean RENAME TO task;

CREATE UNIQUE INDEX task_id ON task (id);
CREATE INDEX task_due ON task (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX task_ended ON task (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX task_over ON task (state, arrival) WHERE state > 0;
