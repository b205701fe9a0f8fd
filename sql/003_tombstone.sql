-- Agents that were deleted, with a generation above that of their tokens: it
-- goes on from there when one comes back, so that no old token is good again.

CREATE TABLE tombstone (
	id TEXT PRIMARY KEY,
	generation INTEGER NOT NULL CHECK (generation > 1),
	deleted_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
