-- works-with: 2
-- What crosses to the control plane and back: enrolment, roster, beats, commands, what is owed, erasure, disclosures.
-- A release before this one would close an erasure without carrying it out, so none may go on beside it.

-- Whether the control plane was told of a pseudonym: 0 until a beat or notice that names it is acknowledged.
ALTER TABLE subject ADD COLUMN registered INTEGER NOT NULL DEFAULT 0;
CREATE INDEX subject_unregistered ON subject (id) WHERE registered = 0;

-- The node's enrolment: who it is, whom it believes, and how far it has come.  No row: the node stands alone.
CREATE TABLE uplink (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    node TEXT NOT NULL,
    address TEXT NOT NULL,
    control_fingerprint TEXT NOT NULL,
    root_fingerprint TEXT NOT NULL,
    own_fingerprint TEXT NOT NULL,
    enrolled_at INTEGER NOT NULL,
    command_cursor INTEGER NOT NULL,
    beat_number INTEGER NOT NULL,
    beat_body BLOB,
    beat_acknowledged_at INTEGER NOT NULL
) STRICT;

-- Rosters that were accepted, as they were signed; versions only rise.
CREATE TABLE roster (
    version INTEGER NOT NULL PRIMARY KEY,
    body BLOB NOT NULL,
    accepted_at INTEGER NOT NULL
) STRICT;

-- What the control plane asked for, and cases opened here (`origin` node): each is owed a receipt.
CREATE TABLE command (
    id TEXT NOT NULL PRIMARY KEY,
    command_cursor INTEGER NOT NULL,
    case_id TEXT NOT NULL,
    origin TEXT NOT NULL CHECK (origin IN ('node', 'control')),
    kind TEXT NOT NULL,
    body BLOB,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'working', 'done', 'refused')),
    log_entry TEXT,
    received_at INTEGER NOT NULL,
    done_at INTEGER
) STRICT;

CREATE INDEX command_open ON command (command_cursor) WHERE state IN ('waiting', 'working');

-- An erasure beyond its log entry: whose, on whose word, where content was shown, and what went so far.
CREATE TABLE erasure (
    log_entry TEXT NOT NULL PRIMARY KEY,
    subject INTEGER NOT NULL,
    origin TEXT NOT NULL CHECK (origin IN ('node', 'control')),
    ordered_at INTEGER NOT NULL,
    finished_at INTEGER,
    places BLOB,
    keys INTEGER,
    messages INTEGER NOT NULL,
    events INTEGER NOT NULL,
    identities INTEGER NOT NULL,
    views INTEGER NOT NULL
) STRICT;

CREATE INDEX erasure_subject ON erasure (subject);
CREATE INDEX erasure_ordered ON erasure (ordered_at);

-- What keeps an erased person's old events out: a blind index under a key of its own, and until when events stay out.
CREATE TABLE suppression (
    mark BLOB NOT NULL PRIMARY KEY,
    key_version INTEGER NOT NULL,
    at INTEGER NOT NULL,
    log_entry TEXT NOT NULL
) STRICT;

CREATE INDEX suppression_log_entry ON suppression (log_entry);

-- What must be told: bodies as they leave, frozen at the first look (a recall is noted before its places are read).
CREATE TABLE outbox (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('recall', 'case', 'receipt')),
    mark BLOB,
    body BLOB,
    created_at INTEGER NOT NULL,
    accepted_at INTEGER
) STRICT;

CREATE INDEX outbox_open ON outbox (created_at) WHERE accepted_at IS NULL;
CREATE INDEX outbox_mark ON outbox (mark) WHERE mark IS NOT NULL;

-- One showing of one message to another node.
CREATE TABLE disclosure (
    id TEXT NOT NULL PRIMARY KEY,
    node TEXT NOT NULL,
    subject INTEGER,
    mark BLOB,
    purpose TEXT NOT NULL,
    view TEXT NOT NULL,
    at INTEGER NOT NULL,
    closed_at INTEGER
) STRICT;

CREATE INDEX disclosure_subject ON disclosure (subject);
CREATE INDEX disclosure_mark ON disclosure (mark);
CREATE INDEX disclosure_view ON disclosure (view);

-- Every search for a person by an identifier: when, what for, and whom it led to; never the identifier.
CREATE TABLE lookup (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    purpose TEXT NOT NULL,
    found INTEGER NOT NULL,
    pseudonym TEXT
) STRICT;
