-- What an operator does about rejected records. The ledger from here on, at every commit:
--
--     accepted = delivered + pending + rejected + discarded
--
-- `rejected` counts the rows of that table, so it goes down again:
--   redriven:  the record is pending again, under a new id at the end of `records`, and under its old key in `origin`;
--              it was accepted once and is not accepted again: rejected - 1, pending + 1
--   discarded: deleted for good on an operator's word: rejected - 1, discarded + 1
ALTER TABLE meta ADD COLUMN discarded INTEGER NOT NULL DEFAULT 0;

-- The ledger, for a person at the prompt. Ids have no gaps, so pending is also the newest id given - settled_through.
CREATE VIEW ledger AS
SELECT accepted, delivered, accepted - delivered - rejected - discarded AS pending, rejected, discarded
FROM meta;
