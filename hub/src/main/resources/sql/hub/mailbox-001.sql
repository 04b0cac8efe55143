-- mailbox.db of a tenant: its records by pipeline, and how far each consumer has read. It is derived from canonical.db
-- and from the log's stream control, which it follows in transactions of its own.

-- The records of a pipeline. They leave with their records.
CREATE TABLE items (
  pipeline TEXT    NOT NULL,
  n        INTEGER NOT NULL, -- 1, 2, 3, ... within the pipeline, without gaps
  seq      INTEGER NOT NULL, -- in events of canonical.db
  PRIMARY KEY (pipeline, n)
) STRICT, WITHOUT ROWID;

-- The last n that was given, also after its item has left.
CREATE TABLE pipelines (
  pipeline TEXT    NOT NULL PRIMARY KEY,
  last_n   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE cursors (
  pipeline   TEXT    NOT NULL,
  consumer   TEXT    NOT NULL,
  through    INTEGER NOT NULL, -- the last n that was read
  updated_at INTEGER NOT NULL, -- ms since 1970
  PRIMARY KEY (pipeline, consumer)
) STRICT, WITHOUT ROWID;

CREATE TABLE state (
  id             INTEGER PRIMARY KEY CHECK (id = 1), -- there is one row
  tenant         TEXT    NOT NULL,
  applied_seq    INTEGER NOT NULL, -- the seq up to which the items are
  control_offset INTEGER NOT NULL, -- the offset in control up to which the cursors are, or -1
  schema_version INTEGER NOT NULL
) STRICT;
