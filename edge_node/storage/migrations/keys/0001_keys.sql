-- works-with: 1
-- The key store: every key of a node, each wrapped by the one above it.  No identifier, no content, never
-- part of the content backup.  Wrapped values are bound to owner, item and the wrapping key's version.

CREATE TABLE key_store (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    region TEXT NOT NULL,
    generation INTEGER NOT NULL,
    next_id INTEGER NOT NULL
) STRICT;

CREATE TABLE epoch (
    version INTEGER PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('current', 'retired', 'destroyed')),
    created_at INTEGER NOT NULL,
    destroyed_at INTEGER
) STRICT;

-- A subject's key (name: the pseudonym), or a conversation's or an account's for the day (name: random).
-- Ids of owners, buckets and intents come from key_store.next_id and are never given twice.
CREATE TABLE owner_key (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL CHECK (kind IN ('subject', 'conversation', 'account')),
    scope TEXT,
    day INTEGER,
    version INTEGER NOT NULL,
    epoch INTEGER NOT NULL REFERENCES epoch (version),
    wrapped BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (kind, scope, day)
) STRICT;

CREATE INDEX owner_key_epoch ON owner_key (epoch);

-- `floor`: slots below it are never given again, so that the id of a destroyed key never means another.
CREATE TABLE bucket_key (
    id INTEGER PRIMARY KEY,
    owner INTEGER NOT NULL REFERENCES owner_key (id),
    version INTEGER NOT NULL,
    owner_version INTEGER NOT NULL,
    floor INTEGER NOT NULL,
    wrapped BLOB NOT NULL
) STRICT;

CREATE INDEX bucket_key_owner ON bucket_key (owner);

-- id is bucket * 256 + slot: a bucket cannot hold more than 256, and its rows lie together.
CREATE TABLE row_key (
    id INTEGER PRIMARY KEY,
    bucket_version INTEGER NOT NULL,
    wrapped BLOB NOT NULL
) STRICT;

CREATE TABLE index_key (
    purpose TEXT NOT NULL,
    version INTEGER NOT NULL,
    epoch INTEGER NOT NULL REFERENCES epoch (version),
    wrapped BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (purpose, version)
) STRICT;

-- What a commit is about to seal: removed once its content is committed, so that after a crash the keys that
-- no content came to use can be told and removed without searching the whole store.
CREATE TABLE intent (
    id INTEGER PRIMARY KEY,
    created_at INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;
