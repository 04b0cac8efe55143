package com.datanadhi.hub.log;

/// Numbers of a log since it was opened, and its present size.
///
/// @param appendedRecords accepted
/// @param appendedBytes of them, as the log has them
/// @param refusedAppends calls that were refused
/// @param commits writes, each with one sync at `fsync`
/// @param waitingBytes accepted and not yet written
/// @param bytes of all segments of all streams
/// @param segments of all streams
/// @param damagedSegments of which a part cannot be read
public record LogStats(
    long appendedRecords,
    long appendedBytes,
    long refusedAppends,
    long commits,
    long waitingBytes,
    long bytes,
    int segments,
    int damagedSegments) {}
