-- The buffer: records that were accepted and are not delivered yet, records that the server rejected, and the ledger of both.
-- Open it at any time, also while the agent runs:  sqlite3 -readonly buffer.db
-- Only the agent writes; accepted = delivered + pending + rejected at every commit (002 adds discarded records).

-- Pending records in the order in which they are replayed. A row is deleted after the server has acknowledged it.
CREATE TABLE records (
  id          INTEGER PRIMARY KEY AUTOINCREMENT, -- replay order; given without gaps, never used twice
  received_at INTEGER NOT NULL,                  -- UTC, milliseconds since 1970
  json_data   TEXT    NOT NULL,                  -- the record, byte for byte as it came
  pipelines   TEXT    NOT NULL,                  -- a JSON array of strings
  api_key     TEXT    NOT NULL,                  -- the record's own key; '' means the agent's
  origin      TEXT,                              -- the idempotency key the client gave; else it is <buffer_id>-<id>
  crc32c      INTEGER NOT NULL                   -- over id and received_at (8 bytes each, big endian), then the four
                                                 -- texts in UTF-8, each after its length in 4 bytes (-1 for null)
);

-- Records that the server rejected, or whose checksum does not match (status 0). The agent never deletes them by itself.
CREATE TABLE rejected (
  id          INTEGER PRIMARY KEY,
  received_at INTEGER NOT NULL,
  json_data   TEXT    NOT NULL,
  pipelines   TEXT    NOT NULL,
  api_key     TEXT    NOT NULL,
  origin      TEXT,
  crc32c      INTEGER NOT NULL,
  status      INTEGER NOT NULL,                  -- the HTTP status of the last answer, 0 for a damaged record
  response    TEXT    NOT NULL,                  -- the first 1 KiB of that answer
  rejected_at INTEGER NOT NULL,                  -- UTC, milliseconds since 1970
  attempts    INTEGER NOT NULL                   -- deliveries tried in the run that gave up
);

-- One row.
CREATE TABLE meta (
  only_row        INTEGER PRIMARY KEY CHECK (only_row = 1),
  buffer_id       TEXT    NOT NULL,              -- a UUID made once; begins every idempotency key
  schema_version  INTEGER NOT NULL,              -- the number of the last migration that ran
  settled_through INTEGER NOT NULL,              -- every id up to this one is delivered or rejected
  accepted        INTEGER NOT NULL,              -- totals since the buffer was made
  delivered       INTEGER NOT NULL,
  rejected        INTEGER NOT NULL
);

-- The pending records in readable form, without API keys.
CREATE VIEW pending AS
SELECT id,
       strftime('%Y-%m-%d %H:%M:%S', received_at / 1000, 'unixepoch')      AS received_utc,
       CAST(strftime('%s', 'now') AS INTEGER) - received_at / 1000         AS age_seconds,
       length(CAST(json_data AS BLOB))                                     AS bytes,
       pipelines,
       substr(json_data, 1, 60)                                            AS payload_start
FROM records
ORDER BY id;
