-- works-with: 8
-- Policy bundles that came into force, and what was decided by them.
-- A release before this one decides by its settings alone, so none may go on beside it.

-- Bundles as they were signed; versions only rise.  `heard_at`: when this node last heard that the bundle is the newest.
CREATE TABLE policy_bundle (
    version INTEGER NOT NULL PRIMARY KEY,
    hash TEXT NOT NULL,
    body BLOB NOT NULL,
    accepted_at INTEGER NOT NULL,
    heard_at INTEGER NOT NULL
) STRICT;

-- What the control plane last stated to be the newest bundle, and when by its clock.  No row: it never stated any.
CREATE TABLE policy_head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    version INTEGER NOT NULL,
    hash TEXT NOT NULL,
    stated_at INTEGER NOT NULL
) STRICT;

-- Whom a node that was never enrolled believes: the roster whose officers sign its bundles, and its root.
CREATE TABLE policy_trust (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    root TEXT NOT NULL,
    roster BLOB NOT NULL
) STRICT;

-- What was decided, by question and second; names of the policy alone, nobody's.
CREATE TABLE decision (
    second INTEGER NOT NULL,
    operation TEXT NOT NULL,
    data_class TEXT NOT NULL,
    purpose TEXT NOT NULL,
    subject TEXT NOT NULL,
    asker TEXT NOT NULL,
    role TEXT NOT NULL,
    outcome TEXT NOT NULL,
    rule TEXT NOT NULL,
    reason TEXT NOT NULL,
    bundle TEXT NOT NULL,
    times INTEGER NOT NULL,
    PRIMARY KEY (second, operation, data_class, purpose, subject, asker, role, outcome, rule, reason, bundle)
) STRICT;
