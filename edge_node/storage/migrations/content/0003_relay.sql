-- works-with: 2
-- What crosses to other nodes and back: nonces of their requests, what they were shown, what this node was shown.

-- Nonces of verified requests, kept while their signatures would still be accepted.
CREATE TABLE relay_nonce (
    node TEXT NOT NULL,
    nonce TEXT NOT NULL,
    until INTEGER NOT NULL,
    PRIMARY KEY (node, nonce)
) STRICT;

CREATE INDEX relay_nonce_until ON relay_nonce (until);

-- Where the next page goes on, also when the message is gone: its time, and its row.
ALTER TABLE disclosure ADD COLUMN message_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE disclosure ADD COLUMN message INTEGER NOT NULL DEFAULT 0;

-- A view of a subject's timeline that somebody here opened: at another node, or (`node` empty) at this one.  `pseudonym` is the name
-- that the shower knows the subject by; `next` is the disclosure after which older messages are asked for.
CREATE TABLE view (
    id TEXT NOT NULL PRIMARY KEY,
    node TEXT NOT NULL,
    pseudonym TEXT NOT NULL,
    purpose TEXT NOT NULL,
    form TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'closing', 'closed')),
    next TEXT,
    opened_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    closed_at INTEGER
) STRICT;

CREATE INDEX view_ends ON view (ends_at) WHERE state = 'open';

-- One message that a view shows, under the shower's opaque id.  From another node: a copy, sealed under a row key of its
-- own.  From this one: no copy, `mark` leads to the message.
CREATE TABLE shown (
    id INTEGER PRIMARY KEY,
    node TEXT NOT NULL,
    disclosure TEXT NOT NULL,
    view TEXT NOT NULL REFERENCES view (id),
    at INTEGER NOT NULL,
    keep TEXT NOT NULL,
    subject INTEGER,
    mark BLOB,
    key INTEGER UNIQUE,
    sealed BLOB,
    UNIQUE (node, disclosure)
) STRICT;

CREATE INDEX shown_view ON shown (view);
CREATE INDEX shown_mark ON shown (mark) WHERE mark IS NOT NULL;
CREATE INDEX shown_subject ON shown (subject) WHERE subject IS NOT NULL;

-- What a live view is told, in order: shown, retracted; no content.
CREATE TABLE view_event (
    id INTEGER PRIMARY KEY,
    view TEXT NOT NULL REFERENCES view (id),
    kind TEXT NOT NULL CHECK (kind IN ('shown', 'retracted')),
    disclosure TEXT NOT NULL
) STRICT;

CREATE INDEX view_event_view ON view_event (view, id);

-- What was taken back at the shower, so that it stays out if it comes late; and how much of it was here.
CREATE TABLE retraction (
    node TEXT NOT NULL,
    disclosure TEXT NOT NULL,
    at INTEGER NOT NULL,
    copies INTEGER NOT NULL,
    PRIMARY KEY (node, disclosure)
) STRICT;

CREATE INDEX retraction_at ON retraction (at);
