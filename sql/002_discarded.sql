-- What an operator can do with rejected records. The ledger from here on, at every commit:
--
--     accepted = delivered + pending + rejected + discarded
--
-- `rejected` counts the rows of that table, so it goes down again:
--   redriven:  the record is pending again, under a new id at the end of `records`, and under its old key in `origin`;
--              it is not accepted a second time: rejected - 1, pending + 1
--   discarded: deleted by an operator: rejected - 1, discarded + 1
ALTER TABLE meta ADD COLUMN discarded INTEGER NOT NULL DEFAULT 0;

-- The ledger in readable form. Ids have no gaps, so pending is also the newest id given - settled_through.
CREATE VIEW ledger AS
SELECT accepted, delivered, accepted - delivered - rejected - discarded AS pending, rejected, discarded
FROM meta;
