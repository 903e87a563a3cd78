-- works-with: 10
-- By which rule of which bundle something was shown, sought or told, and what is kept back at this node.
-- A release before this one shows and tells without asking the policy, so none may go on beside it.

-- Of whoever looks, in the words of the policy.
ALTER TABLE view ADD COLUMN role TEXT NOT NULL DEFAULT 'agent';

-- `rule`: those that allowed it, joined by '+'; '' before there was a policy.  `kept_until` (ms): the record stays so long at least.
ALTER TABLE disclosure ADD COLUMN role TEXT NOT NULL DEFAULT '';
ALTER TABLE disclosure ADD COLUMN form TEXT NOT NULL DEFAULT '';
ALTER TABLE disclosure ADD COLUMN rule TEXT NOT NULL DEFAULT '';
ALTER TABLE disclosure ADD COLUMN bundle TEXT NOT NULL DEFAULT '';
ALTER TABLE disclosure ADD COLUMN kept_until INTEGER NOT NULL DEFAULT 0;

ALTER TABLE lookup ADD COLUMN rule TEXT NOT NULL DEFAULT '';
ALTER TABLE lookup ADD COLUMN bundle TEXT NOT NULL DEFAULT '';

-- Whose law protects whoever it is about: codes, several separated by a space, '' where none was known; asked for what
-- is told of it when the subject's row says nothing any more.
ALTER TABLE erasure ADD COLUMN law TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN law TEXT NOT NULL DEFAULT '';
-- Why the policy keeps it here; '' where it does not.
ALTER TABLE outbox ADD COLUMN withheld TEXT NOT NULL DEFAULT '';
