-- works-with: 1
-- Content backups that this key store can open: a copy of it from before one of them does not name it.

CREATE TABLE content_backup (
    id TEXT NOT NULL PRIMARY KEY,
    taken_at INTEGER NOT NULL
) STRICT;
