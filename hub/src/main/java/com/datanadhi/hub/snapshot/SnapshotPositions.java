package com.datanadhi.hub.snapshot;

/// Position and durability of the records of a snapshot, which it cannot prove by itself.
///
/// @param firstSeq of its records
/// @param seq the last one
/// @param digest see [com.datanadhi.hub.apply.PositionDigest]
public record SnapshotPositions(Snapshot snapshot, long firstSeq, long seq, String digest) {}
