-- Truth: the versions of the configuration, and the agents that registered.
-- Times are milliseconds since 1970. Rows of `version` are never changed and
-- never deleted: their numbers have no gaps and are never used again.

CREATE TABLE version (
	version INTEGER PRIMARY KEY CHECK (version > 0),
	data BLOB NOT NULL,		-- the document, byte for byte
	size INTEGER NOT NULL CHECK (size = length(data)),
	sha256 TEXT NOT NULL,		-- of data, 64 hex digits
	poll_interval INTEGER NOT NULL
	    CHECK (poll_interval BETWEEN 1 AND 86400),
	created_at INTEGER NOT NULL,
	author TEXT NOT NULL,		-- which credential, never the secret
	comment TEXT
) STRICT;

CREATE TABLE agent (
	id TEXT PRIMARY KEY,		-- a UUID, lower case
	hostname TEXT,			-- this and the next four: what it said
	ip_address TEXT,
	port INTEGER,
	metadata TEXT,			-- JSON, a string or an object
	software TEXT,			-- JSON, its own "version"
	address TEXT NOT NULL,		-- where it registered from
	registered_at INTEGER NOT NULL,
	first_version INTEGER NOT NULL,	-- that it was given, 0 when none was
	generation INTEGER NOT NULL DEFAULT 1 CHECK (generation > 0)
) STRICT, WITHOUT ROWID;

-- How many agents there are, for a total that does not count a million rows.
CREATE TABLE agent_total (
	one INTEGER PRIMARY KEY CHECK (one = 1),
	total INTEGER NOT NULL CHECK (total >= 0)
) STRICT;

INSERT INTO agent_total VALUES (1, 0);

CREATE TRIGGER agent_added AFTER INSERT ON agent
BEGIN
	UPDATE agent_total SET total = total + 1;
END;

CREATE TRIGGER agent_removed AFTER DELETE ON agent
BEGIN
	UPDATE agent_total SET total = total - 1;
END;
