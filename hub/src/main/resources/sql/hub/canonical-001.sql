-- canonical.db of a tenant: what is left of its log records after applying. It is derived from the log: if it is
-- deleted, the hub builds it again. Read it at any time with `sqlite3 -readonly canonical.db`; only the hub writes it.

-- The tenant's records, in the order of the log.
CREATE TABLE events (
  seq         INTEGER PRIMARY KEY,  -- 1, 2, 3, ... without gaps
  key         TEXT    NOT NULL,     -- the idempotency key of its transaction
  part        INTEGER NOT NULL,     -- its number within its transaction, from 1
  received_at INTEGER NOT NULL,     -- ms since 1970; never smaller than the one before
  position    TEXT    NOT NULL,     -- of its log record: <8 hex digits of the epoch>/<stream>:<offset>
  pipelines   TEXT    NOT NULL,     -- a JSON array of strings, in order
  log_data    TEXT    NOT NULL,     -- one JSON value, byte for byte as it came
  sha256      TEXT    NOT NULL,     -- digest of log_data, in lower-case hex
  durability  TEXT    NOT NULL      -- in force when it was accepted: fsync, wal, ram or replicated
) STRICT;

-- The transactions that are stored, by key, until the key horizon has passed.
CREATE TABLE applied_events (
  tenant_id       TEXT    NOT NULL,
  idempotency_key TEXT    NOT NULL,
  result_json     TEXT    NOT NULL, -- {"seq" of the first record,"records","sha256","pipelines_sha256","position","durability"}
  applied_at      INTEGER NOT NULL, -- received_at of its records, ms since 1970
  PRIMARY KEY (tenant_id, idempotency_key)
) STRICT, WITHOUT ROWID;

-- For deleting what is forgotten. received_at never falls, so it grows at its end.
CREATE INDEX applied_events_by_time ON applied_events (applied_at);

-- Which numbers of a source are stored: one row a run of consecutive numbers, both ends included. Kept for ever.
CREATE TABLE sources (
  source           TEXT    NOT NULL,
  first            INTEGER NOT NULL,
  last             INTEGER NOT NULL,
  last_received_at INTEGER NOT NULL, -- the latest received_at in this run, ms since 1970
  PRIMARY KEY (source, first)
) STRICT, WITHOUT ROWID;

-- Payloads that came under a key that was known with another payload.
CREATE TABLE conflicts (
  key                    TEXT    NOT NULL,
  sha256                 TEXT    NOT NULL, -- digest of this payload
  pipelines_sha256       TEXT    NOT NULL, -- digest of its pipelines
  first_sha256           TEXT,             -- digest of the stored payload; NULL if it is not known any more
  first_pipelines_sha256 TEXT,
  position               TEXT    NOT NULL,
  received_at            INTEGER NOT NULL, -- ms since 1970
  acknowledged           INTEGER NOT NULL, -- 1 if its sender was told that it is stored
  body                   BLOB    NOT NULL, -- the log record's payload (proto/hub_log.proto)
  PRIMARY KEY (key, sha256, pipelines_sha256)
) STRICT;

-- Log records that are not applied: an operator skipped them, nothing can replace them, or their records cannot be stored.
CREATE TABLE quarantine (
  position      TEXT    NOT NULL PRIMARY KEY,
  record_offset INTEGER NOT NULL,
  received_at   INTEGER NOT NULL, -- ms since 1970
  reason        TEXT    NOT NULL,
  payload       BLOB    NOT NULL  -- of the log record
) STRICT;

-- How many records of each pipeline have left `events`: a mailbox.db that is made again goes on with their numbers.
CREATE TABLE items_left (
  pipeline TEXT    NOT NULL PRIMARY KEY,
  n        INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- How far this database is. It changes in the same transaction as the tables above.
CREATE TABLE state (
  id                    INTEGER PRIMARY KEY CHECK (id = 1), -- there is one row
  tenant                TEXT    NOT NULL,
  epoch                 TEXT,             -- of the last applied log record; NULL before the first
  stream                TEXT    NOT NULL,
  applied_offset        INTEGER NOT NULL, -- the last applied offset of the stream, or -1
  seq                   INTEGER NOT NULL, -- the last seq, or 0
  chain                 TEXT    NOT NULL, -- after seq, in lower-case hex
  first_seq             INTEGER NOT NULL, -- the first seq that is still in events
  chain_before_first    TEXT    NOT NULL, -- the chain at first_seq - 1
  last_received_at      INTEGER NOT NULL, -- of the last record, ms since 1970, or 0
  keys_forgotten_before INTEGER NOT NULL, -- keys stored before this moment are not known any more
  stored                INTEGER NOT NULL, -- log records of which a transaction was stored
  duplicates            INTEGER NOT NULL, -- log records whose transactions were all stored before
  conflicts             INTEGER NOT NULL, -- log records that are a conflict
  skipped               INTEGER NOT NULL, -- log records that an operator skipped
  schema_version        INTEGER NOT NULL
) STRICT;

-- The latest records, for people.
CREATE VIEW recent AS
SELECT seq,
       strftime('%Y-%m-%dT%H:%M:%fZ', received_at / 1000.0, 'unixepoch') AS received_at,
       key,
       part,
       substr(pipelines, 1, 80) AS pipelines,
       substr(log_data, 1, 160) AS log_data
FROM events
WHERE seq > (SELECT max(seq) FROM events) - 100
ORDER BY seq DESC;
