-- works-with: 2
-- What tells a view's news: under which key a message was shown, so that an edit, which draws a new one, is seen.

-- `key` is the row key under which the message was shown; 0 where that is not compared any more, or never was.
-- `page` names the answer that showed what had come since, until the asking node says that it kept it.
ALTER TABLE disclosure ADD COLUMN key INTEGER NOT NULL DEFAULT 0;
ALTER TABLE disclosure ADD COLUMN page TEXT;

-- The last answer of news that a view kept; empty before the first, and NULL before the view's first page.
ALTER TABLE view ADD COLUMN news TEXT;

-- For a message of this node's own: its row key when it was shown.
ALTER TABLE shown ADD COLUMN version INTEGER;
