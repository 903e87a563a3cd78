-- works-with: 9
-- Whose law applies to a subject, from what that is known, and which classes of data may not rest here for it.
-- A release before this one would show what is restricted, so none may go on beside it.

-- Codes only (ISO 3166, names of the policy); several are separated by a space, '' is none.
-- What is known: `declared` where the subject said they live, `stated` the country of the platform's user id, `numbers`
-- the countries that the number may be of, `account_country` that of the account they first wrote to.
ALTER TABLE subject ADD COLUMN declared TEXT NOT NULL DEFAULT '';
ALTER TABLE subject ADD COLUMN stated TEXT NOT NULL DEFAULT '';
ALTER TABLE subject ADD COLUMN numbers TEXT NOT NULL DEFAULT '';
ALTER TABLE subject ADD COLUMN account_country TEXT NOT NULL DEFAULT '';
-- What follows from it under the bundle in force.  `basis` '' : never derived.
ALTER TABLE subject ADD COLUMN jurisdiction TEXT NOT NULL DEFAULT '';
ALTER TABLE subject ADD COLUMN country TEXT NOT NULL DEFAULT '';
ALTER TABLE subject ADD COLUMN basis TEXT NOT NULL DEFAULT '';
ALTER TABLE subject ADD COLUMN certainty TEXT NOT NULL DEFAULT 'none';
ALTER TABLE subject ADD COLUMN others TEXT NOT NULL DEFAULT '';
ALTER TABLE subject ADD COLUMN conflicts TEXT NOT NULL DEFAULT '';
-- One bit for each class of data of which this subject's records are restricted (core/classes.py); 0: none.
ALTER TABLE subject ADD COLUMN restricted INTEGER NOT NULL DEFAULT 0;

CREATE INDEX subject_restricted ON subject (id) WHERE restricted <> 0;

-- Every declared residence: the node's own log of them.  It goes with the subject.
CREATE TABLE residence_entry (
    id INTEGER PRIMARY KEY,
    subject INTEGER NOT NULL REFERENCES subject (id),
    country TEXT NOT NULL,
    actor TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;

CREATE INDEX residence_entry_subject ON residence_entry (subject);

-- How far the judging of what is stored has come: under which bundle and instant, and the last subject that was judged.
CREATE TABLE judging (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    bundle TEXT NOT NULL,
    since INTEGER NOT NULL,
    last_subject INTEGER NOT NULL,
    finished_at INTEGER NOT NULL
) STRICT;
