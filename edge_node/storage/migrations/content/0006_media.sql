-- works-with: 2
-- What is made from messages, and the files that are fetched for them.  A release before this one orders no derivative
-- destroyed; what it takes back while a restart overlaps is found by the upkeep of this one.

-- Row key of the message whose file was last looked after: another one (a new message, an edit) is to be looked at.
ALTER TABLE message ADD COLUMN media INTEGER NOT NULL DEFAULT 0;
CREATE INDEX message_media ON message (id)
WHERE media <> key AND kind IN ('image', 'video', 'audio', 'voice', 'document', 'sticker');

-- Anything made from messages.  `sealed` describes it; `file` names the file that holds its bytes, sealed under the same
-- key, and `whole` says that all of them are there.
CREATE TABLE derivative (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    subject INTEGER,
    conversation INTEGER,
    at INTEGER NOT NULL,
    keep TEXT NOT NULL,
    key INTEGER NOT NULL UNIQUE,
    sealed BLOB NOT NULL,
    file TEXT UNIQUE,
    whole INTEGER NOT NULL
) STRICT;

CREATE INDEX derivative_subject ON derivative (subject) WHERE subject IS NOT NULL;

-- What a derivative was made from: the mark of each message, and whose message it is.  It goes with any of them.
CREATE TABLE derived_from (
    derivative INTEGER NOT NULL REFERENCES derivative (id) ON DELETE CASCADE,
    subject INTEGER,
    mark BLOB NOT NULL,
    PRIMARY KEY (derivative, mark)
) STRICT;

CREATE INDEX derived_from_mark ON derived_from (mark);
CREATE INDEX derived_from_subject ON derived_from (subject) WHERE subject IS NOT NULL;

-- How far a file has come: `code` says why it is not here yet, or never will be.
CREATE TABLE media_fetch (
    derivative INTEGER NOT NULL PRIMARY KEY REFERENCES derivative (id) ON DELETE CASCADE,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'done', 'withheld', 'failed')),
    attempts INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    code TEXT NOT NULL
) STRICT;

CREATE INDEX media_fetch_due ON media_fetch (due_at) WHERE state = 'waiting';
CREATE INDEX media_fetch_withheld ON media_fetch (due_at) WHERE state = 'withheld';

ALTER TABLE erasure ADD COLUMN derivatives INTEGER NOT NULL DEFAULT 0;
