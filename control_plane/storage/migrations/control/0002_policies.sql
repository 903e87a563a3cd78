-- works-with: 1
-- Policy bundles as officers signed them, and which of them every node says that it decides by.

-- The highest version is in force.  `signed` is the file's bytes; `published_by` is a principal, or 'machine'.
CREATE TABLE policy_bundle (
    version INTEGER NOT NULL PRIMARY KEY,
    hash TEXT NOT NULL,
    name TEXT NOT NULL,
    label TEXT NOT NULL CHECK (label IN ('demonstration', 'production')),
    signed BLOB NOT NULL,
    published_by TEXT NOT NULL,
    accepted_at INTEGER NOT NULL
) STRICT;

-- Null: the node's release says nothing of policies.  `policy_behind`: it was told of that the node does not follow.
ALTER TABLE node ADD COLUMN policy_version INTEGER;
ALTER TABLE node ADD COLUMN policy_hash TEXT;
ALTER TABLE node ADD COLUMN policy_behind INTEGER NOT NULL DEFAULT 0;
