-- The audit: who did what, when and from where. A row goes into the same
-- transaction as what it tells of, and is never changed; but refused
-- credentials are counted, in one row for each address and minute.

CREATE TABLE audit (
	id INTEGER PRIMARY KEY,
	at INTEGER NOT NULL,		-- of refused ones: the minute's start
	who TEXT NOT NULL,		-- which credential, never the secret
	address TEXT NOT NULL,
	request_id TEXT NOT NULL,	-- of refused ones: the last
	action TEXT NOT NULL,
	what TEXT NOT NULL,		-- JSON, an object
	count INTEGER NOT NULL DEFAULT 1 CHECK (count > 0)
) STRICT;

CREATE INDEX audit_at ON audit (at);

CREATE UNIQUE INDEX audit_refused ON audit (at, address)
WHERE action = 'refused';
