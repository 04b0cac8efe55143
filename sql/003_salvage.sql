-- After damage a new buffer is created, and the sound records of the damaged one are restored into it.

-- Ids above salvaged_through (0, or a multiple of 2^40) have no gaps. Those up to it were salvaged from a damaged buffer:
-- they keep their ids, come first, and may have gaps.
ALTER TABLE meta ADD COLUMN salvaged_through INTEGER NOT NULL DEFAULT 0;

-- Damaged buffers whose sound records are not fully restored. No record is delivered while there is one.
CREATE TABLE salvage (
  file    TEXT    PRIMARY KEY, -- its name in this directory, or its path
  id_base INTEGER NOT NULL     -- added to the ids of its records; 0 where they keep their own
);
