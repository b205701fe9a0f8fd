-- Liveness: what each agent's last polls said. Written in batches without
-- fsync, and may be lost: then it is made anew, empty.

CREATE TABLE live (
	id BLOB PRIMARY KEY CHECK (length(id) = 16),	-- the UUID's bytes
	last_poll INTEGER NOT NULL,	-- milliseconds since 1970
	applied_version INTEGER,
	state TEXT
) STRICT, WITHOUT ROWID;
