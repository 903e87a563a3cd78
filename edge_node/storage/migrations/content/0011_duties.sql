-- works-with: 11
-- What laws make this node keep, why and until when; and how far the sweeper is where laws differ.
-- A release before this one would remove what a law keeps, so none may go on beside it.

-- Duties of the bundle in force that begin by themselves, as statements look them up; written from the bundle.
-- `law` '': whoever's data it is, as it is the law where the node stands.  `kinds`: see core/stored.py.
-- Of a minimum, rows that arrived after `kept_after` (ms) are kept now.
CREATE TABLE law_duty (
    duty TEXT NOT NULL,
    law TEXT NOT NULL,
    kind TEXT NOT NULL,
    keeps TEXT NOT NULL,
    article TEXT NOT NULL,
    period TEXT NOT NULL,
    kinds TEXT NOT NULL,
    stops_recall INTEGER NOT NULL,
    stops_erase INTEGER NOT NULL,
    stops_expire INTEGER NOT NULL,
    kept_after INTEGER NOT NULL,
    PRIMARY KEY (duty, law)
) STRICT;

-- From which bundle, and when (ms), they were written; `bound` 1: the holds that stand go by that bundle, too.
-- `awaited`: of a restored store, the version that what waits was kept by; until it is known, none of that goes on.
CREATE TABLE law_duties (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    bundle TEXT NOT NULL,
    version INTEGER NOT NULL,
    written_at INTEGER NOT NULL,
    bound INTEGER NOT NULL,
    awaited INTEGER NOT NULL DEFAULT 0
) STRICT;

-- A hold may be the law's own: it restricts, blocks or preserves until `ends_at` (ms), or until somebody ends it.
-- `article` '': none is known.  `asked`: what the officer wanted it to stop, where the law lets it stop less.
ALTER TABLE hold ADD COLUMN kind TEXT NOT NULL DEFAULT 'hold';
ALTER TABLE hold ADD COLUMN keeps TEXT NOT NULL DEFAULT 'held';
ALTER TABLE hold ADD COLUMN duty TEXT NOT NULL DEFAULT '';
ALTER TABLE hold ADD COLUMN article TEXT NOT NULL DEFAULT '';
ALTER TABLE hold ADD COLUMN kinds TEXT NOT NULL DEFAULT '';
ALTER TABLE hold ADD COLUMN asked TEXT NOT NULL DEFAULT '';
ALTER TABLE hold ADD COLUMN ends_at INTEGER;
CREATE INDEX hold_blocking ON hold (subject) WHERE kind = 'blocking';
CREATE INDEX hold_ends ON hold (ends_at) WHERE released_at IS NULL AND ends_at IS NOT NULL;

-- What is kept although somebody wants it gone: by the log entry that waits, and class of data.  `until` NULL: until
-- somebody ends the duty.  `again_at`: when what waits is asked again (ms).
CREATE TABLE kept (
    log_entry TEXT NOT NULL,
    class TEXT NOT NULL,
    store TEXT NOT NULL,
    subject INTEGER,
    keep TEXT NOT NULL,
    reason TEXT NOT NULL,
    duty TEXT NOT NULL,
    article TEXT NOT NULL,
    until INTEGER,
    again_at INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (log_entry, class, store)
) STRICT;

CREATE INDEX kept_again ON kept (again_at);
CREATE INDEX kept_subject ON kept (subject) WHERE subject IS NOT NULL;

-- By which version of the policy the table of duties was asked what keeps the record that an entry waits for; 0: by
-- none yet, or it is to be asked again.  So a new bundle has everything asked again without a write.
ALTER TABLE log_entry ADD COLUMN judged INTEGER NOT NULL DEFAULT 0;
CREATE INDEX log_entry_judged ON log_entry (judged, ordered_at) WHERE state <> 'done' AND held = 1 AND act = 'recall';

-- Of an erasure that waits: when it is looked at again (ms); when everything was gone that nothing keeps, where what is
-- kept has its date; and how many keys are kept.
ALTER TABLE erasure ADD COLUMN again_at INTEGER;
ALTER TABLE erasure ADD COLUMN settled_at INTEGER;
ALTER TABLE erasure ADD COLUMN keys_kept INTEGER NOT NULL DEFAULT 0;
CREATE INDEX erasure_again ON erasure (again_at) WHERE again_at IS NOT NULL;
UPDATE erasure SET again_at = 0 WHERE finished_at IS NULL AND EXISTS
(SELECT 1 FROM log_entry l WHERE l.id = erasure.log_entry AND l.held = 1);

-- What there is to do now, apart from what waits under a duty, which may be much.
CREATE INDEX log_entry_at_work ON log_entry (ordered_at) WHERE state <> 'done' AND held = 0;
CREATE INDEX log_entry_held ON log_entry (state) WHERE state <> 'done' AND held = 1;

-- A pass of the sweeper begins with the oldest row, and again a day later, so what a hold covers or another law keeps
-- is not read each time.  `left_over`: rows that it could not order.
ALTER TABLE retention_progress ADD COLUMN began_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE retention_progress ADD COLUMN left_over INTEGER NOT NULL DEFAULT 0;

-- Which laws there are people of.
CREATE INDEX subject_laws ON subject (jurisdiction, others);
