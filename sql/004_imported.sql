-- What `echopost import` has put in: a batch of lines is put in once, however often it is tried.
CREATE TABLE imported (
  batch BLOB PRIMARY KEY -- SHA-256 over that of the batch before it in the same lines, and its own lines
) WITHOUT ROWID;
