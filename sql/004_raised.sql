-- The agents whose tokens were raised are few, and lighttpd's fast path is
-- told of each: they are found without looking through all agents.

CREATE INDEX agent_raised ON agent (generation) WHERE generation > 1;
