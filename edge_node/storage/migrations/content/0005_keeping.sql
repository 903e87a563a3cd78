-- works-with: 5
-- Holds, what waits under them, and what the retention sweeper goes by.
-- A release before this one would remove what a hold keeps, so none may go on beside it.

-- A hold on a subject: on what was said from `from_at` to `until_at` (ms), and which removals it stops.
CREATE TABLE hold (
    id TEXT NOT NULL PRIMARY KEY,
    subject INTEGER NOT NULL REFERENCES subject (id),
    from_at INTEGER NOT NULL,
    until_at INTEGER NOT NULL,
    reason TEXT NOT NULL,
    review_at INTEGER NOT NULL,
    stops_recall INTEGER NOT NULL,
    stops_erase INTEGER NOT NULL,
    stops_expire INTEGER NOT NULL,
    placed_at INTEGER NOT NULL,
    released_at INTEGER
) STRICT;

CREATE INDEX hold_standing ON hold (subject) WHERE released_at IS NULL;
CREATE INDEX hold_placed ON hold (placed_at);

-- Every placing and every release: the node's own log of holds.  It is not swept.
CREATE TABLE hold_entry (
    id INTEGER PRIMARY KEY,
    hold TEXT NOT NULL REFERENCES hold (id),
    act TEXT NOT NULL CHECK (act IN ('placed', 'released')),
    actor TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;

CREATE INDEX hold_entry_hold ON hold_entry (hold);

-- 1: the entry waits under a hold.
ALTER TABLE log_entry ADD COLUMN held INTEGER NOT NULL DEFAULT 0;
CREATE INDEX log_entry_done ON log_entry (done_at) WHERE state = 'done';

-- `parting` 1: what a hold does not cover of an erasure that waits is still to be let go; `parted`: keys that went so.
ALTER TABLE erasure ADD COLUMN parting INTEGER NOT NULL DEFAULT 0;
ALTER TABLE erasure ADD COLUMN parted INTEGER NOT NULL DEFAULT 0;
CREATE INDEX erasure_parting ON erasure (ordered_at) WHERE parting = 1;

-- By time, as the sweeper asks: rows arrive in this order, so an insert goes to the end.
CREATE INDEX message_received ON message (received_at, id) WHERE keep = 'active';
CREATE INDEX event_received ON event (kind, received_at, id) WHERE keep = 'active';
CREATE INDEX message_held ON message (subject) WHERE keep = 'held';
CREATE INDEX event_held ON event (subject) WHERE keep = 'held';
CREATE INDEX tombstone_at ON tombstone (at);
CREATE INDEX suppression_at ON suppression (at);
CREATE INDEX refusal_second ON refusal (second);
CREATE INDEX lookup_at ON lookup (at);
CREATE INDEX disclosure_closed ON disclosure (closed_at) WHERE closed_at IS NOT NULL;

-- How far the sweeper is in a class, and when it last came to the end of it (ms; 0: never).
CREATE TABLE retention_progress (
    class TEXT NOT NULL PRIMARY KEY,
    received_at INTEGER NOT NULL,
    last_row INTEGER NOT NULL,
    swept_at INTEGER NOT NULL
) STRICT;
