-- Further tables of the canonical.db of `_control`: what its records mean. They change in the same transaction.

CREATE TABLE api_keys (
  id         TEXT    NOT NULL PRIMARY KEY,
  tenant     TEXT    NOT NULL,
  name       TEXT,
  sha256     TEXT    NOT NULL, -- of the key, in lower-case hex; the key itself is not kept
  created_at INTEGER NOT NULL, -- ms since 1970
  revoked_at INTEGER           -- NULL while it is valid
) STRICT, WITHOUT ROWID;

-- Log records that operators decided to pass over.
CREATE TABLE skips (
  stream        TEXT    NOT NULL,
  record_offset INTEGER NOT NULL,
  reason        TEXT    NOT NULL,
  at            INTEGER NOT NULL, -- ms since 1970
  PRIMARY KEY (stream, record_offset)
) STRICT, WITHOUT ROWID;

-- Ranges of offsets that are lost, both ends included.
CREATE TABLE losses (
  stream       TEXT    NOT NULL,
  first_offset INTEGER NOT NULL,
  last_offset  INTEGER NOT NULL,
  reason       TEXT    NOT NULL,
  PRIMARY KEY (stream, first_offset)
) STRICT, WITHOUT ROWID;

-- The newest position of each consumer. The mailbox.db of its tenant follows it.
CREATE TABLE cursors (
  tenant         TEXT    NOT NULL,
  pipeline       TEXT    NOT NULL,
  consumer       TEXT    NOT NULL,
  through        INTEGER NOT NULL, -- the last n that was read
  updated_at     INTEGER NOT NULL, -- ms since 1970
  control_offset INTEGER NOT NULL, -- of the log record in control
  PRIMARY KEY (tenant, pipeline, consumer)
) STRICT, WITHOUT ROWID;

CREATE INDEX cursors_by_offset ON cursors (control_offset, tenant);
