-- works-with: 1
-- The content store: what people wrote, sealed row by row.  In the clear lie only times, kinds, states and
-- keyed blind indexes.  `key` names the row key in the key store; columns called `sealed` open under it alone.

-- `people` is raised whenever an identity is closed, so that what a process remembers of them is not used on.
CREATE TABLE content_store (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    region TEXT NOT NULL,
    people INTEGER NOT NULL,
    accounts INTEGER NOT NULL
) STRICT;

-- `accounts` is raised by each change of the accounts, so that running processes read them again.
-- An account that was removed keeps its row, without its sealed part, so that its id never means another.
CREATE TABLE account (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    channel TEXT NOT NULL,
    key INTEGER UNIQUE,
    sealed BLOB
) STRICT;

CREATE TABLE subject (
    id INTEGER PRIMARY KEY,
    pseudonym TEXT NOT NULL UNIQUE,
    keep TEXT NOT NULL,
    first_contact_at INTEGER NOT NULL
) STRICT;

CREATE TABLE identity (
    id INTEGER PRIMARY KEY,
    subject INTEGER NOT NULL REFERENCES subject (id),
    kind TEXT NOT NULL,
    blind BLOB NOT NULL,
    blind_version INTEGER NOT NULL,
    valid_from INTEGER NOT NULL,
    valid_to INTEGER,
    key INTEGER NOT NULL UNIQUE,
    sealed BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX identity_open ON identity (blind) WHERE valid_to IS NULL;
CREATE INDEX identity_subject ON identity (subject);

CREATE TABLE conversation (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('direct', 'group')),
    name TEXT NOT NULL UNIQUE,
    subject INTEGER UNIQUE REFERENCES subject (id),
    blind BLOB UNIQUE,
    blind_version INTEGER,
    key INTEGER UNIQUE,
    sealed BLOB,
    created_at INTEGER NOT NULL
) STRICT;

-- A message: `mark` is the blind index of (account, platform message id) and makes taking it in idempotent.  `edit` is
-- the mark of the edit whose words it holds, empty for none: of two edits at one time the same one wins in any order.
-- `original` is 0 until the message itself has come: an edit that came first keeps its place.
CREATE TABLE message (
    id INTEGER PRIMARY KEY,
    mark BLOB NOT NULL UNIQUE,
    account INTEGER NOT NULL,
    conversation INTEGER,
    subject INTEGER,
    direction TEXT NOT NULL,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    edited_at INTEGER NOT NULL,
    edit BLOB NOT NULL,
    original INTEGER NOT NULL,
    grouped INTEGER NOT NULL,
    keep TEXT NOT NULL,
    key INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT;

CREATE INDEX message_conversation ON message (conversation, at);
-- A subject's messages are those of the one-to-one conversation and these: one index less on most rows.
CREATE INDEX message_grouped ON message (subject) WHERE grouped = 1;

-- Everything else a platform told: statuses, relations, notices, what nobody knows yet.  `about` is the mark of the
-- message whose content a row holds (an edit by another, a message of an unknown kind): a recall takes it, too.
CREATE TABLE event (
    id INTEGER PRIMARY KEY,
    mark BLOB NOT NULL UNIQUE,
    about BLOB,
    account INTEGER NOT NULL,
    conversation INTEGER,
    subject INTEGER,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    keep TEXT NOT NULL,
    key INTEGER NOT NULL,
    sealed BLOB NOT NULL
) STRICT;

CREATE INDEX event_about ON event (about) WHERE about IS NOT NULL;
CREATE INDEX event_subject ON event (subject) WHERE subject IS NOT NULL;

-- The node's own log: written before anything is destroyed.  `mark` is cleared when the entry is done.
CREATE TABLE log_entry (
    id TEXT NOT NULL PRIMARY KEY,
    act TEXT NOT NULL,
    reason TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('ordered', 'journaled', 'destroyed', 'done')),
    mark BLOB,
    key INTEGER,
    ordered_at INTEGER NOT NULL,
    done_at INTEGER
) STRICT;

CREATE INDEX log_entry_open ON log_entry (ordered_at) WHERE state <> 'done';
CREATE INDEX log_entry_key ON log_entry (key) WHERE state <> 'done';

CREATE TABLE tombstone (
    mark BLOB NOT NULL PRIMARY KEY,
    key_version INTEGER NOT NULL,
    at INTEGER NOT NULL,
    log_entry TEXT NOT NULL
) STRICT;

CREATE INDEX tombstone_log_entry ON tombstone (log_entry);

-- Intents of the key store whose unused keys were swept: a commit that comes so late is refused and made anew.
CREATE TABLE swept (
    intent INTEGER PRIMARY KEY,
    at INTEGER NOT NULL
) STRICT;

-- What was turned away at intake, without a word of it: events by account, reason and second.
CREATE TABLE refusal (
    account TEXT NOT NULL,
    reason TEXT NOT NULL,
    second INTEGER NOT NULL,
    events INTEGER NOT NULL,
    PRIMARY KEY (account, reason, second)
) STRICT;

CREATE TABLE lease (
    name TEXT NOT NULL PRIMARY KEY,
    holder TEXT NOT NULL,
    until INTEGER NOT NULL
) STRICT;
