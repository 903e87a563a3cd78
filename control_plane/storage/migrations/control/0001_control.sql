-- works-with: 1
-- The control plane's store: pseudonyms, promises and who may ask.  No message, name, number or platform id, and nothing
-- computable from one.  Times are milliseconds since the epoch.

-- `cursor` and `event` are the last numbers given to a command and to an event.  Every writing transaction that gives one
-- begins by locking this row, so that numbers become visible in their order.
CREATE TABLE control_store (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    cursor INTEGER NOT NULL,
    event INTEGER NOT NULL
) STRICT;

-- Rosters as officers signed them; the highest version is in force.
CREATE TABLE roster (
    version INTEGER NOT NULL PRIMARY KEY,
    signed BLOB NOT NULL,
    accepted_at INTEGER NOT NULL
) STRICT;

-- Who is a node, as the roster in force says; written with it.
CREATE TABLE member (
    name TEXT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('active', 'retired'))
) STRICT;

CREATE TABLE nonce (
    keyid TEXT NOT NULL,
    nonce TEXT NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (keyid, nonce)
) STRICT, WITHOUT ROWID;

CREATE INDEX nonce_until ON nonce (until);

-- One-time tokens; `fingerprint` is that of the keys which used it, so that a lost answer can be asked for again.
CREATE TABLE enrolment_token (
    id TEXT NOT NULL PRIMARY KEY,
    node TEXT NOT NULL,
    secret_sha256 TEXT NOT NULL UNIQUE,
    made_by TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    until INTEGER NOT NULL,
    used_at INTEGER,
    fingerprint TEXT
) STRICT;

-- What a node said of itself when it enrolled; the roster, not this, says who is a node.
CREATE TABLE enrolment (
    node TEXT NOT NULL PRIMARY KEY,
    region TEXT NOT NULL,
    jurisdiction TEXT NOT NULL,
    relay TEXT,
    ed25519 BLOB NOT NULL,
    mldsa65 BLOB NOT NULL,
    hpke BLOB NOT NULL,
    at INTEGER NOT NULL
) STRICT;

-- What is seen of a node.  `cursor` is what it last asked after; `barred_at`: refused here before a roster retires it.
CREATE TABLE node (
    name TEXT NOT NULL PRIMARY KEY,
    barred_at INTEGER,
    silent INTEGER NOT NULL,
    cursor INTEGER NOT NULL,
    asked_at INTEGER,
    beat_number INTEGER,
    beat_seconds INTEGER,
    beat_at INTEGER,
    protocol INTEGER,
    roster_version INTEGER,
    events_waiting INTEGER,
    removals_open INTEGER,
    commands_open INTEGER,
    receipts_unsent INTEGER,
    relays_waiting INTEGER,
    refusals INTEGER
) STRICT;

CREATE TABLE registration (
    pseudonym TEXT NOT NULL PRIMARY KEY,
    node TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;

-- `node` opened the case or holds its pseudonym; `origin` is 'node' or 'program'.
CREATE TABLE case_file (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('erasure', 'recall')),
    origin TEXT NOT NULL CHECK (origin IN ('node', 'program')),
    node TEXT NOT NULL,
    recall TEXT,
    pseudonym TEXT,
    reason TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'waiting', 'finished', 'partial')),
    opened_by TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    finished_at INTEGER
) STRICT;

CREATE UNIQUE INDEX case_recall ON case_file (node, recall) WHERE recall IS NOT NULL;
CREATE INDEX case_opened ON case_file (opened_at, id);

-- `cursor` is null where the node does it unasked: the erasure that was opened there.  `target` is a pseudonym, or the
-- disclosure that `discloser` names so; `discloser` is empty for a pseudonym.  `lapsed` says why nobody will carry it out:
-- the roster retired its node, or knows no node of that name.
CREATE TABLE command (
    id TEXT NOT NULL PRIMARY KEY,
    cursor INTEGER UNIQUE,
    case_id TEXT NOT NULL REFERENCES case_file (id),
    node TEXT NOT NULL,
    kind TEXT NOT NULL,
    discloser TEXT NOT NULL,
    target TEXT NOT NULL,
    reason TEXT NOT NULL,
    issued_at INTEGER NOT NULL,
    done_at INTEGER,
    lapsed TEXT CHECK (lapsed IN ('retired', 'unknown')),
    UNIQUE (case_id, node, kind, discloser, target)
) STRICT;

CREATE INDEX command_of_node ON command (node, cursor);
CREATE INDEX command_owed ON command (node) WHERE done_at IS NULL;

CREATE TABLE receipt (
    command TEXT NOT NULL PRIMARY KEY REFERENCES command (id),
    case_id TEXT NOT NULL REFERENCES case_file (id),
    node TEXT NOT NULL,
    envelope BLOB NOT NULL,
    payload_sha256 TEXT NOT NULL,
    accepted_at INTEGER NOT NULL
) STRICT;

CREATE INDEX receipt_case ON receipt (case_id, accepted_at, command);

-- Who may ask: a principal belongs to a person, and acts by tokens of which only a hash is kept.
CREATE TABLE principal (
    name TEXT NOT NULL PRIMARY KEY,
    person TEXT NOT NULL,
    role TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    removed_at INTEGER
) STRICT;

CREATE TABLE access_token (
    id TEXT NOT NULL PRIMARY KEY,
    principal TEXT NOT NULL REFERENCES principal (name),
    secret_sha256 TEXT NOT NULL UNIQUE,
    scopes TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    until INTEGER,
    removed_at INTEGER
) STRICT;

CREATE INDEX access_token_of ON access_token (principal);

-- What one person proposes and another decides.  `subject` is a principal or a node, `person` whom it concerns, `role`
-- that principal's.
CREATE TABLE proposal (
    id TEXT NOT NULL PRIMARY KEY,
    act TEXT NOT NULL CHECK (act IN ('grant_role', 'remove_principal', 'retire_node')),
    subject TEXT NOT NULL,
    person TEXT NOT NULL,
    role TEXT,
    proposed_by TEXT NOT NULL,
    proposer TEXT NOT NULL,
    at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'approved', 'rejected')),
    decided_by TEXT,
    decided_at INTEGER
) STRICT;

CREATE INDEX proposal_at ON proposal (at, id);

-- Answers to requests that carried an Idempotency-Key.  A secret is never in `body`; `minted` says how to write it again.
CREATE TABLE answer (
    principal TEXT NOT NULL,
    key_sha256 TEXT NOT NULL,
    request_sha256 TEXT NOT NULL,
    status INTEGER NOT NULL,
    body BLOB NOT NULL,
    minted TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (principal, key_sha256)
) STRICT;

CREATE INDEX answer_at ON answer (at);

CREATE TABLE event (
    id INTEGER NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    data BLOB NOT NULL
) STRICT;

CREATE INDEX event_at ON event (at);

CREATE TABLE hook (
    id TEXT NOT NULL PRIMARY KEY,
    url TEXT NOT NULL,
    made_by TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'gone', 'removed'))
) STRICT;

-- The outbox of hooks; `due_at` in the future also while a process is sending.
CREATE TABLE delivery (
    hook TEXT NOT NULL REFERENCES hook (id),
    event INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'given_up')),
    outcome TEXT NOT NULL,
    PRIMARY KEY (hook, event)
) STRICT;

CREATE INDEX delivery_due ON delivery (due_at) WHERE state = 'waiting';
