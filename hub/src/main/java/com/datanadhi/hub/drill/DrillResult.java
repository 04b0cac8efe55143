package com.datanadhi.hub.drill;

import org.jspecify.annotations.Nullable;

/// What a drill of one tenant found.
///
/// @param seq the last record that was restored and compared
/// @param bytes that were read from the object store
/// @param fault what was wrong; null if nothing was
public record DrillResult(
    String tenant, long seq, long bytes, long millis, @Nullable String fault) {}
