-- works-with: 7
-- A restored store until everything is replayed that was let go since it was copied, and what came in meanwhile.
-- A release before this one would open and show a restored store at once, so none may be started on one.

-- The one restore under way.  `replaying`: nothing is opened, shown or sent; `judging`: what waits is taken in.
CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    backup TEXT NOT NULL,
    taken_at INTEGER NOT NULL,
    restored_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('replaying', 'judging'))
) STRICT;

-- An event that came in while nobody could be looked up: sealed whole under a key of its own.  `mark` makes keeping it
-- idempotent, `about` is the mark of the message that it is or edits.
CREATE TABLE quarantined (
    id INTEGER PRIMARY KEY,
    mark BLOB NOT NULL UNIQUE,
    about BLOB,
    account INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    keep TEXT NOT NULL,
    key INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT;

-- Each line of a journal that is replayed, and each copy that is judged, is looked for by its key.
CREATE INDEX quarantined_key ON quarantined (key);
CREATE INDEX quarantined_about ON quarantined (about) WHERE about IS NOT NULL;


-- What an erasure's journal line names: the cases that it stands for.
CREATE INDEX command_entry ON command (log_entry) WHERE log_entry IS NOT NULL;
