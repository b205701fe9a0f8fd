-- What the last poll of each agent said, packed: of a fleet that has nothing
-- new to say, or a new version, no more than this is written.
-- store_sqlite_pulse.c knows what is in it; an agent's entry is found by its
-- number, which no other ever gets.
CREATE TABLE pulse (
	page INTEGER PRIMARY KEY,
	said BLOB NOT NULL
) STRICT;

-- NULL: it has no entry yet, and last_poll is its time, as before. Else that
-- is 0.
ALTER TABLE live ADD COLUMN number INTEGER;
CREATE UNIQUE INDEX live_number ON live (number) WHERE number IS NOT NULL;
CREATE INDEX live_apart ON live (id)
WHERE number IS NULL AND last_poll > 0;

-- How many numbers were given.
ALTER TABLE sweep ADD COLUMN numbers INTEGER NOT NULL DEFAULT 0;

-- The version of a row is that of its last change otherwise: an entry may
-- have a later one. So it has no index, and whoever changes what is shown
-- counts it (store_sqlite_tally.c).
DROP INDEX live_both;
DROP TRIGGER live_added;
DROP TRIGGER live_removed;
DROP TRIGGER live_moved;
