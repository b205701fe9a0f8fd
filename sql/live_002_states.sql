-- Liveness made anew, which it may be at any time: with the state as it is
-- shown, and what is needed to list and to count a million agents by it.

DROP TABLE live;

CREATE TABLE live (
	id BLOB PRIMARY KEY CHECK (length(id) = 16),	-- the UUID's bytes
	last_poll INTEGER NOT NULL DEFAULT 0,	-- ms since 1970; 0: never
	applied_version INTEGER NOT NULL DEFAULT -1,	-- -1: never said
	highest INTEGER NOT NULL DEFAULT -1,	-- that it ever applied
	said TEXT,			-- the last word of its polls
	error TEXT,
	state TEXT NOT NULL DEFAULT 'new'	-- as shown: said, ok, new,
						-- or offline
) STRICT, WITHOUT ROWID;

-- A table without rowid has its key at the end of each index.
CREATE INDEX live_state ON live (state);
CREATE INDEX live_version ON live (applied_version);
CREATE INDEX live_both ON live (state, applied_version);

-- How many agents there are of each, kept by the triggers.
CREATE TABLE tally (
	state TEXT NOT NULL,
	applied_version INTEGER NOT NULL,
	count INTEGER NOT NULL,
	PRIMARY KEY (state, applied_version)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER live_added AFTER INSERT ON live
BEGIN
	INSERT INTO tally VALUES (new.state, new.applied_version, 1)
	ON CONFLICT DO UPDATE SET count = count + 1;
END;

CREATE TRIGGER live_removed AFTER DELETE ON live
BEGIN
	UPDATE tally SET count = count - 1
	WHERE state = old.state AND applied_version = old.applied_version;
END;

CREATE TRIGGER live_moved AFTER UPDATE OF state, applied_version ON live
WHEN new.state <> old.state OR new.applied_version <> old.applied_version
BEGIN
	UPDATE tally SET count = count - 1
	WHERE state = old.state AND applied_version = old.applied_version;
	INSERT INTO tally VALUES (new.state, new.applied_version, 1)
	ON CONFLICT DO UPDATE SET count = count + 1;
END;

-- How long each version took from its publish to the first heartbeat that
-- reported it applied: a histogram. store_sqlite_rollout.c knows the buckets.
CREATE TABLE spread (
	version INTEGER NOT NULL,
	bucket INTEGER NOT NULL,
	count INTEGER NOT NULL,
	longest INTEGER NOT NULL,	-- milliseconds
	PRIMARY KEY (version, bucket)
) STRICT, WITHOUT ROWID;

-- When agents are looked through again, ms since 1970: for those that fell
-- silent, and for those that truth does not know or live does not.
CREATE TABLE sweep (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	silent INTEGER NOT NULL,
	joined INTEGER NOT NULL
) STRICT;

INSERT INTO sweep VALUES (1, 0, 0);
