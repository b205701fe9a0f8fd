-- The worker's queue: tasks that wait, run, or have ended. Times are
-- milliseconds since 1970. One process has the file open.

-- What tasks run with; many share one.
CREATE TABLE config (
	config INTEGER PRIMARY KEY,
	sha256 TEXT NOT NULL UNIQUE,	-- of body, 64 hex digits
	body TEXT NOT NULL
) STRICT;

CREATE TABLE task (
	arrival INTEGER PRIMARY KEY AUTOINCREMENT,
	id TEXT NOT NULL UNIQUE,	-- a UUID, lower case
	state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 3),
	config INTEGER REFERENCES config,	-- NULL when it has ended
	created_at INTEGER NOT NULL,
	due_at INTEGER,			-- when it may be given out; NULL
					-- while it runs and when it has ended
	ended_at INTEGER,
	attempts INTEGER NOT NULL DEFAULT 0,
	failures INTEGER NOT NULL DEFAULT 0,
	error TEXT,
	result TEXT,			-- JSON
	CHECK ((ended_at IS NULL) = (state < 2)),
	CHECK ((config IS NULL) = (state >= 2))
) STRICT;

CREATE INDEX task_due ON task (due_at, arrival) WHERE due_at IS NOT NULL;
CREATE INDEX task_ended ON task (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX task_open ON task (created_at) WHERE ended_at IS NULL;
CREATE INDEX task_config ON task (config) WHERE config IS NOT NULL;
CREATE INDEX task_state ON task (state, arrival);
