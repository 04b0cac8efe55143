-- The batches that `echopost import` has stored: each is stored only once, even if the import is repeated.
CREATE TABLE imported (
  batch BLOB PRIMARY KEY -- SHA-256 over that of the batch before it in the same lines, and its own lines
) WITHOUT ROWID;
