-- After damage: a new buffer is begun, and what was sound in the damaged one is put back into it.

-- Ids above salvaged_through (0, or a multiple of 2^40) have no gaps. Those up to it were salvaged from a damaged buffer:
-- they keep their ids, come first, and may have gaps.
ALTER TABLE meta ADD COLUMN salvaged_through INTEGER NOT NULL DEFAULT 0;

-- Damaged buffers of which not everything sound is back yet. Nothing is delivered while there is one.
CREATE TABLE salvage (
  file    TEXT    PRIMARY KEY, -- its name in this directory, or its path
  id_base INTEGER NOT NULL     -- added to the ids of its records; 0 where they keep their own
);
