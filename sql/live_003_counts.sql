-- A version that a fleet reports moves each agent's row once: what that costs
-- is what a fleet of a million can be held to.

-- By version alone: from live_both, state by state.
DROP INDEX live_version;

-- A change of the version alone is counted by whoever writes it, once for
-- many agents (store_sqlite_fold.c), in a statement that sets no state.
DROP TRIGGER live_moved;

CREATE TRIGGER live_moved AFTER UPDATE OF state ON live
WHEN new.state <> old.state OR new.applied_version <> old.applied_version
BEGIN
	UPDATE tally SET count = count - 1
	WHERE state = old.state AND applied_version = old.applied_version;
	INSERT INTO tally VALUES (new.state, new.applied_version, 1)
	ON CONFLICT DO UPDATE SET count = count + 1;
END;
